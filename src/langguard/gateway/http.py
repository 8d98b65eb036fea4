"""HTTP/1.1 as the gateway speaks it: uvicorn's, where nothing unfinished is kept for ever.

uvicorn waits without end for the rest of a request, and for a client to read its answer. Here a connection that sends
no whole head in time, whose head is too large, whose body does not end, or that does not read, is closed.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS: Final = 10.0
"""From the first byte (or from the connection) to the end of a request's head."""
BODY_SECONDS: Final = 15.0
"""From there to the end of its body; the routes give up sooner, with an answer."""
READ_SECONDS: Final = 120.0
"""For a client to take what is waiting for it."""
HEAD_BYTES: Final = 64 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """One connection, with an end to everything that waits for its client."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._due: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None
        self._in_head, self._head = False, 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it where there are too many."""
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            transport.abort()
            return
        self._arm(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._disarm()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of a head are counted."""
        if self._due is None and (self.cycle is None or self.cycle.response_complete):
            self._arm(HEAD_SECONDS)
        self._head += len(data) if self._in_head else 0
        super().data_received(data)
        if self._in_head and self._head > HEAD_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head, self._head = True, 0
        if self._due is None:
            self._arm(HEAD_SECONDS)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin a body."""
        self._in_head = False
        self._arm(BODY_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request: from here on the client waits for the gateway."""
        self._disarm()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._taking = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on."""
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None
        super().resume_writing()

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._due = self.loop.call_later(seconds, self._late, seconds)

    def _disarm(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _late(self, seconds: float) -> None:
        if self.flow.read_paused:  # the gateway itself does not read on: an earlier request is still being answered
            self._arm(seconds)
        else:
            self._due = None
            self.transport.abort()
