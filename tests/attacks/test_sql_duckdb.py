"""DuckDB's own ways around a gate: refused, or shown to mean no more than their facts say."""

import duckdb
import pytest

from langguard.drivers.sql import open_engine
from langguard.drivers.sql_catalog import snapshot
from langguard.protocol import Facts, Refusal
from langguard.sql import analyze
from langguard.sql.classify import actions

SETUP = """
create table people (id int, name text, ssn text, born date, tags text[], info struct(ssn text, n int), doc json);
create table audit (id int, entry text);
create table "odd.csv" (id int);
create sequence numbers;
create macro mine(x) as (select max(ssn) from people);
create macro rows_of() as table select * from people;
create macro list_value(a) as (select max(ssn) from people);
create macro "+"(a, b) as (select max(ssn) from people);
create type mood as enum ('a', 'b');
create view plain as select id, name from people;
create view listed as select [id] as x from people;
create schema inner_;
create table inner_.people (id int, word text);
create view inner_.seen as select * from people;
"""


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    path = tmp_path_factory.mktemp("duck") / "people.duckdb"
    with duckdb.connect(str(path)) as link:
        link.execute(SETUP)
        link.execute("attach ':memory:' as other")
        link.execute("create table other.main.elsewhere (id int)")
        link.execute("create temp table passing (id int)")
    engine = open_engine(f"duckdb:///{path}")
    found = snapshot(engine, dialect="duckdb", schemas=("main", "inner_"))
    engine.dispose()
    return found


