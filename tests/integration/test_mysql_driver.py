"""The driver's walls on a real MariaDB: pins, reads that can't write, limits, and a cancel that always arrives."""

import threading
import time

import pytest
from sqlalchemy import create_engine, event
from sqlalchemy.exc import ProgrammingError

from langguard.drivers.placeholders import BACKSLASHED, render
from langguard.drivers.sql import Cancel, open_engine, run_statement
from langguard.drivers.sql_base import Terms
from langguard.drivers.sql_catalog import snapshot
from langguard.drivers.sql_mysql import pin, stopper, watched
from langguard.errors import OutcomeUnknownError, TargetError
from langguard.protocol import Facts, InnerMask, RowFilter, SqlObligations
from langguard.sql import analyze, rewrite

TERMS = {"rows": 50, "timeout_ms": 5000, "read_only": True, "result_bytes": 100_000, "schemas": ()}


@pytest.fixture
def shop(mariadb, mariadb_database):
    with mariadb.connect(mariadb_database) as link, link.cursor() as cursor:
        cursor.execute("CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(40)) ENGINE=InnoDB")
        cursor.execute("INSERT INTO a VALUES (1, 'Ann'), (2, 'it''s 50%'), (3, 'back\\\\slash')")
        cursor.execute("CREATE SEQUENCE numbers")
    engine = open_engine(mariadb.url(mariadb_database))
    yield engine
    engine.dispose()


def run(engine, statement, binds=(), **terms):
    return run_statement(engine, statement, binds, dialect="mysql", **(TERMS | terms))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE `a` SET `name` = ''",
        "INSERT INTO `a` VALUES (4, 'x')",
        "SELECT NEXTVAL(`numbers`)",
        "CREATE TABLE `b` (`id` INT)",
        "CREATE TEMPORARY TABLE `b` (`id` INT)",
        "DROP TABLE `a`",
        "TRUNCATE `a`",
    ],
)
def test_a_read_can_not_write(shop, statement):
    with pytest.raises(TargetError, match="may only read"):
        run(shop, statement)
    assert len(run(shop, "SELECT `id` FROM `a`").rows) == 3


def test_a_write_is_committed_and_counted(shop):
    assert run(shop, "UPDATE `a` SET `name` = $1 WHERE `id` = $2", ["new", 1], read_only=False).affected == 1
    assert run(shop, "SELECT `name` FROM `a` WHERE `id` = 1").rows == [("new",)]


def test_one_statement_in_each_text(shop):
    with pytest.raises(TargetError, match="more than one statement"):
        run(shop, "SELECT 1; SELECT 2")
    with shop.connect() as connection, pytest.raises(ProgrammingError, match="1064"):  # the server refuses it too
        connection.exec_driver_sql("SELECT 1; SELECT 2")


def test_values_of_placeholders_are_values_whatever_they_hold(shop):
    for value in ("' OR 1=1 -- ", "\\", "\\' OR 1=1 #", "%s", "$1", "`", "\x00", "\x1a", 'x"y', "ü\u2028"):
        assert run(shop, "SELECT $1, '\\'' , '$1 \\\\', `name` FROM `a` WHERE `id` = 2", [value]).rows == [
            (value, "'", "$1 \\", "it's 50%")
        ]


@pytest.mark.parametrize("value", [[1, 2], (1,), {"a": 1}, {1}, "\udc80"])
def test_a_value_that_would_be_written_as_more_than_one_is_refused(shop, value):
    with pytest.raises(TargetError):
        run(shop, "SELECT `id` FROM `a` WHERE `id` IN ($1)", [value])


def test_canonical_text_is_scanned_exactly():
    text = r"SELECT '\'$1', '\\', $1, 'a''$2\\''', `b``$1%`, '%' FROM `t`"
    assert render(text, ["v"], "format", BACKSLASHED) == (
        r"SELECT '\'$1', '\\', %s, 'a''$2\\''', `b``$1%%`, '%%' FROM `t`",
        ("v",),
    )


