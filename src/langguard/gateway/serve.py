"""Serving the gateway: one uvicorn process, its address printed when it is ready, its logs without secrets."""

import asyncio
import json
import logging
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn

from langguard.errors import ConfigError
from langguard.gateway.app import make_app, running
from langguard.gateway.http import BoundedProtocol
from langguard.gateway.settings import Settings

_KEEP_ALIVE = 75
_DRAIN = 10
_CONNECTIONS = 4096
_OTHER_FILES = 256
"""Left for the ledger, the databases and the workers."""


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON, with its traceback only when there is one."""
        held: dict[str, Any] = {
            "at": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            held["traceback"] = self.formatException(record.exc_info)
        return json.dumps(held, ensure_ascii=False)


def serve(settings: Settings, *, ready: Callable[[str], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first.

    Args:
        settings: As read.
        ready: Called with the address (`http://host:port`) once it answers.

    Raises:
        ConfigError: The address can't be listened on.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    host, port = settings.listen_host, settings.listen_port
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as failed:
        msg = f"can't listen on {host}:{port}: {failed.strerror}; choose another with --listen"
        raise ConfigError(msg) from None
    # Accepted sockets take this from the listener; without it each small reply waits for a delayed acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, listener, ready))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's where it is installed; it has no build for Windows."""
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _most_connections() -> int:
    """Return how many clients may be connected, so that files are left for everything else; raise the limit first."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return _CONNECTIONS
    wanted = _CONNECTIONS + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(min(_CONNECTIONS, soft - _OTHER_FILES), soft // 2)
    return _CONNECTIONS


async def _serve(settings: Settings, listener: socket.socket, ready: Callable[[str], None] | None) -> None:
    host, port = settings.listen_host, listener.getsockname()[1]
    async with running(settings) as home:
        home.analysis.tell(logging.getLogger("langguard.gateway").info)
        config = uvicorn.Config(
            make_app(home),
            http=BoundedProtocol,
            ws="none",
            limit_concurrency=_most_connections(),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_DRAIN,
            server_header=False,
            date_header=False,
        )
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        await _Server(config, lambda: ready and ready(address)).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """Tells when it is ready."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, and say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()