FILES = [
    "select * from 'x.csv'",
    'select * from "x.csv"',
    "from 'x.parquet'",
    "from x.csv",
    'select * from "https://example.com/x.parquet"',
    "select * from ['x.csv', 'y.csv']",
    "select * from read_csv('/etc/passwd')",
    "select * from read_csv_auto('/etc/passwd')",
    "select * from read_text('/etc/passwd')",
    "select * from read_blob('/etc/passwd')",
    "select * from read_json('x')",
    "select * from read_parquet('x')",
    "select * from parquet_metadata('x')",
    "select * from sniff_csv('x')",
    "select * from glob('/*')",
    "select * from read_duckdb('x')",
    "select read_text('/etc/passwd')",
    "copy people to 'x.csv'",
    "copy (select 1) to 'x.csv'",
    "copy people from '/etc/passwd'",
    "export database 'x'",
    "import database 'x'",
    "attach 'x.db'",
    "detach other",
    "use other",
]
TEXT_RUN_AS_SQL = [
    "select * from query('select 1')",
    "select * from query_table('people')",
    "select * from query_table(['people'])",
    "select * from json_execute_serialized_sql(json_serialize_sql('select 1'))",
    "select json_serialize_sql('select 1')",
    "select json_serialize_plan('select * from people')",
    "prepare p as delete from people",
    "execute p",
    "call pragma_version()",
    "pragma table_info('people')",
    "explain analyze delete from people",
]
EFFECTS = [
    "with x as (delete from people returning *) select * from x",
    "with x as (insert into people (id) values (1) returning *) from x",
    "with x as (update people set id = 1 returning *) from x",
    "select nextval('numbers')",
    "select setseed(0.5)",
    "select write_log('x')",
    "select sleep_ms(100)",
    "select error('x')",
    "select 1; delete from people",
    "select $$ $$; delete from people",
    "select $tag$ $tag$; delete from people",
    "set variable x = 1",
    "set search_path = 'inner_'",
    "reset all",
    "create temp macro upper(x) as x",
    "create or replace view plain as select 1",
    "install httpfs",
    "load httpfs",
    "checkpoint",
    "force checkpoint",
    "vacuum",
    "analyze",
    "begin",
    "create secret s (type s3)",
    "comment on table people is 'x'",
]
WHOLE_ROWS = [
    "select people from people",
    "select p from people p",
    "select name as p, p from people p",
    "select name as p from people p where p is not null",
    "select name as p, (select p) from people p",
    "select (select max(p) from people p)",
    "select to_json(p) from people p",
    "select row(p.*) from people p",
    "select struct_pack(people) from people",
    "select count(people.*) from people",
    "select columns(*) from people",
    "select columns('s.*') from people",
    "select * like 's%' from people",
    "select max(columns(*)) from people",
    "select unpack(people) from people",
    "select list(p) from people p",
    "select {'a': p} from people p",
    "select x from (select * from people) x",
]
SETTINGS = [
    "select getvariable('x')",
    "select getenv('HOME')",
    "select current_setting('search_path')",
    "select * from duckdb_settings()",
    "select * from duckdb_secrets()",
    "select * from which_secret('s3://x', 's3')",
    "select * from duckdb_tables",
    "select * from duckdb_logs",
    "select * from pragma_table_info('people')",
    "select * from information_schema.columns",
    "select * from pg_catalog.pg_class",
    "select * from sqlite_master",
    "select stats(ssn) from people",
    "select current_query()",
    "select current_user",
    "describe people",
    "select * from (describe people)",
    "summarize people",
    "from (summarize people)",
    "show tables",
    "from (show all tables)",
    "select * from elsewhere",
    "select * from other.main.elsewhere",
    "select * from passing",
    "select * from temp.main.passing",
]
OWNERS = [
    "select mine(1)",
    "select * from rows_of()",
    "select list_value(1)",
    "select 1 + 2",
    "select 'a'::mood",
    "select * from listed",
    "select name.upper() from people",
    "select ('s').nextval()",
    "select (name).mine() from people",
    "select main.mine(1)",
    "select system.main.upper('x')",
    "select \"upper\"('x')",
]
HIDDEN = [
    "select rowid from people",
    "select people.rowid from people",
    "select #3 from people",
    "select * from people order by #3",
    "select list_transform(tags, x -> ssn) from people",
    "select list_transform(tags, lambda x: x) from people",
    "select list_aggregate(tags, 'mine') from people",
    "select [ssn for x in tags] from people",
    "pivot people on ssn using count(*)",
    "select * from (pivot people on ssn using count(*))",
    "select * from people pivot (count(*) for ssn in ('1'))",
    "unpivot people on ssn",
    "select * from people positional join audit",
    "select * from people asof join audit on people.id >= audit.id",
    "select * from people using sample 10%",
    "select * from people tablesample 10%",
    "select * from people at (version => 1)",
    "select id from people union by name select ssn from people",
    "select id from people limit 10%",
    "select repeat('x', 1000000000)",
    "select lpad('x', 1000000000, 'y')",
    "select range(1000000000)",
    "select generate_series(1, 1000000000)",
    "select unnest(range(1000000000))",
    "select printf('%1000000000d', 1)",
    "select format('{:1000000000}', 1)",
    "select id from people where name = ?",
    "select id from people where name = $name",
]


@pytest.mark.parametrize("statement", FILES + TEXT_RUN_AS_SQL + EFFECTS + WHOLE_ROWS + SETTINGS + OWNERS + HIDDEN)
def test_what_reaches_past_its_tables_is_refused(catalog, statement):
    found = analyze(statement, "duckdb", catalog)
    assert isinstance(found, Refusal), found.statement
    assert found.reason


@pytest.mark.parametrize("statement", [s for s in FILES + TEXT_RUN_AS_SQL + EFFECTS if s != "from x.csv"])
def test_what_reads_files_runs_text_or_has_an_effect_shows_without_a_catalogue(statement):
    assert actions(statement, "duckdb") != {"read"}


