"""What the engines' checks share: trying a wall through the same path that calls take, and saying what came of it.

Nothing that is tried may leave an effect even where a wall is missing: each trial runs as a read, which is rolled back,
and is chosen so that it would change nothing if it were let through.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine

from langguard.clock import SystemClock
from langguard.drivers.sql import run_statement
from langguard.drivers.sql_base import Cancel
from langguard.errors import TargetError
from langguard.flow import Rows
from langguard.protocol import Catalog

_CLOCK: Final = SystemClock()
_TIMEOUT_MS: Final = 5_000
_SOON_SECONDS: Final = 3.0
_CANCEL_AFTER: Final = 0.2
SHOWN: Final = 5
"""Most names that one line lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """One wall, and what came of trying it.

    Attributes:
        name: What must hold.
        tried: How it was tried.
        said: What the database or the driver answered; it quotes no value of a row.
    """

    name: str
    tried: str
    holds: bool
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """Something the connection's role could do that it should not.

    Attributes:
        what: The power.
        why: What an attacker behind the other walls would do with it.
        mend: The statement (or the act) that takes it away; run it as the database's administrator.
    """

    what: str
    why: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The database that is checked.

    Attributes:
        writes: Policy lets someone write through this connection.
    """

    engine: Engine
    catalog: Catalog
    writes: bool = False

    def run(
        self,
        statement: str,
        *,
        rows: int = 100,
        timeout_ms: int = _TIMEOUT_MS,
        result_bytes: int = 1_000_000,
        cancel: Cancel | None = None,
    ) -> Rows:
        """Run a read as a call would.

        Raises:
            TargetError: It was refused.
        """
        return run_statement(
            self.engine,
            statement,
            (),
            dialect=self.catalog.dialect,
            rows=rows,
            timeout_ms=timeout_ms,
            read_only=True,
            schemas=self.catalog.default_schemas,
            result_bytes=result_bytes,
            cancel=cancel,
        )

    def refused(self, name: str, statement: str, *said: str, tried: str = "") -> Wall:
        """Try a statement that must be refused, with a message that has one of `said` in it."""
        tried = tried or statement
        try:
            self.run(statement)
        except TargetError as failed:
            proven = any(word in str(failed) for word in said)
            why = str(failed) if proven else f"refused, but for another reason, which proves nothing: {failed}"
            return Wall(name=name, tried=tried, holds=proven, said=why)
        return Wall(name=name, tried=tried, holds=False, said="it ran; it was rolled back")

    def capped(self, statement: str) -> Wall:
        """Try a statement that has more than 5 rows with a cap of 5."""
        found = self.run(statement, rows=5)
        holds = len(found.rows) == 5 and found.truncated
        return Wall(
            name="no more rows are fetched than allowed",
            tried=f"{statement}, with a cap of 5",
            holds=holds,
            said=f"{len(found.rows)} rows{', marked as truncated' if found.truncated else ''}",
        )

    def sized(self, statement: str) -> Wall:
        """Try a statement whose result has more than 1000 bytes with a limit of 1000."""
        name, tried = "a result is never larger than allowed", f"{statement}, with a limit of 1000 bytes"
        try:
            self.run(statement, result_bytes=1000)
        except TargetError as failed:
            return Wall(name=name, tried=tried, holds=True, said=str(failed))
        return Wall(name=name, tried=tried, holds=False, said="the whole result was fetched")

    def timed(self, statement: str, *, timeout_ms: int = 300) -> Wall:
        """Try a statement that would run for a long time with a short time limit."""
        name, tried = "a statement that takes too long is stopped", f"{statement}, with a limit of {timeout_ms} ms"
        return self._stopped(name, tried, lambda: self.run(statement, timeout_ms=timeout_ms))

    def cancelled(self, statement: str) -> Wall:
        """Try to end a statement that would run for a long time, as the end of a session does."""
        cancel = Cancel()
        timer = threading.Timer(_CANCEL_AFTER, cancel.fire)
        timer.daemon = True
        timer.start()
        name, tried = "a running statement can be cancelled", f"{statement}, cancelled after {_CANCEL_AFTER} s"
        try:
            return self._stopped(name, tried, lambda: self.run(statement, timeout_ms=_TIMEOUT_MS, cancel=cancel))
        finally:
            timer.cancel()

    def _stopped(self, name: str, tried: str, work: Callable[[], Any]) -> Wall:
        before = _CLOCK.ticks()
        said = "it was let run to its end"
        ended = False
        try:
            work()
        except TargetError as failed:
            ended, said = True, str(failed)
        took = (_CLOCK.ticks() - before) / 1e6
        return Wall(name=name, tried=tried, holds=ended and took < _SOON_SECONDS, said=f"{said} (after {took:.1f} s)")

    def facts(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a question about the role itself.

        Raises:
            TargetError: The database does not answer.
        """
        return self.run(query, rows=1_000).rows


def listed(names: Sequence[str]) -> str:
    """Return a few of some names, and how many more there are."""
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown
