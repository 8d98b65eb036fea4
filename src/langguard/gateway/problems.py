"""Refusals of the HTTP interface itself, as RFC 9457 problems with a stable code each."""

from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from langguard.errors import LangguardError
from langguard.protocol import Problem

DOCS = "urn:langguard:problem:"

CODES: dict[str, tuple[int, str]] = {
    "not_authenticated": (401, "A bearer token is needed"),
    "session_ended": (401, "The token is unknown, expired or revoked"),
    "token_refused": (401, "The provider's token does not open a session"),
    "not_allowed": (403, "The token's scopes do not cover this"),
    "not_found": (404, "There is no such thing, or it is not yours to see"),
    "method_not_allowed": (405, "The method is not allowed here"),
    "call_id_reused": (409, "The call id was used for another call"),
    "call_in_flight": (409, "The call is still running"),
    "call_unknown": (409, "Whether the call ran is not known"),
    "unknown_bodies": (409, "Texts referred to by digest have not been sent"),
    "not_reportable": (409, "The call is not waiting for an outcome"),
    "too_slow": (408, "The request did not arrive in time"),
    "too_large": (413, "The request is too large"),
    "invalid_request": (400, "The request does not fit the interface"),
    "protocol_mismatch": (426, "No common protocol version"),
    "conflict": (409, "The state has changed meanwhile"),
    "provider_unreachable": (503, "The sign-in provider can't be asked"),
    "not_recorded": (503, "The ledger could not record, so nothing ran"),
    "overloaded": (503, "Too many calls at once"),
    "internal": (500, "Something failed; nothing was released"),
}


class ProblemError(LangguardError):
    """A request that is refused before or beside any decision.

    Attributes:
        problem_code: One of `CODES`.
        missing: Digests, for `unknown_bodies`.
    """

    def __init__(self, problem_code: str, detail: str = "", *, missing: tuple[str, ...] = ()) -> None:
        super().__init__(detail or CODES[problem_code][1])
        self.problem_code = problem_code
        self.detail = detail
        self.missing = missing


def respond(code: str, detail: str = "", missing: tuple[str, ...] = ()) -> Response:
    """Return the problem as a response."""
    status, title = CODES[code]
    problem = Problem(type=f"{DOCS}{code}", title=title, status=status, code=code, detail=detail, missing=missing)
    headers = {"www-authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    if code == "overloaded":
        headers["retry-after"] = "1"
    if code in {"too_large", "too_slow"}:
        headers["connection"] = "close"  # what is left of the request is not waited for
    return Response(msgspec.json.encode(problem), status, headers, media_type="application/problem+json")


def reply(model: Any, status: int = 200) -> Response:
    """Return a wire model as JSON that no cache keeps."""
    return Response(msgspec.json.encode(model), status, {"cache-control": "no-store"}, media_type="application/json")
