"""Row filters and masks on MariaDB: what comes back is what a database would return that held nothing else."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.integration.test_sql_obligations_duckdb import TABLES, VIEWS, column
from tests.support import filtered_shop as shop

from langguard.protocol import Catalog, Facts, Table
from langguard.sql import analyze, rewrite

CATALOG = Catalog(
    dialect="mysql",
    default_schemas=("shop",),
    tables=tuple(
        Table(schema="shop", name=name, columns=tuple(column(c) for c in columns.split()))
        for name, columns in TABLES.items()
    ),
)


@pytest.fixture(scope="module")
def databases(mariadb):
    with mariadb.connect(None, autocommit=True) as link, link.cursor() as cursor:
        for name, customers, orders in (
            ("shop", shop.CUSTOMERS, shop.ORDERS),
            ("truth", shop.TRUE_CUSTOMERS, shop.TRUE_ORDERS),
        ):
            cursor.execute(f"create database {name}")
            cursor.execute(f"use {name}")
            for statement in filter(str.strip, shop.TABLES.split(";")):
                cursor.execute(statement)
            held = {"customers": customers, "orders": orders, "items": shop.ITEMS, "products": shop.PRODUCTS}
            for table, rows in held.items():
                cursor.executemany(f"insert into {table} values ({','.join(['%s'] * len(rows[0]))})", rows)
        yield cursor
        for name in ("shop", "truth"):
            cursor.execute(f"drop database {name}")


@pytest.mark.parametrize("statement", [s for s in shop.shapes("both") if not any(view in s for view in VIEWS)])
def test_mariadb_returns_the_truth(statement, databases):
    facts = analyze(statement.replace("main.", "shop."), "mysql", CATALOG)
    if not isinstance(facts, Facts):
        assert statement.startswith("values") or '"' in statement, facts
        return
    sent = rewrite(facts, shop.obligations("shop"), CATALOG)
    assert isinstance(sent, str), sent
    found = []
    for text in (sent, facts.statement.replace("`shop`.", "`truth`.")):
        databases.execute(text)
        found.append(Counter(map(repr, databases.fetchall())))
    assert found[0] == found[1], sent
