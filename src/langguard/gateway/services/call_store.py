"""Calls at rest: by session and id, sealed under the session's key, so that an id asked again is answered again."""

import asyncio

import msgspec

from langguard.gateway.problems import ProblemError
from langguard.gateway.services.entries import receipts_of
from langguard.gateway.services.recorder import Recorder
from langguard.protocol import Answer, Receipt, Wire
from langguard.stores.base import Put, Store

UNKNOWN = Receipt(entry=-1, leaf="")
"""Stands for a receipt while it is not known yet; never sent."""

_COMMITMENT = 64


class AskedBeforeError(Exception):
    """The call's id is recorded already: the same call asked again, or another one under its id."""


class StoredCall(Wire, frozen=True, kw_only=True):
    """A call at rest.

    Attributes:
        digest: Of the request, so that an id can't be used for another call.
        answer: None until there is one to give again. Its receipts are looked up when it is asked for: they are not
            known while it is written.
    """

    digest: str
    answer: Answer | None = None


class CallStore:
    """Finds and writes calls."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder

    async def find(self, session: str, call_id: str) -> StoredCall | None:
        """Return a call, or None if no such call was ever recorded in the session."""
        found = await asyncio.to_thread(self._store.document, "call", f"{session}/{call_id}")
        if found is None:
            return None
        commitment, sealed = found.value[:_COMMITMENT].decode(), found.value[_COMMITMENT:]
        return msgspec.json.decode(self._recorder.open(session, commitment, sealed).text, type=StoredCall)

    async def answer(self, session: str, call_id: str, stored: StoredCall) -> Answer:
        """Return a call's answer as it was given, with the receipts its entries have.

        Raises:
            ProblemError: The call was recorded and may have run, and has no outcome.
            VerificationError: The ledger does not hold its intent.
        """
        if stored.answer is None:
            raise ProblemError("call_unknown", "The call was recorded and may have run; its outcome was not.")
        receipts = await asyncio.to_thread(receipts_of, self._store, session, call_id)
        return msgspec.structs.replace(
            stored.answer,
            intent=receipts["intent"],
            outcome=receipts.get("outcome"),
            checkpoint=await asyncio.to_thread(self._store.head),
        )

    def put(self, session: str, call_id: str, stored: StoredCall, state: str, *, expect: str) -> Put:
        """Return what writes a call.

        Args:
            session: Its session.
            call_id: Its id.
            stored: What to keep.
            state: `denied`, `waiting` (for an agent's report), `running`, or `done`.
            expect: The state it must be in now; empty for a call that must not exist yet.
        """
        commitment, sealed = self._recorder.seal(session, msgspec.json.encode(stored))
        return Put(
            kind="call",
            id=f"{session}/{call_id}",
            parent=session,
            state=state,
            value=commitment.encode() + sealed,
            expect=expect,
        )
