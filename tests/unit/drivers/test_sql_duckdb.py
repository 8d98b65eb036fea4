"""DuckDB's walls, each tried against a real file."""

import threading

import duckdb
import pytest
from sqlalchemy import create_engine

from langguard.drivers.sql import Cancel, open_engine, run_statement
from langguard.drivers.sql_duckdb import check
from langguard.errors import OutcomeUnknownError, TargetError

SLOW = "select count(*) from range(1000000000) a, range(1000000) b where a.range % 7 = b.range % 5"


@pytest.fixture
def path(tmp_path):
    place = tmp_path / "shop.duckdb"
    with duckdb.connect(str(place)) as link:
        link.execute("create table t (a int, b text)")
        link.execute("insert into t values (1, 'x'), (2, 'y')")
        link.execute("create sequence numbers")
        link.execute("create macro upper(x) as 'not yours'")
        link.execute("create macro peek() as (select max(b) from t)")
    return place


@pytest.fixture(params=["read_only", "read_write"])
def engine(request, path):
    made = open_engine(f"duckdb:///{path}?access_mode={request.param}")
    yield made
    made.dispose()


def run(engine, statement, binds=(), *, read_only=True, rows=10, timeout_ms=5000, cancel=None, result_bytes=10_000):
    return run_statement(
        engine,
        statement,
        binds,
        dialect="duckdb",
        rows=rows,
        timeout_ms=timeout_ms,
        read_only=read_only,
        schemas=("main",),
        result_bytes=result_bytes,
        cancel=cancel,
    )


def test_rows_are_capped_and_say_so(engine):
    assert run(engine, "select range from range(1000)", rows=3).rows == [(0,), (1,), (2,)]
    assert run(engine, "select range from range(1000)", rows=3).truncated
    assert run(engine, 'select "a" from "main"."t" where "a" = $1 or "a" = $1', (2,)).rows == [(2,)]
    assert run(engine, "select '100%', 'it''s $1' where 1 = $1", (1,)).rows == [("100%", "it's $1")]


def test_a_plan_is_told_and_nothing_runs(engine):
    assert run(engine, "EXPLAIN (FORMAT json) SELECT a FROM main.t", result_bytes=100_000).rows
    with pytest.raises(TargetError):
        run(engine, "EXPLAIN (FORMAT json, ANALYZE) SELECT a FROM main.t")
    assert run(engine, "select count(*) from main.t").rows == [(2,)]


def test_a_large_result_fails(engine):
    with pytest.raises(TargetError, match="larger than 10000 bytes"):
        run(engine, "select repeat('x', 20000)")


@pytest.mark.parametrize(
    "statement",
    [
        "delete from t",
        "insert into t values (3, 'z')",
        "with x as (delete from t returning *) select * from x",
        "with x as (insert into t values (3, 'z') returning *) select * from x",
        "select nextval('numbers')",
        "select 1; delete from t",
        "select 1; select 2",
        "",
        "create temp table x (a int)",
        "create temp macro lower(x) as 'mine'",
        "create or replace view v as select 1",
        "set threads = 1",
        "set search_path = 'main'",
        "set variable x = 1",
        "attach ':memory:' as other",
        "copy t to 'out.csv'",
        "copy (select 1) to 'out.csv'",
        "export database 'out'",
        "install httpfs",
        "load httpfs",
        "create secret s (type s3)",
        "call pragma_version()",
        "pragma database_list",
        "checkpoint",
        "prepare p as select 1",
        "begin",
        "commit",
        "select * from '/etc/passwd'",
        "select * from read_text('/etc/passwd')",
        "select * from glob('/*')",
        "select * from read_csv('/etc/passwd')",
        "select * from engine",
        "merge into t using t u on t.a = u.a when matched then delete",
        "explain analyze delete from t",
        "explain (analyze, format json) delete from t",
    ],
)
def test_a_read_has_no_effect_and_stays_inside(engine, path, statement, tmp_path):
    with pytest.raises(TargetError) as refused:
        run(engine, statement)
    assert "passwd" not in str(refused.value)
    assert run(engine, "select count(*) from main.t").rows == [(2,)]
    assert run(engine, "select lower('ABC')").rows == [("abc",)]
    engine.dispose()
    assert {each.name for each in tmp_path.iterdir()} <= {path.name, path.name + ".wal"}


def test_the_engines_own_functions_come_before_the_databases(engine):
    assert run(engine, "select upper('a')").rows == [("A",)]


def test_a_write_needs_a_database_opened_for_it(path):
    engine = open_engine(f"duckdb:///{path}")
    with pytest.raises(TargetError):
        run(engine, "insert into main.t values (3, 'z')", read_only=False)
    engine.dispose()
    engine = open_engine(f"duckdb:///{path}?access_mode=read_write")
    assert run(engine, "insert into main.t values (3, 'z')", read_only=False).affected == 1
    assert run(engine, "update main.t set b = 'w'", read_only=False).affected == 3
    assert run(engine, "delete from main.t where a = 1 returning b", read_only=False).rows == [("w",)]
    merge = "merge into main.t using (values (2, 'm')) u(a, b) on t.a = u.a when matched then update set b = u.b"
    assert run(engine, merge, read_only=False).affected == 1
    for other in ("create table x (a int)", "drop table t", "copy t to 'x'", "set threads = 1", "checkpoint"):
        with pytest.raises(TargetError):
            run(engine, other, read_only=False)
    assert run(engine, "select count(*) from main.t").rows == [(2,)]
    engine.dispose()


