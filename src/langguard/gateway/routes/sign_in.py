"""People signing in with a browser: to the provider, back, and on to the command line that waits on their machine."""

import html
import logging
import re
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from langguard.gateway.problems import ProblemError, reply
from langguard.gateway.routes._common import gateway, guarded, read
from langguard.gateway.routes.sessions import described, opened
from langguard.protocol import SignInCode

_COOKIE: Final = "langguard_sign_in"
_WORD: Final = re.compile(r"[A-Za-z0-9_-]{16,200}", re.ASCII)
_LARGEST_PORT: Final = 65_535
_LEAST_PORT: Final = 1024
_COOKIE_SECONDS: Final = 600
_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_log = logging.getLogger("langguard.gateway")


def _page(title: str, *lines: str, status: int = 200) -> Response:
    """Return a bare page; the lines are HTML, the title is text."""
    body = "".join(f"<p>{line}</p>" for line in lines)
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)} - langguard</title>'
        f"<main><h1>{html.escape(title)}</h1>{body}</main></html>"
    )
    return HTMLResponse(text, status, headers=_HEADERS)


def _failed(problem: ProblemError) -> Response:
    told = problem.detail or str(problem)
    return _page("You are not signed in", html.escape(told), "Close this page and start again.", status=400)


async def begin(request: Request) -> Response:
    """GET /sign-in: choose a provider where there are several, and go there."""
    asked = request.query_params
    home = gateway(request).sign_ins
    port = int(asked["port"]) if re.fullmatch(r"[0-9]{1,5}", asked.get("port", ""), re.ASCII) else 0
    words = [asked.get("state", ""), asked.get("challenge", "")]
    if not _LEAST_PORT <= port <= _LARGEST_PORT or not all(_WORD.fullmatch(word) for word in words):
        return _page(
            "Sign in from the command line", "Run <code>langguard login</code>; it opens this page.", status=400
        )
    if not home.names:
        return _page("Nobody can sign in here", "No provider in this gateway's file has a client_id.", status=404)
    chosen = asked.get("provider", home.names[0] if len(home.names) == 1 else "")
    if chosen not in home.names:
        links = [
            f'<a href="?{html.escape(urlencode({**asked, "provider": name}))}">Sign in with {html.escape(name)}</a>'
            for name in home.names
        ]
        return _page("Sign in", *links)
    try:
        address, cookie = await home.begin(
            chosen, port=port, port_state=words[0], challenge=words[1], manage=asked.get("manage") == "1"
        )
    except ProblemError as problem:
        return _failed(problem)
    answer = RedirectResponse(address, 303, headers=_HEADERS)
    # `lax`: the provider sends the browser back with a plain link, and the cookie must come along then.
    answer.set_cookie(
        _COOKIE, cookie, max_age=_COOKIE_SECONDS, path="/sign-in", secure=home.secure, httponly=True, samesite="lax"
    )
    return answer


async def back(request: Request) -> Response:
    """GET /sign-in/back: the provider's answer; on to the command line with a code that opens a session once."""
    asked = request.query_params
    if "error" in asked:
        return _failed(ProblemError("token_refused", f"The provider refused: {asked['error'][:60]}."))
    try:
        begun, code = await gateway(request).sign_ins.came_back(
            request.cookies.get(_COOKIE, ""),
            state=asked.get("state", ""),
            code=asked.get("code", ""),
            issuer=asked.get("iss"),
        )
    except ProblemError as problem:
        _log.warning("a sign-in failed: %s", problem.problem_code)
        answer = _failed(problem)
    else:
        told = urlencode({"state": begun.port_state, "code": code})
        answer = RedirectResponse(f"http://127.0.0.1:{begun.port}/?{told}", 303, headers=_HEADERS)
    answer.delete_cookie(_COOKIE, path="/sign-in", httponly=True, samesite="lax")
    return answer


async def finish(request: Request) -> Response:
    """POST /v1/sign-in: the session of someone who signed in."""
    wanted = await read(request, SignInCode)
    by = gateway(request).sign_ins.finish(wanted.code, wanted.verifier)
    live, token = await opened(request, by, wanted.session)
    return reply(described(request, live, token), 201)


ROUTES = [
    Route("/sign-in", guarded(begin), methods=["GET"]),
    Route("/sign-in/back", guarded(back), methods=["GET"]),
    Route("/v1/sign-in", guarded(finish), methods=["POST"]),
]
