"""What upstream callers get of a result: rows as dicts, or a SQLAlchemy result that needs no connection."""

from typing import Any, NoReturn

from sqlalchemy.engine import Dialect, IteratorResult
from sqlalchemy.engine import Result as SQLResult
from sqlalchemy.engine.result import SimpleResultMetaData

from langguard.client.run import decoded
from langguard.components.sql_errors import NotReachableError, sql_errors, unreachable
from langguard.protocol import Result


def as_dicts(result: Result, fetch: str) -> list[dict[str, Any]]:
    """Return the rows (with `one`, the first) as dicts; of columns with one name the last counts, as upstream."""
    with sql_errors():
        rows = decoded(result)
    names = [column.name for column in result.columns]
    return [dict(zip(names, row, strict=True)) for row in (rows[:1] if fetch == "one" else rows) if names]


def as_cursor(result: Result) -> SQLResult[Any] | list[dict[str, Any]]:
    """Return the rows as SQLAlchemy's Result; an empty list for a statement without rows, as upstream."""
    if not result.columns:
        return []
    with sql_errors():
        rows = decoded(result)
    names = [column.name for column in result.columns]
    return IteratorResult(SimpleResultMetaData(names), iter(rows))


class CompileOnly:
    """Stands where an engine would, for `statement.compile(bind=...)`; there is nothing else to it."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def __getattr__(self, name: str) -> NoReturn:
        raise NotReachableError(unreachable(f"_engine.{name}"))
