"""The whole ledger checked against its signed head: every entry, in order, none missing, none moved."""

from typing import Final, NoReturn

from langguard.errors import VerificationError
from langguard.ledger import Frontier, VerifierKey, leaf_hash, open_checkpoint, parse_leaf, root
from langguard.stores.base import Store, Stored

_AT_ONCE: Final = 1000


def audit(store: Store, key: VerifierKey) -> int:
    """Read every entry once and compute the tree anew; return how many entries were checked.

    It takes the head first, so it may run while the store goes on recording.

    Args:
        store: Any store.
        key: The ledger's public key, known from elsewhere than the store where that matters.

    Raises:
        VerificationError: At the first entry that is wrong, missing or misfiled, or where all of them together are
            not what was signed.
        StoreError: The store can't be read.
    """
    head = open_checkpoint(store.head(), key)
    frontier, counts = Frontier(), dict[str | None, int]()
    while frontier.size < head.size:
        rows = store.scan(frontier.size, min(_AT_ONCE, head.size - frontier.size))
        if not rows:
            _refuse(frontier.size, "is missing")
        for row in rows:
            frontier = _checked(row, frontier, counts, head.origin)
    if frontier.root() != head.root:
        msg = f"the {head.size} entries are not those that were signed"
        raise VerificationError(msg)
    if root(head.size, store.node) != head.root:
        msg = "the stored tree is not the one that was signed"
        raise VerificationError(msg)
    return head.size


def _checked(row: Stored, frontier: Frontier, counts: dict[str | None, int], tree: str) -> Frontier:
    if row.entry != frontier.size:
        _refuse(frontier.size, "is missing")
    try:
        leaf = parse_leaf(row.leaf)
    except VerificationError as failed:
        _refuse(row.entry, f"can't be read: {failed}")
    if leaf.tree != tree or (leaf.session, leaf.seq) != (row.session, row.seq):
        _refuse(row.entry, "is filed under another ledger, session or place than its own")
    if leaf.seq != counts.get(leaf.session, 0):
        _refuse(row.entry, "does not follow the one before it in its session")
    counts[leaf.session] = leaf.seq + 1
    return frontier.append(leaf_hash(row.leaf))[0]


def _refuse(entry: int, wrong: str) -> NoReturn:
    msg = f"entry {entry} {wrong}"
    raise VerificationError(msg, entry=entry)
