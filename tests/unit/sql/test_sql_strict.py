"""What an analyst asks in the dialects that are analysed only: accepted, traced exactly, written back and capped."""

import pytest

from langguard.protocol import Catalog, Column, Facts, SqlObligations, Table
from langguard.sql import actions, analyze, rewrite

TABLES = {"customers": "id name email region created", "orders": "id customer_id total placed note doc"}
HOMES = {"tsql": "dbo", "snowflake": "PUBLIC", "bigquery": "shop"}


def catalog(dialect):
    home = HOMES[dialect]
    stored = str.upper if dialect == "snowflake" else str
    tables = tuple(
        Table(
            schema=home,
            name=stored(name),
            columns=tuple(Column(name=stored(c), type="text", kind="text") for c in columns.split()),
        )
        for name, columns in TABLES.items()
    )
    return Catalog(dialect=dialect, default_schemas=(home,), tables=tables)


# Each statement with what its outputs derive from, an output a line: the columns' names are unique in the two tables,
# but for `id`, which is written with its table.
TSQL = [
    ("SELECT TOP 10 name, email FROM customers ORDER BY name", ["customers.name", "customers.email"]),
    ("SELECT TOP (5) [name] FROM [dbo].[customers] AS [c] WHERE [c].[region] = 'north'", ["customers.name"]),
    (
        "SELECT c.name, o.total FROM customers c INNER JOIN orders o ON o.customer_id = c.id WHERE o.total > 100",
        ["customers.name", "orders.total"],
    ),
    (
        "SELECT region, COUNT(*) AS n FROM customers GROUP BY region HAVING COUNT(*) > 3 ORDER BY n DESC",
        ["customers.region", ""],
    ),
    (
        "SELECT YEAR(placed) AS y, MONTH(placed) AS m, SUM(total) AS revenue FROM orders GROUP BY "
        "YEAR(placed), MONTH(placed)",
        ["orders.placed", "orders.placed", "orders.total"],
    ),
    ("SELECT DATEADD(day, -30, placed) FROM orders", ["orders.placed"]),
    ("SELECT DATEDIFF(day, created, GETDATE()) AS age FROM customers", ["customers.created"]),
    ("SELECT id FROM orders WHERE placed >= DATEADD(month, -1, GETDATE())", ["orders.id"]),
    (
        "SELECT ISNULL(email, 'none') AS email, COALESCE(region, name, '') FROM customers",
        ["customers.email", "customers.name customers.region"],
    ),
    (
        "SELECT LEN(name), UPPER(name), SUBSTRING(name, 1, 3), CHARINDEX('a', name) FROM customers",
        ["customers.name", "customers.name", "customers.name", "customers.name"],
    ),
    ("SELECT CONCAT(name, ' <', email, '>') AS label FROM customers", ["customers.email customers.name"]),
    ("SELECT name + ' ' + region FROM customers", ["customers.name customers.region"]),
    ("SELECT CAST(total AS DECIMAL(10, 2)), TRY_CAST(note AS INT) FROM orders", ["orders.total", "orders.note"]),
    (
        "SELECT CASE WHEN total > 100 THEN 'big' ELSE 'small' END AS size, COUNT(*) FROM orders GROUP BY "
        "CASE WHEN total > 100 THEN 'big' ELSE 'small' END",
        ["orders.total", ""],
    ),
    ("SELECT IIF(total > 100, note, 'x') FROM orders", ["orders.note orders.total"]),
    (
        "SELECT name, ROW_NUMBER() OVER (PARTITION BY region ORDER BY created DESC) AS rn FROM customers",
        ["customers.name", "customers.created customers.region"],
    ),
    (
        "WITH t AS (SELECT customer_id, SUM(total) AS s FROM orders GROUP BY customer_id) SELECT c.name, "
        "t.s FROM t JOIN customers c ON c.id = t.customer_id",
        ["customers.name", "orders.total"],
    ),
    ("SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE total > 100)", ["customers.name"]),
    (
        "SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)",
        ["customers.name"],
    ),
    ("SELECT name FROM customers ORDER BY name OFFSET 10 ROWS FETCH NEXT 5 ROWS ONLY", ["customers.name"]),
    ("SELECT name FROM customers UNION ALL SELECT note FROM orders", ["customers.name orders.note"]),
    ("SELECT STRING_AGG(name, ', ') FROM customers", ["customers.name"]),
    (
        "SELECT STRING_AGG(name, ', ') WITHIN GROUP (ORDER BY region) FROM customers",
        ["customers.name customers.region"],
    ),
    ("SELECT JSON_VALUE(doc, '$.city') FROM orders", ["orders.doc"]),
    ("SELECT DISTINCT region FROM customers WHERE name LIKE N'A%' AND email IS NOT NULL", ["customers.region"]),
    (
        "SELECT * FROM customers WHERE id BETWEEN 1 AND 5",
        ["customers.id", "customers.name", "customers.email", "customers.region", "customers.created"],
    ),
    (
        "SELECT x.region, x.n FROM (SELECT region, COUNT(*) AS n FROM customers GROUP BY region) x WHERE x.n > 1",
        ["customers.region", ""],
    ),
    (
        "SELECT c.name, (SELECT MAX(o.total) FROM orders o WHERE o.customer_id = c.id) AS best FROM customers c",
        ["customers.name", "customers.id orders.customer_id orders.total"],
    ),
    ("SELECT DATEPART(year, placed), FORMAT(placed, 'yyyy-MM') FROM orders", ["orders.placed", "orders.placed"]),
    ("SELECT CONVERT(varchar(10), placed, 120) FROM orders", ["orders.placed"]),
    ("SELECT EOMONTH(placed), DATEFROMPARTS(2024, 1, 1) FROM orders", ["orders.placed", ""]),
    (
        "SELECT SUM(total) OVER (ORDER BY placed ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM orders",
        ["orders.placed orders.total"],
    ),
    (
        "SELECT LAG(total, 1, 0) OVER (PARTITION BY customer_id ORDER BY placed) FROM orders",
        ["orders.customer_id orders.placed orders.total"],
    ),
    (
        "SELECT ROUND(AVG(total), 2), STDEV(total), MIN(total) FROM orders",
        ["orders.total", "orders.total", "orders.total"],
    ),
    (
        "SELECT region, SUM(total) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY "
        "ROLLUP (region)",
        ["customers.region", "orders.total"],
    ),
]
SNOWFLAKE = [
    ("SELECT name, email FROM customers ORDER BY name LIMIT 10", ["customers.name", "customers.email"]),
    (
        "SELECT c.name, o.total FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.total > 100",
        ["customers.name", "orders.total"],
    ),
    ('SELECT "NAME" FROM PUBLIC."CUSTOMERS"', ["customers.name"]),
    (
        "SELECT region, COUNT(*) AS n FROM customers GROUP BY region HAVING COUNT(*) > 3 ORDER BY n DESC",
        ["customers.region", ""],
    ),
    (
        "SELECT DATE_TRUNC('month', placed) AS m, SUM(total) FROM orders GROUP BY 1 ORDER BY 1",
        ["orders.placed", "orders.total"],
    ),
    ("SELECT DATEADD(day, -30, placed) FROM orders", ["orders.placed"]),
    ("SELECT DATEDIFF('day', created, CURRENT_DATE) AS age FROM customers", ["customers.created"]),
    ("SELECT id FROM orders WHERE placed >= DATEADD(month, -1, CURRENT_TIMESTAMP())", ["orders.id"]),
    (
        "SELECT NVL(email, 'none'), IFF(region = 'north', name, ''), COALESCE(region, name) FROM customers",
        ["customers.email", "customers.name customers.region", "customers.name customers.region"],
    ),
    (
        "SELECT LENGTH(name), UPPER(name), SUBSTR(name, 1, 3), SPLIT_PART(email, '.', 1) FROM customers",
        ["customers.name", "customers.name", "customers.name", "customers.email"],
    ),
    ("SELECT name || ' ' || region FROM customers", ["customers.name customers.region"]),
    (
        "SELECT total::int, CAST(total AS DECIMAL(10, 2)), TRY_CAST(note AS INT) FROM orders",
        ["orders.total", "orders.total", "orders.note"],
    ),
    ("SELECT doc:city, doc:address.street::string FROM orders", ["orders.doc", "orders.doc"]),
    ("SELECT GET_PATH(doc, 'a.b') FROM orders", ["orders.doc"]),
    (
        "SELECT name, ROW_NUMBER() OVER (PARTITION BY region ORDER BY created DESC) AS rn FROM customers",
        ["customers.name", "customers.created customers.region"],
    ),
    (
        "SELECT id, customer_id FROM orders QUALIFY ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY "
        "placed DESC) = 1",
        ["orders.id", "orders.customer_id"],
    ),
    (
        "WITH t AS (SELECT customer_id, SUM(total) AS s FROM orders GROUP BY customer_id) SELECT c.name, "
        "t.s FROM t JOIN customers c ON c.id = t.customer_id",
        ["customers.name", "orders.total"],
    ),
    ("SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE total > 100)", ["customers.name"]),
    (
        "SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)",
        ["customers.name"],
    ),
    ("SELECT name FROM customers WHERE name ILIKE 'a%'", ["customers.name"]),
    ("SELECT name FROM customers UNION ALL SELECT note FROM orders", ["customers.name orders.note"]),
    ("SELECT LISTAGG(name, ', ') WITHIN GROUP (ORDER BY region) FROM customers", ["customers.name customers.region"]),
    (
        "SELECT * FROM customers WHERE id BETWEEN 1 AND 5",
        ["customers.id", "customers.name", "customers.email", "customers.region", "customers.created"],
    ),
    (
        "SELECT x.region, x.n FROM (SELECT region, COUNT(*) AS n FROM customers GROUP BY region) x WHERE x.n > 1",
        ["customers.region", ""],
    ),
    (
        "SELECT c.name, (SELECT MAX(o.total) FROM orders o WHERE o.customer_id = c.id) AS best FROM customers c",
        ["customers.name", "customers.id orders.customer_id orders.total"],
    ),
    (
        "SELECT YEAR(placed), EXTRACT(month FROM placed), TO_CHAR(placed, 'YYYY-MM') FROM orders",
        ["orders.placed", "orders.placed", "orders.placed"],
    ),
    (
        "SELECT SUM(total) OVER (ORDER BY placed ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM orders",
        ["orders.placed orders.total"],
    ),
    (
        "SELECT LAG(total, 1, 0) OVER (PARTITION BY customer_id ORDER BY placed) FROM orders",
        ["orders.customer_id orders.placed orders.total"],
    ),
    (
        "SELECT ROUND(AVG(total), 2), MEDIAN(total), STDDEV(total), APPROX_COUNT_DISTINCT(customer_id) FROM orders",
        ["orders.total", "orders.total", "orders.total", "orders.customer_id"],
    ),
    (
        "SELECT PARSE_JSON(note), OBJECT_CONSTRUCT('a', id), ARRAY_AGG(total) FROM orders GROUP BY note, id",
        ["orders.note", "orders.id", "orders.total"],
    ),
    ("SELECT total AS t FROM orders WHERE t > 10", ["orders.total"]),
    ("SELECT DISTINCT region FROM customers WHERE email IS NOT NULL AND NOT region = 'x'", ["customers.region"]),
    (
        "SELECT CASE WHEN total > 100 THEN 'big' ELSE 'small' END AS size, COUNT_IF(total > 5) FROM orders GROUP BY 1",
        ["orders.total", "orders.total"],
    ),
    (
        "SELECT c.region, SUM(o.total) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP "
        "BY ROLLUP (c.region)",
        ["customers.region", "orders.total"],
    ),
]
BIGQUERY = [
    ("SELECT name, email FROM customers ORDER BY name LIMIT 10", ["customers.name", "customers.email"]),
    (
        "SELECT c.name, o.total FROM `shop.customers` AS c JOIN `shop`.`orders` AS o ON o.customer_id = "
        "c.id WHERE o.total > 100",
        ["customers.name", "orders.total"],
    ),
    ("SELECT c.name FROM shop.customers c", ["customers.name"]),
    (
        "SELECT region, COUNT(*) AS n FROM customers GROUP BY region HAVING n > 3 ORDER BY n DESC",
        ["customers.region", ""],
    ),
    (
        "SELECT DATE_TRUNC(placed, MONTH) AS m, SUM(total) FROM orders GROUP BY m ORDER BY m",
        ["orders.placed", "orders.total"],
    ),
    (
        "SELECT DATE_SUB(placed, INTERVAL 30 DAY), DATE_ADD(placed, INTERVAL 1 MONTH) FROM orders",
        ["orders.placed", "orders.placed"],
    ),
    ("SELECT DATE_DIFF(CURRENT_DATE(), created, DAY) AS age FROM customers", ["customers.created"]),
    ("SELECT id FROM orders WHERE placed >= DATE_SUB(CURRENT_DATE(), INTERVAL 30 DAY)", ["orders.id"]),
    (
        "SELECT TIMESTAMP_TRUNC(placed, DAY), TIMESTAMP_DIFF(placed, placed, HOUR) FROM orders",
        ["orders.placed", "orders.placed"],
    ),
    (
        "SELECT IFNULL(email, 'none'), IF(region = 'north', name, ''), COALESCE(region, name) FROM customers",
        ["customers.email", "customers.name customers.region", "customers.name customers.region"],
    ),
    (
        "SELECT LENGTH(name), UPPER(name), SUBSTR(name, 1, 3), STRPOS(email, '@') FROM customers",
        ["customers.name", "customers.name", "customers.name", "customers.email"],
    ),
    (
        "SELECT CONCAT(name, ' ', region), name || region FROM customers",
        ["customers.name customers.region", "customers.name customers.region"],
    ),
    (
        "SELECT CAST(total AS INT64), SAFE_CAST(note AS FLOAT64), CAST(id AS STRING) FROM orders",
        ["orders.total", "orders.note", "orders.id"],
    ),
    ("SELECT JSON_VALUE(doc, '$.city'), JSON_EXTRACT_SCALAR(doc, '$.a') FROM orders", ["orders.doc", "orders.doc"]),
    (
        "SELECT name, ROW_NUMBER() OVER (PARTITION BY region ORDER BY created DESC) AS rn FROM customers",
        ["customers.name", "customers.created customers.region"],
    ),
    (
        "SELECT id, customer_id FROM orders QUALIFY ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY "
        "placed DESC) = 1",
        ["orders.id", "orders.customer_id"],
    ),
    (
        "WITH t AS (SELECT customer_id, SUM(total) AS s FROM orders GROUP BY customer_id) SELECT c.name, "
        "t.s FROM t JOIN customers c ON c.id = t.customer_id",
        ["customers.name", "orders.total"],
    ),
    ("SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE total > 100)", ["customers.name"]),
    (
        "SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id)",
        ["customers.name"],
    ),
    ('SELECT name FROM customers WHERE region = "north" AND name LIKE "A%"', ["customers.name"]),
    ("SELECT name FROM customers UNION ALL SELECT note FROM orders", ["customers.name orders.note"]),
    ("SELECT name FROM customers UNION DISTINCT SELECT note FROM orders", ["customers.name orders.note"]),
    ("SELECT STRING_AGG(name, ', ' ORDER BY region) FROM customers", ["customers.name customers.region"]),
    (
        "SELECT * FROM customers WHERE id BETWEEN 1 AND 5",
        ["customers.id", "customers.name", "customers.email", "customers.region", "customers.created"],
    ),
    (
        "SELECT x.region, x.n FROM (SELECT region, COUNT(*) AS n FROM customers GROUP BY region) x WHERE x.n > 1",
        ["customers.region", ""],
    ),
    (
        "SELECT c.name, (SELECT MAX(o.total) FROM orders o WHERE o.customer_id = c.id) AS best FROM customers c",
        ["customers.name", "customers.id orders.customer_id orders.total"],
    ),
    (
        "SELECT EXTRACT(YEAR FROM placed), FORMAT_DATE('%Y-%m', placed), PARSE_DATE('%Y', note) FROM orders",
        ["orders.placed", "orders.placed", "orders.note"],
    ),
    (
        "SELECT SUM(total) OVER (ORDER BY placed ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM orders",
        ["orders.placed orders.total"],
    ),
    (
        "SELECT LAG(total, 1) OVER (PARTITION BY customer_id ORDER BY placed) FROM orders",
        ["orders.customer_id orders.placed orders.total"],
    ),
    (
        "SELECT ROUND(AVG(total), 2), STDDEV(total), APPROX_COUNT_DISTINCT(customer_id), COUNTIF(total > "
        "5) FROM orders",
        ["orders.total", "orders.total", "orders.customer_id", "orders.total"],
    ),
    (
        "SELECT SAFE_DIVIDE(total, id), ANY_VALUE(note), ARRAY_AGG(total) FROM orders GROUP BY total, id",
        ["orders.id orders.total", "orders.note", "orders.total"],
    ),
    (
        "SELECT REGEXP_CONTAINS(name, '^a'), REGEXP_EXTRACT(email, '@(.*)') FROM customers",
        ["customers.name", "customers.email"],
    ),
    ("SELECT DISTINCT region FROM customers WHERE email IS NOT NULL AND NOT region = 'x'", ["customers.region"]),
    (
        "SELECT CASE WHEN total > 100 THEN 'big' ELSE 'small' END AS size, COUNT(DISTINCT customer_id) "
        "FROM orders GROUP BY 1",
        ["orders.total", "orders.customer_id"],
    ),
    (
        "SELECT * FROM customers JOIN orders USING (id)",
        [
            "customers.id",
            "customers.name",
            "customers.email",
            "customers.region",
            "customers.created",
            "orders.customer_id",
            "orders.total",
            "orders.placed",
            "orders.note",
            "orders.doc",
        ],
    ),
]
ROWS = [
    pytest.param(dialect, text, outputs, id=f"{dialect}: {text[:60]}")
    for dialect, rows in (("tsql", TSQL), ("snowflake", SNOWFLAKE), ("bigquery", BIGQUERY))
    for text, outputs in rows
]


