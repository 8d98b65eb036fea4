"""MySQL and MariaDB: a transaction that only reads where the call does, with what gives a text its meaning pinned.

The pins are read back before a statement runs: a server that does not take one would read the text in another way than
the analysis did.

What a cancel sends is KILL, not KILL QUERY: a KILL QUERY that comes between two statements of a call ends neither.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from langguard.drivers.placeholders import BACKSLASHED
from langguard.drivers.sql_base import Cancel, Driver, Terms
from langguard.errors import TargetError

MODES: Final = frozenset({"STRICT_TRANS_TABLES", "ERROR_FOR_DIVISION_BY_ZERO", "NO_ENGINE_SUBSTITUTION"})
"""No ANSI_QUOTES, NO_BACKSLASH_ESCAPES, PIPES_AS_CONCAT, HIGH_NOT_PRECEDENCE or IGNORE_SPACE: each of these makes
another statement of the same text."""

_OPTIONS: Final = frozenset(
    {
        "unix_socket",
        "charset",
        "connect_timeout",
        "read_timeout",
        "write_timeout",
        "ssl_ca",
        "ssl_cert",
        "ssl_key",
        "ssl_capath",
        "ssl_cipher",
        "ssl_check_hostname",
        "ssl_disabled",
        "ssl_verify_cert",
        "ssl_verify_identity",
    }
)
_MULTI_STATEMENTS: Final = 1 << 16
_LOCAL_FILES: Final = 1 << 7
_CONNECT_SECONDS: Final = 10

# Besides modes and characters: what would cut a result (sql_select_limit), let `id IS NULL` find the row inserted last
# (sql_auto_is_null), or lift a constraint.
_PINS: Final = {
    "sql_mode": ",".join(sorted(MODES)),
    "time_zone": "+00:00",
    "character_set_client": "utf8mb4",
    "character_set_connection": "utf8mb4",
    "character_set_results": "utf8mb4",
    "sql_select_limit": 2**64 - 1,
    "sql_auto_is_null": 0,
    "foreign_key_checks": 1,
}


def _open(url: URL) -> Engine:
    if not set(url.query) <= _OPTIONS:
        msg = f"The connection's credential has an option that is not known; known are {', '.join(sorted(_OPTIONS))}."
        raise TargetError(msg)
    given = {"charset": "utf8mb4", "local_infile": False, "autocommit": False, "connect_timeout": _CONNECT_SECONDS}
    engine = create_engine(
        url.set(drivername="mysql+pymysql"),
        hide_parameters=True,
        pool_pre_ping=False,
        pool_size=8,
        max_overflow=8,
        connect_args={key: value for key, value in given.items() if key not in url.query},
    )
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    flags = int(connection.client_flag)
    if flags & (_MULTI_STATEMENTS | _LOCAL_FILES):
        msg = "The connection would take several statements at once, or read files; it is not used."
        raise TargetError(msg)
    # The driver encodes a text after it escaped it: in GBK a letter's second byte may be a backslash.
    if str(connection.charset).lower() != "utf8mb4":
        msg = "The connection does not speak utf8mb4; leave charset out of its credential, or set charset=utf8mb4."
        raise TargetError(msg)


@contextmanager
def _guarded(connection: Connection, terms: Terms, handle: Cancel) -> Iterator[None]:
    raw: Any = connection.connection.driver_connection
    if connection.dialect.driver != "pymysql":
        msg = "MySQL and MariaDB are spoken to through PyMySQL; make the engine from a URL mysql+pymysql://..."
        raise TargetError(msg)
    _prepare(raw, None)
    stop = stopper(connection.engine, raw.thread_id())
    with handle.armed(stop):
        timed = pin(connection, terms)
        # Both: a statement that commits before it runs (DDL) leaves the transaction, not the session's mode.
        access = "READ ONLY" if terms.read_only else "READ WRITE"
        connection.exec_driver_sql(f"SET SESSION TRANSACTION {access}")
        connection.exec_driver_sql(f"START TRANSACTION {access}")
        with watched(stop, terms.timeout_ms, timed=timed):
            try:
                yield
            except BaseException:
                _abandon(connection, raw)
                raise


def pin(connection: Connection, terms: Terms) -> bool:
    """Set what gives a text its meaning, and the limits, and read them back.

    Returns:
        True where the server ends every statement that takes too long; MySQL ends a SELECT only.

    Raises:
        TargetError: The server keeps another value.
    """
    seconds = max(-(-terms.timeout_ms // 1000), 1)
    mariadb = bool(getattr(connection.dialect, "is_mariadb", False))
    pins: dict[str, object] = {**_PINS, "lock_wait_timeout": seconds, "innodb_lock_wait_timeout": seconds}
    if mariadb:
        pins["max_statement_time"] = terms.timeout_ms / 1000
    else:
        pins["max_execution_time"] = int(terms.timeout_ms)
    settings = ", ".join(f"SESSION {name} = {_literal(value)}" for name, value in pins.items())
    connection.exec_driver_sql(f"SET {settings}", execution_options={"no_parameters": True})
    read = ", ".join(f"@@SESSION.{name}" for name in pins)
    found = connection.exec_driver_sql(f"SELECT {read}", execution_options={"no_parameters": True}).one()
    for (name, wanted), value in zip(pins.items(), found, strict=True):
        kept = frozenset(str(value).split(",")) == MODES if name == "sql_mode" else _same(wanted, value)
        if not kept:
            msg = f"The database does not keep {name} as the gateway needs it; no statement is sent."
            raise TargetError(msg)
    return mariadb


def _literal(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def _same(wanted: object, value: object) -> bool:
    return str(value) == wanted if isinstance(wanted, str) else float(str(value)) == float(str(wanted))


def stopper(engine: Engine, thread: int) -> Callable[[], None]:
    """Return what ends a connection at the server, by its thread's number, through a connection of its own."""

    def stop() -> None:
        try:
            arguments, options = engine.dialect.create_connect_args(engine.url)
            given = {"charset": "utf8mb4", "local_infile": False, "connect_timeout": _CONNECT_SECONDS, **options}
            other: Any = engine.dialect.connect(*arguments, **given)
            try:
                other.cursor().execute(f"KILL {int(thread)}")
            finally:
                other.close()
        except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error, OSError):
            return  # it has ended already, or the server can't be reached; the statement's time limit stands

    return stop


@contextmanager
def watched(stop: Callable[[], None], timeout_ms: int, *, timed: bool) -> Iterator[None]:
    """End a statement that takes too long where the server does not do so itself (`timed`).

    Raises:
        TargetError: It took too long.
    """
    if timed:
        yield
        return
    passed = threading.Event()

    def end() -> None:
        passed.set()
        stop()

    late = threading.Timer(timeout_ms / 1000, end)
    late.daemon = True
    late.start()
    try:
        yield
    except SQLAlchemyError:
        if passed.is_set():
            msg = f"The statement took longer than {timeout_ms} ms and was stopped; ask for less."
            raise TargetError(msg) from None
        raise
    finally:
        late.cancel()


def _abandon(connection: Connection, raw: Any) -> None:
    """Close a connection whose result was not read to its end: to go on, its driver would read all the rest."""
    result = getattr(raw, "_result", None)
    if result is not None and result.unbuffered_active:
        result.unbuffered_active = False
        connection.invalidate()


DRIVER = Driver(
    backends=("mysql", "mariadb"),
    open=_open,
    guarded=_guarded,
    needs={"pymysql": "MySQL and MariaDB need PyMySQL, which is not installed: pip install 'langguard[mysql]'"},
    options={"stream_results": True},
    quote="`",
    literals=BACKSLASHED,
)
