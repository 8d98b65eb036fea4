"""Whatever is called a read is run on a live DuckDB, as its owner and with its doors open: it must change nothing.

It is run again in a database that holds only the tables and columns of its facts, where it must give the same rows; and
again with each column changed that the facts say does not reach an output, which must then be the same.
"""

import contextlib

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langguard.drivers.sql import open_engine
from langguard.drivers.sql_catalog import snapshot
from langguard.protocol import Facts, SqlObligations
from langguard.sql import analyze, rewrite

TABLES = {
    "customers": {"id": "int", "name": "text", "email": "text", "region": "text"},
    "orders": {"id": "int", "customer_id": "int", "total": "decimal(10,2)", "note": "text"},
    "items": {"id": "int", "order_id": "int", "price": "double", "title": "text"},
    "secrets": {"id": "int", "word": "text"},
}
ROWS = {
    "customers": [
        (1, "Ann", "ann@example.com", "north"),
        (2, "Bo", None, "south"),
        (3, "Cy", "cy@example.com", "north"),
    ],
    "orders": [(1, 1, 10.5, "now"), (2, 2, 20, '{"k": 1}'), (3, 1, 7, None)],
    "items": [(1, 1, 5.0, "pen"), (2, 2, 7.5, "ink"), (3, 3, 1.25, "pad")],
    "secrets": [(1, "plugh"), (2, "xyzzy")],
}
OBJECTS = """
create sequence numbers;
create view named as select id, upper(name) as name from customers;
create macro spoil(a) as a + 1;
create macro lower(a) as (select max(word) from secrets);
create macro peek() as table select * from secrets;
create view lowered as select id, lower(name) as name from customers;
create table holds (id int, s struct(word text, n int), l int[], j json);
insert into holds values (1, {'word': 'deep', 'n': 1}, [1, 2], '{"word": "x"}');
"""
NAMES = sorted({column for columns in TABLES.values() for column in columns})
FUNCTIONS = """
upper lower length abs coalesce count max min sum avg round substr replace trim string_agg concat nullif list first
any_value arg_max median quantile_cont row_number lag date_trunc strftime json_object json_extract to_json struct_pack
list_value unnest regexp_replace md5 hash typeof if ifnull greatest row_to_json
nextval currval setval getenv getvariable current_setting query query_table read_text read_csv glob spoil peek
json_execute_serialized_sql json_serialize_sql list_transform list_aggregate repeat range generate_series sleep_ms
write_log stats version error columns pg_sleep current_database duckdb_tables pragma_table_info
""".split()  # noqa: SIM905 - a list of words
OPERATORS = "+ - * // % || = <> < > <= and or like ilike glob is in -> ->> :: ^@ ~ similar".split()  # noqa: SIM905
HOSTILE = [
    "with x as (delete from items returning *) select * from x",
    "with x as (insert into items values (9, 9, 9, 'x') returning *) select * from x",
    "select nextval('numbers')",
    "select * from 'people.csv'",
    'select * from "people.csv"',
    "from 'people.csv'",
    "select * from read_csv('people.csv')",
    "select * from read_text('people.csv')",
    "select * from glob('*')",
    "copy customers to 'out.csv'",
    "select * from query('select * from secrets')",
    "select * from query_table('secrets')",
    "select * from json_execute_serialized_sql(json_serialize_sql('select * from secrets'))",
    "select * from peek()",
    "select lower(name) from customers",
    "select * from lowered",
    "select columns(*) from customers",
    "select columns('.*') from secrets",
    "select * like '%' from customers",
    "select c from customers c",
    "select region as c, c from customers c",
    "select to_json(c) from customers c",
    "select * from customers; delete from items",
    "select 1 /* */ ; update orders set total = 0 --",
    "pivot customers on region using count(*)",
    "from (pivot secrets on word using count(*))",
    "unpivot customers on name, email",
    "describe secrets",
    "select * from (describe secrets)",
    "summarize secrets",
    "from (summarize secrets)",
    "show all tables",
    "select * from duckdb_settings()",
    "select * from duckdb_tables",
    "select * from information_schema.tables",
    "select rowid from secrets",
    "select #1 from secrets",
    "select getvariable('x'), current_setting('search_path')",
    "set variable x = 1",
    "attach ':memory:' as other",
    "prepare p as select 1",
    "execute p",
    "call pragma_version()",
    "select * exclude (email) replace (upper(name) as name) from customers",
    "select c.* exclude (id), o.total from customers c join orders o on o.customer_id = c.id",
    "from customers select name where region = 'north'",
    "from customers",
    "select region, count(*) as n, sum(total) as t from customers c join orders o on o.customer_id = c.id group by all "
    "having n > 1 order by all",
    "select name as n, upper(n) as u, length(u) as l from customers where n like 'A%' order by l",
    "select word as id, (select id) from secrets",
    "select name as word, (select max(word) from secrets) from customers",
    "select z.v from customers, (select 1 as name, name as v) z",
    "select z.v from secrets, (select 1 as word, word as v from items) z",
    "select z.v from secrets s, lateral (select 1 as word, word as v from items) z",
    "select id, row_number() over (partition by region order by id) as r from customers qualify r = 1",
    "select name from customers qualify row_number() over (order by id) = 1",
    "select * from customers semi join orders on orders.customer_id = customers.id",
    "select * from customers anti join orders o on o.customer_id = customers.id",
    "select * from customers positional join secrets",
    "select * from customers asof join secrets on customers.id >= secrets.id",
    "select * from customers natural join secrets",
    "select id from customers union by name select id, word from secrets",
    "select s.word from holds",
    "select holds.s.word, s['word'], struct_extract(s, 'n'), l[1], j->>'word' from holds",
    "select unnest(l) as x, id from holds",
    "select x.i from holds, unnest(l) x(i)",
    "select s from holds",
    "select [x for x in l] from holds",
    "select list_transform(l, x -> x + 1) from holds",
    "select h.l.list_sum() from holds h",
    "with recursive r(n, w) as (select 1, name from customers union all select n + 1, w from r where n < 3) from r",
    "with customers as (select * from secrets) select * from customers",
    "with customers as (select * from customers) select * from customers",
    "select (select word from secrets where secrets.id = c.id) from customers c",
    "select id from customers where id in (from secrets select id)",
    "select $$ $$ ; drop table items",
    "select * from customers using sample 1",
    "select * from customers at (version => 1)",
    "select i from range(3) t(i)",
    "select range(100), 2 ** 3, 7 // 2",
    "select x: name from customers",
    "values (1, 2), ((select max(id) from secrets), 3)",
    "select string_agg(name, ',' order by id), list(email), arg_max(name, id) from customers",
    "select distinct on (region) region, name from customers order by region, id",
    "select grouping(region), region, count(*) from customers group by rollup (region)",
    "select case when exists (select 1 from secrets where word like 'p%') then 1 end",
    "select main.customers.name, customers.* from main.customers",
    "select sum(total) filter (where note is null) over w from orders window w as (order by id)",
]
TABLE = st.sampled_from(
    [*TABLES, "main.customers", "named", "lowered", '"orders"', "holds", "duckdb_tables", "'x.csv'"]
)
COLUMN = st.sampled_from(
    [
        *NAMES,
        "t.id",
        "t.name",
        "u.id",
        "u.note",
        "t.*",
        "t",
        "*",
        '"word"',
        "rowid",
        "s",
        "s.word",
        "t.s.word",
        "x",
        "k",
    ]
)
LITERAL = st.sampled_from(
    ["1", "'x'", "null", "2.5", "'a''b'", "true", "[1, 2]", "{'a': 1}", "$$q$$", "E'\\n'", "0xff"]
)


