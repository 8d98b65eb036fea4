"""Replies that lie, drip, flood or point elsewhere: each ends in one of our errors, in time, and with nothing shown."""

import socket
import threading
import time

import pytest
from tests.support.fake_gateway import API_KEY, FakeGateway, Raw, problem

from langguard.client import Guard
from langguard.errors import GatewayUnavailableError, LangguardError, OutcomeUnknownError
from langguard.protocol import CallRequest, SqlCall

REQUEST = CallRequest(id="call_1", call=SqlCall(connection="shop", statement="SELECT 1"))


def http(body: bytes, kind: str = "application/json", status: str = "200 OK", extra: str = "") -> Raw:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return Raw(head.encode() + body)


DEEP = b'{"call_id":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
TABLE = [
    pytest.param(http(b"<html>Login</html>", "text/html"), id="a login page"),
    pytest.param(http(b"not json"), id="not JSON"),
    pytest.param(http(b"{}"), id="nothing in it"),
    pytest.param(http(b""), id="empty"),
    pytest.param(http(b"\xff\xfe{}"), id="not UTF-8"),
    pytest.param(http(DEEP), id="nested without end"),
    pytest.param(http(b"null"), id="null"),
    pytest.param(http(b"[]"), id="a list"),
    pytest.param(http(b"{}", status="302 Found", extra="Location: http://evil.example/\r\n"), id="a redirect"),
    pytest.param(
        http(b"{}", status="307 Temporary Redirect", extra="Location: /v1/other\r\n"),
        id="a redirect that keeps the method",
    ),
    pytest.param(http(b"{}", status="500 Oops"), id="an error that is no problem document"),
    pytest.param(http(b"gone", "text/plain", status="502 Bad Gateway"), id="a proxy's error"),
    pytest.param(http(b"\x1f\x8b\x08\x00", extra="Content-Encoding: gzip\r\n"), id="compressed, though not asked for"),
    pytest.param(problem(500, "internal", "boom"), id="the gateway failed"),
    pytest.param(problem(418, "teapot", "?"), id="a code nobody knows"),
    pytest.param(
        Raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{}"),
        id="a length that never comes",
    ),
    pytest.param(
        Raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: -5\r\n\r\n{}"),
        id="a negative length",
    ),
    pytest.param(
        Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\nZZ\r\n{}"),
        id="a broken chunk",
    ),
    pytest.param(Raw(b"SSH-2.0-OpenSSH_9.6\r\n"), id="not HTTP"),
    pytest.param(Raw(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 500 + b"\r\n"), id="headers without end"),
    pytest.param(Raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000), id="one header without end"),
    pytest.param(Raw(b"HTTP/1.1 999999 OK\r\n\r\n"), id="a status that is none"),
    pytest.param(Raw(b"\x00" * 1000), id="zero bytes"),
]


@pytest.fixture
def gateway():
    with FakeGateway() as made:
        yield made


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("langguard.client.guard._LOOK_UP_AFTER", (0.0,))


@pytest.mark.parametrize("fault", TABLE)
@pytest.mark.parametrize("path", ["POST /v1/sessions", "POST /v1/calls"])
def test_a_reply_that_can_not_be_read_is_no_reply(gateway, path, fault):
    gateway.faults[path] = [fault]
    with Guard(gateway.url, API_KEY, timeout=5) as guard, pytest.raises(LangguardError) as caught:
        guard.call(REQUEST)
    assert isinstance(caught.value, (GatewayUnavailableError, OutcomeUnknownError))
    text = str(caught.value)
    assert "\n" not in text
    assert "secret" not in text
    assert "hidden" not in text


