"""What the engines' modules share: the handle that ends a statement, what a statement runs under, how one is opened."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL

from langguard.drivers import placeholders
from langguard.errors import TargetError


class Cancel:
    """A handle by which another thread ends the statement that is running, at the server.

    Firing it before the statement starts stops it from starting.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stop: Callable[[], None] | None = None
        self._fired = False

    @property
    def fired(self) -> bool:
        """True once cancelled."""
        return self._fired

    def fire(self) -> None:
        """Cancel: now if running, else as soon as it would start."""
        with self._lock:
            self._fired = True
            stop = self._stop
        if stop is not None:
            stop()

    @contextmanager
    def armed(self, stop: Callable[[], None]) -> Iterator[None]:
        """Let `fire` call `stop` while the block runs.

        Raises:
            TargetError: Cancelled already.
        """
        with self._lock:
            if self._fired:
                msg = "The call was cancelled before it ran."
                raise TargetError(msg)
            self._stop = stop
        try:
            yield
        finally:
            with self._lock:
                self._stop = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one statement runs under.

    Attributes:
        timeout_ms: Its time limit.
        read_only: Refuse any effect, at the database.
        schemas: Where unqualified names are looked up, for engines that have such a path.
        result_bytes: Most bytes of values that its result may have.
    """

    timeout_ms: int
    read_only: bool
    schemas: tuple[str, ...]
    result_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """How one engine is spoken to.

    Attributes:
        backends: The names its URLs may start with, SQLAlchemy's (`postgresql`).
        open: Makes an engine of a URL; may raise ModuleNotFoundError, ValueError or SQLAlchemy's errors.
        guarded: Holds a connection's settings pinned, and its cancel armed, while a statement runs.
        needs: By module that may be missing: the sentence that says what to install.
        options: SQLAlchemy's execution options for each statement.
        quote: What stands around an identifier, doubled inside it.
        literals: Finds the literals, names and placeholders of its canonical text.
    """

    backends: tuple[str, ...]
    open: Callable[[URL], Engine]
    guarded: Callable[[Connection, Terms, Cancel], AbstractContextManager[None]]
    needs: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    quote: str = '"'
    literals: re.Pattern[str] = placeholders.DOUBLED

    def quoted(self, name: str) -> str:
        """Return an identifier as the engine reads it, whatever characters it has."""
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote


def pooled(url: URL) -> Engine:
    """Return an engine with a bounded pool; no value of a statement is put into its errors."""
    return create_engine(url, hide_parameters=True, pool_pre_ping=False, pool_size=8, max_overflow=8)
