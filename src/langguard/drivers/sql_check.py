"""`langguard connection check`: prove each wall against the real database, and say what its role could do too much."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from langguard.drivers import sql_check_duckdb, sql_check_mysql, sql_check_postgres, sql_check_sqlite
from langguard.drivers.sql_check_base import Excess, Target, Wall
from langguard.errors import TargetError

__all__ = ["CHECKS", "Excess", "Findings", "Target", "Wall", "check"]

Check = tuple[Callable[[Target], Iterable[Wall]], Callable[[Target], Iterable[Excess]]]
CHECKS: Final[Mapping[str, Check]] = {
    "postgres": (sql_check_postgres.walls, sql_check_postgres.excess),
    "sqlite": (sql_check_sqlite.walls, sql_check_sqlite.excess),
    "mysql": (sql_check_mysql.walls, sql_check_mysql.excess),
    "duckdb": (sql_check_duckdb.walls, sql_check_duckdb.excess),
}
"""By dialect: what tries the walls, and what looks at the role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a check found.

    Attributes:
        walls: In the order they were tried.
        excess: What the role could do that it should not.
    """

    walls: tuple[Wall, ...]
    excess: tuple[Excess, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of walls that did not hold."""
        return tuple(wall.name for wall in self.walls if not wall.holds)


def check(target: Target) -> Findings:
    """Try every wall of a connection, and look at what its role may do; takes a few seconds.

    Raises:
        TargetError: The database can't be reached, does not answer, or its dialect has no check.
    """
    found = CHECKS.get(target.catalog.dialect)
    if found is None:
        msg = f"The dialect {target.catalog.dialect!r} has no check; use {', '.join(CHECKS)}."
        raise TargetError(msg)
    walls, excess = found
    try:
        target.run("SELECT 1")
        return Findings(walls=tuple(walls(target)), excess=tuple(excess(target)))
    finally:
        target.engine.dispose()  # where a wall is missing, a trial may have left its mark on a session
