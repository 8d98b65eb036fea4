"""Writing the record: entries with their bodies sealed under the session's key, durable before the caller goes on."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from langguard.clock import Clock, random_bytes
from langguard.errors import LedgerError
from langguard.gateway.keys import Keys
from langguard.ledger import bodies, encode
from langguard.protocol import Receipt
from langguard.stores.base import Batch, Body, Expect, Leaf, Put, Store

_KEYS_HELD = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An entry to be written.

    Attributes:
        by: The principal's id.
        source: `reported` for what a client says of itself; `observed` for what the gateway saw.
        data: What is kept in clear in the leaf: no value of a row, no text of a prompt or statement.
        texts: Name to text; sealed beside the leaf, which holds only a salted commitment.
    """

    kind: str
    by: str
    session: str | None = None
    source: Literal["observed", "reported"] = "observed"
    data: Mapping[str, Any]
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Receipts in the order of the drafts, and the signed head that covers them."""

    receipts: tuple[Receipt, ...]
    checkpoint: str


class Recorder:
    """The one writer of the ledger."""

    def __init__(self, *, store: Store, keys: Keys, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._session_keys: OrderedDict[str, bytes] = OrderedDict()

    def new_session_key(self, session: str, secret: bytes) -> Put:
        """Return what stores a new session's key, wrapped under the master key."""
        wrapped = bodies.wrap_key(
            secret,
            master=self._keys.master,
            nonce=random_bytes(bodies.NONCE_BYTES),
            session=session,
            tree=self._keys.tree,
        )
        self._hold(session, secret)
        return Put(kind="session_key", id=session, parent=session, state="active", value=wrapped, expect="")

    def session_key(self, session: str) -> bytes:
        """Return a session's key.

        Raises:
            LedgerError: It was erased, or the master key is not the one it was wrapped with.
        """
        held = self._session_keys.get(session)
        if held is not None:
            self._session_keys.move_to_end(session)
            return held
        found = self._store.document("session_key", session)
        if found is None:
            msg = "The session's key is gone: its recorded texts can't be read or added to."
            raise LedgerError(msg)
        secret = bodies.unwrap_key(found.value, master=self._keys.master, session=session, tree=self._keys.tree)
        self._hold(session, secret)
        return secret

    def _hold(self, session: str, secret: bytes) -> None:
        self._session_keys[session] = secret
        while len(self._session_keys) > _KEYS_HELD:
            self._session_keys.popitem(last=False)

    def seal(self, session: str, text: bytes) -> tuple[str, bytes]:
        """Return the commitment to a text and the text sealed under its session's key.

        Raises:
            LedgerError: The session's key is gone.
        """
        salt = random_bytes(bodies.SALT_BYTES)
        sealed = bodies.seal(
            text,
            salt=salt,
            nonce=random_bytes(bodies.NONCE_BYTES),
            key=self.session_key(session),
            session=session,
            tree=self._keys.tree,
        )
        return bodies.commitment(salt, text), sealed

    def open(self, session: str, commitment: str, sealed: bytes) -> bodies.OpenedBody:
        """Undo `seal`.

        Raises:
            LedgerError: The session's key is gone.
            VerificationError: The bytes are not what was sealed.
        """
        return bodies.open_body(
            sealed,
            key=self.session_key(session),
            session=session,
            tree=self._keys.tree,
            commitment=commitment,
        )

    async def record(
        self, drafts: Sequence[Draft], *, puts: Sequence[Put] = (), expects: Sequence[Expect] = ()
    ) -> Recorded:
        """Write entries and documents together and wait until they are durable.

        Raises:
            ConflictError: A document was not in the state that was relied on; nothing was written.
            LedgerError: It could not be recorded.
        """
        leaves: list[Leaf] = []
        sealed: list[Body] = []
        for draft in drafts:
            commitments: dict[str, str] = {}
            for name, text in draft.texts.items():
                if draft.session is None:
                    msg = "only a session's entry can have bodies"
                    raise LedgerError(msg)
                commitment, hidden = self.seal(draft.session, text.encode("utf-8", "replace"))
                commitments[name] = commitment
                sealed.append(Body(id=commitment, session=draft.session, sealed=hidden))
            data = encode.draft(
                tree=self._keys.tree,
                kind=draft.kind,
                at=self._clock.now(),
                session=draft.session,
                by=draft.by,
                source=draft.source,
                data=draft.data,
                bodies=commitments,
            )
            leaves.append(Leaf(session=draft.session, data=data))
        done = await asyncio.wrap_future(
            self._store.append(
                Batch(leaves=tuple(leaves), bodies=tuple(sealed), puts=tuple(puts), expects=tuple(expects))
            )
        )
        receipts = tuple(Receipt(entry=index, leaf=leaf.hex()) for index, leaf in done.entries)
        return Recorded(receipts, done.checkpoint)
