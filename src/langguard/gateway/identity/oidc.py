"""OpenID providers: whether a token was signed by one of them, for us and now, and whom it speaks for.

A token is checked once, when it opens a session; after that the session's own token counts, which ends at once when
the session is ended.
"""

import base64
import binascii
import hashlib
import hmac
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from langguard.clock import Clock
from langguard.gateway.identity.key_sets import KeySource
from langguard.gateway.identity.principals import Principal
from langguard.gateway.problems import ProblemError
from langguard.gateway.settings_identity import DAY, MINUTE, IdentitySettings, ProviderSettings
from langguard.policy import names
from langguard.secrets import Secret, resolve

_LONGEST: Final = 16_384
_MOST_GROUPS: Final = 500
_TYPES: Final = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
"""What the header `typ` may say. A logout or DPoP token is signed by the same keys and means something else."""


class Providers:
    """The configured providers: those whose tokens open sessions, and those that people sign in at."""

    def __init__(self, settings: IdentitySettings, environ: Mapping[str, str], *, clock: Clock) -> None:
        """Make the providers; none is asked yet.

        Raises:
            ConfigError: A key file, certificate file or client secret can't be used.
        """
        self._held: dict[str, Provider] = {}
        self.people: dict[str, SignIn] = {}
        for item in settings.providers:
            source = KeySource(item, clock=clock)
            if item.audience:
                self._held[item.issuer] = Provider(item, source, clock=clock)
            if item.client_id:
                secret = None if item.client_secret is None else resolve(item.client_secret, environ)
                self.people[item.name] = SignIn(item, source, secret, clock=clock)

    @property
    def of_tokens(self) -> bool:
        """Whether any provider's tokens open sessions."""
        return bool(self._held)

    async def verify(self, token: str) -> tuple[Principal, ProviderSettings]:
        """Return whom a token speaks for, and the provider that says so.

        Raises:
            ProblemError: It is not one that counts here, or its provider's keys can't be had.
        """
        issuer = _unverified(token).get("iss")
        provider = self._held.get(issuer) if isinstance(issuer, str) else None
        if provider is None:
            raise _refused("Its issuer is not one of this gateway's providers.")
        return await provider.verify(token), provider.settings

    async def close(self) -> None:
        """Close the connections to the providers."""
        for source in [item.keys for item in self._held.values()] + [item.keys for item in self.people.values()]:
            await source.close()


class Provider:
    """One provider: its keys and its rules."""

    def __init__(self, settings: ProviderSettings, keys: KeySource, *, clock: Clock) -> None:
        self.settings = settings
        self.keys = keys
        self._clock = clock

    async def verify(self, token: str, *, nonce: str = "") -> Principal:
        """Return whom a token speaks for.

        Args:
            token: The token.
            nonce: What it must have been asked for with; empty for a token that was not asked for here.

        Raises:
            ProblemError: Its signature, issuer, audience or times are not right, or the keys can't be had.
        """
        header = _part(token, 0)
        if str(header.get("alg", "")) not in self.settings.algorithms:
            raise _refused("It is not signed in a way that is accepted here.")
        if str(header.get("typ", "")).lower() not in _TYPES:
            raise _refused("It is a token of another kind.")
        kid = header.get("kid")
        claims = self._claims(token, await self.keys.find(kid if isinstance(kid, str) else None))
        self._check(claims)
        if nonce and not (isinstance(claims.get("nonce"), str) and hmac.compare_digest(claims["nonce"], nonce)):
            raise _refused("It was not asked for by this sign-in.")
        return self._principal(claims)

    def _claims(self, token: str, keys: KeySet) -> dict[str, Any]:
        try:
            found = jwt.decode(token, keys, algorithms=list(self.settings.algorithms)).claims
        except (JoseError, ValueError, TypeError, KeyError):
            raise _refused("Its signature is not its provider's.") from None
        return dict(found)

    def _check(self, claims: dict[str, Any]) -> None:
        """Check everything a signature does not say. Raises ProblemError."""
        held = self.settings
        now = self._clock.now() / 1_000_000
        skew = held.clock_skew_us / 1_000_000
        if claims.get("iss") != held.issuer:
            raise _refused("Its issuer is not one of this gateway's providers.")
        given = claims.get("aud")
        audience = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        if not set(held.audience) & {one for one in audience if isinstance(one, str)}:
            raise _refused("It was issued for someone else: its audience is not this gateway's.")
        if _seconds(claims, "exp") <= now - skew:
            raise _refused("It has expired.")
        issued = _seconds(claims, "iat")
        if issued > now + skew or ("nbf" in claims and _seconds(claims, "nbf") > now + skew):
            raise _refused("It is not valid yet: clocks differ, or it was made for later.")
        if issued < now - skew - held.max_token_age_us / 1_000_000:
            raise _refused("It was issued too long ago.")
        if "cnf" in claims or "events" in claims:
            raise _refused("It is a token of another kind.")
        for name, value in held.require:
            found = claims.get(name)
            if type(found) is not type(value) or found != value:
                raise _refused(f"Its claim {name} is not what this gateway asks for.")

    def _principal(self, claims: dict[str, Any]) -> Principal:
        held = self.settings
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
            raise _refused("It names no subject.")
        name = _found(claims, held.name_claim)
        readable = isinstance(name, str) and 0 < len(name) <= 255 and not names.unreadable(name)
        return Principal(
            id=f"{held.name}:{subject}",
            name=str(name) if readable else subject,
            kind=held.principals,
            groups=self._groups(claims),
            scopes=("call", "observe"),
        )

    def _groups(self, claims: dict[str, Any]) -> tuple[str, ...]:
        found = _found(claims, self.settings.groups_claim)
        listed = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        if len(listed) > _MOST_GROUPS:
            raise _refused(
                f"It names more than {_MOST_GROUPS} groups; let the provider send only those that matter here."
            )
        prefix = self.settings.groups_prefix
        return tuple(dict.fromkeys(f"{prefix}{one}" for one in listed if isinstance(one, str) and one))


