"""Writing one batch into the open transaction of its group, so that it can be refused without the others."""

import sqlite3

from langguard.errors import LedgerError
from langguard.ledger import Frontier, leaf_hash
from langguard.stores.base import Batch, ConflictError, Expect, Put, Recorded
from langguard.stores.seals import stored_document, tagged


def apply(
    db: sqlite3.Connection, batch: Batch, *, frontier: Frontier, tree: str, document_key: bytes
) -> tuple[tuple[Recorded, ...] | LedgerError, Frontier]:
    """Write a batch, or none of it.

    Args:
        db: In a transaction.
        batch: What to write.
        frontier: Of the tree so far.
        tree: Id of the ledger.
        document_key: What documents are tagged with.

    Returns:
        What was recorded, or why the batch is refused; and the frontier after it.

    Raises:
        sqlite3.Error: The transaction itself is lost, with every batch of the group.
    """
    db.execute("SAVEPOINT batch")
    try:
        done = _write(db, batch, frontier=frontier, tree=tree, document_key=document_key)
    except Exception as failed:
        if _lost(db, failed):
            raise
        db.execute("ROLLBACK TO batch")
        db.execute("RELEASE batch")
        if isinstance(failed, LedgerError):
            return failed, frontier
        refused = LedgerError(
            f"The ledger could not record: the batch is malformed ({type(failed).__name__}). The call did not go on."
        )
        refused.__cause__ = failed
        return refused, frontier
    db.execute("RELEASE batch")
    return done


def _lost(db: sqlite3.Connection, failed: Exception) -> bool:
    """Tell a fault of the disk or the file from a fault of this one batch."""
    faults = (sqlite3.OperationalError, sqlite3.InternalError)
    return not db.in_transaction or isinstance(failed, faults) or type(failed) is sqlite3.DatabaseError


def _write(
    db: sqlite3.Connection, batch: Batch, *, frontier: Frontier, tree: str, document_key: bytes
) -> tuple[tuple[Recorded, ...], Frontier]:
    for expect in batch.expects:
        _expect(db, expect, expect.state, document_key)
    for body in batch.bodies:
        if db.execute("SELECT 1 FROM bodies WHERE id = ?", (body.id,)).fetchone():
            msg = f"The body {body.id} is recorded already; nothing of this batch was."
            raise ConflictError(msg, kind="body", id=body.id)
        db.execute(
            "INSERT INTO bodies (id, session, sealed) VALUES (?, ?, ?)", (body.id, body.session, bytes(body.sealed))
        )
    for put in batch.puts:
        _put(db, put, document_key)
    entries = []
    for leaf in batch.leaves:
        if leaf.data.tree != tree or leaf.data.session != leaf.session:
            msg = "The ledger could not record: an entry was drafted for another ledger or session."
            raise LedgerError(msg)
        session = leaf.session or ""
        (seq,) = db.execute("SELECT COALESCE(MAX(seq) + 1, 0) FROM entries WHERE session = ?", (session,)).fetchone()
        text = leaf.data.leaf(seq)
        hashed = leaf_hash(text)
        entries.append(Recorded(frontier.size, hashed))
        db.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", (frontier.size, session, seq, text, hashed))
        frontier, made = frontier.append(hashed)
        db.executemany("INSERT INTO nodes VALUES (?, ?, ?)", made[1:])
    return tuple(entries), frontier


def _put(db: sqlite3.Connection, put: Put, document_key: bytes) -> None:
    if put.expect is not None:
        _expect(db, put, put.expect, document_key)
    db.execute(
        "INSERT INTO documents (kind, id, parent, state, value) VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, id) "
        "DO UPDATE SET parent = excluded.parent, state = excluded.state, value = excluded.value",
        (put.kind, put.id, put.parent, put.state, tagged(put, document_key).value),
    )


def _expect(db: sqlite3.Connection, which: Expect | Put, state: str, document_key: bytes) -> None:
    row = db.execute(
        "SELECT kind, id, parent, state, CAST(value AS BLOB) FROM documents WHERE kind = ? AND id = ?",
        (which.kind, which.id),
    ).fetchone()
    present = "" if row is None else stored_document(row, document_key).state
    if (row is None) != (state == "") or present != state:
        found = "absent" if row is None else f"in state {present!r}"
        msg = f"The {which.kind} is {found}, not {state or 'absent'!r} as expected; nothing of this batch was recorded."
        raise ConflictError(msg, kind=which.kind, id=which.id)
