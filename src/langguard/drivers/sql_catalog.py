"""Reading a database's structure into the snapshot that the analyser resolves names against."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from langguard.drivers import failures
from langguard.drivers import sql_catalog_postgres as asked
from langguard.errors import TargetError
from langguard.protocol import Catalog, Column, ColumnKind, ForeignKey, Table

_PG_KINDS: dict[str, ColumnKind] = {
    "S": "text",
    "E": "text",
    "N": "number",
    "B": "boolean",
    "D": "time",
    "T": "time",
    "I": "network",
    "A": "array",
}
_PG_NAMED: dict[str, ColumnKind] = {"uuid": "uuid", "json": "json", "jsonb": "json", "bytea": "binary"}


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
        dialect: `postgres` or `sqlite`.
        schemas: PostgreSQL schemas in search order; empty means `public`.
        include: Only these tables (`schema.table`); empty means all.
        exclude: Not these, and no view over them.
        allowed: Functions beyond the engine's list that an administrator vouches for.

    Raises:
        TargetError: The database can't be read, or its dialect is not one of the two.
    """
    vouched = tuple(sorted({name.lower() for name in allowed}))
    try:
        with engine.connect() as connection:
            if dialect == "postgres":
                found = _postgres(connection, tuple(schemas) or ("public",), vouched)
            elif dialect == "sqlite":
                found = _sqlite(connection, vouched)
            else:
                msg = f"The dialect {dialect!r} has no catalogue reader; use postgres or sqlite."
                raise TargetError(msg)
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


def _postgres(connection: Connection, schemas: tuple[str, ...], allowed: tuple[str, ...]) -> Catalog:
    given = {"schemas": list(schemas)}
    # With no schema on the path the server writes each name in a definition with its schema.
    connection.exec_driver_sql("SELECT pg_catalog.set_config('search_path', '', true)")
    columns: dict[tuple[str, str], list[Column]] = defaultdict(list)
    viewed: dict[tuple[str, str], list[Column]] = defaultdict(list)
    for schema, table, name, text, required, category, type_name, sort in connection.exec_driver_sql(
        asked.COLUMNS, given
    ):
        kind = _PG_NAMED.get(type_name) or _PG_KINDS.get(category, "other")
        held = viewed if sort in {"v", "m"} else columns
        held[schema, table].append(Column(name=name, type=text, kind=kind, nullable=not required))
    primary: dict[tuple[str, str], tuple[str, ...]] = {}
    foreign: dict[tuple[str, str], list[ForeignKey]] = defaultdict(list)
    for schema, table, kind, own, far_schema, far_table, far in connection.exec_driver_sql(asked.KEYS, given):
        if kind == "p":
            primary[schema, table] = tuple(own)
        else:
            key = ForeignKey(columns=tuple(own), table=f"{far_schema}.{far_table}", references=tuple(far))
            foreign[schema, table].append(key)
    parents: dict[tuple[str, str], list[str]] = defaultdict(list)
    for schema, table, far_schema, far_table in connection.exec_driver_sql(asked.PARENTS, given):
        parents[schema, table].append(f"{far_schema}.{far_table}")
    refused = _refused_tables(connection, given, allowed)
    tables = tuple(
        Table(
            schema=schema,
            name=table,
            columns=tuple(held),
            primary_key=primary.get((schema, table), ()),
            foreign_keys=tuple(foreign[schema, table]),
            parents=tuple(parents[schema, table]),
            refused=refused.get((schema, table), ""),
        )
        for (schema, table), held in columns.items()
    )
    catalog = Catalog(
        dialect="postgres",
        default_schemas=schemas,
        tables=tables,
        user_functions=tuple(sorted(row[0] for row in connection.exec_driver_sql(asked.FUNCTIONS, given))),
        user_operators=tuple(sorted(row[0] for row in connection.exec_driver_sql(asked.OPERATORS))),
        user_casts=tuple(sorted(row[0] for row in connection.exec_driver_sql(asked.CASTS, given))),
        allowed_functions=allowed,
    )
    if not viewed:
        return catalog
    from langguard.sql.views import Definition, with_views  # noqa: PLC0415 - loads sqlglot, only where there are views

    definitions = tuple(
        Definition(schema=schema, name=name, columns=tuple(viewed[schema, name]), query=text, calls=tuple(calls))
        for schema, name, text, calls in connection.exec_driver_sql(asked.VIEWS, given)
        if (schema, name) in viewed
    )
    return with_views(catalog, definitions)


