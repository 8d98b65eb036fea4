"""PostgreSQL: a transaction that only reads where the call does, with what gives a text its meaning pinned."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL

from langguard.drivers.sql_base import Cancel, Driver, Terms, pooled


def _open(url: URL) -> Engine:
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    engine = pooled(url)
    if engine.dialect.driver == "psycopg":
        event.listen(engine, "connect", _prepare_psycopg)
    return engine


def _prepare_psycopg(connection: Any, _record: Any) -> None:
    connection.prepare_threshold = None  # a server-side plan could outlive a change of search_path


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
    path = ", ".join(DRIVER.quoted(name) for name in terms.schemas) or "pg_catalog"
    pins = [
        f"SET TRANSACTION {'READ ONLY' if terms.read_only else 'READ WRITE'}",
        f"SET LOCAL statement_timeout = {int(terms.timeout_ms)}",
        f"SET LOCAL lock_timeout = {int(terms.timeout_ms)}",
        f"SET LOCAL search_path TO {path}",
        "SET LOCAL standard_conforming_strings = on",
    ]
    if connection.dialect.driver in {"psycopg", "psycopg2"}:
        pins = ["; ".join(pins)]  # one round trip; other drivers take one statement at a time
    for pin in pins:
        connection.exec_driver_sql(pin)


DRIVER = Driver(
    backends=("postgresql", "postgres"),
    open=_open,
    guarded=_guarded,
    needs={"psycopg": "PostgreSQL needs psycopg, which is not installed: pip install 'langguard[postgres]'"},
)
