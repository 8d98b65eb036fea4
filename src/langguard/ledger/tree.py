"""The Merkle tree over ledger entries: RFC 6962 section 2.1, verification as in RFC 9162 sections 2.1.3.2 and 2.1.4.2.

A node is named by (level, index): it covers leaves [index * 2^level, (index + 1) * 2^level). Only complete subtrees
have nodes, and those never change; every root and proof is computed from O(log n) of them.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from langguard.errors import VerificationError

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

Node = Callable[[int, int], bytes]
"""(level, index) to the hash of that complete subtree; level 0 is the leaf hashes."""


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of a leaf, 32 bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node, 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that is needed to append: the size, and the roots of the complete subtrees it splits into, largest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    @classmethod
    def load(cls, size: int, node: Node) -> "Frontier":
        """Return the frontier of a stored tree.

        Args:
            size: Leaves in the tree, 0 or more.
            node: Reads a stored node.
        """
        return cls(size, tuple(node(level, index) for level, index in _complete(0, size)))

    def append(self, leaf: bytes) -> "tuple[Frontier, list[tuple[int, int, bytes]]]":
        """Return the frontier with one more leaf, and the nodes (level, index, hash) that became complete.

        Args:
            leaf: The leaf's hash, 32 bytes.
        """
        peaks = list(self.peaks)
        level, index, node = 0, self.size, leaf
        made = [(level, index, node)]
        while index & 1:
            node = node_hash(peaks.pop(), node)
            level, index = level + 1, index >> 1
            made.append((level, index, node))
        peaks.append(node)
        return Frontier(self.size + 1, tuple(peaks)), made

    def root(self) -> bytes:
        """Return the tree's root, 32 bytes."""
        return _fold(self.peaks) if self.peaks else EMPTY_ROOT


def root(size: int, node: Node) -> bytes:
    """Return the root of the tree's first `size` leaves, 32 bytes."""
    return Frontier.load(size, node).root()


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Return the audit path of a leaf, from the leaf up.

    Args:
        index: The leaf, 0 to size - 1.
        size: Leaves in the tree that the proof is for.
        node: Reads a stored node.

    Raises:
        ValueError: The tree has no such leaf.
    """
    if not 0 <= index < size:
        msg = f"a tree of {size} entries has no entry {index}"
        raise ValueError(msg)
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start = middle
    return path[::-1]


def consistency_proof(first: int, second: int, node: Node) -> list[bytes]:
    """Return the proof that the tree of `second` leaves only appends to the tree of `first`.

    Args:
        first: Leaves in the earlier tree, 0 to `second`.
        second: Leaves in the later tree.
        node: Reads a stored node.

    Raises:
        ValueError: `first` is negative or larger than `second`.
    """
    if not 0 <= first <= second:
        msg = f"a tree of {second} entries can't follow one of {first}"
        raise ValueError(msg)
    if first == 0:
        return []
    path: list[bytes] = []
    start, end = 0, second
    while first != end:
        middle = _split(start, end)
        if first <= middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start = middle
    if start:
        path.append(_range_root(start, end, node))
    return path[::-1]


def verify_inclusion(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf is in the tree.

    Args:
        leaf: The leaf's hash, 32 bytes.
        index: Where it is said to be.
        size: Leaves in the tree.
        proof: The audit path, from the leaf up.
        root: The tree's root, 32 bytes.

    Raises:
        VerificationError: It is not, or not there; `entry` is the index.
    """
    failed = VerificationError(f"entry {index} is not in the signed tree of {size} entries", entry=index)
    if not 0 <= index < size or not _hashes(leaf, root, *proof):
        raise failed
    place, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise failed
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or not hmac.compare_digest(node, root):
        raise failed


def verify_consistency(
    *, first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the later tree holds the earlier one unchanged and in the same order.

    Args:
        first: Leaves in the earlier tree.
        second: Leaves in the later tree.
        first_root: Root of the earlier tree, 32 bytes.
        second_root: Root of the later tree, 32 bytes.
        proof: From `consistency_proof`.

    Raises:
        VerificationError: It does not, or the proof does not show it.
    """
    failed = VerificationError(f"the tree of {second} entries does not continue the signed tree of {first}")
    if not 0 <= first <= second or not _hashes(first_root, second_root, *proof):
        raise failed
    if first in (0, second):
        expected = EMPTY_ROOT if first == 0 else second_root
        if proof or not hmac.compare_digest(first_root, expected):
            raise failed
        if second == 0 and not hmac.compare_digest(second_root, EMPTY_ROOT):
            raise failed
        return
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        raise failed
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise failed
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    if last != 0 or not (hmac.compare_digest(old, first_root) and hmac.compare_digest(new, second_root)):
        raise failed


def _split(start: int, end: int) -> int:
    """Return where RFC 6962 splits [start, end): after the largest power of two smaller than its length."""
    return start + (1 << ((end - start - 1).bit_length() - 1))


def _complete(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the complete subtrees of [start, end), largest first; `start` is a multiple of the largest."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _range_root(start: int, end: int, node: Node) -> bytes:
    return _fold(tuple(node(level, index) for level, index in _complete(start, end)))


def _fold(peaks: Sequence[bytes]) -> bytes:
    node = peaks[-1]
    for peak in reversed(peaks[:-1]):
        node = node_hash(peak, node)
    return node


def _hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
