"""Administration: API keys, pinned structures, what the policy would say, and the ledger's head."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from langguard.errors import ConfigError
from langguard.flow import Estimate
from langguard.gateway.identity import tokens
from langguard.gateway.identity.principals import ApiKey, Principal
from langguard.gateway.problems import ProblemError, reply
from langguard.gateway.routes._common import bearer, gateway, guarded, holder, read, session
from langguard.gateway.services.recorder import Draft
from langguard.gateway.services.remembered import ANY_STATEMENT
from langguard.gateway.services.sessions import Live, StoredSession
from langguard.policy import explain as explain_verdict
from langguard.protocol import CallRequest, Catalog, Context, Scope, SqlCall, Wire
from langguard.stores.base import Expect


class NewKey(Wire, frozen=True, kw_only=True):
    """POST /v1/keys."""

    name: str
    groups: tuple[str, ...] = ()
    scopes: tuple[Scope, ...] = ("call", "observe")
    days: int = 90


class MadeKey(Wire, frozen=True, kw_only=True):
    """The reply: the secret is in it once and is kept nowhere."""

    key: ApiKey
    secret: str


class Explain(Wire, frozen=True, kw_only=True):
    """POST /v1/policy/explain: what would be decided for a principal; the database is not asked, no call recorded."""

    connection: str
    statement: str
    name: str = "someone"
    groups: tuple[str, ...] = ()
    estimated_rows: int | None = None
    scanned_rows: int | None = None


async def _caller(request: Request) -> Expect:
    """Return what must hold when an act commits: that the key or session that asks for it is in force."""
    token = bearer(request)
    if tokens.kind_of(token) == tokens.SESSION:
        return gateway(request).sessions.still_open(await gateway(request).sessions.find(token))
    return Expect(kind="api_key", id=tokens.lookup(token, gateway(request).keys.token), state="active")


async def make_key(request: Request) -> Response:
    """POST /v1/keys: make an API key."""
    await holder(request, "admin")
    wanted = await read(request, NewKey)
    by = await holder(request, "admin")  # once more: the key may have been revoked while the body was on its way
    key, secret = await gateway(request).api_keys.make(
        name=wanted.name,
        groups=wanted.groups,
        scopes=wanted.scopes,
        days=wanted.days,
        by=by.id,
        caller=await _caller(request),
    )
    return reply(MadeKey(key=key, secret=secret), 201)


async def list_keys(request: Request) -> Response:
    """GET /v1/keys: all API keys, without their secrets."""
    await holder(request, "admin")
    return reply({"keys": await asyncio.to_thread(gateway(request).api_keys.list)})


async def revoke_key(request: Request) -> Response:
    """DELETE /v1/keys/{id}: revoke a key and end the sessions opened with it."""
    by = await holder(request, "admin")
    key = await gateway(request).api_keys.revoke(request.path_params["id"], by=by.id, caller=await _caller(request))
    ended = await gateway(request).sessions.end_by_key(key.id, by=by.id)
    return reply({"key": key, "sessions_ended": ended})


async def connections(request: Request) -> Response:
    """GET /v1/connections: every connection, with the size and version of its known structure."""
    await holder(request, "admin", "respond")
    held = [
        {
            "connection": connection.info(),
            "tables": 0 if connection.catalog is None else len(connection.catalog.tables),
            "catalog": None if connection.catalog is None else connection.catalog.version,
        }
        for connection in gateway(request).connections
    ]
    return reply({"connections": held})


async def pin_catalog(request: Request) -> Response:
    """PUT /v1/connections/{name}/catalog: pin the structure of a connection in custody `agent`."""
    await holder(request, "admin")
    home = gateway(request)
    connection = home.connections.get(request.path_params["name"])
    if connection is None:
        raise ProblemError("not_found", "There is no such connection.")
    if connection.settings.custody != "agent":
        raise ProblemError("invalid_request", "The gateway reads this connection's structure itself.")
    catalog = home.connections.visible(connection, await read(request, Catalog))
    by = await holder(request, "admin")  # once more, as above
    if catalog.dialect != connection.settings.dialect:
        raise ProblemError("invalid_request", f"The connection's dialect is {connection.settings.dialect}.")
    data = {"connection": connection.name, "version": catalog.version, "tables": len(catalog.tables)}
    put = home.connections.pin(connection, catalog)
    await home.recorder.record([Draft(kind="catalog", by=by.id, data=data)], puts=(put,))
    connection.catalog = catalog  # in force only once that is on the record
    await home.policies.reload()
    return reply(data)


async def refresh(request: Request) -> Response:
    """POST /v1/connections/{name}/refresh: read a database's structure again, after it was changed."""
    by = await holder(request, "admin")
    home = gateway(request)
    connection = home.connections.get(request.path_params["name"])
    if connection is None:
        raise ProblemError("not_found", "There is no such connection.")
    if connection.settings.custody != "gateway":
        raise ProblemError("invalid_request", "This connection's structure is pinned: langguard connection add.")
    before = None if connection.catalog is None else connection.catalog.version
    try:
        await home.catalogues.refresh(connection, by=by.id, always=True)
    except ConfigError as failed:
        raise ProblemError("conflict", str(failed)) from None
    catalog = connection.catalog
    data = {
        "connection": connection.name,
        "version": None if catalog is None else catalog.version,
        "tables": 0 if catalog is None else len(catalog.tables),
    }
    return reply(data | {"changed": before != data["version"]})


