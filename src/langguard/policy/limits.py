"""Which bounds hold for a call: per table the narrowest scope that sets one, over the tables the least."""

from collections.abc import Sequence
from dataclasses import dataclass

from langguard.policy.model import DEFAULT_LIMIT, Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a call is bound to; see model.Limit for the units."""

    rows: int
    timeout_ms: int
    result_bytes: int


def limits_of(limits: Sequence[Limit], connection: str, kind: str, tables: tuple[str, ...] | None) -> Bounds:
    """Return the bounds of a call.

    A table beats its connection, a connection its kind, a kind everywhere; equals take the least. A call over several
    tables takes the least of theirs, so that one generous table does not open another.

    Args:
        limits: The policy's, the one that holds everywhere among them.
        connection: Its name.
        kind: Its kind.
        tables: `schema.table`; None where not known: every limit on the connection then counts.
    """
    near = [limit for limit in limits if limit.on is None or limit.on.reaches(connection, kind)]
    places: tuple[str | None, ...] = tables or (None,)

    def least(field: str) -> int:
        fallback: int = getattr(DEFAULT_LIMIT, field)
        if tables is None:
            return min((value for limit in near if (value := getattr(limit, field)) is not None), default=fallback)
        return min(_of(near, field, table) or fallback for table in places)

    return Bounds(rows=least("rows"), timeout_ms=least("timeout_ms"), result_bytes=least("result_bytes"))


def _of(limits: Sequence[Limit], field: str, table: str | None) -> int | None:
    """Return the bound for one table: the least among the narrowest limits that set it."""
    found = [
        (_narrowness(limit), -value)
        for limit in limits
        if (value := getattr(limit, field)) is not None and _applies(limit, table)
    ]
    return -max(found)[1] if found else None


def _applies(limit: Limit, table: str | None) -> bool:
    if limit.on is None or limit.on.tables is None:
        return True
    return table is not None and limit.on.tables.touches(table)


def _narrowness(limit: Limit) -> int:
    if limit.on is None:
        return 0
    if limit.on.tables is not None:
        return 4 if limit.on.tables.table is not None else 3
    if limit.on.connection != "*":
        return 2
    return 1 if limit.on.kind else 0
