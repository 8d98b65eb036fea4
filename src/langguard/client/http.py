"""HTTP/1.1 to the gateway on the standard library: one connection a thread, one deadline an exchange, bounded answers.

It never follows a redirect, uses no proxy, decodes nothing and trusts no length. What goes wrong is told as one of two
failures: `NotSentError` (the gateway can't have seen the request) and `NoReplyError` (it may have).
"""

import http.client
import io
import os
import select
import socket
import ssl
import threading
import weakref
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from langguard.clock import SECOND, SystemClock
from langguard.errors import ConfigError, GatewayUnavailableError

CONNECT_TIMEOUT: Final = 3.0
MOST_BYTES: Final = 64 * 2**20
_CHUNK: Final = 2**16
_CLOCK = SystemClock()


class NotSentError(GatewayUnavailableError):
    """The request never reached the gateway."""


class NoReplyError(GatewayUnavailableError):
    """The request may have reached the gateway, and no whole reply came back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A gateway's address, taken apart."""

    host: str
    port: int
    tls: bool
    prefix: str

    @classmethod
    def parse(cls, url: str, *, plain_http: bool = False) -> "Endpoint":
        """Return the parts of `url`.

        Raises:
            ConfigError: Not an http or https address, or one that would send the token unencrypted to another machine.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            msg = "The gateway's address must look like https://gateway.example.com or http://127.0.0.1:8181."
            raise ConfigError(msg)
        if parts.username is not None or parts.password is not None:
            msg = "The gateway's address must not hold a user or password; the token goes in LANGGUARD_TOKEN."
            raise ConfigError(msg)
        if any(ord(character) <= 32 or ord(character) > 126 for character in url):
            msg = "The gateway's address holds a blank or a character that is not ASCII."
            raise ConfigError(msg)
        tls = parts.scheme == "https"
        if not tls and not plain_http and not _loopback(parts.hostname):
            msg = (
                f"http:// to {parts.hostname} would send the token unencrypted: use https://, "
                "or set LANGGUARD_PLAIN_HTTP=1 where the network itself is protected."
            )
            raise ConfigError(msg)
        return cls(host=parts.hostname, port=port or (443 if tls else 80), tls=tls, prefix=parts.path.rstrip("/"))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.prefix}"


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole reply. Its repr shows no body."""

    status: int
    content_type: str
    retry_after: str
    body: bytes

    def __repr__(self) -> str:
        return f"Reply(status={self.status}, {len(self.body)} bytes)"


class _TimedRaw(io.RawIOBase):
    """A socket's reading side under one deadline for the whole reply, so that a slow drip ends too."""

    def __init__(self, line: "_Line") -> None:
        self._line = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._line.arm()
        return self._line.socket.recv_into(buffer)


