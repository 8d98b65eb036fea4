"""Verify an export offline, with nothing but the file (and, better, a key or a checkpoint kept from before).

In this order, stopping at the first thing wrong:

1. Each line is canonical JSON with exactly the fields of its place, and ends in a newline.
2. The header's key is the trusted one, if one is given, and it signed the header's checkpoint.
3. The checkpoint continues the earlier one, if one is given or included.
4. Each entry is a canonical leaf of this tree and session, with the next `seq` and a larger index than the one before.
5. Each entry is in the signed tree at its index.
6. Each body is what its entry committed to.
7. The first entry opened the session, and the count is the header's and the last line's.

What no export can show: entries of the session recorded after its last one here (a session still open says so), and,
unanchored, that whoever holds the ledger's key did not write a second history.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NoReturn, TypeVar

import msgspec

from langguard.errors import VerificationError
from langguard.ledger.bodies import SALT_BYTES, check_body
from langguard.ledger.checkpoint import Checkpoint, VerifierKey, open_checkpoint
from langguard.ledger.encode import Leaf, is_digest, parse, parse_leaf
from langguard.ledger.export import EXPORT_SCHEMA, End, ExportedEntry, Header
from langguard.ledger.tree import leaf_hash, verify_consistency, verify_inclusion

MAX_PROOF: Final = 64
T = TypeVar("T", Header, ExportedEntry, End)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was proven.

    Attributes:
        tree: Id of the ledger.
        session: Id of the session.
        entries: Entries of the session in the file; all verified.
        bodies: Bodies in the file; all verified.
        withheld: Bodies that entries refer to and the file does not hold (left out, or erased).
        ended: The session's end is among the entries.
        size: Entries in the signed tree.
        root: Its root, hex.
        key: The verifier key that signed it.
        key_id: That key's id, hex.
        key_trusted: The key is the one that the caller trusts.
        anchored: An earlier checkpoint, kept by the caller, is continued by this one.
        notes: What a reader should know before relying on it, one sentence each.
    """

    tree: str
    session: str
    entries: int
    bodies: int
    withheld: int
    ended: bool
    size: int
    root: str
    key: str
    key_id: str
    key_trusted: bool
    anchored: bool
    notes: tuple[str, ...]


def verify(lines: bytes | Iterable[bytes], *, trusted_key: str | None = None, checkpoint: str | None = None) -> Report:
    """Verify an export.

    Args:
        lines: The whole file, or its lines with their newlines, as a file opened in binary mode yields them.
        trusted_key: The ledger's verifier key, known from elsewhere than this file.
        checkpoint: A checkpoint of this ledger, kept from before the export.

    Raises:
        VerificationError: At the first thing wrong; the message names the line, `entry` the entry's index if known.
    """
    source = _numbered(lines)
    header = _read(next(source, (1, b"")), Header)
    head, key, anchored = _check_header(header, trusted_key, checkpoint)

    previous, count, bodies, withheld, ended = -1, 0, 0, 0, False
    for number, line in source:
        if count == header.entries:
            _check_end((number, line), header)
            break
        entry = _read((number, line), ExportedEntry)
        try:
            leaf = _check_entry(entry, header=header, head=head, seq=count, previous=previous)
        except VerificationError as failed:
            msg = f"line {number}, entry {entry.index}: {failed}"
            raise VerificationError(msg, entry=entry.index) from None
        previous, count = entry.index, count + 1
        bodies, withheld = bodies + len(entry.bodies), withheld + len(leaf.bodies) - len(entry.bodies)
        ended = ended or leaf.kind == "session_ended"
    else:
        msg = f"the file ends after {count} of {header.entries} entries, without its last line"
        raise VerificationError(msg)
    for number, _ in source:
        msg = f"line {number}: the file goes on after its last line"
        raise VerificationError(msg)
    return Report(
        tree=header.tree,
        session=header.session,
        entries=count,
        bodies=bodies,
        withheld=withheld,
        ended=ended,
        size=head.size,
        root=head.root.hex(),
        key=str(key),
        key_id=key.id.hex(),
        key_trusted=trusted_key is not None,
        anchored=anchored,
        notes=_notes(ended=ended, trusted=trusted_key is not None, anchored=anchored, withheld=withheld),
    )


def _notes(*, ended: bool, trusted: bool, anchored: bool, withheld: int) -> tuple[str, ...]:
    notes = []
    if not trusted:
        notes.append("The key comes from the file itself: give the ledger's key, known from elsewhere, to trust it.")
    if not anchored:
        notes.append("Unanchored: no earlier checkpoint was given, so the holder of the key could have rewritten it.")
    if not ended:
        notes.append("The session's end is not among these entries: later ones may exist.")
    if withheld:
        notes.append(f"{withheld} bodies are not in the file; their commitments are.")
    return tuple(notes)


