"""The gateway's connections: their credentials, their engines, and the structure last read from each."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Engine

from langguard.drivers import sql, sql_catalog
from langguard.drivers.sql_statistics import Statistics, read_statistics
from langguard.errors import ConfigError, TargetError
from langguard.gateway.settings import ConnectionSettings
from langguard.protocol import Catalog, ConnectionInfo, Table, View
from langguard.secrets import Secret
from langguard.stores.base import Put, Store


@dataclass(slots=True)
class Connection:
    """One named target.

    Attributes:
        engine: None in custody `agent`: the gateway holds no credential there.
        catalog: None until it was read or pinned; every statement is then refused.
        statistics: The sizes of its tables, with a version of their own.
    """

    settings: ConnectionSettings
    engine: Engine | None = field(default=None, repr=False)
    catalog: Catalog | None = None
    statistics: Statistics = field(default_factory=Statistics)

    @property
    def name(self) -> str:
        """The name policy and agents use."""
        return self.settings.name

    def info(self) -> ConnectionInfo:
        """Return what a client may know of it."""
        return ConnectionInfo(
            name=self.name,
            kind="sql",
            dialect=self.settings.dialect,
            custody=self.settings.custody,
            target=self.settings.target or "",
        )


class Connections:
    """All connections by name."""

    def __init__(self, settings: tuple[ConnectionSettings, ...], secrets: Mapping[str, Secret], store: Store) -> None:
        """Take the connections' settings and, for custody `gateway`, their DSNs by name; nothing is connected yet.

        Raises:
            ConfigError: A DSN can't be used; the connection is named, the DSN is not quoted.
        """
        self._store = store
        self._held = {
            item.name: Connection(item, engine=_engine(item, secrets) if item.custody == "gateway" else None)
            for item in settings
        }

    def __iter__(self) -> Any:
        """Iterate over the connections."""
        return iter(self._held.values())

    def get(self, name: str) -> Connection | None:
        """Return a connection, or None."""
        return self._held.get(name)

    async def load(self) -> None:
        """Read every catalogue: from the database (custody `gateway`), or the pinned one (custody `agent`).

        Raises:
            ConfigError: A database can't be read; the connection is named.
        """
        for connection in self._held.values():
            await self.refresh(connection)

    async def refresh(self, connection: Connection) -> None:
        """Read one catalogue again.

        Raises:
            ConfigError: The database can't be read.
        """
        if connection.engine is None:
            pinned = self._store.document("catalog", connection.name)
            if pinned is not None:
                connection.catalog = msgspec.json.decode(pinned.value, type=Catalog)
            return
        item = connection.settings
        # A pooled SQLite connection may still have a file open that was moved or replaced since.
        connection.engine.dispose()
        try:
            connection.catalog = await asyncio.to_thread(
                sql_catalog.snapshot,
                connection.engine,
                dialect=item.dialect,
                schemas=item.schemas,
                include=frozenset(item.include),
                exclude=frozenset(item.exclude),
                allowed=item.functions,
            )
        except TargetError as failed:
            msg = f"connection `{item.name}`: its structure can't be read: {failed}"
            raise ConfigError(msg) from None
        try:
            connection.statistics = await asyncio.to_thread(read_statistics, connection.engine, dialect=item.dialect)
        except TargetError:
            connection.statistics = Statistics()  # estimates are then what the database says of its own

    def pin(self, connection: Connection, catalog: Catalog) -> Put:
        """Return what stores a snapshot for a connection in custody `agent`; it is not in force yet."""
        return Put(
            kind="catalog",
            id=connection.name,
            parent=None,
            state=catalog.version,
            value=msgspec.json.encode(catalog),
            expect=None,
        )

    def visible(self, connection: Connection, catalog: Catalog) -> Catalog:
        """Return of a pinned structure what the connection's `schemas`, `include` and `exclude` leave, versioned."""
        item = connection.settings

        def there(held: Table | View) -> bool:
            return (
                (not item.schemas or held.schema in item.schemas)
                and (not item.include or held.id in item.include)
                and held.id not in item.exclude
            )

        kept = msgspec.structs.replace(
            catalog,
            tables=tuple(filter(there, catalog.tables)),
            views=tuple(filter(there, catalog.views)),
            default_schemas=item.schemas or catalog.default_schemas,
        )
        return sql_catalog.with_version(kept)

    def columns(self) -> dict[str, frozenset[str]]:
        """Return every known column (`schema.table.column`) by connection, for checking a policy."""
        return {
            connection.name: frozenset(
                f"{table.id}.{column.name}" for table in connection.catalog.tables for column in table.columns
            )
            for connection in self._held.values()
            if connection.catalog is not None
        }

    def structures(self) -> tuple[dict[str, str], dict[str, Catalog]]:
        """Return the dialect of each connection, and the structure of those where it is known."""
        return (
            {connection.name: connection.settings.dialect for connection in self._held.values()},
            {c.name: c.catalog for c in self._held.values() if c.catalog is not None},
        )

    def close(self) -> None:
        """Close every pooled connection."""
        for connection in self._held.values():
            if connection.engine is not None:
                connection.engine.dispose()


def _engine(item: ConnectionSettings, secrets: Mapping[str, Secret]) -> Engine:
    try:
        return sql.open_engine(secrets[item.name].reveal())
    except TargetError as failed:
        msg = f"connection `{item.name}`: {failed}"
        raise ConfigError(msg) from None
