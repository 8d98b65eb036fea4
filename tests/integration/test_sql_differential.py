"""Whatever is called a read is run for real, as the owner, in a transaction that may write: it must change nothing.

It is run again as a role, or under an authorizer, that may read nothing but the tables named in its facts. Statements
come from a grammar and from hostile ones mangled at random.
"""

import itertools
import sqlite3

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langguard.drivers.sql import open_engine
from langguard.drivers.sql_catalog import snapshot
from langguard.protocol import Facts, SqlObligations
from langguard.sql import analyze, rewrite

TABLES = {
    "customers": "id name email region",
    "orders": "id customer_id total note",
    "items": "id order_id price title",
    "secrets": "id word",
}
NAMES = sorted({column for columns in TABLES.values() for column in columns.split()})
SETUP = """
create table customers (id int, name text, email text, region text);
create table orders (id int, customer_id int, total numeric, note text);
create table items (id int, order_id int, price numeric, title text);
create table secrets (id int, word text);
insert into customers values (1, 'Ann', 'ann@example.com', 'north'), (2, 'Bo', null, 'south');
insert into orders values (1, 1, 10.5, 'now'), (2, 2, 20, '{"k": 1}');
insert into items values (1, 1, 5, 'pen'), (2, 2, 7, 'ink');
insert into secrets values (1, 'plugh');
"""
ONLY_POSTGRES = """
create sequence numbers;
create view named as select id, upper(name) as name from customers;
create function spoil(int) returns int language plpgsql as $$ begin delete from items; return $1; end $$;
create function concat(text, text) returns text language plpgsql as
  $$ begin update orders set total = 0; return $1; end $$;
create view spoiling as select id, spoil(id) as x from customers;
create table watched (id int);
alter table watched enable row level security;
create policy p on watched using (spoil(id) > 0);
create function longname(customers) returns text language plpgsql as $$ begin delete from items; return 'x'; end $$;
"""
FUNCTIONS = """
upper lower length abs coalesce count max min sum avg round substr replace trim string_agg concat nullif random now
to_char md5 row_number json_agg array_agg jsonb_build_object to_jsonb generate_series unnest nextval setval currval
set_config pg_sleep pg_advisory_lock pg_notify lo_create pg_read_file dblink query_to_xml spoil longname txid_current
pg_terminate_backend current_setting table_to_xml pg_switch_wal printf hex char instr total group_concat json_extract
quote load_extension randomblob zeroblob
""".split()  # noqa: SIM905 - a list of words
OPERATORS = "+ - * || = <> < > and or like is in -> ->> ~ @> ::".split()  # noqa: SIM905
HOSTILE = [
    "with x as (delete from items returning *) select * from x",
    "select * into copied from customers",
    "select id from customers for update",
    "select nextval('numbers')",
    "select set_config('work_mem', '1MB', false)",
    "select query_to_xml('delete from items', true, true, '')",
    "select c.longname from customers c",
    "select concat(name, email) from customers",
    "select * from spoiling",
    "select * from watched",
    "select * from customers; delete from items",
    "select 1 /* */ ; update orders set total = 0 --",
    "select (select word from secrets) from customers",
    "select * from customers c, lateral (select word from secrets s where s.id = c.id) x",
    "select case when exists (select 1 from secrets where word like 'p%') then 1 end",
    "with recursive r as (select id from orders union select r.id from r join secrets using (id)) select * from r",
    "select * from named natural join customers",
    "select id from customers union select id from secrets order by 1",
    "select c, to_jsonb(c), row_to_json(c.*) from customers c",
    "select id from customers where id in (table secrets)",
    "values ((select max(word) from secrets))",
    "select pg_notify('a', 'b'), pg_advisory_lock(1), lo_create(0)",
    "explain analyze delete from items",
    "select E'\\'' , delete from items --'",
    "select $$ $$ ; drop table items",
    "select sum(total) filter (where id = (select max(id) from items)) over w from orders window w as (order by id)",
]
TABLE = st.sampled_from([*TABLES, "public.customers", "named", "spoiling", "watched", '"orders"', "pg_class"])
COLUMN = st.sampled_from([*NAMES, "t.id", "t.name", "u.id", "u.note", "t.*", "t", "*", '"word"', "rowid", "ctid"])
LITERAL = st.sampled_from(["1", "'x'", "null", "2.5", "'a''b'", "true", "'numbers'", "'{}'", "$$q$$", "E'\\n'"])


