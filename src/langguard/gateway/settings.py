"""The gateway's configuration: one YAML file, a few environment variables over it, and the policy in it or beside it.

The only reader of the environment and of configuration files in the gateway. A typo stops the start.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from langguard.detectors.settings import EngineSettings
from langguard.errors import ConfigError, PolicyError
from langguard.gateway import template as template_text
from langguard.gateway.dialects import ADDRESSES, FILES, named
from langguard.gateway.settings_estimates import EstimateSettings, read_estimates
from langguard.gateway.settings_identity import IdentitySettings, read_identity
from langguard.gateway.settings_masking import read_masking
from langguard.gateway.settings_sql import SqlSettings, read_sql
from langguard.policy import Known, Policy, names, parse, source
from langguard.policy.parse import SECTIONS, build, read_version
from langguard.policy.reader import Fields, Reader
from langguard.policy.source import Document, Node, Place, Scalar
from langguard.protocol import Custody, SqlDialect
from langguard.secrets import Reference

DEFAULT_LISTEN: Final = "127.0.0.1:8421"
PREFIX: Final = "LANGGUARD_"
VARIABLES: Final = {
    "LANGGUARD_LISTEN": "listen",
    "LANGGUARD_DATA": "data",
    "LANGGUARD_SESSIONS_TTL": "sessions_ttl",
    "LANGGUARD_SESSIONS_IDLE": "sessions_idle",
}
"""Environment variables that win over the file, and the override of the same name that wins over both."""

NOT_OURS: Final = frozenset(
    {
        "LANGGUARD_URL",
        "LANGGUARD_TOKEN",
        "LANGGUARD_TOKEN_FILE",
        "LANGGUARD_TIMEOUT",
        "LANGGUARD_PLAIN_HTTP",
        "LANGGUARD_TEST_FULL",
    }
)
"""Variables that clients and tests read, and the gateway does not."""

_FILE: Final = (
    *("version", "listen", "store", "identity", "connections", "masking", "sql", "sessions", "estimates", "policy"),
    *SECTIONS,
)
_CONNECTION: Final = (
    "name",
    "kind",
    "dialect",
    "custody",
    "credential",
    "target",
    "schemas",
    "include",
    "exclude",
    "functions",
)
_FUNCTION: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_HOST: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+)):([0-9]{1,5})", re.ASCII)
_MINUTE: Final = 60_000_000
_MONTH: Final = 30 * 86_400_000_000
_LARGEST: Final = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """One target.

    Attributes:
        credential: Where its DSN is; None in custody `agent`.
        target: Custody `agent`: `postgresql://host:port/database`, without credentials, or empty.
        schemas: Schemas in search order (databases, MySQL calls them); empty means the default.
        include: The only tables that exist for agents, `schema.table`; empty means all.
        exclude: Tables that do not exist for agents.
        functions: Lower-case names of functions that statements may call besides the engine's own listed ones: the
            administrator vouches that they only compute.
    """

    name: str
    kind: Literal["sql"] = "sql"
    dialect: SqlDialect
    custody: Custody
    credential: Reference | None = None
    target: str = ""
    schemas: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a gateway starts from.

    Attributes:
        path: The file, absolute.
        policy_path: The file the policy stands in: the same, or its own.
        data: The folder of the store, absolute.
        session_ttl_us: Microseconds until a session ends.
        session_idle_us: Microseconds without a call until a session ends.
        policy: As read at the start, checked against the connections' names only.
        environ: The environment, for credentials.
    """

    path: Path
    policy_path: Path
    listen_host: str
    listen_port: int
    data: Path
    connections: tuple[ConnectionSettings, ...]
    identity: IdentitySettings
    masking: EngineSettings
    estimates: EstimateSettings
    sql: SqlSettings
    session_ttl_us: int
    session_idle_us: int
    policy: Policy
    environ: Mapping[str, str] = field(repr=False)

    def load_policy(self) -> Policy:
        """Return the policy as its file spells it now, for these connections.

        Raises:
            ConfigError: The file can't be read or is wrong.
        """
        known = Known(connections={item.name: item.kind for item in self.connections})
        if self.policy_path != self.path:
            return _policy_file(self.policy_path, known)
        return build(_fields(self.path), known)


