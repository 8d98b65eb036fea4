"""Refused statements: their kind, their targets, and all that any part of them would do."""

import pytest

from langguard.protocol import Refusal
from langguard.sql import analyze
from langguard.sql.described import described

ROWS = [
    (
        "postgres",
        "drop table if exists public.orders, customers cascade",
        "drop_table",
        "ddl",
        ["public.orders", "customers"],
    ),
    ("postgres", "create table copy_of as select * from customers", "create_table", "ddl read", ["copy_of"]),
    ("postgres", "create temp table t (id int)", "create_table", "ddl", ["t"]),
    (
        "postgres",
        "create unique index concurrently i on public.orders (id)",
        "create_index",
        "ddl",
        ["i", "public.orders"],
    ),
    ("postgres", "create or replace view v as select 1", "create_view", "ddl read", ["v"]),
    ("postgres", "create materialized view mv as select * from orders", "create_materialized_view", "ddl read", ["mv"]),
    ("postgres", "refresh materialized view concurrently mv", "refresh_materialized", "ddl", ["mv"]),
    ("postgres", 'alter table only "Orders" add column x int', "alter_table", "ddl", ["Orders"]),
    ("postgres", "truncate table orders, only customers", "truncate", "ddl write", ["orders", "customers"]),
    ("postgres", "comment on table orders is 'drop table x'", "comment_on", "ddl", ["orders"]),
    ("postgres", "create role boss superuser", "create_role", "ddl privilege", ["boss"]),
    ("postgres", "alter default privileges grant select on tables to x", "alter_privileges", "ddl privilege", []),
    ("postgres", "alter system set work_mem = '1GB'", "alter_system", "admin ddl privilege", []),
    (
        "postgres",
        "grant select, insert on table orders, customers to bob",
        "grant",
        "privilege",
        ["orders", "customers"],
    ),
    ("postgres", "revoke all on orders from bob", "revoke", "privilege", ["orders"]),
    ("postgres", "grant admins to bob", "grant", "privilege", ["admins"]),
    ("postgres", "drop owned by bob", "drop_owned", "ddl privilege", []),
    ("postgres", "create policy p on orders using (true)", "create_policy", "ddl privilege", ["p", "orders"]),
    (
        "postgres",
        "create trigger t before insert on orders execute function f()",
        "create_trigger",
        "ddl",
        ["t", "orders"],
    ),
    ("postgres", "copy orders to program 'curl example.com'", "copy", "file read", ["orders"]),
    ("postgres", "copy orders from stdin", "copy", "file write", ["orders"]),
    ("postgres", "copy (delete from orders returning *) to stdout", "copy", "file read write", ["orders"]),
    ("postgres", "explain analyze delete from orders", "explain_analyze", "admin write", ["orders"]),
    ("postgres", "explain delete from orders", "explain", "admin", []),
    ("postgres", "explain (analyze, verbose) update orders set id = 1", "explain", "admin write", ["orders"]),
    ("postgres", "prepare p as delete from orders", "prepare", "session write", ["orders"]),
    ("postgres", "declare c cursor for select * from orders", "declare", "read session", []),
    ("postgres", "do $$ begin delete from orders; end $$", "do", "procedure", []),
    ("postgres", "call p(1)", "call", "procedure", ["p"]),
    ("postgres", "lock table orders in exclusive mode", "lock_table", "transaction", ["orders"]),
    ("postgres", "vacuum full orders", "vacuum", "admin", ["orders"]),
    ("postgres", "notify c, 'delete from orders'", "notify", "session", []),
    ("postgres", "load 'x.so'", "load", "admin file", []),
    (
        "postgres",
        "with gone as (delete from orders returning *) select * from gone",
        "select",
        "read write",
        ["orders"],
    ),
    ("postgres", "with a as (select 1) delete from orders", "delete", "read write", ["orders"]),
    ("postgres", "select * into copy_of from customers", "select", "ddl read", ["copy_of"]),
    ("postgres", "select * from orders for update", "select", "read transaction", []),
    ("postgres", "select * from orders for no key update", "select", "read transaction", []),
    ("postgres", "select 1; drop table orders", "select", "ddl read", ["orders"]),
    (
        "postgres",
        "merge into orders o using customers c on true when matched then delete",
        "merge",
        "write",
        ["orders"],
    ),
    ("postgres", "import foreign schema s from server x into y", "import_foreign", "ddl", []),
    ("postgres", "reassign owned by a to b", "reassign_owned", "privilege", []),
    ("sqlite", "attach database 'x.db' as other", "attach", "file", ["other"]),
    ("sqlite", "pragma table_info(orders)", "pragma", "admin", []),
    ("sqlite", "replace into orders values (1)", "replace", "write", ["orders"]),
    ("sqlite", "insert or replace into orders values (1)", "insert", "write", ["orders"]),
    ("sqlite", "vacuum into 'x.db'", "vacuum", "admin file", []),
    ("sqlite", "create virtual table v using fts5(a)", "create_table", "ddl", ["v"]),
    ("mysql", "load data infile '/etc/passwd' into table orders", "load_data", "file write", ["orders"]),
    ("mysql", "select * from orders into outfile '/tmp/x'", "select", "file read", []),
    ("mysql", "select id into @a from orders", "select", "read session", []),
    ("mysql", "select * from orders lock in share mode", "select", "read transaction", []),
    ("mysql", "handler orders open", "handler", "read session", ["orders"]),
    ("mysql", "lock tables orders write, customers read", "lock_tables", "transaction", ["orders", "customers"]),
    ("mysql", "flush privileges", "flush", "admin", []),
    ("mysql", 'install plugin x soname "delete from y"', "install_plugin", "admin", []),
    ("mysql", "rename table orders to o2", "rename_table", "ddl", ["orders"]),
    ("mysql", "kill 5", "kill", "admin", []),
    ("mysql", "xa start 'x'", "xa", "transaction", []),
    ("mysql", "optimize table orders", "optimize_table", "admin", ["orders"]),
    ("mysql", "insert ignore into orders values (1)", "insert", "write", ["orders"]),
    ("mysql", "replace orders set id = 1", "replace", "write", ["orders"]),
    ("mysql", "show grants", "show", "metadata", []),
    ("mysql", "change master to master_host='x'", "change_master", "admin", []),
    ("mysql", "drop user 'bob'@'%'", "drop_user", "ddl privilege", []),
    ("mysql", "analyze table orders", "analyze_table", "admin", ["orders"]),
    ("mysql", "create definer=`a`@`b` procedure p() select 1", "create_procedure", "ddl read", ["p"]),
    ("duckdb", "install httpfs", "install", "admin", []),
    ("duckdb", "load httpfs", "load", "admin", []),
    ("duckdb", "export database 'x'", "export_database", "file read", []),
    ("duckdb", "copy orders to 'x.parquet'", "copy", "file read", ["orders"]),
    ("duckdb", "summarize orders", "summarize", "read", ["orders"]),
    ("duckdb", "force checkpoint", "force_checkpoint", "admin", []),
    ("duckdb", "create secret s (type s3)", "create_secret", "ddl privilege", ["s"]),
    ("duckdb", "create macro m(a) as a", "create_macro", "ddl", ["m"]),
    ("duckdb", "use other", "use", "session", ["other"]),
    ("duckdb", "attach 'x.db' as y", "attach", "file", ["y"]),
    ("tsql", "exec xp_cmdshell 'dir'", "exec", "procedure", ["xp_cmdshell"]),
    ("tsql", "backup database shop to disk = 'x'", "backup_database", "admin file", []),
    ("tsql", "dbcc checkdb", "dbcc", "admin", []),
    ("tsql", "bulk insert dbo.orders from 'x.csv'", "bulk_insert", "file write", ["dbo.orders"]),
    ("tsql", "deny select on dbo.orders to bob", "deny", "privilege", ["dbo.orders"]),
    ("tsql", "select * into [dbo].[copy of] from orders", "select", "ddl read", ["dbo.copy of"]),
    ("tsql", "waitfor delay '0:0:5'", "waitfor", "session", []),
    ("tsql", "declare @a int; delete from orders", "declare", "session write", ["orders"]),
    ("tsql", "execute as user = 'x'", "execute_as", "privilege", ["user"]),
    ("tsql", "if 1=1 drop table orders", "if", "ddl procedure", ["orders"]),
    ("tsql", "delete orders", "delete", "write", ["orders"]),
    ("tsql", "create login x with password = 'y'", "create_login", "ddl privilege", ["x"]),
    ("snowflake", "put file:///x @stage", "put", "file", []),
    ("snowflake", "remove @stage/x", "remove", "file", []),
    ("snowflake", "copy into orders from @stage", "copy", "file write", ["orders"]),
    ("snowflake", "copy into @stage from orders", "copy", "file read", ["@stage"]),
    ("snowflake", "undrop table orders", "undrop_table", "ddl", ["orders"]),
    ("snowflake", "execute immediate 'drop table orders'", "execute_immediate", "procedure", []),
    ("snowflake", "create stage s", "create_stage", "ddl", ["s"]),
    ("snowflake", "list @stage", "list", "file", []),
    ("bigquery", "export data options(uri='x') as select * from orders", "export_data", "file read", []),
    ("bigquery", "load data into shop.orders from files(x)", "load_data", "file write", ["shop.orders"]),
    ("bigquery", "assert (select count(*) from orders) > 1", "assert", "procedure read", []),
    ("bigquery", "call p()", "call", "procedure", ["p"]),
    ("bigquery", "create model m as select 1", "create_model", "ddl read", ["m"]),
    ("bigquery", "drop schema `p.d`", "drop_schema", "ddl", ["p.d"]),
    ("postgres", "select id from orders", "select", "read", []),
    ("postgres", "insert into orders (id) select id from customers", "insert", "read write", ["orders"]),
    ("postgres", "update orders set id = 1", "update", "write", ["orders"]),
]


