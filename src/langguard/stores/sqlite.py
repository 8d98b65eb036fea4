"""The store of a single gateway: one SQLite file, made durable by its write-ahead log (WAL, synchronous=FULL).

One thread writes (group.py), in its own connection; another copies the log back into the database, so that no commit
waits for that; readers have read-only connections. What is in memory is only ever a copy of what is durable: after any
failure it is thrown away and read again.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from langguard.errors import LedgerError, VerificationError
from langguard.ledger import Checkpoint, Frontier, parse_leaf, parse_note
from langguard.stores import sqlite_files as files
from langguard.stores.base import (
    Appended,
    Batch,
    Body,
    Document,
    Sign,
    Stored,
    StoreError,
)
from langguard.stores.group import GroupWriter
from langguard.stores.seals import stored_document
from langguard.stores.sqlite_state import State, create, is_empty, load, prove, stored_node
from langguard.stores.sqlite_write import apply

CHECKPOINT_SECONDS: Final = 0.05
"""How long the log is left alone after a commit before it is copied back."""
LONG_LOG_PAGES: Final = 16_384
"""A log of so many pages (64 MB) is copied back by the writer itself, which lets it start over."""
_ALL: Final = -1


class SqliteStore:
    """A Store in a data folder. See `stores.base.Store` for what its methods promise."""

    def __init__(self, folder: Path, *, tree: str, sign: Sign, document_key: bytes) -> None:
        """Open the store, or make it.

        Args:
            folder: The data folder; made with mode 0700 where it is missing.
            tree: Id of the ledger: the origin of its checkpoints.
            sign: Signs a head, once a commit; on opening it also tells whether the stored head is its own.
            document_key: 32 bytes that every document is tagged with; one without its tag is never returned.

        Raises:
            StoreError: The folder is open to others or in use, or what it holds is not this ledger as it was signed.
        """
        self._path = folder / files.DATABASE
        self._tree = tree
        self._sign = sign
        self._document_key = document_key
        self._db: sqlite3.Connection | None = None
        self._closed = False
        self._pool: list[sqlite3.Connection] = []
        self._pool_lock = threading.Lock()
        self._stop = threading.Event()
        self._dirty = threading.Event()
        self._long_log = False

        files.prepare_folder(folder)
        self._lock = files.lock(folder)
        try:
            files.prepare_file(self._path)
            self._db, self._state = self._open(may_create=True)
        except BaseException:
            self._lock.close()
            raise
        self._copier = threading.Thread(target=self._copy_back, name="langguard-ledger-copy", daemon=True)
        self._copier.start()
        self._writer = GroupWriter(self._commit, name="langguard-ledger")

    def append(self, batch: Batch) -> "Future[Appended]":
        """Record a batch."""
        return self._writer.submit(batch)

    def document(self, kind: str, id: str) -> Document | None:  # noqa: A002
        """Return a document, or None."""
        rows = self._read(
            "SELECT kind, id, parent, state, CAST(value AS BLOB) FROM documents WHERE kind = ? AND id = ?", kind, id
        )
        return self._document(rows[0]) if rows else None

    def documents(
        self,
        kind: str,
        *,
        parent: str | None = None,
        state: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> list[Document]:
        """Return documents in the order they were first written."""
        text = "SELECT kind, id, parent, state, CAST(value AS BLOB) FROM documents WHERE kind = ?"
        values: list[Any] = [kind]
        if parent is not None:
            text += " AND parent = ?"
            values.append(parent)
        if state is not None:
            text += " AND state = ?"
            values.append(state)
        if after is not None:
            text += " AND number > (SELECT number FROM documents WHERE kind = ? AND id = ?)"
            values += [kind, after]
        text += " ORDER BY number LIMIT ?"
        return [self._document(row) for row in self._read(text, *values, _ALL if limit is None else max(limit, 0))]

    def entries(self, session: str | None) -> list[tuple[int, bytes]]:
        """Return index and leaf of all entries of a session, in order."""
        state = self._state
        with self._reader() as db:
            rows = db.execute(
                "SELECT idx, CAST(leaf AS BLOB) FROM entries WHERE session = ? AND idx < ? ORDER BY seq",
                (session or "", state.frontier.size),
            )
            found = []
            for seq, (index, leaf) in enumerate(rows.fetchall()):
                prove(db, state, index, leaf)
                recorded = parse_leaf(leaf)
                if (recorded.session, recorded.seq) != (session, seq):
                    msg = f"entry {index} is not where it was recorded, or one before it is missing"
                    raise VerificationError(msg, entry=index)
                found.append((index, bytes(leaf)))
        return found

    def entry(self, index: int) -> bytes | None:
        """Return one leaf, or None past the end."""
        state = self._state
        if not 0 <= index < state.frontier.size:
            return None
        with self._reader() as db:
            row = db.execute("SELECT CAST(leaf AS BLOB) FROM entries WHERE idx = ?", (index,)).fetchone()
            if row is None:
                msg = f"entry {index} is missing"
                raise VerificationError(msg, entry=index)
            prove(db, state, index, row[0])
        return bytes(row[0])

    def search(self, session: str, text: bytes) -> list[int]:
        """Return the indexes of a session's entries whose leaves hold these bytes, unproven."""
        rows = self._read(
            "SELECT idx FROM entries WHERE session = ? AND idx < ? AND instr(CAST(leaf AS BLOB), ?) > 0 ORDER BY seq",
            *(session, self.size(), text),
        )
        return [index for (index,) in rows]

    def scan(self, start: int, limit: int) -> list[Stored]:
        """Return entries as they are stored, unproven."""
        rows = self._read(
            "SELECT idx, session, seq, CAST(leaf AS BLOB) FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx LIMIT ?",
            *(start, self.size(), max(limit, 0)),
        )
        return [Stored(index, session or None, seq, bytes(leaf)) for index, session, seq, leaf in rows]

    def body(self, id: str) -> bytes | None:  # noqa: A002
        """Return the sealed bytes of a body, or None."""
        rows = self._read("SELECT sealed FROM bodies WHERE id = ?", id)
        return bytes(rows[0][0]) if rows else None

    def bodies(self, session: str) -> list[Body]:
        """Return all sealed bodies of a session, in the order they were written."""
        rows = self._read("SELECT id, session, sealed FROM bodies WHERE session = ? ORDER BY number", session)
        return [Body(id=row[0], session=row[1], sealed=bytes(row[2])) for row in rows]

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree."""
        with self._reader() as db:
            return stored_node(db, level, index)

    def head(self) -> str:
        """Return the newest signed checkpoint."""
        return self._state.checkpoint

    def size(self) -> int:
        """Return the number of entries under the newest checkpoint."""
        return self._state.frontier.size

    def close(self) -> None:
        """Record what was already accepted, then stop."""
        with self._pool_lock:
            if self._closed:
                return
            self._closed = True
        self._writer.close()
        self._stop.set()
        self._dirty.set()
        self._copier.join()
        with self._pool_lock:
            idle, self._pool = self._pool, []
        for connection in (*idle, self._db, self._lock):
            if connection is not None:
                connection.close()
        self._db = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- writing: only the writer's thread comes here

    def _open(self, *, may_create: bool = False) -> tuple[sqlite3.Connection, State]:
        # Later errors are told to clients too, who need not know where the file is.
        name = f"The ledger {self._path}" if may_create else "The ledger"
        try:
            db = files.open_writer(self._path)
        except sqlite3.Error as failed:
            msg = f"{name} can't be opened: {failed}."
            raise StoreError(msg) from failed
        try:
            if may_create and is_empty(db):
                create(db, tree=self._tree, sign=self._sign)
            return db, load(db, tree=self._tree, sign=self._sign)
        except (sqlite3.Error, LedgerError) as failed:
            db.close()
            msg = f"{name} can't be used: {failed}"
            raise StoreError(msg) from failed
        except BaseException:
            db.close()
            raise

    def _commit(self, batches: Sequence[Batch]) -> list[Appended | LedgerError]:
        """Write a group in one transaction. The caller is told only after it is durable."""
        try:
            if self._db is None:
                self._db, self._state = self._open()
            if self._long_log:
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
                self._long_log = False
            results, state = self._transact(self._db, batches)
        except BaseException as failed:
            # Neither the connection nor what is in memory is trusted any more: both are read again, by the next commit.
            db, self._db = self._db, None
            if db is not None:
                db.close()
            if isinstance(failed, sqlite3.Error):
                raise LedgerError(str(failed)) from failed
            raise
        self._state = state
        self._dirty.set()
        return results

    def _transact(self, db: sqlite3.Connection, batches: Sequence[Batch]) -> tuple[list[Appended | LedgerError], State]:
        db.execute("BEGIN IMMEDIATE")
        frontier = self._state.frontier
        written = []
        for batch in batches:
            result, frontier = apply(db, batch, frontier=frontier, tree=self._tree, document_key=self._document_key)
            written.append(result)
        state = self._state
        if frontier.size != state.frontier.size:
            state = State(frontier=frontier, checkpoint=self._signed(frontier))
            db.execute("UPDATE head SET size = ?, checkpoint = ?", (frontier.size, state.checkpoint))
        db.execute("COMMIT")
        results = [
            item if isinstance(item, LedgerError) else Appended(entries=item, checkpoint=state.checkpoint)
            for item in written
        ]
        return results, state

    def _signed(self, frontier: Frontier) -> str:
        note = self._sign(frontier.size, frontier.root())
        head = Checkpoint(origin=self._tree, size=frontier.size, root=frontier.root())
        if parse_note(note).text != head.text():
            msg = "the signer signed another head than it was asked to"
            raise LedgerError(msg)
        return note

    def _copy_back(self) -> None:
        """Copy the log into the database after commits, off the writer's path (its own thread)."""
        while not self._stop.is_set():
            self._dirty.wait()
            self._stop.wait(CHECKPOINT_SECONDS)
            self._dirty.clear()
            try:
                db = files.open_writer(self._path)
                try:
                    _, pages, _ = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                    self._long_log = pages > LONG_LOG_PAGES
                finally:
                    db.close()
            except sqlite3.Error:
                # Nothing is lost: the log stays, is read with the database, and is tried again after the next commit.
                continue

    # ---- reading: any thread

    def _document(self, row: Any) -> Document:
        return stored_document(row, self._document_key)

    def _read(self, text: str, *values: Any) -> list[Any]:
        with self._reader() as db:
            return db.execute(text, values).fetchall()

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        try:
            db = self._borrow()
            try:
                yield db
            except BaseException:
                db.close()
                raise
        except sqlite3.Error as failed:
            msg = f"The ledger can't be read: {failed}."
            raise StoreError(msg) from failed
        self._give_back(db)

    def _borrow(self) -> sqlite3.Connection:
        with self._pool_lock:
            if self._closed:
                msg = "The ledger is closed."
                raise StoreError(msg)
            if self._pool:
                return self._pool.pop()
        return files.open_reader(self._path)

    def _give_back(self, db: sqlite3.Connection) -> None:
        with self._pool_lock:
            if not self._closed:
                self._pool.append(db)
                return
        db.close()
