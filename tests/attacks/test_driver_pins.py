"""What gives a text its meaning is pinned and read back on each connection; where it does not hold, nothing is sent."""

import psycopg
import pytest
from sqlalchemy import create_engine

from langguard.drivers import sql_postgres
from langguard.drivers.sql import open_engine, run_statement
from langguard.errors import TargetError


@pytest.fixture
def engine(postgres_database):
    made = open_engine(postgres_database.url)
    yield made
    made.dispose()


def run(engine, statement, *, read_only=True, schemas=("public",), timeout_ms=4000):
    return run_statement(
        engine,
        statement,
        (),
        dialect="postgres",
        rows=10,
        timeout_ms=timeout_ms,
        read_only=read_only,
        schemas=schemas,
        result_bytes=10_000,
    ).rows


def role_says(postgres_database, setting):
    with psycopg.connect(postgres_database.dsn, autocommit=True) as link:
        name = link.execute("SELECT current_database()").fetchone()[0]
        link.execute(f'ALTER DATABASE "{name}" SET {setting}')


@pytest.mark.parametrize(
    ("setting", "statement", "rows"),
    [
        pytest.param("standard_conforming_strings = off", "SELECT 'a\\b'", [("a\\b",)], id="backslashes are text"),
        pytest.param("transform_null_equals = on", "SELECT 1 WHERE NULL = NULL", [], id="nothing equals null"),
        pytest.param("timezone = 'Asia/Tokyo'", "SELECT current_setting('TimeZone')", [("UTC",)], id="time zone"),
        pytest.param("datestyle = 'SQL, DMY'", "SELECT '02/03/2024'::date::text", [("2024-02-03",)], id="dates"),
        pytest.param("intervalstyle = 'iso_8601'", "SELECT '1 day'::interval::text", [("1 day",)], id="intervals"),
        pytest.param("bytea_output = 'escape'", "SELECT '\\x00'::bytea::text", [("\\x00",)], id="bytes"),
        pytest.param(
            "search_path = evil", "SELECT current_setting('search_path')", [('"public", pg_temp',)], id="path"
        ),
        pytest.param(
            "statement_timeout = 0", "SELECT current_setting('statement_timeout')", [("4s",)], id="time limit"
        ),
        pytest.param("default_transaction_read_only = off", "SHOW transaction_read_only", [("on",)], id="reads only"),
    ],
)
def test_a_default_of_the_database_does_not_hold(postgres_database, engine, setting, statement, rows):
    role_says(postgres_database, setting)
    assert run(engine, statement) == rows


def test_a_write_may_write_where_the_default_is_to_read(postgres_database, engine):
    with psycopg.connect(postgres_database.dsn) as link:
        link.execute("CREATE TABLE t (n INTEGER)")
    role_says(postgres_database, "default_transaction_read_only = on")
    run(engine, "INSERT INTO t VALUES (1)", read_only=False)
    assert run(engine, "SELECT n FROM t") == [(1,)]


def test_a_temporary_table_does_not_stand_for_a_real_one(postgres_database, engine):
    with psycopg.connect(postgres_database.dsn) as link:
        link.execute("CREATE TABLE t AS SELECT 'real' AS word")
    with engine.connect() as connection:  # the pool's one connection, used by others before
        connection.exec_driver_sql("CREATE TEMP TABLE t AS SELECT 'false' AS word")
        connection.commit()
    assert run(engine, "SELECT word FROM t") == [("real",)]


@pytest.mark.parametrize("schemas", [("public",), (), ("Odd\"'\\ %s name", "public")])
def test_any_schema_name_is_kept_as_it_is(engine, schemas):
    assert run(engine, "SELECT 1", schemas=schemas) == [(1,)]


@pytest.mark.parametrize("timeout_ms", [1, 999, 1000, 1500, 60_000, 90_000, 3_600_000, 86_400_000])
def test_any_time_limit_is_recognised_as_kept(engine, timeout_ms):
    statement = "SELECT setting FROM pg_settings WHERE name = 'lock_timeout'"
    if timeout_ms > 100:
        assert run(engine, statement, timeout_ms=timeout_ms) == [(str(timeout_ms),)]
    assert sql_postgres._time(timeout_ms)


def test_a_connection_that_commits_by_itself_is_refused(postgres_database):
    url = postgres_database.url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with pytest.raises(TargetError, match="commits each statement by itself"):
            run(engine, "SELECT 1")
    finally:
        engine.dispose()


@pytest.mark.parametrize("name", sorted(sql_postgres.PINS))
def test_a_setting_that_is_not_kept_stops_the_statement(engine, monkeypatch, name):
    """As with a proxy that answers for the server: another value comes back than was asked for."""
    other = {"TimeZone": "utc", "DateStyle": "ISO", "bytea_output": "HEX", "IntervalStyle": "POSTGRES"}.get(name, "1")
    monkeypatch.setitem(sql_postgres.PINS, name, other)
    with pytest.raises(TargetError, match=f"does not keep {name}"):
        run(engine, "SELECT 1")


@pytest.mark.parametrize("text", ["SELECT 1; SELECT 2", "SELECT 1;", "SELECT ';' ; SELECT 2", 'SELECT 1 AS "a;" ;'])
def test_two_statements_are_never_sent(engine, text):
    with pytest.raises(TargetError, match="more than one statement"):
        run(engine, text)
    assert run(engine, "SELECT ';', 1 AS \";\"") == [(";", 1)]


def test_to_the_server_too_a_text_is_one_statement(engine):
    """The wall behind the wall: even where the driver's own look at the text is passed by."""
    with engine.connect() as connection, pytest.raises(Exception, match="multiple commands"):
        connection.exec_driver_sql("SELECT 1; SELECT 2", execution_options={"no_parameters": True})
