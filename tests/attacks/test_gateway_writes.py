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
    "UPDATE customers SET email = 'x' WHERE email = 'odalys.quarterhouse@mailbox.example'",
    # a column with a weaker mask, another row's value, a computed form in a column that is masked just the same
    "UPDATE customers SET card = email WHERE id = 1",
    "UPDATE customers SET email = name WHERE id = 1",
    "UPDATE customers SET email = substr(email, 1, 1) WHERE id = 1",
    "UPDATE customers SET email = email || '' WHERE id = 1",
    "UPDATE customers SET name = CASE WHEN email LIKE 'o%' THEN 'yes' ELSE 'no' END WHERE id = 1",
    "UPDATE customers SET name = (SELECT max(c.email) FROM customers c) WHERE id = 1",
    "UPDATE customers SET name = (SELECT c.name FROM customers c WHERE c.email = 'x') WHERE id = 1",
    "UPDATE customers SET name = (SELECT v.y FROM (SELECT 'yes' AS y) v WHERE customers.email LIKE 'o%') WHERE id = 1",
    # by the way the rows come, or what is there already
    "INSERT INTO public_notes (id, note) SELECT id + 5000, 'x' FROM customers WHERE email LIKE 'o%'",
    "INSERT INTO public_notes (id, note) SELECT 5000, 'x' FROM customers GROUP BY email",
    "INSERT INTO public_notes (id, note) SELECT 5000 + count(*), 'x' FROM customers GROUP BY email",
    "INSERT INTO public_notes (id, note) SELECT DISTINCT 5000, email FROM customers",
    "INSERT INTO public_notes (id, note) SELECT id + 5000, 'x' FROM customers ORDER BY email LIMIT 1",
    "INSERT INTO public_notes (id, note) SELECT 5000, 'x' FROM customers INTERSECT SELECT 5000, email FROM customers",
    # through names that are not the columns'
    "INSERT INTO public_notes (note, id) SELECT c.n, c.i FROM (SELECT email AS n, id + 5000 AS i FROM customers) c",
    "WITH c (id, note) AS (SELECT id + 5000, email FROM customers) INSERT INTO public_notes SELECT * FROM c",
    "INSERT INTO public_notes (id, note) SELECT id + 5000, 'x' FROM orders UNION ALL SELECT 5999, card FROM customers",
    "INSERT INTO public_notes (id, note) VALUES (5000, 'x'), (5001, (SELECT email FROM customers WHERE id = 1))",
    "INSERT INTO public_notes (id, note) VALUES (1, (SELECT email FROM customers WHERE id = 1)) "
    "ON CONFLICT (id) DO UPDATE SET note = 'x'",
    "INSERT INTO customers (id, name, email, card) SELECT id, name, email, email FROM customers WHERE id = 1 "
    "ON CONFLICT (id) DO UPDATE SET card = excluded.email",
    "INSERT INTO customers (id, name, email, card) SELECT 1, name, 'x', '1' FROM customers WHERE id = 1 "
    "ON CONFLICT (id) DO UPDATE SET email = excluded.name",
    "UPDATE orders SET (status, total) = (SELECT email, 1 FROM customers WHERE id = 1) WHERE id = 1",
    "UPDATE orders SET (status, total) = ((SELECT email FROM customers WHERE id = 1), 1) WHERE id = 1",
    "UPDATE orders SET status = c.e FROM (SELECT id, email AS e FROM customers) c WHERE c.id = orders.customer_id",
    "UPDATE orders SET status = c.note FROM public_notes c WHERE c.id = orders.id RETURNING status",
]
MERGES = [
    "MERGE INTO public_notes n USING customers c ON n.id = c.id + 5000 "
    "WHEN NOT MATCHED THEN INSERT (id, note) VALUES (c.id + 5000, c.email)",
    "MERGE INTO public_notes n USING customers c ON n.id = c.id + 5000 WHEN MATCHED THEN UPDATE SET note = c.email "
    "WHEN NOT MATCHED THEN DO NOTHING",
    "MERGE INTO public_notes n USING customers c ON n.id = c.id + 5000 AND c.email LIKE 'o%' "
    "WHEN NOT MATCHED THEN INSERT (id, note) VALUES (c.id + 5000, 'x')",
    "MERGE INTO orders o USING customers c ON o.customer_id = c.id WHEN MATCHED AND c.email LIKE 'o%' THEN DELETE",
    "MERGE INTO public_notes n USING (SELECT id, email AS note FROM customers) c ON n.id = c.id + 5000 "
    "WHEN NOT MATCHED THEN INSERT VALUES (c.id + 5000, c.note)",
]


@pytest.mark.parametrize("connection", ["shop", "pg", "direct"])
@pytest.mark.parametrize("statement", LAUNDERING)
def test_a_write_does_not_carry_what_a_read_would_mask(gateway, writer, statement, connection):
    answer = gateway.sql(writer, statement, connection, call=new()).body
    assert answer["decision"]["effect"] == "deny", answer
    assert "statement" not in answer
    held = gateway.sql(writer, "SELECT COUNT(*) FROM public_notes WHERE id >= 5000 AND id < 6000", call=new()).body
    assert held["result"]["rows"] == [[0]]


