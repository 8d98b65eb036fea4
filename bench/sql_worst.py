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
from langguard.sql import analyze, rewrite
from langguard.sql.dialects import RULES

GOAL_MS = 250.0
DIALECTS = ("postgres", "sqlite", "mysql", "duckdb", "tsql", "snowflake", "bigquery")
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
    "rows of structs": lambda n: "select " + "row(" * n + "1" + ")" * n,
    "decimals": lambda n: "select " + "decimal(timestamp(char(" * n + "1" + ")))" * n,
    "angles": lambda n: "select cast(x as " + "array<" * n + "int" + ">" * n + ") from customers",
    "excludes": lambda n: "select * exclude (" + ", ".join(f"c{i % 300}" for i in range(n)) + ") from wide",
    "excepts": lambda n: "select * except (" + ", ".join(f"c{i % 300}" for i in range(n)) + ") from wide",
    "star columns": lambda n: "select " + ", ".join(["columns(*)"] * n) + " from wide",
    "qualify": lambda n: "select id from orders qualify " + " and ".join(["row_number() over (order by id) = 1"] * n),
    "laterals": lambda n: (
        "select 1 from customers c0" + "".join(f", lateral (select c{i - 1}.id as id) c{i}" for i in range(1, n))
    ),
    "applies": lambda n: "select 1 from customers c" + " cross apply (select c.id) x" * n,
    "paths": lambda n: "select doc" + ":a" * n + " from orders",
    "pipes": lambda n: "from customers" + " |> select id" * n,
    "bracket names": lambda n: "select " + ", ".join(["[id]"] * n) + " from customers",
    "backtick names": lambda n: "select " + ", ".join(["`id`"] * n) + " from customers",
    "lambdas": lambda n: "select " + ", ".join(["upper(doc -> 'a')"] * n) + " from orders",
}


def catalog(dialect: str) -> Catalog:
    """Return a small shop with one wide table in it."""
    rules = RULES[dialect]
    schema = rules.home or "shop"
    stored = str.upper if rules.folds == "upper" else str
    tables = {
        "customers": ["id", "name", "email", "region", "created"],
        "orders": ["id", "customer_id", "total", "placed", "note", "doc", "tags"],
        "wide": [f"c{i}" for i in range(300)],
    }
    return Catalog(
        dialect=rules.name,
        default_schemas=(schema,),
        tables=tuple(
            Table(
                schema=schema,
                name=stored(name),
                columns=tuple(Column(name=stored(c), type="text", kind="text") for c in columns),
            )
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


HOSTILE = (
    "select 1 delete from customers",
    "with x as (delete from customers returning *) select * from x",
    "select * into n from customers",
    "select 1 /*! union select email from customers */",
    "select pg_read_file('a'), load_extension('b'), xp_cmdshell('c')",
    "select query_to_xml('select 1', true, true, '')",
    "select * from openquery(srv, 'delete from t')",
    "select * from '/etc/passwd', @stage, `p.d.t_*`, read_csv('x')",
    "select customers.to_jsonb, (customers).*, customers::text from customers",
    "select 'a\\' union select email from customers -- '",
    "select u&'\\0061', E'\\x41', N'x', $$a$$, r'a'",
    "select a.b.c.d.e.f, a[1][2].b:c::int ->> 'x' from customers a",
)
REAL = (
    "select c.region, date_trunc('month', o.placed) as month, count(*), sum(o.total) as revenue from customers c join "
    "orders o on o.customer_id = c.id where o.placed >= '2024-01-01' and c.region in ('north', 'south') group by "
    "c.region, date_trunc('month', o.placed) having sum(o.total) > 100 order by revenue desc limit 10",
    "with r as (select customer_id, total, row_number() over (partition by customer_id order by placed desc) as n "
    "from orders) select c.name, r.total, case when r.total > 10 then 'big' else 'small' end from customers c "
    "left join r on r.customer_id = c.id and r.n = 1 where c.email like '%@example.com' and not exists "
    "(select 1 from orders x where x.customer_id = c.id and x.total between 1 and 5)",
    "insert into orders (id, total) select id, 1 from customers where id not in (select customer_id from orders)",
    "update orders set total = total * 2 where id in (1, 2, 3)",
    "select * from customers c cross join lateral (select * from orders o where o.customer_id = c.id limit 1) x",
)


def mutation(chance: random.Random) -> tuple[str, str]:
    """Return a hostile or real text with parts of it repeated, moved, nested or taken from another, and its name."""
    words = chance.choice(HOSTILE + REAL).split(" ")
    others = chance.choice(HOSTILE + REAL).split(" ")
    for _ in range(chance.randint(1, 6)):
        at, end = sorted((chance.randrange(len(words)), chance.randrange(len(words))))
        part = words[at : end + 1]
        kind = chance.randrange(5)
        if kind == 0:
            words[at:at] = part * chance.choice((1, 5, 40))
        elif kind == 1:
            words[at : end + 1] = ["(", *part, ")"] * chance.choice((1, 3))
        elif kind == 2:
            words[at : end + 1] = others[: chance.randrange(len(others)) + 1]
        elif kind == 3:
            words[at : end + 1] = ["(select", *part, ")"] * chance.choice((1, 8))
        else:
            words[at], words[end] = words[end], words[at]
        words = words[:2_000]
    return "mutation", " ".join(words)


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


def texts(chance: random.Random, mixtures: int) -> list[tuple[str, str]]:
    """Return every shape at every size, and as many mixtures and mutations as asked for, each with its name."""
    found = [(f"{name} {size}", shape(size)) for name, shape in SHAPES.items() for size in SIZES]
    found += [mixture(chance) for _ in range(mixtures)]
    return found + [mutation(chance) for _ in range(mixtures)]


def main() -> int:
    """Print the slowest texts; the exit code says whether all were within the goal."""
    options = argparse.ArgumentParser(prog="python -m bench.sql_worst", description=__doc__)
    options.add_argument("--mixtures", type=int, default=300, help="texts mixed at random, and as many mutations")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--stride", type=int, default=1, help="only each n-th text, another one in each dialect")
    options.add_argument("--dialects", nargs="*", default=DIALECTS)
    options.add_argument("--show", type=int, default=15, help="how many of the slowest to print")
    chosen = options.parse_args()
    found: list[tuple[float, str, str, str]] = []
    gc.collect()
    made = texts(random.Random(chosen.seed), chosen.mixtures)
    for number, dialect in enumerate(chosen.dialects):
        held = catalog(dialect)
        for name, text in made[number % chosen.stride :: chosen.stride]:
            spent, ended = through(text, dialect, held)
            if spent > GOAL_MS:  # once more: the machine may have been busy with something else
                spent, ended = min((spent, ended), through(text, dialect, held))
            found.append((spent, dialect, name, ended))
    found.sort(reverse=True)
    for spent, dialect, name, ended in found[: chosen.show]:
        print(f"{spent:8.1f} ms  {dialect:<10} {ended:<24} {name[:90]}")
    within = found[0][0] <= GOAL_MS
    print(f"{len(found)} texts, slowest {found[0][0]:.0f} ms; goal {GOAL_MS:.0f} ms: {'met' if within else 'MISS'}")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
