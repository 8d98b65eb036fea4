"""At a real gateway: row filters and masks below filters in what runs, in what is refused, and in the record."""

import uuid

import pytest
from tests.support.gateway import EMAIL, GatewayProcess, sqlite_shop

TEXT = """\
version: 1
listen: 127.0.0.1:{port}
store: {path: ./data}
connections:
  - {name: shop, dialect: sqlite, credential: {env: SHOP_DSN}}
grants:
  - {group: analysts, connection: "*", actions: [read, metadata, write]}
  - {group: audit, connection: "*", actions: [read, metadata]}
row_filters:
  - {table: shop/main.customers, where: "id = 1 and name <> principal.name", except: [audit]}
  - {table: shop/main.orders, where: "status in (principal.groups, 'open')"}
masks:
  - {columns: shop/main.customers.name, operator: replace}
  - {columns: shop/main.customers.email, operator: "null", inference: mask, groups: [analysts]}
  - {columns: shop/main.customers.card, operator: replace, inference: allow}
clear: ["*/*.orders.status", "*/*.customers.email"]
limits: {rows: 100}
"""


@pytest.fixture(scope="module")
def filtered(tmp_path_factory):
    folder = tmp_path_factory.mktemp("filtered")
    path = sqlite_shop(folder / "shop.db")
    with GatewayProcess(folder, env={"SHOP_DSN": f"sqlite:///{path}"}, text=TEXT) as gateway:
        yield gateway


def ask(gateway, key, statement):
    token = gateway.session(key)["token"]
    return gateway.sql(token, statement, "shop", call=f"c{uuid.uuid4().hex}").body


@pytest.fixture(scope="module")
def analyst(filtered):
    return filtered.key("ana")


@pytest.fixture(scope="module")
def auditor(filtered):
    return filtered.key("audrey", "audit")


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT count(*) FROM customers", [[1]]),
        ("SELECT id, email FROM customers", [[1, None]]),
        (f"SELECT id FROM customers WHERE email = '{EMAIL}'", []),
        ("SELECT id FROM customers WHERE email IS NULL", [[1]]),
        ("SELECT count(*) FROM orders", [[2]]),
        ("SELECT o.id FROM orders o LEFT JOIN customers c ON c.id = o.customer_id WHERE c.id IS NULL", [[3]]),
        ("SELECT count(*) FROM customers WHERE card LIKE '4%'", [[1]]),
    ],
)
def test_an_analyst_sees_their_rows(filtered, analyst, statement, rows):
    told = ask(filtered, analyst, statement)
    assert told["decision"]["effect"] == "allow", told
    assert told["result"]["rows"] == rows


def test_an_auditor_is_exempt_and_reads_in_clear(filtered, auditor):
    told = ask(filtered, auditor, "SELECT id, email FROM customers ORDER BY email DESC")
    assert told["decision"]["effect"] == "allow", told
    assert [1, EMAIL] in told["result"]["rows"]
    assert len(told["result"]["rows"]) == 2


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("SELECT id FROM customers WHERE name = 'x'", "inference"),
        ("SELECT id FROM customers ORDER BY name", "inference"),
        ("SELECT name, count(*) FROM customers GROUP BY name", "inference"),
        ("SELECT id FROM customers WHERE substr(card, 1, 1) = '4'", "steering"),
    ],
)
def test_inference_is_refused(filtered, analyst, statement, reason):
    told = ask(filtered, analyst, statement)
    assert told["decision"]["effect"] == "deny", told
    assert told["decision"]["reason"] == reason
    assert told.get("result") is None


def test_writes_keep_to_the_rows_that_show(filtered, analyst, auditor):
    told = ask(filtered, analyst, "UPDATE orders SET total = 0 WHERE id > 0")
    assert told["decision"]["effect"] == "allow", told
    assert told["result"]["affected"] == 2
    told = ask(filtered, analyst, "UPDATE orders SET status = 'open' WHERE id = 2")
    assert told["decision"]["effect"] == "deny"


def test_explain_says_what_holds(filtered):
    body = {"connection": "shop", "statement": "SELECT id, email FROM customers", "groups": ["analysts"], "name": "ana"}
    held = filtered.ask("POST", "/v1/policy/explain", body).body
    assert "row filter on main.customers: id = 1" in held["trace"]
    assert "masked below filters: main.customers.email is NULL" in held["trace"]
    assert "NULL AS" in held["sent"]
