"""The schema as text for a model, in the style LangChain's own SQLDatabase writes it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Dialect

from langguard.errors import GatewayUnavailableError
from langguard.protocol import Result

COLUMNS: Final = ("table", "column", "type", "nullable", "primary_key", "references")
"""The columns of the result of a SchemaCall: one row a column, in order, tables together.

`table` is `schema.table`; `nullable` and `primary_key` are booleans; `references` is `schema.table.column` or null.
"""
LONGEST_SAMPLE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnText:
    """One column, in the database's own words."""

    name: str
    type: str
    nullable: bool
    primary_key: bool
    references: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableText:
    """One table a principal may see."""

    schema: str
    name: str
    columns: tuple[ColumnText, ...]

    def shown(self, defaults: Sequence[str]) -> str:
        """Return the name a statement can use: bare where the schema is looked in anyway."""
        return self.name if self.schema in defaults else f"{self.schema}.{self.name}"


def read_tables(result: Result, rows: Iterable[Sequence[Any]]) -> list[TableText]:
    """Return the tables that the answer to a SchemaCall lists.

    Raises:
        GatewayUnavailableError: The answer does not have the columns named above.
    """
    problem = GatewayUnavailableError("The gateway's description of the tables can't be read.")
    if tuple(column.name for column in result.columns) != COLUMNS:
        raise problem
    tables: dict[str, list[ColumnText]] = {}
    for table, name, kind, nullable, primary, references in rows:
        texts = isinstance(table, str) and "." in table and isinstance(name, str) and isinstance(kind, str)
        if not texts or not isinstance(nullable, bool) or not isinstance(primary, bool):
            raise problem
        if references is not None and (not isinstance(references, str) or references.count(".") < 2):
            raise problem
        tables.setdefault(table, []).append(
            ColumnText(name=name, type=kind, nullable=nullable, primary_key=primary, references=references)
        )
    return [
        TableText(schema=table.partition(".")[0], name=table.partition(".")[2], columns=tuple(columns))
        for table, columns in tables.items()
    ]


def create_table(table: TableText, dialect: Dialect, defaults: Sequence[str]) -> str:
    """Return the table as a CREATE TABLE statement; names are quoted only where they must be."""
    quote = dialect.identifier_preparer.quote
    lines = [
        f"\t{quote(column.name)} {one_line(column.type)}{'' if column.nullable else ' NOT NULL'}"
        for column in table.columns
    ]
    keys = [quote(column.name) for column in table.columns if column.primary_key]
    if keys:
        lines.append(f"\tPRIMARY KEY ({', '.join(keys)})")
    for column in table.columns:
        if column.references is not None:
            target, _, key = column.references.rpartition(".")
            schema, _, name = target.partition(".")
            there = quote(name) if schema in defaults else f"{quote(schema)}.{quote(name)}"
            lines.append(f"\tFOREIGN KEY({quote(column.name)}) REFERENCES {there} ({quote(key)})")
    name = quote(table.name) if table.schema in defaults else f"{quote(table.schema)}.{quote(table.name)}"
    return f"\nCREATE TABLE {name} (\n" + ", \n".join(lines) + "\n)"


def sample_statement(table: TableText, dialect: Dialect, defaults: Sequence[str], rows: int) -> str:
    """Return the read of a few rows."""
    quote = dialect.identifier_preparer.quote_identifier
    name = quote(table.name) if table.schema in defaults else f"{quote(table.schema)}.{quote(table.name)}"
    return f"SELECT * FROM {name} LIMIT {rows}"  # noqa: S608 - quoted by the dialect, and judged like any other


def sample_text(table: str, rows: int, names: Sequence[str], found: Iterable[Sequence[Any]]) -> str:
    """Return sample rows as upstream writes them: tabs between values, each cut at 100 characters."""
    lines = ["\t".join(str(value)[:LONGEST_SAMPLE] for value in row) for row in found]
    head = "\t".join(names)
    return f"{rows} rows from {table} table:\n{head}\n" + "\n".join(lines)


def one_line(text: str) -> str:
    """Return text that can't end the comment or line it stands in."""
    return " ".join(text.replace("*/", "* /").split())


def chosen(
    tables: Sequence[TableText], defaults: Sequence[str], *, include: frozenset[str], ignore: frozenset[str]
) -> dict[str, TableText]:
    """Return the tables a component shows, by the name it shows them under, sorted.

    Args:
        tables: All the principal may see.
        defaults: Schemas an unqualified name is looked up in.
        include: Only these, when not empty; bare or qualified.
        ignore: Not these; bare or qualified.
    """
    shown: dict[str, TableText] = {}
    for table in tables:
        names = {table.shown(defaults), f"{table.schema}.{table.name}"}
        if (not include or names & include) and not names & ignore:
            shown[table.shown(defaults)] = table
    return dict(sorted(shown.items()))
