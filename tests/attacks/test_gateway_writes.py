"""Writes: recognised for what they are, denied without a grant, and never a way to copy what a read would mask."""

import uuid

import pytest
from tests.support.gateway import SharedGateway


def new() -> str:
    return f"call-{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def reader(gateway: SharedGateway) -> str:
    return gateway.session(gateway.key("reader"))["token"]


@pytest.fixture(scope="module")
def writer(gateway: SharedGateway) -> str:
    return gateway.session(gateway.key("writer", "writers"))["token"]


WRITES = [
    "INSERT INTO public_notes (id, note) VALUES (901, 'x')",
    "UPDATE orders SET status = 'x' WHERE id = 1",
    "DELETE FROM orders WHERE id = 1",
    "INSERT INTO public_notes (id, note) SELECT 902, 'x'",
    "WITH gone AS (SELECT 1 AS id) UPDATE orders SET status = 'y' WHERE id IN (SELECT id FROM gone)",
]


@pytest.mark.parametrize("connection", ["shop", "pg"])
@pytest.mark.parametrize("statement", WRITES)
def test_a_reader_writes_nothing(gateway, reader, statement, connection):
    decision = gateway.sql(reader, statement, connection, call=new()).body["decision"]
    assert decision["effect"] == "deny", decision
    assert decision["reason"] in ("no_grant", "sql_refused", "rule")


@pytest.mark.parametrize("connection", ["shop", "pg"])
def test_a_writer_writes(gateway, writer, connection):
    number = uuid.uuid4().int % 10**8 + 1000
    made = gateway.sql(
        writer, f"INSERT INTO public_notes (id, note) VALUES ({number}, 'hello')", connection, call=new()
    )
    assert made.body["result"]["affected"] == 1
    assert made.body["result"]["rows"] == []
    update = f"UPDATE public_notes SET note = 'bye' WHERE id = {number}"
    assert gateway.sql(writer, update, connection, call=new()).body["result"]["affected"] == 1
    gone = f"DELETE FROM public_notes WHERE id = {number}"
    assert gateway.sql(writer, gone, connection, call=new()).body["result"]["affected"] == 1
    assert gateway.sql(writer, gone, connection, call=new()).body["result"]["affected"] == 0


def test_a_plain_update_of_a_clear_column_is_allowed(gateway, writer):
    for status in ("x", "open"):
        done = gateway.sql(writer, f"UPDATE orders SET status = '{status}' WHERE id = 1", call=new())
        assert done.body["decision"]["effect"] == "allow", done.body["decision"]


@pytest.mark.parametrize("statement", ["UPDATE orders SET status = 'x'", "DELETE FROM orders"])
def test_a_write_without_where_names_its_rule(gateway, writer, statement):
    decision = gateway.sql(writer, statement, call=new()).body["decision"]
    assert (decision["effect"], decision["rule"]) == ("deny", "write-needs-where")


LAUNDERING = [
    "INSERT INTO public_notes (id, note) SELECT id + 5000, email FROM customers",
    "INSERT INTO public_notes (id, note) SELECT id + 5000, substr(email, 1, 3) FROM customers",
    "INSERT INTO public_notes (id, note) SELECT id + 5000, 'a' || name FROM customers",
    "INSERT INTO public_notes (id, note) SELECT 5000, max(card) FROM customers",
    "INSERT INTO orders (id, customer_id, status, total) SELECT id + 5000, id, email, 1 FROM customers",
    "UPDATE orders SET status = (SELECT email FROM customers WHERE id = 1) WHERE id = 1",
    "UPDATE public_notes SET note = (SELECT name FROM customers WHERE id = 1) WHERE id = 1",
    "UPDATE orders SET status = 'x' WHERE customer_id IN (SELECT id FROM customers WHERE email LIKE 'o%')",
    "UPDATE orders SET status = 'x' WHERE EXISTS (SELECT 1 FROM customers WHERE card > '5' AND id = customer_id)",
    "DELETE FROM orders WHERE customer_id = (SELECT id FROM customers WHERE name = 'Odalys Quarterhouse')",
    "INSERT INTO public_notes (id, note) SELECT 5000, note FROM public_notes",
    "UPDATE customers SET name = email WHERE id = 1",
    "UPDATE customers SET email = 'x' WHERE email = 'odalys.quarterhouse@mailbox.example'",
]


@pytest.mark.parametrize("connection", ["shop", "pg", "direct"])
@pytest.mark.parametrize("statement", LAUNDERING)
def test_a_write_does_not_carry_what_a_read_would_mask(gateway, writer, statement, connection):
    answer = gateway.sql(writer, statement, connection, call=new()).body
    assert answer["decision"]["effect"] == "deny", answer
    assert "statement" not in answer
    held = gateway.sql(writer, "SELECT COUNT(*) FROM public_notes WHERE id >= 5000 AND id < 6000", call=new()).body
    assert held["result"]["rows"] == [[0]]


@pytest.mark.parametrize("connection", ["shop", "pg"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO public_notes (id, note) VALUES (7000, 'x') RETURNING note",
        "DELETE FROM customers WHERE id = 2 RETURNING email",
        "UPDATE customers SET name = 'x' WHERE id = 1 RETURNING email, card",
    ],
)
def test_returning_shows_nothing_in_clear(gateway, writer, statement, connection):
    answer = gateway.sql(writer, statement, connection, call=new())
    if answer.body["decision"]["effect"] == "allow":  # then its rows are masked as any other's
        assert "mailbox.example" not in str(answer.body["result"])
        assert "4929134012345672" not in str(answer.body["result"])


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE orders",
        "CREATE TABLE t (a int)",
        "ALTER TABLE orders ADD COLUMN a int",
        "GRANT ALL ON orders TO x",
    ],
)
def test_a_write_grant_is_not_one_to_change_structure_or_rights(gateway, writer, statement):
    for connection in ("shop", "pg", "direct"):
        assert gateway.sql(writer, statement, connection, call=new()).body["decision"]["effect"] == "deny"


def test_two_statements_do_not_run_one(gateway, writer):
    number = uuid.uuid4().int % 10**8 + 10**6
    both = f"INSERT INTO counters (id, n) VALUES ({number}, 0); DELETE FROM counters WHERE id = {number}"
    for connection in ("shop", "pg"):
        assert gateway.sql(writer, both, connection, call=new()).body["decision"]["effect"] == "deny"
        held = gateway.sql(writer, f"SELECT COUNT(*) FROM counters WHERE id = {number}", connection, call=new())
        assert held.body["result"]["rows"] == [[0]]
