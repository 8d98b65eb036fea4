"""One permitted SQL statement, run through SQLAlchemy: read-only where it is a read, timed, capped, cancellable.

The database is the second wall behind the analysis: a read runs in a read-only transaction (PostgreSQL) or under an
authorizer that knows only reading (SQLite), with the session settings pinned that could change what the text means.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from langguard.drivers import failures, placeholders, sql_duckdb, sql_mysql, sql_postgres, sql_sqlite
from langguard.drivers.sql_base import Cancel, Driver, Terms
from langguard.errors import MissingExtraError, OutcomeUnknownError, TargetError
from langguard.flow import Rows

__all__ = ["DRIVERS", "Cancel", "dialect_of", "open_engine", "run_statement"]

DRIVERS: Final[Mapping[str, Driver]] = MappingProxyType(
    {
        "postgres": sql_postgres.DRIVER,
        "sqlite": sql_sqlite.DRIVER,
        "mysql": sql_mysql.DRIVER,
        "duckdb": sql_duckdb.DRIVER,
    }
)
"""By dialect."""


def open_engine(url: str | URL) -> Engine:
    """Return an engine for a gateway's own connection: pooled, its URL never in a repr.

    Raises:
        MissingExtraError: Its driver is one of ours, and is not installed.
        TargetError: The URL can't be read, or no engine here is meant by it; the URL is not quoted.
    """
    needs: Mapping[str, str] = {}
    try:
        parsed = make_url(url)
        backend = parsed.drivername.partition("+")[0]
        driver = next((known for known in DRIVERS.values() if backend in known.backends), None)
        if driver is None:
            known = ", ".join(f"{each.backends[0]}://" for each in DRIVERS.values())
            msg = f"The connection's credential is for a database that has no driver here; it starts with {known}."
            raise TargetError(msg)
        needs = driver.needs
        return driver.open(parsed)
    except (SQLAlchemyError, ModuleNotFoundError, ValueError) as failed:
        if isinstance(failed, ModuleNotFoundError) and failed.name in needs:
            raise MissingExtraError(needs[failed.name or ""]) from None
        msg = f"The connection's credential can't be used ({type(failed).__name__}); its text is not shown."
        raise TargetError(msg) from None


def dialect_of(engine: Engine) -> str:
    """Return the name of an engine's dialect here, SQLAlchemy's own where there is no driver for it."""
    name = engine.dialect.name
    return next((dialect for dialect, driver in DRIVERS.items() if name in driver.backends), name)


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
        dialect: One of DRIVERS.
        rows: Most rows to return.
        timeout_ms: The statement's time limit.
        read_only: Refuse any effect, at the database.
        schemas: Where unqualified names are looked up, for engines that have such a path.
        result_bytes: Most bytes of values, roughly counted; a larger result fails.
        cancel: To end it from another thread.

    Raises:
        TargetError: The database refused or failed it, or a limit was passed. The text quotes no value.
        OutcomeUnknownError: A write's commit was not answered, so it may have taken effect. It names no call.
    """
    handle = cancel or Cancel()
    driver = DRIVERS.get(dialect)
    if driver is None:
        msg = f"The dialect {dialect!r} has no driver here."
        raise TargetError(msg)
    if ";" in driver.literals.sub("", statement):
        msg = "The text holds more than one statement; nothing was sent."
        raise TargetError(msg)
    terms = Terms(timeout_ms=timeout_ms, read_only=read_only, schemas=tuple(schemas), result_bytes=result_bytes)
    try:
        with engine.connect() as connection:
            try:
                with driver.guarded(connection, terms, handle):
                    found = _execute(connection, statement, binds, rows, driver, result_bytes)
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


def _execute(
    connection: Connection, statement: str, binds: Sequence[Any], most: int, driver: Driver, most_bytes: int
) -> Rows:
    text, parameters = placeholders.render(statement, binds, connection.dialect.paramstyle, driver.literals)
    # Without this a driver is handed an empty collection, and psycopg then reads % in the text as its own.
    options = {**driver.options, "no_parameters": parameters is None}
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
            msg = f"The result is larger than {most_bytes} bytes; select fewer or shorter columns, or fewer rows."
            raise TargetError(msg)
        fetched.append(values)
    return Rows(columns=names, rows=fetched)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, (str, bytes, bytearray, memoryview)) else 16
