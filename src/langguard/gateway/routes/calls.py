"""Calls: ask, report an outcome, look one up, observe."""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from langguard.gateway.problems import ProblemError, reply
from langguard.gateway.routes._common import gateway, guarded, read, session
from langguard.gateway.services.recorder import Draft
from langguard.protocol import CallRequest, Observation, OutcomeReport

_LONGEST_ID = 64


def _call_id(value: str) -> str:
    if (
        not 1 <= len(value) <= _LONGEST_ID
        or not value.replace("_", "").replace("-", "").isalnum()
        or not value.isascii()
    ):
        raise ProblemError("invalid_request", "A call id is 1 to 64 letters, digits, - and _.")
    return value


async def ask(request: Request) -> Response:
    """POST /v1/calls: judge one call, and in custody `gateway` run it."""
    live = await session(request, "call")
    wanted = await read(request, CallRequest)
    _call_id(wanted.id)
    return reply(await gateway(request).calls.call(live, wanted))


async def report(request: Request) -> Response:
    """POST /v1/calls/{id}/outcome: custody `agent` reports before it releases rows."""
    live = await session(request, "call")
    outcome = await read(request, OutcomeReport)
    return reply(await gateway(request).calls.report(live, _call_id(request.path_params["id"]), outcome))


async def find(request: Request) -> Response:
    """GET /v1/calls/{id}: the stored answer, after a reply was lost."""
    live = await session(request, "call")
    return reply(await gateway(request).calls.find(live, _call_id(request.path_params["id"])))


async def observe(request: Request) -> Response:
    """POST /v1/observations: record the agent's final answer."""
    live = await session(request, "observe")
    seen = await read(request, Observation)
    draft = Draft(
        kind="observation",
        session=live.id,
        by=live.principal.id,
        source="reported",
        data={"kind": seen.kind},
        texts={"text": seen.text, "context": json.dumps({"root_run": seen.root_run_id, "thread": seen.thread_id})},
    )
    recorded = await gateway(request).recorder.record([draft], expects=(gateway(request).sessions.still_open(live),))
    return reply(recorded.receipts[0], 201)


ROUTES = [
    Route("/v1/calls", guarded(ask), methods=["POST"]),
    Route("/v1/calls/{id}", guarded(find), methods=["GET"]),
    Route("/v1/calls/{id}/outcome", guarded(report), methods=["POST"]),
    Route("/v1/observations", guarded(observe), methods=["POST"]),
]
