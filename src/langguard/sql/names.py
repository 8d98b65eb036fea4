"""Names: how a dialect compares them, and which belong to the engine."""

import string
from collections.abc import Iterable

from sqlglot import exp

from langguard.sql.refusals import nearest, refuse, refused

LONGEST_NAME = 63
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema", "pg_toast", "pg_temp", "temp"})
SCHEMA_TOOL = "Use the schema tool to see tables and columns."
SQLITE_TABLES = ("sqlite_", "pragma_", "dbstat", "json_each", "json_tree", "fts5vocab", "bytecode", "tables_used")


def lower(name: str) -> str:
    """Return the name in lower case, ASCII letters only, as both engines fold names."""
    return name.translate(_LOWER)


def stored(identifier: exp.Identifier, dialect: str) -> str:
    """Return the name an identifier stands for.

    Raises:
        Refused: It is longer than the engine keeps.
    """
    name = str(identifier.this)
    if dialect == "postgres" and len(name.encode("utf-8", "replace")) > LONGEST_NAME:
        # PostgreSQL cuts it, so that two names which differ here could be one there.
        refuse(
            "construct_not_allowed",
            f"A name may have {LONGEST_NAME} bytes.",
            name,
            position=identifier.meta.get("start"),
            hint="Use a shorter name.",
        )
    return name if dialect == "sqlite" or identifier.args.get("quoted") else lower(name)


def key(name: str, dialect: str) -> str:
    """Return what two spellings of one name have in common."""
    return lower(name) if dialect == "sqlite" else name


def quoted(name: str) -> exp.Identifier:
    """Return an identifier that stands for exactly `name`."""
    return exp.Identifier(this=name, quoted=True)


def is_system(schema: str, name: str, dialect: str) -> bool:
    """Whether a relation belongs to the engine's own catalogue."""
    schema, name = lower(schema), lower(name)
    if schema in SYSTEM_SCHEMAS or schema.startswith(("pg_toast", "pg_temp")):
        return True
    return name.startswith("pg_") if dialect == "postgres" else name.startswith(SQLITE_TABLES)


def no_system_table(table: exp.Table, dialect: str) -> None:
    """Refuse a table of the engine's own catalogue."""
    if is_system(table.db, table.name, dialect):
        refuse(
            "catalogue_not_allowed",
            "Statements may not read the database's own catalogue.",
            ".".join(filter(None, (table.db, table.name))),
            position=table.this.meta.get("start") if isinstance(table.this, exp.Expr) else None,
            hint=SCHEMA_TOOL,
            actions=("metadata",),
        )


def unknown_column(name: str, known: Iterable[str], position: int | None) -> Exception:
    """Return the refusal of a column that no table in reach has."""
    names = sorted(set(known))
    near = nearest(name, names)
    listed = near or names[:12]
    return refused(
        "unknown_column",
        f"There is no column {name[:60]} in the tables named.",
        name,
        position=position,
        hint=f"{'Columns with a name like it' if near else 'The columns are'}: {', '.join(listed)}." if listed else "",
    )