@pytest.mark.parametrize("statement", MERGES)
def test_a_merge_does_not_either(gateway, writer, statement):
    decision = gateway.sql(writer, statement, "pg", call=new()).body["decision"]
    assert (decision["effect"], decision["reason"]) == ("deny", "laundering"), decision


@pytest.mark.parametrize("connection", ["shop", "pg"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE customers SET email = lower(email) WHERE id = 9",
        "UPDATE customers SET name = email WHERE id = 9",
        "INSERT INTO public_notes (id, note) SELECT id + 6000, note FROM public_notes WHERE id < 0",
        "INSERT INTO customers (id, name, email, card) SELECT id + 6000, name, email, card FROM customers WHERE id = 9",
        "UPDATE customers SET name = (SELECT c.name FROM customers c WHERE c.id = 2) WHERE id = 9",
        "INSERT INTO counters (id, n) SELECT 9, count(email) FROM customers HAVING count(*) < 0",
        "DELETE FROM customers WHERE id = 9 RETURNING email",
    ],
)
def test_a_value_may_go_where_it_is_masked_as_strictly(gateway, writer, statement, connection):
    decision = gateway.sql(writer, statement, connection, call=new()).body["decision"]
    assert decision["effect"] == "allow", decision


def test_a_merge_writes(gateway, writer):
    number = uuid.uuid4().int % 10**8 + 1000
    merge = (
        f"MERGE INTO counters c USING (SELECT {number} AS id, 5 AS n) s ON c.id = s.id "
        "WHEN MATCHED AND c.n > 5 THEN DELETE WHEN MATCHED THEN UPDATE SET n = c.n + s.n "
        "WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, s.n)"
    )
    held = f"SELECT n FROM counters WHERE id = {number}"
    seen = []
    for _ in range(3):
        done = gateway.sql(writer, merge, "pg", call=new()).body
        assert done["decision"]["effect"] == "allow", done["decision"]
        assert done["result"]["affected"] == 1
        seen.append(gateway.sql(writer, held, "pg", call=new()).body["result"]["rows"])
    assert seen == [[[5]], [[10]], []]


FULL = [
    "UPDATE orders SET status = 'x' WHERE 1 = 1",
    "UPDATE orders SET status = 'x' WHERE TRUE",
    "UPDATE orders SET status = 'x' WHERE id = id",
    "UPDATE orders SET status = 'x' WHERE id = 5 OR 'a' = 'a'",
    "UPDATE orders SET status = 'x' WHERE id IN (SELECT id FROM orders)",
    "UPDATE orders SET status = 'x' WHERE id = 5 OR NOT id = 5",
    "DELETE FROM orders WHERE status IS NULL OR status IS NOT NULL",
    "DELETE FROM orders WHERE EXISTS (SELECT 1 FROM counters)",
    "UPDATE orders SET status = 'x' FROM orders o2 WHERE o2.id = orders.id",
    "INSERT INTO orders (id, customer_id, status, total) SELECT id, 1, 'x', 1 FROM orders WHERE TRUE "
    "ON CONFLICT (id) DO UPDATE SET status = 'x'",
]


@pytest.mark.parametrize("connection", ["shop", "pg"])
@pytest.mark.parametrize("statement", FULL)
def test_a_where_that_holds_for_all_rows_is_none(gateway, writer, statement, connection):
    decision = gateway.sql(writer, statement, connection, call=new()).body["decision"]
    assert (decision["effect"], decision["rule"]) == ("deny", "write-needs-where"), decision


@pytest.mark.parametrize("connection", ["shop", "pg"])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO public_notes (id, note) VALUES ({id}, 'x') RETURNING note",
        "DELETE FROM customers WHERE id = {id} RETURNING email",
        "UPDATE customers SET name = 'x' WHERE id = {id} RETURNING email, card",
    ],
)
def test_returning_shows_nothing_in_clear(gateway, writer, statement, connection):
    number = uuid.uuid4().int % 10**8 + 10_000
    own = f"INSERT INTO customers VALUES ({number}, 'Y', 'y@mailbox.example', '4929134012345672')"
    assert gateway.sql(writer, own, connection, call=new()).body["decision"]["effect"] == "allow"
    answer = gateway.sql(writer, statement.format(id=number), connection, call=new()).body
    assert answer["decision"]["effect"] == "allow", answer  # its rows are masked as any other's
    assert len(answer["result"]["rows"]) == 1
    assert "mailbox.example" not in str(answer["result"])
    assert "4929134012345672" not in str(answer["result"])
    gateway.sql(writer, f"DELETE FROM customers WHERE id = {number}", connection, call=new())


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
