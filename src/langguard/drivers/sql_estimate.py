"""How many rows a database expects of a statement: EXPLAIN, never ANALYZE. Nothing runs, and only numbers are read.

A plan quotes the statement's values, so nothing of it is kept or told but counts. What can't be read is not known: a
guess too low would let through what a rule means to stop.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from langguard.drivers.sql import run_statement
from langguard.drivers.sql_base import Cancel
from langguard.drivers.sql_statistics import Statistics
from langguard.errors import TargetError
from langguard.flow import Estimate, Rows

ASKED: Final[Mapping[str, str]] = {
    "postgres": "EXPLAIN (FORMAT JSON) ",
    "mysql": "EXPLAIN FORMAT=JSON ",
    "duckdb": "EXPLAIN (FORMAT json) ",
    "sqlite": "EXPLAIN QUERY PLAN ",
}
"""What is put before a statement, by dialect."""
_READS_ONLY: Final = ("sqlite", "mysql", "duckdb")
"""Dialects that explain a write only where it could run."""
_PLAN_BYTES: Final = 4_000_000
_PLAN_LINES: Final = 2_000
_LARGEST: Final = 2**53 - 1
_SCAN: Final = re.compile(r"SCAN .+", re.DOTALL)
_SEARCH: Final = re.compile(r"SEARCH .+? USING (?:COVERING |AUTOMATIC |PARTIAL )*INDEX (\S+) \(([^()]*)\)", re.DOTALL)
_BY_ROWID: Final = re.compile(r"SEARCH .+? USING INTEGER PRIMARY KEY \(rowid=\?\)", re.DOTALL)
_ANY_SEARCH: Final = re.compile(r"SEARCH .+", re.DOTALL)
_SORTING: Final = re.compile(r"USE TEMP B-TREE FOR .+")
_CUTS: Final = frozenset({"LIMIT", "STREAMING_LIMIT", "LIMIT_PERCENT", "TOP_N"})
_UNREADABLE: Final = "The database's plan can't be read."


def estimate(
    engine: Any,
    statement: str,
    binds: Sequence[Any],
    *,
    dialect: str,
    timeout_ms: int,
    schemas: Sequence[str],
    tables: Sequence[str],
    statistics: Statistics,
    limit: int | None = None,
    cancel: Cancel | None = None,
) -> Estimate:
    """Ask what a statement would return or change, without running it.

    Args:
        engine: Where; the question runs read-only, with the same settings pinned as a call.
        statement: Canonical text, without our row cap.
        binds: Python values for `$1`...
        dialect: One of ASKED.
        timeout_ms: For the question.
        schemas: Where unqualified names are looked up.
        tables: Every table the statement names, `schema.table`.
        statistics: What is known of their sizes.
        limit: The statement's own literal LIMIT, which not every plan counts.
        cancel: To end it from another thread.

    Raises:
        TargetError: The database refused or failed it, or its plan can't be read. The text quotes no value.
    """
    asked = ASKED.get(dialect)
    if asked is None:
        msg = f"The dialect {dialect!r} gives no estimates here."
        raise TargetError(msg)
    if dialect in _READS_ONLY and statement.startswith(("INSERT ", "UPDATE ", "DELETE ", "REPLACE ")):
        msg = "This database gives no estimates for writes."
        raise TargetError(msg)
    found = run_statement(
        engine,
        asked + statement,
        binds,
        dialect=dialect,
        rows=_PLAN_LINES,
        timeout_ms=timeout_ms,
        read_only=True,
        schemas=schemas,
        result_bytes=_PLAN_BYTES,
        cancel=cancel,
    )
    try:
        rows, scanned, cost = _READ[dialect](found, tuple(tables), statistics)
    except TargetError:
        raise
    except Exception:  # noqa: BLE001 - a plan of any other shape; its text may quote values
        raise TargetError(_UNREADABLE) from None
    if rows is not None and limit is not None:
        rows = min(rows, limit)
    return Estimate(statement=statement, rows=_count(rows), scanned=_count(scanned), cost=_count(cost))


def _count(number: float | None) -> int | None:
    if number is None or math.isnan(number) or number < 0:
        return None
    return min(math.ceil(number), _LARGEST) if math.isfinite(number) else _LARGEST


def _document(found: Rows) -> Any:
    """Return the plan as JSON: the last value of the only row."""
    (row,) = found.rows
    held = row[-1]
    return json.loads(held) if isinstance(held, (str, bytes)) else held


_Read = tuple[float | None, float | None, float | None]


def _postgres(found: Rows, _: tuple[str, ...], statistics: Statistics) -> _Read:
    plan = _document(found)[0]["Plan"]
    sizes: dict[str, int] = {}
    for table, count in statistics.rows.items():
        bare = table.partition(".")[2]
        sizes[bare] = max(sizes.get(bare, 0), count)
    scanned = 0.0
    for node in _nodes(plan, "Plans"):
        if "Relation Name" in node and "Operation" not in node:
            whole = sizes.get(node["Relation Name"], 0) if node["Node Type"] == "Seq Scan" else 0
            scanned += max(float(node["Plan Rows"]), whole)
    top = plan
    while top["Node Type"] == "ModifyTable" and not top["Plan Rows"]:  # without RETURNING it gives back no row
        top = next(node for node in top["Plans"] if node.get("Parent Relationship") in {"Outer", "Member"})
    return float(top["Plan Rows"]), scanned, float(plan["Total Cost"])


def _nodes(node: Mapping[str, Any], below: str) -> Iterator[Mapping[str, Any]]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += one.get(below, ())


def _duckdb(found: Rows, _: tuple[str, ...], __: Statistics) -> _Read:
    (top,) = _document(found)
    scanned = sum(
        _expected(node) or 0.0 for node in _nodes(top, "children") if "Table" in (node.get("extra_info") or {})
    )
    return _left(top), scanned, None


def _left(node: Mapping[str, Any]) -> float:
    """Return the rows a node gives back: as it says itself, but for those that say nothing, or 0 for "not known"."""
    said = _expected(node)
    below = node["children"]
    if node["name"] in _CUTS and not said:
        return max(_left(each) for each in below)
    if said is not None:
        return said
    if node["name"] == "UNION":
        return sum(_left(each) for each in below)
    raise TargetError(_UNREADABLE)


def _expected(node: Mapping[str, Any]) -> float | None:
    info = node.get("extra_info") or {}
    said = info.get("Estimated Cardinality") if isinstance(info, Mapping) else None
    return None if said is None else float(str(said).lstrip("~"))


def _sqlite(found: Rows, tables: tuple[str, ...], statistics: Statistics) -> _Read:
    """Return a bound rather than an estimate: each loop over a table counts all its rows, unless an index says fewer.

    A plan names tables by their aliases, which the statement chooses, so each loop counts as one over the largest.
    """
    counted = [statistics.rows.get(table) for table in tables]
    if not all(count is not None for count in counted):
        msg = "The database has not counted its tables: its owner runs ANALYZE."
        raise TargetError(msg)
    largest = max((count for count in counted if count is not None), default=1)
    rows, scanned = 1.0, 0.0
    for *_, detail in found.rows:
        if _SORTING.fullmatch(detail):
            continue
        if _BY_ROWID.fullmatch(detail):
            step = 1.0
        elif _ANY_SEARCH.fullmatch(detail):
            step = _searched(detail, largest, statistics)
        elif _SCAN.fullmatch(detail) and not detail.startswith("SCAN CONSTANT ROW"):
            step = float(largest)
        elif detail == "SCAN CONSTANT ROW":
            step = 1.0
        else:
            msg = "The statement has parts whose rows this database does not estimate; write it without subqueries."
            raise TargetError(msg)
        scanned += rows * step
        rows *= max(step, 1.0)
    return rows, scanned, None


def _searched(detail: str, largest: int, statistics: Statistics) -> float:
    match = _SEARCH.fullmatch(detail)
    counts = statistics.indexes.get(match[1]) if match else None
    if match is None or counts is None:
        return float(largest)
    terms = match[2].split(" AND ")
    equal = len(terms) if all(term.endswith("=?") for term in terms) else 0
    return float(counts[min(equal, len(counts) - 1)])


def _mysql(found: Rows, _: tuple[str, ...], __: Statistics) -> _Read:
    document = _document(found)
    rows, scanned = _block(document["query_block"])
    return rows, scanned, None


def _block(block: Mapping[str, Any]) -> tuple[float, float]:
    """Return the rows of one query block and the rows gone through for it; subqueries' are added to the second."""
    if "union_result" in block:
        parts = [_block(each["query_block"]) for each in block["union_result"]["query_specifications"]]
        return sum(rows for rows, _ in parts), sum(scanned for _, scanned in parts)
    rows, scanned = 1.0, 0.0
    loops = 0
    waiting: list[Any] = [block]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += reversed(one)
            continue
        if not isinstance(one, Mapping):
            continue
        for name, held in one.items():
            if name == "table":
                step, gone = _table(held)
                loops += 1
                scanned += gone + rows * step[0]
                rows *= max(step[1], 1.0)
            elif name == "query_block":
                scanned += _block(held)[1]
            elif isinstance(held, (Mapping, list)):
                waiting.append(held)
    if not loops and "message" not in (block.get("table") or {}):
        return max(rows, 1.0), scanned
    return rows, scanned


def _table(held: Mapping[str, Any]) -> tuple[tuple[float, float], float]:
    """Return rows read for each row before, and rows left of these; then what a derived table cost by itself."""
    gone = 0.0
    for name in ("materialized_from_subquery", "materialized"):
        inner = held.get(name) or {}
        if "query_block" in inner:
            gone += _block(inner["query_block"])[1]
    read = float(held.get("rows", held.get("rows_examined_per_scan", 1)))
    return (read, read * float(held.get("filtered", 100)) / 100), gone


_READ: Final = {"postgres": _postgres, "duckdb": _duckdb, "sqlite": _sqlite, "mysql": _mysql}
