"""Proposals: named columns, counted columns, and nothing clear without a reason."""

import pytest
import yaml

from langguard.detectors.classify import classify
from langguard.masking import validate
from langguard.protocol import Catalog, Column, ForeignKey, Table


def table(called, /, keys=(), foreign=(), **columns):
    return Table(
        schema="public",
        name=called,
        columns=tuple(Column(name=column, type=kind, kind=kind) for column, kind in columns.items()),
        primary_key=keys,
        foreign_keys=foreign,
    )


CATALOG = Catalog(
    dialect="postgres",
    default_schemas=("public",),
    tables=(
        table(
            "customers",
            keys=("id",),
            id="number",
            name="text",
            contact="text",
            note="text",
            status="text",
            code="text",
            api="text",
            active="boolean",
            made="time",
            extra="json",
            host="network",
            ref="number",
            birth_date="time",
            visits="number",
            colour="text",
        ),
        table(
            "products",
            name="text",
            price="number",
            owner_id="number",
            foreign=(ForeignKey(columns=("owner_id",), table="public.customers", references=("id",)),),
        ),
    ),
)
SAMPLES = {
    "public.customers.id": list(range(3_125_550_100, 3_125_550_200)),
    "public.customers.name": ["Jane Miller"] * 100,
    "public.customers.contact": [f"person{i}@example.com" for i in range(95)] + ["none"] * 5,
    "public.customers.note": [f"called about order {i}" for i in range(100)],
    "public.customers.status": ["new", "paid"] * 50,
    "public.customers.code": [f"ORD-{i:05d}" for i in range(100)],
    "public.customers.api": ["plain"] * 90 + ["ghp_" + "Ab3" * 12] * 10,
    "public.customers.active": [True] * 100,
    "public.customers.made": ["2024-01-02 03:04:05"] * 100,
    "public.customers.host": ["10.0.0.1"],
    "public.customers.ref": [4111111111111111 + i for i in range(100)],
    "public.customers.visits": list(range(100)),
    "public.customers.colour": ["Jane", "John", "Ann"] * 3,
    "public.products.name": [f"Red shoe {i}" for i in range(100)],
    "public.products.price": [1.5] * 100,
    "public.products.owner_id": [2_125_550_147] * 100,
}


@pytest.fixture(scope="module")
def proposal(engine):
    return classify(SAMPLES, CATALOG, engine, connection="shop")


@pytest.mark.parametrize(
    ("column", "verdict", "label"),
    [
        ("customers.id", "clear", ""),
        ("customers.name", "mask", "NAME"),
        ("customers.contact", "mask", "EMAIL"),
        ("customers.note", "free", ""),
        ("customers.status", "clear", ""),
        ("customers.code", "structured", ""),
        ("customers.api", "mask", "SECRET"),
        ("customers.active", "clear", ""),
        ("customers.made", "clear", ""),
        ("customers.extra", "free", ""),
        ("customers.host", "mask", "IP"),
        ("customers.ref", "analyse", ""),
        ("customers.birth_date", "mask", "BIRTH_DATE"),
        ("customers.visits", "clear", ""),
        ("customers.colour", "free", ""),
        ("products.name", "free", ""),
        ("products.price", "clear", ""),
        ("products.owner_id", "clear", ""),
    ],
)
def test_each_column_has_a_verdict_with_its_reason(proposal, column, verdict, label):
    held = next(held for held in proposal.columns if held.column == f"public.{column}")
    assert (held.verdict, held.label) == (verdict, label)
    assert held.reason


def test_without_samples_nothing_with_values_is_clear(engine):
    bare = classify({}, CATALOG, engine, connection="shop")
    assert {held.column for held in bare.columns if held.verdict == "clear"} == {"public.customers.active"}


def test_the_yaml_is_the_policy_s_own_and_shows_no_value(proposal):
    text = proposal.yaml()
    held = yaml.safe_load(text)
    assert set(held) == {"masks", "clear", "structured"}
    assert {"columns": "shop/public.customers.contact", "operator": "hash"} in held["masks"]
    assert held["structured"] == ["shop/public.customers.code"]
    assert "shop/public.customers.status" in held["clear"]
    for value in ("Jane", "person1@", "ORD-0", "4111", "ghp_"):
        assert value not in text
    assert validate(proposal.policy(), {"shop": CATALOG}) == []


def test_a_key_whose_values_are_strewn_is_no_serial_number(engine):
    numbers = [2_125_550_100 + i * 7_919_003 for i in range(50)]
    held = classify({"public.customers.id": numbers}, CATALOG, engine, connection="shop").columns[0]
    assert held.verdict != "clear"


def test_an_empty_database_gives_a_readable_proposal(engine):
    empty = Catalog(dialect="sqlite", default_schemas=("main",), tables=())
    assert yaml.safe_load(classify({}, empty, engine, connection="x").yaml()) == {
        "masks": [],
        "clear": [],
        "structured": [],
    }


def test_values_that_fight_back_are_no_obstacle(engine):
    class Bad:
        def __str__(self):
            raise RuntimeError

    held = classify({"public.customers.note": [Bad(), b"\xff"]}, CATALOG, engine, connection="shop")
    assert next(one for one in held.columns if one.column.endswith("note")).verdict == "free"
