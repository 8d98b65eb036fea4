"""Row filters and masks on real databases: what comes back is what a database would return that held nothing else."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import replace

import duckdb
import psycopg
import pytest
from tests.support import filtered_shop as shop

from langguard.drivers.sql import open_engine
from langguard.drivers.sql_catalog import snapshot
from langguard.protocol import Catalog, Facts, SqlObligations
from langguard.sql import LIMITS, analyze, rewrite

PARTS = """
create table logs (id integer, day date, region text) partition by range (day);
create table logs_2024 partition of logs for values from ('2024-01-01') to ('2025-01-01');
create table logs_2025 partition of logs for values from ('2025-01-01') to ('2026-01-01');
insert into logs select i, date '2024-01-01' + i * 20, case when mod(i, 2) = 0 then 'EU' else 'US' end
  from generate_series(1, 30) i;
"""


def with_logs(bound: SqlObligations, schema: str) -> SqlObligations:
    """Return the obligations with a filter on a partitioned table."""
    more = type(bound.filters[0])(table=f"{schema}.logs", where="region = 'EU'")
    return type(bound)(rows=bound.rows, filters=(*bound.filters, more), masks=bound.masks)


def text_of(statement: str, catalog: Catalog, bound: SqlObligations) -> tuple[Facts, str]:
    limits = replace(LIMITS, second_reader=catalog.dialect == "postgres")
    facts = analyze(statement, catalog.dialect, catalog, limits=limits)
    assert isinstance(facts, Facts), (statement, facts)
    sent = rewrite(facts, bound, catalog, limits=limits)
    assert isinstance(sent, str), (statement, sent)
    again = analyze(sent, catalog.dialect, catalog)
    assert isinstance(again, Facts)
    assert again.statement == sent
    assert [o.name for o in again.outputs] == [o.name for o in facts.outputs]
    return facts, sent


def same(one: list[tuple[object, ...]], two: list[tuple[object, ...]]) -> bool:
    return Counter(map(repr, one)) == Counter(map(repr, two))


@pytest.fixture(scope="module")
def pg(postgres):
    """One database: the shop in `public`, the truth in `truth`."""
    with psycopg.connect(postgres.dsn, autocommit=True) as server:
        server.execute("create database obliged")
    address = postgres.admin_address("obliged")
    with psycopg.connect(address.dsn) as link:
        for schema, customers, orders in (
            ("public", shop.CUSTOMERS, shop.ORDERS),
            ("truth", shop.TRUE_CUSTOMERS, shop.TRUE_ORDERS),
        ):
            link.execute(f"create schema if not exists {schema}; set search_path = {schema}")
            link.execute(shop.TABLES + shop.VIEWS + PARTS)
            for table, rows in (
                ("customers", customers),
                ("orders", orders),
                ("items", shop.ITEMS),
                ("products", shop.PRODUCTS),
            ):
                marks = ",".join(["%s"] * len(rows[0]))
                link.cursor().executemany(f"insert into {table} values ({marks})", rows)
        link.execute("delete from truth.logs where region <> 'EU'")
    engine = open_engine(address.url)
    catalog = snapshot(engine, dialect="postgres")
    engine.dispose()
    with psycopg.connect(address.dsn) as link:
        link.read_only = True
        yield link, catalog


@pytest.mark.parametrize("statement", [*shop.shapes("both"), *shop.shapes("postgres")])
def test_postgres_returns_the_truth(statement, pg):
    link, catalog = pg
    facts, sent = text_of(
        statement.replace("main.", "public."), catalog, with_logs(shop.obligations("public"), "public")
    )
    with link.transaction():
        got = link.execute(sent).fetchall()
        assert same(got, link.execute(facts.statement.replace('"public".', '"truth".')).fetchall()), sent


@pytest.fixture(scope="module")
def lite(tmp_path_factory):
    folder = tmp_path_factory.mktemp("obliged")
    for name, customers, orders in (
        ("shop", shop.CUSTOMERS, shop.ORDERS),
        ("truth", shop.TRUE_CUSTOMERS, shop.TRUE_ORDERS),
    ):
        link = sqlite3.connect(folder / f"{name}.db")
        link.executescript(shop.TABLES + shop.VIEWS + "create view renamed(k, m) as select id, email from customers;")
        for table, rows in (
            ("customers", customers),
            ("orders", orders),
            ("items", shop.ITEMS),
            ("products", shop.PRODUCTS),
        ):
            link.executemany(f"insert into {table} values ({','.join('?' * len(rows[0]))})", rows)
        link.commit()
        link.close()
    engine = open_engine(f"sqlite:///{folder / 'shop.db'}")
    real, truth = sqlite3.connect(folder / "shop.db"), sqlite3.connect(folder / "truth.db")
    yield real, truth, snapshot(engine, dialect="sqlite")
    real.close()
    truth.close()
    engine.dispose()


@pytest.fixture(scope="module")
def duck(tmp_path_factory):
    folder = tmp_path_factory.mktemp("obliged")
    for name, customers, orders in (
        ("shop", shop.CUSTOMERS, shop.ORDERS),
        ("truth", shop.TRUE_CUSTOMERS, shop.TRUE_ORDERS),
    ):
        with duckdb.connect(str(folder / f"{name}.duckdb")) as link:
            link.execute(shop.TABLES)
            link.execute(shop.VIEWS + "create view renamed(k, m) as select id, email from customers;")
            for table, rows in (
                ("customers", customers),
                ("orders", orders),
                ("items", shop.ITEMS),
                ("products", shop.PRODUCTS),
            ):
                link.executemany(f"insert into {table} values ({','.join('?' * len(rows[0]))})", rows)
    engine = open_engine(f"duckdb:///{folder / 'shop.duckdb'}")
    catalog = snapshot(engine, dialect="duckdb")
    engine.dispose()
    real, truth = duckdb.connect(str(folder / "shop.duckdb")), duckdb.connect(str(folder / "truth.duckdb"))
    yield real, truth, catalog
    real.close()
    truth.close()


DUCK = """
from customers
from customers select id, email order by all
select * exclude (phone) from customers
select c.* replace (upper(email) as email) from customers c
select region, count(*) as n, max(email) as m from customers group by all order by all
select email as e, upper(e) as u, length(u) as l from customers where e is not null order by l, u
select id, email from customers qualify row_number() over (partition by region order by id) = 1
select c.id from customers c semi join orders o on o.customer_id = c.id
select c.id, c.email from customers c anti join orders o on o.customer_id = c.id
select list(email order by id) from customers
select {'e': email, 'i': id}['e'] from customers
select x.e from customers c, unnest([c.email]) x(e)
select id, email from customers where email like '%example%' or id in (from orders select customer_id)
""".strip().splitlines()


@pytest.mark.parametrize("statement", [*shop.shapes("both"), *DUCK])
def test_duckdb_returns_the_truth(statement, duck):
    real, truth, catalog = duck
    facts, sent = text_of(statement, catalog, shop.obligations("main"))
    assert same(real.execute(sent).fetchall(), truth.execute(facts.statement).fetchall()), sent


@pytest.mark.parametrize("statement", [*shop.shapes("both"), *shop.shapes("sqlite")])
def test_sqlite_returns_the_truth(statement, lite):
    real, truth, catalog = lite
    facts, sent = text_of(statement, catalog, shop.obligations("main"))
    assert same(real.execute(sent).fetchall(), truth.execute(facts.statement).fetchall()), sent


def test_the_truth_is_another_one_than_the_table(lite):
    """The shapes would notice: most of them return something else without filters and masks."""
    real, truth, catalog = lite
    differ = 0
    for statement in [*shop.shapes("both"), *shop.shapes("sqlite")]:
        facts = analyze(statement, "sqlite", catalog)
        assert isinstance(facts, Facts)
        differ += not same(real.execute(facts.statement).fetchall(), truth.execute(facts.statement).fetchall())
    assert differ >= 85


WRITES = """
update customers set phone = 'x'
update customers set phone = 'x' where region = 'US'
update customers set phone = 'x' where id < 9 or 1 = 1
update customers as c set boss = (select max(id) from customers) where c.id = 6
update orders set note = note || '!' where customer_id in (select id from customers)
update orders set note = c.name from customers c where c.id = orders.customer_id
update orders set note = 'x' from customers c join items i on true where c.id = orders.customer_id and i.order_id = 1
delete from customers
delete from customers where id > 3 or region = 'AP'
delete from orders where customer_id not in (select id from customers)
delete from orders where exists (select 1 from customers c where c.region = 'US')
insert into products select id + 100, name, 1 from customers
insert into products (id, title) select max(id) + 200, max(region) from customers
insert into customers (id, phone) values (3, 'x'), (4, 'x') on conflict (id) do update set phone = excluded.phone
insert into customers (id, phone) values (6, 'x') on conflict (id) do update set phone = 'y' where customers.id > 1
insert into customers (id, phone) values (3, 'x') on conflict do nothing
with c as (select id from customers) delete from orders where customer_id in (select id from c)
update orders set note = '' where total < 10
""".strip().splitlines()


@pytest.mark.parametrize("statement", WRITES)
def test_a_write_changes_only_what_may_be_seen(statement, lite, tmp_path):
    """On a copy: hidden rows stay, and the rows that show become what the same write makes of them in the truth."""
    bare = SqlObligations(rows=10, filters=shop.obligations("main").filters)
    for name in ("shop", "truth"):
        link = sqlite3.connect(tmp_path / f"{name}.db")
        link.executescript(shop.TABLES)
        for table, rows in (
            ("customers", [c for c in shop.CUSTOMERS if name == "shop" or shop.allowed(c)]),
            ("orders", shop.ORDERS if name == "shop" else shop.TRUE_ORDERS),
            ("items", shop.ITEMS),
            ("products", shop.PRODUCTS),
        ):
            link.executemany(f"insert into {table} values ({','.join('?' * len(rows[0]))})", rows)
        link.commit()
        link.close()
    real, truth = sqlite3.connect(tmp_path / "shop.db"), sqlite3.connect(tmp_path / "truth.db")
    facts, sent = text_of(statement, lite[2], bare)
    hidden = [c for c in shop.CUSTOMERS if not shop.allowed(c)]
    few = [o for o in shop.ORDERS if o not in shop.TRUE_ORDERS]
    real.execute(sent)
    left = real.execute("select * from customers").fetchall()
    assert set(hidden) <= set(left)
    assert set(map(tuple, few)) <= set(real.execute("select * from orders").fetchall())
    if "insert into customers" not in statement:
        truth.execute(facts.statement)
        for table, gone in (("customers", set(hidden)), ("orders", set(map(tuple, few))), ("products", set())):
            rest = [r for r in real.execute(f"select * from {table}").fetchall() if r not in gone]
            assert same(rest, truth.execute(f"select * from {table}").fetchall()), (table, sent)
    real.close()
    truth.close()
