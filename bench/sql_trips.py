"""`python -m bench.sql_trips`: what asking a worker about a statement costs, by the size of the catalogue.

Milliseconds at the gateway for a statement not seen before, with the catalogue sent each time and sent once; and
microseconds for one that was seen: analysis and the text to send, both from memory.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

from bench.sql_speed import STATEMENTS
from bench.sql_worst import catalog
from langguard.drivers.sql_catalog import with_version
from langguard.gateway.services.analysis import WARM, Analysis
from langguard.protocol import Catalog, Column, Facts, SqlObligations, Table
from langguard.workers import WorkerPool

ROUNDS = 40
HITS = 5_000
GOAL_US = 20.0
ROWS = SqlObligations(rows=100)


def grown(tables: int) -> Catalog:
    """Return the shop's catalogue with so many tables of 20 columns beside it."""
    columns = tuple(Column(name=f"column_{n}", type="text", kind="text") for n in range(20))
    more = tuple(Table(schema="public", name=f"table_{n}", columns=columns) for n in range(tables))
    held = catalog("postgres")
    return with_version(Catalog(dialect="postgres", default_schemas=held.default_schemas, tables=(*held.tables, *more)))


async def fresh(held: Analysis, structure: Catalog, lead: str) -> float:
    """Return the median of statements not seen before, in milliseconds."""
    found = []
    for number in range(ROUNDS):
        text = f"select id, name from customers where region = '{lead}{number}'"
        started = time.perf_counter()
        facts = await held.analyze(text, structure)
        if not isinstance(facts, Facts):
            raise TypeError(facts.reason)
        found.append((time.perf_counter() - started) * 1e3)
    return statistics.median(found)


async def hit(work: Callable[[], Awaitable[object]]) -> float:
    """Return the median of a call that is answered from memory, in microseconds."""
    await work()
    found = []
    for _ in range(HITS):
        started = time.perf_counter()
        await work()
        found.append((time.perf_counter() - started) * 1e6)
    return statistics.median(found)


async def measured() -> bool:
    """Print both tables; the result says whether memory answers within the goal."""
    with WorkerPool(2, initializer=WARM) as pool:
        pool.ready()
        print(f"{'tables':>7}  {'sent each time':>15}  {'sent once':>10}   ms, a statement not seen before")
        for tables in (10, 100, 1_000):
            structure = grown(tables)
            nameless = Catalog(
                dialect="postgres", default_schemas=structure.default_schemas, tables=structure.tables, version=""
            )
            each = await fresh(Analysis(pool, timeout=30), nameless, "a")
            await fresh(Analysis(pool, timeout=30), structure, "b")  # both workers have it then
            once = await fresh(Analysis(pool, timeout=30), structure, "c")
            print(f"{tables:>7}  {each:>15.2f}  {once:>10.2f}")
        met = True
        held, structure = Analysis(pool, timeout=30), grown(1_000)
        print(f"\n{'':<8}{'chars':>6}  {'analysis':>9}  {'text to send':>13}   us, from memory")
        for name, text in STATEMENTS.items():
            facts = await held.analyze(text, structure)
            if not isinstance(facts, Facts):
                raise TypeError(facts.reason)
            one = await hit(lambda text=text: held.analyze(text, structure))
            two = await hit(lambda facts=facts: held.rewrite(facts, ROWS, structure))
            met = met and max(one, two) <= GOAL_US
            print(f"{name:<8}{len(text):>6}  {one:>9.1f}  {two:>13.1f}")
        print(f"goal: {GOAL_US:g} us each: {'met' if met else 'MISS'}")
    return met


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(measured()) else 1)
