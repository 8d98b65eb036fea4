"""Statements that do more than they seem to, by class. A bypass found becomes a row here and stays."""

import pytest

from langguard.protocol import Catalog, Column, Facts, Refusal, SqlObligations, Table
from langguard.sql import actions, analyze, rewrite

COLUMNS = tuple(Column(name=n, type="text", kind="text") for n in ("id", "name", "ssn", "j"))


def catalog(dialect, **more):
    schema = "main" if dialect == "sqlite" else "public"
    tables = tuple(Table(schema=schema, name=n, columns=COLUMNS) for n in ("people", "audit"))
    return Catalog(dialect=dialect, default_schemas=(schema,), tables=tables, **more)


POSTGRES = {
    "write inside a query": [
        "with gone as (delete from people returning ssn) select * from gone",
        "with a as (select 1), b as (insert into audit (id) values ('1') returning id) select 1",
        "with m as (merge into people p using audit a on p.id = a.id when matched then delete) select 1",
        "select * from (with x as (update people set ssn = '' returning id) select id from x) y",
        "insert into audit (id) with x as (delete from people returning id) select id from x",
    ],
    "a query that makes a table or locks": [
        "select * into copy_of_people from people",
        "select name into temp t from people union select name from audit",
        "select id from people for update",
        "select id from people for no key update skip locked",
        "select * from (select id from people for share) x",
    ],
    "function with an effect": [
        "select nextval('people_id_seq')",
        "select setval('people_id_seq', 1)",
        "select set_config('role', 'postgres', false)",
        "select pg_notify('c', 'x')",
        "select pg_advisory_lock(1)",
        "select pg_terminate_backend(1)",
        "select lo_import('/etc/passwd')",
        "select lo_export(1, '/tmp/x')",
        "select txid_current()",
        "select pg_current_xact_id()",
        "select setseed(0.5)",
        "select pg_sleep(10)",
        "select dblink('host=x', 'select 1')",
        "select currval('people_id_seq')",
    ],
    "function that runs a text": [
        "select query_to_xml('delete from people', true, false, '')",
        "select table_to_xml('people', true, false, '')",
        "select schema_to_xml('public', true, false, '')",
        "select cursor_to_xml('c', 1, true, false, '')",
        "select * from ts_stat('select to_tsvector(ssn) from people')",
        "select ts_rewrite('a'::tsquery, 'select t, s from aliases')",
        "select * from crosstab('select 1, 2, 3') as t(a int, b int)",
    ],
    "files, programs and settings": [
        "select pg_read_file('/etc/passwd')",
        "select pg_ls_dir('/')",
        "select * from pg_ls_dir('/') d",
        "copy people to '/tmp/x'",
        "copy people to program 'curl example.com'",
        "copy (select * from people) to stdout",
        "load 'x.so'",
        "select current_setting('data_directory')",
        "select version()",
        "select inet_server_addr()",
        "select current_user",
        "select session_user, current_catalog",
        "select user",
    ],
    "function where it is not looked for": [
        "select id from people order by pg_sleep(1)",
        "select id from people limit (select pg_sleep(1) is null)::int",
        "select count(*) filter (where pg_sleep(1) is null) from people",
        "select sum(1) over (partition by nextval('s')) from people",
        "select array[nextval('s')]",
        "select id from people group by id having pg_sleep(1) is null",
        "select case when true then pg_read_file('x') end",
        "select coalesce(null, pg_read_file('x'))",
        "values (pg_read_file('x'))",
        "select * from people p join audit a on pg_sleep(1) is null",
        "select trim(both from pg_read_file('x'))",
        "select extract(epoch from pg_sleep(1)::text::timestamp)",
        "select j -> pg_read_file('x') from people",
        "select (array[1])[nextval('s')]",
        "insert into audit (id) values (pg_read_file('/etc/passwd'))",
        "update audit set id = pg_read_file('/etc/passwd')",
        "delete from audit where pg_sleep(1) is null",
        "delete from audit returning pg_read_file('x')",
        "select distinct on (pg_sleep(1)) id from people",
        "select pg_sleep/**/(1)",
        "select pg_sleep\n(1)",
        'select "pg_sleep"(1)',
        "select pg_catalog.pg_sleep(1)",
        "select * from people pg_sleep(a, b) where pg_sleep(1) is null",
        "with pg_sleep(a) as (select 1) select pg_sleep(1) from pg_sleep",
        "select string_agg(name, ',' order by pg_sleep(1)) from people",
        "select percentile_cont(0.5) within group (order by pg_sleep(1)) from people",
        "select 1 window w as (order by pg_sleep(1))",
        "select sum(1) over w from people window w as (partition by nextval('s'))",
    ],
    "call without the look of one": [
        "select people.to_jsonb from people",
        "select p.row_to_json from people p",
        "select (p).ssn from people p",
        "select (p.j).secret_function from people p",
        "select name(p.j) from people p",
        "select p from people p",
        "select p::text from people p",
        "select to_json(p) from people p",
        "select count(p) from people p",
        "select row(p.*) from people p",
        "select tableoid, ctid, xmin from people",
    ],
    "operator, type or cast of one's own": [
        "select id operator(public.+) name from people",
        "select id === name from people",
        "select id @@@ name from people",
        "select name::my_type from people",
        "select my_type 'x'",
        "select 'people'::regclass",
        "select 'pg_sleep'::regproc",
        "select name::public.citext from people",
        "select id from people order by id using <",
        "select @ -1, !! 1",
    ],
    "spelling that hides": [
        'select U&"\\0073sn" from people',
        "select U&'\\0073sn'",
        "select U&\"d!0061ta\" uescape '!' from people",
        "select E'\\x41'",
        "select E'\\u0041'",
        "select N'x'",
        "select 1 /*! union select ssn from people */",
        "select 1 /*M! union select ssn from people */",
        "select /*+ hint */ 1",
        "select\u00a0ssn from people",
        "select s\u200bsn from people",
        "select 1 \x00; drop table people",
        "select :name",
        "select %(name)s",
        "select ?",
        "select @x",
        "select $2",
        "select $1 + $3",
    ],
    "more than one statement": [
        "select 1; drop table people",
        "select 1;;select 2",
        "select 1 \\; delete from people",
        "select '\\'; delete from people; --'",
        "select $$a$$; delete from people; --$$",
        "select 1 /* /* */ */ ; delete from people",
        "begin; select 1",
        "select 1; commit; drop table people; begin",
    ],
    "the database's own catalogue": [
        "select * from pg_catalog.pg_authid",
        "select rolpassword from pg_authid",
        "select * from pg_stats",
        "select * from pg_stat_activity",
        "select * from information_schema.tables",
        'select * from "pg_shadow"',
        "select * from pg_user_mappings",
        "select (select passwd from pg_shadow limit 1) from people",
        "select * from pg_temp.x",
    ],
    "table that is not what it seems": [
        "select * from other.people",
        "select * from a.b.c.people",
        "select * from a_view",
        "select * from people tablesample system (10)",
        "select * from rows from (pg_ls_dir('.')) r",
        "select * from xmltable('/a' passing '<a/>' columns x text)",
        "select * from json_to_record('{}') as x",
        "select * from json_to_record('{}') as x(a)",
        "select * from json_to_record('{}') as x(a regclass)",
        "select * from json_to_record('{}') as x(a people)",
        "select * from people as x(a text)",
        "select * from people with ordinality",
        "with x (a text) as (select 1) select * from x",
        "select j.ssn from (people p join audit a on p.id = a.id) as j",
        "select p.ssn from (people p join audit a on p.id = a.id) as j",
        "select * from unnest(array[pg_read_file('x')]) u",
        "select * from lateral pg_ls_dir('.') x",
    ],
    "statement of another kind": [
        "explain select 1",
        "explain analyze delete from people",
        "do $$ begin delete from people; end $$",
        "call p()",
        "prepare p as delete from people",
        "execute p",
        "declare c cursor for select 1",
        "fetch all from c",
        "set role postgres",
        "set search_path = evil",
        "reset all",
        "show all",
        "listen c",
        "notify c",
        "lock people",
        "vacuum",
        "analyze people",
        "cluster",
        "checkpoint",
        "discard all",
        "refresh materialized view v",
        "comment on table people is 'x'",
        "security label on table people is 'x'",
        "reindex table people",
        "truncate people",
        "create table x as select * from people",
        "alter system set x = 1",
        "grant all on people to public",
        "\\! id",
    ],
}
SQLITE = {
    "statement": [
        "attach 'x.db' as x",
        "detach x",
        "pragma journal_mode = delete",
        "vacuum into 'x.db'",
        "reindex",
        "explain query plan select 1",
        "create trigger t after insert on people begin delete from people; end",
        "create virtual table x using csv(filename = 'x')",
        "replace into people values (1, 2, 3, 4)",
        "insert or replace into people values (1, 2, 3, 4)",
        ".shell id",
        "select 1; delete from people",
    ],
    "function": [
        "select load_extension('x')",
        "select writefile('x', 'y')",
        "select readfile('x')",
        "select edit('x')",
        "select zeroblob(1000000000)",
        "select randomblob(1000000000)",
        "select fts3_tokenizer('x')",
        "select sqlite_compileoption_get(1)",
        "select last_insert_rowid(), changes(), total_changes()",
        "select * from fsdir('/')",
        "select * from pragma_table_info('people')",
        "select * from generate_series(1, 1000000000)",
        "select * from json_each('[1]')",
        "select id from people where name match 'x'",
        "select id from people where name regexp 'x'",
        "select count(*) filter (where load_extension('x')) from people",
    ],
    "catalogue and hidden columns": [
        "select * from sqlite_master",
        'select * from "sqlite_schema"',
        "select * from main.sqlite_master",
        "select * from temp.people",
        "select * from dbstat",
        "select rowid from people",
        'select "rowid" from people',
        "select p._rowid_ from people p",
        "select oid from people",
    ],
    "spelling": [
        "select ?",
        "select :a",
        "select @a",
        "select ?1",
        "select $x",
        "select 1 \x00",
        "select [x",
        "select 'x",
    ],
}