@pytest.mark.parametrize(
    ("statement", "outputs"),
    [
        ("from people select name", [{"name"}]),
        ("select * exclude (ssn, tags, info, doc) from people", [{"id"}, {"name"}, {"born"}]),
        ("select p.* exclude (ssn, tags, info, doc) replace (ssn as name) from people p", [{"id"}, {"ssn"}, {"born"}]),
        ("select ssn as x, upper(x) as y, name from people", [{"ssn"}, {"ssn"}, {"name"}]),
        ("select name as ssn, ssn as again from people", [{"name"}, {"ssn"}]),
        ("select ssn as x, name as y, x || y as z from people", [{"ssn"}, {"name"}, {"ssn", "name"}]),
        ("select upper(ssn) as x from people where x like '1%'", [{"ssn"}]),
        ("select z.v from people, (select 'x' as ssn, ssn as v) z", [set()]),
        ("select z.v from people p, lateral (select p.ssn as k, k as v) z", [{"ssn"}]),
        ("select ssn as name, (select max(name) from people q) from people", [{"ssn"}, {"name"}]),
        ("select ssn s, count(*) n from people group by all having n > 1 order by all", [{"ssn"}, set()]),
        ("select ssn as k, id from people qualify row_number() over (order by k) = 1", [{"ssn"}, {"id"}]),
        ("select info.ssn, info['n'], people.info.n from people", [{"info"}] * 3),
        ("select doc.a.b, doc->>'a', doc->'$.a' from people", [{"doc"}] * 3),
        ("select unnest(tags) from people", [{"tags"}]),
        ("select t.x from people, unnest(tags) t(x)", [{"tags"}]),
        ("select a.id from people a semi join people b on a.ssn = b.ssn", [{"id"}]),
        ("select x: ssn from people", [{"ssn"}]),
        ("with people as (select ssn as name from people) from people", [{"ssn"}]),
        ("with recursive r(n, v) as (select 1, ssn from people union all select n, v from r) from r", [set(), {"ssn"}]),
        ("select list(ssn order by name) from people", [{"ssn", "name"}]),
        ("select arg_max(name, ssn) from people", [{"name", "ssn"}]),
        ("select try_cast(ssn as int) from people", [{"ssn"}]),
        ("select coalesce(name, $1) from people where id = $2", [{"name"}]),
        ("select e'\\'; delete from people --' as x, ssn from people", [set(), {"ssn"}]),
    ],
)
def test_what_reaches_each_output_is_told(catalog, statement, outputs):
    found = analyze(statement, "duckdb", catalog)
    assert isinstance(found, Facts), found
    assert [{c.removeprefix("main.people.") for c in o.columns} for o in found.outputs] == outputs
    again = analyze(found.statement, "duckdb", catalog)
    assert isinstance(again, Facts)
    assert (again.statement, again.outputs, again.touched) == (found.statement, found.outputs, found.touched)


def test_names_put_out_again_and_again_end_soon(catalog):
    doubled = ", ".join(f"x{n} || x{n} as x{n + 1}" for n in range(40))
    found = analyze(f"select ssn as x0, {doubled} from people", "duckdb", catalog)
    assert isinstance(found, Refusal)
    assert found.code == "too_complex"


def test_a_merge_is_a_write(catalog):
    merge = "merge into people using audit on people.id = audit.id when matched then delete"
    found = analyze(merge, "duckdb", catalog)
    assert isinstance(found, Facts)
    assert "write" in found.actions
    assert found.written == ("main.people",)


def test_a_view_is_refused_where_macros_come_before_the_engines_own_functions_in_it(catalog):
    assert {view.id for view in catalog.views if "not the engine's own" in view.refused} == {
        "main.plain",
        "main.listed",
        "inner_.seen",
    }


def test_a_view_reads_its_own_schema_first(tmp_path):
    path = tmp_path / "views.duckdb"
    with duckdb.connect(str(path)) as link:
        link.execute(
            "create schema s2; create table t (a int); create table s2.t (b int); create table only_main (c int)"
        )
        link.execute("create view s2.v as select * from t; create view s2.w as select * from only_main")
    engine = open_engine(f"duckdb:///{path}")
    found = analyze("select * from s2.v, s2.w", "duckdb", snapshot(engine, dialect="duckdb", schemas=("main", "s2")))
    engine.dispose()
    assert isinstance(found, Facts), found
    assert [o.columns for o in found.outputs] == [("s2.t.b",), ("main.only_main.c",)]


def test_a_name_is_sent_with_its_schema_so_that_no_file_can_take_its_place(catalog):
    found = analyze('select id from "odd.csv"', "duckdb", catalog)
    assert isinstance(found, Facts)
    assert found.statement == 'SELECT "odd.csv"."id" AS "id" FROM "main"."odd.csv" AS "odd.csv"'