def _refused_tables(
    connection: Connection, given: dict[str, list[str]], allowed: tuple[str, ...]
) -> dict[tuple[str, str], str]:
    """Return why tables may not be read: reading them runs code of the database's owner that no statement shows."""
    found: dict[tuple[str, str], str] = {}
    for schema, table, column in connection.exec_driver_sql(asked.RISKY, given):
        found.setdefault(
            (schema, table), f"the type of its column {column} has operators or casts of the database's own."
        )
    policies = connection.exec_driver_sql(asked.POLICIES, given).fetchall()
    if not policies:
        return found
    from langguard.sql.views import policy_refused  # noqa: PLC0415 - as above

    for schema, table, text, calls in policies:
        reason = policy_refused((text,), tuple(calls), allowed)
        if reason:
            found.setdefault((schema, table), reason)
    return found


def _sqlite(connection: Connection, allowed: tuple[str, ...]) -> Catalog:
    rows = connection.exec_driver_sql(
        "SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND upper(sql) NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
    ).fetchall()
    catalog = Catalog(
        dialect="sqlite",
        default_schemas=("main",),
        tables=tuple(_sqlite_table(connection, name) for name, kind, _ in rows if kind == "table"),
        allowed_functions=allowed,
    )
    viewed = [(name, text) for name, kind, text in rows if kind == "view"]
    if not viewed:
        return catalog
    from langguard.sql.views import Definition, body_of_sqlite, with_views  # noqa: PLC0415 - as above

    definitions = tuple(
        Definition(schema="main", name=name, columns=_sqlite_view(connection, name), query=body_of_sqlite(text))
        for name, text in viewed
    )
    return with_views(catalog, definitions)


def _sqlite_view(connection: Connection, name: str) -> tuple[Column, ...]:
    """Return a view's columns; none where SQLite itself can't read it."""
    try:
        return _sqlite_table(connection, name).columns
    except DBAPIError:
        return ()


def _sqlite_table(connection: Connection, name: str) -> Table:
    quoted = '"' + name.replace('"', '""') + '"'
    columns: list[Column] = []
    keys: list[tuple[int, str]] = []
    for _, column, text, required, _default, place, hidden in connection.exec_driver_sql(
        f"PRAGMA table_xinfo({quoted})"
    ):
        if hidden == 1:
            continue
        columns.append(Column(name=column, type=text, kind=_affinity(text), nullable=not required))
        if place:
            keys.append((place, column))
    foreign: dict[int, list[Any]] = defaultdict(list)
    for row in connection.exec_driver_sql(f"PRAGMA foreign_key_list({quoted})"):
        foreign[row[0]].append(row)
    return Table(
        schema="main",
        name=name,
        columns=tuple(columns),
        primary_key=tuple(column for _, column in sorted(keys)),
        foreign_keys=tuple(
            ForeignKey(
                columns=tuple(row[3] for row in rows),
                table=f"main.{rows[0][2]}",
                references=tuple(row[4] or "" for row in rows),
            )
            for _, rows in sorted(foreign.items())
        ),
    )


def _affinity(declared: str) -> ColumnKind:
    """Return the kind by SQLite's declared type; a type that says nothing counts as text, which masks more."""
    text = declared.upper()
    rules: tuple[tuple[tuple[str, ...], ColumnKind], ...] = (
        (("BOOL",), "boolean"),
        (("DATE", "TIME"), "time"),
        (("CHAR", "CLOB", "TEXT"), "text"),
        (("INT",), "number"),
        (("REAL", "FLOA", "DOUB", "NUM", "DEC"), "number"),
        (("JSON",), "json"),
        (("UUID",), "uuid"),
    )
    return next((kind for words, kind in rules if any(word in text for word in words)), "text")


def sample(engine: Engine, catalog: Catalog, *, rows: int) -> dict[str, list[Any]]:
    """Read up to `rows` values of every column, `schema.table.column`, for an administrator's own look at the data.

    Raises:
        TargetError: The database can't be read.
    """
    found: dict[str, list[Any]] = {}
    try:
        with engine.connect() as connection:
            for table in catalog.tables:
                place = ".".join('"' + part.replace('"', '""') + '"' for part in (table.schema, table.name))
                names = ", ".join('"' + column.name.replace('"', '""') + '"' for column in table.columns)
                held = connection.exec_driver_sql(f"SELECT {names} FROM {place} LIMIT {int(rows)}").fetchall()  # noqa: S608 - names are quoted
                for number, column in enumerate(table.columns):
                    found[f"{table.id}.{column.name}"] = [row[number] for row in held]
            connection.rollback()
    except SQLAlchemyError as failed:
        raise TargetError(failures.describe(failed)) from None
    return found