def load(path: Path, environ: Mapping[str, str], overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of a file.

    Args:
        path: The file.
        environ: The environment's variables: `LANGGUARD_LISTEN` and the like win over the file.
        overrides: `listen`, `data`, `sessions_ttl`, `sessions_idle` from the command line, which win over both; a
            relative `data` is relative to the working directory. None leaves one out.

    Raises:
        ConfigError: The file, a variable or an override is wrong; the place and the nearest valid name are given.
    """
    path = path.absolute()
    fields = _fields(path)
    reader = fields.reader
    connections = _connections(reader, fields.get("connections"), path.parent)
    section = fields.get("identity")
    identity = IdentitySettings() if section is None else read_identity(reader, section, path.parent)
    held = [item.credential for item in connections] + [item.client_secret for item in identity.providers]
    credentials = {one.name for one in held if one is not None and one.kind == "env"}
    chosen = _chosen(environ, overrides or {}, credentials)
    known = Known(connections={item.name: item.kind for item in connections})
    host, port = _listen(reader, fields.get("listen"), chosen.get("listen"))
    ttl, idle = _sessions(reader, fields.get("sessions"), chosen)
    masking = fields.get("masking")
    policy_path, policy = _policy(fields, path, known)
    return Settings(
        path=path,
        policy_path=policy_path,
        listen_host=host,
        listen_port=port,
        data=_data(reader, fields.get("store"), chosen.get("data"), path.parent),
        connections=connections,
        identity=identity,
        masking=EngineSettings() if masking is None else read_masking(reader, masking),
        estimates=read_estimates(reader, fields.get("estimates")),
        sql=read_sql(reader, fields.get("sql")),
        session_ttl_us=ttl,
        session_idle_us=idle,
        policy=policy,
        environ=environ,
    )


def template() -> str:
    """Return the commented file to start from; it loads as it stands and allows nothing."""
    return template_text.TEXT


def _text(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
    except OSError as failed:
        msg = f"can't be read: {failed.strerror}"
        raise ConfigError(msg, source=str(path)) from None
    if len(data) > _LARGEST:
        msg = f"is larger than {_LARGEST} bytes"
        raise ConfigError(msg, source=str(path))
    try:
        return data.decode()
    except UnicodeDecodeError as failed:
        line = data.count(b"\n", 0, failed.start) + 1
        msg = "is not UTF-8 text"
        raise ConfigError(msg, source=str(path), line=line) from None


def _fields(path: Path) -> Fields:
    document = source.read(_text(path), source=str(path))
    fields = Reader(document).mapping(document.root, "the configuration", _FILE)
    read_version(fields)
    return fields


def _policy_file(path: Path, known: Known) -> Policy:
    return parse(_text(path), source=str(path), known=known)


def _policy(fields: Fields, path: Path, known: Known) -> tuple[Path, Policy]:
    node = fields.get("policy")
    if node is None:
        return path, build(fields, known)
    for section in SECTIONS:
        if section in fields:
            msg = f"`{section}` stands here and `policy` names another file; keep the policy in one place"
            raise fields.reader.fail(fields.keys[section], msg)
    other = path.parent / fields.reader.text(node, "`policy`")
    try:
        return other, _policy_file(other, known)
    except PolicyError:
        raise
    except ConfigError as failed:
        raise fields.reader.fail(node, f"the policy file {failed}") from None


def _chosen(
    environ: Mapping[str, str], overrides: Mapping[str, Any], credentials: set[str]
) -> dict[str, tuple[Reader, Scalar, bool]]:
    """Return what stands above the file, by name: its reader and value, and whether the command line gave it."""
    found: dict[str, tuple[Reader, Scalar, bool]] = {}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in NOT_OURS | credentials:
            continue
        if name not in VARIABLES:
            msg = f"unknown environment variable {name}{names.suggest(name, VARIABLES)}"
            raise ConfigError(msg)
        found[VARIABLES[name]] = (*_alone(name, environ[name]), False)
    for name, value in overrides.items():
        if name not in VARIABLES.values():
            msg = f"unknown override {name}{names.suggest(name, VARIABLES.values())}"
            raise ConfigError(msg)
        if value is not None:
            found[name] = (*_alone(f"--{name.replace('_', '-')}", str(value)), True)
    return found


def _alone(name: str, value: str) -> tuple[Reader, Scalar]:
    """Return a value from outside the file as a node, so that it is read and refused like one in it."""
    scalar = Scalar(Place(1, 1), value, value)
    return Reader(Document(name, value, scalar, ConfigError)), scalar


def _listen(reader: Reader, node: Node | None, above: tuple[Reader, Scalar, bool] | None) -> tuple[str, int]:
    if above is not None:
        reader, node = above[0], above[1]
    text = DEFAULT_LISTEN if node is None else reader.text(node, "`listen`")
    match = _HOST.fullmatch(text)
    if match is None or int(match[3]) > 65_535:
        wrong = f"`listen` is written `host:port`, such as {DEFAULT_LISTEN}"
        raise reader.fail(node or Place(1, 1), wrong)
    return match[1] or match[2], int(match[3])


def _data(reader: Reader, node: Node | None, above: tuple[Reader, Scalar, bool] | None, folder: Path) -> Path:
    if above is not None:
        text = above[0].text(above[1], "`data`")
        return Path(text).absolute() if above[2] else folder / text
    if node is None:
        return folder / "data"
    fields = reader.mapping(node, "`store`", ("path",))
    return folder / reader.text(fields.need("path"), "`path`")


def _sessions(reader: Reader, node: Node | None, chosen: Mapping[str, tuple[Reader, Scalar, bool]]) -> tuple[int, int]:
    ttl, idle = 8 * 60 * _MINUTE, 60 * _MINUTE
    given: dict[str, tuple[Reader, Node]] = {}
    if node is not None:
        fields = reader.mapping(node, "`sessions`", ("ttl", "idle"))
        given = {key: (reader, value) for key, value in fields.nodes.items()}
    given |= {key: chosen[f"sessions_{key}"][:2] for key in ("ttl", "idle") if f"sessions_{key}" in chosen}
    if "ttl" in given:
        ttl = given["ttl"][0].duration(given["ttl"][1], "`ttl`", _MINUTE, _MONTH)
    if "idle" in given:
        idle = given["idle"][0].duration(given["idle"][1], "`idle`", _MINUTE, _MONTH)
        if idle > ttl:
            raise given["idle"][0].fail(
                given["idle"][1], "`idle` is longer than `ttl`, so it would never end a session"
            )
    return ttl, min(idle, ttl)


def _connections(reader: Reader, node: Node | None, folder: Path) -> tuple[ConnectionSettings, ...]:
    found: dict[str, ConnectionSettings] = {}
    for item in reader.items(node, "`connections`"):
        fields = reader.mapping(item, "a connection", _CONNECTION)
        name = reader.identifier(fields.need("name"), "connection")
        if name.casefold() in found:
            raise reader.fail(fields.need("name"), f"connection `{name}` is given twice")
        found[name.casefold()] = _connection(fields, name, folder)
    return tuple(found.values())


def _connection(fields: Fields, name: str, folder: Path) -> ConnectionSettings:
    reader = fields.reader
    if "kind" in fields:
        reader.choice(fields.nodes["kind"], "kind", ("sql",))
    dialect = named(reader.choice(fields.need("dialect"), "dialect", ADDRESSES))
    custody = (
        reader.choice(fields.nodes["custody"], "custody", ("gateway", "agent")) if "custody" in fields else "gateway"
    )
    for key, owner in (("credential", "gateway"), ("target", "agent")):
        if key in fields and custody != owner:
            raise reader.fail(fields.keys[key], f"`{key}` belongs to custody `{owner}`, and `{name}` is `{custody}`")
    if "schemas" in fields and dialect == "sqlite":
        raise reader.fail(fields.keys["schemas"], "an SQLite database has no schemas to choose from")
    tables = {key: _tables(fields, key) for key in ("include", "exclude")}
    schemas = reader.one_or_many(fields.nodes["schemas"], "`schemas`") if "schemas" in fields else ()
    return ConnectionSettings(
        name=name,
        dialect=dialect,
        custody="agent" if custody == "agent" else "gateway",
        credential=_credential(reader, fields.need("credential"), dialect, folder) if custody == "gateway" else None,
        target=_target(reader, fields.nodes["target"], dialect) if "target" in fields else "",
        schemas=tuple(word.text for word in schemas),
        include=tables["include"],
        exclude=tables["exclude"],
        functions=_functions(reader, fields.nodes["functions"]) if "functions" in fields else (),
    )


def _functions(reader: Reader, node: Node) -> tuple[str, ...]:
    """Return the lower-case names under `functions: {allow: [...]}`."""
    words = reader.one_or_many(reader.mapping(node, "`functions`", ("allow",)).need("allow"), "`allow`")
    for word in words:
        if not _FUNCTION.fullmatch(word.text):
            raise reader.fail(word, f"`{word.text}` names no function; write its name alone, such as `my_function`")
    return tuple(word.text.lower() for word in words)


def _tables(fields: Fields, key: str) -> tuple[str, ...]:
    if key not in fields:
        return ()
    words = fields.reader.one_or_many(fields.nodes[key], f"`{key}`")
    for word in words:
        if names.table_pattern(word.text) is None or "*" in word.text:
            raise fields.reader.fail(word, f"`{word.text}` names no table; write `schema.table`")
    return tuple(word.text for word in words)


def _credential(reader: Reader, node: Node, dialect: SqlDialect, folder: Path) -> Reference:
    """Return where a DSN is. No message here quotes a value: someone may have pasted the secret itself."""
    if isinstance(node, Scalar):
        raise reader.fail(node, "a credential is `{env: VARIABLE}` or `{file: PATH}`, never the secret itself")
    fields = reader.mapping(node, "`credential`", ("env", "file", "value"))
    if len(fields.nodes) != 1:
        raise reader.fail(node, "a credential has one of `env`, `file` or `value`")
    if "env" in fields:
        name = reader.text(fields.nodes["env"], "`env`")
        if not _VARIABLE.fullmatch(name):
            raise reader.fail(fields.nodes["env"], "`env` names an environment variable, such as `ORDERS_DSN`")
        return Reference(kind="env", name=name)
    if "file" in fields:
        return Reference(kind="file", name=str(folder / reader.text(fields.nodes["file"], "`file`")))
    value = fields.nodes["value"]
    if dialect not in FILES:
        raise reader.fail(value, "a secret never stands in this file; name it with `{env: VARIABLE}` or `{file: PATH}`")
    text = reader.text(value, "`value`")
    place, mark, options = text.removeprefix(f"{dialect}:///").partition("?")
    odd = "://" in place or "@" in text or place.startswith((":", "file:")) or not place
    if odd or (mark and dialect == "sqlite"):
        raise reader.fail(value, f"for {FILES[dialect]} `value` is the path of a database file")
    return Reference(kind="plain", name=f"{dialect}:///{folder / place}{mark}{options}")


def _target(reader: Reader, node: Node, dialect: SqlDialect) -> str:
    """Return the target's address; nothing of it is quoted, since someone may have pasted a whole DSN."""
    text = reader.text(node, "`target`")
    wrong = f"`target` is written `{ADDRESSES[dialect][0]}://host:port/database`, without the host for a local socket"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise reader.fail(node, wrong) from None
    if "@" in text or parts.query or parts.fragment:
        raise reader.fail(node, "`target` holds no user, password or options; only where the database is")
    local = parts.hostname is None and not parts.netloc
    hosted = dialect in FILES or local or (parts.hostname is not None and port != 0)
    if parts.scheme not in ADDRESSES[dialect] or not hosted or not parts.path.strip("/"):
        raise reader.fail(node, wrong)
    return text
