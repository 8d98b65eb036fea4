"""The wire: opening a session, and what it may use."""

from typing import Literal

from langguard.protocol._base import Wire

Custody = Literal["gateway", "agent"]
Scope = Literal["call", "observe", "approve", "respond", "admin", "scim", "metrics"]
SCOPES: tuple[Scope, ...] = ("call", "observe", "approve", "respond", "admin", "scim", "metrics")


class OpenSession(Wire, frozen=True, kw_only=True):
    """POST /v1/sessions, with an API key as the bearer token.

    Attributes:
        protocols: Versions the client speaks, newest first; the gateway picks one or refuses.
        agent: A name for the agent, for the record.
    """

    protocols: tuple[int, ...]
    client: str
    agent: str = ""
    thread_id: str | None = None


class SignInCode(Wire, frozen=True, kw_only=True):
    """POST /v1/sign-in: what a browser brought back to the command line.

    Attributes:
        code: Opens one session, within a minute.
        verifier: PKCE verifier (RFC 7636) of the challenge that the sign-in was begun with.
    """

    code: str
    verifier: str
    session: OpenSession


class ConnectionInfo(Wire, frozen=True, kw_only=True):
    """A connection this principal may use.

    Attributes:
        target: Where it leads, for custody `agent` (`postgresql://host:port/database`, no credentials), by which a
            client finds the connection for an engine it was given; empty in custody `gateway`.
    """

    name: str
    kind: Literal["sql"]
    dialect: str
    custody: Custody
    target: str = ""


class SessionInfo(Wire, frozen=True, kw_only=True):
    """The session as its holder sees it.

    Attributes:
        token: Only in the reply that opens it.
        mask_key: Hex key for keyed masks in custody `agent`, derived for this session only; empty when no connection
            the principal may use is in custody `agent`.
        ledger_key: The gateway's public note key (C2SP signed note), to pin.
        expires_at: Microseconds since 1970 UTC.
    """

    id: str
    protocol: int
    principal: str
    groups: tuple[str, ...]
    connections: tuple[ConnectionInfo, ...]
    expires_at: int
    ledger_key: str
    checkpoint: str
    token: str = ""
    mask_key: str = ""


class Problem(Wire, frozen=True, kw_only=True):
    """RFC 9457 problem details. `code` is stable; `type` is its page in the docs."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    missing: tuple[str, ...] = ()