def answered(gateway, **changes):
    import msgspec

    answer = msgspec.to_builtins(gateway.allow(REQUEST))
    answer.update(changes)
    return http(msgspec.json.encode({key: value for key, value in answer.items() if value is not None}))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"surprise": 1}, id="an unknown field"),
        pytest.param({"decision": None}, id="no decision"),
        pytest.param({"decision": {"effect": "permit", "reason": "r", "message": "m"}}, id="a decision that is none"),
        pytest.param({"intent": None}, id="no receipt of the intent"),
        pytest.param({"call_id": "call_2"}, id="the answer to another call"),
        pytest.param({"intent": {"entry": "1", "leaf": "x"}}, id="a field of another type"),
    ],
)
def test_an_answer_of_another_shape_is_none(gateway, changes):
    gateway.faults["POST /v1/calls"] = [lambda *_: answered(gateway, **changes)]
    with Guard(gateway.url, API_KEY) as guard, pytest.raises(GatewayUnavailableError):
        guard.call(REQUEST)


@pytest.mark.parametrize("path", ["POST /v1/sessions", "POST /v1/calls"])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 5000, drip=0.05), id="dripping headers"),
        pytest.param(
            Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b" " * 5000, drip=0.05), id="a dripping body"
        ),
        pytest.param(Raw(b"", before=3.0), id="silence"),
    ],
)
def test_one_deadline_for_the_whole_reply(gateway, path, fault):
    gateway.faults[path] = [fault]
    guard = Guard(gateway.url, API_KEY, timeout=0.4)
    started = time.monotonic()
    with pytest.raises((GatewayUnavailableError, OutcomeUnknownError), match="did not answer within"):
        guard.call(REQUEST)
    assert time.monotonic() - started < 2.0
    guard._transport.close()


def test_a_flood_is_cut_off(gateway, monkeypatch):
    monkeypatch.setattr("langguard.client.http.MOST_BYTES", 10_000)
    gateway.faults["POST /v1/calls"] = [http(b" " * 1_000_000)]
    with Guard(gateway.url, API_KEY) as guard, pytest.raises(LangguardError, match="larger than"):
        guard.call(REQUEST)


def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else(gateway):
    with FakeGateway() as other:
        to = f"Location: {other.url}/v1/calls\r\n"
        gateway.faults["POST /v1/calls"] = [http(b"{}", status="307 Temporary Redirect", extra=to)]
        with Guard(gateway.url, API_KEY) as guard, pytest.raises(GatewayUnavailableError, match="redirect"):
            guard.call(REQUEST)
        assert other.requests == []


def test_bytes_nobody_asked_for_are_not_taken_for_the_next_answer(gateway):
    """Response splitting: an answer prepared by the peer on a kept connection must not answer the next call."""
    with Guard(gateway.url, API_KEY) as guard:
        guard.call(REQUEST)
        planted = answered(gateway, call_id="call_9", result={"columns": [{"name": "n"}], "rows": [[666]]}).content
        for one in list(gateway.sockets):
            one.sendall(planted)
        time.sleep(0.05)
        request = CallRequest(id="call_9", call=SqlCall(connection="shop", statement="SELECT 2"))
        assert guard.call(request).result.rows == ((1,),)
        assert [call.id for call in gateway.calls] == ["call_1", "call_9"]


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    guard = Guard(f"http://127.0.0.1:{port}", API_KEY)
    with pytest.raises(GatewayUnavailableError, match="can't be reached"):
        guard.call(REQUEST)


def test_tls_that_is_not_trusted_is_not_spoken_to():
    """A server without a trusted certificate never sees the token."""
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept():
            link, _ = server.accept()
            with link:
                seen.append(link.recv(4096))
                link.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=accept)
        thread.start()
        guard = Guard(f"https://127.0.0.1:{server.getsockname()[1]}", API_KEY, timeout=3)
        with pytest.raises(GatewayUnavailableError):
            guard.call(REQUEST)
        thread.join()
    assert API_KEY.encode() not in b"".join(seen)


def test_no_raw_exception_and_no_token_in_a_traceback(gateway):
    import traceback

    gateway.faults["POST /v1/calls"] = [Raw(b"\x00")]
    with Guard(gateway.url, API_KEY) as guard:
        try:
            guard.call(REQUEST)
        except LangguardError as failed:
            text = "".join(traceback.TracebackException.from_exception(failed, capture_locals=True).format())
    assert API_KEY not in text
    assert "BadStatusLine" not in text.replace("(BadStatusLine)", "")
