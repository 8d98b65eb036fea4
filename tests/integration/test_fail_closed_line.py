"""P1 on the line between client and gateway: whatever happens to a request or its answer, no row comes through.

Each fault gives the developer one typed exception and the model one sentence, the agent's run goes on, the same objects
work once the fault is gone, and no statement ever runs twice.
"""

import socket
import threading
import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine
from tests.support.gateway import EMAIL, NAME, SharedGateway, guarded, run_agent
from tests.support.proxy import Proxy

from langguard.errors import (
    GatewayUnavailableError,
    LangguardError,
    OutcomeUnknownError,
    ProtocolMismatchError,
    SessionEndedError,
)

READ = "SELECT id, email FROM customers ORDER BY id"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for a lost call with shorter waits."""
    monkeypatch.setattr("langguard.client.guard._LOOK_UP_AFTER", (0.0, 0.05, 0.1))
    monkeypatch.setattr("langguard.client.guard._LOOK_UP_TIMEOUT", 0.25)


@pytest.fixture(scope="module")
def key(gateway: SharedGateway) -> str:
    return gateway.key("line", "analysts", "writers")


class Line:
    """A guarded database whose gateway is behind a proxy."""

    def __init__(self, gateway: SharedGateway, proxy: Proxy, key: str) -> None:
        self.gateway, self.proxy = gateway, proxy
        self.guard, self.db = guarded(proxy.url, key, timeout=0.6)
        assert "id" in str(self.db.run(READ, include_columns=True))  # the session is open, the connection kept
        self.proxy.seen.clear()

    def works(self) -> None:
        rows = self.db.run(READ)
        assert "1, '<EMAIL_" in rows
        assert EMAIL not in rows

    def outcomes(self, statement: str) -> int:
        """Count the outcomes recorded for a statement in this client's session."""
        entries = self.gateway.timeline(self.guard.session.id)
        calls = [
            entry["data"]["call"]
            for entry in entries
            if entry["kind"] == "intent" and entry["texts"]["asked"].get("statement") == statement
        ]
        return sum(1 for entry in entries if entry["kind"] == "outcome" and entry["data"]["call"] in calls)


@pytest.fixture
def line(gateway: SharedGateway, key: str) -> Iterator[Line]:
    with Proxy(gateway.port).running() as proxy:
        made = Line(gateway, proxy, key)
        yield made
        made.proxy.heal()
        made.guard.close()


def no_row(text: str) -> None:
    assert "EMAIL_" not in text
    assert EMAIL not in text
    assert NAME not in text


def raw(status: str, kind: str, body: str) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()


