"""The shop is the same everywhere, looks like a shop, and keeps its personal data where it says it does."""

import contextlib
import hashlib
import sqlite3
from collections import Counter
from decimal import Decimal

import psycopg
import pytest

from langguard.cli.demo import shop
from langguard.cli.demo.leaks import digits, find_leaks
from langguard.errors import ConfigError


def test_the_rows_are_the_same_on_every_machine_and_in_every_process():
    rows = repr(shop.shop().tables()).encode()
    assert hashlib.sha256(rows).hexdigest() == "af48b00c16d75034e2afab5670147b420e2757972a760503fbf301e1f17e3bb9", (
        "the demo's data changed: its documented numbers did too"
    )


def test_it_is_as_large_as_a_small_real_shop():
    sizes = {name: len(rows) for name, rows in shop.shop().tables().items()}
    assert sizes == {"customers": 1200, "products": 180, "orders": 3500, "order_items": 6912, "reviews": 900}


def test_card_numbers_are_valid_and_of_several_lengths():
    numbers = [digits(row[4]) for row in shop.shop().customers]
    for number in numbers:
        doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(number))]
        assert sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
    assert {len(number) for number in numbers} == {15, 16, 19}
    assert any(" " in row[4] for row in shop.shop().customers)


def test_people_come_from_several_countries_and_write_to_example_domains():
    customers = shop.shop().customers
    assert len({row[6] for row in customers}) >= 10
    assert any(not row[1].isascii() for row in customers)
    assert len({row[2] for row in customers}) == len(customers)
    for row in customers:
        assert row[2].isascii()
        assert row[2].rpartition("@")[2].split(".")[-2] == "example"
        assert len(digits(row[3])) >= 9


def test_totals_are_the_sum_of_the_items():
    sums = Counter()
    for _, order, _, quantity, price in shop.shop().order_items:
        sums[order] += quantity * price
    assert {row[0]: row[4] for row in shop.shop().orders} == sums


def test_only_customers_hold_personal_data():
    tables = shop.shop().tables()
    found = find_leaks([repr(tables.pop("customers"))], shop.secrets())
    secrets = shop.secrets()
    assert Counter(leak.kind for leak in found) == {
        "name": len(secrets.names),
        "email": len(secrets.emails),
        "phone": len(secrets.phones),
        "card": len(secrets.cards),
    }
    assert find_leaks([repr(rows) for rows in tables.values()], secrets) == []


def test_notes_hold_personal_data_inside_prose():
    notes = [row[9] for row in shop.shop().customers if row[9]]
    kinds = {leak.kind for leak in find_leaks(notes, shop.secrets())}
    assert kinds == {"name", "email", "phone", "card"}


def test_the_poisoned_review_is_one_of_the_most_reviewed_product():
    counts = Counter(row[1] for row in shop.shop().reviews)
    (first, most), (_, second) = counts.most_common(2)
    assert first == shop.FAVOURITE_PRODUCT_ID
    assert most > 2 * second
    poisoned = [row for row in shop.shop().reviews if "DROP TABLE" in row[5]]
    assert [(row[0], row[1], row[5]) for row in poisoned] == [
        (shop.POISONED_REVIEW_ID, shop.FAVOURITE_PRODUCT_ID, shop.POISONED_REVIEW_BODY)
    ]


def test_secrets_do_not_show_themselves():
    assert "@" not in repr(shop.secrets())
    assert len(shop.secrets()) > 4000


def test_sqlite_holds_every_row(tmp_path):
    path = str(tmp_path / "shop.db")
    shop.seed(path, "sqlite")
    with contextlib.closing(sqlite3.connect(path)) as link:
        for name, rows in shop.shop().tables().items():
            assert link.execute(f"SELECT COUNT(*) FROM {name}").fetchone() == (len(rows),)
        assert link.execute("PRAGMA foreign_key_check").fetchall() == []
        (total,) = link.execute("SELECT SUM(total) FROM orders").fetchone()
        assert Decimal(str(round(total, 2))) == sum(row[4] for row in shop.shop().orders)
        assert link.execute("SELECT body FROM reviews WHERE id = ?", [shop.POISONED_REVIEW_ID]).fetchone() == (
            shop.POISONED_REVIEW_BODY,
        )


def test_a_failed_sqlite_seed_leaves_no_half_shop(tmp_path):
    path = str(tmp_path / "shop.db")
    with contextlib.closing(sqlite3.connect(path)) as link:
        link.execute("CREATE TABLE reviews (id INTEGER)")
        link.commit()
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            shop.seed(path, "sqlite")
        assert link.execute("SELECT name FROM sqlite_schema").fetchall() == [("reviews",)]


def test_postgresql_holds_every_row(postgres_database):
    shop.seed(postgres_database.dsn, "postgresql")
    with psycopg.connect(postgres_database.dsn) as link:
        for name, rows in shop.shop().tables().items():
            assert link.execute(f"SELECT * FROM {name} ORDER BY id").fetchall() == list(rows)


def test_the_reader_reads_the_shop_and_nothing_else(postgres, postgres_database):
    shop.seed(postgres_database.dsn, "postgresql")
    database = postgres_database.dsn.partition("@/")[2].partition("?")[0]
    shop.create_reader(postgres_database.dsn, "it's a p@ss/word", role=f"reader_{database}")
    address = postgres.address(user=f"reader_{database}", password="it's a p@ss/word", database=database)
    with psycopg.connect(address.dsn, autocommit=True) as link:
        for name, rows in shop.shop().tables().items():
            assert link.execute(f"SELECT COUNT(*) FROM {name}").fetchone() == (len(rows),)
        for statement in (
            "INSERT INTO reviews SELECT * FROM reviews",
            "UPDATE customers SET name = ''",
            "DELETE FROM orders",
            "TRUNCATE orders",
            "DROP TABLE customers",
            "CREATE TABLE mine (a int)",
            "CREATE TEMPORARY TABLE mine (a int)",
            "CREATE SCHEMA mine",
            "COPY customers TO PROGRAM 'cat'",
            "COPY customers TO '/tmp/customers'",
            "SELECT pg_read_file('/etc/passwd')",
            "SELECT * FROM pg_authid",
            "SET ROLE postgres",
            "CREATE ROLE friend",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                link.execute(statement)


def test_another_dialect_is_refused():
    with pytest.raises(ConfigError, match="oracle"):
        shop.seed("x", "oracle")
