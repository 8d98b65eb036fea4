"""SQLite: an authorizer that knows only reading where the call does, and a clock that ends what takes too long."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from langguard.clock import SystemClock
from langguard.drivers.sql_base import Cancel, Driver, Terms
from langguard.errors import TargetError

_READS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_PROGRESS_STEPS = 10_000
_LEAST_LENGTH = 1_000_000  # the statement itself counts too
_CLOCK = SystemClock()


def _open(url: URL) -> Engine:
    return create_engine(url, hide_parameters=True)


@contextmanager
def _guarded(connection: Connection, terms: Terms, handle: Cancel) -> Iterator[None]:
    raw: Any = connection.connection.driver_connection
    with _guard(raw, terms), handle.armed(raw.interrupt):
        yield


@contextmanager
def _guard(raw: sqlite3.Connection, terms: Terms) -> Iterator[None]:
    deadline = _CLOCK.ticks() + terms.timeout_ms * 1000

    def late() -> bool:
        return _CLOCK.ticks() > deadline

    def authorize(action: int, *_: object) -> int:
        return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY

    # One function call can make a value of a gigabyte before anything can count it.
    before = raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(terms.result_bytes, _LEAST_LENGTH))
    raw.set_progress_handler(lambda: int(late()), _PROGRESS_STEPS)
    if terms.read_only:
        raw.execute("PRAGMA query_only = ON")
        raw.set_authorizer(authorize)
    try:
        yield
    except DBAPIError:
        if late():
            msg = f"The statement took longer than {terms.timeout_ms} ms and was stopped; ask for less."
            raise TargetError(msg) from None
        raise
    finally:
        raw.set_progress_handler(None, 0)
        raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)
        if terms.read_only:
            raw.set_authorizer(None)
            raw.execute("PRAGMA query_only = OFF")


DRIVER = Driver(backends=("sqlite",), open=_open, guarded=_guarded)