def test_what_gives_a_text_its_meaning_is_set_again_for_each_call(shop, mariadb):
    with mariadb.connect() as link, link.cursor() as cursor:
        cursor.execute("SELECT @@GLOBAL.sql_mode, @@GLOBAL.time_zone")
        modes, zone = cursor.fetchone()
        cursor.execute("SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,ORACLE'")
        cursor.execute("SET GLOBAL sql_auto_is_null = 1, GLOBAL sql_select_limit = 1, GLOBAL time_zone = '+05:00'")
    try:
        found = run(shop, "SELECT \"id\", '\\'', 1 || 0, NOT 0 = 1, @@time_zone, `id` FROM `a` ORDER BY `id`")
        assert found.rows[0] == ("id", "'", 1, 1, "+00:00", 1)
        assert len(found.rows) == 3
    finally:
        with mariadb.connect() as link, link.cursor() as cursor:
            cursor.execute("SET GLOBAL sql_auto_is_null = 0, GLOBAL sql_select_limit = DEFAULT")
            cursor.execute("SET GLOBAL sql_mode = %s, GLOBAL time_zone = %s", (modes, zone))


def test_a_pooled_connection_that_was_changed_is_pinned_again(shop):
    with shop.connect() as connection:
        connection.exec_driver_sql("SET SESSION sql_mode = 'ANSI_QUOTES', SESSION time_zone = '+02:00'")
    assert run(shop, 'SELECT "id" FROM `a` LIMIT 1').rows == [("id",)]


def test_a_statement_that_takes_too_long_is_ended(shop):
    begun = time.monotonic()
    with pytest.raises(TargetError, match="too long"):
        run(shop, "SELECT COUNT(*) FROM seq_1_to_100000000 s JOIN seq_1_to_1000 t", timeout_ms=300)
    assert time.monotonic() - begun < 5


def test_it_is_ended_where_the_server_would_not_do_so(shop):
    terms = Terms(timeout_ms=300, read_only=True, schemas=(), result_bytes=1000)
    begun = time.monotonic()
    with shop.connect() as connection:
        assert pin(connection, terms)
        connection.exec_driver_sql("SET SESSION max_statement_time = 0")
        stop = stopper(shop, connection.connection.driver_connection.thread_id())
        with pytest.raises(TargetError, match="longer than 300 ms"), watched(stop, 300, timed=False):
            connection.exec_driver_sql("SELECT SLEEP(20)")
        connection.invalidate()
    assert time.monotonic() - begun < 5


def test_rows_and_bytes_are_bounded_and_the_connection_lives_on(shop):
    found = run(shop, "SELECT `seq` FROM seq_1_to_1000000", rows=10)
    assert (len(found.rows), found.truncated) == (10, True)
    begun = time.monotonic()
    with pytest.raises(TargetError, match="larger than"):
        run(shop, "SELECT REPEAT('x', 10000) FROM seq_1_to_1000000", rows=100_000)
    assert time.monotonic() - begun < 2  # the rest, ten gigabytes, is not read
    assert run(shop, "SELECT 1").rows == [(1,)]


@pytest.mark.parametrize("delay", [0.0, 0.001, 0.003, 0.01, 0.3])
def test_a_cancel_ends_the_statement_whenever_it_comes(shop, delay):
    cancel = Cancel()
    threading.Timer(delay, cancel.fire).start()
    begun = time.monotonic()
    with pytest.raises(TargetError, match="cancelled"):
        run(shop, "SELECT SLEEP(20)", cancel=cancel, timeout_ms=30_000)
    assert time.monotonic() - begun < 5
    assert run(shop, "SELECT 1").rows == [(1,)]


