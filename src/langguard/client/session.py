"""One session as the client holds it, and the texts the gateway has been sent in it (each text once)."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final

from langguard.errors import ConfigError
from langguard.protocol import ConnectionInfo, SessionInfo
from langguard.protocol.secret import Secret

_REMEMBERED: Final = 100_000


class Session:
    """A session the gateway opened.

    Attributes:
        info: What the gateway said of it, without its token.
        token: The bearer token of its requests.
        owned: This client opened it, so this client ends it.
    """

    def __init__(self, info: SessionInfo, token: Secret, *, owned: bool) -> None:
        self.info = info
        self.token = token
        self.owned = owned
        self._lock = threading.Lock()
        self._sent: OrderedDict[str, None] = OrderedDict()

    def __repr__(self) -> str:
        return f"Session(id={self.info.id!r}, principal={self.info.principal!r})"

    def unsent(self, bodies: Mapping[str, str]) -> dict[str, str]:
        """Return those of `bodies` (digest to text) that the gateway has not acknowledged."""
        with self._lock:
            return {digest: text for digest, text in bodies.items() if digest not in self._sent}

    def acknowledged(self, digests: Iterable[str]) -> None:
        """Remember that the gateway has these texts. Forgetting the oldest only means that it is sent again."""
        with self._lock:
            for digest in digests:
                self._sent[digest] = None
                self._sent.move_to_end(digest)
            while len(self._sent) > _REMEMBERED:
                self._sent.popitem(last=False)

    def forgotten(self, digests: Iterable[str]) -> None:
        """The gateway says that it does not have these."""
        with self._lock:
            for digest in digests:
                self._sent.pop(digest, None)


def named(connections: Iterable[ConnectionInfo], name: str) -> ConnectionInfo:
    """Return the connection called `name`.

    Raises:
        ConfigError: There is none this principal may use.
    """
    known = list(connections)
    for connection in known:
        if connection.name == name:
            return connection
    msg = f"There is no connection {name!r} that you may use at the gateway; there is {_list(known)}."
    raise ConfigError(msg)


def found(
    connections: Iterable[ConnectionInfo], *, dialect: str, host: str | None, port: int | None, database: str | None
) -> ConnectionInfo:
    """Return the one connection in custody `agent` that leads where an engine leads.

    Args:
        connections: Those the principal may use.
        dialect: SQLAlchemy's name of the engine's dialect.
        host: The engine's host; None for a file or a local socket.
        port: The engine's port; None for the dialect's own.
        database: The database's name, or the file's path.

    Raises:
        ConfigError: None does, or several do; the sentence says how to name it.
    """
    sought = _target(dialect, host, port, database)
    mine = [connection for connection in connections if connection.custody == "agent"]
    matches = [connection for connection in mine if sought == parse_target(connection.target)]
    if len(matches) == 1:
        return matches[0]
    place = f"{dialect} database {database!r}" + (f" at {host}" if host else "")
    if matches:
        msg = f"Several connections lead to the {place}: {_list(matches)}. Name one: connection={matches[0].name!r}."
    else:
        msg = (
            f"No connection in custody agent leads to the {place}; there is {_list(mine)}. "
            "Name one with connection=..., or have an administrator add it at the gateway."
        )
    raise ConfigError(msg)


Target = tuple[str, str, int | None, str]
_PORTS: Final = {"postgresql": 5432, "mysql": 3306}
_DIALECTS: Final = {"postgres": "postgresql", "mariadb": "mysql"}


def parse_target(target: str) -> Target | None:
    """Return the parts of `dialect://host:port/database`, or None when it is not one."""
    dialect, separator, rest = target.partition("://")
    if not separator:
        return None
    authority, _, database = rest.partition("/")
    host, colon, port = authority.rpartition(":")
    if not colon or not port.isdecimal():
        host, port = authority, ""
    return _target(dialect.partition("+")[0], host, int(port) if port else None, database)


def _target(dialect: str, host: str | None, port: int | None, database: str | None) -> Target:
    name = _DIALECTS.get(dialect, dialect)
    place = (host or "").strip("[]").lower()
    if name in {"sqlite", "duckdb"}:  # a path; its leading slash is lost or doubled in one spelling or the other
        database = (database or "").lstrip("/")
    return (name, "localhost" if place in ("127.0.0.1", "::1") else place, port or _PORTS.get(name), database or "")


def _list(connections: Iterable[ConnectionInfo]) -> str:
    return ", ".join(sorted(connection.name for connection in connections)) or "none"