def _expressions(inner):
    function = st.sampled_from(FUNCTIONS)
    return st.one_of(
        st.tuples(function, st.lists(inner, max_size=3)).map(lambda p: f"{p[0]}({', '.join(p[1])})"),
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map(" ".join),
        inner.map("({})".format),
        inner.map("not {}".format),
        inner.map("try_cast({} as int)".format),
        inner.map("{} :: text".format),
        inner.map("case when {} is null then 1 else 2 end".format),
        inner.map("{} as x".format),
        st.tuples(inner, TABLE, inner).map(lambda p: f"(select {p[0]} from {p[1]} u where {p[2]} is not null limit 1)"),
        st.tuples(TABLE, inner).map(lambda p: f"exists (from {p[0]} u where {p[1]} is not null)"),
    )


EXPRESSION = st.recursive(st.one_of(COLUMN, LITERAL), _expressions, max_leaves=5)
TAIL = st.sampled_from(
    ["", " order by 1", " limit 2", " group by all", " group by 1", " order by all", " qualify x = 1", "; select 1"]
)
JOIN = st.sampled_from(
    [
        " join {} u on t.id = u.id",
        ", {} u",
        " left join {} u using (id)",
        " natural join {} u",
        " semi join {} u using (id)",
    ]
)
FROM = st.one_of(TABLE.map("{} t".format), st.tuples(TABLE, JOIN, TABLE).map(lambda p: f"{p[0]} t" + p[1].format(p[2])))
SELECT = st.tuples(st.lists(EXPRESSION, min_size=1, max_size=3), FROM, st.one_of(st.none(), EXPRESSION), TAIL).map(
    lambda p: f"select {', '.join(p[0])} from {p[1]}" + (f" where {p[2]} is not null" if p[2] else "") + p[3]
)


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
    """A statement whose names exist, with aliases that are used again, in DuckDB's own ways to write."""

    def value(alias, table):
        column = f"{alias}.{draw(st.sampled_from(sorted(TABLES[table])))}"
        other = draw(st.sampled_from(sorted(TABLES)))
        shapes = (
            column,
            column.partition(".")[2],
            f"upper(cast({column} as text))",
            f"coalesce({column}::text, 'x')",
            f"case when {column} is null then 1 else 2 end",
            f"(select max(s.id) from {other} s where s.id = {alias}.id)",
            f"(select count(*) from {other} s)",
            f"(select max(id) from {other})",
            f"exists (from {other} s where s.id = {alias}.id)",
            f"row_number() over (order by {column}, {alias}.id)",
            f"list({column}) over ()",
            f"{draw(st.sampled_from(FUNCTIONS))}({column})",
        )
        return draw(st.sampled_from(shapes))

    first, second = draw(st.sampled_from(sorted(TABLES))), draw(st.sampled_from(sorted(TABLES)))
    name = draw(st.sampled_from(["k", "word", "name", "id", "t"]))
    outputs = ", ".join(value("t", first) for _ in range(draw(st.integers(1, 3))))
    where = f" where {value('t', first)} is not null" if draw(st.booleans()) else ""
    left_out = draw(st.sampled_from(sorted(TABLES[first])))
    return draw(
        st.sampled_from(
            [
                f"select * from {first} t{where}",
                f"from {first} t{where}",
                f"from {first} t select {outputs}{where}",
                f"select * exclude ({left_out}) from {first} t{where}",
                f"select t.* replace ({value('t', first)} as {left_out}) from {first} t{where}",
                f"select {outputs}, {value('u', second)} from {first} t join {second} u on u.id = t.id{where}",
                f"with {second} as (select * from {first}) select {outputs} from {second} t{where}",
                f"select q.* from (select {value('t', first)} as {name} from {first} t{where}) q order by 1",
                f"select {value('t', first)} as {name}, {name} as again, upper({name}::text) from {first} t",
                f"select {value('t', first)} as {name} from {first} t where {name} is not null order by {name}",
                f"select {value('t', first)} as {name}, count(*) as n from {first} t group by {name} having n > 0",
                f"select {value('t', first)} as {name}, count(*) from {first} t group by all",
                f"select z.v from {first} t, (select 1 as {name}, {name} as v from {second}) z",
                f"select z.v from {first} t, lateral (select {value('t', first)} as {name}, {name} as v) z",
                f"select {value('t', first)} as {name}, (select max({name}) from {second}) from {first} t",
                f"select id from {first} union select id from {second} order by id",
                f"select id, count(*) from {first} t left join {second} u using (id){where} group by id",
                f"select {outputs} from {first} t semi join {second} u on u.id = t.id{where}",
                f"select {outputs} from {first} t{where} qualify row_number() over (order by t.id) < 3",
            ]
        )
    )