def rows(table):
    return [pytest.param(s, id=f"{cls}: {s[:60]!r}") for cls, statements in table.items() for s in statements]


@pytest.mark.parametrize("statement", rows(POSTGRES))
def test_postgres_bypass_is_refused(statement):
    found = analyze(statement, "postgres", catalog("postgres"))
    assert isinstance(found, Refusal), found
    assert found.code
    assert found.reason.endswith(".")
    assert len(found.fragment) <= 80
    assert set(found.actions) != {"read"}


@pytest.mark.parametrize("statement", rows(SQLITE))
def test_sqlite_bypass_is_refused(statement):
    found = analyze(statement, "sqlite", catalog("sqlite"))
    assert isinstance(found, Refusal), found
    assert set(found.actions) != {"read"}


NEEDS_CATALOGUE = {
    "call without the look of one",
    "table that is not what it seems",
    "operator, type or cast of one's own",
}
BY_TEXT = {k: v for k, v in POSTGRES.items() if k not in NEEDS_CATALOGUE}


@pytest.mark.parametrize("statement", [p for p in rows(BY_TEXT) if "$" not in str(p.values[0])])
def test_no_bypass_is_called_a_read_by_its_text_alone(statement):
    assert actions(statement, "postgres") != {"read"}


OTHERS = {
    "mysql": [
        "select 1 /*! union select ssn from people */",
        "select load_file('/etc/passwd')",
        "select 1 into outfile '/tmp/x'",
        "select sleep(10)",
        "select benchmark(1000, 1)",
        "select @a := 1",
        "handler people open",
        "select id from people lock in share mode",
    ],
    "tsql": [
        "select 1 delete from people",
        "select a from people shutdown",
        "select * from openrowset('x', 'y', 'z')",
        "select next value for s",
        "exec xp_cmdshell 'id'",
        "select * from people with (updlock)",
        "select 1 go drop table people",
    ],
    "snowflake": ["select * from @stage", "select system$wait(1)", "call p()", "select 1 ->> delete from people"],
    "bigquery": [
        "select * from external_query('c', 'x')",
        "select session_user()",
        "export data options() as select 1",
    ],
    "nonsense": ["select 1"],
    "": ["select 1"],
}


