"""Which table a name reaches: whatever the engine thinks, no value comes out of a column it is not traced to.

Each statement hides a secret column behind a name that could mean a harmless one. It is either refused, or what is
sent returns the secret only in outputs that are traced to the secret's column.
"""

import pytest
import sqlalchemy as sa

from langguard.drivers.sql_catalog import snapshot
from langguard.protocol import Facts, SqlObligations
from langguard.sql import analyze, rewrite

SECRET = "Paulette-Vandermeer"
LONG = "a" * 63
WIDE = "é" * 31 + "a"  # 63 bytes

STATEMENTS = [
    pytest.param(
        "SELECT q.n FROM products x, LATERAL (SELECT l.n FROM customers x, (orders o CROSS JOIN LATERAL "
        "(SELECT x.name AS n) l) LIMIT 5) q",
        id="a lateral query inside a bracketed join sees the item before the bracket",
    ),
    pytest.param(
        "SELECT q.n FROM products x, LATERAL (SELECT g.n FROM customers x, (orders o CROSS JOIN "
        "unnest(ARRAY[x.name]) g(n)) LIMIT 5) q",
        id="a function inside a bracketed join does too",
    ),
    pytest.param(
        f'SELECT q.n FROM products "{LONG}x", LATERAL (SELECT "{LONG}x".name AS n FROM customers "{LONG}y") q',
        id="two aliases that are one after 63 bytes",
    ),
    pytest.param(
        f'SELECT (SELECT min("{LONG}x".name) FROM customers "{LONG}y") FROM products "{LONG}x"',
        id="the same in a scalar subquery",
    ),
    pytest.param(
        f'SELECT q.n FROM products "{WIDE}x", LATERAL (SELECT "{WIDE}x".name AS n FROM customers "{WIDE}y") q',
        id="the same with letters of two bytes",
    ),
    pytest.param(
        "SELECT c.id, (SELECT count(*) FROM products x, orders o JOIN reviews r ON x.name LIKE 'Paul%') AS n, "
        "(SELECT max(x.name) FROM products x, orders o JOIN reviews r ON x.name <> '') AS m FROM customers x, orders c",
        id="a join's condition sees only its two sides, then the outer query",
    ),
    pytest.param(
        "SELECT x.name FROM products x WHERE EXISTS (SELECT 1 FROM customers x WHERE x.name LIKE 'P%')",
        id="an inner alias hides an outer one",
    ),
    pytest.param(
        "WITH x AS (SELECT name FROM products) SELECT (WITH x AS (SELECT name FROM customers) SELECT max(name) FROM x) "
        "FROM x",
        id="a named query hides another",
    ),
    pytest.param(
        "SELECT products.name FROM products, LATERAL (SELECT products.name FROM customers AS products) q",
        id="an alias that is another table's name",
    ),
    pytest.param(
        "SELECT q.name FROM products AS customers, LATERAL (SELECT public.customers.name FROM public.customers) q",
        id="a table qualified with its schema under an alias of its name",
    ),
]


@pytest.fixture(scope="module")
def shop(postgres):
    """A PostgreSQL database in which one column holds the secret, and its structure."""
    engine = sa.create_engine(postgres.url)
    with engine.begin() as link:
        for statement in (
            "CREATE SCHEMA scopes",
            "SET LOCAL search_path TO scopes",
            "CREATE TABLE customers (id int, name text)",
            "CREATE TABLE products (id int, name text)",
            "CREATE TABLE orders (id int)",
            "CREATE TABLE reviews (id int)",
            f"INSERT INTO customers VALUES (1, '{SECRET}')",
            "INSERT INTO products VALUES (1, 'Kettle')",
            "INSERT INTO orders VALUES (1)",
            "INSERT INTO reviews VALUES (1)",
        ):
            link.exec_driver_sql(statement)
    yield engine, snapshot(engine, dialect="postgres", schemas=("scopes",))
    with engine.begin() as link:
        link.exec_driver_sql("DROP SCHEMA scopes CASCADE")
    engine.dispose()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_secret_comes_out_only_where_it_is_traced_to(shop, statement):
    engine, catalog = shop
    facts = analyze(statement.replace("public.", "scopes."), "postgres", catalog)
    if not isinstance(facts, Facts):
        return
    text = rewrite(facts, SqlObligations(rows=50), catalog)
    if not isinstance(text, str):
        return
    with engine.connect() as link:
        try:
            rows = link.execution_options(no_parameters=True).exec_driver_sql(text).fetchall()
        except sa.exc.DBAPIError:
            return  # the engine refuses a name that it reads otherwise: nothing came out
    for row in rows:
        for value, output in zip(row, facts.outputs, strict=True):
            if SECRET in str(value):
                assert "scopes.customers.name" in output.columns, (text, output)


def test_every_relation_of_what_is_sent_has_a_name_of_its_own(shop):
    _, catalog = shop
    facts = analyze(
        "SELECT name FROM customers WHERE id IN (SELECT id FROM customers) "
        "UNION SELECT name FROM customers customers_2",
        "postgres",
        catalog,
    )
    assert isinstance(facts, Facts)
    for alias in ("customers", "customers_2", "customers_3"):
        assert facts.statement.count(f'AS "{alias}"') == 1