def _expressions(inner):
    function = st.sampled_from(FUNCTIONS)
    return st.one_of(
        st.tuples(function, st.lists(inner, max_size=3)).map(lambda p: f"{p[0]}({', '.join(p[1])})"),
        st.tuples(
            inner,
            st.sampled_from(OPERATORS),
            inner,
        ).map(" ".join),
        inner.map("({})".format),
        inner.map("not {}".format),
        inner.map("cast({} as text)".format),
        inner.map("case when {} then 1 else 2 end".format),
        st.tuples(inner, TABLE, inner).map(lambda p: f"(select {p[0]} from {p[1]} u where {p[2]} limit 1)"),
        st.tuples(TABLE, inner).map(lambda p: f"exists (select 1 from {p[0]} u where {p[1]})"),
    )


EXPRESSION = st.recursive(st.one_of(COLUMN, LITERAL), _expressions, max_leaves=5)
TAIL = st.sampled_from(["", " order by 1", " limit 2", " for update", " group by 1", " offset 1", "; select 1"])
JOIN = st.sampled_from([" join {} u on t.id = u.id", ", {} u", " left join {} u using (id)", " natural join {} u"])
FROM = st.one_of(TABLE.map("{} t".format), st.tuples(TABLE, JOIN, TABLE).map(lambda p: f"{p[0]} t" + p[1].format(p[2])))
SELECT = st.tuples(st.lists(EXPRESSION, min_size=1, max_size=3), FROM, st.one_of(st.none(), EXPRESSION), TAIL).map(
    lambda p: f"select {', '.join(p[0])} from {p[1]}" + (f" where {p[2]}" if p[2] else "") + p[3]
)
WITH = st.tuples(SELECT, SELECT).map(lambda p: f"with customers as ({p[0]}) {p[1]}")
UNION = st.tuples(SELECT, SELECT).map(" union ".join)


@st.composite
def mangled(draw):
    """A hostile statement with words dropped, doubled, swapped or replaced by those of another."""
    words = draw(st.sampled_from(HOSTILE)).split(" ")
    other = draw(st.sampled_from(HOSTILE)).split(" ")
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(words) - 1))
        how = draw(st.sampled_from(("drop", "double", "replace", "splice")))
        if how == "drop" and len(words) > 1:
            words.pop(at)
        elif how == "double":
            words.insert(at, words[at])
        elif how == "replace":
            words[at] = draw(st.sampled_from(other))
        else:
            words[at:] = other[draw(st.integers(0, len(other) - 1)) :]
    return " ".join(words)


@st.composite
def plausible(draw):
    """A statement whose names exist, now and then with a call in it that must not pass."""

    def value(alias, table):
        column = f"{alias}.{draw(st.sampled_from(TABLES[table].split()))}"
        other = draw(st.sampled_from(sorted(TABLES)))
        name = draw(st.sampled_from(FUNCTIONS))
        shapes = (
            column,
            column,
            f"upper(cast({column} as text))",
            f"coalesce(cast({column} as text), 'x')",
            f"case when {column} is null then 1 else 2 end",
            f"(select max(s.id) from {other} s where s.id = {alias}.id)",
            f"(select count(*) from {other} s)",
            f"exists (select 1 from {other} s where s.id = {alias}.id)",
            f"row_number() over (order by {column})",
            f"{name}({column})",
        )
        return draw(st.sampled_from(shapes))

    first, second = draw(st.sampled_from(sorted(TABLES))), draw(st.sampled_from(sorted(TABLES)))
    outputs = ", ".join(value("t", first) for _ in range(draw(st.integers(1, 3))))
    shape = draw(st.integers(0, 6))
    where = f" where {value('t', first)} is not null" if draw(st.booleans()) else ""
    if shape == 0:
        return f"select * from {first} t{where}"
    if shape == 1:
        return f"select {outputs}, {value('u', second)} from {first} t join {second} u on u.id = t.id{where}"
    if shape == 2:
        return f"with {second} as (select * from {first}) select {outputs} from {second} t{where}"
    if shape == 3:
        return f"select q.* from (select {value('t', first)} as v from {first} t{where}) q order by 1"
    if shape == 4:
        return f"select id from {first} union select id from {second} order by id"
    if shape == 5:
        return f"select id, count(*) from {first} t left join {second} u using (id){where} group by id"
    return f"select {outputs} from {first} t{where} order by 1 limit 2"


