"""Which columns decide (rows, groups, order), and which only show; and natural joins, written out."""

import msgspec
import pytest

from langguard.protocol import Facts, Refusal
from langguard.sql import analyze

E = "customers.email"
DECIDED = [
    ("select email from customers", set(), "a plain output"),
    ("select upper(email) || 'x' as e, count(email) from customers", set(), "computed outputs and counts"),
    ("select x.e from (select email as e from customers) x", set(), "through a subquery"),
    ("with a as (select email from customers) select * from a", set(), "through a named query"),
    ("select email from customers union all select note from orders", set(), "UNION ALL keeps every row"),
    ("select (select max(email) from customers) as x", set(), "a scalar query that is put out"),
    ("select id from customers c where exists (select * from orders)", set(), "EXISTS needs no column"),
    ("select max(email) over () from customers", set(), "a window's argument"),
    ("values ((select email from customers limit 1))", set(), "VALUES"),
    ("select id from customers where email = 'x'", {E}, "WHERE"),
    ("select id from customers where email is not null", {E}, "IS NULL"),
    ("select id from customers where id = 1 and (1 = 2 or email like 'a%')", {E, "customers.id"}, "inside OR"),
    ("select count(*) from customers having max(email) > 'b'", {E}, "HAVING"),
    ("select count(*) from customers group by email", {E}, "GROUP BY"),
    ("select email, count(*) from customers group by 1", {E}, "GROUP BY a number"),
    ("select email as e, count(*) from customers group by e", {E}, "GROUP BY an output"),
    ("select count(*) from customers group by rollup (email)", {E}, "ROLLUP"),
    ("select distinct email from customers", {E}, "DISTINCT"),
    ("select distinct on (email) id from customers", {E}, "DISTINCT ON"),
    ("select id from customers order by email", {E}, "ORDER BY"),
    ("select email as e from customers order by e", {E}, "ORDER BY an output"),
    ("select id, email from customers order by 2 desc", {E}, "ORDER BY a number"),
    ("select id, email from customers order by (2)", {E}, "ORDER BY a number in brackets"),
    ("select email from customers union select note from orders", {E, "orders.note"}, "UNION"),
    ("select email from customers intersect select 'x'", {E}, "INTERSECT"),
    ("select 'x' except all select email from customers", {E}, "EXCEPT ALL"),
    ("select email as e from customers union all select 'x' order by e", {E}, "ORDER BY of a union"),
    ("select a.id from customers a join customers b on a.email = b.email", {E}, "a join's condition"),
    ("select a.id from customers a join customers b using (email)", {E}, "USING"),
    ("select a.id from customers a, lateral (select 1 where a.email = 'x') z", {E}, "LATERAL"),
    ("select a.id from customers a, generate_series(1, length(a.email)) z", {E}, "a function in FROM"),
    ("select generate_series(1, length(email)) from customers", {E}, "a function that gives rows"),
    ("select case when email = 'x' then 1 end from customers", {E}, "CASE"),
    ("select case email when 'x' then 1 end from customers", {E}, "simple CASE"),
    ("select case when id = 1 then email end from customers", {"customers.id"}, "a CASE that shows it"),
    ("select count(*) filter (where email = 'x') from customers", {E}, "FILTER"),
    ("select row_number() over (order by email) from customers", {E}, "a window's order"),
    ("select sum(id) over (partition by email) from customers", {E}, "a window's partition"),
    ("select sum(id) over w from customers window w as (order by email)", {E}, "a named window"),
    ("select string_agg(name, ',' order by email) from customers", {E}, "an aggregate's order"),
    ("select percentile_disc(0.5) within group (order by email) from customers", {E}, "WITHIN GROUP"),
    ("select id from orders where note in (select email from customers)", {E, "orders.note"}, "IN a query"),
    ("select id from orders where note = (select max(email) from customers)", {E, "orders.note"}, "a scalar query"),
    ("select id from orders where note = any (array(select email from customers))", {E, "orders.note"}, "ANY"),
    (
        "select id from orders o where exists (select 1 from customers where email = o.note)",
        {E, "orders.note"},
        "EXISTS",
    ),
    ("select id from orders limit (select length(email) from customers limit 1)", {E}, "LIMIT"),
    ("with a as (select length(email) n from customers) select n from a where n > 3", {E}, "a computed column later"),
    ("select x.y from (select email as y from customers) x order by x.y", {E}, "renamed"),
    (
        "with recursive r(e) as (select email from customers union select e || 'x' from r) select e from r",
        {E},
        "a recursive query",
    ),
    ("update orders set note = (select max(email) from customers) where id = 1", {"orders.id"}, "a value assigned"),
    ("delete from orders using customers c where c.email = note", {E, "orders.note"}, "a write's condition"),
]


