"""Leaf format v1, frozen: what one entry of the ledger is, byte for byte.

A leaf is RFC 8785 canonical JSON, restricted so that every implementation agrees on it without trying: keys are ASCII,
values are text, integers within 2^53, booleans, null, lists and objects. Fractions are written as text.

    {"at": microseconds since 1970 UTC,
     "bodies": {name: hex commitment (see bodies.py)},
     "by": the principal who caused it, or the gateway,
     "data": {...},
     "kind": what happened (KINDS),
     "schema": "langguard.entry/1",
     "seq": n-th entry of that session, from 0 and without gaps, so that a removed one shows,
     "session": id, or null for what belongs to no session (counted by `seq` likewise),
     "source": "observed" by the gateway, or "reported" by a client,
     "tree": id of the ledger}

A new kind may be added; any other change needs a new schema id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import msgspec

from langguard.errors import LedgerError, VerificationError

SCHEMA: Final = "langguard.entry/1"
MAX_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 32
MAX_LEAF: Final = 1 << 20
"""Most bytes of one leaf; what is longer belongs into a body."""

Source = Literal["observed", "reported"]

KINDS: Final = frozenset(
    {
        "session_opened",
        "session_ended",
        "intent",
        "probe",
        "outcome",
        "outcome_part",
        "observation",
        "approval_asked",
        "approval_voted",
        "approval_closed",
        "policy",
        "key_created",
        "key_revoked",
        "connection_added",
        "connection_changed",
        "connection_removed",
        "catalog",
        "gateway_started",
        "gateway_stopped",
        "evidence_read",
        "evidence_erased",
        "administration",
        "restored",
    }
)
"""What this build may record. A verifier accepts any kind by its shape, so that it can read a newer ledger."""

_FIELDS: Final = frozenset({"at", "bodies", "by", "data", "kind", "schema", "seq", "session", "source", "tree"})
_TREE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,198}[A-Za-z0-9])?")
_SESSION: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_encoder: Final = msgspec.json.Encoder(order="deterministic")
_decoder: Final = msgspec.json.Decoder(strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One entry as recorded; fields as in the module's text."""

    tree: str
    kind: str
    at: int
    session: str | None
    seq: int
    by: str
    source: Source
    data: dict[str, Any]
    bodies: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A checked leaf that lacks only its `seq`, which the store's writer gives it under the one lock.

    It is encoded already: nothing that happens to the caller's objects later can change what is recorded.
    """

    tree: str
    kind: str
    session: str | None
    head: bytes
    tail: bytes

    def leaf(self, seq: int) -> bytes:
        """Return the canonical bytes of the leaf.

        Args:
            seq: 0 to 2^53 - 1.

        Raises:
            LedgerError: `seq` is out of range.
        """
        if type(seq) is not int or not 0 <= seq <= MAX_INTEGER:
            msg = "an entry's seq must be an integer from 0 to 2^53 - 1"
            raise LedgerError(msg)
        return b"%b%d%b" % (self.head, seq, self.tail)


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 bytes of a value restricted as above; a tuple is written as a list.

    Raises:
        LedgerError: The value holds something that has no exact place in a leaf, such as a float, bytes, an integer
            beyond 2^53 - 1, a key that is not ASCII text, a lone surrogate, or more than 32 levels.
    """
    _check(value, MAX_DEPTH)
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        msg = "text with a lone surrogate can't be recorded"
        raise LedgerError(msg) from None


