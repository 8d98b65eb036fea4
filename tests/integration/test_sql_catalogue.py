"""What text alone can't show: objects of the database's owner that run code. With the catalogue they are refused."""

import contextlib
import sqlite3

import psycopg
import pytest
import sqlalchemy

from langguard.drivers.sql import open_engine
from langguard.drivers.sql_catalog import snapshot
from langguard.protocol import Facts, Refusal, SqlObligations
from langguard.sql import analyze, rewrite

SETUP = """
create table customers (id int primary key, name text, email text, region text, vip boolean);
create table orders (id int primary key, customer_id int, total numeric, placed timestamp);
insert into customers values (1, 'Ann', 'ann@example.com', 'north', true), (2, 'Bo', 'bo@example.com', 'south', false);
insert into orders values (1, 1, 10, now()), (2, 2, 20, now());
create table log (entry text);
create function leak(text) returns text language plpgsql as $$ begin insert into log values ($1); return $1; end $$;
create function concat(text, text) returns text language sql as $$ select leak($1) $$;
create function same(text, text) returns boolean language plpgsql as $$ begin perform leak($1); return $1 = $2; end $$;
create type mood as (word text);
create table feelings (id int, m mood);
create function mood_eq(mood, mood) returns boolean language plpgsql as
  $$ begin perform leak('x'); return true; end $$;
create operator = (leftarg = mood, rightarg = mood, procedure = mood_eq);
create type label as (word text);
create table labels (id int, l label);
create function label_text(label) returns text language plpgsql as $$ begin return leak(($1).word); end $$;
create cast (label as text) with function label_text(label) as implicit;
create type stamp as (word text);
create table stamps (id int, s stamp);
create function stamp_xml(stamp) returns xml language plpgsql as $$ begin perform leak('x'); return null; end $$;
create cast (stamp as xml) with function stamp_xml(stamp);
create operator === (leftarg = text, rightarg = text, procedure = same);
create operator <-> (leftarg = text, rightarg = text, procedure = same);
create function longname(customers) returns text language sql as $$ select leak($1.name) $$;

create view northern as select id, name as who, upper(email) as mail from customers where region = 'north';
create view counted as
  select who, count(*) as orders from northern n join orders o on o.customer_id = n.id group by who;
create view starred as select * from customers;
create view calling as select id, leak(name) as name from customers;
create view over_calling as select id, name from calling;
create view compared as select id from customers where name === 'Ann';
create view locks as select pg_backend_pid() as pid, id from customers;
create view settings as select name, setting from pg_settings;
create materialized view totals as select region, sum(total) as total from customers c
  join orders o on o.customer_id = c.id group by region;

create table guarded (id int, tenant text);
alter table guarded enable row level security;
create policy p on guarded using (leak(tenant) = 'a');
create table tenants (id int, tenant text);
alter table tenants enable row level security;
create policy p on tenants using (tenant = current_setting('app.tenant', true));
create table locked (id int, tenant text);
alter table locked enable row level security;
create policy p on locked using (pg_try_advisory_lock(id));

create table events (id int, email text, at date) partition by range (at);
create table events_2024 partition of events for values from ('2024-01-01') to ('2025-01-01');
create table people (id int, phone text);
create table staff (salary numeric) inherits (people);
create table sums (id int, double int generated always as (id * 2) stored);
"""


def set_up(database):
    """Make everything, apart from the engine under test: that takes one statement at a time."""
    with psycopg.connect(database.dsn, autocommit=True) as link:
        link.execute(SETUP)
    return open_engine(database.url)


@pytest.fixture
def catalog(postgres_database):
    engine = set_up(postgres_database)
    yield snapshot(engine, dialect="postgres")
    engine.dispose()


