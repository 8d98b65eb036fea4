"""The dialects of connections, as the configuration names them."""

from collections.abc import Mapping
from typing import Final

from langguard.protocol import SqlDialect

ADDRESSES: Final[Mapping[SqlDialect, tuple[str, ...]]] = {
    "postgres": ("postgresql", "postgres"),
    "sqlite": ("sqlite",),
    "mysql": ("mysql", "mariadb"),
    "duckdb": ("duckdb",),
}
"""What a target's address may start with."""
FILES: Final = {"sqlite": "SQLite", "duckdb": "DuckDB"}
"""Those whose database is a file, which is no secret."""


def named(text: str) -> SqlDialect:
    """Return the dialect of a name that is in ADDRESSES."""
    return next(dialect for dialect in ADDRESSES if dialect == text)
