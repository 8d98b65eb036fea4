"""Hostile statements in the dialects that are analysed only: none is a read, with a catalogue and without one."""

import pytest

from langguard.protocol import Catalog, Column, Facts, Refusal, SqlObligations, Table
from langguard.sql import actions, analyze, rewrite

HOMES = {"tsql": "dbo", "snowflake": "PUBLIC", "bigquery": "shop"}
COLUMNS = ("id", "name", "ssn", "j")


def catalog(dialect):
    stored = str.upper if dialect == "snowflake" else str
    columns = tuple(Column(name=stored(n), type="text", kind="text") for n in COLUMNS)
    tables = tuple(Table(schema=HOMES[dialect], name=stored(n), columns=columns) for n in ("people", "audit"))
    return Catalog(dialect=dialect, default_schemas=(HOMES[dialect],), tables=tables)


TSQL = {
    "a second statement, with nothing between": [
        "select 1 delete from people",
        "select id from people delete audit",
        "select id from people as p delete from people",
        "select 1 update people set name = '1'",
        "select 1 insert into audit (id) values (1)",
        "select 1 exec xp_cmdshell 'whoami'",
        "select id from people execute sp_configure",
        "select id from people shutdown",
        "select id from people drop table audit",
        "select id from people truncate table audit",
        "select id from people waitfor delay '0:0:5'",
        "select id from people kill 53",
        "select id from people print 'x'",
        "select id from people grant select on people to public",
        "select id from people backup database master to disk = 'x'",
        "select id from people dbcc checkdb",
        "select id from people use master",
        "select id from people begin tran",
        "select id from people revert",
        "select id from people throw",
        "select id from people go delete from people",
        "select 1\nGO\ndelete from people",
        "select id from people; delete from people",
        "select id from people select ssn from people",
    ],
    "a statement that is no query": [
        "exec('delete from people')",
        "execute sp_executesql N'delete from people'",
        "execute as user = 'dbo'",
        "declare @a int = 1; exec(@a)",
        "bulk insert people from 'x'",
        "merge people using audit on 1 = 1 when matched then delete;",
        "set rowcount 1",
        "print 'x'",
        "open c",
        "dbcc checkdb",
        "kill 1",
        "sp_who",
    ],
    "a table is made": ["select * into #x from people", "select id into people2 from people"],
    "rows are changed inside": [
        "select * from (update people set name = '1' output inserted.ssn) x",
        "select * from (delete people output deleted.ssn) x",
        "select * from (merge people using audit on 1 = 1 when matched then delete output deleted.id) x",
        "with x as (delete from people output deleted.*) select * from x",
    ],
    "something else is opened": [
        "select * from openrowset('SQLNCLI', 'x', 'delete from people')",
        "select * from openrowset(bulk '/etc/passwd', single_clob) a",
        "select * from openquery(srv, 'delete from people')",
        "select * from opendatasource('x', 'y').a.b.c",
        "select * from openxml(1, '/a')",
        "select * from openjson('[1]')",
        "select * from srv.db.dbo.people",
        "select * from db.dbo.people",
        "select * from db..people",
        "select * from fn_xe_file_target_read_file('x', null, null, null)",
        "select * from sys.fn_get_audit_file('x', null, null)",
        "select * from sys.dm_exec_sql_text(0x01)",
        "select * from sys.objects",
        "select * from information_schema.tables",
        "select * from sysobjects",
        "select * from #x",
        "select * from @t",
        "select * from [#x]",
        "select * from people p cross apply sys.fn_listextendedproperty(p.name, 1, 1, 1, 1, 1, 1) x",
        "select * from changetable(changes people, 1) c",
        "select * from containstable(people, name, 'x')",
    ],
    "state": [
        "select next value for s",
        "select @@rowcount",
        "select @x",
        "select @x = ssn from people",
        "select $identity from people",
        "select rand(1)",
        "select newsequentialid()",
        "select scope_identity()",
        "select ident_current('people')",
        "select context_info()",
    ],
    "who and where": [
        "select host_name(), suser_sname()",
        "select user_name()",
        "select current_user",
        "select session_user",
        "select system_user",
        "select app_name()",
        "select object_definition(1)",
        "select serverproperty('x')",
    ],
    "hints and locks": [
        "select * from people with (tablockx, holdlock)",
        "select * from people with (updlock)",
        "select * from people (nolock)",
        "select * from people option (recompile)",
        "select * from people for update",
        "select * from people for xml path",
        "select * from people for json auto",
        "select * from people for browse",
        "select * from people for system_time all",
        "select top 5 percent id from people",
    ],
    "methods": [
        "select people.j.query('x') from people",
        "select geography::Parse('x')",
        "select p.j.value('(/a)[1]', 'int') from people p",
        "select dbo.own(id) from people",
        "select own(id) from people",
        "select [upper](name) from people",
    ],
    "quotes": [
        "select [a]]b]; delete from people",
        'select "id"; delete from people',
        "select 'a\\\n'; delete from people --'",
        "select 'a\\\nb'",
        "select 1 /* */ delete from people",
        "select 1 -- x\n delete from people",
    ],
    "placeholders": ["select $1", "select ? from people", "select :a from people", "select {fn now()}"],
}
SNOWFLAKE = {
    "a statement that is no query": [
        "get @s file:///tmp",
        "remove @s",
        "list @s",
        "use role accountadmin",
        "show tables",
        "describe table people",
        "undrop table people",
        "create table x clone people",
        "begin delete from people; end",
        "execute immediate 'delete from people'",
        "insert overwrite into people select 1",
        "copy into @s from people",
        "alter session set x = 1",
        "call p()",
        "grant role x to user y",
        "with p as procedure() returns int language sql as $$ begin delete from people; end $$ call p()",
        "show tables ->> select * from $1",
        "select 1 ->> delete from people",
        "select id from people; delete from people",
        "select $$a$$; delete from people",
        "merge into people using audit on 1 = 1 when matched then delete",
        "truncate people",
    ],
    "stages and files": [
        "select * from @s",
        "select $1 from @s/x.csv",
        "select * from '@s/x.csv'",
        'select * from "@s/x.csv"',
        "select * from @~",
        "select * from table(infer_schema(location => '@s'))",
        "select build_scoped_file_url(@s, 'x')",
        "select get_presigned_url(@s, 'x')",
        "select to_file('@s/x')",
    ],
    "sequences": [
        "select s.nextval",
        "select people.id, s.nextval from people",
        "select * from table(getnextval(s))",
        "select seq4()",
    ],
    "table functions": [
        "select * from table(own(1))",
        "select * from table(result_scan(last_query_id()))",
        "select * from table(information_schema.query_history())",
        "select * from table(flatten(input => j))",
        "select p.id from people p, lateral flatten(input => p.j) f",
        "select * from table('people')",
        "select * from table(generator(rowcount => 10))",
    ],
    "names made elsewhere": [
        "select * from identifier('people')",
        "select * from identifier($x)",
        "select identifier('ssn') from people",
        "select * from db.public.people",
        "select * from information_schema.tables",
        "select * from snowflake.account_usage.query_history",
        "select * from account_usage.query_history",
        "select $x",
        "select :x",
        "select people.$1 from people",
        "select metadata$filename from people",
    ],
    "functions": [
        "select system$wait(10)",
        "select system$typeof(id) from people",
        "select own(id) from people",
        "select db.s.own(id) from people",
        "select snowflake.cortex.complete('m', name) from people",
        "select ai_complete('m', name) from people",
        "select current_user()",
        "select current_role()",
        "select current_user",
        "select get_ddl('table', 'people')",
        "select encrypt(ssn, 'x') from people",
        "select random()",
        "select last_query_id()",
        'select "UPPER"(name) from people',
    ],
    "other times, other rows": [
        "select * from people at(offset => -60)",
        "select * from people before(statement => 'x')",
        "select * from people changes(information => default) at(offset => -60)",
        "select * from people sample (10)",
        "select * from people match_recognize (pattern (a) define a as true)",
        "select * from people for update",
        "select * from people p, audit a where p.id = a.id(+)",
    ],
    "quotes": [
        "select 'a\\\\'",
        "select 'a\\\\'; delete from people; --'",
        "select $$ssn$$",
        "select 1 // x\n; delete from people",
        "select 1 /* /* */ ; delete from people */",
    ],
}
BIGQUERY = {
    "a statement that is no query": [
        "execute immediate 'delete from people'",
        "export data options(uri = 'gs://x/*') as select 1",
        "begin select 1; end",
        "begin transaction",
        "assert 1 = 1",
        "declare x int64 default 1",
        "set x = 1",
        "call p()",
        "load data into people from files (uris = ['gs://x'])",
        "create model m options(model_type = 'x') as select 1",
        "create temp function f() as (1); select f()",
        "grant `roles/x` on table people to 'y'",
        "select id from people; delete from people",
        "if true then delete from people; end if",
        "merge people using audit on true when matched then delete",
        "from people |> select ssn",
        "select id from people |> where id = 1",
    ],
    "names": [
        "select * from `p.d.secret_*`",
        "select * from `shop.people*`",
        "select * from `p`.d.INFORMATION_SCHEMA.JOBS",
        "select * from shop.INFORMATION_SCHEMA.TABLES",
        "select * from `region-us`.INFORMATION_SCHEMA.JOBS",
        "select * from shop.__TABLES__",
        "select * from proj.shop.people",
        "select * from `proj.shop.people`",
        "select * from `other-project.shop.people`",
        "select _table_suffix from people",
        "select _PARTITIONTIME from people",
        "select * from people for system_time as of timestamp '2020-01-01'",
        "select * from people tablesample system (10 percent)",
        "select people from people",
        "select to_json_string(p) from people p",
    ],
    "table functions": [
        "select * from external_query('c', 'delete from people')",
        "select * from ml.predict(model m, table people)",
        "select * from vector_search(table people, 'x', table audit)",
        "select * from appends(table people, null)",
        "select * from own(1)",
        "select * from unnest([1, 2])",
        "select x from people, unnest(j) as x",
    ],
    "functions": [
        "select session_user()",
        "select @@project_id",
        "select @x",
        "select ?",
        "select net.host('x')",
        "select safe.substr(name, 1) from people",
        "select own(name) from people",
        "select shop.own(name) from people",
        "select keys.new_keyset('x')",
        "select aead.encrypt(ssn, 'x', 'y') from people",
        "select ai.generate(name) from people",
        "select rand()",
        "select error('x')",
        "select `upper`(name) from people",
        "select struct(id, ssn) from people",
        "select as struct * from people",
        "select as value p from people p",
    ],
    "quotes": [
        "select '''a'''; delete from people",
        'select """a"""',
        "select r'\\'",
        "select rb'x'",
        "select b'x'",
        'select "a\\"; delete from people; --"',
        "select 1 # x\n; delete from people",
        "select `a\\`b` from people",
    ],
}
ROWS = [
    pytest.param(dialect, text, id=f"{dialect}: {kind}: {text[:60]}")
    for dialect, table in (("tsql", TSQL), ("snowflake", SNOWFLAKE), ("bigquery", BIGQUERY))
    for kind, texts in table.items()
    for text in texts
]
WITH_A_CATALOGUE = {
    # Without one, text alone can't say that these are no tables, columns or attributes.
    "select people from people",
    "select to_json_string(p) from people p",
    "select id from people go delete from people",
}


