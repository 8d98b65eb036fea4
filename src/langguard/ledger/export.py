"""The export of one session: JSON lines that anyone can verify without the gateway (see verify.py).

    {"checkpoint": signed note, "entries": n, "key": verifier key, "last_seq": n - 1,
     "schema": "langguard.export/1", "session": id, "tree": id}
    {"bodies": {name: {"salt": hex, "text": ...}}, "index": i, "leaf": canonical text, "proof": [hex, ...]}   n times
    {"end": true, "entries": n}

A header may also hold "consistency": {"checkpoint": an earlier signed note, "proof": [hex, ...]}, which shows that the
ledger only grew since. Every line is canonical JSON and ends in one newline, so the same export is always the same
bytes, and there is no byte that can change without being noticed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from langguard.errors import LedgerError
from langguard.ledger.bodies import OpenedBody
from langguard.ledger.checkpoint import VerifierKey, open_checkpoint
from langguard.ledger.encode import canonical, parse_leaf
from langguard.ledger.tree import Node, consistency_proof, inclusion_proof
from langguard.protocol import Wire

EXPORT_SCHEMA: Final = "langguard.export/1"


class Consistency(Wire, frozen=True, kw_only=True):
    """An earlier checkpoint, and the proof that the export's own continues it."""

    checkpoint: str
    proof: tuple[str, ...]


class Header(Wire, frozen=True, kw_only=True):
    """The first line; fields as in the module's text."""

    schema: str
    tree: str
    session: str
    checkpoint: str
    key: str
    entries: int
    last_seq: int
    consistency: Consistency | None = None


class ExportedBody(Wire, frozen=True, kw_only=True):
    """A body in clear, with the salt (hex) of its commitment."""

    salt: str
    text: str


class ExportedEntry(Wire, frozen=True, kw_only=True):
    """One entry with its proof."""

    index: int
    leaf: str
    proof: tuple[str, ...]
    bodies: dict[str, ExportedBody]


class End(Wire, frozen=True, kw_only=True):
    """The last line."""

    end: bool
    entries: int


def export_session(
    *,
    session: str,
    checkpoint: str,
    key: str,
    entries: Sequence[tuple[int, bytes]],
    node: Node,
    bodies: Mapping[str, OpenedBody],
    earlier: str | None = None,
) -> Iterator[bytes]:
    """Yield the lines of an export, each with its newline.

    Args:
        session: Id of the session.
        checkpoint: The ledger's signed head, read after `entries`.
        key: The verifier key that signed it.
        entries: Index and leaf of all entries of the session, in order.
        node: Reads a stored node of the tree.
        bodies: Commitment (hex) to the body, for those that are to be included. Text, as UTF-8.
        earlier: A checkpoint signed before, to prove that the ledger only grew since.

    Raises:
        LedgerError: There are no entries, or the checkpoint is older than the last of them or than `earlier`.
        VerificationError: A checkpoint is not signed by the key, or a leaf is none.
    """
    verifier = VerifierKey.parse(key)
    head = open_checkpoint(checkpoint, verifier, only=True)
    if not entries or entries[-1][0] >= head.size:
        msg = "an export needs at least one entry, and a checkpoint read after its entries"
        raise LedgerError(msg)
    header: dict[str, Any] = {
        "schema": EXPORT_SCHEMA,
        "tree": head.origin,
        "session": session,
        "checkpoint": checkpoint,
        "key": key,
        "entries": len(entries),
        "last_seq": len(entries) - 1,
    }
    if earlier is not None:
        before = open_checkpoint(earlier, verifier, only=True)
        if before.size > head.size:
            msg = f"the earlier checkpoint is of {before.size} entries, but the ledger holds {head.size}"
            raise LedgerError(msg)
        proof = _hex(consistency_proof(before.size, head.size, node))
        header["consistency"] = {"checkpoint": earlier, "proof": proof}
    yield _line(header)
    for index, leaf in entries:
        named = parse_leaf(leaf).bodies
        yield _line(
            {
                "index": index,
                "leaf": leaf.decode(),
                "proof": _hex(inclusion_proof(index, head.size, node)),
                "bodies": {name: _body(bodies[digest]) for name, digest in named.items() if digest in bodies},
            }
        )
    yield _line({"end": True, "entries": len(entries)})


def _body(opened: OpenedBody) -> dict[str, str]:
    try:
        return {"salt": opened.salt.hex(), "text": opened.text.decode()}
    except UnicodeDecodeError:
        msg = "a body that is no UTF-8 text can't be exported"
        raise LedgerError(msg) from None


def _hex(hashes: Sequence[bytes]) -> list[str]:
    return [item.hex() for item in hashes]


def _line(value: dict[str, Any]) -> bytes:
    return canonical(value) + b"\n"
