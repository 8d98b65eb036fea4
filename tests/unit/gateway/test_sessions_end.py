"""Ending a session is recorded whatever the database says to the cancellation, and does not wait on the event loop."""

import asyncio
import threading
from pathlib import Path

import pytest
from tests.support.gateway import until

from langguard.drivers.sql import Cancel
from langguard.gateway.app import open_ground
from langguard.gateway.problems import ProblemError
from langguard.gateway.services.sessions import Credential, Sessions


class Refusing(Cancel):
    """The database can't be reached to cancel."""

    def fire(self) -> None:
        raise OSError("no route to the database")


class Slow(Cancel):
    """The database takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def fire(self) -> None:
        super().fire()
        assert self.go.wait(10)


@pytest.fixture
def ground(tmp_path: Path):
    made = open_ground(tmp_path / "data")
    yield made
    made.store.close()


async def opened(ground):
    day = 86_400_000_000
    sessions = Sessions(
        store=ground.store,
        recorder=ground.recorder,
        clock=ground.clock,
        token_key=ground.keys.token,
        ttl_us=day,
        idle_us=day,
    )
    key, secret = await ground.api_keys().make(name="a", groups=(), scopes=("call",), days=1, by="test")
    by = Credential(principal=key.principal, until=key.expires_at, key_id=key.id, secret=secret)
    live, _ = await sessions.open(by, protocol=1, client="t", agent="", thread_id=None)
    return sessions, live


async def test_a_cancellation_that_fails_does_not_keep_the_end_from_the_record(ground):
    sessions, live = await opened(ground)
    live.running.add(Refusing())
    await sessions.end(live.id, by="test", why="over")
    stored = await sessions.stored(live.id)
    assert stored is not None
    assert stored.ended_why == "over"
    assert len(ground.store.entries(live.id)) == 2


async def test_a_cancellation_that_hangs_does_not_hold_up_the_loop_or_the_record(ground):
    sessions, live = await opened(ground)
    slow = Slow()
    live.running.add(slow)
    ending = asyncio.create_task(sessions.end(live.id, by="test", why="over"))
    await asyncio.to_thread(until, lambda: slow.fired and len(ground.store.entries(live.id)) == 2, 5)
    assert not ending.done()
    slow.go.set()
    await ending


@pytest.mark.parametrize("wait", ["document", "entries"])
async def test_a_session_that_is_ended_while_it_is_read_never_comes_back(ground, wait):
    """After a restart a session is read from the store; an end that comes in between must win."""
    first, live = await opened(ground)
    token = next(lookup for lookup, session in first._by_token.items() if session == live.id)
    reading, go = threading.Event(), threading.Event()

    class Store:
        """The real store; one reading of it is held up, and then tells what was so before."""

        def __getattr__(self, name):
            return getattr(ground.store, name)

        def document(self, kind, name):
            found = ground.store.document(kind, name)
            return self.held("document", found) if kind == "session" else found

        def entries(self, session):
            return self.held("entries", ground.store.entries(session))

        def held(self, name, found):
            if name == wait and not go.is_set() and not reading.is_set():
                reading.set()
                assert go.wait(10)
            return found

    day = 86_400_000_000
    again = Sessions(
        store=Store(),
        recorder=ground.recorder,
        clock=ground.clock,
        token_key=ground.keys.token,
        ttl_us=day,
        idle_us=day,
    )
    loading = asyncio.create_task(again._load(token))
    await asyncio.to_thread(reading.wait, 10)
    await again.end(live.id, by="test", why="over")
    go.set()
    loaded = await loading
    assert loaded.stored.ended_why == "over"
    assert live.id not in again._live
    with pytest.raises(ProblemError):
        again.check(loaded)
