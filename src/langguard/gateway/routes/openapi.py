"""The OpenAPI document, made from the same wire models that the routes read and write."""

from functools import cache
from typing import Any

import msgspec

from langguard import protocol
from langguard.gateway.identity.principals import ApiKey
from langguard.gateway.problems import CODES
from langguard.gateway.services.sessions import StoredSession

# method, path, operation, summary, request model, reply model, status, who may (scopes)
_OPERATIONS: tuple[tuple[str, str, str, str, Any, Any, int, str], ...] = (
    ("post", "/v1/sessions", "openSession", "Open a session with an API key or a provider's token", protocol.OpenSession, protocol.SessionInfo, 201, "call"),
    ("get", "/v1/session", "ownSession", "The session whose token is used", None, protocol.SessionInfo, 200, "call"),
    ("delete", "/v1/session", "endOwnSession", "End the session whose token is used", None, StoredSession, 200, "any"),
    ("post", "/v1/sign-in", "finishSignIn", "The session of someone who signed in", protocol.SignInCode, protocol.SessionInfo, 201, ""),
    ("get", "/v1/sessions", "listSessions", "Sessions, newest first", None, None, 200, "respond, admin"),
    ("get", "/v1/sessions/{id}", "showSession", "One session as a timeline", None, None, 200, "its own, respond, admin"),
    ("delete", "/v1/sessions/{id}", "endSession", "End a session at once", None, StoredSession, 200, "its own, respond, admin"),
    ("get", "/v1/sessions/{id}/export", "exportSession", "JSON lines that verify offline", None, None, 200, "its own, respond, admin"),
    ("post", "/v1/calls", "ask", "Judge one call, and in custody `gateway` run it", protocol.CallRequest, protocol.Answer, 200, "call"),
    ("get", "/v1/calls/{id}", "findCall", "The stored answer, after a reply was lost", None, protocol.Answer, 200, "call"),
    ("post", "/v1/calls/{id}/outcome", "reportOutcome", "Report an outcome before rows are released", protocol.OutcomeReport, protocol.OutcomeReceipt, 200, "call"),
    ("post", "/v1/observations", "observe", "Record the agent's final answer", protocol.Observation, protocol.Receipt, 201, "observe"),
    ("post", "/v1/keys", "makeKey", "Make an API key", None, None, 201, "admin"),
    ("get", "/v1/keys", "listKeys", "API keys, without secrets", None, None, 200, "admin"),
    ("delete", "/v1/keys/{id}", "revokeKey", "Revoke a key and end its sessions", None, None, 200, "admin"),
    ("get", "/v1/connections", "listConnections", "Connections", None, None, 200, "respond, admin"),
    ("put", "/v1/connections/{name}/catalog", "pinCatalog", "Pin a structure (custody `agent`)", protocol.Catalog, None, 200, "admin"),
    ("post", "/v1/connections/{name}/refresh", "refreshCatalog", "Read a structure again (custody `gateway`)", None, None, 200, "admin"),
    ("post", "/v1/connections/{name}/check", "checkConnection", "Try each wall on the real database (custody `gateway`)", None, None, 200, "admin"),
    ("post", "/v1/policy/explain", "explain", "What would be decided, and why", None, None, 200, "admin"),
    ("get", "/v1/checkpoint", "checkpoint", "The ledger's signed head", None, None, 200, ""),
    ("get", "/v1/ledger/consistency", "consistency", "That the ledger only grew", None, None, 200, "call"),
    ("get", "/healthz", "health", "The process answers", None, None, 200, ""),
    ("get", "/readyz", "ready", "The gateway can serve", None, None, 200, ""),
    ("get", "/openapi.json", "openapi", "This document", None, None, 200, ""),
)  # fmt: skip


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    models = [model for row in _OPERATIONS for model in row[4:6] if model is not None]
    models += [protocol.Problem, ApiKey]
    _, schemas = msgspec.json.schema_components(models, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for method, path, name, summary, request, reply, status, scopes in _OPERATIONS:
        paths.setdefault(path, {})[method] = _operation(path, name, summary, request, reply, status, scopes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "langguard gateway",
            "version": str(protocol.PROTOCOL),
            "description": "Ask before acting. Problem codes: " + ", ".join(sorted(CODES)),
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(
    path: str, name: str, summary: str, request: Any, reply: Any, status: int, scopes: str
) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done"}
    if reply is not None:
        good["content"] = {"application/json": {"schema": _ref(reply)}}
    elif path.endswith("/export"):
        good["content"] = {"application/jsonl": {"schema": {"type": "string"}}}
    else:
        good["content"] = {"application/json": {"schema": {"type": "object"}}}
    problem = {"description": "A problem", "content": {"application/problem+json": {"schema": _ref(protocol.Problem)}}}
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "responses": {str(status): good, "default": problem},
    }
    if scopes:
        operation["description"] = f"Scopes: {scopes}."
        operation["security"] = [{"bearer": []}]
    if request is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(request)}}}
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    if names:
        operation["parameters"] = [
            {"name": each, "in": "path", "required": True, "schema": {"type": "string"}} for each in names
        ]
    return operation


def _ref(model: Any) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
