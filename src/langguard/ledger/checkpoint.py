"""Checkpoints: the signed head of the ledger, as a C2SP tlog-checkpoint in a C2SP signed note (Ed25519).

langguard/3f9c...            the origin: the tree's id, which is also its key's name
412                          entries
nz...=                       root, base64

— langguard/3f9c... Az3...   signature: base64(key id || Ed25519 over the text above the blank line)
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from langguard.errors import VerificationError
from langguard.ledger.tree import HASH_BYTES

MAX_NOTE: Final = 1 << 16
MAX_SIGNATURES: Final = 16
_ED25519: Final = b"\x01"
_DASH: Final = "— "
_KEY_NAME: Final = re.compile(r"[^\s+\x00-\x1f\x7f\ud800-\udfff]{1,255}")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The state of a tree.

    Attributes:
        origin: The tree's id.
        size: Entries in it.
        root: 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key with its name; `str` gives the form to publish and pin: name+hexid+base64.

    Attributes:
        public: Raw Ed25519 public key, 32 bytes.
    """

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || 0x0A || 0x01 || public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Return the key that `str` wrote.

        Raises:
            VerificationError: The text is no Ed25519 verifier key, or its id is not that of its name and key.
        """
        name, _, rest = text.partition("+")
        raw = _base64(rest.partition("+")[2])
        if _KEY_NAME.fullmatch(name) and raw is not None and len(raw) == 33 and raw[:1] == _ED25519:  # noqa: SIM102
            if str(key := cls(name=name, public=raw[1:])) == text:
                return key
        msg = "this is not a verifier key of the form name+id+key"
        raise VerificationError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """The ledger's own signing key. Its repr shows no secret.

    Attributes:
        name: The tree's id.
    """

    name: str
    private: Ed25519PrivateKey = field(repr=False)

    def __post_init__(self) -> None:
        if not _KEY_NAME.fullmatch(self.name):
            msg = "a key's name must be 1 to 255 characters without space or +"
            raise ValueError(msg)

    @property
    def public(self) -> VerifierKey:
        """What to publish and pin."""
        return VerifierKey(name=self.name, public=self.private.public_key().public_bytes_raw())

    def sign(self, size: int, root: bytes) -> str:
        """Return the signed checkpoint of a tree.

        Args:
            size: Entries in the tree.
            root: Its root, 32 bytes.
        """
        return sign_note(Checkpoint(origin=self.name, size=size, root=root).text(), [self])

    def verify(self, note: str) -> Checkpoint:
        """Return the checkpoint in a note that this key signed.

        Raises:
            VerificationError: The note is malformed or its signature is not this key's.
        """
        return open_checkpoint(note, self.public)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note in its parts, nothing verified.

    Attributes:
        text: With its final newline; what is signed.
        signatures: Name, key id (4 bytes) and signature of each line, in order.
    """

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


def sign_note(text: str, keys: Sequence[LogKey]) -> str:
    """Return a signed note.

    Args:
        text: One or more lines, each ended by a newline; no other control characters.
        keys: Who signs, one line each.

    Raises:
        ValueError: The text can't be a note's, or nobody signs.
    """
    if not _note_text(text) or not keys:
        msg = "a note is lines of text ended by a newline, signed by at least one key"
        raise ValueError(msg)
    return text + "\n" + "".join(_signature_line(text, key) for key in keys)


def add_signature(note: str, key: LogKey) -> str:
    """Return the note with one more signature, such as a witness's.

    Raises:
        VerificationError: The note is malformed.
    """
    return note + _signature_line(parse_note(note).text, key)


def parse_note(note: str) -> Note:
    """Return the parts of a note. Says nothing about its signatures' truth.

    Raises:
        VerificationError: The note is malformed.
    """
    malformed = VerificationError("this is not a signed note")
    text, blank, block = note.rpartition("\n\n")
    text += "\n"
    if len(note) > MAX_NOTE or not blank or not _note_text(text) or not block.endswith("\n"):
        raise malformed
    signatures = []
    for line in block[:-1].split("\n"):
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        raw = _base64(encoded)
        if not line.startswith(_DASH) or not space or not _KEY_NAME.fullmatch(name) or raw is None or len(raw) < 5:
            raise malformed
        signatures.append((name, raw[:4], raw[4:]))
    if len(signatures) > MAX_SIGNATURES:
        raise malformed
    return Note(text=text, signatures=tuple(signatures))


def verified_text(note: str, keys: Sequence[VerifierKey], *, only: bool = False) -> str:
    """Return the text of a note that every one of `keys` signed.

    Args:
        note: The signed note.
        keys: At least one. Signatures of other keys are ignored, as the format asks.
        only: Refuse signatures of other keys too, so that no byte of the note is left unchecked.

    Raises:
        VerificationError: The note is malformed, a key's signature is missing, or one of its signatures is wrong.
    """
    parsed = parse_note(note)
    known = {(key.name, key.id): key for key in keys}
    signed: set[tuple[str, bytes]] = set()
    for name, key_id, signature in parsed.signatures:
        who = (name, key_id)
        if who not in known:
            if only:
                msg = f"the note carries a signature by {name} that can't be checked here"
                raise VerificationError(msg)
            continue
        try:
            Ed25519PublicKey.from_public_bytes(known[who].public).verify(signature, parsed.text.encode())
        except (InvalidSignature, ValueError):
            msg = f"the signature by {name} is wrong"
            raise VerificationError(msg) from None
        if who in signed:
            msg = f"the note carries two signatures by {name}"
            raise VerificationError(msg)
        signed.add(who)
    if not known or signed != known.keys():
        msg = "the note is not signed by the expected key"
        raise VerificationError(msg)
    return parsed.text


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint that a note's text states.

    Raises:
        VerificationError: The text is not exactly origin, size and root.
    """
    origin, size, root, *rest = [*text.split("\n"), "", "", ""]
    raw = _base64(root)
    if _KEY_NAME.fullmatch(origin) and _SIZE.fullmatch(size) and raw is not None and len(raw) == HASH_BYTES:
        found = Checkpoint(origin=origin, size=int(size), root=raw)
        if found.text() == text and not any(rest):
            return found
    msg = "this is not a checkpoint of origin, size and root"
    raise VerificationError(msg)


def open_checkpoint(note: str, key: VerifierKey, *, only: bool = False) -> Checkpoint:
    """Return the checkpoint in a note signed by the tree's own key.

    Args:
        note: The signed note.
        key: The tree's key: its name must be the checkpoint's origin.
        only: As in `verified_text`.

    Raises:
        VerificationError: The note is malformed, not signed by this key, or for another tree.
    """
    found = parse_checkpoint(verified_text(note, [key], only=only))
    if found.origin != key.name:
        msg = f"the checkpoint is of {found.origin}, signed by the key of {key.name}"
        raise VerificationError(msg)
    return found


def _signature_line(text: str, key: LogKey) -> str:
    raw = key.public.id + key.private.sign(text.encode())
    return f"{_DASH}{key.name} {base64.b64encode(raw).decode()}\n"


def _note_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return len(text) > 1 and text.endswith("\n") and not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text)


def _base64(text: str) -> bytes | None:
    """Return the bytes, or None unless the text is exactly what encoding them gives."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None
