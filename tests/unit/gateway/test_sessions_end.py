"""Ending a session is recorded whatever the database says to the cancellation, and does not wait on the event loop."""

import asyncio
import threading
from pathlib import Path

import pytest
from tests.support.gateway import until

from langguard.drivers.sql import Cancel
from langguard.gateway.app import open_ground
from langguard.gateway.services.sessions import Sessions


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
    live, _ = await sessions.open(key, secret, protocol=1, client="t", agent="", thread_id=None)
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
