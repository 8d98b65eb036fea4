"""Where it is measured: the demo's shop in a real database, a gateway process over it, clients of both custodies."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, create_engine

from langguard import Guard, GuardedSQLDatabase
from langguard.cli._api import Api
from langguard.cli.demo import shop
from langguard.cli.demo.databases import start_postgres, start_sqlite
from langguard.cli.demo.policy import gateway_file
from langguard.cli.demo.processes import RunningGateway, gateway
from langguard.drivers.sql import open_engine
from langguard.drivers.sql_catalog import snapshot

RESULTS = Path(__file__).with_name("results")


class Watched(Guard):
    """A client that keeps its last answer and how long asking took."""

    asked_us = 0.0
    server_us: dict[str, int]

    def call(self, request):  # type: ignore[override]
        before = now()
        answer = super().call(request)
        self.asked_us = now() - before
        self.server_us = answer.server_us
        return answer


def now() -> float:
    """Return microseconds of the best clock there is."""
    import time

    return time.perf_counter_ns() / 1000


@dataclass(frozen=True, kw_only=True)
class Place:
    """One database with all ways into it.

    Attributes:
        folder: The gateway's, on the disk its ledger is measured on.
        engine: The application's own, with the same login the gateway uses.
    """

    name: str
    folder: Path
    engine: Engine
    gateway: RunningGateway
    guard: Watched
    agent_guard: Watched
    by_gateway: GuardedSQLDatabase
    by_agent: GuardedSQLDatabase


@contextmanager
def place(name: str) -> Iterator[Place]:
    """Start database `postgresql` or `sqlite`, a gateway and its clients; end them with the block."""
    RESULTS.mkdir(exist_ok=True)
    with ExitStack() as stack:
        # Not the temporary folder: where that is memory, an fsync would cost nothing.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gateway-", dir=RESULTS)))
        database = stack.enter_context(start_postgres() if name == "postgresql" else start_sqlite())
        shop.seed(database.dsn, database.dialect)
        url, target = database.url, f"sqlite:///{database.dsn}"
        if name == "postgresql":
            password = os.urandom(16).hex()
            shop.create_reader(database.dsn, password)
            url, target = (
                database.address(user=shop.READER, password=password, database="postgres").url,
                "postgresql:///postgres",
            )
        dialect = "postgres" if name == "postgresql" else "sqlite"
        config = folder / "langguard.yaml"
        config.write_text(gateway_file(dialect=dialect, credential="{env: SHOP_DSN}", target=target), encoding="utf-8")
        home = stack.enter_context(gateway(config, credentials={"SHOP_DSN": url}))

        api = Api(home.address, home.administrator)
        body = {"name": "bench", "groups": ["analysts"], "scopes": ["call", "observe"], "days": 1}
        token = str(api.ask("POST", "/v1/keys", body)["secret"])
        reader = open_engine(url)
        api.ask("PUT", "/v1/connections/shop-direct/catalog", snapshot(reader, dialect=dialect))
        reader.dispose()

        engine = create_engine(url)
        stack.callback(engine.dispose)
        guards = [Watched(home.address, token) for _ in range(2)]
        for guard in guards:
            stack.callback(guard.close)
        yield Place(
            name=name,
            folder=folder,
            engine=engine,
            gateway=home,
            guard=guards[0],
            agent_guard=guards[1],
            by_gateway=GuardedSQLDatabase.from_gateway("shop", guard=guards[0]),
            by_agent=GuardedSQLDatabase(engine, connection="shop-direct", guard=guards[1]),
        )