def test_a_write_that_was_cancelled_changes_nothing(shop):
    cancel = Cancel()
    threading.Timer(0.3, cancel.fire).start()
    with pytest.raises(TargetError, match="cancelled"):
        run(shop, "UPDATE `a` SET `name` = SLEEP(10)", cancel=cancel, timeout_ms=30_000, read_only=False)
    assert run(shop, "SELECT COUNT(*) FROM `a` WHERE `name` = '0'").rows == [(0,)]


@pytest.mark.parametrize(
    "option", ["local_infile=1", "client_flag=65536", "init_command=SELECT+1", "read_default_file=x"]
)
def test_options_that_would_open_a_wall_are_refused(option):
    with pytest.raises(TargetError, match="an option that is not known"):
        open_engine(f"mysql://user:secret@127.0.0.1/shop?{option}")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT `nme` FROM `a`", "A column does not exist"),
        ("SELECT * FROM `zz`", "A table does not exist"),
        ("SELECT EXTRACTVALUE('<a/>', CONCAT('/', 0x7e, (SELECT `name` FROM `a` LIMIT 1)))", "It gave no reason"),
        ("SELECT (SELECT `id` FROM `a`)", "returned more than one row"),
        ("SELECT ~0 * ASCII(`name`) FROM `a`", "out of the range"),
    ],
)
def test_an_error_quotes_no_value(shop, statement, said):
    with pytest.raises(TargetError, match=said) as failed:
        run(shop, statement)
    assert "Ann" not in str(failed.value)


def test_a_commit_that_was_not_answered_is_unknown(shop):
    @event.listens_for(shop, "commit")
    def gone(connection):
        stopper(shop, connection.connection.driver_connection.thread_id())()

    with pytest.raises(OutcomeUnknownError, match="may have taken effect"):
        run(shop, "UPDATE `a` SET `name` = 'x'", read_only=False)
    event.remove(shop, "commit", gone)
    assert run(shop, "SELECT COUNT(*) FROM `a` WHERE `name` = 'x'").rows == [(0,)]


@pytest.mark.parametrize("charset", ["gbk", "latin1", "utf8mb3", "sjis"])
def test_a_connection_in_another_encoding_is_not_used(mariadb, mariadb_database, charset):
    engine = open_engine(mariadb.url(mariadb_database) + f"&charset={charset}")
    with pytest.raises(TargetError):
        run(engine, "SELECT $1", ["\u7e17' OR 1=1 -- "])
    engine.dispose()
    mine = create_engine(mariadb.url(mariadb_database) + f"&charset={charset}")
    with pytest.raises(TargetError, match="utf8mb4"):
        run(mine, "SELECT 1")
    mine.dispose()


def test_another_driver_is_not_used():
    with pytest.raises(TargetError, match="PyMySQL"):
        run(create_engine("sqlite://"), "SELECT 1")


def test_filters_and_masks_stand_below_what_is_asked(shop):
    catalog = snapshot(shop, dialect="mysql")
    schema = catalog.default_schemas[0]
    bounds = SqlObligations(
        rows=5,
        filters=(RowFilter(table=f"{schema}.a", where="id IN (2, 3) AND name REGEXP '[a-z]'"),),
        masks=(InnerMask(column=f"{schema}.a.name", value="it's \\ 50%"),),
    )
    for text, rows in (
        ("SELECT id, name FROM a ORDER BY id", [(2, "it's \\ 50%"), (3, "it's \\ 50%")]),
        ("SELECT COUNT(*) FROM a x JOIN a y USING (id) WHERE x.name LIKE 'b%'", [(0,)]),
        ("SELECT UPPER(name) n, COUNT(*) c FROM a GROUP BY n HAVING c > 1", [("IT'S \\ 50%", 2)]),
    ):
        facts = analyze(text, "mysql", catalog)
        assert isinstance(facts, Facts), facts
        sent = rewrite(facts, bounds, catalog)
        assert isinstance(sent, str), sent
        assert run(shop, sent).rows == rows
