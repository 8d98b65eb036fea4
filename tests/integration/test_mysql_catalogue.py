"""MySQL's structure on a real MariaDB: what text alone can't show is in the snapshot, or refused."""

import pytest

from langguard.drivers.sql import open_engine, run_statement
from langguard.drivers.sql_catalog import sample, snapshot
from langguard.errors import TargetError
from langguard.protocol import Facts, Refusal, SqlObligations
from langguard.sql import analyze, rewrite

SETUP = """
CREATE TABLE customers (id INT PRIMARY KEY, Name VARCHAR(40), email VARCHAR(80), born DATE, vip TINYINT(1), note JSON,
  photo BLOB, place POINT, network INET6, domain VARCHAR(80) AS (SUBSTRING_INDEX(email, '@', -1)) STORED,
  hidden_one INT INVISIBLE DEFAULT 1);
CREATE TABLE orders (id INT, line INT, customer_id INT, total DECIMAL(10,2), PRIMARY KEY (id, line),
  FOREIGN KEY (customer_id) REFERENCES customers (id)) ENGINE=InnoDB;
CREATE TABLE Orders2 (id INT);
CREATE TABLE orders2 (id INT);
CREATE TABLE parts (id INT) PARTITION BY HASH (id) PARTITIONS 2;
CREATE TABLE versions (id INT, word TEXT) WITH SYSTEM VERSIONING;
CREATE TABLE merged (id INT) ENGINE=MERGE UNION=();
CREATE SEQUENCE numbers;
CREATE TABLE secrets (id INT, word TEXT);
INSERT INTO customers (id, Name, email) VALUES (1, 'Ann', 'ann@example.com'), (2, 'Bo', 'bo@example.org');
INSERT INTO orders VALUES (1, 1, 1, 10.5), (2, 1, 2, 20);
CREATE FUNCTION leak(x TEXT) RETURNS TEXT DETERMINISTIC RETURN CONCAT(x, (SELECT MAX(word) FROM secrets));
CREATE FUNCTION any_value(x INT) RETURNS INT DETERMINISTIC RETURN SLEEP(x);
CREATE PROCEDURE spoil() DELETE FROM orders;
CREATE VIEW people AS SELECT id, UPPER(Name) AS who, email FROM customers
  WHERE Name REGEXP '^A' OR Name = 'it''s \\\\ x';
CREATE VIEW totals AS SELECT p.who, SUM(o.total) AS total FROM people p JOIN orders o ON o.customer_id = p.id
  GROUP BY p.who WITH ROLLUP;
CREATE VIEW leaking AS SELECT id, leak(Name) AS name FROM customers;
CREATE VIEW over_leaking AS SELECT id FROM leaking;
CREATE VIEW meddling AS SELECT User FROM mysql.user;
CREATE SQL SECURITY DEFINER VIEW words AS SELECT word FROM secrets;
"""


@pytest.fixture(scope="module")
def shop(mariadb):
    with mariadb.connect() as link, link.cursor() as cursor:
        cursor.execute("CREATE DATABASE catalogued CHARACTER SET utf8mb4")
        cursor.execute("USE catalogued")
        for statement in SETUP.split(";\n"):
            if statement.strip():
                cursor.execute(statement)
        cursor.execute("CREATE USER reader@localhost IDENTIFIED BY 'pw'")
        cursor.execute("GRANT SELECT, SHOW VIEW ON catalogued.customers TO reader@localhost")
        cursor.execute("GRANT SELECT, SHOW VIEW ON catalogued.people TO reader@localhost")
        cursor.execute("GRANT SELECT, SHOW VIEW ON catalogued.words TO reader@localhost")
    engine = open_engine(mariadb.url("catalogued"))
    yield engine
    engine.dispose()
    with mariadb.connect() as link, link.cursor() as cursor:
        cursor.execute("DROP DATABASE catalogued")
        cursor.execute("DROP USER reader@localhost")


@pytest.fixture(scope="module")
def catalog(shop):
    return snapshot(shop, dialect="mysql")


def by_name(items):
    return {item.name: item for item in items}


def test_tables_columns_and_keys(catalog):
    tables = by_name(catalog.tables)
    assert set(tables) == {"customers", "orders", "Orders2", "orders2", "parts", "versions", "merged", "secrets"}
    customers = tables["customers"]
    assert [(c.name, c.kind) for c in customers.columns] == [
        ("id", "number"),
        ("Name", "text"),
        ("email", "text"),
        ("born", "time"),
        ("vip", "number"),
        ("note", "text"),  # MariaDB's JSON is a LONGTEXT
        ("photo", "binary"),
        ("place", "other"),
        ("network", "network"),
        ("domain", "text"),
    ]
    assert by_name(customers.columns)["domain"].made_of == ("email",)
    assert tables["orders"].primary_key == ("id", "line")
    assert [(k.columns, k.table, k.references) for k in tables["orders"].foreign_keys] == [
        (("customer_id",), "catalogued.customers", ("id",))
    ]
    assert catalog.default_schemas == ("catalogued",)


