"""`python -m bench.sql_worst`: the slowest statements that could be found, through analysis, rewriting, re-analysis.

Shapes that grow with a number are tried at sizes up to the limits, alone and in mixtures chosen at random (by a seed).
Every text must come back as facts or a refusal, and within GOAL_MS.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import time
from collections.abc import Callable

from langguard.protocol import Catalog, Column, Facts, Refusal, SqlObligations, Table
from langguard.sql import actions, analyze, rewrite

GOAL_MS = 250.0
SUPPORTED = ("postgres", "sqlite")
OTHERS = ("mysql", "duckdb", "tsql", "snowflake", "bigquery")
SIZES = (8, 20, 23, 60, 99, 190, 260, 330, 499, 790, 990, 1_600, 2_400, 16_000)

Shape = Callable[[int], str]

SHAPES: dict[str, Shape] = {
    "brackets": lambda n: "select " + "(" * n + "1" + ")" * n,
    "calls": lambda n: "select " + "upper(" * n + "'x'" + ")" * n,
    "casts": lambda n: "select " + "cast(" * n + "1" + " as int)" * n,
    "constructors": lambda n: "select " + "date(int(" * n + "1" + "))" * n,
    "arrays": lambda n: "select " + "array[" * n + "1" + "]" * n,
    "structs": lambda n: "select " + "struct(" * n + "1" + ")" * n,
    "case": lambda n: "select " + "case when true then " * n + "1" + " end" * n,
    "case arms": lambda n: "select case " + "when id = 1 then 2 " * n + "end from customers",
    "not": lambda n: "select " + "not " * n + "true",
    "minus": lambda n: "select " + "- " * n + "1",
    "tilde": lambda n: "select " + "~ " * n + "1",
    "and": lambda n: "select 1 from customers where " + " and ".join(["id = 1"] * n),
    "or and": lambda n: "select 1 from customers where " + " or ".join(["(id = 1 and name = 'x')"] * n),
    "plus": lambda n: "select " + " + ".join(["id"] * n) + " from customers",
    "concat": lambda n: "select " + " || ".join(["name"] * n) + " from customers",
    "in numbers": lambda n: "select 1 from customers where id in (" + ", ".join(map(str, range(n))) + ")",
    "in strings": lambda n: "select 1 from customers where name in (" + ", ".join(f"'v{i}'" for i in range(n)) + ")",
    "in columns": lambda n: "select 1 from customers where id in (" + ", ".join(["id"] * n) + ")",
    "in rows": lambda n: "select 1 from customers where (id, name) in (" + ", ".join(["(1, 'x')"] * n) + ")",
    "values": lambda n: "values " + ", ".join(["(1, 'x', null)"] * n),
    "insert": lambda n: "insert into customers (id, name) values " + ", ".join(["(1, 'x')"] * n),
    "update": lambda n: "update customers set " + ", ".join(["name = name"] * n),
    "subscripts": lambda n: "select tags" + "[1]" * n + " from orders",
    "double colons": lambda n: "select 1" + "::int" * n,
    "arrows": lambda n: "select doc" + " -> 'a'" * n + " from orders",
    "json paths": lambda n: "select doc #> '{a,b}'" + ", doc ->> 'k'" * n + " from orders",
    "unions": lambda n: "select id from customers" + " union all select id from customers" * n,
    "nested unions": lambda n: "(" * n + "select 1" + " union select 1)" * n,
    "subqueries": lambda n: "select * from (" * n + "select 1 as x" + ") x" * n,
    "in subqueries": lambda n: "select 1 where 1 in (select id from customers where id in " * n + "(1" + ")" * (n + 1),
    "scalars": lambda n: "select " + ", ".join(["(select max(id) from customers)"] * n),
    "exists": lambda n: (
        "select 1 from customers c where "
        + " and ".join(["exists (select 1 from orders o where o.customer_id = c.id)"] * n)
    ),
    "correlated": lambda n: (
        "select c0.id from customers c0 where exists ("
        + "".join(f"select 1 from customers c{i} where c{i}.id = c0.id and exists (" for i in range(1, n))
        + "select 1"
        + ")" * n
    ),
    "joins": lambda n: (
        "select 1 from customers c0" + "".join(f" join customers c{i} on c{i}.id = c{i - 1}.id" for i in range(1, n))
    ),
    "using": lambda n: "select * from customers c0" + "".join(f" join customers c{i} using (id)" for i in range(1, n)),
    "using wide": lambda n: "select 1 from wide w0" + "".join(f" join wide w{i} using (c0)" for i in range(1, n)),
    "cross wide": lambda n: "select 1 from " + ", ".join(f"wide w{i}" for i in range(n)),
    "stars": lambda n: "select " + ", ".join(["*"] * n) + " from customers",
    "wide stars": lambda n: "select " + ", ".join(["*"] * n) + " from wide",
    "wide star chain": lambda n: (
        "with a0 as (select * from wide)"
        + "".join(f", a{i} as (select * from a{i - 1})" for i in range(1, n))
        + f" select * from a{n - 1}"
    ),
    "wide unions": lambda n: "select * from wide" + " union all select * from wide" * n,
    "wide order": lambda n: "select * from wide order by " + ", ".join(f"c{i % 300}" for i in range(n)),
    "columns": lambda n: "select " + ", ".join(["name"] * n) + " from customers",
    "wide columns": lambda n: "select " + ", ".join(f"c{i % 300}" for i in range(n)) + " from wide",
    "deep columns": lambda n: (
        "select 1 from wide where exists (select 1 from customers where " + " + ".join(["c299"] * n) + " = 1)"
    ),
    "carriers": lambda n: (
        "select "
        + ", ".join(["x.s"] * n)
        + " from (select "
        + " || ".join(f"c{i}" for i in range(300))
        + " as s from wide) x"
    ),
    "carrier chain": lambda n: (
        "with a0 as (select "
        + " || ".join(f"c{i}" for i in range(300))
        + " as s from wide)"
        + "".join(f", a{i} as (select s || s || s as s from a{i - 1})" for i in range(1, n))
        + f" select s from a{n - 1}"
    ),
    "ctes": lambda n: (
        "with " + ", ".join(f"a{i} as (select 1 as x)" for i in range(n)) + f" select * from a{max(n - 1, 0)}"
    ),
    "cte doubling": lambda n: (
        "with a0 as (select 1 as x, 2 as y)"
        + "".join(f", a{i} as (select p.*, q.* from a{i - 1} p, a{i - 1} q)" for i in range(1, n))
        + f" select * from a{n - 1}"
    ),
    "recursion": lambda n: (
        "with recursive r as (select "
        + ", ".join(f"id as a{i}" for i in range(n))
        + " from customers union all select "
        + ", ".join([*(f"a{i}" for i in range(1, n)), "max(total)"])
        + " from r, orders) select * from r"
    ),
    "recursion in recursion": lambda n: (
        "with recursive "
        + "".join(f"r{i} as (select 1 as x union all select x from r{i}, (with recursive " for i in range(n))
        + "z as (select 1 as x union all select x from z) select x from z"
        + "".join(f" ) q{i}) select x from r{n - 1 - i}" for i in range(n))
    ),
    "windows": lambda n: (
        "select " + ", ".join(["sum(id) over (partition by region order by id)"] * n) + " from customers"
    ),
    "named windows": lambda n: (
        "select sum(id) over w0 from customers window " + ", ".join(f"w{i} as (order by id)" for i in range(n))
    ),
    "filters": lambda n: "select " + ", ".join(["count(*) filter (where id > 1)"] * n) + " from customers",
    "group": lambda n: "select count(*) from customers group by " + ", ".join(["id"] * n),
    "grouping sets": lambda n: (
        "select count(*) from customers group by grouping sets (" + ", ".join(["(id)"] * n) + ")"
    ),
    "between": lambda n: "select " + " between ".join(["1"] * n),
    "like": lambda n: "select " + " like ".join(["'1'"] * n),
    "is null": lambda n: "select 1 from customers where id" + " is null" * n,
    "collate": lambda n: "select 'a'" + ' collate "C"' * n,
    "at time zone": lambda n: "select now()" + " at time zone 'UTC'" * n,
    "intervals": lambda n: "select now()" + " + interval '1 day'" * n,
    "placeholders": lambda n: "select " + ", ".join(f"${i + 1}" for i in range(n)),
    "strings": lambda n: "select " + ", ".join(["'" + "x" * 30 + "'"] * n),
    "escapes": lambda n: "select " + ", ".join([r"E'\\n'"] * n),
    "quotes": lambda n: "select " + "'" * n,
    "doubled quotes": lambda n: "select '" + "''" * n * 4 + "'",
    "dollars": lambda n: "select " + "$" * n,
    "commas": lambda n: "select " + "," * n,
    "dots": lambda n: "select a" + ".a" * n,
    "comment": lambda n: "select 1 /*" + "x" * n * 4 + "*/",
    "nested comments": lambda n: "select 1 " + "/*" * n,
    "line comments": lambda n: "select 1 " + "-- x\n" * n,
    "semicolons": lambda n: ";" * n,
    "operators": lambda n: "select 1 " + "+" * n + " 1",
    "odd spaces": lambda n: "select '" + "\u00a0" * n + "'",
    "long names": lambda n: "select " + "x" * n * 4 + " from customers",
    "unknown names": lambda n: "select " + ", ".join(f"nonesuch_{i}" for i in range(n)) + " from wide",
    "long unknown": lambda n: "select " + "ab" * n + " from wide",
    "extract": lambda n: "select " + ", ".join(["extract(year from created)"] * n) + " from customers",
    "lambdas": lambda n: "select " + ", ".join(["upper(doc -> 'a')"] * n) + " from orders",
}


def catalog(dialect: str) -> Catalog:
    """Return a small shop with one wide table in it."""
    schema = "main" if dialect == "sqlite" else "public"
    tables = {
        "customers": ["id", "name", "email", "region", "created"],
        "orders": ["id", "customer_id", "total", "placed", "note", "doc", "tags"],
        "wide": [f"c{i}" for i in range(300)],
    }
    return Catalog(
        dialect="sqlite" if dialect == "sqlite" else "postgres",
        default_schemas=(schema,),
        tables=tuple(
            Table(schema=schema, name=name, columns=tuple(Column(name=c, type="text", kind="text") for c in columns))
            for name, columns in tables.items()
        ),
    )


def through(text: str, dialect: str, held: Catalog) -> tuple[float, str]:
    """Send a text all the way and return the milliseconds of processor time it took, and how it ended."""
    started = time.process_time()
    facts = analyze(text, dialect, held)
    if not isinstance(facts, Facts | Refusal):
        msg = f"neither facts nor a refusal: {type(facts).__name__}"
        raise TypeError(msg)
    ended = facts.code if isinstance(facts, Refusal) else "facts"
    if isinstance(facts, Facts):
        sent = rewrite(facts, SqlObligations(rows=100), held)
        ended = "sent" if isinstance(sent, str) else f"not rewritten: {sent.code}"
    return (time.process_time() - started) * 1e3, ended


def guessed(text: str, dialect: str) -> tuple[float, str]:
    """Classify a text without a catalogue, as `through`."""
    started = time.process_time()
    found = actions(text, dialect)
    return (time.process_time() - started) * 1e3, ",".join(sorted(found)) or "refused"


def mixture(chance: random.Random) -> tuple[str, str]:
    """Return a text made of shapes inside each other or side by side, and its name."""
    names = [chance.choice(list(SHAPES)) for _ in range(chance.randint(2, 5))]
    parts = [SHAPES[name](chance.choice(SIZES[:9])) for name in names]
    kind = chance.choice(("nested", "unions", "scalars", "ctes", "mangled"))
    if kind == "nested":
        text = parts[0]
        for part in parts[1:]:
            text = f"select * from ({text}) n, ({part}) m"
    elif kind == "unions":
        text = " union all ".join(f"({part})" for part in parts)
    elif kind == "scalars":
        text = "select " + ", ".join(f"({part})" for part in parts)
    elif kind == "ctes":
        text = "with " + ", ".join(f"p{i} as ({part})" for i, part in enumerate(parts)) + " select * from p0, p1"
    else:
        words = " ".join(parts).split(" ")
        chance.shuffle(words)
        text = "select " + " ".join(words[:1_500])
    return f"{kind}: {', '.join(names)}", text


def main() -> int:
    """Print the slowest texts; the exit code says whether all were within the goal."""
    options = argparse.ArgumentParser(prog="python -m bench.sql_worst", description=__doc__)
    options.add_argument("--mixtures", type=int, default=300, help="texts mixed at random, for each dialect")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--stride", type=int, default=1, help="of the dialects without analysis, only each n-th text")
    options.add_argument("--show", type=int, default=15, help="how many of the slowest to print")
    chosen = options.parse_args()
    chance = random.Random(chosen.seed)
    texts = [(f"{name} {size}", shape(size)) for name, shape in SHAPES.items() for size in SIZES]
    texts += [mixture(chance) for _ in range(chosen.mixtures)]
    found: list[tuple[float, str, str, str]] = []
    gc.collect()
    for dialect in SUPPORTED:
        held = catalog(dialect)
        for name, text in texts:
            spent, ended = through(text, dialect, held)
            found.append((spent, dialect, name, ended))
    for dialect in OTHERS:
        for name, text in texts[:: chosen.stride]:
            spent, ended = guessed(text, dialect)
            found.append((spent, dialect, name, ended))
    found.sort(reverse=True)
    for spent, dialect, name, ended in found[: chosen.show]:
        print(f"{spent:8.1f} ms  {dialect:<10} {ended:<24} {name[:90]}")
    within = found[0][0] <= GOAL_MS
    print(f"{len(found)} texts, slowest {found[0][0]:.0f} ms; goal {GOAL_MS:.0f} ms: {'met' if within else 'MISS'}")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
