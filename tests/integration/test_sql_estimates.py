"""What each engine expects of a statement, as its own EXPLAIN tells: nothing runs, and no value of it is kept."""

import contextlib
import sqlite3

import psycopg
import pytest

from langguard.drivers.sql import dialect_of, open_engine
from langguard.drivers.sql_estimate import estimate
from langguard.drivers.sql_statistics import read_statistics, versioned
from langguard.errors import TargetError

TABLES = (
    "CREATE TABLE big (id INTEGER PRIMARY KEY, k INTEGER, email VARCHAR(40))",
    "CREATE TABLE small (id INTEGER PRIMARY KEY, name VARCHAR(40))",
    "CREATE INDEX big_k ON big (k)",
)
BIG, SMALL = 10_000, 100
ROWS = [(number, number % 100, f"n{number}") for number in range(1, BIG + 1)]
SERIES = "SELECT i, i % 100, 'n' FROM generate_series(1, 10000) t(i)", "SELECT i, 'n' FROM generate_series(1, 100) t(i)"


@pytest.fixture
def postgres_big(postgres_database):
    with psycopg.connect(postgres_database.dsn, autocommit=True) as link:
        for table in TABLES:
            link.execute(table)
        link.execute(f"INSERT INTO big {SERIES[0]}")
        link.execute(f"INSERT INTO small {SERIES[1]}")
        link.execute("ANALYZE")
    return postgres_database.url, ("public",)


@pytest.fixture
def sqlite_big(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "big.db")) as link:
        for table in TABLES:
            link.execute(table)
        link.executemany("INSERT INTO big VALUES (?, ?, ?)", ROWS)
        link.executemany("INSERT INTO small VALUES (?, 'n')", ((number,) for number in range(1, SMALL + 1)))
        link.execute("ANALYZE")
        link.commit()
    return f"sqlite:///{tmp_path / 'big.db'}", ()


@pytest.fixture
def duckdb_big(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    link = duckdb.connect(str(tmp_path / "big.duckdb"))
    for table in TABLES[:2]:
        link.execute(table)
    link.execute(f"INSERT INTO big {SERIES[0]}")
    link.execute(f"INSERT INTO small {SERIES[1]}")
    link.close()
    return f"duckdb:///{tmp_path / 'big.duckdb'}?access_mode=read_write", ("main",)


@pytest.fixture
def mysql_big(mariadb, mariadb_database):
    with mariadb.connect() as link, link.cursor() as cursor:
        cursor.execute(f"USE {mariadb_database}")
        for table in TABLES:
            cursor.execute(table)
        cursor.executemany("INSERT INTO big VALUES (%s, %s, %s)", ROWS)
        cursor.executemany("INSERT INTO small VALUES (%s, 'n')", [(number,) for number in range(1, SMALL + 1)])
        link.commit()
        cursor.execute("ANALYZE TABLE big, small")
        cursor.fetchall()
    return mariadb.url(mariadb_database), (mariadb_database,)


@pytest.fixture(params=["postgres", "sqlite", "duckdb", "mysql"])
def asked(request):
    url, schemas = request.getfixturevalue(f"{request.param}_big")
    engine = open_engine(url)
    dialect = dialect_of(engine)
    assert dialect == request.param
    statistics = read_statistics(engine, dialect=dialect)
    home = schemas[0] if schemas else "main"

    def ask(statement, *binds, limit=None):
        return estimate(
            engine,
            statement,
            binds,
            dialect=dialect,
            timeout_ms=5000,
            schemas=schemas,
            tables=tuple(f"{home}.{name}" for name in ("big", "small") if name in statement),
            statistics=statistics,
            limit=limit,
        )

    ask.dialect, ask.statistics, ask.engine = dialect, statistics, engine
    yield ask
    engine.dispose()


def near(number, wanted):
    return wanted * 0.8 <= number <= wanted * 1.25


def test_a_whole_table(asked):
    found = asked("SELECT * FROM big")
    assert near(found.rows, BIG)
    assert asked("SELECT id FROM big ORDER BY id LIMIT 9000 OFFSET 10", limit=9000).rows >= 9000
    if asked.dialect != "sqlite":
        assert near(asked("SELECT id FROM big UNION ALL SELECT id FROM big").rows, 2 * BIG)
    assert near(found.scanned, BIG)
    assert near(asked("SELECT * FROM big ORDER BY email").rows, BIG)


def test_one_row_by_its_key(asked):
    assert asked("SELECT * FROM big WHERE id = 5").rows <= BIG * 0.2, "DuckDB keeps no better statistics"
    if asked.dialect != "duckdb":
        assert asked("SELECT * FROM big WHERE id = 5").rows == 1


def test_a_limit_of_the_statement_counts_and_a_wide_one_does_not(asked):
    assert asked("SELECT * FROM big LIMIT 7", limit=7).rows == 7
    assert near(asked("SELECT * FROM big LIMIT 2147483647", limit=2147483647).rows, BIG)


def test_a_cross_join_is_their_product(asked):
    assert asked("SELECT a.id FROM big a, big b").rows >= BIG * BIG * 0.8


def test_an_alias_is_not_taken_for_the_table_it_is_called_like(asked):
    """A plan may name a table by its alias only, which the statement chooses."""
    assert asked("SELECT small.id FROM big AS small").rows >= BIG * 0.8


def test_placeholders(asked):
    found = asked("SELECT * FROM big WHERE id <= $1", 50)
    assert found.rows is not None
    if asked.dialect in {"postgres", "mysql"}:
        assert near(found.rows, 50)


def test_a_write_is_told_or_refused_and_changes_nothing(asked):
    if asked.dialect != "postgres":
        with pytest.raises(TargetError, match="no estimates for writes"):
            asked("DELETE FROM big")
    else:
        assert near(asked("DELETE FROM big").rows, BIG)
    with asked.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM big").fetchall() == [(BIG,)]


def test_a_statement_that_the_database_refuses_quotes_no_value(asked):
    with pytest.raises(TargetError) as caught:
        asked("SELECT nothing FROM big WHERE email = 'odalys@mailbox.example'")
    assert "odalys" not in str(caught.value)


def test_sizes_of_tables_are_known_and_have_a_version_of_their_own(asked):
    sizes = {name.rpartition(".")[2]: count for name, count in asked.statistics.rows.items()}
    assert near(sizes["big"], BIG)
    assert len(asked.statistics.version) == 64


def test_a_few_rows_more_are_the_same_version_and_many_are_not():
    assert versioned({"a": 10_000}, {}).version == versioned({"a": 10_050}, {}).version
    assert versioned({"a": 10_000}, {}).version != versioned({"a": 20_000}, {}).version
    assert versioned({"a": 1}, {}).version != versioned({"b": 1}, {}).version


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT id FROM big UNION ALL SELECT id FROM small",
        "SELECT (SELECT count(*) FROM big) AS n FROM small",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    ],
)
def test_on_sqlite_what_has_no_bound_has_no_estimate(sqlite_big, statement):
    engine = open_engine(sqlite_big[0])
    statistics = read_statistics(engine, dialect="sqlite")
    with pytest.raises(TargetError, match="without subqueries"):
        estimate(engine, statement, (), dialect="sqlite", timeout_ms=1000, schemas=(), tables=(), statistics=statistics)
    engine.dispose()
