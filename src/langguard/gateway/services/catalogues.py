"""Keeping what is known of each database as it is now: read every few seconds, on demand, and when a name is unknown.

A change is on the record, and the policy is checked against it anew. Agents can cause a reading only by naming what is
not known, and on each connection only so often, whatever they send.
"""

import asyncio
import logging
from typing import Final

from langguard.clock import Clock
from langguard.errors import LangguardError
from langguard.gateway.services.connections import Connection, Connections
from langguard.gateway.services.policies import Policies
from langguard.gateway.services.recorder import Draft, Recorder
from langguard.protocol import Catalog

EVERY_SECONDS: Final = 3.0
"""Between two readings of all structures."""
_APART_US: Final = 1_000_000
_WAIT_SECONDS: Final = 2.0
_log = logging.getLogger("langguard.gateway")


class Catalogues:
    """Reads structures again, one reading at a time on each connection."""

    def __init__(self, *, connections: Connections, recorder: Recorder, policies: Policies, clock: Clock) -> None:
        self._connections = connections
        self._recorder = recorder
        self._policies = policies
        self._clock = clock
        self._turns: dict[str, asyncio.Lock] = {}
        self._asked_at: dict[str, int] = {}
        self._readings: dict[str, asyncio.Task[bool]] = {}

    async def refresh(self, connection: Connection, *, by: str, always: bool = False) -> bool:
        """Read a structure again; return whether it has changed. It is on the record if so, or `always`.

        Raises:
            ConfigError: The database can't be read; the last structure stays in force.
            LedgerError: The change could not be recorded.
        """
        async with self._turns.setdefault(connection.name, asyncio.Lock()):
            before = connection.catalog
            await self._connections.refresh(connection)
            catalog = connection.catalog
            changed = catalog is not None and (before is None or before.version != catalog.version)
            if catalog is not None and (changed or always):
                data = {"connection": connection.name, "version": catalog.version, "tables": len(catalog.tables)}
                await self._recorder.record([Draft(kind="catalog", by=by, data=data)])
                await self._policies.reload()
            return changed

    async def renewed(self, connection: Connection, known: Catalog) -> bool:
        """Say whether the structure is another one than `known`, after reading it unless one was just asked for.

        A database that does not answer soon leaves things as they are.
        """
        if connection.catalog is not known:
            return connection.catalog is not None
        if connection.engine is None:
            return False
        reading = self._readings.get(connection.name)
        if reading is None:
            last, now = self._asked_at.get(connection.name), self._clock.ticks()
            if last is not None and now - last < _APART_US:
                return False
            self._asked_at[connection.name] = now
            reading = asyncio.create_task(self._read(connection))
            self._readings[connection.name] = reading
            reading.add_done_callback(lambda _: self._readings.pop(connection.name, None))
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await asyncio.shield(reading)
        except TimeoutError:
            return False
        found = connection.catalog
        return found is not None and found.version != known.version

    async def _read(self, connection: Connection) -> bool:
        try:
            changed = await self.refresh(connection, by="langguard gateway")
        except LangguardError as failed:
            _log.error("the structure of connection %s can't be read: %s", connection.name, type(failed).__name__)
            return False
        if changed:
            _log.info("the structure of connection %s has changed", connection.name)
        return changed

    async def watch(self) -> None:
        """Read each database's structure again and again, so that a migration is noticed within seconds."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            for connection in self._connections:
                if connection.engine is None:
                    continue
                try:
                    await self._read(connection)
                except Exception as failed:  # noqa: BLE001 - the watch must outlive one failure
                    _log.error(
                        "the structure of connection %s can't be read: %s", connection.name, type(failed).__name__
                    )
