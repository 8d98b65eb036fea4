"""The `identity` section of the configuration: whose tokens open sessions, and what their claims mean."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from langguard.policy.reader import Fields, Reader
from langguard.policy.source import Entries, Node, Scalar
from langguard.protocol import Scope
from langguard.secrets import Reference

_SECTION: Final = ("public_url", "roles", "providers")
ROLES: Final[tuple[Scope, ...]] = ("approve", "respond", "admin")
_PROVIDER: Final = (
    "name",
    "issuer",
    "audience",
    "principals",
    "groups_claim",
    "groups_prefix",
    "name_claim",
    "require",
    "algorithms",
    "keys_file",
    "ca_file",
    "clock_skew",
    "max_token_age",
    "session_ttl",
    "client_id",
    "client_secret",
    "scopes",
)
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
"""Signatures that only the provider can make: nothing that shares a key, and never `none`."""
_DEFAULT_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "Ed25519", "EdDSA")
_CLAIM: Final = re.compile(r"[A-Za-z0-9_:/.\-]{1,200}", re.ASCII)
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
DAY: Final = 24 * 60 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """One OpenID provider.

    Attributes:
        name: Starts the ids of its principals, `name:subject`.
        issuer: What the claim `iss` must be, and where the provider's configuration is looked up.
        audience: One of these must stand in the claim `aud`.
        principals: Whether its subjects are people or services.
        groups_claim: Where the groups stand: the name of a claim, or a path of names parted by dots.
        groups_prefix: Put before each group, so that two providers' groups can't be taken for one another.
        name_claim: What to call the principal; its subject where the claim is missing.
        require: Claims that must have exactly this value.
        algorithms: Signatures accepted.
        keys_file: A JSON Web Key Set to use instead of the one the provider publishes.
        ca_file: Certificates (PEM) to trust for the provider's address, instead of the system's.
        clock_skew_us: How far clocks may differ, microseconds.
        max_token_age_us: How old a token may be, by its claim `iat`, microseconds.
        session_ttl_us: Until a session opened with such a token ends, microseconds; never longer than any session's.
        client_id: What the gateway is called at the provider, for people who sign in; empty where they can't.
        client_secret: Where its secret there is; None for a public client, which has none.
        scopes: What is asked for when people sign in.
    """

    name: str
    issuer: str
    audience: tuple[str, ...]
    principals: Literal["person", "service"] = "service"
    groups_claim: str = "groups"
    groups_prefix: str = ""
    name_claim: str = "preferred_username"
    require: tuple[tuple[str, str | bool], ...] = ()
    algorithms: tuple[str, ...] = _DEFAULT_ALGORITHMS
    keys_file: Path | None = None
    ca_file: Path | None = None
    clock_skew_us: int = 30 * SECOND
    max_token_age_us: int = DAY
    session_ttl_us: int = 60 * MINUTE
    client_id: str = ""
    client_secret: Reference | None = None
    scopes: tuple[str, ...] = ("openid", "profile", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySettings:
    """Who may sign in, and what their groups let them do at the gateway itself.

    Attributes:
        public_url: The address at which browsers reach the gateway; empty where people can't sign in.
        roles: Each scope of langguard's own with the groups that have it.
        providers: Of tokens and sign-ins.
    """

    public_url: str = ""
    roles: tuple[tuple[Scope, tuple[str, ...]], ...] = ()
    providers: tuple[ProviderSettings, ...] = ()


def read_identity(reader: Reader, node: Node, folder: Path) -> IdentitySettings:
    """Return the section.

    Args:
        reader: Of the file.
        node: The section.
        folder: What relative paths are relative to.

    Raises:
        ConfigError: Something in it is wrong.
    """
    section = reader.mapping(node, "`identity`", _SECTION)
    found: dict[str, ProviderSettings] = {}
    issuers: set[str] = set()
    for item in reader.items(section.get("providers"), "`providers`"):
        fields = reader.mapping(item, "a provider", _PROVIDER)
        provider = _provider(fields, folder)
        if provider.name in found:
            raise reader.fail(fields.need("name"), f"provider `{provider.name}` is given twice")
        if provider.issuer in issuers:
            raise reader.fail(fields.need("issuer"), "two providers have this issuer; give one with both audiences")
        found[provider.name] = provider
        issuers.add(provider.issuer)
    public = section.get("public_url")
    people = any(provider.client_id for provider in found.values())
    if people and public is None:
        raise reader.fail(node, "`public_url` is missing: browsers come back to it from the provider")
    return IdentitySettings(
        public_url="" if public is None else _address(reader, public, "`public_url`").rstrip("/"),
        roles=_roles(reader, section.nodes["roles"]) if "roles" in section else (),
        providers=tuple(found.values()),
    )


def _roles(reader: Reader, node: Node) -> tuple[tuple[Scope, tuple[str, ...]], ...]:
    fields = reader.mapping(node, "`roles`", ROLES)
    return tuple(
        (role, tuple(reader.name(word, "group") for word in reader.one_or_many(fields.nodes[role], f"`{role}`")))
        for role in ROLES
        if role in fields
    )


def _provider(fields: Fields, folder: Path) -> ProviderSettings:
    reader = fields.reader
    name = reader.identifier(fields.need("name"), "provider")
    if name in {"service", "key"}:
        raise reader.fail(fields.need("name"), f"`{name}` starts other principals' ids; choose another name")
    client = reader.text(fields.nodes["client_id"], "`client_id`") if "client_id" in fields else ""
    node = fields.get("audience") if client else fields.need("audience")
    audience = () if node is None else tuple(word.text for word in reader.one_or_many(node, "`audience`"))
    for key in ("client_secret", "scopes"):
        if key in fields and not client:
            raise reader.fail(fields.keys[key], f"`{key}` is for people who sign in; `client_id` is missing")
    kinds: dict[str, Literal["person", "service"]] = {"people": "person", "services": "service"}
    chosen = reader.choice(fields.nodes["principals"], "`principals`", kinds) if "principals" in fields else "services"
    default = ProviderSettings(name=name, issuer="", audience=audience)
    return ProviderSettings(
        name=name,
        issuer=_issuer(reader, fields.need("issuer")),
        audience=audience,
        principals=kinds[chosen],
        groups_claim=_claim(fields, "groups_claim", default.groups_claim),
        groups_prefix=reader.name(fields.nodes["groups_prefix"], "`groups_prefix`")
        if "groups_prefix" in fields
        else "",
        name_claim=_claim(fields, "name_claim", default.name_claim),
        require=_required(reader, fields.nodes["require"]) if "require" in fields else (),
        algorithms=_algorithms(reader, fields.nodes["algorithms"]) if "algorithms" in fields else default.algorithms,
        keys_file=folder / reader.text(fields.nodes["keys_file"], "`keys_file`") if "keys_file" in fields else None,
        ca_file=folder / reader.text(fields.nodes["ca_file"], "`ca_file`") if "ca_file" in fields else None,
        clock_skew_us=_duration(fields, "clock_skew", default.clock_skew_us, 0, 5 * MINUTE),
        max_token_age_us=_duration(fields, "max_token_age", default.max_token_age_us, MINUTE, 366 * DAY),
        session_ttl_us=_duration(fields, "session_ttl", default.session_ttl_us, MINUTE, 30 * DAY),
        client_id=client,
        client_secret=_secret(reader, fields.nodes["client_secret"], folder) if "client_secret" in fields else None,
        scopes=_asked(reader, fields.nodes["scopes"]) if "scopes" in fields else default.scopes,
    )


def _secret(reader: Reader, node: Node, folder: Path) -> Reference:
    """Return where a secret is. No message here quotes a value: someone may have pasted the secret itself."""
    if isinstance(node, Scalar):
        raise reader.fail(node, "`client_secret` is `{env: VARIABLE}` or `{file: PATH}`, never the secret itself")
    fields = reader.mapping(node, "`client_secret`", ("env", "file"))
    if len(fields.nodes) != 1:
        raise reader.fail(node, "`client_secret` has one of `env` and `file`")
    if "env" in fields:
        return Reference(kind="env", name=reader.identifier(fields.nodes["env"], "`env`"))
    return Reference(kind="file", name=str(folder / reader.text(fields.nodes["file"], "`file`")))


def _asked(reader: Reader, node: Node) -> tuple[str, ...]:
    found = tuple(word.text for word in reader.one_or_many(node, "`scopes`"))
    if "openid" not in found:
        raise reader.fail(node, "`scopes` must hold `openid`: without it the provider does not say who signed in")
    return found


def _issuer(reader: Reader, node: Node) -> str:
    return _address(reader, node, "`issuer`", ", exactly as the provider's tokens have it in `iss`")


def _address(reader: Reader, node: Node, what: str, more: str = "") -> str:
    text = reader.text(node, what)
    try:
        parts = urlsplit(text)
        encrypted = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        good = encrypted and parts.hostname and not (parts.query or parts.fragment or "@" in parts.netloc)
    except ValueError:
        good = False
    if not good:
        raise reader.fail(node, f"{what} is an https address{more}")
    return text


def _claim(fields: Fields, key: str, default: str) -> str:
    if key not in fields:
        return default
    text = fields.reader.text(fields.nodes[key], f"`{key}`")
    if not _CLAIM.fullmatch(text):
        raise fields.reader.fail(fields.nodes[key], f"`{key}` names a claim, such as `groups` or `realm_access.roles`")
    return text


def _required(reader: Reader, node: Node) -> tuple[tuple[str, str | bool], ...]:
    if not isinstance(node, Entries):
        raise reader.fail(node, "`require` must be a mapping of claims to values")
    found: list[tuple[str, str | bool]] = []
    for key, value in node.pairs:
        if isinstance(value, Scalar) and isinstance(value.value, bool):
            found.append((key.text, value.value))
        else:
            found.append((key.text, reader.text(value, f"`{key.text}`")))
    return tuple(found)


def _algorithms(reader: Reader, node: Node) -> tuple[str, ...]:
    words = reader.one_or_many(node, "`algorithms`")
    for word in words:
        reader.choice(word, "algorithm", ALGORITHMS)
    return tuple(word.text for word in words)


def _duration(fields: Fields, key: str, default: int, low: int, high: int) -> int:
    return fields.reader.duration(fields.nodes[key], f"`{key}`", low, high) if key in fields else default
