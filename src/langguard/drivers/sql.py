"""One permitted SQL statement, run through SQLAlchemy: read-only where it is a read, timed, capped, cancellable.

The database is the second wall behind the analysis: a read runs in a read-only transaction (PostgreSQL) or under an
authorizer that knows only reading (SQLite), with the session settings pinned that could change what the text means.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from langguard.clock import SystemClock
from langguard.drivers import failures, placeholders
from langguard.errors import MissingExtraError, OutcomeUnknownError, TargetError
from langguard.flow import Rows

_SQLITE_READS = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
_PROGRESS_STEPS = 10_000
_LEAST_LENGTH = 1_000_000  # the statement itself counts too
_CLOCK = SystemClock()


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


def open_engine(url: str | URL) -> Engine:
    """Return an engine for a gateway's own connection: pooled, pinged before use, its URL never in a repr.

    Raises:
        MissingExtraError: It is for PostgreSQL, and psycopg is not installed.
        TargetError: The URL can't be read or its driver is not installed; the URL is not quoted.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            return create_engine(parsed, hide_parameters=True)
        engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=False, pool_size=8, max_overflow=8)
    except (SQLAlchemyError, ModuleNotFoundError, ValueError) as failed:
        if isinstance(failed, ModuleNotFoundError) and failed.name == "psycopg":
            msg = "PostgreSQL needs psycopg, which is not installed: pip install 'langguard[postgres]'"
            raise MissingExtraError(msg) from None
        msg = f"The connection's credential can't be used ({type(failed).__name__}); its text is not shown."
        raise TargetError(msg) from None
    if engine.dialect.driver == "psycopg":
        event.listen(engine, "connect", _prepare_psycopg)
    return engine


def _prepare_psycopg(connection: Any, _record: Any) -> None:
    connection.prepare_threshold = None  # a server-side plan could outlive a change of search_path


def run_statement(
    engine: Engine,
    statement: str,
    binds: Sequence[Any],
    *,
    dialect: str,
    rows: int,
    timeout_ms: int,
    read_only: bool,
    schemas: Sequence[str],
    result_bytes: int,
    cancel: Cancel | None = None,
) -> Rows:
    """Run one statement and fetch at most `rows` rows of it (one more is looked for, to say whether there were more).

    Args:
        engine: Where to run it.
        statement: Canonical text, run verbatim.
        binds: Python values for `$1`...
        dialect: `postgres` or `sqlite`.
        rows: Most rows to return.
        timeout_ms: The statement's time limit.
        read_only: Refuse any effect, at the database.
        schemas: PostgreSQL's search_path for the transaction.
        result_bytes: Most bytes of values, roughly counted; a larger result fails.
        cancel: To end it from another thread.

    Raises:
        TargetError: The database refused or failed it, or a limit was passed. The text quotes no value.
        OutcomeUnknownError: A write's commit was not answered, so it may have taken effect. It names no call.
    """
    handle = cancel or Cancel()
    try:
        with engine.connect() as connection:
            try:
                with _guarded(connection, dialect, timeout_ms, read_only, schemas, result_bytes, handle):
                    found = _execute(connection, statement, binds, rows, result_bytes)
            except BaseException:
                connection.rollback()
                if handle.fired:
                    connection.invalidate()  # a cancel may still be on its way to this backend: never reuse it
                raise
            if read_only:
                connection.rollback()
            else:
                _commit(connection)
            if handle.fired:
                connection.invalidate()  # as above: it was fired just as the statement ended
            return found
    except (TargetError, OutcomeUnknownError):
        raise
    except (SQLAlchemyError, sqlite3.Error) as failed:
        if handle.fired:
            msg = "The call was cancelled while it ran."
            raise TargetError(msg) from None
        raise TargetError(failures.describe(failed)) from None
    except Exception as failed:  # noqa: BLE001 - a driver may raise anything, and its text may quote a value
        msg = f"The database's driver failed ({type(failed).__name__}); its text is not shown."
        raise TargetError(msg) from None


def _commit(connection: Connection) -> None:
    try:
        connection.commit()
    except Exception as failed:
        if failures.refused(failed):
            raise
        msg = "The database did not answer the commit: the write may have taken effect. Look before trying it again."
        raise OutcomeUnknownError(msg, call_id="") from None