def _check(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            msg = "an integer beyond 2^53 - 1 can't be recorded; write it as text"
            raise LedgerError(msg)
        return
    if depth == 0:
        msg = f"a record may not nest deeper than {MAX_DEPTH} levels"
        raise LedgerError(msg)
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                msg = "keys of a record must be ASCII text"
                raise LedgerError(msg)
            _check(item, depth - 1)
    elif kind is list or kind is tuple:
        for item in value:
            _check(item, depth - 1)
    else:
        msg = f"a value of type {kind.__name__} can't be recorded; write it as text"
        raise LedgerError(msg)


def recordable(value: Any) -> Any:
    """Return `value` with numbers that a leaf can't hold exactly written as text: floats, and integers beyond 2^53 - 1.

    Anything else is left as it is, for `canonical` to judge.
    """
    match value:
        case bool():
            return value
        case float():
            return repr(value)
        case int() if not -MAX_INTEGER <= value <= MAX_INTEGER:
            return str(value)
        case dict():
            return {key: recordable(item) for key, item in value.items()}
        case list() | tuple():
            return [recordable(item) for item in value]
        case _:
            return value


def parse(text: bytes) -> Any:
    """Return the value of canonical JSON.

    Raises:
        VerificationError: The text is no JSON, or not exactly the canonical form of what it says.
    """
    try:
        value = _decoder.decode(text)
        exact = canonical(value)
    except (ValueError, RecursionError):
        msg = "it is not valid JSON"
        raise VerificationError(msg) from None
    except LedgerError as refused:
        msg = f"it is not a canonical record: {refused}"
        raise VerificationError(msg) from None
    if exact != text:
        msg = "it is JSON, but not in the canonical form"
        raise VerificationError(msg)
    return value


def draft(
    *,
    tree: str,
    kind: str,
    at: int,
    session: str | None,
    by: str,
    source: Source,
    data: Mapping[str, Any],
    bodies: Mapping[str, str] | None = None,
) -> Draft:
    """Build and check an entry that is to be recorded.

    Args:
        tree: Id of the ledger: also the origin of its checkpoints and the name of its key.
        kind: One of KINDS.
        at: Microseconds since 1970 UTC.
        session: The session it belongs to, or None.
        by: Who caused it: a principal, or the gateway's own name.
        source: `observed` by the gateway itself, or `reported` by a client.
        data: The facts, as `canonical` takes them. Never a body, a row or a statement: only their commitments.
        bodies: Name to hex commitment of what is stored beside the ledger.

    Raises:
        LedgerError: A field is out of its range, or the leaf would be too long.
    """
    if kind not in KINDS:
        msg = f"{kind!r} is no kind of entry"
        raise LedgerError(msg)
    whole = {
        "at": at,
        "bodies": dict(bodies or {}),
        "by": by,
        "data": dict(data),
        "kind": kind,
        "schema": SCHEMA,
        "seq": MAX_INTEGER,
        "session": session,
        "source": source,
        "tree": tree,
    }
    wrong = _wrong(whole)
    if wrong:
        msg = f"an entry's {wrong}"
        raise LedgerError(msg)
    tail_keys = ("session", "source", "tree")
    head = canonical({key: whole[key] for key in whole if key not in (*tail_keys, "seq")})
    tail = canonical({key: whole[key] for key in tail_keys})
    made = Draft(tree=tree, kind=kind, session=session, head=head[:-1] + b',"seq":', tail=b"," + tail[1:])
    if len(made.head) + len(made.tail) + len(str(MAX_INTEGER)) > MAX_LEAF:
        msg = f"an entry may not be longer than {MAX_LEAF} bytes; put what is long into a body"
        raise LedgerError(msg)
    return made


def parse_leaf(text: bytes) -> Leaf:
    """Return the entry that a leaf holds.

    Raises:
        VerificationError: The bytes are not exactly a leaf of this format.
    """
    if len(text) > MAX_LEAF:
        msg = "it is longer than a leaf may be"
        raise VerificationError(msg)
    value = parse(text)
    wrong = _wrong(value)
    if wrong:
        msg = f"it is not a leaf: its {wrong}"
        raise VerificationError(msg)
    return Leaf(**{key: value[key] for key in _FIELDS if key != "schema"})


def is_digest(value: Any) -> bool:
    """Tell whether `value` is a SHA-256 in lower-case hex."""
    return type(value) is str and _DIGEST.fullmatch(value) is not None


def _wrong(leaf: Any) -> str | None:  # noqa: PLR0911 - one row a field
    """Return what is wrong with a decoded leaf, or None."""
    if type(leaf) is not dict or leaf.keys() != _FIELDS:
        return f"fields must be exactly {', '.join(sorted(_FIELDS))}"
    if leaf["schema"] != SCHEMA:
        return f"schema must be {SCHEMA}"
    if not _matches(_TREE, leaf["tree"]):
        return "tree must be an id of letters, digits and . _ / -"
    if not _matches(_NAME, leaf["kind"]):
        return "kind must be a lower-case name"
    for name in ("at", "seq"):
        if type(leaf[name]) is not int or not 0 <= leaf[name] <= MAX_INTEGER:
            return f"{name} must be an integer from 0 to 2^53 - 1"
    if leaf["session"] is not None and not _matches(_SESSION, leaf["session"]):
        return "session must be null or an id of letters, digits, _ and -"
    if type(leaf["by"]) is not str or not 1 <= len(leaf["by"]) <= 512:
        return "by must be 1 to 512 characters"
    if leaf["source"] not in ("observed", "reported"):
        return "source must be observed or reported"
    if type(leaf["data"]) is not dict:
        return "data must be an object"
    bodies = cast("object", leaf["bodies"])
    if type(bodies) is not dict or not all(_matches(_NAME, n) and is_digest(d) for n, d in bodies.items()):
        return "bodies must map lower-case names to SHA-256 commitments in hex"
    return None


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return type(value) is str and pattern.fullmatch(value) is not None
