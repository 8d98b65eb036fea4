"""What every route does the same way: read a bounded body, know who asks, and turn any failure into a problem."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from langguard.clock import new_id
from langguard.errors import LedgerError, OutcomeUnknownError
from langguard.gateway.identity import tokens
from langguard.gateway.identity.principals import Principal
from langguard.gateway.problems import ProblemError, respond
from langguard.gateway.services.sessions import Live
from langguard.protocol import CallRequest, Catalog, Observation, OutcomeReport, Scope

if TYPE_CHECKING:
    from langguard.gateway.app import Gateway

T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
_BODY_SECONDS = 10.0
_SMALL = 64 * 1024
_LIMITS: dict[type, int] = {
    CallRequest: 8 * 1024 * 1024,
    OutcomeReport: 8 * 1024 * 1024,
    Catalog: 8 * 1024 * 1024,
    Observation: 1024 * 1024,
}
_AT_ONCE = 128 * 1024 * 1024
"""Bytes of large bodies that may be on their way at once; small ones always have room."""
_log = logging.getLogger("langguard.gateway")


def gateway(request: Request) -> "Gateway":
    """Return the gateway this request came to."""
    found: Gateway = request.app.state.gateway
    return found


def guarded(handler: Handler) -> Handler:
    """Wrap a route so that whatever fails in it is answered as a problem, and says nothing of what it held."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except ProblemError as refused:
            return respond(refused.problem_code, refused.detail, refused.missing)
        except OutcomeUnknownError as unknown:
            _log.error("outcome not recorded: %s", unknown)
            return respond("call_unknown", str(unknown))
        except LedgerError as failed:
            _log.error("not recorded: %s", failed)
            return respond("not_recorded", str(failed))
        except Exception as failed:  # noqa: BLE001 - the last line of defence: deny, and keep what it held out of sight
            quote = new_id("err")
            _log.error("%s: %s in %s", quote, type(failed).__name__, request.url.path, exc_info=_debug(failed))
            return respond("internal", f"Quote {quote} to your administrator.")

    return answer


def _debug(failed: Exception) -> Exception | None:
    """Return the exception for a traceback when debugging is on; a traceback can quote what must not be logged."""
    return failed if _log.isEnabledFor(logging.DEBUG) else None


class Incoming:
    """Counts the large bodies that are being read."""

    def __init__(self) -> None:
        self.held = 0


async def read(request: Request, kind: type[T]) -> T:
    """Return the request's body as a wire model.

    Raises:
        ProblemError: It is too large or too slow, no JSON, or has a field that is not known here.
    """
    limit = _LIMITS.get(kind, _SMALL)
    incoming: Incoming = request.app.state.incoming
    body, held = bytearray(), 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise ProblemError("too_large", f"This request may have {limit} bytes.")
                large = max(len(body) - _SMALL, 0)
                incoming.held += large - held
                held = large
                if large and incoming.held > _AT_ONCE:
                    raise ProblemError("overloaded", "Nothing ran; ask again in a second.")
    except TimeoutError:
        raise ProblemError("too_slow", f"A request must arrive within {_BODY_SECONDS:.0f} s.") from None
    finally:
        incoming.held -= held
    try:
        return msgspec.json.decode(bytes(body), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
        raise ProblemError("invalid_request", str(wrong)) from None


def bearer(request: Request) -> str:
    """Return the bearer token.

    Raises:
        ProblemError: There is none, or it is no token of ours.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not tokens.kind_of(token):
        raise ProblemError("not_authenticated", "Send an API key or a session token: Authorization: Bearer ...")
    return token


async def session(request: Request, scope: Scope) -> Live:
    """Return the session a request is made in.

    Raises:
        ProblemError: Its token is no session's, the session has ended, or its scopes do not cover this.
    """
    token = bearer(request)
    if tokens.kind_of(token) != tokens.SESSION:
        raise ProblemError("not_authenticated", "Open a session first: POST /v1/sessions with the API key.")
    live = await gateway(request).sessions.find(token)
    if scope not in live.principal.scopes:
        raise ProblemError("not_allowed", f"This needs the scope {scope}.")
    return live


async def holder(request: Request, *scopes: Scope) -> Principal:
    """Return who holds the request's API key or session, if any of the scopes is theirs.

    Raises:
        ProblemError: Not signed in, or none of the scopes.
    """
    token = bearer(request)
    if tokens.kind_of(token) == tokens.SESSION:
        principal = (await gateway(request).sessions.find(token)).principal
    else:
        principal = (await gateway(request).sessions.principal_of_key(token)).principal
    if not set(scopes) & set(principal.scopes):
        raise ProblemError("not_allowed", f"This needs the scope {' or '.join(scopes)}.")
    return principal
