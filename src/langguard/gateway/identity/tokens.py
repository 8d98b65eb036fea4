"""Opaque bearer tokens: unguessable, kept only as keyed hashes, so that the store alone can't be used to sign in."""

import hashlib
from typing import Final

from langguard.clock import new_id

API_KEY: Final = "lgk"
SESSION: Final = "lgs"
_LONGEST = 200


def new_token(kind: str) -> str:
    """Return a new token of a kind (`lgk`, an API key; `lgs`, a session)."""
    return new_id(kind)


def kind_of(token: str) -> str:
    """Return `lgk`, `lgs`, or an empty string for anything that is no token of ours."""
    kind, found, rest = token.partition("_")
    return kind if found and rest and kind in {API_KEY, SESSION} and len(token) <= _LONGEST else ""


def lookup(token: str, key: bytes) -> str:
    """Return the hex name a token is stored under: BLAKE2b keyed with the gateway's own key."""
    return hashlib.blake2b(token.encode(), key=key, digest_size=32).hexdigest()
