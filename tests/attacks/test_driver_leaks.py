"""What a driver or database may do with a statement that was allowed: quote a value, read % as theirs, eat memory."""

import contextlib
import resource
import sqlite3

import pytest
import sqlalchemy as sa

from langguard.drivers.sql import open_engine, run_statement
from langguard.errors import TargetError

NAME, EMAIL = "Paulette Vandermeer", "paulette@example.org"
ROWS = {"rows": 50, "timeout_ms": 5000, "read_only": True, "result_bytes": 5_000_000}


@pytest.fixture(scope="module")
def pg(postgres):
    engine = open_engine(postgres.url)
    with engine.begin() as link:
        link.exec_driver_sql("CREATE SCHEMA leaks")
        link.exec_driver_sql("CREATE TABLE leaks.customers (id int, name text, email text)")
        link.execute(sa.text(f"INSERT INTO leaks.customers VALUES (1, '{NAME}', '{EMAIL}'), (2, 'S 50%', 'x')"))
    yield engine
    with engine.begin() as link:
        link.exec_driver_sql("DROP SCHEMA leaks CASCADE")
    engine.dispose()


@pytest.fixture(scope="module")
def lite(tmp_path_factory):
    path = tmp_path_factory.mktemp("leaks") / "shop.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE customers (id int, name text, email text)")
        db.execute(f"INSERT INTO customers VALUES (1, '{NAME}', '{EMAIL}'), (2, 'S 50%', 'x')")
        db.commit()
    engine = open_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


def run(engine, statement, binds=()):
    dialect = "sqlite" if engine.dialect.name == "sqlite" else "postgres"
    schemas = ("leaks",) if dialect == "postgres" else ()
    return run_statement(engine, statement, binds, dialect=dialect, schemas=schemas, **ROWS)


FIRST = "(SELECT name FROM customers WHERE id = 1)"


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(f"SELECT CAST('\"' || {FIRST} AS INTEGER)", id="a quote in the value ends the quoting"),
        pytest.param(f"SELECT CAST('''' || {FIRST} AS NUMERIC)", id="a single quote too"),
        pytest.param(f"SELECT CAST(substr({FIRST}, 1, 3) AS INTEGER), 'Pau lau ann'", id="what the statement holds"),
        pytest.param(
            f"SELECT convert_from(decode('f0', 'hex') || convert_to({FIRST}, 'UTF8'), 'UTF8')", id="bytes in hex"
        ),
        pytest.param(f"SELECT make_date(ascii({FIRST}), ascii({FIRST}), ascii({FIRST}))", id="letters as a date"),
        pytest.param(f"SELECT get_byte(decode('00', 'hex'), ascii({FIRST}))", id="a letter as an index"),
        pytest.param(f"SELECT to_timestamp({FIRST}, 'YYYY')", id="a text as a year"),
        pytest.param(f"SELECT CAST({FIRST} AS jsonb)", id="a text as JSON"),
        pytest.param(f"SELECT now() AT TIME ZONE {FIRST}", id="a text as a time zone"),
        pytest.param(f"SELECT date_trunc({FIRST}, now())", id="a text as a unit"),
        pytest.param(f"SELECT regexp_replace('x', '(' || {FIRST}, '')", id="a text as a pattern"),
        pytest.param(f"SELECT repeat('x', 1) FROM generate_series(1, 10, ascii({FIRST}) - 80)", id="a step of zero"),
        pytest.param(f"SELECT CAST(ascii({FIRST}) * 1000000000 AS INTEGER)", id="a number out of range"),
    ],
)
def test_postgresql_errors_say_no_value(pg, statement):
    with pytest.raises(TargetError) as caught:
        run(pg, statement)
    text = str(caught.value)
    for part in ("Paul", "Pau", "Vander", "0x", "80", "50 61", "50-"):
        assert part not in text.replace("28000", ""), text
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(f"SELECT char(39) || {FIRST} || CAST(x'ff' AS TEXT)", id="a text that is no UTF-8"),
        pytest.param(f"SELECT json({FIRST})", id="a text as JSON"),
        pytest.param(f"SELECT json_extract('{{}}', {FIRST})", id="a text as a path"),
        pytest.param(f"SELECT strftime('%s', 'now', {FIRST}) + abs(-9223372036854775808)", id="an overflow"),
        pytest.param(f"SELECT name FROM customers WHERE name LIKE 'x' ESCAPE {FIRST}", id="a text as an escape"),
    ],
)
def test_sqlite_errors_say_no_value(lite, statement):
    with pytest.raises(TargetError) as caught:
        run(lite, statement)
    assert "Paul" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("binds", [(), ("bound",)], ids=["no values", "values"])
@pytest.mark.parametrize("name", ["pg", "lite"])
def test_percent_signs_are_the_statements_own(request, name, binds):
    engine = request.getfixturevalue(name)
    more = ", $1" if binds else ""
    if engine.dialect.name != "sqlite" and binds:
        more = ", CAST($1 AS text)"
    found = run(engine, f"SELECT 'a%%b', '%s', '%(x)s', name{more} FROM customers WHERE name LIKE 'S%'", list(binds))
    assert found.rows == [("a%%b", "%s", "%(x)s", "S 50%", *binds)]


def test_one_value_can_not_eat_the_memory(lite):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert run(lite, "SELECT length(printf('%.*c', 800000000, 'x'))").rows == [(None,)]
    with pytest.raises(TargetError, match="too large"):
        run(lite, "SELECT zeroblob(800000000)")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_the_limit_is_taken_back_from_a_connection_that_is_not_ours():
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    with engine.connect() as link:
        raw = link.connection.driver_connection
        before = raw.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)
    run(engine, "SELECT 1")
    assert raw.getlimit(sqlite3.SQLITE_LIMIT_LENGTH) == before
    engine.dispose()
