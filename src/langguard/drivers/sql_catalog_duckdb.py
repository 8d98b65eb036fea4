"""DuckDB's structure: tables in order, views by their definitions, and every macro and type that is the owner's own."""

import re
from collections import defaultdict
from typing import Final

from sqlalchemy import Connection

from langguard.protocol import Catalog, Column, ColumnKind, ForeignKey, Table

_KINDS: Final[tuple[tuple[str, ColumnKind], ...]] = (
    (r"VARCHAR|ENUM\b|BIT$|CHAR|TEXT|STRING", "text"),
    (r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$|DECIMAL|DOUBLE$|FLOAT$|REAL$|BIGNUM$", "number"),
    (r"BOOLEAN$", "boolean"),
    (r"DATE$|TIME|INTERVAL$", "time"),
    (r"UUID$", "uuid"),
    (r"JSON$", "json"),
    (r"BLOB$", "binary"),
)
"""By the start of a type's name; what holds other values is told apart by its end or its brackets."""
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)
_HERE: Final = "database_name = current_database() AND NOT internal"


def read(connection: Connection, schemas: tuple[str, ...], allowed: tuple[str, ...]) -> Catalog:
    """Return the structure of these schemas of the open file; `allowed` are functions vouched for."""
    wanted = schemas or ("main",)
    columns: dict[tuple[str, str], list[Column]] = defaultdict(list)
    for schema, table, name, text, nullable in _rows(
        connection,
        f"SELECT schema_name, table_name, column_name, data_type, is_nullable FROM duckdb_columns() WHERE {_HERE} "  # noqa: S608 - constants
        "ORDER BY schema_name, table_name, column_index",
    ):
        if schema in wanted:
            columns[schema, table].append(Column(name=name, type=text, kind=kind_of(text), nullable=bool(nullable)))
    primary, foreign = _keys(connection)
    tables = tuple(
        Table(
            schema=schema,
            name=name,
            columns=tuple(columns[schema, name]),
            primary_key=primary.get((schema, name), ()),
            foreign_keys=tuple(foreign[schema, name]),
        )
        for schema, name in _rows(
            connection,
            f"SELECT schema_name, table_name FROM duckdb_tables() WHERE {_HERE} AND NOT temporary ORDER BY ALL",  # noqa: S608 - constants
        )
        if schema in wanted and (schema, name) in columns
    )
    macros = {name.lower() for (name,) in _rows(connection, _MACROS)}
    types = sorted(name.lower() for (name,) in _rows(connection, f"SELECT type_name FROM duckdb_types() WHERE {_HERE}"))  # noqa: S608 - constants
    catalog = Catalog(
        dialect="duckdb",
        default_schemas=wanted,
        tables=tables,
        user_functions=tuple(sorted(macros)),
        user_operators=tuple(sorted(name for name in macros if not _NAME.fullmatch(name))),
        user_casts=tuple(dict.fromkeys(types)),
        allowed_functions=allowed,
    )
    viewed = [
        (schema, name, text)
        for schema, name, text in _rows(
            connection,
            f"SELECT schema_name, view_name, sql FROM duckdb_views() WHERE {_HERE} AND NOT temporary ORDER BY ALL",  # noqa: S608 - constants
        )
        if schema in wanted
    ]
    if not viewed:
        return catalog
    from langguard.sql.views import Definition, body_of_view, with_views  # noqa: PLC0415 - loads sqlglot

    # Inside a view a macro comes before the engine's own function of that name, called by name or by an operator.
    shadowing = sorted(macros & {name for (name,) in _rows(connection, _OWN)})
    definitions = tuple(
        Definition(
            schema=schema,
            name=name,
            columns=tuple(columns[schema, name]),
            query=body_of_view(text, "duckdb"),
            calls=tuple(shadowing),
            path=(schema, *(other for other in wanted if other != schema)),
        )
        for schema, name, text in viewed
    )
    return with_views(catalog, definitions)


_MACROS: Final = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE NOT internal"
_OWN: Final = "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE internal"


def _rows(connection: Connection, statement: str) -> list[tuple[str, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(statement).fetchall()]


def _keys(
    connection: Connection,
) -> tuple[dict[tuple[str, str], tuple[str, ...]], dict[tuple[str, str], list[ForeignKey]]]:
    primary: dict[tuple[str, str], tuple[str, ...]] = {}
    foreign: dict[tuple[str, str], list[ForeignKey]] = defaultdict(list)
    for schema, table, kind, own, far, references in _rows(
        connection,
        "SELECT schema_name, table_name, constraint_type, constraint_column_names, referenced_table, "
        "referenced_column_names FROM duckdb_constraints() WHERE database_name = current_database() "
        "AND constraint_type IN ('PRIMARY KEY', 'FOREIGN KEY') ORDER BY schema_name, table_name, constraint_index",
    ):
        if kind == "PRIMARY KEY":
            primary[schema, table] = tuple(own)
        else:
            key = ForeignKey(columns=tuple(own), table=f"{schema}.{far}", references=tuple(references))
            foreign[schema, table].append(key)
    return primary, foreign


def kind_of(declared: str) -> ColumnKind:
    """Return the kind of a type by DuckDB's own text for it.

    A struct, map or union may hold text: it counts as JSON, of which every value is looked at. So does a type that
    says nothing, such as a variant.
    """
    text = declared.upper()
    if text.endswith("]"):
        return "array"
    if text.startswith(("STRUCT", "MAP", "UNION", "VARIANT", "TUPLE")):
        return "json"
    return next((kind for pattern, kind in _KINDS if re.match(pattern, text, re.ASCII)), "other")
