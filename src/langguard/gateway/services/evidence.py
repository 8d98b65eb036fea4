"""Reading the record: one session as a timeline, and its export, which verifies without the gateway.

Reading evidence is itself an entry, outside the session that is read.
"""

import json
from collections.abc import Iterator
from typing import Any

from langguard.errors import LangguardError
from langguard.gateway.identity.principals import Principal
from langguard.gateway.keys import Keys
from langguard.gateway.problems import ProblemError
from langguard.gateway.services.recorder import Draft, Recorder
from langguard.ledger import bodies, export, tree
from langguard.ledger.checkpoint import LogKey
from langguard.stores.base import Store

_JSON_BODIES = frozenset({"asked", "context", "messages", "facts", "estimate", "refusal", "plan", "result"})


class Evidence:
    """Opens recorded sessions for those who may read them."""

    def __init__(self, *, store: Store, recorder: Recorder, keys: Keys, log_key: LogKey) -> None:
        self._store = store
        self._recorder = recorder
        self._keys = keys
        self._log_key = log_key

    async def note_read(self, reader: Principal, session: str, what: str) -> None:
        """Record that someone reads a session, before they do.

        Raises:
            LedgerError: It could not be recorded; nothing may be shown.
        """
        data = {"session": session, "what": what}
        await self._recorder.record([Draft(kind="evidence_read", by=reader.id, data=data)])

    def timeline(self, session: str) -> list[dict[str, Any]]:
        """Return a session's entries in order, each with its opened bodies.

        Raises:
            ProblemError: There is no such session.
        """
        entries = self._store.entries(session)
        if not entries:
            raise ProblemError("not_found", "There is no such session.")
        return [self._entry(session, index, leaf) for index, leaf in entries]

    def _entry(self, session: str, index: int, leaf: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = json.loads(leaf)
        texts: dict[str, Any] = {}
        for name, commitment in entry["bodies"].items():
            opened = self._body(session, commitment)
            if opened is None:
                texts[name] = None
            else:
                text = opened.text.decode("utf-8", "replace")
                texts[name] = json.loads(text) if name in _JSON_BODIES else text
        return {
            "entry": index,
            "seq": entry["seq"],
            "kind": entry["kind"],
            "at": entry["at"],
            "by": entry["by"],
            "source": entry["source"],
            "data": entry["data"],
            "texts": texts,
        }

    def _body(self, session: str, commitment: str) -> bodies.OpenedBody | None:
        """Return a body, or None where it was erased."""
        sealed = self._store.body(commitment)
        if sealed is None:
            return None
        try:
            return self._recorder.open(session, commitment, sealed)
        except LangguardError:
            return None

    def export(self, session: str, *, earlier: str | None = None) -> Iterator[bytes]:
        """Yield the lines of a session's export.

        Args:
            session: Its id.
            earlier: A checkpoint kept from before, to prove that the ledger only grew since.

        Raises:
            ProblemError: There is no such session.
        """
        entries = self._store.entries(session)
        if not entries:
            raise ProblemError("not_found", "There is no such session.")
        opened: dict[str, bodies.OpenedBody] = {}
        for _, leaf in entries:
            for commitment in json.loads(leaf)["bodies"].values():
                body = self._body(session, commitment)
                if body is not None:
                    opened[commitment] = body
        yield from export.export_session(
            session=session,
            checkpoint=self._store.head(),
            key=str(self._log_key.public),
            entries=entries,
            node=self._store.node,
            bodies=opened,
            earlier=earlier,
        )

    def consistency(self, first: int, second: int) -> list[str]:
        """Return the RFC 6962 proof that the ledger of `second` entries continues that of `first`, in hex.

        Raises:
            ProblemError: The sizes are not in order, or beyond what is recorded.
        """
        if not 0 <= first <= second <= self._store.size():
            raise ProblemError("invalid_request", "Sizes must be in order and within the ledger.")
        return [node.hex() for node in tree.consistency_proof(first, second, self._store.node)]
