"""Row filters and masks on DuckDB: what comes back is what a database would return that held nothing else."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.support import filtered_shop as shop

from langguard.protocol import Catalog, Column, Facts, Table
from langguard.sql import analyze, rewrite

duckdb = pytest.importorskip("duckdb")

TABLES = {
    "customers": "id name email phone age region boss",
    "orders": "id customer_id total note placed",
    "items": "order_id product_id quantity",
    "products": "id title price",
}
KINDS = {
    "total": ("decimal(18,3)", "number"),
    "price": ("decimal(18,3)", "number"),
    "placed": ("date", "time"),
} | dict.fromkeys(("id", "age", "boss", "customer_id", "order_id", "product_id", "quantity"), ("integer", "number"))
VIEWS = ("people", "buyers", "rich", "mailed", "catalogue")


def column(name: str) -> Column:
    kind = KINDS.get(name, ("varchar", "text"))
    return Column(name=name, type=kind[0], kind=kind[1])


CATALOG = Catalog(
    dialect="duckdb",
    default_schemas=("main",),
    tables=tuple(
        Table(schema="main", name=name, columns=tuple(column(c) for c in columns.split()))
        for name, columns in TABLES.items()
    ),
)


@pytest.fixture(scope="module")
def databases():
    made = []
    for customers, orders in ((shop.CUSTOMERS, shop.ORDERS), (shop.TRUE_CUSTOMERS, shop.TRUE_ORDERS)):
        link = duckdb.connect()
        link.execute(shop.TABLES)
        held = {"customers": customers, "orders": orders, "items": shop.ITEMS, "products": shop.PRODUCTS}
        for table, rows in held.items():
            marks = ",".join("?" * len(rows[0]))
            link.executemany(f"insert into {table} values ({marks})", [list(row) for row in rows])
        made.append(link)
    yield made
    for link in made:
        link.close()


@pytest.mark.parametrize("statement", [s for s in shop.shapes("both") if not any(view in s for view in VIEWS)])
def test_duckdb_returns_the_truth(statement, databases):
    real, truth = databases
    facts = analyze(statement, "duckdb", CATALOG)
    assert isinstance(facts, Facts), facts
    sent = rewrite(facts, shop.obligations("main"), CATALOG)
    assert isinstance(sent, str), sent
    got, wanted = (
        Counter(map(repr, db.execute(text).fetchall())) for db, text in ((real, sent), (truth, facts.statement))
    )
    assert got == wanted, sent
