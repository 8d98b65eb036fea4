"""OpenID providers for the tests: the certified one from npm, and one that signs whatever it is told to."""

import contextlib
import html
import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from tests.support.gateway import free_port

FOLDER = Path(__file__).parent


def installed() -> str:
    """Return why the provider from npm can't run here, or nothing."""
    if shutil.which("node") is None:
        return "there is no node here"
    if not (FOLDER / "node_modules" / "oidc-provider").is_dir():
        return f"run: npm ci --prefix {FOLDER}"
    return ""


class Certified:
    """The provider from npm, as a process."""

    def __init__(self, back: str = "") -> None:
        """Take where the gateway takes people back to, if anyone is to sign in."""
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._back = back

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            ["node", "server.mjs", str(self.port), *([self._back] if self._back else [])],
            cwd=FOLDER,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        assert "listening" in self.process.stdout.readline()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def sign_in(self, address: str, person: str, *, stop_at: str = "/?state=") -> str:
        """Do what a person does in a browser: follow an address, sign in, consent; return where that leads.

        Args:
            address: Where to begin.
            person: Who signs in.
            stop_at: Part of the address that is returned instead of followed.
        """
        with httpx2.Client(follow_redirects=False) as browser:
            for _ in range(20):
                if stop_at in address:
                    return address
                page = browser.get(address)
                while page.is_redirect is False:
                    form = re.search(r'<form[^>]*action="([^"]+)"', page.text)
                    if form is None:
                        return page.text
                    prompt = re.search(r'name="prompt" value="([a-z]+)"', page.text)
                    fields = {"prompt": prompt[1] if prompt else "login", "login": person, "password": "any"}
                    page = browser.post(str(page.url.join(html.unescape(form[1]))), data=fields)
                address = str(page.url.join(page.headers["location"]))
        raise AssertionError(address)

    def token(self, audience: str = "langguard") -> str:
        """Return an access token of the workload `nightly-report`, from the client credentials grant."""
        form = {
            "grant_type": "client_credentials",
            "client_id": "nightly-report",
            "client_secret": "not-a-secret-here",
            "resource": f"urn:{audience}",
        }
        with urlopen(Request(f"{self.issuer}/token", urlencode(form).encode())) as reply:
            return str(json.load(reply)["access_token"])


class Hostile:
    """A provider whose keys and tokens are whatever a test wants; a real HTTP server."""

    def __init__(self) -> None:
        self.rsa = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.ec = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})
        self.published: dict[str, Any] = KeySet([self.rsa, self.ec]).as_dict(private=False)
        self.configuration: dict[str, Any] = {}
        self.asked: list[str] = []
        self.status = 200

    def __enter__(self) -> Self:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                body = json.dumps(
                    provider.configuration if self.path.endswith("openid-configuration") else provider.published
                ).encode()
                self.send_response(provider.status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.configuration = {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def claims(self, **more: Any) -> dict[str, Any]:
        """Return good claims, changed; None leaves one out."""
        now = int(time.time())
        good = {
            "iss": self.issuer,
            "aud": "langguard",
            "sub": "wl-7",
            "iat": now,
            "exp": now + 300,
            "groups": ["analysts"],
        }
        return {name: value for name, value in (good | more).items() if value is not None}

    def token(self, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        """Return a token signed with a key, the RSA one unless another is given."""
        held = {"alg": "RS256", "kid": "one"} | (header or {})
        algorithms = [held["alg"]]
        return jwt.encode(
            {name: value for name, value in held.items() if value is not None},
            self.claims(**claims),
            key or self.rsa,
            algorithms=algorithms,
        )


@contextlib.contextmanager
def certified() -> Iterator[Certified]:
    """Run the provider from npm."""
    with Certified() as provider:
        yield provider