class _Line:
    """What http.client is given as its socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.deadline = 0

    def arm(self) -> None:
        left = self.deadline - _CLOCK.ticks()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left / SECOND)

    def sendall(self, data: bytes) -> None:
        self.arm()
        self.socket.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002 - http.client asks for "rb" only
        return io.BufferedReader(_TimedRaw(self), _CHUNK)

    def stale(self) -> bool:
        """Say whether the other side closed, or sent something nobody asked for: such a line is not used again."""
        try:
            return bool(select.select([self.socket], [], [], 0)[0])
        except (OSError, ValueError):
            return True

    def close(self) -> None:
        self.socket.close()


class _Connection:
    """One keep-alive connection, of one thread of one process."""

    def __init__(self, line: _Line) -> None:
        self.pid = os.getpid()
        self.line = line
        self.used = False

    def close(self) -> None:
        self.line.close()

    def __del__(self) -> None:
        self.line.close()


class Transport:
    """Exchanges requests for replies. Safe to use from many threads and after a fork."""

    def __init__(self, endpoint: Endpoint, *, timeout: float) -> None:
        self._endpoint = endpoint
        self._timeout = timeout
        self._tls = ssl.create_default_context() if endpoint.tls else None
        self._mine = threading.local()
        self._open: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Transport({self._endpoint})"

    def exchange(
        self,
        method: str,
        path: str,
        *,
        token: str,
        body: bytes | None = None,
        repeatable: bool = False,
        timeout: float | None = None,
    ) -> Reply:
        """Send one request and return its whole reply.

        Args:
            method: HTTP's.
            path: From the gateway's root, such as `/v1/calls`.
            token: The bearer token.
            body: JSON.
            repeatable: Sending it twice does what sending it once does; then a kept connection that turns out to be
                closed before any byte of the reply is replaced once.
            timeout: Seconds for the whole exchange; else the client's own.

        Raises:
            NotSentError: The gateway can't be reached.
            NoReplyError: The reply broke off, came too late, is too large or is not HTTP.
        """
        seconds = self._timeout if timeout is None else timeout
        connection = self._kept()
        try:
            if connection is not None:
                try:
                    return self._once(connection, method, path, token, body, seconds)
                except (http.client.RemoteDisconnected, ConnectionError):
                    connection.close()
                    if not repeatable:
                        raise
            connection = self._connect(seconds)
            return self._once(connection, method, path, token, body, seconds)
        except NotSentError:
            raise
        except (OSError, http.client.HTTPException, ValueError, NoReplyError) as failed:
            problem = self._no_reply(failed, seconds)
        finally:
            if connection is not None and not connection.used:
                connection.close()
                self._forget()
        raise problem

    def close(self) -> None:
        """Close every connection, of every thread."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            connection.close()
        self._forget()

    def _no_reply(self, failed: BaseException, seconds: float) -> NoReplyError:
        if isinstance(failed, NoReplyError):
            return failed
        if isinstance(failed, TimeoutError):
            return NoReplyError(f"The gateway at {self._endpoint} did not answer within {seconds:g} s.")
        return NoReplyError(f"The gateway at {self._endpoint} broke off its answer ({type(failed).__name__}).")

    def _forget(self) -> None:
        self._mine.connection = None

    def _kept(self) -> _Connection | None:
        connection: _Connection | None = getattr(self._mine, "connection", None)
        if connection is None:
            return None
        if connection.pid != os.getpid() or connection.line.stale():
            connection.close()
            self._forget()
            return None
        return connection

    def _connect(self, seconds: float) -> _Connection:
        endpoint = self._endpoint
        limit = min(CONNECT_TIMEOUT, seconds)
        sock: socket.socket | None = None
        try:
            sock = socket.create_connection((endpoint.host, endpoint.port), timeout=limit)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_hostname=endpoint.host)
        except (OSError, ValueError) as failed:  # ssl.SSLError is an OSError; a host name may be no valid label
            if sock is not None:
                sock.close()
            why = "in time" if isinstance(failed, TimeoutError) else f"({type(failed).__name__})"
            problem = NotSentError(f"The gateway at {endpoint} can't be reached {why}; nothing was asked.")
        else:
            connection = _Connection(_Line(sock))
            self._mine.connection = connection
            with self._lock:
                self._open.add(connection)
            return connection
        raise problem

    def _once(
        self, connection: _Connection, method: str, path: str, token: str, body: bytes | None, seconds: float
    ) -> Reply:
        line = connection.line
        line.deadline = _CLOCK.ticks() + int(seconds * SECOND)
        connection.used = False
        talk = http.client.HTTPConnection(self._endpoint.host, self._endpoint.port)
        talk.sock = line
        headers = {
            "authorization": f"Bearer {token}",
            "accept": "application/json, application/problem+json",
            "user-agent": "langguard",
        }
        if body is not None:
            headers["content-type"] = "application/json"
        talk.request(method, self._endpoint.prefix + path, body=body, headers=headers)
        response = http.client.HTTPResponse(line, method=method)  # type: ignore[arg-type]
        try:
            response.begin()
            content = self._read(response)
            connection.used = not response.will_close
            return Reply(
                status=response.status,
                content_type=response.headers.get_content_type(),
                retry_after=response.headers.get("retry-after") or "",
                body=content,
            )
        finally:
            response.close()

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        if response.length is None and not response.chunked:
            msg = f"The gateway at {self._endpoint} broke off its answer, or did not say where it ends."
            raise NoReplyError(msg)
        parts: list[bytes] = []
        size = 0
        while part := response.read(_CHUNK):
            size += len(part)
            if size > MOST_BYTES:
                msg = f"The gateway's answer is larger than {MOST_BYTES} bytes; it was not read."
                raise NoReplyError(msg)
            parts.append(part)
        if response.length:
            raise http.client.IncompleteRead(parts[-1] if parts else b"")
        return b"".join(parts)
