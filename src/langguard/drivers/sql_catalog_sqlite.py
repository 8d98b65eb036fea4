"""SQLite's structure: its tables in order, and its views by their definitions."""

from collections import defaultdict
from typing import Any

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from langguard.protocol import Catalog, Column, ColumnKind, ForeignKey, Table


def read(connection: Connection, _schemas: tuple[str, ...], allowed: tuple[str, ...]) -> Catalog:
    """Return the structure of the database `main`; `allowed` are functions vouched for."""
    rows = connection.exec_driver_sql(
        "SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND upper(sql) NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
    ).fetchall()
    catalog = Catalog(
        dialect="sqlite",
        default_schemas=("main",),
        tables=tuple(_sqlite_table(connection, name, text) for name, kind, text in rows if kind == "table"),
        allowed_functions=allowed,
    )
    viewed = [(name, text) for name, kind, text in rows if kind == "view"]
    if not viewed:
        return catalog
    from langguard.sql.views import Definition, body_of_view, with_views  # noqa: PLC0415 - as above

    definitions = tuple(
        Definition(schema="main", name=name, columns=_sqlite_view(connection, name), query=body_of_view(text, "sqlite"))
        for name, text in viewed
    )
    return with_views(catalog, definitions)


def _sqlite_view(connection: Connection, name: str) -> tuple[Column, ...]:
    """Return a view's columns; none where SQLite itself can't read it."""
    try:
        return _sqlite_table(connection, name).columns
    except DBAPIError:
        return ()


def _sqlite_table(connection: Connection, name: str, text: str = "") -> Table:
    quoted = '"' + name.replace('"', '""') + '"'
    columns: list[Column] = []
    keys: list[tuple[int, str]] = []
    for _, column, declared, required, _default, place, hidden in connection.exec_driver_sql(
        f"PRAGMA table_xinfo({quoted})"
    ):
        if hidden == 1:
            continue
        kind, made = _affinity(declared), (text,) if hidden else ()
        columns.append(Column(name=column, type=declared, kind=kind, nullable=not required, made_of=made))
        if place:
            keys.append((place, column))
    foreign: dict[int, list[Any]] = defaultdict(list)
    for row in connection.exec_driver_sql(f"PRAGMA foreign_key_list({quoted})"):
        foreign[row[0]].append(row)
    return Table(
        schema="main",
        name=name,
        columns=_made_of(tuple(columns)),
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


def _made_of(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Put the names of columns in place of the table's definition, where a column is generated."""
    if not any(column.made_of for column in columns):
        return columns
    from langguard.sql.views import generated_by, with_makings  # noqa: PLC0415 - as above

    makings = tuple(
        msgspec.structs.replace(c, made_of=(generated_by(c.made_of[0], c.name, "sqlite"),)) if c.made_of else c
        for c in columns
    )
    return with_makings(makings, "sqlite")