def _numbered(lines: bytes | Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    split = lines.splitlines(keepends=True) if isinstance(lines, bytes) else lines
    yield from enumerate(split, start=1)


def _read(numbered: tuple[int, bytes], kind: type[T]) -> T:
    number, line = numbered
    try:
        if not line.endswith(b"\n"):
            msg = "the file is cut off here"
            raise VerificationError(msg)  # noqa: TRY301 - one place adds the line to every refusal
        return msgspec.convert(parse(line[:-1]), kind)
    except (VerificationError, msgspec.ValidationError) as failed:
        what = {Header: "header", ExportedEntry: "entry", End: "last line"}[kind]
        reason = failed if isinstance(failed, VerificationError) else "it has other fields than it should"
        msg = f"line {number} is not the {what} of an export: {reason}"
        raise VerificationError(msg) from None


def _check_header(
    header: Header, trusted_key: str | None, checkpoint: str | None
) -> tuple[Checkpoint, VerifierKey, bool]:
    """Check the header; return its checkpoint, its key, and whether the given checkpoint anchors it."""
    try:
        if header.schema != EXPORT_SCHEMA:
            _refuse(f"its schema is not {EXPORT_SCHEMA}")
        if trusted_key is not None and header.key != trusted_key:
            _refuse("its key is not the trusted one")
        key = VerifierKey.parse(header.key)
        head = open_checkpoint(header.checkpoint, key, only=True)
        if head.origin != header.tree:
            _refuse("its checkpoint is of another ledger")
        if header.entries < 1 or header.last_seq != header.entries - 1:
            _refuse("its counts do not fit each other")
        continued = {head.size: head.root}
        if header.consistency is not None:
            before = open_checkpoint(header.consistency.checkpoint, key, only=True)
            verify_consistency(
                first=before.size,
                second=head.size,
                first_root=before.root,
                second_root=head.root,
                proof=_hashes(header.consistency.proof),
            )
            continued[before.size] = before.root
        if checkpoint is not None:
            _check_anchor(open_checkpoint(checkpoint, key), continued)
    except VerificationError as failed:
        msg = f"line 1, the header: {failed}"
        raise VerificationError(msg) from None
    return head, key, checkpoint is not None


def _check_anchor(kept: Checkpoint, continued: dict[int, bytes]) -> None:
    if kept.size == 0:
        _refuse("the given checkpoint is of an empty ledger, which anchors nothing")
    if kept.size not in continued:
        _refuse(
            f"it does not show that it continues the given checkpoint of {kept.size} entries; "
            f"export again, from that checkpoint"
        )
    if continued[kept.size] != kept.root:
        _refuse(f"the ledger had another content at {kept.size} entries: its history was rewritten")


def _check_entry(entry: ExportedEntry, *, header: Header, head: Checkpoint, seq: int, previous: int) -> Leaf:
    text = entry.leaf.encode()
    leaf = parse_leaf(text)
    if leaf.tree != header.tree:
        _refuse("it belongs to another ledger")
    if leaf.session != header.session:
        _refuse("it belongs to another session")
    if leaf.seq != seq:
        _refuse(f"it is entry {leaf.seq} of its session where {seq} is due: one is missing or out of order")
    if (leaf.kind == "session_opened") != (seq == 0):
        _refuse("a session's first entry, and only that, is its opening")
    if entry.index <= previous:
        _refuse("its index does not follow the one before")
    verify_inclusion(leaf_hash(text), index=entry.index, size=head.size, proof=_hashes(entry.proof), root=head.root)
    for name, body in entry.bodies.items():
        if name not in leaf.bodies:
            _refuse(f"its record names no body {name!r}")
        if len(body.salt) != 2 * SALT_BYTES or not is_digest(body.salt):
            _refuse(f"the salt of its body {name!r} is malformed")
        check_body(bytes.fromhex(body.salt), body.text.encode(), leaf.bodies[name])
    return leaf


def _check_end(numbered: tuple[int, bytes], header: Header) -> None:
    end = _read(numbered, End)
    if end.end is not True or end.entries != header.entries:
        msg = f"line {numbered[0]}: the last line counts {end.entries} entries, the header {header.entries}"
        raise VerificationError(msg)


def _hashes(texts: tuple[str, ...]) -> list[bytes]:
    if len(texts) > MAX_PROOF or not all(map(is_digest, texts)):
        _refuse("its proof is malformed")
    return [bytes.fromhex(text) for text in texts]


def _refuse(reason: str) -> NoReturn:
    raise VerificationError(reason)
