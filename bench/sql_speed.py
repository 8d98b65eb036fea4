"""`python -m bench.sql_speed`: what understanding a statement costs, against bare parsing and qualifying by sqlglot.

Milliseconds of processor time, short, medium and long, all in one run: compare the ratios, not the milliseconds.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import sqlglot
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from bench.sql_worst import catalog
from langguard.protocol import Facts, SqlObligations
from langguard.sql import analyze, rewrite

ROUNDS = 300
WARM_UP = 30
MEDIUM = (
    "select c.region, date_trunc('month', o.placed) as month, count(*) as orders, sum(o.total) as revenue, "
    "avg(o.total) as average from customers c join orders o on o.customer_id = c.id left join orders earlier on "
    "earlier.customer_id = c.id and earlier.placed < o.placed where o.placed >= '2024-01-01' and c.region in "
    "('north', 'south') group by c.region, date_trunc('month', o.placed) having sum(o.total) > 100 order by revenue"
)
PART = (
    "select c.id, c.name, c.region, count(o.id) as orders, sum(case when o.total > 100 then o.total else 0 end) as "
    "large, max(o.placed) as latest from customers c left join orders o on o.customer_id = c.id where c.region = "
    "'{name}' and c.created < current_date and exists (select 1 from orders x where x.customer_id = c.id and x.total "
    "between {low} and {high}) group by c.id, c.name, c.region"
)
LONG = (
    "with "
    + ", ".join(f"{n} as (" + PART.format(name=n, low=i, high=i + 90) + ")" for i, n in enumerate("abcd"))
    + " select a.name, a.large + b.large as both_large, coalesce(c.orders, 0) as c_orders, d.latest, "
    "row_number() over (partition by a.region order by a.large desc) as place from a join b on b.id = a.id "
    "left join c on c.id = a.id left join d on d.id = a.id where a.orders > 2 order by place limit 50"
)
STATEMENTS = {
    "short": "select id, name, region from customers where region = 'north' and created > '2024-01-01' order by name",
    "medium": MEDIUM,
    "long": LONG,
}


def measured(*works: Callable[[], object]) -> list[tuple[float, float]]:
    """Return p50 and p99 of each, in milliseconds. They take turns, so that a slow moment of the machine hits all."""
    found: list[list[float]] = [[] for _ in works]
    for number in range(ROUNDS + WARM_UP):
        for held, work in zip(found, works, strict=True):
            started = time.process_time()
            work()
            if number >= WARM_UP:
                held.append((time.process_time() - started) * 1e3)
    cuts = [statistics.quantiles(held, n=100) for held in found]
    return [(cut[49], cut[98]) for cut in cuts]


def main() -> int:
    """Print the table; the exit code says whether the medium statement meets the goals."""
    held = catalog("postgres")
    # Made once, as the analyser's own index of the catalogue is.
    schema = MappingSchema(
        {table.name: {column.name: column.type for column in table.columns} for table in held.tables},
        dialect="postgres",
    )
    met = True
    print(f"{'':<8}{'chars':>6}  {'parse + qualify':>18}  {'analysis':>18}  {'all the way':>18}  ratios")
    for name, text in STATEMENTS.items():

        def bare(text: str = text) -> object:
            return qualify(sqlglot.parse_one(text, dialect="postgres"), schema=schema, dialect="postgres")

        def analysed(text: str = text) -> Facts:
            found = analyze(text, "postgres", held)
            if not isinstance(found, Facts):
                raise TypeError(found.reason)
            return found

        def whole(text: str = text) -> object:
            sent = rewrite(analysed(text), SqlObligations(rows=100), held)
            if not isinstance(sent, str):
                raise TypeError(sent.reason)
            return sent

        base, one, two = measured(bare, analysed, whole)
        ratios = one[0] / base[0], two[0] / base[0]
        met = met and (name != "medium" or (ratios[0] <= 1.5 and ratios[1] <= 4))
        cells = "  ".join(f"{p50:>8.2f} {p99:>9.2f}" for p50, p99 in (base, one, two))
        print(f"{name:<8}{len(text):>6}  {cells}  {ratios[0]:.2f}x {ratios[1]:.2f}x")
    print(f"p50 and p99 in ms; goal for medium: analysis 1.5x, all the way 4x: {'met' if met else 'MISS'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
