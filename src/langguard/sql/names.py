"""Names: how a dialect compares them, and where a table's name leads."""

import string
from collections.abc import Iterable

from sqlglot import exp

from langguard.protocol import Catalog, Table
from langguard.sql.refusals import nearest, refuse, refused

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema", "pg_toast", "pg_temp", "temp"})
SCHEMA_TOOL = "Use the schema tool to see tables and columns."
SQLITE_TABLES = ("sqlite_", "pragma_", "dbstat", "json_each", "json_tree", "fts5vocab", "bytecode", "tables_used")


def lower(name: str) -> str:
    """Return the name in lower case, ASCII letters only, as both engines fold names."""
    return name.translate(_LOWER)


def stored(identifier: exp.Identifier, dialect: str) -> str:
    """Return the name an identifier stands for."""
    name = str(identifier.this)
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


class Tables:
    """Looks tables up in one catalogue."""

    def __init__(self, catalog: Catalog) -> None:
        self._dialect = catalog.dialect
        self._schemas = catalog.default_schemas
        self._by_key = {(self._key(t.schema), self._key(t.name)): t for t in catalog.tables}

    def _key(self, name: str) -> str:
        return key(name, self._dialect)

    def find(self, node: exp.Table) -> Table:
        """Return the base table that a node names.

        Raises:
            Refused: There is none, or the name leads into the engine's own catalogue.
        """
        no_system_table(node, self._dialect)
        if not isinstance(node.this, exp.Identifier):
            refuse("construct_not_allowed", "This is not the name of a table.", str(node.name))
        name = self._key(stored(node.this, self._dialect))
        db = node.args.get("db")
        schemas = [stored(db, self._dialect)] if isinstance(db, exp.Identifier) else list(self._schemas)
        for schema in schemas:
            found = self._by_key.get((self._key(schema), name))
            if found is not None:
                return found
        raise self._unknown(node)

    def _unknown(self, node: exp.Table) -> Exception:
        wanted = ".".join(filter(None, (node.db, node.name)))
        shown = {(t.name if t.schema in self._schemas else t.id): t for t in self._by_key.values()}
        near = nearest(node.name, shown)
        if near:
            hint = f"Tables with a name like it: {', '.join(near)}."
        else:
            hint = SCHEMA_TOOL if len(shown) > 12 else f"The tables are: {', '.join(sorted(shown)) or '(none)'}."
        return refused(
            "unknown_table",
            f"There is no table {wanted[:60]} here.",
            wanted,
            position=node.this.meta.get("start"),
            hint=hint,
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