REFUSED = {
    "a view that calls a function": ("select * from calling", "table_not_allowed", "leak"),
    "a view over such a view": ("select name from over_calling", "table_not_allowed", "calling"),
    "a view with an operator of the owner's": ("select id from compared", "table_not_allowed", "same"),
    "a view with an engine function that is not listed": (
        "select id from locks",
        "table_not_allowed",
        "pg_backend_pid",
    ),
    "a view of the engine's catalogue": ("select * from settings", "table_not_allowed", "catalogue"),
    "row security that calls a function": ("select id from guarded", "table_not_allowed", "leak"),
    "row security that takes a lock": ("select id from locked", "table_not_allowed", "pg_try_advisory_lock"),
    "an overload": ("select concat(name, email) from customers", "function_not_allowed", "concat"),
    "an operator": ("select id from customers where name <-> 'x'", "operator_not_allowed", "<->"),
    "an operator of a column's type": (
        "select a.id from feelings a join feelings b on a.m = b.m",
        "table_not_allowed",
        "",
    ),
    "an implicit cast of a column's type": ("select id from labels where l = 'x'", "table_not_allowed", ""),
    "an explicit cast": ("select s::xml from stamps", "table_not_allowed", "casts"),
    "attribute notation": ("select c.longname from customers c", "unknown_column", "longname"),
    "attribute notation of an engine function": ("select c.row_to_json from customers c", "unknown_column", ""),
    "a function of the owner's": ("select leak(name) from customers", "function_not_allowed", "leak"),
    "a write to a view": ("update starred set name = 'x'", "construct_not_allowed", "view"),
}


def test_code_of_the_owner_is_refused(catalog):
    for name, (statement, code, word) in REFUSED.items():
        found = analyze(statement, "postgres", catalog)
        assert isinstance(found, Refusal), name
        assert found.code == code, (name, found)
        assert word in found.reason + found.fragment, (name, found)


def test_readable_views_carry_their_base_columns(catalog):
    found = analyze("select * from northern", "postgres", catalog)
    assert isinstance(found, Facts), found
    assert [(o.name, o.columns, o.direct) for o in found.outputs] == [
        ("id", ("public.customers.id",), True),
        ("who", ("public.customers.name",), True),
        ("mail", ("public.customers.email",), False),
    ]
    assert found.tables == ("public.customers", "public.northern")
    assert "public.customers.region" in found.touched

    found = analyze("select c.orders, c.who from counted c", "postgres", catalog)
    assert [(o.columns, o.counted) for o in found.outputs] == [((), True), (("public.customers.name",), False)]
    assert found.tables == ("public.counted", "public.customers", "public.northern", "public.orders")
    found = analyze("select total from totals", "postgres", catalog)
    assert found.outputs[0].columns == ("public.orders.total",)


def test_what_may_be_read_runs(catalog, postgres_database):
    engine = open_engine(postgres_database.url)
    statements = (
        "select * from starred order by id",
        "select who from counted",
        "select tenant from tenants",
        "select id, double from sums",
        "select email from events_2024",
    )
    with engine.connect() as connection:
        for statement in statements:
            found = analyze(statement, "postgres", catalog)
            assert isinstance(found, Facts), (statement, found)
            sent = rewrite(found, SqlObligations(rows=10), catalog)
            asked = connection.exec_driver_sql(statement).fetchall()
            assert connection.exec_driver_sql(sent).fetchall() == asked
        assert connection.exec_driver_sql("select count(*) from log").scalar() == 0
    engine.dispose()


def test_parts_of_a_table_carry_its_columns_too(catalog):
    found = analyze("select email from events_2024", "postgres", catalog)
    assert found.outputs[0].columns == ("public.events.email", "public.events_2024.email")
    assert "public.events" in found.tables
    found = analyze("select phone, salary from staff", "postgres", catalog)
    assert [o.columns for o in found.outputs] == [
        ("public.people.phone", "public.staff.phone"),
        ("public.staff.salary",),
    ]


