"""Values JSON has no word for, from PostgreSQL to the caller: exact, or refused in a sentence; never changed."""

import datetime as dt
import decimal
import ipaddress
import math
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from tests.support.gateway import SharedGateway, guarded

from langguard.errors import TargetError

EXACT = "num, huge, data, list, words, guid, gap, day, moment, naive, clock, doc, host, net, flag, word"


@pytest.fixture(scope="module")
def db(gateway: SharedGateway) -> Iterator[Any]:
    guard, database = guarded(gateway.url, gateway.key("typist"), "pg")
    yield database
    guard.close()


@pytest.fixture(scope="module")
def truth(gateway: SharedGateway) -> Iterator[Any]:
    """What the driver itself says."""
    engine = create_engine(gateway.environment["SHOP_DSN"])
    with engine.connect() as link:
        yield lambda statement: link.execute(text(statement)).fetchall()
    engine.dispose()


def test_every_type_arrives_as_the_driver_gave_it(db, truth):
    statement = f"SELECT {EXACT} FROM kinds WHERE id = 1"
    ((found,), (wanted,)) = (db.run(statement, fetch="cursor").fetchall(), truth(statement))
    for name, got, due in zip(EXACT.split(", "), found, wanted, strict=True):
        assert type(got) is type(due), name
        assert got == due, name


def test_the_types_are_what_they_should_be(db):
    """The same, spelled out, so that the comparison above can't agree on something else."""
    (row,) = db._execute(f"SELECT {EXACT} FROM kinds WHERE id = 1")
    assert row["num"] == decimal.Decimal("12345678901234567890.123456789")
    assert row["huge"] == 9223372036854775807
    assert row["data"] == b"\x00\xff\x10"
    assert row["list"] == [1, None, 3]
    assert row["words"] == ["a", "b c"]
    assert row["guid"] == uuid.UUID("6f1c2b8e-6d5b-4f53-9a51-1b2f3c4d5e6f")
    assert row["gap"] == dt.timedelta(days=3, hours=4, minutes=5, seconds=6.7)
    assert row["day"] == dt.date(2024, 2, 29)
    assert row["moment"] == dt.datetime(2024, 2, 29, 10, 30, 0, 123456, dt.UTC)
    assert row["clock"] == dt.time(23, 59, 59, 500000)
    assert row["doc"] == {"a": [1, {"b": None}], "$": "int"}
    assert row["host"] == ipaddress.ip_address("192.168.1.5")
    assert row["net"] == ipaddress.ip_network("10.0.0.0/8")
    assert row["flag"] is True


def test_text_is_what_the_database_class_upstream_would_say(db, truth):
    statement = "SELECT num, huge, day, flag, word FROM kinds WHERE id = 1"
    assert db.run(statement) == str([tuple(row) for row in truth(statement)])


def test_one_and_none(db):
    assert db.run("SELECT id FROM kinds ORDER BY id", fetch="one") == "[(1,)]"
    assert db.run("SELECT id FROM kinds WHERE id = 999", fetch="one") == ""
    assert db.run("SELECT id FROM kinds WHERE id = 999") == ""
    assert db.run("SELECT id FROM kinds WHERE id = 999", fetch="cursor").fetchall() == []


def test_floats_that_are_no_numbers(db):
    ((nan,),) = db.run("SELECT dbl FROM kinds WHERE id = 1", fetch="cursor").fetchall()
    assert math.isnan(nan)
    ((low, no),) = db.run("SELECT dbl, num FROM kinds WHERE id = 3", fetch="cursor").fetchall()
    assert low == -math.inf
    assert no.is_nan()


def test_a_range_arrives_as_its_text(db):
    assert db.run("SELECT span FROM kinds WHERE id = 1", fetch="cursor").fetchall() == [("[1, 5)",)]


def test_a_composite_is_masked_whole(db):
    assert db.run("SELECT here FROM kinds WHERE id = 1", fetch="cursor").fetchall() == [("<TEXT>",)]


@pytest.mark.parametrize("statement", ["SELECT day FROM kinds WHERE id = 2", "SELECT moment FROM kinds WHERE id = 4"])
def test_a_date_python_has_no_value_for_is_refused_in_a_sentence(db, statement):
    with pytest.raises(TargetError, match=r"too (large|small)") as refused:
        db.run(statement)
    assert "\n" not in str(refused.value)
    assert "infinity" not in str(refused.value)
    assert "-0044" not in str(refused.value)
    assert db.run("SELECT id FROM kinds WHERE id = 2") == "[(2,)]"


def test_such_a_date_can_be_read_as_text(db):
    """The way round is there; and text that is an expression is masked, since nobody declared it clear."""
    assert db.run("SELECT CAST(day AS TEXT) AS day FROM kinds WHERE id = 2") == "[('<DAY>',)]"


def test_nulls(db):
    row = db._execute("SELECT num, data, list, doc, guid, here FROM kinds WHERE id = 2")[0]
    assert set(row.values()) == {None}


def test_parameters_of_every_type_arrive_exactly(db):
    given = {
        "num": decimal.Decimal("12345678901234567890.123456789"),
        "huge": 9223372036854775807,
        "data": b"\x00\xff\x10",
        "guid": uuid.UUID("6f1c2b8e-6d5b-4f53-9a51-1b2f3c4d5e6f"),
        "gap": dt.timedelta(days=3, hours=4, minutes=5, seconds=6.7),
        "day": dt.date(2024, 2, 29),
        "moment": dt.datetime(2024, 2, 29, 10, 30, 0, 123456, dt.UTC),
        "clock": dt.time(23, 59, 59, 500000),
        "flag": True,
        "word": "plain",
    }
    for name, value in given.items():
        found = db.run(text(f"SELECT id FROM kinds WHERE {name} = :value"), parameters={"value": value})
        assert found == "[(1,)]", name


def test_the_document_loader_reads_through_it(db):
    from langchain_community.document_loaders.sql_database import SQLDatabaseLoader

    loader = SQLDatabaseLoader(
        "SELECT id, name, email FROM customers ORDER BY id",
        db,
        page_content_mapper=lambda row: str(row["email"]),
        metadata_mapper=lambda row: {"id": row["id"], "name": row["name"]},
    )
    first, second = loader.load()
    assert first.page_content.startswith("<EMAIL_")
    assert first.metadata == {"id": 1, "name": "<NAME>"}
    assert second.page_content != first.page_content


def test_equal_values_have_equal_masks_and_no_more(db):
    rows = db.run(
        "SELECT a.email, b.email FROM customers a, customers b ORDER BY a.id, b.id", fetch="cursor"
    ).fetchall()
    assert [one == other for one, other in rows] == [True, False, False, True]
