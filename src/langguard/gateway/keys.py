"""The gateway's own secrets in its data folder, made at first start: one file, readable by its owner only.

- `master`: wraps each session's key. Lose it and no recorded body can be read again.
- `ledger`: Ed25519 seed that signs checkpoints.
- `token`: keys the hashes by which tokens and API keys are looked up.
- `mask`: the root from which per-connection and per-session masking keys are derived.
"""

import base64
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from langguard.clock import new_id, random_bytes
from langguard.errors import ConfigError

_NAMES = ("master", "ledger", "token", "mask")
_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The gateway's secrets; the repr shows none of them.

    Attributes:
        tree: The ledger's id, and the origin line of its checkpoints.
    """

    tree: str
    master: bytes = field(repr=False)
    ledger: bytes = field(repr=False)
    token: bytes = field(repr=False)
    mask: bytes = field(repr=False)

    def signer(self) -> Ed25519PrivateKey:
        """Return the key that signs checkpoints."""
        return Ed25519PrivateKey.from_private_bytes(self.ledger)

    def mask_key(self, scope: str) -> bytes:
        """Return the 32-byte masking key of a scope: a connection, or a session for custody `agent`."""
        return _derived(self.mask, f"langguard mask {scope}")

    def document_key(self) -> bytes:
        """Return the 32-byte key that the store's documents are tagged with."""
        return _derived(self.master, "langguard documents")

    def sign_in_key(self) -> bytes:
        """Return the 32-byte key that seals what a browser carries through a sign-in."""
        return _derived(self.token, "langguard sign-in")


def _derived(root: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=_SIZE, salt=None, info=info.encode()).derive(root)


def load_or_make(folder: Path) -> Keys:
    """Read `keys.json` in the data folder, or make it (and the folder) at first start.

    Raises:
        ConfigError: The file is damaged, or others may read it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "keys.json"
    if not path.exists():
        _write(path)
    mode = path.stat().st_mode
    if os.name == "posix" and mode & 0o077:
        msg = f"{path} can be read by others (mode {mode & 0o777:o}); run: chmod 600 {path}"
        raise ConfigError(msg, source=str(path))
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        secrets = {name: base64.b64decode(held[name], validate=True) for name in _NAMES}
        tree = str(held["tree"])
    except (ValueError, KeyError, TypeError):
        msg = "the key file is damaged; restore it from a backup: without it the recorded sessions can't be read"
        raise ConfigError(msg, source=str(path)) from None
    if any(len(secret) != _SIZE for secret in secrets.values()):
        msg = "a key in the key file has the wrong length; restore the file from a backup"
        raise ConfigError(msg, source=str(path))
    return Keys(tree=tree, **secrets)


def _write(path: Path) -> None:
    held = {name: base64.b64encode(random_bytes(_SIZE)).decode() for name in _NAMES} | {"tree": new_id("tree")}
    partial = path.with_suffix(".new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(held, out)
        out.flush()
        os.fsync(out.fileno())
    partial.rename(path)
