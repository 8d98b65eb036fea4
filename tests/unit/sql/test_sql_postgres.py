"""The text sent, run by a real PostgreSQL: it is accepted, gives the rows asked for, and names columns as it said."""

import psycopg
import pytest
from tests.unit.sql.test_sql_analyst import BOTH, POSTGRES

from langguard.protocol import Facts, SqlObligations
from langguard.sql import analyze, rewrite

SETUP = """
create schema hr;
create table customers (id int primary key, name text, email text, region text, created timestamp);
create table orders (id int primary key, customer_id int, total numeric, placed timestamp, note text, doc jsonb,
  tags text[]);
create table order_items (order_id int, product_id int, quantity int, price numeric);
create table products (id int, title text, category text, price numeric);
create table hr."Staff" (id int, "Name" text, salary numeric);
insert into customers select i, 'Name ' || i, 'n' || i || '@example.com', (array['north', 'south'])[i % 2 + 1],
  '2024-01-01'::timestamp + i * interval '1 day' from generate_series(1, 30) i;
insert into orders select i, i % 30 + 1, i * 1.5, '2024-02-01'::timestamp + i * interval '1 day', 'note ' || i,
  '{"k": 1, "list": [1, 2]}', array['a', 'b'] from generate_series(1, 60) i;
insert into hr."Staff" values (1, 'A', 20);
"""
MORE = [
    "select id from customers limit all",
    "select id from customers limit null",
    "select id from customers order by region fetch first 2 rows with ties",
    "(select id from customers order by id limit 20) union all (select 1) order by id",
    "values (1, 'x'), (2, 'y')",
    "select id, id from customers",
    "select count(*), max(id), 1 + 1, upper('x'), case when true then 1 end, coalesce(null, 1), now() from customers",
    "select name::varchar, '1'::int, cast('2' as bigint), array[1], exists (select 1), (select 5), id is null "
    "from customers",
    "select trim(name), substring(name from 1 for 2), position('a' in name), extract(year from created) from customers",
    "select sum(id) over (), row_number() over (order by id), (array[1, 2])[2], -id, not true from customers",
    "select sum(o.total), o.customer_id from orders o group by o.customer_id having sum(o.total) > 1 order by 2",
    "select x.c from (values (1)) as x(c)",
    "select * from customers c full join orders o using (id) order by id",
    "select char_length(name), strpos(name, 'a'), date_part('year', created), mod(id, 2), ceil(1.5) from customers",
]


@pytest.fixture(scope="module")
def link(postgres):
    name = "sql_room"
    with psycopg.connect(postgres.dsn, autocommit=True) as owner:
        owner.execute(f"create database {name}")
    with psycopg.connect(postgres.admin_address(name).dsn, autocommit=True) as connection:
        connection.execute(SETUP)
        yield connection
    with psycopg.connect(postgres.dsn, autocommit=True) as owner:
        owner.execute(f"drop database {name}")


def run(link, text, facts):
    """Run with the placeholders as the server itself reads them."""
    if facts.parameters:
        link.execute(f"prepare asked as {text.rstrip(';')}")
        try:
            return link.execute("execute asked ('north', 3)" if facts.parameters == 2 else "execute asked (3)")
        finally:
            link.execute("deallocate asked")
    return link.execute(text)


@pytest.mark.parametrize("statement", BOTH + POSTGRES + MORE)
def test_sent_text_gives_what_was_asked(statement, catalogs, link):
    facts = analyze(statement, "postgres", catalogs["postgres"])
    assert isinstance(facts, Facts), facts
    sent = rewrite(facts, SqlObligations(rows=5000), catalogs["postgres"])
    assert isinstance(sent, str), sent
    asked = run(link, statement, facts)
    names = [d.name for d in asked.description]
    wanted = asked.fetchall()
    answer = run(link, sent, facts)
    assert [d.name for d in answer.description] == [o.name for o in facts.outputs]
    got = answer.fetchall()
    if "now()" not in statement and "current_timestamp" not in statement:
        unordered = sorted(map(repr, wanted)) == sorted(map(repr, got))
        assert unordered or "date_part" in statement
    if "date_part" not in statement:
        assert [o.name for o in facts.outputs] == names
    capped = rewrite(facts, SqlObligations(rows=2), catalogs["postgres"])
    assert isinstance(capped, str), capped
    assert len(run(link, capped, facts).fetchall()) == min(3, len(wanted))


WRITES = [
    "insert into orders (id, total) values (1001, 2) returning id",
    "insert into orders values (1002, 2, 3.5)",
    "insert into orders as o (id, total) values (1, 9) on conflict (id) do update set total = excluded.total + o.total",
    "insert into orders (id) select id + 2000 from customers on conflict do nothing",
    "update orders set total = total + 1, note = default where id = 1 returning id, total as sum",
    "update orders o set note = c.email from customers c where c.id = o.customer_id",
    "update orders set (total, note) = (select 1, 'x') where id = 2",
    "delete from orders o using customers c where c.id = o.customer_id and c.name = 'Name 3'",
    "with gone as (select id from customers where region = 'north') "
    "delete from orders where id in (select id from gone)",
]


@pytest.mark.parametrize("statement", WRITES)
def test_writes_change_the_same_rows(statement, catalogs, link):
    facts = analyze(statement, "postgres", catalogs["postgres"])
    assert isinstance(facts, Facts), facts
    sent = rewrite(facts, SqlObligations(rows=1), catalogs["postgres"])
    states = []
    for text in (statement, sent):
        with link.transaction(force_rollback=True):
            count = link.execute(text).rowcount
            states.append((count, link.execute("select * from orders order by id").fetchall()))
    assert states[0] == states[1]


def test_functions_allowed_are_the_servers_own(link):
    """Each listed name that is a function at all is immutable or stable here, but for the harmless ones by hand."""
    from langguard.sql.dialects.functions_postgres import FUNCTIONS

    by_hand = {"random", "clock_timestamp", "timeofday", "gen_random_uuid", "uuidv4", "uuidv7"}
    by_hand |= {"array_sample", "array_shuffle", "random_normal"}
    volatile = link.execute(
        "select distinct proname from pg_proc where provolatile = 'v' and proname = any(%s)", [sorted(FUNCTIONS)]
    ).fetchall()
    assert {name for (name,) in volatile} <= by_hand