@pytest.mark.parametrize(("dialect", "text"), ROWS)
def test_refused(dialect, text):
    found = analyze(text, dialect, catalog(dialect))
    assert isinstance(found, Refusal), found.statement
    if text not in WITH_A_CATALOGUE:
        assert actions(text, dialect) != {"read"}


HARMLESS = [
    ("tsql", "select 1 as [delete]", "SELECT 1 AS [delete]"),
    ("tsql", "select id as [x]]; delete from people --] from people", "[x]]; delete from people --]"),
    ("tsql", "select 'x'' delete from people'", "'x'' delete from people'"),
    (
        "tsql",
        "select /* note */ id from people -- note",
        "SELECT [people].[id] AS [id] FROM [dbo].[people] AS [people]",
    ),
    ("tsql", "select 1 /* /* */ delete from people */", "SELECT 1 AS [1]"),
    ("snowflake", "select 'a\\'; delete from people; --'", "'a\\'; delete from people; --'"),
    ("bigquery", "select 'a\\'; delete from people; --'", "'a\\'; delete from people; --'"),
    ("bigquery", 'select "it\'s"', "'it\\'s'"),
    ("snowflake", 'select id as "x""; delete" from people', '"x""; delete"'),
    ("snowflake", "select 'it''s' from people", "'it\\'s'"),
    ("bigquery", "select 'x' as `delete` from people", "AS `delete`"),
    ("bigquery", 'select "x; delete from people"', "'x; delete from people'"),
]


@pytest.mark.parametrize(("dialect", "text", "kept"), HARMLESS)
def test_harmless_is_written_back_with_its_names_quoted(dialect, text, kept):
    held = catalog(dialect)
    facts = analyze(text, dialect, held)
    assert isinstance(facts, Facts), facts
    assert facts.actions == ("read",)
    assert kept in facts.statement
    assert "note" not in facts.statement
    assert isinstance(rewrite(facts, SqlObligations(rows=5), held), str)
