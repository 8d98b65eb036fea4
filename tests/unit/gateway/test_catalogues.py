"""A structure is read again when a name is not known: one reading at a time, and only so often, whatever is sent."""

import asyncio
from types import SimpleNamespace

import pytest

from langguard.errors import ConfigError
from langguard.gateway.services.catalogues import Catalogues
from langguard.protocol import Catalog


class Database:
    """Counts how often its structure is read; each reading finds the version it has now."""

    def __init__(self, *, takes=0.0, fails=False):
        self.version, self.read, self.takes, self.fails = "1", 0, takes, fails

    def catalog(self):
        return Catalog(dialect="sqlite", default_schemas=("main",), tables=(), version=self.version)

    async def refresh(self, connection):
        self.read += 1
        await asyncio.sleep(self.takes)
        if self.fails:
            raise ConfigError("gone")
        if connection.catalog.version != self.version:
            connection.catalog = self.catalog()


class Clock:
    now_us = 0

    def ticks(self):
        return self.now_us


class Recorder:
    def __init__(self):
        self.drafts = []

    async def record(self, drafts):
        self.drafts += drafts


async def reload():
    return False


def made(database):
    clock, recorder = Clock(), Recorder()
    connection = SimpleNamespace(name="shop", engine=object(), catalog=database.catalog())
    held = Catalogues(connections=database, recorder=recorder, policies=SimpleNamespace(reload=reload), clock=clock)
    return held, connection, clock, recorder


def test_a_structure_that_has_changed_is_found_and_recorded():
    database = Database()
    held, connection, _, recorder = made(database)
    known, database.version = connection.catalog, "2"
    assert asyncio.run(held.renewed(connection, known))
    assert [(draft.kind, draft.data["version"]) for draft in recorder.drafts] == [("catalog", "2")]


def test_one_that_is_the_same_is_no_news_and_is_not_read_again_at_once():
    database = Database()
    held, connection, clock, recorder = made(database)

    async def ask():
        return [await held.renewed(connection, connection.catalog) for _ in range(50)]

    assert asyncio.run(ask()) == [False] * 50
    assert database.read == 1
    clock.now_us = 999_999
    asyncio.run(ask())
    assert database.read == 1
    clock.now_us = 1_000_000
    asyncio.run(ask())
    assert database.read == 2
    assert recorder.drafts == []


def test_those_who_ask_at_once_share_one_reading():
    database = Database(takes=0.02)
    held, connection, _, recorder = made(database)
    known, database.version = connection.catalog, "2"

    async def ask():
        return await asyncio.gather(*(held.renewed(connection, known) for _ in range(20)))

    assert asyncio.run(ask()) == [True] * 20
    assert (database.read, len(recorder.drafts)) == (1, 1)


def test_a_structure_that_was_read_meanwhile_is_taken_as_it_is():
    database = Database()
    held, connection, _, _ = made(database)
    known, database.version = connection.catalog, "2"
    connection.catalog = database.catalog()
    assert asyncio.run(held.renewed(connection, known))
    assert database.read == 0


def test_without_a_credential_nothing_is_read():
    database = Database()
    held, connection, _, _ = made(database)
    connection.engine = None
    assert not asyncio.run(held.renewed(connection, connection.catalog))
    assert database.read == 0


@pytest.mark.parametrize("database", [Database(fails=True), Database(takes=60)])
def test_a_database_that_fails_or_hangs_leaves_things_as_they_are(database, monkeypatch):
    monkeypatch.setattr("langguard.gateway.services.catalogues._WAIT_SECONDS", 0.05)
    held, connection, _, recorder = made(database)
    assert not asyncio.run(held.renewed(connection, connection.catalog))
    assert recorder.drafts == []