@pytest.mark.parametrize(("dialect", "statement"), [(d, s) for d, ss in OTHERS.items() for s in ss])
def test_other_dialects_are_read_most_strictly(dialect, statement):
    assert actions(statement, dialect) != {"read"}
    found = analyze(statement, dialect, catalog("postgres"))
    assert isinstance(found, Refusal)
    assert found.code == "dialect_not_supported"


@pytest.mark.parametrize("dialect", ["mysql", "tsql", "snowflake", "bigquery"])
def test_a_plain_select_is_a_read_in_any_dialect(dialect):
    assert actions("select name, count(*) from people where id > 3 group by name", dialect) == {"read"}


def test_function_of_the_databases_owner_hides_the_engines():
    mine = catalog("postgres", user_functions=("concat",))
    found = analyze("select concat(name, ssn) from people", "postgres", mine)
    assert isinstance(found, Refusal)
    assert found.code == "function_not_allowed"
    assert isinstance(analyze("select upper(name) from people", "postgres", mine), Facts)


@pytest.mark.parametrize(
    ("symbol", "statement"),
    [
        ("=", "select id from people where id = '1'"),
        ("=", "select id from people where id in ('1')"),
        ("=", "select distinct id from people"),
        ("=", "select id from people p join audit a using (id)"),
        ("=", "select case id when '1' then 2 end from people"),
        ("=", "select id from people group by id"),
        ("<", "select id from people order by id"),
        ("~~", "select id from people where name like 'x'"),
        ("||", "select id || name from people"),
        ("+", "select 1 + 2"),
    ],
)
def test_operator_of_the_databases_owner_is_refused(symbol, statement):
    found = analyze(statement, "postgres", catalog("postgres", user_operators=(symbol,)))
    assert isinstance(found, Refusal), found