def test_a_failed_write_leaves_nothing(path):
    engine = open_engine(f"duckdb:///{path}?access_mode=read_write")
    with pytest.raises(TargetError, match="could not be read as the type"):
        run(engine, "insert into main.t select a + 10, cast(b as int) from main.t", read_only=False)
    assert run(engine, "select count(*) from main.t").rows == [(2,)]
    engine.dispose()


def test_two_writes_to_a_row_are_one_write(path):
    engine = open_engine(f"duckdb:///{path}?access_mode=read_write")
    with engine.connect() as first:
        first.connection.driver_connection.read_only = False
        first.exec_driver_sql("update main.t set b = 'first'")
        with pytest.raises(TargetError, match="TransactionException"):
            run(engine, "update main.t set b = 'second'", read_only=False)
        first.commit()
    assert run(engine, "select distinct b from main.t").rows == [("first",)]
    engine.dispose()


def test_what_takes_too_long_is_stopped(engine):
    with pytest.raises(TargetError, match="longer than 200 ms"):
        run(engine, SLOW, timeout_ms=200)
    assert run(engine, "select 1").rows == [(1,)]


def test_a_call_can_be_cancelled_while_it_runs_and_before(engine):
    handle = Cancel()
    threading.Timer(0.2, handle.fire).start()
    with pytest.raises(TargetError, match="cancelled while it ran"):
        run(engine, SLOW, timeout_ms=60_000, cancel=handle)
    with pytest.raises(TargetError, match="cancelled before it ran"):
        run(engine, "select 1", cancel=handle)
    assert run(engine, "select 1").rows == [(1,)]


def test_an_error_holds_no_value(engine):
    for statement in ("select cast(b || 'plugh' as int) from main.t", "select 'plugh'::date", "select plugh"):
        with pytest.raises(TargetError) as failed:
            run(engine, statement)
        assert "plugh" not in str(failed.value)
        assert failed.value.__cause__ is None


@pytest.mark.parametrize(
    "url",
    [
        "duckdb://",
        "duckdb:///:memory:",
        "duckdb:///md:shop",
        "duckdb:///s3://bucket/x.duckdb",
        "duckdb://host/shop.duckdb",
        "duckdb:///{path}?enable_external_access=true",
        "duckdb:///{path}?lock_configuration=false",
        "duckdb:///{path}?access_mode=automatic",
        "duckdb:///{path}.absent",
        "duckdb:///{path}?memory_limit=lots",
    ],
)
def test_what_is_no_file_or_opens_a_wall_is_refused(path, url):
    with pytest.raises(TargetError) as refused:
        run(open_engine(url.format(path=path)), "select 1")
    assert str(path) not in str(refused.value)


def test_each_wall_is_read_back(path):
    with duckdb.connect(str(path)) as link:
        found = check(link, read_only=True)
    assert {"enable_external_access", "lock_configuration", "access_mode", "python_enable_replacements"} <= set(found)


def test_a_setting_that_changes_meaning_stops_the_callers_own_engine(path):
    engine = create_engine(f"duckdb:///{path}", connect_args={"config": {"integer_division": "true"}})
    with pytest.raises(TargetError, match="integer_division"):
        run(engine, "select 7 / 2")
    engine.dispose()


def test_the_callers_own_engine_reads_only(path):
    engine = create_engine(f"duckdb:///{path}")
    assert run(engine, "select a from main.t order by 1").rows == [(1,), (2,)]
    assert run(engine, "select upper('a')").rows == [("A",)]
    with pytest.raises(TargetError):
        run(engine, "with x as (delete from t returning *) select * from x")
    with pytest.raises(TargetError, match="longer than 200 ms"):
        run(engine, SLOW, timeout_ms=200)
    assert run(engine, "insert into main.t values (3, 'z')", read_only=False)
    assert run(engine, "select count(*) from main.t").rows == [(3,)]
    engine.dispose()


def test_an_engine_lets_go_of_its_file(path):
    engine = open_engine(f"duckdb:///{path}")
    assert run(engine, "select 1").rows == [(1,)]
    engine.dispose()
    with duckdb.connect(str(path)) as link:
        link.execute("insert into t values (4, 'w')")
    assert run(engine, "select count(*) from main.t").rows == [(3,)]
    engine.dispose()


def test_a_commit_that_is_not_answered_is_unknown(path, monkeypatch):
    engine = open_engine(f"duckdb:///{path}?access_mode=read_write")

    def lost(_self, _connection):
        raise OSError

    monkeypatch.setattr(type(engine.dialect), "do_commit", lost)
    with pytest.raises(OutcomeUnknownError):
        run(engine, "insert into main.t values (3, 'z')", read_only=False)
    engine.dispose()
