"""What the SQLite store keeps in memory, and the checks before it believes a file."""

import sqlite3
from dataclasses import dataclass

from langguard.errors import LedgerError
from langguard.ledger import EMPTY_ROOT, Frontier, inclusion_proof, leaf_hash, verify_inclusion
from langguard.stores.base import Sign, StoreError
from langguard.stores.sqlite_files import APPLICATION, TABLES, VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A copy of what is durable: the tree's frontier and the checkpoint signed over it."""

    frontier: Frontier
    checkpoint: str


def create(db: sqlite3.Connection, *, tree: str, sign: Sign) -> None:
    """Make the tables of an empty ledger, all or none.

    Raises:
        sqlite3.Error: They can't be written.
    """
    db.execute("BEGIN IMMEDIATE")
    for statement in TABLES.split(";\n"):
        db.execute(statement)
    db.execute("INSERT INTO meta VALUES ('tree', ?)", (tree,))
    db.execute("INSERT INTO head VALUES (1, 0, ?)", (sign(0, EMPTY_ROOT),))
    db.execute(f"PRAGMA application_id = {APPLICATION}")
    db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")


def is_empty(db: sqlite3.Connection) -> bool:
    """Tell whether the file holds nothing yet.

    Raises:
        sqlite3.Error: It can't be read.
    """
    return _value(db, "PRAGMA application_id") == 0 and _value(db, "SELECT COUNT(*) FROM sqlite_master") == 0


def load(db: sqlite3.Connection, *, tree: str, sign: Sign) -> State:
    """Return the state of a stored ledger, once it is proven to be what was signed last.

    The stored head must be, byte for byte, what the key signs for the entries that are there. So a file that was
    changed from outside is never signed over.

    Raises:
        LedgerError: It is no ledger, of another version or tree, or its entries are not those of its signed head.
        sqlite3.Error: It can't be read.
    """
    application, version = _value(db, "PRAGMA application_id"), _value(db, "PRAGMA user_version")
    if application != APPLICATION:
        msg = "it is not a langguard ledger."
        raise LedgerError(msg)
    if version != VERSION:
        msg = f"it has version {version}, and this langguard reads version {VERSION}; use the one that wrote it."
        raise LedgerError(msg)
    stored_tree = _value(db, "SELECT value FROM meta WHERE name = 'tree'")
    if stored_tree != tree:
        msg = f"it is the ledger {stored_tree}, and the key is for {tree}."
        raise LedgerError(msg)
    size, note = db.execute("SELECT size, checkpoint FROM head").fetchone() or (-1, "")
    (held,) = db.execute("SELECT COALESCE(MAX(idx) + 1, 0) FROM entries").fetchone()
    if held != size:
        msg = f"it holds {held} entries, and its signed head counts {size}: it was changed from outside."
        raise LedgerError(msg)
    frontier = Frontier.load(held, lambda level, index: stored_node(db, level, index))
    if note != sign(held, frontier.root()):
        msg = f"its {held} entries are not those of its signed head, or it was signed by another key."
        raise LedgerError(msg)
    return State(frontier=frontier, checkpoint=note)


def stored_node(db: sqlite3.Connection, level: int, index: int) -> bytes:
    """Return the hash of a stored complete subtree.

    Raises:
        StoreError: There is no such node.
    """
    if level:
        row = db.execute("SELECT hash FROM nodes WHERE level = ? AND idx = ?", (level, index)).fetchone()
    else:
        row = db.execute("SELECT hash FROM entries WHERE idx = ?", (index,)).fetchone()
    if row is None:
        msg = f"The ledger has no node {index} at level {level}."
        raise StoreError(msg)
    return bytes(row[0])


def prove(db: sqlite3.Connection, state: State, index: int, leaf: bytes) -> None:
    """Check that a leaf read back is under the signed head, so that a row changed from outside is never shown.

    Raises:
        VerificationError: It is not the leaf that was recorded there; or its neighbour in the tree was changed.
        StoreError: A node of the tree is missing.
    """
    size = state.frontier.size
    proof = inclusion_proof(index, size, lambda level, place: stored_node(db, level, place))
    verify_inclusion(leaf_hash(leaf), index=index, size=size, proof=proof, root=state.frontier.root())


def _value(db: sqlite3.Connection, text: str) -> object:
    row = db.execute(text).fetchone()
    return row[0] if row else None
