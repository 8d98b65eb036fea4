"""What every store promises; one conformance suite holds each of them to it.

- An `append` is all or nothing, and its future resolves only after everything in it is durable.
- Entries are numbered by the store under one lock, from 0 and without gaps; so is each session's `seq`.
- A batch whose expectations fail is refused alone: others that share its commit go through.
- What can't be recorded fails promptly with LedgerError, never in silence; once the cause is gone, appends work again.
"""

from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import ClassVar, NamedTuple, Protocol, Self

from langguard.errors import LedgerError
from langguard.ledger import Draft


class ConflictError(LedgerError):
    """The state a batch relied on is not the present one (or a body is there already): nothing of it was written.

    Attributes:
        kind: Kind of the document that is in another state; `body` where a body's id is taken.
        id: Its id.
    """

    code: ClassVar[str] = "conflict"

    def __init__(self, message: str, *, kind: str, id: str) -> None:  # noqa: A002 - the glossary's word
        super().__init__(message)
        self.kind = kind
        self.id = id


class StoreError(LedgerError):
    """The store can't be opened or read: it is in use, was changed, or is of another version."""

    code: ClassVar[str] = "store_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """An entry to be recorded.

    Attributes:
        session: Whose `seq` it takes; None for what belongs to no session. The same as the draft's.
        data: The draft, from `ledger.draft`.
    """

    session: str | None
    data: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A sealed body.

    Attributes:
        id: Unique in the store; by convention its commitment.
        session: The session whose key seals it.
        sealed: From `ledger.seal`.
    """

    id: str
    session: str
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A piece of mutable state: a session, a key, a policy version. The ledger says how it came to be.

    It is read only as it was put: a store tags each with a key of its own, and raises StoreError for any other.

    Attributes:
        kind: What it is; unique together with `id`.
        parent: What it belongs to, to list by.
        state: What expectations compare. An empty state can't be expected: "" there means absent.
        value: The store does not look into it.
    """

    kind: str
    id: str
    parent: str | None
    state: str
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Write a document.

    Attributes:
        expect: None for any; "" where it must not exist yet; else the state it must be in now.
    """

    kind: str
    id: str
    parent: str | None
    state: str
    value: bytes = field(repr=False)
    expect: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """Write nothing, but refuse the batch unless the document is in this state ("" for absent) when it commits."""

    kind: str
    id: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is written together: first the expectations are checked, then bodies, documents and leaves are written."""

    leaves: tuple[Leaf, ...] = ()
    bodies: tuple[Body, ...] = ()
    puts: tuple[Put, ...] = ()
    expects: tuple[Expect, ...] = ()


class Recorded(NamedTuple):
    """Where a leaf went: the entry's index in the ledger, and the leaf's hash (32 bytes)."""

    entry: int
    leaf: bytes


class Stored(NamedTuple):
    """An entry's row as it is stored: its index, the session and seq it is filed under, and its leaf."""

    entry: int
    session: str | None
    seq: int
    leaf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """A durable batch.

    Attributes:
        entries: Of each leaf, in the batch's order.
        checkpoint: A signed head that covers them.
    """

    entries: tuple[Recorded, ...]
    checkpoint: str


class Sign(Protocol):
    """Signs a head: `ledger.LogKey.sign`. The same head always gets the same signature, as Ed25519's do."""

    def __call__(self, size: int, root: bytes) -> str:
        """Return the signed checkpoint of a tree."""
        ...


class Store(Protocol):
    """The promise. Every method may be called from any thread; reads see only what is durable.

    Reads raise StoreError when the store can't be read. An entry is proven against the newest signed head each time it
    is read, and VerificationError raised where it is not the one that was recorded.
    """

    def append(self, batch: Batch) -> "Future[Appended]":
        """Record a batch.

        Returns:
            A future that is resolved only after the batch is durable. It fails with ConflictError where an expectation
            does not hold, and with LedgerError where the batch could not be recorded; nothing of it was then written,
            except that after a failing disk it may turn out to have been written without anyone having been told.
        """
        ...

    def document(self, kind: str, id: str) -> Document | None:  # noqa: A002
        """Return a document, or None."""
        ...

    def documents(
        self,
        kind: str,
        *,
        parent: str | None = None,
        state: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> list[Document]:
        """Return documents in the order they were first written.

        Args:
            kind: Only these.
            parent: Only those of this parent; None for all.
            state: Only those in this state; None for all.
            limit: At most so many, 0 or more; None for all.
            after: Only those after the one with this id; an unknown id gives none.
        """
        ...

    def entries(self, session: str | None) -> list[tuple[int, bytes]]:
        """Return index and leaf of all entries of a session (None: of those that belong to none), in order."""
        ...

    def entry(self, index: int) -> bytes | None:
        """Return one leaf, or None past the end."""
        ...

    def search(self, session: str, text: bytes) -> list[int]:
        """Return the indexes of a session's entries whose leaves hold these bytes, in order: unproven, to be read."""
        ...

    def scan(self, start: int, limit: int) -> list[Stored]:
        """Return entries from index `start` on, at most `limit`, as they are stored: unproven, for `audit` to judge."""
        ...

    def body(self, id: str) -> bytes | None:  # noqa: A002
        """Return the sealed bytes of a body, or None."""
        ...

    def bodies(self, session: str) -> list[Body]:
        """Return all sealed bodies of a session, in the order they were written."""
        ...

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree, for proofs (see ledger.tree)."""
        ...

    def head(self) -> str:
        """Return the newest signed checkpoint."""
        ...

    def size(self) -> int:
        """Return the number of entries under the newest checkpoint."""
        ...

    def close(self) -> None:
        """Record what was already accepted, then stop. Later appends fail; closing twice is harmless."""
        ...

    def __enter__(self) -> Self:
        """Return the store."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        ...
