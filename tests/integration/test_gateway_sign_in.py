"""People who sign in through a real OpenID provider, from the command line that they start to the session they get."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from tests.support.gateway import GatewayProcess, connection, sqlite_shop
from tests.support.openid import Certified, installed

from langguard.gateway.identity.oidc import challenge

pytestmark = pytest.mark.skipif(bool(installed()), reason=installed())
WORDS = "state=ssssssssssssssss&challenge=cccccccccccccccc"
VERIFIER, STATE = "v" * 43, "s" * 32


class Place:
    """A gateway and its provider."""

    def __init__(self, gateway: GatewayProcess, provider: Certified) -> None:
        self.gateway = gateway
        self.provider = provider

    def address(self, *, port: int = 40_001, more: str = "") -> str:
        return f"{self.gateway.url}/sign-in?port={port}&state={STATE}&challenge={challenge(VERIFIER)}{more}"

    def code(self, person: str = "agneta", more: str = "") -> str:
        found = self.provider.sign_in(self.address(more=more), person)
        told = parse_qs(urlsplit(found).query)
        assert told["state"] == [STATE]
        return told["code"][0]

    def finish(self, code: str, verifier: str = VERIFIER) -> Any:
        body = {"code": code, "verifier": verifier, "session": {"protocols": [1], "client": "tests"}}
        return self.gateway.ask("POST", "/v1/sign-in", body, "")

    def command(self, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "langguard", *words], env=self.environment(home), capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip

    def environment(self, home: Path) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANGGUARD_URL": self.gateway.url, "PYTHONUNBUFFERED": "1"}

    def login(self, home: Path, person: str, *words: str) -> str:
        """Run `langguard login` and do in the browser what it says; return what it said."""
        running = subprocess.Popen(
            [sys.executable, "-m", "langguard", "login", "--no-browser", "--wait", "30", *words],
            env=self.environment(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert running.stdout is not None
        first = running.stdout.readline()
        address = re.search(r"http://\S+", first)
        assert address is not None, first + running.stdout.read()
        back = self.provider.sign_in(address[0], person)
        assert "signed in" in httpx2.get(back).text
        said = first + running.stdout.read()
        running.wait(30)
        running.stdout.close()
        return said


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("sign-in")
    shop = sqlite_shop(folder / "shop.db")
    gateway = GatewayProcess(
        folder,
        connection("shop", "sqlite", credential=f"{{value: {shop}}}"),
        env={"LANGGUARD_CLIENT_SECRET": "for-tests-only"},
    )
    with Certified(f"{gateway.url}/sign-in/back") as provider:
        text = gateway.config.read_text().replace("group: analysts", "group: support")
        gateway.config.write_text(
            f"{text}identity:\n"
            f"  public_url: {gateway.url}\n"
            f"  roles: {{admin: [platform], respond: [platform]}}\n"
            f"  providers:\n"
            f"  - {{name: corp, issuer: '{provider.issuer}', client_id: langguard-gateway,\n"
            f"     client_secret: {{env: LANGGUARD_CLIENT_SECRET}}}}\n"
        )
        with gateway:
            yield Place(gateway, provider)


def test_a_person_signs_in_and_their_agent_needs_nothing_else(place: Place, tmp_path: Path) -> None:
    said = place.login(tmp_path, "agneta")
    assert "signed in as Agneta; groups: support" in said
    kept = tmp_path / ".config/langguard/logins.json"
    assert kept.stat().st_mode & 0o077 == 0
    token = json.loads(kept.read_text())[place.gateway.url]["token"]
    assert token not in said
    code = (
        "from langguard import GuardedSQLDatabase as D\n"
        "print(D.from_gateway('shop').run('SELECT COUNT(*) FROM orders'))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], env=place.environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "[(3,)]", ran.stderr
    assert "signed out" in place.command(tmp_path, "logout").stdout
    assert place.gateway.sql(token, "SELECT 1 AS one", call="c9").code == "session_ended"
    assert "langguard login" in place.command(tmp_path, "session", "list").stderr


def test_a_call_session_manages_nothing_and_a_managing_one_makes_no_calls(place: Place, tmp_path: Path) -> None:
    agent = place.finish(place.code("bertil")).body["token"]
    assert place.gateway.ask("GET", "/v1/keys", None, agent).status == 403
    managing = place.finish(place.code("bertil", "&manage=1")).body
    assert place.gateway.ask("GET", "/v1/keys", None, managing["token"]).status == 200
    assert place.gateway.sql(managing["token"], "SELECT 1 AS one", call="c1").status == 403
    assert not managing.get("mask_key")
    place.login(tmp_path, "bertil", "--manage")
    assert place.command(tmp_path, "key", "create", "nightly", "--group", "support").returncode == 0


def test_a_managing_session_that_ended_makes_no_key(place: Place) -> None:
    managing = place.finish(place.code("bertil", "&manage=1")).body
    assert place.gateway.ask("DELETE", "/v1/session", None, managing["token"]).status == 200
    made = place.gateway.ask("POST", "/v1/keys", {"name": "x"}, managing["token"])
    assert (made.status, made.code) == (401, "session_ended")


def test_no_role_no_managing(place: Place) -> None:
    told = place.provider.sign_in(place.address(more="&manage=1"), "agneta")
    assert "None of your groups has a role" in told


def test_a_code_opens_one_session(place: Place) -> None:
    code = place.code()
    assert place.finish(code).status == 201
    again = place.finish(code)
    assert (again.status, again.code) == (401, "session_ended")


@pytest.mark.parametrize("verifier", ["w" * 43, "", VERIFIER + "v"])
def test_a_code_is_for_who_asked_for_it(place: Place, verifier: str) -> None:
    refused = place.finish(place.code(), verifier)
    assert (refused.status, refused.code) == (401, "token_refused")


@pytest.mark.parametrize("code", ["", "x", "QUFB", "A" * 5000])
def test_a_made_up_code_opens_nothing(place: Place, code: str) -> None:
    assert place.finish(code).code == "token_refused"


def test_a_changed_code_opens_nothing(place: Place) -> None:
    code = place.code()
    at = len(code) // 2
    assert place.finish(code[:at] + ("A" if code[at] != "A" else "B") + code[at + 1 :]).code == "token_refused"


def test_an_answer_of_the_provider_counts_only_in_the_browser_that_asked(place: Place) -> None:
    back = place.provider.sign_in(place.address(), "agneta", stop_at="/sign-in/back?")
    for cookies in ({}, {"langguard_sign_in": "QUFB"}):
        page = httpx2.get(back, cookies=cookies, follow_redirects=False)
        assert (page.status_code, "not begun in this browser" in page.text) == (400, True)


def test_a_browsers_cookie_is_no_code_and_a_code_no_cookie(place: Place) -> None:
    begun = httpx2.get(place.address(), follow_redirects=False)
    assert place.finish(begun.cookies["langguard_sign_in"]).code == "token_refused"
    code = place.code()
    page = httpx2.get(f"{place.gateway.url}/sign-in/back?code=x&state=y", cookies={"langguard_sign_in": code})
    assert page.status_code == 400


def test_another_providers_answer_is_refused(place: Place) -> None:
    begun = httpx2.get(place.address(), follow_redirects=False)
    state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
    page = httpx2.get(
        f"{place.gateway.url}/sign-in/back?code=x&state={state}&iss=https://login.example.com", cookies=begun.cookies
    )
    assert (page.status_code, "another provider" in page.text) == (400, True)


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"port=80&{WORDS}",
        f"port=99999&{WORDS}",
        "port=40001&state=short&challenge=cccccccccccccccc",
        "port=40001&state=ssssssssssssssss&challenge=%3Cscript%3Ealert(1)%3C/script%3E",
        f"port=40001%40evil.example&{WORDS}",
    ],
)
def test_a_browser_is_sent_nowhere_without_a_command_line_that_waits(place: Place, query: str) -> None:
    page = httpx2.get(f"{place.gateway.url}/sign-in?{query}", follow_redirects=False)
    assert page.status_code == 400
    assert "script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_cookie_is_kept_from_scripts_and_the_record_has_no_secret(place: Place) -> None:
    begun = httpx2.get(place.address(), follow_redirects=False)
    cookie = begun.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    code = place.code()
    session = place.finish(code).body
    log = place.gateway.log.read_text()
    for secret in (code, session["token"], "for-tests-only", VERIFIER):
        assert secret not in log
    timeline = json.dumps(place.gateway.timeline(session["id"]))
    assert "corp" in timeline
    assert session["token"] not in timeline
