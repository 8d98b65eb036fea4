"""Whatever is sent gets one clear answer: a decision on the record, or a problem; never a 500, never half a run."""

import http.client
import json
import socket
import uuid

import pytest
from tests.support.gateway import SharedGateway


def new() -> str:
    return f"call-{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def token(gateway: SharedGateway) -> str:
    return gateway.session(gateway.key("odd", "analysts", "writers"))["token"]


REFUSED = [
    pytest.param("", id="empty"),
    pytest.param("   \n\t ", id="blank"),
    pytest.param(";", id="a semicolon"),
    pytest.param("-- nothing", id="a comment"),
    pytest.param("/* nothing */", id="a block comment"),
    pytest.param("/* never ends", id="an open comment"),
    pytest.param("SELECT 'never ends", id="an open string"),
    pytest.param('SELECT "never ends', id="an open name"),
    pytest.param("SELECT id FROM orders; SELECT id FROM customers", id="two statements"),
    pytest.param("SELECT id FROM nowhere", id="an unknown table"),
    pytest.param("SELECT nothing FROM orders", id="an unknown column"),
    pytest.param("SELECT id FROM other.orders", id="an unknown schema"),
    pytest.param("SELECT TOP 5 id FROM orders", id="T-SQL"),
    pytest.param("SELECT [id] FROM [orders] WITH (NOLOCK)", id="T-SQL names and hints"),
    pytest.param("SELECT id FROM orders LIMIT 1, 2 PROCEDURE ANALYSE()", id="MySQL"),
    pytest.param("SHOW TABLES", id="MySQL's SHOW"),
    pytest.param("DESCRIBE orders", id="DESCRIBE"),
    pytest.param("EXEC sp_who", id="EXEC"),
    pytest.param("SELECT id FROM orders WHERE id = $1", id="a placeholder without a value"),
    pytest.param("SELECT \x00 id FROM orders", id="a NUL"),
    pytest.param("SELECT 'a\x00b'", id="a NUL in a string"),
    pytest.param("who are our best customers?", id="prose"),
    pytest.param("{'sql': 'SELECT 1'}", id="not SQL"),
    pytest.param("SELECT " + "(" * 3000 + "1" + ")" * 3000, id="deep parentheses"),
    pytest.param("SELECT 1 " + "+ 1" * 200_000, id="a very long sum"),
    pytest.param("SELECT '" + "x" * 1_000_000 + "' FROM orders", id="a megabyte"),
    pytest.param("SELECT id FROM orders WHERE id IN (" + "1," * 300_000 + "1)", id="a very long list"),
    pytest.param("\ufeffSELECT\u00a0id\u2003FROM orders\u200b WHERE \u202e1=1", id="invisible characters"),
]


@pytest.mark.parametrize("connection", ["shop", "pg"])
@pytest.mark.parametrize("statement", REFUSED)
def test_a_statement_that_is_none_is_denied_in_a_sentence(gateway, token, statement, connection):
    call = new()
    reply = gateway.sql(token, statement, connection, call=call)
    assert reply.status == 200, reply
    decision = reply.body["decision"]
    if decision["effect"] == "allow":  # understood after all; then it ran, within its bounds
        assert "result" in reply.body or "error" in reply.body
        assert len(reply.body.get("result", {}).get("rows", [])) <= 100
    else:
        assert decision["message"]
        assert len(decision["message"]) < 700
        assert "result" not in reply.body
    assert gateway.ask("GET", f"/v1/calls/{call}", token=token).status == 200  # on the record


def test_an_unknown_connection_is_denied_and_names_those_there_are(gateway, token):
    decision = gateway.sql(token, "SELECT 1", "warehouse", call=new()).body["decision"]
    assert (decision["effect"], decision["reason"]) == ("deny", "unknown_connection")
    assert "shop" in decision["message"]


@pytest.mark.parametrize("name", ["", "x" * 5000, "shop\x00", "../shop", "SHOP", "shop\n", "\U0001f600", "'; DROP"])
def test_odd_connection_names_are_unknown(gateway, token, name):
    assert gateway.sql(token, "SELECT 1", name, call=new()).body["decision"]["effect"] == "deny"


