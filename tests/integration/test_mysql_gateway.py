"""MariaDB end to end: a real agent, a real gateway, a real server; masks, caps, writes, ended sessions."""

import threading
import time

import msgspec
import pytest
import sqlalchemy as sa
from tests.support.gateway import CARD, EMAIL, NAME, TABLES, GatewayProcess, connection, guarded, run_agent, until

from langguard import AccessDeniedError, Guard, GuardedSQLDatabase
from langguard.drivers.sql import open_engine
from langguard.drivers.sql_catalog import snapshot

MORE = (
    "CREATE TABLE notes (id INT PRIMARY KEY AUTO_INCREMENT, note TEXT)",
    f"INSERT INTO notes (note) VALUES ('write to {EMAIL} about it'), ('nothing \\\\ here')",
    "INSERT INTO big SELECT seq FROM seq_1_to_4000",
    "CREATE VIEW buyers AS SELECT c.id, c.email AS mail, o.total FROM customers c JOIN orders o ON o.customer_id=c.id",
    "CREATE TABLE kinds (id INT PRIMARY KEY, num DECIMAL(30, 10), huge BIGINT UNSIGNED, dbl DOUBLE, data BLOB, "
    "flag BIT(3), day DATE, moment DATETIME(6), gap TIME, word ENUM('a', 'b'), yr YEAR, doc JSON)",
    "INSERT INTO kinds VALUES (1, 12345678901234567890.5, 18446744073709551615, 1.5, x'00ff10', b'101', '2024-02-29', "
    "'2024-02-29 12:30:00.123456', '-03:04:05', 'b', 2024, '{\"a\": [1, null]}')",
)
SLOW = "SELECT COUNT(*) FROM big a, big b, big c WHERE a.id + b.id + c.id = -1"
PASSWORD = "my-Kiln-9031-word"


@pytest.fixture(scope="module")
def shop(mariadb, tmp_path_factory):
    with mariadb.connect() as link, link.cursor() as cursor:
        cursor.execute("CREATE DATABASE shop_my CHARACTER SET utf8mb4")
        cursor.execute("USE shop_my")
        for statement in (*TABLES, *MORE):
            cursor.execute(statement)
        cursor.execute(f"CREATE USER shop_role@localhost IDENTIFIED BY '{PASSWORD}'")
        cursor.execute(f"CREATE USER shop_role@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
        for host in ("localhost", "'127.0.0.1'"):
            cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE, SHOW VIEW ON shop_my.* TO shop_role@{host}")
    dsn = mariadb.url("shop_my", user="shop_role", password=PASSWORD)
    direct = mariadb.url("shop_my", user="shop_role", password=PASSWORD, tcp=True)
    with GatewayProcess(
        tmp_path_factory.mktemp("mysql"),
        connection("shop", "mysql", credential="{env: SHOP_DSN}"),
        connection("direct", "mysql", target=f"mariadb://127.0.0.1:{mariadb.port}/shop_my"),
        env={"SHOP_DSN": dsn},
        timeout="8s",
        clear=', "*/*.kinds.word", "*/*.kinds.doc", "*/*.kinds.flag", "*/*.kinds.data"]\nstructured: ["*/*.notes.note"',
    ) as running:
        engine = open_engine(direct)
        pinned = msgspec.json.encode(snapshot(engine, dialect="mysql"))
        engine.dispose()
        assert running.ask("PUT", "/v1/connections/direct/catalog", pinned).status == 200
        running.direct = direct
        yield running
    with mariadb.connect() as link, link.cursor() as cursor:
        cursor.execute("DROP DATABASE shop_my")
        cursor.execute("DROP USER shop_role@localhost, shop_role@'127.0.0.1'")


@pytest.fixture
def db(shop):
    guard, made = guarded(shop.url, shop.key("writer", "writers"))
    yield made
    guard.close()


def test_an_agent_reads_masked_rows(db):
    said = run_agent(
        db,
        "SELECT name, email, card FROM customers ORDER BY id",
        "SELECT mail, SUM(total) AS total FROM buyers GROUP BY mail ORDER BY total DESC",
        "SELECT note FROM notes ORDER BY id",
        'SELECT status, COUNT(*) c FROM orders WHERE status = "open" GROUP BY status HAVING c > 1',
    )
    for text in said:
        assert NAME not in text
        assert EMAIL not in text
        assert CARD not in text
    assert CARD[-4:] in said[0]
    assert "99.99" in said[1]
    assert "nothing" in said[2]
    assert "('open', 2)" in said[3]


def test_masks_hold_through_what_mysql_allows(db):
    said = run_agent(
        db,
        "SELECT CONCAT(name, '') n FROM customers HAVING n > '' ORDER BY UPPER(n)",
        "SELECT GROUP_CONCAT(email ORDER BY id SEPARATOR '|') FROM customers",
        "WITH RECURSIVE t AS (SELECT id, name FROM customers WHERE id = 1 UNION ALL SELECT id + 1, name FROM t "
        "WHERE id < 3) SELECT name FROM t",
        "SELECT JSON_ARRAYAGG(JSON_OBJECT('n', name)) FROM customers",
        "SELECT IF(id = 1, name, email) FROM customers",
    )
    for text in said:
        assert "Odalys" not in text
        assert "odalys" not in text


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 /*! UNION SELECT card FROM customers */",
        "SELECT * FROM mysql.user",
        "SELECT SLEEP(5)",
        "SELECT LOAD_FILE('/etc/passwd')",
        "SELECT name FROM customers INTO OUTFILE '/tmp/langguard-out'",
        "DROP TABLE customers",
        "DELETE FROM orders",
        "SELECT @@version",
        "SELECT name FROM customers FOR UPDATE",
    ],
)
def test_what_is_not_allowed_is_told_to_the_model(db, statement):
    (said,) = run_agent(db, statement)
    assert said.startswith("Error:") or "not allowed" in said or "Say which rows" in said


