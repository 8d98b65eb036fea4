"""Bodies: prompts, statements and masked results, kept beside the ledger and referred to by salted commitments.

A leaf holds SHA-256(salt || body). Salt and body lie encrypted (AES-256-GCM) under a key of their session, which lies
wrapped under a master key. Destroying the session's key erases the bodies; the salts go with them, so what is left in
the leaves can't be linked to anything, and every proof still verifies.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from langguard.errors import VerificationError
from langguard.ledger.encode import canonical

SALT_BYTES: Final = 32
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"
_PREFIX: Final = len(_VERSION) + NONCE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedBody:
    """A body and the salt of its commitment. Its repr shows neither."""

    salt: bytes = field(repr=False)
    text: bytes = field(repr=False)


def commitment(salt: bytes, body: bytes) -> str:
    """Return SHA-256(salt || body) in hex.

    Args:
        salt: 32 random bytes, used for this body only.
        body: The body's bytes; text as UTF-8.

    Raises:
        ValueError: The salt has another length.
    """
    _expect_length("salt", salt, SALT_BYTES)
    return hashlib.sha256(salt + body).hexdigest()


def seal(body: bytes, *, salt: bytes, nonce: bytes, key: bytes, session: str, tree: str) -> bytes:
    """Return salt and body encrypted under the session's key, bound to session, ledger and commitment.

    Args:
        body: The body's bytes.
        salt: 32 random bytes, used for this body only.
        nonce: 12 random bytes, never used twice with one key.
        key: The session's key, 32 bytes.
        session: Id of the session.
        tree: Id of the ledger.

    Raises:
        ValueError: Salt, nonce or key has another length.
    """
    context = _context("body", tree, session, commitment(salt, body))
    return _encrypt(salt + body, nonce=nonce, key=key, context=context)


def open_body(sealed: bytes, *, key: bytes, session: str, tree: str, commitment: str) -> OpenedBody:
    """Return what was sealed, once it is proven to be what the leaf committed to.

    Args:
        sealed: What `seal` returned.
        key: The session's key.
        session: Id of the session.
        tree: Id of the ledger.
        commitment: The hex commitment in the leaf.

    Raises:
        VerificationError: The body was changed, belongs elsewhere, or the key is another one.
        ValueError: The key has another length.
    """
    plain = _decrypt(sealed, key=key, context=_context("body", tree, session, commitment), what="body")
    opened = OpenedBody(salt=plain[:SALT_BYTES], text=plain[SALT_BYTES:])
    check_body(opened.salt, opened.text, commitment)
    return opened


def check_body(salt: bytes, body: bytes, expected: str) -> None:
    """Check a body against the commitment in its leaf.

    Raises:
        VerificationError: It is not the body that was recorded.
    """
    if len(salt) != SALT_BYTES or not hmac.compare_digest(commitment(salt, body), expected):
        msg = "a body is not what its entry committed to"
        raise VerificationError(msg)


def wrap_key(key: bytes, *, master: bytes, nonce: bytes, session: str, tree: str) -> bytes:
    """Return a session's key encrypted under the master key, bound to session and ledger.

    Args:
        key: The session's key, 32 random bytes.
        master: The master key, 32 bytes.
        nonce: 12 random bytes, never used twice with one master key.
        session: Id of the session.
        tree: Id of the ledger.

    Raises:
        ValueError: A key or the nonce has another length.
    """
    _expect_length("key", key, KEY_BYTES)
    return _encrypt(key, nonce=nonce, key=master, context=_context("key", tree, session))


def unwrap_key(wrapped: bytes, *, master: bytes, session: str, tree: str) -> bytes:
    """Return the session's key.

    Raises:
        VerificationError: The wrapped key was changed or erased, belongs elsewhere, or the master key is another one.
        ValueError: The master key has another length.
    """
    key = _decrypt(wrapped, key=master, context=_context("key", tree, session), what="session key")
    if len(key) != KEY_BYTES:
        msg = "a session key has the wrong length"
        raise VerificationError(msg)
    return key


def _context(purpose: str, *parts: str) -> bytes:
    return canonical([f"langguard.{purpose}/1", *parts])


def _encrypt(plain: bytes, *, nonce: bytes, key: bytes, context: bytes) -> bytes:
    _expect_length("nonce", nonce, NONCE_BYTES)
    _expect_length("key", key, KEY_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plain, context)


def _decrypt(sealed: bytes, *, key: bytes, context: bytes, what: str) -> bytes:
    _expect_length("key", key, KEY_BYTES)
    try:
        if sealed[:1] != _VERSION or len(sealed) <= _PREFIX:
            raise InvalidTag  # noqa: TRY301 - one refusal for all of them, so that nothing tells them apart
        return AESGCM(key).decrypt(sealed[1:_PREFIX], sealed[_PREFIX:], context)
    except (InvalidTag, ValueError):
        msg = f"a {what} can't be opened: it was changed or erased, or the key is another one"
        raise VerificationError(msg) from None


def _expect_length(name: str, value: bytes, length: int) -> None:
    if len(value) != length:
        msg = f"the {name} must be {length} bytes"
        raise ValueError(msg)
