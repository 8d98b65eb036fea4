"""What one client can do to all the others by asking for much, asking slowly, or never ending what it began."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.support.gateway import SLOW, GatewayProcess, Reply, connection, sqlite_shop, until

ROOT = Path(__file__).parents[2]
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


def _open(home: GatewayProcess, sent: bytes) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", home.port), timeout=20)
    with contextlib.suppress(ConnectionError):  # it may be closed while there is more to send
        link.sendall(sent)
    return link


def _head(token: str, length: int, path: str = "/v1/calls") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n"
    ).encode()


def _said(link: socket.socket) -> bytes:
    """Return what is answered until the connection is closed."""
    said = b""
    with link, contextlib.suppress(ConnectionError):
        while more := link.recv(65536):
            said += more
    return said


def test_what_is_never_finished_is_given_up(loaded: GatewayProcess) -> None:
    token = loaded.session(loaded.key())["token"]
    begun = time.monotonic()
    silent = _open(loaded, b"")
    half = [_open(loaded, b"GET /healthz HTTP/1.1\r\nhost: x\r\n") for _ in range(50)]
    lines = _open(loaded, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    body = [_open(loaded, _head(token, 1000) + b" " * 990) for _ in range(5)]
    late = _open(loaded, _head("lgs_nobody", 1000) + b" " * 990)

    answered = b""
    while not answered.endswith(b"}"):
        answered += lines.recv(65536)
    while time.monotonic() < begun + 3:  # fed nothing but ends of lines, its connection is not idle, nor at work
        lines.sendall(b"\r\n")
        time.sleep(0.2)

    for link in body:
        said = _said(link)
        assert said.startswith(b"HTTP/1.1 408")
        assert b'"too_slow"' in said
    assert time.monotonic() - begun < 12
    assert [_said(link) for link in (silent, *half, lines)] == [b""] * 52
    assert time.monotonic() - begun < 15
    assert _said(late).startswith(b"HTTP/1.1 401")
    assert time.monotonic() - begun < 18


@pytest.mark.parametrize(("path", "length"), [("/v1/sessions", 70_000), ("/v1/calls", 8_500_000)])
def test_a_body_is_no_larger_than_its_route_needs(loaded: GatewayProcess, path: str, length: int) -> None:
    key = loaded.key()
    token = loaded.session(key)["token"] if path == "/v1/calls" else key
    said = _said(_open(loaded, _head(token, length, path) + b" " * length))
    # Where the rest is thrown away the system may drop the answer with it; the connection is closed either way.
    assert said == b"" or said.startswith(b"HTTP/1.1 413")


def test_a_head_has_an_end(loaded: GatewayProcess) -> None:
    with _open(loaded, b"GET /healthz HTTP/1.1\r\n") as link, pytest.raises(ConnectionError):
        _feed(link)


def _feed(link: socket.socket) -> None:
    for number in range(2000):
        link.sendall(f"x-{number}: {'x' * 1000}\r\n".encode())
        time.sleep(0.0005)


def test_large_bodies_on_their_way_take_no_more_than_their_share_of_memory(loaded: GatewayProcess) -> None:
    token = loaded.session(loaded.key())["token"]
    before = _resident(loaded.pid)
    size = 8 * 1024 * 1024 - 10
    with ThreadPoolExecutor(8) as threads:
        links = list(threads.map(lambda _: _open(loaded, _head(token, size + 10) + b" " * size), range(30)))
    assert _resident(loaded.pid) - before < 250 * 1024 * 1024
    assert loaded.sql(token, "SELECT id FROM orders", call="small").status == 200
    for link in links:
        link.close()


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(pid)


def test_a_gateway_started_for_a_run_ends_with_it_however_that_ends(tmp_path: Path) -> None:
    text = (
        "import sys, time; from pathlib import Path; from tests.support.gateway import GatewayProcess, connection\n"
        "home = GatewayProcess(Path(sys.argv[1]), connection('shop', 'sqlite', credential='{value: ./shop.db}'))\n"
        "print(home.start().pid, flush=True); time.sleep(60)"
    )
    sqlite_shop(tmp_path / "shop.db")
    with subprocess.Popen([sys.executable, "-c", text, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        run.kill()
    until(lambda: not Path(f"/proc/{pid}").exists(), 15, what="the gateway has ended")
