"""People signing in: what their browser carries from one step to the next, and the session at the end.

Nothing is kept between the steps: a cookie and a code hold it, sealed. A sign-in that nobody finishes leaves nothing
behind, and any replica can take the next step. Only a finished one is written, so that it counts once.
"""

import base64
import hmac
from typing import Final, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from langguard.clock import Clock, new_id, random_bytes
from langguard.gateway.identity.oidc import SignIn, challenge
from langguard.gateway.identity.principals import Principal
from langguard.gateway.problems import ProblemError
from langguard.gateway.services.sessions import Credential
from langguard.gateway.settings_identity import IdentitySettings
from langguard.protocol import Scope, Wire
from langguard.stores.base import Put

T = TypeVar("T")
_BEGUN_US: Final = 10 * 60 * 1_000_000
_CODE_US: Final = 60 * 1_000_000
_NONCE: Final = 12
_AGENT: Final[tuple[Scope, ...]] = ("call", "observe")


class Begun(Wire, frozen=True, kw_only=True):
    """A sign-in on its way through the provider; the browser carries it as a cookie.

    Attributes:
        port: Where on the person's machine the command line waits.
        port_state: What it told the browser to bring back.
        challenge: PKCE challenge of the command line's own verifier.
        manage: They want to look after the gateway, not to make calls.
    """

    provider: str
    state: str
    nonce: str
    verifier: str
    port: int
    port_state: str
    challenge: str
    manage: bool
    until: int


class Finished(Wire, frozen=True, kw_only=True):
    """Who signed in; the browser brings it to the command line as a code."""

    id: str
    principal: Principal
    provider: str
    challenge: str
    manage: bool
    until: int


class SignIns:
    """Takes each step of a sign-in."""

    def __init__(
        self, settings: IdentitySettings, people: dict[str, SignIn], *, key: bytes, clock: Clock, ttl_us: int
    ) -> None:
        self._settings = settings
        self._people = people
        self._sealed = AESGCM(key)
        self._clock = clock
        self._ttl_us = ttl_us

    @property
    def names(self) -> tuple[str, ...]:
        """The providers that people may sign in at."""
        return tuple(self._people)

    @property
    def secure(self) -> bool:
        """Whether browsers reach the gateway encrypted, so that the cookie must be."""
        return self._settings.public_url.startswith("https:")

    @property
    def back(self) -> str:
        """Where the provider sends the browser back to."""
        return f"{self._settings.public_url}/sign-in/back"

    async def begin(
        self, provider: str, *, port: int, port_state: str, challenge: str, manage: bool
    ) -> tuple[str, str]:
        """Return where to send the browser, and the cookie it takes along.

        Raises:
            ProblemError: The provider can't be asked.
        """
        begun = Begun(
            provider=provider,
            state=new_id("sgn"),
            nonce=new_id("non"),
            verifier=new_id("ver") + new_id(""),
            port=port,
            port_state=port_state,
            challenge=challenge,
            manage=manage,
            until=self._clock.now() + _BEGUN_US,
        )
        address = await self._people[provider].address(
            back=self.back, state=begun.state, nonce=begun.nonce, verifier=begun.verifier
        )
        return address, self._seal("begun", msgspec.json.encode(begun))

    async def came_back(self, cookie: str, *, state: str, code: str, issuer: str | None) -> tuple[Begun, str]:
        """Return the sign-in that came back from the provider, and the code that opens its session.

        Raises:
            ProblemError: It is not the sign-in this browser began, or the provider does not say who it is.
        """
        begun = self._open("begun", cookie, Begun)
        if begun is None or begun.until <= self._clock.now() or not hmac.compare_digest(begun.state, state):
            raise ProblemError("token_refused", "This sign-in was not begun in this browser, or took too long.")
        held = self._people.get(begun.provider)
        if held is None or (issuer is not None and issuer != held.settings.issuer):
            raise ProblemError("token_refused", "This answer is another provider's.")
        person = await held.person(code, back=self.back, nonce=begun.nonce, verifier=begun.verifier)
        finished = Finished(
            id=new_id("sgn"),
            principal=msgspec.structs.replace(person, scopes=self._scopes(person, manage=begun.manage)),
            provider=begun.provider,
            challenge=begun.challenge,
            manage=begun.manage,
            until=self._clock.now() + _CODE_US,
        )
        return begun, self._seal("code", msgspec.json.encode(finished))

    def finish(self, code: str, verifier: str) -> Credential:
        """Return what opens the session of someone who signed in; it counts once.

        Raises:
            ProblemError: The code is not ours or too old, or the verifier is not the one it was asked for with.
        """
        finished = self._open("code", code, Finished)
        if finished is None or finished.until <= self._clock.now():
            raise ProblemError("token_refused", "This code is not one of this gateway's, or too old; sign in again.")
        if not hmac.compare_digest(challenge(verifier), finished.challenge):
            raise ProblemError("token_refused", "This code was asked for by someone else.")
        held = self._people.get(finished.provider)
        ttl = self._ttl_us if held is None else held.settings.session_ttl_us
        return Credential(
            principal=finished.principal,
            until=self._clock.now() + ttl,
            provider=finished.provider,
            manages=finished.manage,
            once=Put(kind="sign_in", id=finished.id, parent=None, state="used", value=b"{}", expect=""),
        )

    def _scopes(self, person: Principal, *, manage: bool) -> tuple[Scope, ...]:
        if not manage:
            return _AGENT
        given = tuple(role for role, groups in self._settings.roles if set(groups) & set(person.groups))
        if not given:
            raise ProblemError("not_allowed", "None of your groups has a role at this gateway.")
        return given

    def _seal(self, purpose: str, data: bytes) -> str:
        nonce = random_bytes(_NONCE)
        return base64.urlsafe_b64encode(nonce + self._sealed.encrypt(nonce, data, purpose.encode())).decode()

    def _open(self, purpose: str, text: str, kind: type[T]) -> T | None:
        try:
            data = base64.urlsafe_b64decode(text)
            return msgspec.json.decode(self._sealed.decrypt(data[:_NONCE], data[_NONCE:], purpose.encode()), type=kind)
        except (ValueError, InvalidTag, msgspec.DecodeError):
            return None
