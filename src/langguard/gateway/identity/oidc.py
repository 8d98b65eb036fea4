"""OpenID providers: whether a token was signed by one of them, for us and now, and whom it speaks for.

A token is checked once, when it opens a session; after that the session's own token counts, which ends at once when
the session is ended.
"""

import base64
import binascii
import math
from typing import Any, Final

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from langguard.clock import Clock
from langguard.gateway.identity.key_sets import KeySource
from langguard.gateway.identity.principals import Principal
from langguard.gateway.problems import ProblemError
from langguard.gateway.settings_identity import ProviderSettings
from langguard.policy import names

_LONGEST: Final = 16_384
_MOST_GROUPS: Final = 500
_TYPES: Final = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
"""What the header `typ` may say. A logout or DPoP token is signed by the same keys and means something else."""


class Providers:
    """The configured providers, by issuer."""

    def __init__(self, settings: tuple[ProviderSettings, ...], *, clock: Clock) -> None:
        self._held = {item.issuer: Provider(item, KeySource(item, clock=clock), clock=clock) for item in settings}

    def __bool__(self) -> bool:
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
        for provider in self._held.values():
            await provider.keys.close()


class Provider:
    """One provider: its keys and its rules."""

    def __init__(self, settings: ProviderSettings, keys: KeySource, *, clock: Clock) -> None:
        self.settings = settings
        self.keys = keys
        self._clock = clock

    async def verify(self, token: str) -> Principal:
        """Return whom a token speaks for.

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