class SignIn:
    """One provider that people sign in at: authorization code with PKCE and a nonce."""

    def __init__(self, settings: ProviderSettings, keys: KeySource, secret: Secret | None, *, clock: Clock) -> None:
        self.settings = settings
        self.keys = keys
        self._secret = secret
        told = replace(
            settings, audience=(settings.client_id,), principals="person", max_token_age_us=min(DAY, 10 * MINUTE)
        )
        self._tokens = Provider(told, keys, clock=clock)

    async def address(self, *, back: str, state: str, nonce: str, verifier: str) -> str:
        """Return where to send the browser.

        Raises:
            ProblemError: The provider can't be asked.
        """
        place = await self.keys.place("authorization_endpoint")
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": back,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}"

    async def person(self, code: str, *, back: str, nonce: str, verifier: str) -> Principal:
        """Return who signed in.

        Raises:
            ProblemError: The provider does not take the code, or its token is not right.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
            "client_id": self.settings.client_id,
        }
        secret = None if self._secret is None else (self.settings.client_id, self._secret.reveal())
        token = (await self.keys.post("token_endpoint", form, secret)).get("id_token")
        if not isinstance(token, str) or not is_jwt(token):
            raise _refused("The provider did not say who signed in.")
        return await self._tokens.verify(token, nonce=nonce)


def challenge(verifier: str) -> str:
    """Return the PKCE challenge (S256) of a verifier, RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def is_jwt(token: str) -> bool:
    """Whether a bearer token has the shape of a signed JSON Web Token."""
    return token.startswith("ey") and token.count(".") == 2 and len(token) <= _LONGEST


def _part(token: str, at: int) -> dict[str, Any]:
    """Return the header (0) or the claims (1) of a token, unverified."""
    if not is_jwt(token) or not token.isascii():
        raise _refused("It is no signed token.")
    text = token.split(".")[at]
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error, ValueError, RecursionError):
        raise _refused("It can't be read.") from None
    if not isinstance(found, dict):
        raise _refused("It can't be read.")
    return found


def _unverified(token: str) -> dict[str, Any]:
    return _part(token, 1)


def _seconds(claims: dict[str, Any], name: str) -> float:
    found = claims.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise _refused(f"It has no readable {name}.")
    return float(found)


def _found(claims: dict[str, Any], path: str) -> Any:
    """Return the claim of that very name, or what a path of names parted by dots leads to; a name may hold dots."""
    steps = path.split(".")
    for at in range(len(steps), 0, -1):
        name = ".".join(steps[:at])
        if name in claims:
            rest, held = steps[at:], claims[name]
            return held if not rest else _found(held, ".".join(rest)) if isinstance(held, dict) else None
    return None


def _refused(why: str) -> ProblemError:
    return ProblemError("token_refused", f"This token does not open a session. {why}")