@pytest.mark.parametrize(("dialect", "text", "outputs"), ROWS)
def test_ordinary_statement_is_traced_exactly(dialect, text, outputs):
    held = catalog(dialect)
    facts = analyze(text, dialect, held)
    assert isinstance(facts, Facts), facts
    assert facts.actions == ("read",)
    prefix = f"{HOMES[dialect]}."
    found = [" ".join(c.removeprefix(prefix).lower() for c in output.columns) for output in facts.outputs]
    assert found == outputs
    assert actions(text, dialect) == {"read"}


@pytest.mark.parametrize(("dialect", "text", "outputs"), ROWS)
def test_the_row_cap_is_put_in_and_holds(dialect, text, outputs):
    held = catalog(dialect)
    facts = analyze(text, dialect, held)
    sent = rewrite(facts, SqlObligations(rows=3), held)
    assert isinstance(sent, str), sent
    again = analyze(sent, dialect, held)
    assert again.limit == 4
    assert again.outputs == facts.outputs
    assert (" TOP 4 " in sent or " FETCH FIRST 4 ROWS ONLY" in sent) if dialect == "tsql" else " LIMIT 4" in sent


@pytest.mark.parametrize("dialect", HOMES)
def test_only_reads_are_analysed(dialect):
    for text in ("delete from orders", "update orders set total = 1", "insert into orders (id) values (1)"):
        refusal = analyze(text, dialect, catalog(dialect))
        assert refusal.code == "statement_not_allowed"
        assert refusal.actions == ("write",)
        assert actions(text, dialect) == {"write"}


def test_snowflake_folds_names_to_upper_case():
    held = catalog("snowflake")
    facts = analyze('select Name as "name", "NAME" from Customers', "snowflake", held)
    assert [o.name for o in facts.outputs] == ["name", "NAME"]
    assert analyze('select "name" from customers', "snowflake", held).code == "unknown_column"


def test_tsql_keeps_national_strings():
    facts = analyze("select id from customers where name = N'\u00e9'", "tsql", catalog("tsql"))
    assert "N'\u00e9'" in facts.statement


def test_a_name_from_an_expression_suits_bigquery():
    facts = analyze("select sum(total), count(*) from orders", "bigquery", catalog("bigquery"))
    assert [o.name for o in facts.outputs] == ["f_sum_total", "f_count"]
