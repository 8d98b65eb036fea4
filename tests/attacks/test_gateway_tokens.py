"""Tokens of an OpenID provider that must not open a session, and the one that does."""

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc.jwk import RSAKey
from tests.support.gateway import GatewayProcess, connection, sqlite_shop
from tests.support.openid import Hostile

from langguard.clock import Clock, SystemClock
from langguard.gateway.identity.oidc import Providers
from langguard.gateway.problems import ProblemError
from langguard.gateway.settings_identity import IdentitySettings, ProviderSettings

OTHER = RSAKey.generate_key(2048, {"kid": "one"})
OPEN = {"protocols": [1], "client": "tests"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Hostile]:
    with Hostile() as held:
        yield held


@pytest.fixture
def ready(provider: Hostile) -> Hostile:
    provider.asked.clear()
    provider.status = 200
    return provider


def providers(held: Hostile, clock: Clock | None = None, **more: Any) -> Providers:
    settings = {"name": "corp", "issuer": held.issuer, "audience": ("langguard",)} | more
    return Providers(IdentitySettings(providers=(ProviderSettings(**settings),)), {}, clock=clock or SystemClock())


async def opened(held: Hostile, token: str, **more: Any) -> Any:
    asked = providers(held, **more)
    try:
        return (await asked.verify(token))[0]
    finally:
        await asked.close()


async def refused(held: Hostile, token: str, **more: Any) -> str:
    with pytest.raises(ProblemError) as error:
        await opened(held, token, **more)
    assert error.value.problem_code in {"token_refused", "provider_unreachable"}
    assert token[:40] not in str(error.value)
    return f"{error.value.problem_code}: {error.value.detail}"


async def test_a_good_token_says_who_and_in_which_groups(ready: Hostile) -> None:
    found = await opened(ready, ready.token(preferred_username="Night shift"))
    assert (found.id, found.name, found.kind, found.groups) == ("corp:wl-7", "Night shift", "service", ("analysts",))
    assert found.scopes == ("call", "observe")


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(held: Hostile, **header: Any) -> str:
    return f"{part({'alg': 'none', 'typ': 'JWT'} | header)}.{part(held.claims())}."


