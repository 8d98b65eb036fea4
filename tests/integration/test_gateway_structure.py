"""What a database is made of may change under a running gateway: nothing new is served until it was read again."""

import contextlib
import sqlite3

import pytest
from tests.support.gateway import GatewayProcess, connection, guarded, sqlite_shop, until

from langguard import AccessDeniedError


@pytest.fixture
def mine(tmp_path):
    sqlite_shop(tmp_path / "shop.db")
    with GatewayProcess(tmp_path, connection("shop", "sqlite", credential="{value: ./shop.db}")) as running:
        yield running


def change(path, *statements):
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def test_a_migration_is_noticed_within_seconds_and_what_is_new_is_masked(mine):
    guard, db = guarded(mine.url, mine.key())
    change(
        mine.folder / "shop.db",
        "ALTER TABLE orders ADD COLUMN remark TEXT DEFAULT 'ask odalys.quarterhouse@mailbox.example'",
        "CREATE TABLE refunds (id INTEGER PRIMARY KEY, amount NUMERIC)",
        "INSERT INTO refunds VALUES (1, 5)",
    )
    assert "odalys" not in db.run("SELECT * FROM orders")

    def served():
        try:
            return db.run("SELECT amount FROM refunds")
        except AccessDeniedError:
            return ""

    assert until(served, 15) == "[(5,)]"
    assert db.run("SELECT DISTINCT remark FROM orders") == "[('<TEXT>',)]"
    kinds = [line for line in mine.log.read_text().splitlines() if "structure of connection shop has changed" in line]
    assert len(kinds) == 1
    guard.close()


def test_an_administrator_need_not_wait(mine):
    change(mine.folder / "shop.db", "CREATE TABLE refunds (id INTEGER PRIMARY KEY, amount NUMERIC)")
    told = mine.command("connection", "refresh", "shop")
    assert told.returncode == 0, told.stderr
    assert "shop: 6 tables" in told.stdout
    assert mine.command("connection", "refresh", "shop").stdout.startswith("unchanged shop")


def test_only_an_administrator_may_refresh_and_only_what_the_gateway_reads(mine):
    assert mine.ask("POST", "/v1/connections/shop/refresh", token=mine.key()).code == "not_allowed"
    assert mine.ask("POST", "/v1/connections/nothing/refresh").code == "not_found"
    assert mine.command("connection", "refresh", "nothing").returncode == 2


def test_a_database_that_is_gone_leaves_the_last_structure_in_force(mine):
    (mine.folder / "shop.db").rename(mine.folder / "away.db")
    (mine.folder / "shop.db").mkdir()
    refused = mine.ask("POST", "/v1/connections/shop/refresh")
    assert (refused.status, refused.code) == (409, "conflict")
    assert "shop" in refused.body["detail"]
    (mine.folder / "shop.db").rmdir()
    (mine.folder / "away.db").rename(mine.folder / "shop.db")
    assert mine.ask("POST", "/v1/connections/shop/refresh").body["changed"] is False


def test_what_a_connection_leaves_out_is_left_out_of_a_pinned_structure_too(tmp_path):
    shop = sqlite_shop(tmp_path / "mine.db")
    text = f"""\
version: 1
listen: 127.0.0.1:{{port}}
connections:
  - {{name: direct, dialect: sqlite, custody: agent, target: "sqlite:///{shop}", exclude: [main.customers]}}
grants:
  - {{group: analysts, connection: direct, actions: [read, metadata]}}
"""
    with GatewayProcess(tmp_path, text=text) as running:
        assert running.command("connection", "add", "direct", "--snapshot-from", f"sqlite:///{shop}").returncode == 0
        token = running.session(running.key())["token"]
        told = running.sql(token, "SELECT name FROM customers", "direct", call="c1")
        assert told.body["decision"]["effect"] == "deny"
        assert running.sql(token, "SELECT id FROM orders", "direct", call="c2").body["decision"]["effect"] == "allow"


def test_a_name_that_is_not_known_is_looked_for_at_once(mine):
    """The watch reads every three seconds; whoever names the new table need not wait for it."""
    key = mine.key()
    session = mine.session(key)
    change(
        mine.folder / "shop.db",
        "CREATE TABLE refunds (id INTEGER PRIMARY KEY, amount NUMERIC)",
        "ALTER TABLE orders ADD COLUMN weight NUMERIC DEFAULT 7",
    )
    assert mine.sql(session["token"], "SELECT amount FROM refunds", call="r1").body["result"]["rows"] == []
    again = [mine.sql(session["token"], "SELECT weight FROM orders", call="r2").body["result"]["rows"]]
    assert again == [[[7], [7], [7]]]
    schema = {"type": "schema", "connection": "shop", "tables": ["refunds"]}
    reply = mine.ask("POST", "/v1/calls", {"id": "r3", "call": schema}, session["token"])
    assert reply.body["decision"]["effect"] == "allow"
