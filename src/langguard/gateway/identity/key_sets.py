"""The keys a provider signs with: read where its configuration says, kept for minutes, read again when it rotates."""

import asyncio
import base64
import ssl
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx2
import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from langguard.clock import Clock
from langguard.errors import ConfigError
from langguard.gateway.problems import ProblemError
from langguard.gateway.settings_identity import ProviderSettings

_KEPT_US: Final = 10 * 60 * 1_000_000
_AGAIN_US: Final = 10 * 1_000_000
"""A token can name any key: an unknown one makes us look again at most this often."""
_SECONDS: Final = 5.0
_LARGEST: Final = 512 * 1024
_MOST_KEYS: Final = 64
_KINDS: Final = frozenset({"RSA", "EC", "OKP"})
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class KeySource:
    """One provider's public keys."""

    def __init__(self, settings: ProviderSettings, *, clock: Clock) -> None:
        """Read the key and certificate files, where there are any; the network is not used yet.

        Raises:
            ConfigError: A file can't be used.
        """
        self._settings = settings
        self._clock = clock
        self._lock = asyncio.Lock()
        self._held: KeySet | None = None
        self._read_at = 0
        self._places: dict[str, Any] = {}
        self._places_at = 0
        self._fixed = settings.keys_file is not None
        if settings.keys_file is not None:
            self._held = _of_file(settings.keys_file, settings.name)
        self._http: httpx2.AsyncClient | None = None
        self._trust = _trust(settings)

    async def find(self, kid: str | None) -> KeySet:
        """Return the provider's keys, among them the one of that id if there is any.

        Raises:
            ProblemError: They can't be had now.
        """
        if self._fixed and self._held is not None:
            return self._held
        async with self._lock:
            age = self._clock.ticks() - self._read_at
            held = self._held
            known = held is not None and (kid is None or any(key.kid == kid for key in held.keys))
            if held is not None and age < _KEPT_US and (known or age < _AGAIN_US):
                return held
            try:
                fresh = await self._read()
            except ProblemError:
                if held is not None and age < _KEPT_US:
                    return held  # only the unknown key is missing, and the signature will say so
                raise
            self._held, self._read_at = fresh, self._clock.ticks()
            return fresh

    async def close(self) -> None:
        """Close the connection to the provider."""
        if self._http is not None:
            await self._http.aclose()

    async def place(self, name: str) -> str:
        """Return an address that the provider's configuration names, such as `token_endpoint`.

        Raises:
            ProblemError: The configuration can't be had now, or names none.
        """
        if not self._places or self._clock.ticks() - self._places_at > _KEPT_US:
            self._places, self._places_at = await self._configuration(), self._clock.ticks()
        return self._encrypted(self._places, name)

    async def post(self, name: str, form: dict[str, str], secret: tuple[str, str] | None) -> dict[str, Any]:
        """Send a form to one of the provider's addresses, as a client of it, and return what it answers.

        Args:
            name: Of the address in the provider's configuration.
            form: The fields.
            secret: The client's id and secret; None for a client without.

        Raises:
            ProblemError: It can't be asked, or refuses.
        """
        headers = {"accept": "application/json"}
        if secret is not None:
            pair = ":".join(quote(part, safe="") for part in secret)
            headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return await self._exchange("POST", await self.place(name), headers, form)

    async def _configuration(self) -> dict[str, Any]:
        issuer = self._settings.issuer
        found = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise self._unreachable("its configuration names another issuer")
        return found

    def _encrypted(self, found: dict[str, Any], name: str) -> str:
        place = found.get(name)
        try:
            parts = urlsplit(place) if isinstance(place, str) else urlsplit("")
            good = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        except ValueError:
            good = False
        if not good:
            raise self._unreachable(f"its configuration has no https address as {name}")
        return str(place)

    async def _read(self) -> KeySet:
        found = await self._configuration()
        return self._keys(await self._get(self._encrypted(found, "jwks_uri")))

    def _keys(self, found: dict[str, Any]) -> KeySet:
        keys = usable(found)
        if keys is None:
            raise self._unreachable("it publishes no usable keys")
        return keys

    async def _get(self, url: str) -> dict[str, Any]:
        return await self._exchange("GET", url, {"accept": "application/json"}, None)

    async def _exchange(
        self, method: str, url: str, headers: dict[str, str], form: dict[str, str] | None
    ) -> dict[str, Any]:
        if self._http is None:
            self._http = httpx2.AsyncClient(timeout=_SECONDS, follow_redirects=False, verify=self._trust)
        body = bytearray()
        try:
            async with (
                asyncio.timeout(_SECONDS),
                self._http.stream(method, url, headers=headers, data=form) as reply,
            ):
                if reply.status_code != httpx2.codes.OK:
                    raise self._unreachable(f"it answered {reply.status_code}")
                async for chunk in reply.aiter_bytes():
                    body += chunk
                    if len(body) > _LARGEST:
                        raise self._unreachable("its answer is too large")
            found = msgspec.json.decode(bytes(body))
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as failed:
            raise self._unreachable(type(failed).__name__) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise self._unreachable("its answer is no JSON") from None
        if not isinstance(found, dict):
            raise self._unreachable("its answer is no JSON object")
        return found

    def _unreachable(self, why: str) -> ProblemError:
        return ProblemError("provider_unreachable", f"The provider {self._settings.name} can't be asked ({why}).")


def usable(found: dict[str, Any]) -> KeySet | None:
    """Return of a JSON Web Key Set the public keys for signatures; None where there is none or it can't be read."""
    listed = found.get("keys")
    if not isinstance(listed, list):
        return None
    signing = [
        {name: value for name, value in key.items() if name not in {"d", "p", "q", "dp", "dq", "qi", "k"}}
        for key in listed[:_MOST_KEYS]
        if isinstance(key, dict) and key.get("kty") in _KINDS and key.get("use", "sig") == "sig"
    ]
    good: list[Any] = []
    for key in signing:
        try:
            good += KeySet.import_key_set({"keys": [key]}).keys
        except (JoseError, ValueError, TypeError, KeyError):
            continue  # a kind of key that is not known here; others may be
    return KeySet(good) if good else None


def _of_file(path: Path, name: str) -> KeySet:
    try:
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    keys = usable(found) if isinstance(found, dict) else None
    if keys is None:
        msg = f"provider `{name}`: {path} is no JSON Web Key Set with a public key"
        raise ConfigError(msg)
    return keys


def _trust(settings: ProviderSettings) -> ssl.SSLContext | bool:
    if settings.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(settings.ca_file))
    except (OSError, ssl.SSLError):
        msg = f"provider `{settings.name}`: {settings.ca_file} holds no certificates"
        raise ConfigError(msg) from None
