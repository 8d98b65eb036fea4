"""What one client can do to all the others by asking for much, asking slowly, or never ending what it began."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.support.gateway import SLOW, GatewayProcess, Reply, connection, sqlite_shop

IN_FLIGHT = 20
"""Calls of one session: 4 run, 16 wait."""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway of its own, since its clients leave it busy."""
    folder = tmp_path_factory.mktemp("loaded")
    sqlite_shop(folder / "shop.db")
    with GatewayProcess(folder, connection("shop", "sqlite", credential="{value: ./shop.db}")) as running:
        yield running


def test_one_sessions_slow_statements_do_not_hold_up_anothers(loaded: GatewayProcess) -> None:
    greedy, modest = loaded.key("greedy"), loaded.key("modest")
    first, second, other = (loaded.session(key)["token"] for key in (greedy, greedy, modest))
    with ThreadPoolExecutor(IN_FLIGHT + 5) as threads:
        slow = [
            threads.submit(loaded.sql, first, SLOW.replace("-1", f"-{number + 1}"), call=f"slow{number}")
            for number in range(IN_FLIGHT)
        ]
        _until_in_flight(loaded, first, IN_FLIGHT)

        refused = _ask(loaded, first, "one-more")
        assert (refused[0].status, refused[0].code, refused[1]) == (503, "overloaded", "1")
        assert loaded.ask("GET", "/v1/calls/one-more", token=first).code == "not_found"

        for token, name in ((other, "other"), (second, "second")):
            before = time.monotonic()
            answer = loaded.sql(token, "SELECT status FROM orders", call=name)
            assert (answer.status, len(answer.body["result"]["rows"])) == (200, 3)
            assert time.monotonic() - before < 1

        for session in loaded.ask("GET", "/v1/sessions").body["sessions"]:
            loaded.ask("DELETE", f"/v1/sessions/{session['id']}")
        assert {future.result(20).status for future in slow} <= {401, 409}


def _ask(home: GatewayProcess, token: str, call: str) -> tuple[Reply, str | None]:
    """Ask for one statement and return the answer with its Retry-After."""
    link = http.client.HTTPConnection("127.0.0.1", home.port, timeout=10)
    wanted = {"id": call, "call": {"type": "sql", "connection": "shop", "statement": "SELECT id FROM orders"}}
    link.request("POST", "/v1/calls", json.dumps(wanted), {"authorization": f"Bearer {token}"})
    answer = link.getresponse()
    reply = Reply(answer.status, json.loads(answer.read()), "")
    link.close()
    return reply, answer.headers["retry-after"]


def _until_in_flight(home: GatewayProcess, token: str, count: int) -> None:
    end = time.monotonic() + 8
    while time.monotonic() < end:
        found = [home.ask("GET", f"/v1/calls/slow{number}", token=token).code for number in range(count)]
        if found == ["call_in_flight"] * count:
            return
        time.sleep(0.05)
    raise AssertionError(found)
