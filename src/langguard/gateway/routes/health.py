"""Health, readiness, and the OpenAPI document."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from langguard.gateway.problems import reply
from langguard.gateway.routes._common import gateway, guarded
from langguard.gateway.routes.openapi import document


async def healthy(_: Request) -> Response:
    """GET /healthz: the process answers."""
    return reply({"status": "ok"})


async def ready(request: Request) -> Response:
    """GET /readyz: what is in force; a policy file that has an error is told, and the last good version serves."""
    home = gateway(request)
    size = await asyncio.to_thread(home.store.size)
    state = {
        "status": "ok" if not home.policies.drift else "policy file has an error; the last good version is in force",
        "entries": size,
        "policy": home.policies.current.version_id,
        "masking": home.masking_mode,
        "second_reader": home.analysis.second_reader,
        "readers_disagreed": home.analysis.disagreements,
    }
    return reply(state)


async def openapi(_: Request) -> Response:
    """GET /openapi.json: the interface, made from the wire models."""
    return reply(document())


ROUTES = [
    Route("/healthz", guarded(healthy), methods=["GET"]),
    Route("/readyz", guarded(ready), methods=["GET"]),
    Route("/openapi.json", guarded(openapi), methods=["GET"]),
]
