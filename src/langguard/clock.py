"""The one reader of time, and of randomness for ids, salts and keys.

Everything else takes times and ids as arguments, so that a test can hold them still.
"""

import secrets
import time
from typing import Final, Protocol

MICROSECOND: Final = 1
SECOND: Final = 1_000_000


class Clock(Protocol):
    """What a caller needs from time: the wall clock, and a stopwatch that never goes back."""

    def now(self) -> int:
        """Return microseconds since 1970-01-01 UTC."""
        ...

    def ticks(self) -> int:
        """Return microseconds of a clock that only moves forward."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> int:
        """Return microseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1000

    def ticks(self) -> int:
        """Return microseconds of a clock that only moves forward."""
        return time.monotonic_ns() // 1000


def new_id(prefix: str) -> str:
    """Return a new unguessable id such as `call_5Jq...`: the prefix and 120 random bits."""
    return f"{prefix}_{secrets.token_hex(15)}"


def random_bytes(count: int) -> bytes:
    """Return `count` bytes from the operating system's generator, for salts and keys."""
    return secrets.token_bytes(count)