def test_the_schema_is_shown(db):
    text = db.get_table_info(["orders", "kinds"])
    assert "CREATE TABLE orders (\n\tid int(11) NOT NULL" in text
    assert "total decimal(10,2)" in text
    assert "3 rows from orders table" in text
    assert db.dialect == "mysql"


def test_rows_are_capped_and_said_to_be(shop, db):
    token = shop.session(shop.key("capped"))["token"]
    found = shop.sql(token, "SELECT id FROM big ORDER BY id", call="call_capped")
    assert len(found.body["result"]["rows"]) == 100
    assert found.body["result"]["truncated"]


def test_values_keep_their_types(db):
    found = db._execute("SELECT num, huge, dbl, data, flag, day, moment, gap, word, yr, doc FROM kinds")[0]
    assert str(found["num"]) == "12345678901234567890.5000000000"
    assert found["huge"] == 18446744073709551615
    assert found["data"] == b"\x00\xff\x10"
    assert (found["dbl"], found["yr"], found["word"]) == (1.5, 2024, "b")
    assert found["flag"] == b"\x05"
    assert (str(found["day"]), str(found["moment"])) == ("2024-02-29", "2024-02-29 12:30:00.123456")
    assert found["gap"].total_seconds() == -11045


def test_writes_are_committed_and_bound_values_are_values(shop, db):
    evil = "x'); DELETE FROM notes; -- \\' %s $1"
    db._execute(
        "INSERT INTO notes (id, note) VALUES (50, :note) ON DUPLICATE KEY UPDATE note = VALUES(note)",
        parameters={"note": evil},
    )
    db._execute("UPDATE notes SET note = :note WHERE id = 50", parameters={"note": evil + "!"})
    table = sa.table("notes", sa.column("id"), sa.column("note"))
    (row,) = db._execute(sa.select(table.c.note).where(table.c.id == 50, table.c.note == evil + "!").limit(5))
    assert row["note"] == evil + "!"
    db._execute("DELETE FROM notes WHERE id = :id", parameters={"id": 50})
    assert db._execute("SELECT COUNT(*) AS c FROM notes")[0]["c"] == 2


def test_ending_a_session_ends_what_runs_at_the_server(shop, mariadb):
    opened = shop.session(shop.key("slow"))
    answers = []

    def ask():
        answers.append(shop.sql(opened["token"], SLOW, call="call_slow"))

    asking = threading.Thread(target=ask)
    asking.start()

    def running():
        with mariadb.connect() as link, link.cursor() as cursor:
            cursor.execute(
                "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT COUNT(*) AS%big%'"
            )
            return cursor.fetchone()[0]

    until(running, what="the statement runs")
    begun = time.monotonic()
    assert shop.ask("DELETE", f"/v1/sessions/{opened['id']}").status in {200, 204}
    until(lambda: not running(), 3, what="the statement ended")
    assert time.monotonic() - begun < 2
    asking.join(10)
    assert answers[0].status != 200


def test_custody_agent(shop):
    engine = sa.create_engine(shop.direct)
    with Guard(shop.url, shop.key("own", "writers")) as guard:
        db = GuardedSQLDatabase(engine, guard=guard)
        (row,) = db._execute("SELECT name, card FROM customers WHERE id = 1")
        assert NAME not in str(row)
        assert row["card"].endswith(CARD[-4:])
        with pytest.raises(AccessDeniedError):
            db._execute("DROP TABLE notes")
    engine.dispose()
