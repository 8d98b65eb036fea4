"""The client for those who make none: one a process, from the environment."""

import atexit
import os
import threading

from langguard.client.guard import Guard

_lock = threading.Lock()
_guard: Guard | None = None
_pid = 0


def default_guard() -> Guard:
    """Return the process's own client, made from `LANGGUARD_URL` and `LANGGUARD_TOKEN` when first asked for.

    A forked child gets one of its own, so that two processes never share a session.

    Raises:
        ConfigError: The environment does not name a gateway and a credential.
    """
    global _guard, _pid
    with _lock:
        if _guard is None or _pid != os.getpid():
            if _pid == 0:
                atexit.register(_end)
            _guard, _pid = Guard(), os.getpid()
        return _guard


def forget_default_guard() -> None:
    """End the process's own client; the next use makes another. For tests and for a changed environment."""
    global _guard
    with _lock:
        guard, _guard = _guard, None
    if guard is not None:
        guard.close()


def _end() -> None:
    if _pid == os.getpid():
        forget_default_guard()
