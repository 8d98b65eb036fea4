"""The published interface: valid OpenAPI, true to the gateway, and no request made from it (or against it) is a 500."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.gateway import SharedGateway

from langguard.gateway.problems import CODES
from langguard.protocol import Problem

CONNECTIONS = st.sampled_from(["shop", "pg", "direct", "none"])
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
)


@pytest.fixture(scope="module")
def document(gateway: SharedGateway) -> dict[str, Any]:
    return gateway.ask("GET", "/openapi.json", token="").body


def test_the_document_is_valid(document):
    """By the OpenAPI 3.1 rules that matter to a generator, and schemathesis reads it."""
    import schemathesis

    schema = schemathesis.openapi.from_dict(document)
    names = {operation.ok().label for operation in schema.get_all_operations()}
    assert "POST /v1/calls" in names
    assert len(names) == sum(len(methods) for methods in document["paths"].values())


def test_every_reference_leads_somewhere(document):
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                target: Any = document
                for part in node["$ref"].removeprefix("#/").split("/"):
                    target = target[part]
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(document)


def test_every_route_is_in_it_and_the_other_way_round(document):
    from langguard.gateway.routes import admin, calls, health, sessions, sign_in

    routes = {
        (method.lower(), route.path)
        for route in (*admin.ROUTES, *calls.ROUTES, *health.ROUTES, *sessions.ROUTES, *sign_in.ROUTES)
        for method in route.methods - {"HEAD"}
        if route.path.startswith(("/v1/", "/healthz", "/readyz", "/openapi.json"))
    }
    pages = {route.path for route in sign_in.ROUTES} - {path for _, path in routes}
    assert pages == {"/sign-in", "/sign-in/back"}  # for browsers
    assert routes == {(method, path) for path, methods in document["paths"].items() for method in methods}


def test_what_needs_a_token_says_so_and_does(gateway, document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            reply = gateway.ask(method.upper(), path.replace("{id}", "x").replace("{name}", "x"), token="")
            assert (reply.status == 401) == ("security" in operation), (method, path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
WORDS = st.sampled_from(
    ["id", "call", "context", "bodies", "type", "sql", "schema", "connection", "shop", "statement", "SELECT 1", "binds",
     "tables", "status", "ok", "result", "columns", "rows", "name", "duration_us", "protocols", "client", "kind",
     "answer", "text", "groups", "scopes", "days", "dialect", "default_schemas", "$", "v", "int", "list",
     "exact", "messages"]
)  # fmt: skip
NEAR = st.recursive(
    JSON | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=8),
    max_leaves=20,
)
ROUTES = [
    ("POST", "/v1/sessions"),
    ("POST", "/v1/calls"),
    ("POST", "/v1/calls/a/outcome"),
    ("POST", "/v1/observations"),
    ("POST", "/v1/keys"),
    ("POST", "/v1/policy/explain"),
    ("PUT", "/v1/connections/direct/catalog"),
]


@pytest.fixture(scope="module")
def tokens(gateway: SharedGateway) -> list[str]:
    key = gateway.key("fuzz", "analysts", scopes=("call", "observe", "respond"))
    return [key, gateway.session(key)["token"]]


def answered(reply) -> None:
    assert reply.status < 500, reply
    if reply.status >= 400:
        problem = msgspec.convert(reply.body, Problem)
        assert problem.code in CODES
        assert problem.status == reply.status == CODES[problem.code][0]


@QUICK
@given(route=st.sampled_from(ROUTES[:-1]), body=NEAR | st.binary(max_size=50), who=st.integers(0, 1))
def test_no_body_is_a_500(gateway, tokens, route, body, who):
    answered(gateway.ask(*route, body, tokens[who]))


CALL = st.fixed_dictionaries(
    {
        "id": st.text("abc0123456789-_", min_size=1, max_size=64) | st.text(max_size=70),
        "call": st.fixed_dictionaries(
            {
                "type": st.just("sql"),
                "connection": st.sampled_from(["shop", "pg", "direct", "none"]),
                "statement": st.text(),
            },
            optional={"binds": st.lists(NEAR, max_size=3)},
        )
        | st.fixed_dictionaries(
            {"type": st.just("schema"), "connection": CONNECTIONS},
            optional={"tables": st.none() | st.lists(st.text(max_size=20) | st.just("orders"), max_size=3)},
        ),
    },
    optional={
        "context": st.fixed_dictionaries(
            {},
            optional={
                "thread_id": st.text(),
                "tool": st.text(),
                "tool_call_id": st.text(),
                "run_id": st.text(),
                "provenance": st.sampled_from(["exact", "unknown", "x"]),
                "prompt": st.text(),
                "messages": st.lists(st.text(), max_size=2),
            },
        ),
    },
)


@QUICK
@given(call=CALL)
def test_no_call_that_is_almost_right_is_a_500(gateway, tokens, call):
    answered(gateway.ask("POST", "/v1/calls", json.dumps(call).encode("utf-8", "surrogatepass"), tokens[1]))


SQL = st.lists(
    st.sampled_from(
        ["SELECT", "id", "email", "FROM", "customers", "orders", "WHERE", "=", "1", "'x'", "(", ")", ",", "*", "AND",
         "UNION", "ORDER BY", "LIMIT", "COUNT(*)", "JOIN", "ON", "AS", "a", "$1", "--", "/*", "*/", ";", "WITH", "CASE",
         "WHEN", "THEN", "END", "||", "::text", "NULL", "IN", "EXISTS", "GROUP BY", "HAVING", "DISTINCT", "$$"]
    ),
    max_size=14,
).map(" ".join)  # fmt: skip


@QUICK
@given(statement=SQL | st.text(max_size=60), connection=st.sampled_from(["shop", "pg"]), number=st.integers(0, 2**60))
def test_no_statement_is_a_500(gateway, tokens, statement, connection, number):
    answered(gateway.sql(tokens[1], statement, connection, call=f"f{number:x}"))


@QUICK
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]),
    path=st.text("/v1sesionkyclp%20.~abc?=&-_", max_size=30),
    who=st.integers(0, 1),
)
def test_no_path_is_a_500(gateway, tokens, method, path, who):
    reply = gateway.ask(method, "/" + path, token=tokens[who])
    assert reply.status < 500


def test_the_gateway_is_none_the_worse(gateway, tokens):
    assert gateway.ask("GET", "/healthz", token="").status == 200
    assert '"level": "error"' not in gateway.log.read_text()
