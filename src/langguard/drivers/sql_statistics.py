"""What a database knows of the sizes of its tables: versioned apart from their structure, and never a value."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from langguard.drivers import failures
from langguard.errors import TargetError

_POSTGRES: Final = """
SELECT n.nspname || '.' || c.relname, greatest(c.reltuples, 0)::bigint FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'm') AND n.nspname !~ '^pg_|^information_schema$'
"""
_MYSQL: Final = """
SELECT CONCAT(table_schema, '.', table_name), COALESCE(table_rows, 0) FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')
"""
_DUCKDB: Final = "SELECT schema_name || '.' || table_name, estimated_size FROM duckdb_tables() WHERE NOT internal"
_ASKED: Final[Mapping[str, str]] = {"postgres": _POSTGRES, "mysql": _MYSQL, "duckdb": _DUCKDB}
_KEPT_BITS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The sizes of tables as the engine last counted or guessed them.

    Attributes:
        rows: By `schema.table`; a table that was never counted may be missing, or 0.
        indexes: SQLite: by index, the rows of its table and how many share a value of its first column, first two...
        version: Hex SHA-256; sizes that differ by less than a sixteenth are the same version.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    indexes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    version: str = ""


def read_statistics(engine: Engine, *, dialect: str) -> Statistics:
    """Read what the engine knows of its tables' sizes; an engine that keeps nothing gives none.

    Raises:
        TargetError: The database can't be read.
    """
    try:
        with engine.connect() as connection:
            if dialect == "sqlite":
                rows, indexes = _sqlite(connection)
            elif dialect in _ASKED:
                found = connection.exec_driver_sql(_ASKED[dialect], execution_options={"no_parameters": True})
                rows, indexes = {str(name): int(count) for name, count in found}, {}
            else:
                return Statistics()
            connection.rollback()
    except SQLAlchemyError as failed:
        raise TargetError(failures.describe(failed)) from None
    return versioned(rows, indexes)


def versioned(rows: Mapping[str, int], indexes: Mapping[str, Sequence[int]]) -> Statistics:
    """Return the statistics with their version."""
    rough = {
        "rows": {name: _rough(count) for name, count in rows.items()},
        "indexes": {name: [_rough(count) for count in counts] for name, counts in indexes.items()},
    }
    return Statistics(
        rows=dict(rows),
        indexes={name: tuple(counts) for name, counts in indexes.items()},
        version=hashlib.sha256(msgspec.json.encode(rough, order="deterministic")).hexdigest(),
    )


def _rough(count: int) -> int:
    """Return the leading bits of a count, so that a few rows more are no news."""
    low = max(count.bit_length() - _KEPT_BITS, 0)
    return count >> low << low


def _sqlite(connection: Connection) -> tuple[dict[str, int], dict[str, tuple[int, ...]]]:
    """Return what ANALYZE left behind, if it ever ran."""
    rows: dict[str, int] = {}
    indexes: dict[str, tuple[int, ...]] = {}
    if not connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchall():
        return rows, indexes
    for table, index, stat in connection.exec_driver_sql("SELECT tbl, idx, stat FROM sqlite_stat1"):
        counts = tuple(int(word) for word in str(stat).split() if word.isdigit())
        if not counts:
            continue
        name = f"main.{table}"
        rows[name] = max(rows.get(name, 0), counts[0])
        if index is not None:
            indexes[str(index)] = counts
    return rows, indexes