FAULTS = [
    pytest.param("refuse", OutcomeUnknownError, id="the connection is closed without an answer"),
    pytest.param("hang", OutcomeUnknownError, id="the gateway accepts and never answers"),
    pytest.param(b"\x00\xff\x00garbage\r\n\r\n", OutcomeUnknownError, id="the answer is not HTTP"),
    pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{", OutcomeUnknownError, id="the answer is cut off"),
    pytest.param(
        raw("200 OK", "text/html", "<h1>Welcome</h1>"), GatewayUnavailableError, id="the answer is a web page"
    ),
    pytest.param(raw("200 OK", "application/json", "{}"), GatewayUnavailableError, id="the answer is another JSON"),
    pytest.param(raw("200 OK", "application/json", "[" * 5000), GatewayUnavailableError, id="the answer is deep JSON"),
    pytest.param(raw("302 Found", "text/html", "") + b"", GatewayUnavailableError, id="the answer is a redirect"),
    pytest.param(raw("500 X", "text/plain", "boom"), GatewayUnavailableError, id="the answer is a bare 500"),
    pytest.param(
        raw("426 X", "application/problem+json", '{"type":"x","title":"t","status":426,"code":"protocol_mismatch"}'),
        ProtocolMismatchError,
        id="the gateway speaks another protocol by now",
    ),
    pytest.param(
        raw("401 X", "application/problem+json", '{"type":"x","title":"t","status":401,"code":"session_ended"}'),
        SessionEndedError,
        id="the token is not accepted any more",
    ),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_a_fault_gives_one_exception_and_no_row(line: Line, fault, kind):
    line.proxy.fault = lambda _method, _path: fault
    with pytest.raises(LangguardError) as failed:
        line.db.run(READ)
    assert isinstance(failed.value, (kind, GatewayUnavailableError))
    assert isinstance(failed.value, kind), repr(failed.value)
    no_row(str(failed.value))
    assert "\n" not in str(failed.value)
    line.proxy.heal()
    line.works()


@pytest.mark.parametrize(("fault", "kind"), FAULTS)
def test_a_fault_gives_the_model_one_sentence_and_the_run_goes_on(line: Line, fault, kind):
    line.proxy.first(fault, "POST", "/v1/calls", times=2)
    calls, looked_up = [], line.proxy.fault

    def broken(method: str, path: str):
        if method == "GET" and not calls:
            return fault  # the stored answer can't be fetched either
        return looked_up(method, path)

    line.proxy.fault = broken
    first, second = run_agent(_healed_between(line, calls), READ, READ)
    assert first.startswith("Error: ")
    assert "\n" not in first
    no_row(first)
    assert "1, '<EMAIL_" in second


def _healed_between(line: Line, calls: list):
    """Return the database; the line heals after its first statement was answered."""
    real = line.db.run_no_throw

    def run(command: str, *more, **options):
        try:
            return real(command, *more, **options)
        finally:
            calls.append(command)
            line.proxy.heal()

    object.__setattr__(line.db, "run_no_throw", run)
    return line.db


@pytest.mark.parametrize("fault", ["drop", "half", "late"])
class TestLostAnswers:
    """The gateway ran the statement, and its answer did not arrive: it is fetched, never asked for anew."""

    def test_a_lost_answer_is_fetched(self, line: Line, fault: str):
        line.proxy.first(fault, "POST", "/v1/calls")
        line.works()
        assert line.outcomes(READ) == 2  # with the one that opened the line

    def test_a_lost_write_has_run_once(self, line: Line, fault: str):
        number = uuid.uuid4().int % 10**9
        line.db.run(f"INSERT INTO counters (id, n) VALUES ({number}, 0)")
        line.proxy.first(fault, "POST", "/v1/calls")
        bump = f"UPDATE counters SET n = n + 1 WHERE id = {number}"
        line.db.run(bump)
        assert line.db.run(f"SELECT n FROM counters WHERE id = {number}") == "[(1,)]"
        assert line.outcomes(bump) == 1

    def test_a_write_whose_answer_never_comes_is_unknown_and_has_run_once(self, line: Line, fault: str):
        number = uuid.uuid4().int % 10**9
        line.db.run(f"INSERT INTO counters (id, n) VALUES ({number}, 0)")
        line.proxy.fault = lambda _method, path: fault if path.startswith("/v1/calls") else "pass"
        bump = f"UPDATE counters SET n = n + 1 WHERE id = {number}"
        with pytest.raises(OutcomeUnknownError) as unknown:
            line.db.run(bump)
        assert unknown.value.call_id in str(unknown.value)
        line.proxy.heal()
        assert line.db.run(f"SELECT n FROM counters WHERE id = {number}") == "[(1,)]"
        assert line.outcomes(bump) == 1


def test_a_statement_that_never_arrived_has_not_run(line: Line):
    number = uuid.uuid4().int % 10**9
    line.db.run(f"INSERT INTO counters (id, n) VALUES ({number}, 0)")
    line.proxy.fault = lambda _method, _path: "refuse"
    with pytest.raises(LangguardError):
        line.db.run(f"UPDATE counters SET n = n + 1 WHERE id = {number}")
    line.proxy.heal()
    assert line.db.run(f"SELECT n FROM counters WHERE id = {number}") == "[(0,)]"


def test_a_gateway_of_another_protocol_is_refused_when_the_session_opens(gateway, key, monkeypatch):
    monkeypatch.setattr("langguard.client.guard.SUPPORTED", (99,))
    with pytest.raises(ProtocolMismatchError, match="protocol"):
        guarded(gateway.url, key)


def test_the_gateway_says_which_protocols_it_speaks(gateway: SharedGateway, key: str):
    refused = gateway.ask("POST", "/v1/sessions", {"protocols": [99, 98], "client": "future"}, key)
    assert (refused.status, refused.code) == (426, "protocol_mismatch")
    assert "protocol 1" in refused.body["detail"]


class TestNobodyThere:
    """The address leads nowhere, or to something that accepts and never answers."""

    def test_nothing_listens(self, gateway: SharedGateway, key: str):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        with pytest.raises(GatewayUnavailableError, match="can't be reached"):
            guarded(f"http://127.0.0.1:{port}", key)

    def test_something_accepts_and_never_answers(self, gateway: SharedGateway, key: str):
        with (
            socket.create_server(("127.0.0.1", 0)) as silent,
            pytest.raises(GatewayUnavailableError, match="did not answer within"),
        ):
            guarded(f"http://127.0.0.1:{silent.getsockname()[1]}", key, timeout=0.5)

    def test_something_drips(self, gateway: SharedGateway, key: str):
        """A byte now and then does not keep the client waiting."""
        with socket.create_server(("127.0.0.1", 0)) as slow:
            over = threading.Event()

            def drip() -> None:
                link, _ = slow.accept()
                with link:
                    for byte in b"HTTP/1.1 200 OK\r\n" * 50:
                        if over.wait(0.05):
                            return
                        link.sendall(bytes([byte]))

            thread = threading.Thread(target=drip, daemon=True)
            thread.start()
            with pytest.raises(GatewayUnavailableError, match="did not answer within"):
                guarded(f"http://127.0.0.1:{slow.getsockname()[1]}", key, timeout=0.5)
            over.set()
            thread.join(5)


class TestAgentCustody:
    """The agent's process runs the statement itself: without a receipt the rows it holds are thrown away."""

    @pytest.fixture
    def direct(self, gateway: SharedGateway, key: str) -> Iterator[tuple]:
        from langguard import Guard, GuardedSQLDatabase

        with Proxy(gateway.port).running() as proxy:
            guard = Guard(proxy.url, key, timeout=0.6)
            engine = create_engine(f"sqlite:///{gateway.direct}")
            yield proxy, GuardedSQLDatabase(engine, guard=guard)
            proxy.heal()
            guard.close()
            engine.dispose()

    @pytest.mark.parametrize("fault", ["drop", "half", "late"])
    def test_a_lost_receipt_is_fetched(self, direct, fault):
        proxy, database = direct
        proxy.fault = lambda method, path: fault if method == "POST" and path.endswith("/outcome") else "pass"
        assert "1, '<EMAIL_" in database.run(READ)

    @pytest.mark.parametrize("fault", ["refuse", "hang", "drop", b"garbage", raw("200 OK", "application/json", "{}")])
    def test_no_receipt_no_rows(self, direct, fault):
        proxy, database = direct
        proxy.fault = lambda _method, path: "pass" if path == "/v1/calls" or "/sessions" in path else fault
        with pytest.raises(LangguardError) as failed:
            database.run(READ)
        assert isinstance(failed.value, OutcomeUnknownError)
        no_row(str(failed.value))
        proxy.heal()
        assert "1, '<EMAIL_" in database.run(READ)

    def test_receipts_come_before_rows(self, direct, gateway: SharedGateway):
        proxy, database = direct
        proxy.seen.clear()
        rows = database.run(READ)
        asked = [(method, path.rsplit("/", 1)[-1]) for method, path, _ in proxy.seen]
        assert asked == [("POST", "calls"), ("POST", "outcome")]
        assert NAME not in rows
