"""MySQL's and MariaDB's structure, from information_schema: tables in order, views by their definitions, functions.

A credential sees there what it has rights on, so a table it may not use is unknown, and so is a view over one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from langguard.drivers.sql_base import Terms
from langguard.drivers.sql_mysql import pin
from langguard.errors import TargetError
from langguard.protocol import Catalog, Column, ColumnKind, ForeignKey, Table

_TERMS: Final = Terms(timeout_ms=60_000, read_only=True, schemas=(), result_bytes=0)
_KINDS: Final[dict[str, ColumnKind]] = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double"), "number"),
    **dict.fromkeys(("date", "datetime", "timestamp", "time", "year"), "time"),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "bit"), "binary"),
    **dict.fromkeys(("geometry", "point", "linestring", "polygon", "multipoint", "multilinestring"), "other"),
    **dict.fromkeys(("multipolygon", "geometrycollection", "geomcollection", "vector"), "other"),
    "json": "json",
    "uuid": "uuid",
    "inet4": "network",
    "inet6": "network",
}
"""By DATA_TYPE. A type that is not here counts as text, which masks more."""

_ENGINES: Final = frozenset(
    "innodb myisam aria memory archive csv rocksdb columnstore ndbcluster ndb blackhole federated spider s3".split()  # noqa: SIM905
)
"""Storage engines whose tables hold their own rows, or another server's. CONNECT reads files and runs programs, MERGE
shows other tables' rows under its own name."""

_SERVER = "SELECT @@lower_case_table_names, DATABASE()"
_SCHEMATA = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA"
_TABLES = """
SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ({})
ORDER BY TABLE_SCHEMA, TABLE_NAME
"""
_COLUMNS = """
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, IS_NULLABLE, EXTRA, GENERATION_EXPRESSION
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN ({}) ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION
"""
_KEYS = """
SELECT TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME,
       REFERENCED_COLUMN_NAME
FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA IN ({})
AND (CONSTRAINT_NAME = 'PRIMARY' OR REFERENCED_TABLE_NAME IS NOT NULL) ORDER BY CONSTRAINT_NAME, ORDINAL_POSITION
"""
_VIEWS = "SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA IN ({})"
# Of all schemas: an unqualified call looks in the connection's own, which need not be one of those that are read.
_ROUTINES = "SELECT DISTINCT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE <> 'PROCEDURE'"
_LOADED = "SELECT name FROM mysql.func"

Place = tuple[str, str]


def read(connection: Connection, schemas: tuple[str, ...], allowed: tuple[str, ...]) -> Catalog:
    """Return the structure of these schemas, or of the connection's own; `allowed` are functions vouched for.

    Raises:
        TargetError: A schema is not there, or none is given and the connection has none.
    """
    pin(connection, _TERMS)
    folded, current = connection.exec_driver_sql(_SERVER).one()
    wanted = schemas or ((current,) if current else ())
    if not wanted:
        msg = "The connection's credential names no database, and its settings no schemas; give one of the two."
        raise TargetError(msg)
    there = _named(wanted, [row[0] for row in connection.exec_driver_sql(_SCHEMATA)], exact=not folded)
    columns: dict[Place, list[Column]] = defaultdict(list)
    for schema, table, name, text, sort, nullable, extra, made in _ask(connection, _COLUMNS, there):
        if "INVISIBLE" in str(extra).upper():
            continue  # a star does not show it, and no statement can name it here
        kind = _KINDS.get(str(sort).lower(), "text")
        column = Column(name=name, type=_text(text), kind=kind, nullable=nullable == "YES", made_of=(_text(made),))
        columns[schema, table].append(column if made else msgspec.structs.replace(column, made_of=()))
    primary, foreign = _keys(connection, there)
    sorts = {(row[0], row[1]): (row[2], row[3]) for row in _ask(connection, _TABLES, there)}
    twins = Counter((schema, table.lower()) for schema, table in sorts)
    tables = tuple(
        Table(
            schema=schema,
            name=table,
            columns=_made_of(tuple(columns[schema, table])),
            primary_key=tuple(primary[schema, table]),
            foreign_keys=foreign[schema, table],
            refused=_refused(engine, alone=twins[schema, table.lower()] == 1),
        )
        for (schema, table), (sort, engine) in sorts.items()
        if sort in {"BASE TABLE", "SYSTEM VERSIONED"}
    )
    catalog = Catalog(
        dialect="mysql",
        default_schemas=there,
        tables=tables,
        user_functions=_functions(connection),
        allowed_functions=allowed,
    )
    viewed = {place: tuple(columns[place]) for place, (sort, _) in sorts.items() if sort == "VIEW"}
    if not viewed:
        return catalog
    from langguard.sql.views import Definition, with_views  # noqa: PLC0415 - loads sqlglot, only where there are views

    texts = {(row[0], row[1]): _text(row[2]) for row in _ask(connection, _VIEWS, there)}
    definitions = tuple(
        Definition(schema=schema, name=name, columns=held, query=texts.get((schema, name), ""))
        for (schema, name), held in viewed.items()
    )
    return with_views(catalog, definitions)