@pytest.mark.parametrize(("dialect", "statement", "kind", "actions", "targets"), ROWS)
def test_what_the_words_tell(dialect, statement, kind, actions, targets):
    found = described(statement, dialect)
    assert (found.kind, sorted(found.actions), found.targets) == (kind, actions.split(), targets)


@pytest.mark.parametrize(
    "text", ["hello there", "", "   ", "'drop table x'", "-- drop table x", "/* drop table x", ";;;"]
)
def test_what_is_no_statement_has_no_kind(text):
    assert described(text, "postgres").kind == ""


@pytest.mark.parametrize("dialect", ["postgres", "mysql", "tsql", "bigquery"])
@pytest.mark.parametrize(
    "text",
    [
        "/*" * 8000,
        "'" * 16_000,
        "$a" * 8000,
        "[" * 16_000,
        "(" * 16_000,
        "drop table " + "a," * 8000,
        "\\" * 9000,
        "select " * 2300,
        "insert into " * 1300,
        "delete from a.b.c;" * 900,
        "with " * 3000,
    ],
)
def test_no_text_takes_long(text, dialect):
    import time

    started = time.perf_counter()
    described(text, dialect)
    assert time.perf_counter() - started < 1


def test_values_are_no_targets(catalogs):
    for statement in ("copy orders from 'secret'", "drop table 'secret'", "set x = 'secret'", "call p('secret')"):
        found = analyze(statement, "postgres", catalogs["postgres"])
        assert isinstance(found, Refusal)
        assert not any("secret" in target for target in found.targets)


@pytest.mark.parametrize(
    ("statement", "actions"),
    [
        ("with gone as (delete from orders returning id) select * from gone", ("read", "write")),
        ("select 1; drop table orders", ("ddl", "read")),
        ("select pg_sleep(1) from orders for update", ("read", "transaction")),
        ("select * into copy_of from customers", ("ddl", "read")),
        ("explain analyze delete from orders", ("admin", "write")),
        ("select nope from customers", ()),
    ],
)
def test_a_refusal_tells_all_a_statement_would_do(catalogs, statement, actions):
    found = analyze(statement, "postgres", catalogs["postgres"])
    assert isinstance(found, Refusal)
    assert found.actions == actions
