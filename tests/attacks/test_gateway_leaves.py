"""The leaves of the ledger outlive a session's key: nothing that a client or a statement words may stand in them."""

import json

MARK = "Zanzibar-7731"


def test_no_word_of_a_client_or_a_statement_is_in_a_leaf(gateway):
    token = gateway.session(gateway.key("leaf-reader"), agent="shop helper")["token"]
    context = {
        "provenance": "inferred",
        "source": "sibling",
        "thread_id": f"thread of {MARK}",
        "root_run_id": f"root {MARK}",
        "run_id": f"run {MARK}",
        "tool": f"tool {MARK}",
        "tool_call_id": f"call {MARK}",
        "runs": [{"id": f"run {MARK}", "kind": "tool", "name": f"tool {MARK}"}],
    }
    statements = [
        f"SELECT count(*) AS \"{MARK}\" FROM orders WHERE status = '{MARK}'",
        f"SELECT count(*), status = '{MARK}' FROM orders GROUP BY status",
        f'SELECT "{MARK}" FROM orders',
        f"SELECT {MARK} FROM nowhere -- {MARK}",
    ]
    for number, statement in enumerate(statements):
        for connection in ("shop", "pg", MARK):
            call = {"type": "sql", "connection": connection, "statement": statement}
            body = {"id": f"leaf{number}{len(connection)}", "call": call, "context": context}
            assert gateway.ask("POST", "/v1/calls", body, token).status == 200
    seen = {"kind": "answer", "text": MARK, "root_run_id": MARK, "thread_id": MARK}
    assert gateway.ask("POST", "/v1/observations", seen, token).status == 201
    session = gateway.ask("GET", "/v1/session", token=token).body["id"]
    exported = gateway.ask("GET", f"/v1/sessions/{session}/export").body
    lines = [json.loads(line) for line in exported.splitlines()[1:-1]]
    assert len(lines) > len(statements) * 2
    assert any(MARK in body["text"] for line in lines for body in line["bodies"].values())
    for line in lines:
        assert MARK not in line["leaf"]
        assert MARK.lower() not in line["leaf"].lower()
