"""A small shop: its catalogue for both engines, and the same shop in real databases."""

import sqlite3

import pytest

from langguard.protocol import Catalog, Column, Table

TABLES = {
    "customers": "id name email region created",
    "orders": "id customer_id total placed note doc tags",
    "order_items": "order_id product_id quantity price",
    "products": "id title category price",
}
KINDS = {
    "created": ("timestamp", "time"),
    "placed": ("timestamp", "time"),
    "doc": ("jsonb", "json"),
    "tags": ("text[]", "array"),
    "total": ("numeric", "number"),
    "price": ("numeric", "number"),
    "quantity": ("integer", "number"),
}


def column(name):
    kind = KINDS.get(name)
    if kind is None:
        kind = ("integer", "number") if name.endswith("id") else ("text", "text")
    return Column(name=name, type=kind[0], kind=kind[1])


def shop(dialect, **more):
    schema = "main" if dialect == "sqlite" else "public"
    tables = [Table(schema=schema, name=n, columns=tuple(column(c) for c in cs.split())) for n, cs in TABLES.items()]
    if dialect == "postgres":
        tables.append(Table(schema="hr", name="Staff", columns=(column("id"), column("Name"), column("salary"))))
    return Catalog(dialect=dialect, default_schemas=(schema,), tables=tuple(tables), **more)


@pytest.fixture(scope="session")
def catalogs():
    return {d: shop(d) for d in ("postgres", "sqlite")}


@pytest.fixture(scope="session")
def make_catalog():
    return shop


@pytest.fixture
def sqlite_shop():
    connection = sqlite3.connect(":memory:")
    for name, columns in TABLES.items():
        connection.execute(f"create table {name} ({', '.join(columns.split())})")
    connection.executemany(
        "insert into customers values (?, ?, ?, ?, '2024-01-01')",
        [(i, f"Name {i}", f"n{i}@example.com", ("north", "south")[i % 2]) for i in range(1, 31)],
    )
    connection.executemany(
        "insert into orders values (?, ?, ?, '2024-05-01', ?, '{\"k\": 1}', null)",
        [(i, i % 30 + 1, i * 1.5, f"note {i}") for i in range(1, 61)],
    )
    yield connection
    connection.close()