@pytest.mark.parametrize(
    "bind",
    [
        {"$": "int", "v": "abc"},
        {"$": "int"},
        {"$": "nothing", "v": 1},
        {"$": "decimal", "v": "x"},
        {"$": "bytes", "v": "%%%"},
        {"$": "interval", "v": [1]},
        {"$": "interval", "v": [10**18, 0, 0]},
        {"$": "date", "v": "yesterday"},
        {"$": "datetime", "v": 5},
        {"$": "uuid", "v": "x"},
        {"$": "ip", "v": "x", "type": "IPv4Address"},
        {"$": "ip", "v": "1.1.1.1", "type": "int"},
        {"$": "list", "v": 5},
        {"$": "dict", "v": [[1]]},
        {"$": "dict", "v": [[{"$": "list", "v": []}, 1]]},
        {"$": "float", "v": "x"},
        {"v": 1},
        {},
    ],
)
def test_a_value_that_can_not_be_read_is_named_and_nothing_runs(gateway, token, bind):
    for connection in ("shop", "pg"):
        reply = gateway.sql(token, "SELECT id FROM orders WHERE id = $1", connection, call=new(), binds=(bind,))
        assert (reply.status, reply.code) == (400, "invalid_request"), reply
        assert "$1" in reply.body["detail"]


@pytest.mark.parametrize(
    "bind",
    [
        {"$": "int", "v": "9" * 300},
        2**53,
        "\x00",
        {"$": "dict", "v": [["a", 1]]},
        {"$": "list", "v": [1, 2]},
        {"$": "other", "v": "x", "type": "Thing"},
        {"$": "decimal", "v": "NaN"},
        "x" * 1_000_000,
        [1, 2],
    ],
)
def test_a_value_the_database_does_not_take_ends_in_a_sentence(gateway, token, bind):
    for connection in ("shop", "pg"):
        reply = gateway.sql(token, "SELECT id FROM orders WHERE id = $1", connection, call=new(), binds=(bind,))
        assert reply.status == 200, reply
        assert reply.body["decision"]["effect"] == "deny" or "error" in reply.body or reply.body["result"]["rows"] == []


def test_the_number_of_values_must_fit(gateway, token):
    reply = gateway.sql(token, "SELECT id FROM orders WHERE id = $1", call=new(), binds=(1, 2)).body
    assert reply["decision"]["reason"] == "wrong_parameters"


BODIES = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"{", id="cut off"),
    pytest.param(b"null", id="null"),
    pytest.param(b"[]", id="a list"),
    pytest.param(b'"x"', id="a string"),
    pytest.param(b"\xff\xfe\x00", id="no UTF-8"),
    pytest.param(b'{"id": 5}', id="a number for an id"),
    pytest.param(b'{"id": "a"}', id="no call"),
    pytest.param(b'{"id": "a", "call": {"type": "shell", "command": "ls"}}', id="an unknown kind"),
    pytest.param(b'{"id": "a", "call": {"connection": "shop", "statement": "SELECT 1"}}', id="no kind"),
    pytest.param(b'{"id":"a","call":{"type":"sql","connection":"shop","statement":"SELECT 1","x":1}}', id="unknown"),
    pytest.param(b'{"id":"a","call":{"type":"sql","connection":"shop","statement":1}}', id="a number for text"),
    pytest.param(b'{"id":"a","call":{"type":"sql","connection":"shop","statement":null}}', id="null for text"),
    pytest.param(b'{"id":"a","call":{"type":"sql","connection":"shop","statement":"\\ud800"}}', id="half a character"),
    pytest.param(b'{"id":"a","call":{"type":"sql","connection":"shop","statement":"\xed\xa0\x80"}}', id="the same raw"),
    pytest.param(b"[" * 100_000, id="deep"),
    pytest.param(b'{"id":' * 50_000, id="deep objects"),
    pytest.param(
        b'{"id":"a","call":{"type":"sql","connection":"shop","statement":"x","binds":' + b"[" * 50_000, id="b"
    ),
    pytest.param(b'{"id":"a","call":{"type":"sql","connection":"shop","statement":"x"},"context":{"x":1}}', id="ctx"),
    pytest.param(b'{"id":"a","call":{"type":"sql","connection":"shop","statement":"x"},"bodies":{"00":"x"}}', id="lie"),
]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_does_not_fit_is_a_problem(gateway, token, body):
    reply = gateway.ask("POST", "/v1/calls", body, token)
    assert (reply.status, reply.code, reply.kind) == (400, "invalid_request", "application/problem+json"), reply


@pytest.mark.parametrize("body", BODIES[:6])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/calls/a/outcome"),
        ("POST", "/v1/observations"),
        ("POST", "/v1/keys"),
        ("POST", "/v1/policy/explain"),
        ("PUT", "/v1/connections/direct/catalog"),
    ],
)
def test_the_same_for_every_route_that_reads_one(gateway, token, method, path, body):
    who = token if path.startswith(("/v1/calls", "/v1/obs")) else None
    assert gateway.ask(method, path, body, who).code == "invalid_request"