def with_public_key_as_secret(held: Hostile) -> str:
    text = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(held.claims())}"
    signature = hmac.digest(held.rsa.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def with_crit(held: Hostile) -> str:
    text = f"{part({'alg': 'RS256', 'kid': 'one', 'crit': ['b64'], 'b64': True, 'x': 1})}.{part(held.claims())}"
    signature = held.rsa.private_key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def changed(held: Hostile) -> str:
    head, _, signature = held.token().split(".")
    return f"{head}.{part(held.claims(groups=['administrators']))}.{signature}"


def key_in_header(held: Hostile) -> str:
    return held.token(header={"jwk": OTHER.as_dict(private=False), "kid": None}, key=OTHER)


NOW = int(time.time())
HOSTILE: dict[str, Callable[[Hostile], str]] = {
    "no signature": unsigned,
    "None as the algorithm": lambda held: unsigned(held, alg="None"),
    "a public key as a shared secret": with_public_key_as_secret,
    "claims changed after signing": changed,
    "signed by someone else under the same key id": lambda held: held.token(key=OTHER),
    "a key of its own in the header": key_in_header,
    "an address of keys in the header": lambda held: held.token(
        header={"jku": "http://127.0.0.1:1/keys"}, key=OTHER
    ),
    "a header that must be understood": with_crit,
    "an EC key under RS256": lambda held: held.token(header={"kid": "two"}),
    "expired": lambda held: held.token(exp=NOW - 3600),
    "without an end": lambda held: held.token(exp=None),
    "an end that is no number": lambda held: held.token(exp=str(NOW + 300)),
    "an end that is true": lambda held: held.token(exp=True),
    "without a beginning": lambda held: held.token(iat=None),
    "made in the future": lambda held: held.token(iat=NOW + 3600, exp=NOW + 7200),
    "not yet valid": lambda held: held.token(nbf=NOW + 3600),
    "made too long ago": lambda held: held.token(iat=NOW - 200_000, exp=NOW + 300),
    "for someone else": lambda held: held.token(aud="payroll"),
    "for no one": lambda held: held.token(aud=None),
    "an audience that holds ours": lambda held: held.token(aud="langguard-test"),
    "an audience that is no text": lambda held: held.token(aud=[["langguard"]]),
    "of another issuer": lambda held: held.token(iss="https://login.example.com"),
    "of an issuer spelled otherwise": lambda held: held.token(iss=f"{held.issuer}/"),
    "of no issuer": lambda held: held.token(iss=None),
    "of nobody": lambda held: held.token(sub=None),
    "of an empty subject": lambda held: held.token(sub=""),
    "of a subject with a line break": lambda held: held.token(sub="wl-7\nadmin"),
    "a logout token": lambda held: held.token(
        header={"typ": "logout+jwt"}, events={"http://schemas.openid.net/event/backchannel-logout": {}}
    ),
    "a logout token without its type": lambda held: held.token(events={"x": {}}),
    "bound to a key it does not show": lambda held: held.token(cnf={"jkt": "x"}),
    "with groups without end": lambda held: held.token(groups=[f"g{at}" for at in range(501)]),
    "five parts": lambda held: held.token() + ".a.b",
    "no JSON": lambda _: "eyJ!.eyJ!.x",
    "deep JSON": lambda held: f"{part({'alg': 'RS256'})}.{'W1tb' * 4000}.x",
}  # fmt: skip


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_token_opens_nothing(ready: Hostile, make: Callable[[Hostile], str]) -> None:
    await refused(ready, make(ready))


async def test_an_algorithm_that_was_not_chosen_is_refused(ready: Hostile) -> None:
    token = ready.token(header={"alg": "ES256", "kid": "two"}, key=ready.ec)
    assert (await opened(ready, token)).id == "corp:wl-7"
    await refused(ready, token, algorithms=("RS256",))


@pytest.mark.parametrize("found", [None, "yes", "true", 1, ["true"]])
async def test_a_required_claim_is_of_that_very_value(ready: Hostile, found: Any) -> None:
    await refused(ready, ready.token(email_verified=found), require=(("email_verified", True),))
    assert await opened(ready, ready.token(email_verified=True), require=(("email_verified", True),))


@pytest.mark.parametrize(
    ("claims", "path", "groups"),
    [
        ({"groups": "support"}, "groups", ("support",)),
        ({"groups": ["a", 1, None, "", "a"]}, "groups", ("a",)),
        ({"groups": {"a": 1}}, "groups", ()),
        ({"groups": None, "realm_access": {"roles": ["x"]}}, "realm_access.roles", ("x",)),
        ({"https://example.com/groups": ["y"]}, "https://example.com/groups", ("y",)),
        ({"realm_access": "roles"}, "realm_access.roles", ()),
        ({"kubernetes.io": {"namespace": "batch"}}, "kubernetes.io.namespace", ("batch",)),
    ],
)
async def test_groups_are_where_the_settings_say(
    ready: Hostile, claims: dict[str, Any], path: str, groups: tuple[str, ...]
) -> None:
    assert (await opened(ready, ready.token(**claims), groups_claim=path)).groups == groups


async def test_a_prefix_keeps_two_providers_groups_apart(ready: Hostile) -> None:
    assert (await opened(ready, ready.token(), groups_prefix="corp/")).groups == ("corp/analysts",)


async def test_a_rotated_key_is_found_and_a_removed_one_no_longer_counts(ready: Hostile) -> None:
    class Later(SystemClock):
        ahead = 0

        def ticks(self) -> int:
            return super().ticks() + self.ahead

    clock = Later()
    asked = providers(ready, clock=clock)
    before = ready.published
    fresh = RSAKey.generate_key(2048, {"kid": "three", "use": "sig"})
    try:
        await asked.verify(ready.token())
        ready.published = {"keys": [fresh.as_dict(private=False)]}
        with pytest.raises(ProblemError):  # it was looked at just now
            await asked.verify(ready.token(header={"kid": "three"}, key=fresh))
        clock.ahead = 11_000_000
        assert await asked.verify(ready.token(header={"kid": "three"}, key=fresh))
        clock.ahead = 30_000_000
        with pytest.raises(ProblemError):
            await asked.verify(ready.token())
    finally:
        ready.published = before
        await asked.close()


async def test_unknown_keys_do_not_make_us_ask_without_end(ready: Hostile) -> None:
    asked = providers(ready)
    try:
        for at in range(20):
            with pytest.raises(ProblemError):
                await asked.verify(ready.token(header={"kid": f"k{at}"}, key=OTHER))
    finally:
        await asked.close()
    assert len(ready.asked) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://login.example.com"},
        {"jwks_uri": "http://login.example.com/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
    ],
)
async def test_a_configuration_that_is_not_the_providers_is_refused(ready: Hostile, wrong: dict[str, Any]) -> None:
    before = ready.configuration
    ready.configuration = before | wrong
    try:
        assert "provider_unreachable" in await refused(ready, ready.token())
    finally:
        ready.configuration = before


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_provider_that_fails_opens_nothing(ready: Hostile, status: int) -> None:
    ready.status = status
    assert "provider_unreachable" in await refused(ready, ready.token())


