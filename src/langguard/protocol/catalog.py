"""A connection's structure at one moment: what the analyser may resolve names against."""

from typing import Literal

from langguard.protocol._base import Wire
from langguard.protocol.facts import Output

SqlDialect = Literal["postgres", "sqlite", "mysql", "duckdb", "tsql", "snowflake", "bigquery"]
"""The parser's names; `mysql` is MariaDB too."""
ColumnKind = Literal["text", "number", "boolean", "time", "uuid", "network", "binary", "json", "array", "other"]


class Column(Wire, frozen=True, kw_only=True):
    """One column, in the order the database keeps it.

    Attributes:
        name: As stored (case kept).
        type: The database's own text for the type, such as `character varying(80)`.
        kind: The coarse class that masking decides by.
        made_of: Columns of the same table that a generated column is computed from.
    """

    name: str
    type: str
    kind: ColumnKind
    nullable: bool = True
    made_of: tuple[str, ...] = ()


class ForeignKey(Wire, frozen=True, kw_only=True):
    """Columns of one table that refer to columns of another."""

    columns: tuple[str, ...]
    table: str  # "schema.table"
    references: tuple[str, ...]


class Table(Wire, frozen=True, kw_only=True):
    """A base table, a partition or a foreign table.

    Attributes:
        parents: Tables it inherits from or is a partition of, `schema.table`: what holds for their columns holds for
            those of the same name here.
        refused: Why statements may not name it, or empty: reading it would run code of the database's owner.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    parents: tuple[str, ...] = ()
    refused: str = ""

    @property
    def id(self) -> str:
        """The name policy and facts use: `schema.table`."""
        return f"{self.schema}.{self.name}"


class View(Wire, frozen=True, kw_only=True):
    """A view or materialized view, judged once by its definition.

    Attributes:
        outputs: For each column, the base columns it derives from.
        touched: Every base column its definition reads.
        decided: Those of them that decide which rows it has; None where that was not looked at, so that all count.
        tables: Base tables its definition reads, and views on the way, `schema.table`.
        query: Its definition in canonical form.
        refused: Why statements may not name it, or empty. With a reason, the fields before are empty.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    outputs: tuple[Output, ...] = ()
    touched: tuple[str, ...] = ()
    decided: tuple[str, ...] | None = None
    tables: tuple[str, ...] = ()
    query: str = ""
    refused: str = ""

    @property
    def id(self) -> str:
        """The name policy and facts use: `schema.view`."""
        return f"{self.schema}.{self.name}"


class Catalog(Wire, frozen=True, kw_only=True):
    """The snapshot of one connection.

    Attributes:
        dialect: The parser's name for it.
        default_schemas: Where an unqualified name is looked up, in order (`public`; `main` for SQLite).
        user_functions: Lower-case names of functions that are not the engine's own; calling one is refused.
        user_operators: Symbols of operators that are not the engine's own.
        user_casts: Types, as the database spells them, to which an explicit cast may run a function that is not the
            engine's own. `*` stands for casts that no text shows.
        allowed_functions: Lower-case names of functions that are not on the engine's list, or are not the engine's own,
            and that the administrator vouches for: they only compute.
        views: Readable and refused ones.
        version: Hex SHA-256 over the structure; part of every cache key and of each recorded decision.
    """

    dialect: SqlDialect
    default_schemas: tuple[str, ...]
    tables: tuple[Table, ...]
    user_functions: tuple[str, ...] = ()
    user_operators: tuple[str, ...] = ()
    user_casts: tuple[str, ...] = ()
    allowed_functions: tuple[str, ...] = ()
    views: tuple[View, ...] = ()
    version: str = ""
