"""At a real gateway: a masked column can't be decoded by counts and joins, and ordinary filters on it still work."""

import uuid

import pytest


@pytest.fixture(scope="module")
def token(gateway):
    return gateway.session(gateway.key("decoder"))["token"]


@pytest.mark.parametrize("connection", ["pg", "shop"])
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT c.id, o.id FROM customers c JOIN orders o ON o.id = length(c.name) - 18",
        "SELECT c.id, (SELECT count(*) FROM orders o WHERE o.id <= length(c.name) - 18) FROM customers c",
        "SELECT id FROM orders LIMIT (SELECT length(name) FROM customers LIMIT 1)",
        "SELECT id FROM customers WHERE substr(name, 1, 1) = 'O'",
    ],
)
def test_decoding_is_refused_and_says_what_to_do(gateway, token, connection, statement):
    told = gateway.sql(token, statement, connection, call=f"c{uuid.uuid4().hex}")
    assert told.body["decision"]["effect"] == "deny", told
    assert told.body["decision"]["reason"] in {"steering", "sql_refused"}
    assert told.body.get("result") is None


@pytest.mark.parametrize("connection", ["pg", "shop"])
@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT count(*) FROM customers WHERE name LIKE 'O%'", [[1]]),
        ("SELECT id FROM customers WHERE lower(email) = 'nobody'", []),
        ("SELECT count(*) FROM orders WHERE total > 10 AND id % 2 = 1", [[2]]),
    ],
)
def test_ordinary_filters_work(gateway, token, connection, statement, rows):
    told = gateway.sql(token, statement, connection, call=f"c{uuid.uuid4().hex}")
    assert told.body["decision"]["effect"] == "allow", told
    assert told.body["result"]["rows"] == rows