async def check(request: Request) -> Response:
    """POST /v1/connections/{name}/check: try each wall on the real database, and say what its role may do too much."""
    by = await holder(request, "admin")
    home = gateway(request)
    connection = home.connections.get(request.path_params["name"])
    if connection is None:
        raise ProblemError("not_found", "There is no such connection.")
    found = await home.checks.check(connection, by=by.id)
    held = {"connection": connection.name, "holds": not found.failed}
    return reply(held | {"walls": found.walls, "excess": found.excess})


async def explain(request: Request) -> Response:
    """POST /v1/policy/explain: which rules match a statement, why, and what would be sent."""
    await holder(request, "admin")
    wanted = await read(request, Explain)
    home = gateway(request)
    now = home.clock.now()
    principal = Principal(
        id=f"service:{wanted.name}", name=wanted.name, kind="service", groups=wanted.groups, scopes=("call",)
    )
    stored = StoredSession(
        id="explain",
        principal=principal,
        key_id="",
        protocol=1,
        client="explain",
        agent="",
        thread_id=None,
        opened_at=now,
        expires_at=now,
    )
    call = CallRequest(
        id="explain", call=SqlCall(connection=wanted.connection, statement=wanted.statement), context=Context()
    )
    assumed = None
    if wanted.estimated_rows is not None or wanted.scanned_rows is not None:
        assumed = Estimate(statement=ANY_STATEMENT, rows=wanted.estimated_rows, scanned=wanted.scanned_rows)
    judged = await home.judge.judge(Live(stored), call, assumed)
    permission = judged.permission
    answer: dict[str, Any] = {
        "decision": permission.decision,
        "actions": judged.actions,
        "tables": judged.tables,
        "facts": judged.facts,
        "refusal": judged.refusal,
        "trace": "" if judged.verdict is None else explain_verdict(judged.verdict, judged.bounds),
        "wants": () if permission.probe is None or judged.verdict is None else judged.verdict.wants,
        "sent": permission.statement or None,
        "obligations": permission.obligations,
    }
    return reply(answer)


async def checkpoint(request: Request) -> Response:
    """GET /v1/checkpoint: the ledger's signed head and the key that signs it."""
    home = gateway(request)
    return reply({"checkpoint": home.store.head(), "key": str(home.log_key.public)})


async def consistency(request: Request) -> Response:
    """GET /v1/ledger/consistency?first=N&second=M: that the ledger only grew."""
    await session(request, "call")
    try:
        first, second = int(request.query_params["first"]), int(request.query_params["second"])
    except (KeyError, ValueError):
        raise ProblemError("invalid_request", "Give ?first=N&second=M.") from None
    proof = await asyncio.to_thread(gateway(request).evidence.consistency, first, second)
    return reply({"first": first, "second": second, "proof": proof})


ROUTES = [
    Route("/v1/keys", guarded(make_key), methods=["POST"]),
    Route("/v1/keys", guarded(list_keys), methods=["GET"]),
    Route("/v1/keys/{id}", guarded(revoke_key), methods=["DELETE"]),
    Route("/v1/connections", guarded(connections), methods=["GET"]),
    Route("/v1/connections/{name}/catalog", guarded(pin_catalog), methods=["PUT"]),
    Route("/v1/connections/{name}/refresh", guarded(refresh), methods=["POST"]),
    Route("/v1/connections/{name}/check", guarded(check), methods=["POST"]),
    Route("/v1/policy/explain", guarded(explain), methods=["POST"]),
    Route("/v1/checkpoint", guarded(checkpoint), methods=["GET"]),
    Route("/v1/ledger/consistency", guarded(consistency), methods=["GET"]),
]
