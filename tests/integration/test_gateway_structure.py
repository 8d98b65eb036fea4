"""What a database is made of may change under a running gateway: nothing new is served until it was read again."""

import contextlib
import sqlite3

import pytest
from tests.support.gateway import GatewayProcess, connection, guarded, sqlite_shop

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


def test_a_new_column_or_table_is_served_only_after_a_refresh_and_masked(mine):
    guard, db = guarded(mine.url, mine.key())
    change(
        mine.folder / "shop.db",
        "ALTER TABLE orders ADD COLUMN remark TEXT DEFAULT 'ask odalys.quarterhouse@mailbox.example'",
        "CREATE TABLE refunds (id INTEGER PRIMARY KEY, amount NUMERIC)",
        "INSERT INTO refunds VALUES (1, 5)",
    )
    assert "odalys" not in db.run("SELECT * FROM orders")
    for statement in ("SELECT remark FROM orders", "SELECT amount FROM refunds"):
        with pytest.raises(AccessDeniedError):
            db.run(statement)

    told = mine.command("connection", "refresh", "shop")
    assert told.returncode == 0, told.stderr
    assert "changed shop: 6 tables" in told.stdout
    assert mine.command("connection", "refresh", "shop").stdout.startswith("unchanged shop")
    assert db.run("SELECT amount FROM refunds") == "[(5,)]"
    assert db.run("SELECT DISTINCT remark FROM orders") == "[('<TEXT>',)]"
    guard.close()


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