@pytest.mark.parametrize("published", [{}, {"keys": []}, {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "one"}]}])
async def test_a_provider_without_public_keys_opens_nothing(ready: Hostile, published: dict[str, Any]) -> None:
    before = ready.published
    ready.published = published
    try:
        assert "provider_unreachable" in await refused(ready, ready.token())
    finally:
        ready.published = before


async def test_one_odd_key_does_not_hide_the_others(ready: Hostile) -> None:
    before = ready.published
    ready.published = {"keys": [{"kty": "EC", "crv": "odd", "kid": "x"}, {"kty": "OKP"}, *before["keys"]]}
    try:
        assert await opened(ready, ready.token())
    finally:
        ready.published = before


def test_no_token_opens_a_session_at_a_gateway_without_providers(tmp_path: Path, ready: Hostile) -> None:
    shop = sqlite_shop(tmp_path / "shop.db")
    with GatewayProcess(tmp_path, connection("shop", "sqlite", credential=f"{{value: {shop}}}")) as gateway:
        answer = gateway.ask("POST", "/v1/sessions", OPEN, ready.token())
    assert (answer.status, answer.code) == (401, "not_authenticated")


def test_a_token_opens_a_session_that_can_call_and_nothing_else(tmp_path: Path, ready: Hostile) -> None:
    shop = sqlite_shop(tmp_path / "shop.db")
    gateway = GatewayProcess(tmp_path, connection("shop", "sqlite", credential=f"{{value: {shop}}}"))
    identity = f"identity: {{providers: [{{name: corp, issuer: '{ready.issuer}', audience: langguard}}]}}\n"
    gateway.config.write_text(gateway.config.read_text() + identity)
    with gateway:
        token = ready.token()
        session = gateway.session(token)
        assert session["principal"] == "wl-7"
        counted = gateway.sql(session["token"], "SELECT COUNT(*) AS n FROM orders", call="c1")
        assert counted.body["result"]["rows"] == [[3]]
        for method, path in (("GET", "/v1/keys"), ("GET", "/v1/sessions"), ("POST", "/v1/keys")):
            assert gateway.ask(method, path, None, session["token"]).status == 403
            assert gateway.ask(method, path, None, token).status == 401
        hostile = gateway.ask("POST", "/v1/sessions", OPEN, ready.token(aud="payroll"))
        assert (hostile.status, hostile.code) == (401, "token_refused")
        [first, *_] = gateway.timeline(session["id"])
        assert gateway.ask("DELETE", f"/v1/sessions/{session['id']}").status == 200
        ended = gateway.sql(session["token"], "SELECT 1 AS one", call="c2")
        assert (ended.status, ended.code) == (401, "session_ended")
        gateway.end()
        gateway.start()  # the record says how each session was opened, so the start has nothing to object to
        assert gateway.ask("GET", "/readyz").status == 200
    assert "corp" in json.dumps(first)
    assert token not in gateway.log.read_text()