def test_operators_that_sqlite_carries_out_by_functions():
    mine = catalog("sqlite", user_functions=("like",))
    assert isinstance(analyze("select id from people where name like 'x'", "sqlite", mine), Refusal)
    assert isinstance(analyze("select id as like_this from people where name glob 'x'", "sqlite", mine), Facts)


def test_binding_is_fixed_by_the_text_that_is_sent():
    """A named query can't stand in for a base table, nor a forward reference for an outer one."""
    shadow = analyze("with people as (select id from people) select * from people", "postgres", catalog("postgres"))
    assert isinstance(shadow, Facts)
    assert '"public"."people"' in shadow.statement
    assert [o.name for o in shadow.outputs] == ["id"]
    forward = analyze(
        "with b as (select name from people) select * from (with recursive a as (select * from b), "
        "b as (select ssn from people) select * from a) x",
        "postgres",
        catalog("postgres"),
    )
    assert isinstance(forward, Refusal)


def test_text_sent_carries_no_comment_and_quotes_every_name():
    found = analyze("select Name /* secret */ -- more\n from People", "postgres", catalog("postgres"))
    assert isinstance(found, Facts)
    sent = rewrite(found, SqlObligations(rows=5), catalog("postgres"))
    assert sent == 'SELECT "people"."name" AS "name" FROM "public"."people" AS "people" LIMIT 6'