def test_tables_that_are_not_what_they_seem_are_refused(catalog):
    refused = {t.name for t in catalog.tables if t.refused}
    assert refused == {"Orders2", "orders2", "merged"}


def test_functions_of_the_owner_are_known(catalog):
    assert {"leak", "any_value"} <= set(catalog.user_functions)
    for text in (
        "SELECT leak(Name) FROM customers",
        "SELECT any_value(id) FROM customers",
        "SELECT catalogued.leak('x')",
    ):
        assert isinstance(analyze(text, "mysql", catalog), Refusal), text
    assert "procedure" not in str(catalog.user_functions)


def test_views_are_judged_by_their_definitions(catalog):
    views = by_name(catalog.views)
    assert {name for name, view in views.items() if view.refused} == {"leaking", "over_leaking", "meddling"}
    assert views["people"].tables == ("catalogued.customers",)
    assert [o.columns for o in views["people"].outputs] == [
        ("catalogued.customers.id",),
        ("catalogued.customers.Name",),
        ("catalogued.customers.email",),
    ]
    found = analyze("SELECT total FROM totals WHERE who = 'ANN'", "mysql", catalog)
    assert isinstance(found, Facts)
    assert found.outputs[0].columns == ("catalogued.orders.total",)
    assert set(found.tables) >= {"catalogued.customers", "catalogued.orders", "catalogued.people", "catalogued.totals"}


def test_a_generated_column_carries_what_it_is_made_of(catalog):
    found = analyze("SELECT c.domain FROM customers c", "mysql", catalog)
    assert isinstance(found, Facts)
    assert found.outputs[0].columns == ("catalogued.customers.domain", "catalogued.customers.email")
    assert not found.outputs[0].direct


def test_what_is_not_listed_can_not_be_named(catalog):
    for text in (
        "SELECT hidden_one FROM customers",
        "SELECT * FROM numbers",
        "SELECT * FROM seq_1_to_10",
        "SELECT * FROM mysql.user",
        "SELECT * FROM INFORMATION_SCHEMA.TABLES",
        "SELECT * FROM performance_schema.threads",
        "SELECT * FROM sys.version",
        "SELECT row_start FROM versions",
        "SELECT _rowid FROM customers",
        "SELECT * FROM orders2",
    ):
        assert isinstance(analyze(text, "mysql", catalog), Refusal), text


def test_a_credential_sees_what_it_has_rights_on(mariadb, shop):
    engine = open_engine(mariadb.url("catalogued", user="reader", password="pw"))
    seen = snapshot(engine, dialect="mysql", schemas=("catalogued",))
    engine.dispose()
    assert {t.name for t in seen.tables} == {"customers"}
    views = by_name(seen.views)
    assert not views["people"].refused
    assert "is no table" in views["words"].refused or "There is no table" in views["words"].refused


def test_schemas_that_are_not_there(mariadb, shop):
    with pytest.raises(TargetError, match="no schema 'nowhere'"):
        snapshot(shop, dialect="mysql", schemas=("nowhere",))
    engine = open_engine(mariadb.url())
    with pytest.raises(TargetError, match="names no database"):
        snapshot(engine, dialect="mysql")
    engine.dispose()


def test_sample_reads_every_column(shop, catalog):
    found = sample(shop, catalog, rows=2)
    assert found["catalogued.customers.Name"] == ["Ann", "Bo"]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("SELECT who FROM people", [("ANN",)]),
        ("SELECT * FROM totals", [("ANN", 10.5), (None, 10.5)]),
        ("SELECT NAME, domain FROM Customers c ORDER BY c.ID", [("Ann", "example.com"), ("Bo", "example.org")]),
        ('SELECT Name FROM catalogued.customers WHERE email = "ann@example.com"', [("Ann",)]),
        ("SELECT id AS x FROM parts", []),
        ("SELECT word FROM versions", []),
    ],
)
def test_what_is_sent_runs(shop, catalog, text, rows):
    facts = analyze(text, "mysql", catalog)
    assert isinstance(facts, Facts), facts
    sent = rewrite(facts, SqlObligations(rows=10), catalog)
    assert isinstance(sent, str), sent
    found = run_statement(
        shop, sent, (), dialect="mysql", rows=10, timeout_ms=5000, read_only=True, schemas=(), result_bytes=10_000
    )
    assert found.rows == rows
