"""A policy that allows writes to one table, and asks a person for a write that no WHERE limits: on both engines."""

import uuid

import pytest
from tests.support.gateway import GatewayProcess, connection, postgres_shop, sqlite_shop

POLICY = """\
version: 1
listen: 127.0.0.1:{port}
store: {path: ./data}
connections:
CONNECTIONS
grants:
  - {group: analysts, connection: "*", actions: [read, metadata]}
  - {group: analysts, connection: shop, actions: [write], tables: [main.counters, main.orders]}
  - {group: analysts, connection: pg, actions: [write], tables: [public.counters, public.orders]}
rules:
  - id: review-all-rows
    review: write
    when: facts.where == "none" || facts.where == "trivial"
  - id: nothing-is-deleted
    deny: write
    when: '"delete" in facts.changes'
    message: Set the status instead.
  - id: only-the-status
    deny: write
    on: [shop/main.orders, pg/public.orders]
    when: >-
      facts.operation == "update" &&
      !facts.assigned_columns.all(c, c.endsWith(".orders.status"))
  - id: values-are-given
    deny: write
    on: [shop/main.counters, pg/public.counters]
    when: facts.assigned.exists(a, size(a.columns) > 0 && !(a.column in a.columns))
  - id: tables-are-dropped-by-their-owners
    deny: ddl
    when: facts.kind == "drop_table" && "orders" in facts.targets
  - id: who-may-do-what-is-not-changed-here
    deny: privilege
"""


@pytest.fixture(scope="module")
def mine(postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("write-policy")
    sqlite_shop(folder / "shop.db")
    lines = "\n".join(
        (
            connection("shop", "sqlite", credential="{value: ./shop.db}"),
            connection("pg", "postgres", credential="{env: SHOP_DSN}"),
        )
    )
    dsn = postgres_shop(postgres, "write_policy")
    with GatewayProcess(folder, env={"SHOP_DSN": dsn}, text=POLICY.replace("CONNECTIONS", lines)) as running:
        yield running


@pytest.fixture(scope="module")
def token(mine):
    return mine.session(mine.key())["token"]


DECISIONS = [
    ("INSERT INTO counters (id, n) VALUES (7, 0)", "allow", None),
    ("UPDATE counters SET n = n + 1 WHERE id = 7", "allow", None),
    ("UPDATE orders SET status = 'x' WHERE id = 99", "allow", None),
    ("INSERT INTO counters (id, n) VALUES (7, 1) ON CONFLICT (id) DO UPDATE SET n = excluded.n", "allow", None),
    ("INSERT INTO public_notes (id, note) VALUES (1, 'x')", "deny", None),
    ("UPDATE customers SET name = 'x' WHERE id = 1", "deny", None),
    ("UPDATE counters SET n = 0", "review", "review-all-rows"),
    ("UPDATE counters SET n = 0 WHERE 1 = 1", "review", "review-all-rows"),
    ("UPDATE counters SET n = 0 WHERE n = n OR id = 5", "review", "review-all-rows"),
    ("UPDATE counters SET n = 0 WHERE id IN (SELECT id FROM counters)", "review", "review-all-rows"),
    (
        "INSERT INTO counters (id, n) SELECT id, n FROM counters WHERE true ON CONFLICT (id) DO UPDATE SET n = 0",
        "review",
        "review-all-rows",
    ),
    ("DELETE FROM counters WHERE id = 7", "deny", "nothing-is-deleted"),
    ("UPDATE orders SET total = 0 WHERE id = 99", "deny", "only-the-status"),
    ("UPDATE orders SET status = 'x', total = 0 WHERE id = 99", "deny", "only-the-status"),
    ("UPDATE counters SET n = (SELECT max(o.id) FROM orders o) WHERE id = 7", "deny", "values-are-given"),
    ("DROP TABLE IF EXISTS orders", "deny", "tables-are-dropped-by-their-owners"),
    ("DROP TABLE customers", "deny", None),
    ("CREATE ROLE boss", "deny", "who-may-do-what-is-not-changed-here"),
]


@pytest.mark.parametrize("name", ["shop", "pg"])
def test_a_policy_tells_writes_apart(mine, token, name):
    for statement, effect, rule in DECISIONS:
        answer = mine.sql(token, statement, name, call=f"call-{uuid.uuid4().hex}").body
        decision = answer["decision"]
        assert (decision["effect"], decision.get("rule")) == (effect, rule), (statement, decision)
        assert ("statement" in answer or "result" in answer) is (effect == "allow")


@pytest.mark.parametrize(
    ("statement", "effect", "rule"),
    [
        (
            "MERGE INTO counters c USING (SELECT 8 AS id, 1 AS n) s ON c.id = s.id "
            "WHEN MATCHED THEN UPDATE SET n = 1 WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, s.n)",
            "allow",
            None,
        ),
        (
            "MERGE INTO counters c USING orders o ON true WHEN MATCHED THEN UPDATE SET n = 1",
            "review",
            "review-all-rows",
        ),
        ("MERGE INTO counters c USING orders o ON c.id = o.id WHEN MATCHED THEN DELETE", "deny", "nothing-is-deleted"),
        ("MERGE INTO customers c USING orders o ON c.id = o.id WHEN MATCHED THEN UPDATE SET name = ''", "deny", None),
    ],
)
def test_so_it_does_of_a_merge(mine, token, statement, effect, rule):
    decision = mine.sql(token, statement, "pg", call=f"call-{uuid.uuid4().hex}").body["decision"]
    assert (decision["effect"], decision.get("rule")) == (effect, rule), decision


def test_the_record_tells_what_a_refused_statement_was(mine):
    session = mine.session(mine.key())
    mine.sql(session["token"], "WITH x AS (DELETE FROM orders RETURNING id) SELECT * FROM x", "pg", call="call-hidden")
    intent = next(e for e in mine.timeline(session["id"]) if "call-hidden" in str(e))
    assert "'kind': 'select'" in str(intent) or '"kind":"select"' in str(intent)
    assert "write" in str(intent)
    assert "orders" in str(intent)
