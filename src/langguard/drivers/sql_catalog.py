"""Reading a database's structure into the snapshot that the analyser resolves names against."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from langguard.drivers import failures, sql_catalog_duckdb, sql_catalog_mysql, sql_catalog_postgres, sql_catalog_sqlite
from langguard.drivers.sql import DRIVERS
from langguard.errors import TargetError
from langguard.protocol import Catalog

_READERS: Final[Mapping[str, Callable[[Connection, tuple[str, ...], tuple[str, ...]], Catalog]]] = {
    "postgres": sql_catalog_postgres.read,
    "sqlite": sql_catalog_sqlite.read,
    "mysql": sql_catalog_mysql.read,
    "duckdb": sql_catalog_duckdb.read,
}
"""By dialect: connection, schemas (empty: the engine's own), functions vouched for."""


def snapshot(
    engine: Engine,
    *,
    dialect: str,
    schemas: Sequence[str] = (),
    include: Collection[str] = (),
    exclude: Collection[str] = (),
    allowed: Collection[str] = (),
) -> Catalog:
    """Read the structure of the tables a credential may use.

    Args:
        engine: A credential that may read the database's own catalogue.
        dialect: One that has a reader.
        schemas: Schemas in search order; empty means the engine's own default (PostgreSQL's `public`).
        include: Only these tables (`schema.table`); empty means all.
        exclude: Not these, and no view over them.
        allowed: Functions beyond the engine's list that an administrator vouches for.

    Raises:
        TargetError: The database can't be read, or its dialect has no reader.
    """
    vouched = tuple(sorted({name.lower() for name in allowed}))
    read = _READERS.get(dialect)
    if read is None:
        msg = f"The dialect {dialect!r} has no catalogue reader; use {', '.join(_READERS)}."
        raise TargetError(msg)
    try:
        with engine.connect() as connection:
            found = read(connection, tuple(schemas), vouched)
            connection.rollback()
    except SQLAlchemyError as failed:
        raise TargetError(failures.describe(failed)) from None
    kept = tuple(table for table in found.tables if (not include or table.id in include) and table.id not in exclude)
    views = tuple(
        view
        for view in found.views
        if (not include or view.id in include) and view.id not in exclude and not set(view.tables) & set(exclude)
    )
    return with_version(msgspec.structs.replace(found, tables=kept, views=views))


def with_version(catalog: Catalog) -> Catalog:
    """Return the catalogue with its version: SHA-256 over its structure."""
    bare = msgspec.structs.replace(catalog, version="")
    digest = hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()
    return msgspec.structs.replace(bare, version=digest)


def sample(engine: Engine, catalog: Catalog, *, rows: int) -> dict[str, list[Any]]:
    """Read up to `rows` values of every column, `schema.table.column`, for an administrator's own look at the data.

    Raises:
        TargetError: The database can't be read.
    """
    found: dict[str, list[Any]] = {}
    quoted = DRIVERS[catalog.dialect].quoted
    try:
        with engine.connect() as connection:
            for table in catalog.tables:
                place = f"{quoted(table.schema)}.{quoted(table.name)}"
                names = ", ".join(quoted(column.name) for column in table.columns)
                held = connection.exec_driver_sql(f"SELECT {names} FROM {place} LIMIT {int(rows)}").fetchall()  # noqa: S608 - names are quoted
                for number, column in enumerate(table.columns):
                    found[f"{table.id}.{column.name}"] = [row[number] for row in held]
            connection.rollback()
    except SQLAlchemyError as failed:
        raise TargetError(failures.describe(failed)) from None
    return found