@pytest.mark.parametrize(("statement", "decided"), [pytest.param(s, d, id=why) for s, d, why in DECIDED])
def test_what_decides(statement, decided, catalogs):
    facts = analyze(statement, "postgres", catalogs["postgres"])
    assert isinstance(facts, Facts), facts
    assert {c.removeprefix("public.") for c in facts.decided} == decided
    assert set(facts.decided) <= set(facts.touched)


KEYED = [
    ("select id, email, count(*) from customers group by id, email", {"customers.id"}, "beside the key"),
    ("select c.email, sum(o.total) from customers c join orders o using (id) group by c.id, 1", None, "by number"),
    ("select distinct id, email from customers", {"customers.id"}, "DISTINCT beside the key"),
    ("select c.e from customers as c(k, n, e) group by c.k, c.e", {"customers.id"}, "under other names"),
    ("select email from customers group by email", {E}, "without the key"),
    ("select o.id, c.email from orders o, customers c group by o.id, c.email", {"orders.id", E}, "another table's key"),
    ("select id, upper(email) from customers group by id, upper(email)", {"customers.id", E}, "computed"),
    ("select id, email from customers group by rollup (id, email)", {"customers.id", E}, "several ways at once"),
    ("select x.email from (select id, email from customers) x group by x.id, x.email", {"customers.id", E}, "unsure"),
]


@pytest.mark.parametrize(("statement", "decided"), [pytest.param(s, d, id=why) for s, d, why in KEYED])
def test_a_table_s_key_decides_for_its_columns(statement, decided, catalogs):
    held = catalogs["postgres"]
    keyed = msgspec.structs.replace(
        held, tables=tuple(msgspec.structs.replace(t, primary_key=("id",)) for t in held.tables if "items" not in t.id)
    )
    facts = analyze(statement, "postgres", keyed)
    assert isinstance(facts, Facts), facts
    found = {c.removeprefix("public.") for c in facts.decided}
    assert found == decided if decided is not None else E not in found


NATURAL = [
    ("select * from orders natural join order_items", None),
    ("select * from products natural join order_items", ["price"]),
    ("select * from products p natural left join order_items i", ["price"]),
    ("select title from products natural join (select price, title as t from products) x", ["price"]),
    ("select * from customers a natural join customers b", ["id", "name", "email", "region", "created"]),
    ("select * from (products natural join order_items) join orders o on true", ["price"]),
]


@pytest.mark.parametrize("dialect", ["postgres", "sqlite"])
@pytest.mark.parametrize(("statement", "using"), NATURAL)
def test_a_natural_join_is_written_out(dialect, statement, using, catalogs):
    facts = analyze(statement, dialect, catalogs[dialect])
    if using is None:
        assert isinstance(facts, Refusal)
        assert "no column in common" in facts.reason
        return
    assert isinstance(facts, Facts), facts
    assert "NATURAL" not in facts.statement
    listed = ", ".join(f'"{name}"' for name in using)
    assert f"USING ({listed})" in facts.statement
    prefix = "main" if dialect == "sqlite" else "public"
    assert all(any(c.startswith(prefix) and c.endswith(f".{name}") for c in facts.decided) for name in using)


def test_a_natural_join_returns_what_the_engine_returns(catalogs, sqlite_shop):
    for table in ("products", "order_items"):
        width = len(sqlite_shop.execute(f"select * from {table}").description)
        rows = [tuple(f"{n % (i + 2)}" for i in range(width)) for n in range(12)]
        sqlite_shop.executemany(f"insert into {table} values ({','.join('?' * width)})", rows)
    for statement, using in NATURAL[1:]:
        facts = analyze(statement, "sqlite", catalogs["sqlite"])
        assert isinstance(facts, Facts), (facts, using)
        asked, sent = sqlite_shop.execute(statement), sqlite_shop.execute(facts.statement)
        assert [d[0] for d in asked.description] == [d[0] for d in sent.description]
        assert asked.fetchall() == sent.fetchall()


def test_other_methods_of_joining_are_refused(catalogs):
    found = analyze("select * from orders asof join customers on true", "postgres", catalogs["postgres"])
    assert isinstance(found, Refusal)


@pytest.mark.parametrize("dialect", ["postgres", "sqlite"])
def test_a_bracketed_join_may_start_with_a_subquery(dialect, catalogs):
    text = "select a.id, o.total from ((select id from customers) as a join orders o on a.id = o.customer_id)"
    facts = analyze(text, dialect, catalogs[dialect])
    assert isinstance(facts, Facts), facts
    assert len(facts.tables) == 2
    refused = analyze("select 1 where 1 in ((select 1) as a join orders o on true)", dialect, catalogs[dialect])
    assert isinstance(refused, Refusal)