def _named(wanted: Sequence[str], there: Sequence[str], *, exact: bool) -> tuple[str, ...]:
    """Return the schemas asked for as the server spells them."""
    spelled = {name if exact else name.lower(): name for name in there}
    found: list[str] = []
    for name in wanted:
        held = spelled.get(name if exact else name.lower())
        if held is None:
            msg = f"The database has no schema {name[:64]!r} that the credential may use."
            raise TargetError(msg)
        found.append(held)
    return tuple(dict.fromkeys(found))


def _ask(connection: Connection, query: str, schemas: Sequence[str]) -> list[Any]:
    """Return rows of these schemas only: the server compares names without regard to case, and to some accents."""
    names = ", ".join("'" + name.replace("\\", "\\\\").replace("'", "''") + "'" for name in schemas)
    text = query.format(names)
    return [
        row
        for row in connection.exec_driver_sql(text, execution_options={"no_parameters": True}).fetchall()
        if row[0] in schemas
    ]


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")


def _keys(
    connection: Connection, schemas: Sequence[str]
) -> tuple[dict[Place, list[str]], dict[Place, tuple[ForeignKey, ...]]]:
    primary: dict[Place, list[str]] = defaultdict(list)
    parts: dict[tuple[str, str, str], list[tuple[str, str, str]]] = defaultdict(list)
    for schema, table, key, column, far_schema, far_table, far in _ask(connection, _KEYS, schemas):
        if far_table is None:
            primary[schema, table].append(column)
        else:
            parts[schema, table, key].append((column, f"{far_schema}.{far_table}", far))
    foreign: dict[Place, tuple[ForeignKey, ...]] = defaultdict(tuple)
    for (schema, table, _), held in parts.items():
        key = ForeignKey(
            columns=tuple(part[0] for part in held), table=held[0][1], references=tuple(part[2] for part in held)
        )
        foreign[schema, table] += (key,)
    return primary, foreign


def _refused(engine: str | None, *, alone: bool) -> str:
    if not alone:
        return "another table's name differs from its name in case only."
    if str(engine).lower() not in _ENGINES:
        return f"its storage engine ({str(engine)[:40]}) is not known to hold the table's own rows."
    return ""


def _made_of(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Put the names of columns in place of the expressions of generated ones."""
    if not any(column.made_of for column in columns):
        return columns
    from langguard.sql.views import names_in  # noqa: PLC0415 - as above

    known = [column.name for column in columns]
    return tuple(
        msgspec.structs.replace(column, made_of=names_in(column.made_of[0], "mysql", known))
        if column.made_of
        else column
        for column in columns
    )


def _functions(connection: Connection) -> tuple[str, ...]:
    """Return the names of functions that are not the engine's own."""
    found: Iterable[Any] = connection.exec_driver_sql(_ROUTINES).fetchall()
    names = {str(row[0]).lower() for row in found}
    try:
        names |= {_text(row[0]).lower() for row in connection.exec_driver_sql(_LOADED)}
    except DBAPIError:
        connection.rollback()  # only an administrator's credential may read it
    return tuple(sorted(names))
