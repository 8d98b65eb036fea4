"""A connection's structure at one moment: what the analyser may resolve names against."""

from typing import Literal

from langguard.protocol._base import Wire

ColumnKind = Literal["text", "number", "boolean", "time", "uuid", "network", "binary", "json", "array", "other"]


class Column(Wire, frozen=True, kw_only=True):
    """One column, in the order the database keeps it.

    Attributes:
        name: As stored (case kept).
        type: The database's own text for the type, such as `character varying(80)`.
        kind: The coarse class that masking decides by.
    """

    name: str
    type: str
    kind: ColumnKind
    nullable: bool = True


class ForeignKey(Wire, frozen=True, kw_only=True):
    """Columns of one table that refer to columns of another."""

    columns: tuple[str, ...]
    table: str  # "schema.table"
    references: tuple[str, ...]


class Table(Wire, frozen=True, kw_only=True):
    """A base table (views are not listed in this version, so a statement that names one is refused)."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()

    @property
    def id(self) -> str:
        """The name policy and facts use: `schema.table`."""
        return f"{self.schema}.{self.name}"


class Catalog(Wire, frozen=True, kw_only=True):
    """The snapshot of one connection.

    Attributes:
        dialect: sqlglot's name: `postgres` or `sqlite`.
        default_schemas: Where an unqualified name is looked up, in order (`public`; `main` for SQLite).
        user_functions: Lower-case names of functions that are not the engine's own; calling one is refused.
        user_operators: Symbols of operators that are not the engine's own.
        version: Hex SHA-256 over the structure; part of every cache key and of each recorded decision.
    """

    dialect: Literal["postgres", "sqlite"]
    default_schemas: tuple[str, ...]
    tables: tuple[Table, ...]
    user_functions: tuple[str, ...] = ()
    user_operators: tuple[str, ...] = ()
    version: str = ""
