"""Who is asking: a principal with groups and scopes, as every later decision sees it, however they signed in."""

from typing import Literal

from langguard.protocol import Scope, Wire


class Principal(Wire, frozen=True, kw_only=True):
    """A person or service.

    Attributes:
        id: Stable, unique.
        kind: `service` for an API key, `person` for someone who signed in.
        groups: What grants are given to.
        scopes: What the credential they used may do at the gateway.
    """

    id: str
    name: str
    kind: Literal["person", "service"]
    groups: tuple[str, ...]
    scopes: tuple[Scope, ...]


class ApiKey(Wire, frozen=True, kw_only=True):
    """An API key at rest; the key itself is shown once and never stored.

    Attributes:
        id: Public name of the key (`key_...`), to revoke it by.
        made_at: Microseconds since 1970 UTC.
        expires_at: The same; a key always has an end.
        revoked_at: The same, or None.
    """

    id: str
    principal: Principal
    made_at: int
    expires_at: int
    revoked_at: int | None = None