STATEMENTS = st.one_of(plausible(), plausible(), SELECT, mangled())
EXAMPLES = settings(
    max_examples=700, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)
CHANGED = {"int": "{} + 1000", "text": "coalesce({}, '') || '~'", "decimal(10,2)": "{} + 1000", "double": "{} + 1000"}
VOLATILE = ("now", "today", "current_", "random", "uuid", "localtime", "timestamp", "hash")


def fill(link, columns, changed=None):
    """Make the tables with these columns of theirs only; the values of one column may be others."""
    for table, kinds in TABLES.items():
        names = [name for name in kinds if columns is None or f"main.{table}.{name}" in columns]
        link.execute(f"create table whole_{table} ({', '.join(f'{n} {k}' for n, k in kinds.items())})")
        link.executemany(f"insert into whole_{table} values ({', '.join('?' * len(kinds))})", ROWS[table])
        shown = [
            f"({CHANGED[kinds[n]].format(n)})::{kinds[n]} as {n}" if changed == f"main.{table}.{n}" else n
            for n in names
        ]
        link.execute(f"create table {table} as select {', '.join(shown) or '1 as _'} from whole_{table}")
        link.execute(f"drop table whole_{table}")


def state(link):
    """Everything in a database that a statement could change, as values."""
    tables = [name for (name,) in link.execute("select table_name from duckdb_tables() order by 1").fetchall()]
    return [
        *(link.execute(f"select * from main.{name} order by all").fetchall() for name in tables),
        link.execute("select sequence_name, last_value from duckdb_sequences()").fetchall(),
        link.execute("select name, value from duckdb_settings() order by 1").fetchall(),
        link.execute("select view_name, sql from duckdb_views() where not internal order by all").fetchall(),
        link.execute("select count(*) from duckdb_functions()").fetchall(),
        link.execute("select database_name from duckdb_databases() order by 1").fetchall(),
        link.execute("select name from duckdb_variables() order by 1").fetchall(),
        link.execute("select extension_name from duckdb_extensions() where loaded order by 1").fetchall(),
    ]


