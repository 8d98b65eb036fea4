"""`langguard login`: sign in with a browser, and keep the session on this machine."""

import base64
import hashlib
import secrets
import threading
import time
import webbrowser
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated, Self
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import typer

from langguard.cli._api import URL_HELP
from langguard.cli._output import plain, show
from langguard.client import logins
from langguard.client import settings as client_settings
from langguard.client.http import Endpoint, Transport
from langguard.client.replies import read
from langguard.errors import LangguardError
from langguard.protocol import SUPPORTED, OpenSession, SessionInfo, SignInCode

Url = Annotated[str | None, typer.Option("--url", help=URL_HELP)]


def login(
    url: Url = None,
    provider: Annotated[str, typer.Option("--provider", help="Where the gateway has several.")] = "",
    manage: Annotated[
        bool,
        typer.Option("--manage", help="A session to look after the gateway, by your groups' roles; no calls."),
    ] = False,
    browser: Annotated[bool, typer.Option(help="Open the browser, or only print the address.")] = True,
    wait: Annotated[int, typer.Option("--wait", min=1, max=600, help="Seconds until it gives up.")] = 300,
) -> None:
    """Sign in with a browser. Clients and commands on this machine then need no LANGGUARD_TOKEN."""
    place = client_settings.address(url)
    endpoint = Endpoint.parse(place, plain_http=client_settings.plain_text_allowed())
    verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    with _Waiting(state) as waiting:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {"port": waiting.port, "state": state, "challenge": challenge}
        asked |= {"provider": provider} if provider else {}
        asked |= {"manage": 1} if manage else {}
        address = f"{place.rstrip('/')}/sign-in?{urlencode(asked)}"
        show(f"Sign in at: {address}")
        if browser:
            webbrowser.open(address)
        code = waiting.code(wait)
    wanted = SignInCode(
        code=code,
        verifier=verifier,
        session=OpenSession(protocols=SUPPORTED, client="langguard login", agent=""),
    )
    transport = Transport(endpoint, timeout=client_settings.DEFAULT_TIMEOUT)
    try:
        reply = transport.exchange("POST", "/v1/sign-in", token="", body=msgspec.json.encode(wanted))
        info = read(reply, SessionInfo, secret=code)
    finally:
        transport.close()
    logins.keep(client_settings.logins_file(), place, info.token, info.expires_at)
    show(f"signed in as {plain(info.principal)}; groups: {plain(', '.join(info.groups)) or '(none)'}")
    show(f"until {time.strftime('%Y-%m-%d %H:%M', time.gmtime(info.expires_at / 1e6))} UTC; langguard logout ends it")


def logout(url: Url = None) -> None:
    """End the session that `langguard login` keeps for a gateway, and forget it."""
    place = client_settings.address(url)
    file = client_settings.logins_file()
    token = logins.find(file, place, time.time_ns() // 1000)
    logins.forget(file, place)
    if not token:
        show("nobody was signed in there")
        return
    endpoint = Endpoint.parse(place, plain_http=client_settings.plain_text_allowed())
    transport = Transport(endpoint, timeout=client_settings.DEFAULT_TIMEOUT)
    try:
        read(transport.exchange("DELETE", "/v1/session", token=token), dict, secret=token)
    finally:
        transport.close()
    show("signed out")


class _Waiting:
    """Waits on the loopback interface for the browser to bring the code."""

    def __init__(self, state: str) -> None:
        waiting = self
        self._state = state
        self._code = ""
        self._came = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                found = parse_qs(urlsplit(self.path).query)
                good = secrets.compare_digest(found.get("state", [""])[0].encode(), state.encode())
                code = found.get("code", [""])[0]
                text = b"You are signed in. You can close this page." if good and code else b"This is not your sign-in."
                self.send_response(200 if good and code else 400)
                for name, value in (
                    ("content-type", "text/plain; charset=utf-8"),
                    ("content-length", str(len(text))),
                    ("cache-control", "no-store"),
                    ("referrer-policy", "no-referrer"),
                ):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)
                if good and code:
                    waiting._code = code
                    waiting._came.set()

            def log_message(self, *_: object) -> None:
                """Say nothing: the code is in the address."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def code(self, seconds: int) -> str:
        """Return the code once the browser brings it.

        Raises:
            LangguardError: It did not come in time.
        """
        if not self._came.wait(seconds):
            msg = f"Nobody signed in within {seconds} s; run it again, with a larger --wait if you need one."
            raise LangguardError(msg)
        return self._code