def test_an_administrator_can_vouch_for_a_function(catalog, postgres_database):
    engine = open_engine(postgres_database.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("create function twice(int) returns int immutable language sql as 'select $1 * 2'")
    bare = snapshot(engine, dialect="postgres")
    vouched = snapshot(engine, dialect="postgres", allowed=("twice",))
    engine.dispose()
    assert analyze("select twice(id) from customers", "postgres", bare).code == "function_not_allowed"
    found = analyze("select twice(id) from customers", "postgres", vouched)
    assert isinstance(found, Facts), found
    assert found.outputs[0].columns == ("public.customers.id",)
    assert analyze('select "twice"(id) from customers', "postgres", vouched).code == "function_not_allowed"
    assert analyze("select leak(name) from customers", "postgres", vouched).code == "function_not_allowed"
    assert bare.version != vouched.version


def test_definitions_change_the_version(catalog, postgres_database):
    engine = open_engine(postgres_database.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "create or replace view northern as select id, name as who, upper(region) as mail from customers"
        )
    again = snapshot(engine, dialect="postgres")
    engine.dispose()
    assert again.version != catalog.version


def test_excluded_tables_are_not_seen_through_views(postgres_database):
    engine = set_up(postgres_database)
    narrow = snapshot(engine, dialect="postgres", exclude=("public.customers",))
    engine.dispose()
    assert analyze("select who from northern", "postgres", narrow).code == "unknown_table"


def test_a_cast_between_types_of_the_engine(postgres_database):
    engine = set_up(postgres_database)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "create function to_b(text) returns boolean language plpgsql as "
            "$$ begin perform leak($1); return true; end $$"
        )
        connection.exec_driver_sql("create cast (text as boolean) with function to_b(text)")
    explicit = snapshot(engine, dialect="postgres")
    with engine.begin() as connection:
        connection.exec_driver_sql("drop cast (text as boolean)")
        connection.exec_driver_sql("create cast (text as boolean) with function to_b(text) as implicit")
    implicit = snapshot(engine, dialect="postgres")
    engine.dispose()
    assert analyze("select name::boolean from customers", "postgres", explicit).code == "cast_not_allowed"
    assert analyze("select cast(name as bool) from customers", "postgres", explicit).code == "cast_not_allowed"
    assert isinstance(analyze("select name::text from customers", "postgres", explicit), Facts)
    assert analyze("select 1 from customers where name", "postgres", implicit).code == "cast_not_allowed"


def test_views_of_sqlite(tmp_path):
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    with engine.begin() as connection:
        for text in (
            "create table customers (id integer primary key, name text, email text)",
            "create view mails(a, b) as select id, lower(email) from customers -- as it is",
            "create view twice as select a, b || b as c from mails",
            "create view loaded as select load_extension(name) as x from customers",
        ):
            connection.exec_driver_sql(text)
    catalog = snapshot(engine, dialect="sqlite")
    engine.dispose()
    found = analyze("select c from twice", "sqlite", catalog)
    assert isinstance(found, Facts), found
    assert found.outputs[0].columns == ("main.customers.email",)
    assert found.tables == ("main.customers", "main.mails", "main.twice")
    assert analyze("select x from loaded", "sqlite", catalog).code == "table_not_allowed"


GENERATED = (
    "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT, region TEXT DEFAULT 'a, (b)', "
    "size INTEGER GENERATED ALWAYS AS (length(email) + 1) STORED, "
    "place TEXT GENERATED ALWAYS AS (upper(region)) STORED{more})"
)


def makings(catalog):
    return {column.name: column.made_of for column in catalog.tables[0].columns}


def test_a_generated_column_carries_what_it_is_made_of(postgres_database):
    engine = open_engine(postgres_database.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(GENERATED.format(more=""))
    found = snapshot(engine, dialect="postgres")
    engine.dispose()
    assert makings(found) == {"id": (), "email": (), "region": (), "size": ("email",), "place": ("region",)}
    facts = analyze("SELECT size, place FROM people WHERE id = 1", "postgres", found)
    assert [set(o.columns) for o in facts.outputs] == [
        {"public.people.size", "public.people.email"},
        {"public.people.place", "public.people.region"},
    ]
    assert not any(o.direct and len(o.columns) == 1 for o in facts.outputs)


def test_so_it_does_in_sqlite_through_other_generated_columns(tmp_path):
    path = tmp_path / "people.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(GENERATED.format(more=", twice AS (size * 2), \"as\" TEXT AS (lower('email')) VIRTUAL"))
    engine = open_engine(f"sqlite:///{path}")
    found = snapshot(engine, dialect="sqlite")
    engine.dispose()
    assert makings(found) == {
        "id": (),
        "email": (),
        "region": (),
        "size": ("email",),
        "place": ("region",),
        "twice": ("size",),
        "as": (),
    }
    facts = analyze("SELECT twice FROM people", "sqlite", found)
    assert set(facts.outputs[0].columns) == {"main.people.twice", "main.people.size", "main.people.email"}
