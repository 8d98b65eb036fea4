"""PostgreSQL: a transaction that only reads where the call does, with what gives a text its meaning pinned."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL

from langguard.drivers.sql_base import Cancel, Driver, Terms, pooled
from langguard.errors import TargetError

PINS: Final = {
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "row_security": "on",
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
}
"""What gives a text, or a value read from one, its meaning."""
_IN_TRANSACTION: Final = 2  # libpq's PQTRANS_INTRANS
_AS_IT_IS: Final = {"no_parameters": True}


def _open(url: URL) -> Engine:
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    engine = pooled(url)
    if engine.dialect.driver == "psycopg":
        event.listen(engine, "connect", _prepare_psycopg)
    return engine


def _prepare_psycopg(connection: Any, _record: Any) -> None:
    connection.prepare_threshold = None  # a server-side plan could outlive a change of search_path
    connection.cursor_factory = _one_statement()


@cache
def _one_statement() -> Any:
    """Return psycopg's cursor, made to speak only the protocol in which a text is one statement to the server too."""
    import psycopg  # noqa: PLC0415 - an extra

    class OneStatement(psycopg.Cursor):  # type: ignore[type-arg,misc,unused-ignore]
        def _execute_send(self, query: Any, **given: Any) -> None:
            super()._execute_send(query, **{**given, "force_extended": True})

    return OneStatement


@contextmanager
def _guarded(connection: Connection, terms: Terms, handle: Cancel) -> Iterator[None]:
    raw: Any = connection.connection.driver_connection
    _pin(connection, terms)
    with handle.armed(_stopper(raw)):
        yield


def _stopper(raw: Any) -> Callable[[], None]:
    """Return what ends a running statement on this DB-API connection, at the server."""
    for name in ("cancel_safe", "cancel"):
        stop = getattr(raw, name, None)
        if callable(stop):
            return stop  # type: ignore[no-any-return]

    def none() -> None:
        """The driver has no way to cancel: the statement timeout ends it."""

    return none


def _pin(connection: Connection, terms: Terms) -> None:
    """Set what gives a text its meaning, and the limits, and read them back on the same trip.

    Raises:
        TargetError: The server, or what stands before it, keeps another value, or no transaction holds them.
    """
    # pg_temp is named last: unnamed it is looked in first, and a table made there would stand for a real one.
    path = ", ".join([*(DRIVER.quoted(name) for name in terms.schemas), "pg_temp"])
    pins = {
        "transaction_read_only": "on" if terms.read_only else "off",
        "search_path": path,
        "statement_timeout": _time(terms.timeout_ms),
        "lock_timeout": _time(terms.timeout_ms),
        **PINS,
    }
    if not terms.read_only:
        connection.exec_driver_sql("SET TRANSACTION READ WRITE")  # where the role's default is to read only
    pinned = ", ".join(f"pg_catalog.set_config('{name}', {_literal(value)}, true)" for name, value in pins.items())
    kept = connection.exec_driver_sql(f"SELECT {pinned}", execution_options=_AS_IT_IS).one()
    status = getattr(getattr(connection.connection.driver_connection, "info", None), "transaction_status", None)
    if status is None:  # this driver can't tell whether a transaction goes on; in one, what was set still stands
        again = ", ".join(f"pg_catalog.current_setting('{name}')" for name in pins)
        kept = connection.exec_driver_sql(f"SELECT {again}", execution_options=_AS_IT_IS).one()
    elif status != _IN_TRANSACTION:
        msg = "The connection commits each statement by itself, so no limit holds on it; no statement is sent."
        raise TargetError(msg)
    for (name, value), found in zip(pins.items(), kept, strict=True):
        if found != value:
            msg = f"The database does not keep {name} as the gateway needs it; no statement is sent."
            raise TargetError(msg)


def _time(milliseconds: int) -> str:
    """Return a time as PostgreSQL shows it."""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0"


def _literal(text: str) -> str:
    """Return a text as a literal that reads alike whatever standard_conforming_strings is."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


DRIVER = Driver(
    backends=("postgresql", "postgres"),
    open=_open,
    guarded=_guarded,
    needs={"psycopg": "PostgreSQL needs psycopg, which is not installed: pip install 'langguard[postgres]'"},
)
