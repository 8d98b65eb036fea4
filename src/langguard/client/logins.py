"""Who is signed in on this machine: the session tokens that `langguard login` keeps, one for each gateway."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from langguard.errors import ConfigError

_LARGEST = 1_000_000


def find(path: Path, url: str, now: int) -> str:
    """Return the token of the session kept for a gateway's address; empty where there is none or it has ended.

    Args:
        path: The file.
        url: The gateway's address.
        now: Microseconds since 1970 UTC.

    Raises:
        ConfigError: The file can be read by others.
    """
    held = _read(path).get(url.rstrip("/"))
    if not isinstance(held, dict) or not isinstance(held.get("token"), str):
        return ""
    ends = held.get("expires_at")
    return held["token"] if isinstance(ends, int) and ends > now else ""


def keep(path: Path, url: str, token: str, expires_at: int) -> None:
    """Keep a session's token for a gateway's address, in a file that only its owner can read.

    Raises:
        ConfigError: The file can't be written.
    """
    _write(path, {**_read(path), url.rstrip("/"): {"token": token, "expires_at": expires_at}})


def forget(path: Path, url: str) -> None:
    """Forget the session kept for a gateway's address.

    Raises:
        ConfigError: The file can't be written.
    """
    held = _read(path)
    if held.pop(url.rstrip("/"), None) is not None:
        _write(path, held)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as opened:
            if os.name == "posix" and stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o077:
                msg = f"{path} holds sessions and can be read by others; run: chmod 600 {path}"
                raise ConfigError(msg)
            held = json.loads(opened.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}


def _write(path: Path, held: dict[str, Any]) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump(held, out)
        partial.replace(path)
    except OSError as failed:
        msg = f"{path} can't be written: {failed.strerror}"
        raise ConfigError(msg) from None
