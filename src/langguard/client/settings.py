"""Where the gateway is and who asks: the client's one reader of the environment."""

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langguard.client import logins
from langguard.clock import SystemClock
from langguard.errors import ConfigError
from langguard.protocol.secret import Secret

API_KEY: Final = "lgk_"
SESSION_TOKEN: Final = "lgs_"  # noqa: S105 - the prefix of a token, not one
DEFAULT_TIMEOUT: Final = 30.0
_LONGEST_TIMEOUT: Final = 3600.0
_LONGEST_TOKEN: Final = 16_384
_DOTS: Final = 2  # a signed JSON Web Token has three parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a client needs to know.

    Attributes:
        url: The gateway's address, `https://host:port` with an optional path.
        token: An API key (`lgk_...`), a session token (`lgs_...`), or a token of the company's OpenID provider.
        token_file: Where such a token stands that is renewed from outside; read each time a session is opened.
        timeout: Seconds a whole answer may take.
        plain_http: Let the token travel unencrypted to another machine.
    """

    url: str
    token: Secret
    token_file: str = ""
    timeout: float = DEFAULT_TIMEOUT
    plain_http: bool = False


def load(
    url: str | None = None, token: str | None = None, timeout: float | None = None, *, plain_http: bool | None = None
) -> Settings:
    """Return the settings: each from its argument, else from the environment.

    Args:
        url: Else `LANGGUARD_URL`.
        token: Else `LANGGUARD_TOKEN`, else what stands in the file that `LANGGUARD_TOKEN_FILE` names, else
            the session that `langguard login` keeps for this address.
        timeout: Seconds, above 0 to 3600; else `LANGGUARD_TIMEOUT`, else 30.
        plain_http: Else whether `LANGGUARD_PLAIN_HTTP` is `1`.

    Raises:
        ConfigError: One is missing or wrong; the sentence says what to set.
    """
    place = address(url)
    secret = (token if token is not None else os.environ.get("LANGGUARD_TOKEN", "")).strip()
    file = "" if secret else os.environ.get("LANGGUARD_TOKEN_FILE", "").strip()
    if file:
        secret = of_file(file)
    if not secret:
        secret = logins.find(logins_file(), place, SystemClock().now())
    if not secret:
        msg = (
            "There is no credential for the gateway: set LANGGUARD_TOKEN, pass Guard(token=...), or sign in with: "
            "langguard login"
        )
        raise ConfigError(msg)
    _check(secret)
    return Settings(
        url=place,
        token=Secret(secret),
        token_file=file,
        timeout=_timeout(timeout),
        plain_http=plain_text_allowed() if plain_http is None else plain_http,
    )


def address(url: str | None = None) -> str:
    """Return the gateway's address, from the argument or else from the environment.

    Raises:
        ConfigError: It is not known.
    """
    found = (url if url is not None else os.environ.get("LANGGUARD_URL", "")).strip()
    if not found:
        msg = "The gateway's address is not known: set LANGGUARD_URL, or pass Guard(url=...)."
        raise ConfigError(msg)
    return found


def plain_text_allowed() -> bool:
    """Return whether the environment lets a token travel unencrypted to another machine."""
    return os.environ.get("LANGGUARD_PLAIN_HTTP", "") == "1"


def logins_file() -> Path:
    """Return where `langguard login` keeps the sessions of this machine's user."""
    base = os.environ.get("XDG_CONFIG_HOME", "").strip()
    return (Path(base) if base else Path.home() / ".config") / "langguard" / "logins.json"


def of_file(path: str) -> str:
    """Return the token that stands in a file.

    Raises:
        ConfigError: It can't be read, or holds no token.
    """
    try:
        with Path(path).open("rb") as opened:
            text = opened.read(_LONGEST_TOKEN + 1).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as failed:
        msg = f"The token file {path} (LANGGUARD_TOKEN_FILE) can't be read: {type(failed).__name__}."
        raise ConfigError(msg) from None
    _check(text)
    return text


def opens_sessions(token: str) -> bool:
    """Whether a token opens sessions, again and again; a session's own token does not."""
    return not token.startswith(SESSION_TOKEN)


def _check(token: str) -> None:
    known = token.startswith((API_KEY, SESSION_TOKEN)) or (token.startswith("ey") and token.count(".") == _DOTS)
    if not known or len(token) > _LONGEST_TOKEN or not (token.isascii() and token.isprintable()):
        msg = (
            f"The credential is neither an API key ({API_KEY}...), a session token ({SESSION_TOKEN}...) nor a signed "
            f"token of an OpenID provider (ey...)."
        )
        raise ConfigError(msg)


def _timeout(given: float | None) -> float:
    text = os.environ.get("LANGGUARD_TIMEOUT", "").strip()
    try:
        seconds = float(given if given is not None else (text or DEFAULT_TIMEOUT))
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 < seconds <= _LONGEST_TIMEOUT:
        msg = f"The timeout is not a number of seconds above 0 and up to {_LONGEST_TIMEOUT:.0f}: see LANGGUARD_TIMEOUT."
        raise ConfigError(msg)
    return seconds
