"""Sessions: open, look at one's own, list, read one as a timeline, export, end."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from langguard.errors import VerificationError
from langguard.gateway.identity import tokens
from langguard.gateway.identity.oidc import is_jwt
from langguard.gateway.identity.principals import Principal
from langguard.gateway.problems import ProblemError, reply
from langguard.gateway.routes._common import bearer, gateway, guarded, holder, read, session
from langguard.gateway.services.sessions import Credential, Live
from langguard.protocol import SUPPORTED, OpenSession, SessionInfo

_LIST = 1000


def described(request: Request, live: Live, token: str = "") -> SessionInfo:
    """Return a session as its holder sees it; its token only in the reply that opens it."""
    home = gateway(request)
    usable = home.judge.usable(live)
    by_agent = any(connection.settings.custody == "agent" for connection in usable)
    return SessionInfo(
        id=live.id,
        protocol=live.stored.protocol,
        principal=live.principal.name,
        groups=live.principal.groups,
        connections=tuple(connection.info() for connection in usable),
        expires_at=live.stored.expires_at,
        ledger_key=str(home.log_key.public),
        checkpoint=home.store.head(),
        token=token,
        mask_key=home.keys.mask_key(f"session {live.id}").hex() if by_agent and "call" in live.principal.scopes else "",
    )


async def _credential(request: Request) -> Credential:
    """Return what a session is to be opened with.

    Raises:
        ProblemError: There is no credential, or it does not count here.
    """
    home = gateway(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and home.providers.of_tokens and is_jwt(token):
        principal, provider = await home.providers.verify(token)
        return Credential(principal=principal, until=home.clock.now() + provider.session_ttl_us, provider=provider.name)
    token = bearer(request)
    if tokens.kind_of(token) != tokens.API_KEY:
        raise ProblemError("not_authenticated", "A session is opened with an API key (lgk_...).")
    key = await home.sessions.principal_of_key(token)
    return Credential.of_key(key, token)


async def open_one(request: Request) -> Response:
    """POST /v1/sessions: open a session with an API key, or with a token of one of the OpenID providers."""
    by = await _credential(request)
    if "call" not in by.principal.scopes:
        raise ProblemError("not_allowed", "This key's scopes do not cover calls.")
    live, secret = await opened(request, by, await read(request, OpenSession))
    return reply(described(request, live, secret), 201)


async def opened(request: Request, by: Credential, wanted: OpenSession) -> tuple[Live, str]:
    """Open a session in the newest protocol both sides speak; return it and its token.

    Raises:
        ProblemError: There is no such protocol, or the credential no longer counts.
    """
    common = [version for version in wanted.protocols if version in SUPPORTED]
    if not common:
        raise ProblemError(
            "protocol_mismatch",
            f"This gateway speaks protocol {', '.join(map(str, SUPPORTED))} and the client "
            f"{', '.join(map(str, wanted.protocols)) or 'none'}; upgrade the older one.",
        )
    return await gateway(request).sessions.open(
        by,
        protocol=max(common),
        client=wanted.client[:100],
        agent=wanted.agent[:100],
        thread_id=wanted.thread_id,
    )


async def own(request: Request) -> Response:
    """GET /v1/session: the session whose token is used."""
    return reply(described(request, await session(request, "call")))


async def end_own(request: Request) -> Response:
    """DELETE /v1/session: end the session whose token is used, whatever it may do."""
    token = bearer(request)
    if tokens.kind_of(token) != tokens.SESSION:
        raise ProblemError("not_authenticated", "This ends the session whose token is sent.")
    live = await gateway(request).sessions.find(token)
    stored = await gateway(request).sessions.end(live.id, by=live.principal.id, why=f"ended by {live.principal.name}")
    return reply(stored)


async def _reader(request: Request, session_id: str) -> Principal:
    """Return who reads a session: its own holder, a responder or an administrator."""
    token = bearer(request)
    if tokens.kind_of(token) == tokens.SESSION:
        live = await gateway(request).sessions.find(token)
        if live.id == session_id:
            return live.principal
    return await holder(request, "respond", "admin")


async def list_all(request: Request) -> Response:
    """GET /v1/sessions: sessions, newest first."""
    await holder(request, "respond", "admin")
    held = await asyncio.to_thread(gateway(request).sessions.list, limit=_LIST)
    return reply({"sessions": held})


async def show(request: Request) -> Response:
    """GET /v1/sessions/{id}: a session with its timeline, every text opened; that it was read is recorded first."""
    session_id = request.path_params["id"]
    reader = await _reader(request, session_id)
    home = gateway(request)
    stored = await home.sessions.stored(session_id)
    if stored is None:
        raise ProblemError("not_found", "There is no such session.")
    await home.evidence.note_read(reader, session_id, "timeline")
    timeline = await asyncio.to_thread(home.evidence.timeline, session_id)
    return reply({"session": stored, "timeline": timeline})


async def export(request: Request) -> Response:
    """GET /v1/sessions/{id}/export: JSON lines that verify without the gateway."""
    session_id = request.path_params["id"]
    reader = await _reader(request, session_id)
    home = gateway(request)
    if await home.sessions.stored(session_id) is None:
        raise ProblemError("not_found", "There is no such session.")
    await home.evidence.note_read(reader, session_id, "export")
    earlier = request.query_params.get("earlier")
    try:
        lines = await asyncio.to_thread(lambda: list(home.evidence.export(session_id, earlier=earlier)))
    except VerificationError:
        raise ProblemError("invalid_request", "`earlier` is no checkpoint that this ledger signed.") from None
    return StreamingResponse(iter(lines), media_type="application/jsonl", headers={"cache-control": "no-store"})


async def end(request: Request) -> Response:
    """DELETE /v1/sessions/{id}: end a session at once, running statements included."""
    session_id = request.path_params["id"]
    reader = await _reader(request, session_id)
    stored = await gateway(request).sessions.end(session_id, by=reader.id, why=f"ended by {reader.name}")
    return reply(stored)


ROUTES = [
    Route("/v1/sessions", guarded(open_one), methods=["POST"]),
    Route("/v1/sessions", guarded(list_all), methods=["GET"]),
    Route("/v1/session", guarded(own), methods=["GET"]),
    Route("/v1/session", guarded(end_own), methods=["DELETE"]),
    Route("/v1/sessions/{id}", guarded(show), methods=["GET"]),
    Route("/v1/sessions/{id}", guarded(end), methods=["DELETE"]),
    Route("/v1/sessions/{id}/export", guarded(export), methods=["GET"]),
]
