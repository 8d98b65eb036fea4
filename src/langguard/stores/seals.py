"""Documents bound to the gateway's keys: one changed in the file, from outside, is never believed."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from langguard.stores.base import Document, Put, StoreError

TAG_BYTES: Final = 32


def tagged(put: Put, key: bytes) -> Put:
    """Return what is stored: the value behind a tag over all that the document says (BLAKE2b, keyed, 32 bytes)."""
    return replace(put, value=_tag(key, put.kind, put.id, put.parent, put.state, bytes(put.value)) + bytes(put.value))


def stored_document(row: Sequence[Any], key: bytes) -> Document:
    """Return the document of a row (kind, id, parent, state, value) as it was put.

    Raises:
        StoreError: It is not one that was written with this key.
    """
    kind, name, parent, state, stored = row
    tag, value = bytes(stored[:TAG_BYTES]), bytes(stored[TAG_BYTES:])
    if not hmac.compare_digest(tag, _tag(key, kind, name, parent, state, value)):
        msg = f"A stored {kind} is not as the gateway wrote it: it was changed from outside, and is not used."
        raise StoreError(msg)
    return Document(kind=kind, id=name, parent=parent, state=state, value=value)


def _tag(key: bytes, kind: str, name: str, parent: str | None, state: str, value: bytes) -> bytes:
    tag = hashlib.blake2b(key=key, digest_size=TAG_BYTES, person=b"langguard docs")
    for part in (kind, name, "" if parent is None else f"={parent}", state):
        held = part.encode("utf-8", "surrogatepass")
        tag.update(len(held).to_bytes(8, "big") + held)
    tag.update(value)
    return tag.digest()