STATEMENTS = st.one_of(plausible(), plausible(), SELECT, WITH, UNION, mangled())
EXAMPLES = settings(
    max_examples=400, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
STATE = """
select (select json_agg(t)::text from customers t), (select json_agg(t)::text from orders t),
  (select json_agg(t)::text from items t), (select json_agg(t)::text from secrets t),
  (select last_value::text || is_called from numbers), (select count(*) from pg_class), (select count(*) from pg_proc),
  (select count(*) from pg_largeobject_metadata), (select count(*) from pg_locks where locktype = 'advisory'),
  (select count(*) from pg_listening_channels()), (select json_agg(s)::text from (select name, setting from pg_settings
   where source = 'session' and name not in ('statement_timeout') order by 1) s)
"""


@pytest.fixture
def opened(postgres_database):
    masks = list(itertools.product((0, 1), repeat=len(TABLES)))
    with psycopg.connect(postgres_database.dsn, autocommit=True) as link:
        link.execute(SETUP)
        link.execute(ONLY_POSTGRES)
        for mask in masks:
            role = "reads_" + "".join(map(str, mask))
            link.execute(f"do $$ begin create role {role}; exception when duplicate_object then null; end $$")
            link.execute("grant select on named to " + role)
            for table, may in zip(TABLES, mask, strict=True):
                if may:
                    link.execute(f"grant select on {table} to {role}")
    engine = open_engine(postgres_database.url)
    catalog = snapshot(engine, dialect="postgres")
    engine.dispose()
    with psycopg.connect(postgres_database.dsn) as link:
        link.execute("set statement_timeout = '2s'")
        link.commit()
        yield link, catalog
        link.rollback()


def _run(link, text):
    """Run and fetch; return the error's code, or nothing."""
    try:
        link.execute(text).fetchall()
    except psycopg.Error as failed:
        return failed.sqlstate or type(failed).__name__
    return ""


def test_postgres_reads_change_nothing_and_stay_in_their_tables(opened):
    link, catalog = opened
    before = link.execute(STATE).fetchone()
    link.rollback()
    ran = set()

    def verify(text):
        found = analyze(text, "postgres", catalog)
        if not isinstance(found, Facts) or found.actions != ("read",) or found.parameters:
            return
        sent = rewrite(found, SqlObligations(rows=5), catalog)
        if not isinstance(sent, str):
            return
        role = "reads_" + "".join(str(int(f"public.{name}" in found.tables)) for name in TABLES)
        link.execute(f"set local role {role}")
        code = _run(link, sent)
        assert code not in {"42501", "25006"}, (text, sent, code)
        link.rollback()
        link.execute("savepoint s")
        if _run(link, sent):
            link.execute("rollback to s")
        else:
            ran.add(sent)
        assert link.execute(STATE).fetchone() == before, (text, sent)
        link.rollback()

    for text in HOSTILE:
        verify(text)
    EXAMPLES(given(STATEMENTS)(verify))()
    assert len(ran) > 30, len(ran)


def test_sqlite_reads_change_nothing_and_stay_in_their_columns(tmp_path):
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as owner:
        owner.executescript(SETUP)
        owner.execute("create view named as select id, upper(name) as name from customers")
    owner.close()
    engine = open_engine(f"sqlite:///{path}")
    catalog = snapshot(engine, dialect="sqlite")
    engine.dispose()
    link = sqlite3.connect(path)
    seen = set()
    known = {name.lower(): name for name in TABLES}
    link.set_authorizer(lambda code, one, two, db, _in: seen.add((code, one, two, db)) or sqlite3.SQLITE_OK)
    harmless = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
    ran = set()

    def verify(text):
        found = analyze(text, "sqlite", catalog)
        if not isinstance(found, Facts) or found.actions != ("read",) or found.parameters:
            return
        sent = rewrite(found, SqlObligations(rows=5), catalog)
        if not isinstance(sent, str):
            return
        seen.clear()
        changes = link.total_changes
        try:
            link.execute(sent).fetchall()
        except sqlite3.Error:
            return
        ran.add(sent)
        assert {code for code, *_ in seen} <= harmless, (text, seen)
        for code, table, column, database in seen:
            # No database is named where a WITH query is read, which may be called like a table.
            if code == sqlite3.SQLITE_READ and database is not None and table.lower() in known:
                assert f"main.{table}" in found.tables, (text, table)
                assert not column or f"main.{table}.{column}" in found.touched, (text, table, column)
        assert link.total_changes == changes
        assert not link.in_transaction

    for text in HOSTILE:
        verify(text)
    EXAMPLES(given(STATEMENTS)(verify))()
    link.close()
    assert len(ran) > 30, len(ran)