def test_deep_values_are_a_problem_or_a_decision(gateway, token):
    deep = '{"$":"list","v":[' * 400 + "1" + "]}" * 400
    body = f'{{"id":"{new()}","call":{{"type":"sql","connection":"pg","statement":"SELECT $1","binds":[{deep}]}}}}'
    assert gateway.ask("POST", "/v1/calls", body.encode(), token).status in (200, 400)


def test_a_large_body_is_refused_before_it_is_read_whole(gateway, token):
    reply = gateway.ask("POST", "/v1/calls", b" " * 10_000_000, token)
    assert (reply.status, reply.code) == (413, "too_large")


def test_a_large_body_in_chunks_is_refused_too(gateway, token):
    link = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    try:
        chunks = (b" " * 1_000_000 for _ in range(12))
        link.request(
            "POST", "/v1/calls", body=chunks, headers={"authorization": f"Bearer {token}"}, encode_chunked=True
        )
        assert link.getresponse().status == 413
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused while it was still being sent
    finally:
        link.close()


def test_a_stranger_is_refused_before_anything_is_read(gateway):
    reply = gateway.ask("POST", "/v1/calls", b"{" * 1000, token="")
    assert (reply.status, reply.code) == (401, "not_authenticated")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1", 404),
        ("GET", "/v1/calls", 405),
        ("DELETE", "/v1/calls", 405),
        ("PATCH", "/v1/keys", 405),
        ("GET", "/v1/sessions/a/b/c", 404),
        ("GET", "/%2e%2e/etc/passwd", 404),
        ("GET", "/v1/sessions/%00", 404),
        ("GET", "/v1/sessions/" + "a" * 3000, 404),
        ("DELETE", "/v1/keys/none", 404),
        ("PUT", "/v1/connections/none/catalog", 404),
    ],
)
def test_there_is_no_such_thing(gateway, method, path, status):
    reply = gateway.ask(method, path)
    assert reply.status == status
    assert reply.kind == "application/problem+json"


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": ""},
        {"name": "  "},
        {"name": "x", "days": 0},
        {"name": "x", "days": 367},
        {"name": "x", "days": 10**30},
        {"name": "x", "scopes": ["root"]},
        {"name": 5},
    ],
)
def test_a_key_is_not_made_of_nonsense(gateway, wanted):
    reply = gateway.ask("POST", "/v1/keys", wanted)
    assert (reply.status, reply.code) == (400, "invalid_request")


def test_a_catalogue_is_pinned_only_where_agents_hold_the_credential(gateway):
    catalog = {"dialect": "sqlite", "default_schemas": ["main"], "tables": []}
    assert gateway.ask("PUT", "/v1/connections/shop/catalog", catalog).code == "invalid_request"
    other = catalog | {"dialect": "postgres"}
    assert gateway.ask("PUT", "/v1/connections/direct/catalog", other).code == "invalid_request"


@pytest.mark.parametrize(
    "query", ["", "first=1", "first=a&second=b", "first=2&second=1", "first=-1&second=1", "first=0&second=999999999"]
)
def test_consistency_needs_two_sizes_in_order(gateway, token, query):
    assert gateway.ask("GET", f"/v1/ledger/consistency?{query}", token=token).code == "invalid_request"


def test_garbage_on_the_socket_harms_nobody(gateway, token):
    for junk in (
        b"\x00" * 100,
        b"GET\r\n\r\n",
        b"POST /v1/calls HTTP/1.1\r\ncontent-length: -5\r\n\r\n",
        b"\x16\x03\x01",
    ):
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as link:
            link.sendall(junk)
            link.shutdown(socket.SHUT_WR)
            link.recv(1000)
    assert gateway.sql(token, "SELECT 1 AS one", call=new()).status == 200


def test_an_observation_with_odd_text_is_recorded(gateway, token):
    for words in ("", "\x00", "\U0001f600", "x" * 500_000, "\u202e"):
        assert gateway.ask("POST", "/v1/observations", {"kind": "answer", "text": words}, token).status == 201


def test_odd_context_is_recorded_or_refused(gateway, token):
    call = {"type": "sql", "connection": "shop", "statement": "SELECT 1 AS one"}
    for context in (
        {"thread_id": "x" * 100_000},
        {"thread_id": "\x00"},
        {"tool": "\U0001f600", "tool_call_id": "'"},
        {"provenance": "exact", "source": "callbacks", "messages": ["00"] * 10},
        {"runs": [{"id": "a", "kind": "tool", "name": "n"}] * 1000},
    ):
        reply = gateway.ask("POST", "/v1/calls", {"id": new(), "call": call, "context": context}, token)
        assert reply.status in (200, 400, 409), (reply, json.dumps(context)[:80])