def rows_of(link, text):
    """Return the rows, or None where the database can't run the text."""
    link = link.cursor()
    link.execute(
        "set search_path = 'system.main,memory.main'"
        if link.execute("select current_database()").fetchone() == ("memory",)
        else "set search_path = 'system.main,shop.main'"
    )
    try:
        return link.execute(text).fetchall()
    except duckdb.Error:
        return None
    finally:
        link.close()


@pytest.fixture
def opened(tmp_path, monkeypatch):
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as owner:
        fill(owner, None)
        owner.execute(OBJECTS)
    engine = open_engine(f"duckdb:///{path}")
    catalog = snapshot(engine, dialect="duckdb")
    engine.dispose()
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "people.csv").write_text("id,word\n1,filed\n")
    monkeypatch.chdir(folder)
    with duckdb.connect(str(path), config={"threads": "1"}) as link:
        yield link, catalog, folder


def test_reads_change_nothing_and_derive_from_what_their_facts_say(opened):
    link, catalog, folder = opened
    before, files = state(link), sorted(folder.iterdir())
    ran, traced = set(), set()

    def verify(text):
        found = analyze(text, "duckdb", catalog)
        if not isinstance(found, Facts) or found.actions != ("read",) or found.parameters:
            return
        sent = rewrite(found, SqlObligations(rows=50), catalog=catalog)
        if not isinstance(sent, str):
            return
        rows = rows_of(link, sent)
        assert state(link) == before, (text, sent)
        assert sorted(folder.iterdir()) == files, (text, sent)
        assert "filed" not in str(rows), (text, sent)
        if rows is None or sent in ran:
            return
        ran.add(sent)
        if any(word in sent.lower() for word in VOLATILE) or "main.holds" in found.tables:
            return
        with duckdb.connect(config={"threads": "1"}) as bare:
            fill(bare, set(found.touched))
            with contextlib.suppress(duckdb.Error):
                bare.execute(OBJECTS.partition("create table")[0])
            assert sorted(map(repr, rows_of(bare, sent) or [])) == sorted(map(repr, rows)), (text, sent)
        for column in set(found.touched) - set(found.decided):
            with duckdb.connect(config={"threads": "1"}) as other:
                fill(other, None, changed=column)
                with contextlib.suppress(duckdb.Error):
                    other.execute(OBJECTS.partition("create table")[0])
                again = rows_of(other, sent)
            if again is None:
                continue
            traced.add(sent)
            for at, output in enumerate(found.outputs):
                if column not in output.columns:
                    one, two = (sorted(repr(row[at]) for row in some) for some in (rows, again))
                    assert one == two, (text, sent, column, output)

    for text in HOSTILE:
        verify(text)
    EXAMPLES(given(STATEMENTS)(verify))()
    assert len(ran) > 100, len(ran)
    assert len(traced) > 50, len(traced)