def _execute(connection: Connection, statement: str, binds: Sequence[Any], most: int, most_bytes: int) -> Rows:
    text, parameters = placeholders.render(statement, binds, connection.dialect.paramstyle)
    # Without this a driver is handed an empty collection, and psycopg then reads % in the text as its own.
    options = {"no_parameters": True} if parameters is None else {}
    result = connection.exec_driver_sql(text, parameters, execution_options=options)
    if not result.returns_rows:
        return Rows(columns=(), rows=[], affected=max(result.rowcount, 0))
    names = tuple(result.keys())
    fetched: list[tuple[Any, ...]] = []
    size = 0
    for row in result:
        if len(fetched) == most:
            result.close()
            return Rows(columns=names, rows=fetched, truncated=True)
        values = tuple(row)
        size += sum(_size(value) for value in values)
        if size > most_bytes:
            result.close()
            msg = f"The result is larger than {most_bytes} bytes; select fewer or shorter columns, or fewer rows."
            raise TargetError(msg)
        fetched.append(values)
    return Rows(columns=names, rows=fetched)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, (str, bytes, bytearray, memoryview)) else 16


@contextmanager
def _guarded(
    connection: Connection,
    dialect: str,
    timeout_ms: int,
    read_only: bool,
    schemas: Sequence[str],
    longest: int,
    handle: Cancel,
) -> Iterator[None]:
    raw: Any = connection.connection.driver_connection
    if dialect == "sqlite":
        with _sqlite_guard(raw, timeout_ms, read_only, longest), handle.armed(_stopper(raw)):
            yield
        return
    _pin_postgres(connection, timeout_ms, read_only, schemas)
    with handle.armed(_stopper(raw)):
        yield


def _stopper(raw: Any) -> Callable[[], None]:
    """Return what ends a running statement on this DB-API connection, at the server."""
    for name in ("cancel_safe", "interrupt", "cancel"):
        stop = getattr(raw, name, None)
        if callable(stop):
            return stop  # type: ignore[no-any-return]

    def none() -> None:
        """The driver has no way to cancel: the statement timeout ends it."""

    return none


def _pin_postgres(connection: Connection, timeout_ms: int, read_only: bool, schemas: Sequence[str]) -> None:
    path = ", ".join('"' + name.replace('"', '""') + '"' for name in schemas) or "pg_catalog"
    pins = [
        f"SET TRANSACTION {'READ ONLY' if read_only else 'READ WRITE'}",
        f"SET LOCAL statement_timeout = {int(timeout_ms)}",
        f"SET LOCAL lock_timeout = {int(timeout_ms)}",
        f"SET LOCAL search_path TO {path}",
        "SET LOCAL standard_conforming_strings = on",
    ]
    if connection.dialect.driver in {"psycopg", "psycopg2"}:
        pins = ["; ".join(pins)]  # one round trip; other drivers take one statement at a time
    for pin in pins:
        connection.exec_driver_sql(pin)


@contextmanager
def _sqlite_guard(raw: sqlite3.Connection, timeout_ms: int, read_only: bool, longest: int) -> Iterator[None]:
    deadline = _CLOCK.ticks() + timeout_ms * 1000

    def late() -> bool:
        return _CLOCK.ticks() > deadline

    def authorize(action: int, *_: object) -> int:
        return sqlite3.SQLITE_OK if action in _SQLITE_READS else sqlite3.SQLITE_DENY

    # One function call can make a value of a gigabyte before anything can count it.
    before = raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(longest, _LEAST_LENGTH))
    raw.set_progress_handler(lambda: int(late()), _PROGRESS_STEPS)
    if read_only:
        raw.execute("PRAGMA query_only = ON")
        raw.set_authorizer(authorize)
    try:
        yield
    except DBAPIError:
        if late():
            msg = f"The statement took longer than {timeout_ms} ms and was stopped; ask for less."
            raise TargetError(msg) from None
        raise
    finally:
        raw.set_progress_handler(None, 0)
        raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)
        if read_only:
            raw.set_authorizer(None)
            raw.execute("PRAGMA query_only = OFF")
