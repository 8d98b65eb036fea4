"""Reading a database's structure into the snapshot that the analyser resolves names against."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from langguard.drivers import failures
from langguard.errors import TargetError
from langguard.protocol import Catalog, Column, ColumnKind, ForeignKey, Table

_PG_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
       t.typcategory::text, t.typname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY (%(schemas)s)
  AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT,INSERT,UPDATE')
ORDER BY n.nspname, c.relname, a.attnum
"""
_PG_KEYS = """
SELECT n.nspname, c.relname, k.contype::text,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.place) FROM pg_catalog.unnest(k.conkey)
          WITH ORDINALITY u(num, place) JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num),
       fn.nspname, fc.relname,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.place) FROM pg_catalog.unnest(k.confkey)
          WITH ORDINALITY u(num, place) JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num)
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class fc ON fc.oid = k.confrelid
LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = fc.relnamespace
WHERE k.contype IN ('p', 'f') AND n.nspname = ANY (%(schemas)s)
ORDER BY k.conname
"""
# Only overloads that could be chosen for built-in types: an extension's `avg(vector)` does not taint `avg(numeric)`.
_PG_FUNCTIONS = """
SELECT DISTINCT pg_catalog.lower(p.proname::text) FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
AND NOT EXISTS (SELECT 1 FROM pg_catalog.unnest(p.proargtypes) u(kind) JOIN pg_catalog.pg_type t ON t.oid = u.kind
  JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace WHERE tn.nspname <> 'pg_catalog')
"""
_PG_OPERATORS = """
SELECT DISTINCT o.oprname::text FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
  WHERE t.oid IN (o.oprleft, o.oprright) AND tn.nspname <> 'pg_catalog')
"""
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
) -> Catalog:
    """Read the structure of the tables a credential may use.

    Args:
        engine: A credential that may read the database's own catalogue.
        dialect: `postgres` or `sqlite`.
        schemas: PostgreSQL schemas in search order; empty means `public`.
        include: Only these tables (`schema.table`); empty means all.
        exclude: Not these.

    Raises:
        TargetError: The database can't be read, or its dialect is not one of the two.
    """
    try:
        with engine.connect() as connection:
            if dialect == "postgres":
                found = _postgres(connection, tuple(schemas) or ("public",))
            elif dialect == "sqlite":
                found = _sqlite(connection)
            else:
                msg = f"The dialect {dialect!r} has no catalogue reader; use postgres or sqlite."
                raise TargetError(msg)
            connection.rollback()
    except SQLAlchemyError as failed:
        raise TargetError(failures.describe(failed, "")) from None
    kept = tuple(table for table in found.tables if (not include or table.id in include) and table.id not in exclude)
    return with_version(msgspec.structs.replace(found, tables=kept))


def with_version(catalog: Catalog) -> Catalog:
    """Return the catalogue with its version: SHA-256 over its structure."""
    bare = msgspec.structs.replace(catalog, version="")
    digest = hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()
    return msgspec.structs.replace(bare, version=digest)


def _postgres(connection: Connection, schemas: tuple[str, ...]) -> Catalog:
    given = {"schemas": list(schemas)}
    columns: dict[tuple[str, str], list[Column]] = defaultdict(list)
    for schema, table, name, text, required, category, type_name in connection.exec_driver_sql(_PG_COLUMNS, given):
        kind = _PG_NAMED.get(type_name) or _PG_KINDS.get(category, "other")
        columns[schema, table].append(Column(name=name, type=text, kind=kind, nullable=not required))
    primary: dict[tuple[str, str], tuple[str, ...]] = {}
    foreign: dict[tuple[str, str], list[ForeignKey]] = defaultdict(list)
    for schema, table, kind, own, far_schema, far_table, far in connection.exec_driver_sql(_PG_KEYS, given):
        if kind == "p":
            primary[schema, table] = tuple(own)
        else:
            key = ForeignKey(columns=tuple(own), table=f"{far_schema}.{far_table}", references=tuple(far))
            foreign[schema, table].append(key)
    tables = tuple(
        Table(
            schema=schema,
            name=table,
            columns=tuple(held),
            primary_key=primary.get((schema, table), ()),
            foreign_keys=tuple(foreign[schema, table]),
        )
        for (schema, table), held in columns.items()
    )
    functions = tuple(sorted(row[0] for row in connection.exec_driver_sql(_PG_FUNCTIONS)))
    operators = tuple(sorted(row[0] for row in connection.exec_driver_sql(_PG_OPERATORS)))
    return Catalog(
        dialect="postgres",
        default_schemas=schemas,
        tables=tables,
        user_functions=functions,
        user_operators=operators,
    )


def _sqlite(connection: Connection) -> Catalog:
    names = [
        row[0]
        for row in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
            "AND upper(sql) NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
        )
    ]
    return Catalog(
        dialect="sqlite", default_schemas=("main",), tables=tuple(_sqlite_table(connection, n) for n in names)
    )


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
        raise TargetError(failures.describe(failed, "")) from None
    return found
