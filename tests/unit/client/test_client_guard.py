"""The client against a real HTTP server: sessions, bodies sent once, recovery, pinned checkpoints."""

import copy
import multiprocessing
import pickle
import threading

import msgspec
import pytest
from tests.support.fake_gateway import API_KEY, FakeGateway, Raw, Signer, problem

from langguard.client import Guard
from langguard.client.http import Endpoint
from langguard.errors import (
    ConfigError,
    GatewayUnavailableError,
    LedgerError,
    NotNowError,
    OutcomeUnknownError,
    ProtocolMismatchError,
    SessionEndedError,
)
from langguard.protocol import (
    CallRequest,
    ConnectionInfo,
    Context,
    Observation,
    OutcomeReport,
    SqlCall,
)

NUMBERS = iter(range(10**6))


def sql(statement="SELECT 1", connection="shop", **more):
    return CallRequest(id=f"call_{next(NUMBERS)}", call=SqlCall(connection=connection, statement=statement), **more)


@pytest.fixture
def gateway():
    with FakeGateway() as made:
        yield made


@pytest.fixture
def agent_gateway():
    connections = (
        ConnectionInfo(
            name="shop", kind="sql", dialect="postgres", custody="agent", target="postgresql://db:5432/shop"
        ),
    )
    with FakeGateway(connections) as made:
        yield made


@pytest.fixture
def guard(gateway):
    with Guard(gateway.url, API_KEY) as made:
        yield made


def paths(gateway):
    return [f"{method} {path}" for method, path, _, _ in gateway.requests]


# ---- sessions


def test_nothing_is_sent_before_it_is_needed_and_the_session_is_ended(gateway):
    with Guard(gateway.url, API_KEY, agent="demo") as guard:
        assert gateway.requests == []
        assert guard.call(sql()).result.rows == ((1,),)
        assert guard.session.principal == "ana@example.com"
        assert guard.session.token == ""
        assert len(gateway.sessions) == 1
    assert gateway.sessions == {}
    assert paths(gateway)[0] == "POST /v1/sessions"
    assert next(token for _, path, token, _ in gateway.requests if path == "/v1/calls").startswith("lgs_")


def test_a_session_token_is_used_as_it_is_and_not_ended(gateway):
    with Guard(gateway.url, API_KEY) as opener:
        opener.call(sql())
        token = next(iter(gateway.sessions))
        with Guard(gateway.url, token) as guard:
            guard.call(sql())
        assert token in gateway.sessions


def test_many_threads_open_one_session(gateway, guard):
    threads = [threading.Thread(target=guard.call, args=(sql(),)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert paths(gateway).count("POST /v1/sessions") == 1
    assert len(gateway.calls) == 16


def test_an_ended_session_ends_its_call_and_the_next_call_opens_another(gateway, guard):
    guard.call(sql())
    gateway.sessions.clear()
    with pytest.raises(SessionEndedError):
        guard.call(sql())
    assert guard.call(sql()).result is not None
    assert paths(gateway).count("POST /v1/sessions") == 2


def test_a_session_token_that_ended_stays_ended(gateway):
    with Guard(gateway.url, API_KEY) as opener:
        opener.call(sql())
        token = next(iter(gateway.sessions))
        with Guard(gateway.url, token) as guard:
            guard.call(sql())
            gateway.sessions.clear()
            for _ in range(2):
                with pytest.raises(SessionEndedError):
                    guard.call(sql())


def test_the_same_client_works_again_after_the_gateway_came_back(gateway, guard):
    guard.call(sql())
    gateway.stop()
    with pytest.raises(GatewayUnavailableError):
        guard.call(sql())
    gateway.sessions.clear()
    gateway.start()
    with pytest.raises(SessionEndedError):
        guard.call(sql())
    assert guard.call(sql()).result is not None


def test_an_expired_session_is_replaced_before_the_call(gateway):
    gateway.ttl_us = -1
    with Guard(gateway.url, API_KEY) as guard:
        guard.call(sql())
        guard.call(sql())
    assert paths(gateway).count("POST /v1/sessions") == 2


def test_a_closed_guard_asks_nothing(gateway):
    guard = Guard(gateway.url, API_KEY)
    guard.close()
    with pytest.raises(SessionEndedError, match="closed"):
        guard.call(sql())
    assert gateway.requests == []


def test_closing_without_a_gateway_is_told_and_raises_nothing(gateway, caplog):
    guard = Guard(gateway.url, API_KEY)
    guard.call(sql())
    gateway.stop()
    guard.close()
    assert "could not be ended" in caplog.text


def test_a_refused_key_is_not_shown_even_when_the_gateway_quotes_it(gateway):
    with Guard(gateway.url, "lgk_wrong_key_value") as guard, pytest.raises(SessionEndedError) as caught:
        guard.call(sql())
    assert "lgk_wrong_key_value" not in str(caught.value)


@pytest.mark.parametrize("answer", ["version", "problem"])
def test_no_common_version(gateway, guard, answer):
    def other(method, path, token, body):
        if answer == "problem":
            return problem(426, "protocol_mismatch", "Speaks 7.")
        return msgspec.structs.replace(gateway.route(method, path, token, body), protocol=7)

    gateway.faults["POST /v1/sessions"] = [other]
    with pytest.raises(ProtocolMismatchError):
        guard.call(sql())


# ---- bodies


def test_each_text_is_sent_once(gateway, guard):
    from hashlib import sha256

    texts = {sha256(text.encode()).hexdigest(): text for text in ("one", "two")}
    context = Context(messages=tuple(texts))
    for _ in range(3):
        guard.call(sql(context=context, bodies=texts))
    assert [len(call.bodies) for call in gateway.calls] == [2, 0, 0]


def test_forgotten_texts_are_sent_again_once(gateway, guard):
    from hashlib import sha256

    texts = {sha256(text.encode()).hexdigest(): text for text in ("one", "two")}
    context = Context(messages=tuple(texts))
    guard.call(sql(context=context, bodies=texts))
    gateway.bodies[next(iter(gateway.bodies))].clear()
    assert guard.call(sql(context=context, bodies=texts)).result is not None
    assert paths(gateway).count("POST /v1/calls") == 3
    gateway.faults["POST /v1/calls"] = [problem(409, "unknown_bodies", "", tuple(texts))] * 2
    with pytest.raises(GatewayUnavailableError):
        guard.call(sql(context=context, bodies=texts))


def test_texts_the_call_does_not_refer_to_are_not_given(gateway, guard):
    gateway.faults["POST /v1/calls"] = [problem(409, "unknown_bodies", "", ("ab" * 32,))]
    with pytest.raises(GatewayUnavailableError):
        guard.call(sql())


# ---- recovery: one act, one id


def test_a_kept_connection_that_was_closed_is_replaced(gateway, guard):
    guard.call(sql())
    gateway.drop_connections()
    assert guard.call(sql()).result is not None
    assert len(gateway.ran) == 2


@pytest.mark.parametrize(
    "content", [None, b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"]
)
def test_a_reply_that_broke_off_is_fetched_and_nothing_runs_twice(gateway, guard, content):
    def run_and_break(method, path, token, body):
        gateway.route(method, path, token, body)
        return Raw(content)

    guard.call(sql())
    gateway.faults["POST /v1/calls"] = [run_and_break]
    request = sql()
    assert guard.call(request).call_id == request.id
    assert gateway.ran.count(request.id) == 1
    assert {call.id for call in gateway.calls} == set(gateway.ran)


def test_a_call_still_running_is_waited_for(gateway, guard):
    guard.call(sql())
    gateway.faults["POST /v1/calls"] = [lambda *a: (gateway.route(*a), problem(409, "call_in_flight"))[1]]
    gateway.faults["GET *"] = [problem(409, "call_in_flight"), problem(503, "overloaded")]
    assert guard.call(sql()).result is not None


def test_a_call_that_can_not_be_looked_up_is_unknown_at_the_gateway(gateway, guard, monkeypatch):
    monkeypatch.setattr("langguard.client.guard._LOOK_UP_AFTER", (0.0, 0.01))
    guard.call(sql())
    gateway.faults["POST /v1/calls"] = [Raw(None)] * 2
    request = sql()
    with pytest.raises(OutcomeUnknownError) as caught:
        guard.call(request)
    assert caught.value.call_id == request.id


def test_a_call_that_can_not_be_looked_up_did_not_run_in_custody_agent(agent_gateway, monkeypatch):
    monkeypatch.setattr("langguard.client.guard._LOOK_UP_AFTER", (0.0, 0.01))
    with Guard(agent_gateway.url, API_KEY) as guard:
        guard.call(sql())
        agent_gateway.faults["POST /v1/calls"] = [Raw(None)] * 2
        with pytest.raises(GatewayUnavailableError, match="Nothing ran"):
            guard.call(sql())


def test_a_receipt_that_broke_off_is_fetched(agent_gateway):
    def record_and_break(method, path, token, body):
        agent_gateway.route(method, path, token, body)
        return Raw(b"HTTP/1.1 200")

    with Guard(agent_gateway.url, API_KEY) as guard:
        request = sql()
        guard.call(request)
        agent_gateway.faults[f"POST /v1/calls/{request.id}/outcome"] = [record_and_break]
        receipt = guard.report(request.id, OutcomeReport(status="ok", duration_us=1))
        assert receipt.outcome.entry == agent_gateway.size - 1
        assert len(agent_gateway.outcomes) == 1


def test_a_call_is_reported_in_the_session_it_was_asked_in(agent_gateway):
    with Guard(agent_gateway.url, API_KEY) as guard:
        request = sql()
        guard.call(request)
        agent_gateway.sessions.clear()
        with pytest.raises(SessionEndedError):
            guard.report(request.id, OutcomeReport(status="ok", duration_us=1))
        assert paths(agent_gateway).count("POST /v1/sessions") == 1
        with pytest.raises(SessionEndedError):
            guard.report("call_never_asked", OutcomeReport(status="ok", duration_us=1))


def test_not_now_says_when(gateway, guard):
    gateway.faults["POST /v1/calls"] = [problem(503, "overloaded", "Too many calls.")]
    with pytest.raises(NotNowError) as caught:
        guard.call(sql())
    assert caught.value.retry_after > 0


# ---- checkpoints


def shrink(gateway):
    gateway.size = 1


def fork(gateway):
    gateway.signer.note = lambda size, root=None, real=gateway.signer.note: real(size, b"x" * 32)
    gateway.size -= 2


def other_key(gateway):
    gateway.signer = Signer()


def unsigned(gateway):
    gateway.checkpoint = lambda: gateway.signer.note(gateway.size).replace("\n\n", "\n9\n\n")


def none(gateway):
    gateway.checkpoint = lambda: ""


@pytest.mark.parametrize("change", [shrink, fork, other_key, unsigned, none])
def test_a_rewritten_ledger_is_noticed(gateway, guard, change):
    for _ in range(3):
        guard.call(sql())
    change(gateway)
    with pytest.raises(LedgerError):
        guard.call(sql())


def test_another_ledger_behind_the_same_address_is_noticed_across_sessions(gateway, guard):
    guard.call(sql())
    gateway.signer = Signer("langguard/other")
    gateway.sessions.clear()
    with pytest.raises(SessionEndedError):
        guard.call(sql())
    with pytest.raises(LedgerError, match="rewritten"):
        guard.call(sql())


def test_answers_that_overtake_each_other_are_no_rewrite(gateway, guard):
    slow = threading.Event()

    def script(request):
        answer = gateway.allow(request)
        if request.call.statement == "slow":
            slow.wait(5)
        return answer

    gateway.script = script
    guard.call(sql())
    got = []
    thread = threading.Thread(target=lambda: got.append(guard.call(sql("slow"))))
    thread.start()
    while not any(call.call.statement == "slow" for call in gateway.calls):
        pass
    for _ in range(3):
        guard.call(sql())
    slow.set()
    thread.join()
    assert len(got) == 1


# ---- what is never shown, and never copied


def test_no_credential_in_any_text(gateway, guard):
    guard.call(sql())
    shown = f"{guard!r} {guard._credential!r} {guard._session!r} {guard._transport!r} {vars(guard)!r}"
    assert "secret" not in shown
    assert "hidden" not in shown


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_guard_is_not_copied(guard, way):
    with pytest.raises(TypeError, match="Guard"):
        way(guard)


def _child(guard, queue):
    queue.put(guard.call(sql()).result.rows)


def test_a_forked_child_uses_connections_of_its_own(gateway, guard):
    guard.call(sql())
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)  # forking beside threads warns from Python 3.12 on
        child = context.Process(target=_child, args=(guard, queue))
        child.start()
    assert queue.get(timeout=20) == ((1,),)
    child.join()
    assert guard.call(sql()).result is not None


# ---- connections and settings


TARGETS = (
    ConnectionInfo(
        name="shop", kind="sql", dialect="postgres", custody="agent", target="postgresql://db.internal:5432/shop"
    ),
    ConnectionInfo(name="shop2", kind="sql", dialect="postgres", custody="agent", target="postgresql://127.0.0.1/shop"),
    ConnectionInfo(name="twin_a", kind="sql", dialect="postgres", custody="agent", target="postgresql://twin:1/x"),
    ConnectionInfo(name="twin_b", kind="sql", dialect="postgres", custody="agent", target="postgresql://twin:1/x"),
    ConnectionInfo(name="file", kind="sql", dialect="sqlite", custody="agent", target="sqlite:////data/app.db"),
    ConnectionInfo(name="far", kind="sql", dialect="postgres", custody="gateway"),
)


@pytest.mark.parametrize(
    ("engine", "name"),
    [
        pytest.param(("postgresql", "DB.internal", None, "shop"), "shop", id="the dialect's own port"),
        pytest.param(("postgresql", "localhost", 5432, "shop"), "shop2", id="localhost by any name"),
        pytest.param(("sqlite", None, None, "/data/app.db"), "file", id="a file by its path"),
        pytest.param(("postgresql", "db.internal", 5433, "shop"), None, id="another port"),
        pytest.param(("postgresql", "db.internal", None, "Shop"), None, id="another database"),
        pytest.param(("mysql", "db.internal", 5432, "shop"), None, id="another dialect"),
        pytest.param(("postgresql", "twin", 1, "x"), None, id="several: refused, and told how to name one"),
        pytest.param(("sqlite", None, None, None), None, id="a database in memory"),
    ],
)
def test_the_connection_is_found_by_where_the_engine_leads(engine, name):
    with FakeGateway(TARGETS) as gateway, Guard(gateway.url, API_KEY) as guard:
        if name is not None:
            assert guard.find_connection(*engine).name == name
            return
        with pytest.raises(ConfigError, match="connection="):
            guard.find_connection(*engine)


def test_an_unknown_connection_is_told_with_those_there_are(guard):
    with pytest.raises(ConfigError, match="shop"):
        guard.connection("nope")


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "LANGGUARD_URL"),
        ({"LANGGUARD_URL": "https://g"}, "LANGGUARD_TOKEN"),
        ({"LANGGUARD_URL": "https://g", "LANGGUARD_TOKEN": "whatever"}, "lgk_"),
        ({"LANGGUARD_URL": "https://g", "LANGGUARD_TOKEN": "lgk_a\nb"}, "lgk_"),
        ({"LANGGUARD_URL": "https://g", "LANGGUARD_TOKEN": "lgk_x", "LANGGUARD_TIMEOUT": "soon"}, "LANGGUARD_TIMEOUT"),
        ({"LANGGUARD_URL": "https://g", "LANGGUARD_TOKEN": "lgk_x", "LANGGUARD_TIMEOUT": "nan"}, "LANGGUARD_TIMEOUT"),
        ({"LANGGUARD_URL": "https://g", "LANGGUARD_TOKEN": "lgk_x", "LANGGUARD_TIMEOUT": "0"}, "LANGGUARD_TIMEOUT"),
    ],
)
def test_a_missing_setting_is_one_sentence(monkeypatch, environment, says):
    for name in ("LANGGUARD_URL", "LANGGUARD_TOKEN", "LANGGUARD_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=says) as caught:
        Guard()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gateway:80",
        "ftp://g",
        "http://g.example.com",
        "http://10.0.0.1:8181",
        "https://u:p@g",
        "https://g/?a=b",
        "https://g:99999",
        "http://127.0.0.1.evil.example",
        "https://g\n/x",
        "http://2130706433",
    ],
)
def test_addresses_that_are_refused(url):
    with pytest.raises(ConfigError):
        Endpoint.parse(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8181", "http://127.0.0.1:8181"),
        ("http://[::1]:8181/", "http://[::1]:8181"),
        ("http://localhost", "http://localhost:80"),
        ("https://g.example.com/guard/", "https://g.example.com:443/guard"),
    ],
)
def test_addresses_that_are_taken(url, shown):
    assert str(Endpoint.parse(url)) == shown


def test_plain_http_to_another_machine_is_a_choice():
    assert Endpoint.parse("http://gateway.internal", plain_http=True).port == 80


def test_the_default_guard_is_one_a_process(gateway, monkeypatch):
    from langguard.client.default import default_guard, forget_default_guard

    monkeypatch.setenv("LANGGUARD_URL", gateway.url)
    monkeypatch.setenv("LANGGUARD_TOKEN", API_KEY)
    forget_default_guard()
    assert default_guard() is default_guard()
    assert default_guard().call(sql()).result is not None
    forget_default_guard()
    assert gateway.sessions == {}


def test_an_observation_is_recorded(gateway, guard):
    guard.observe(Observation(kind="answer", text="42"))
    assert [seen.text for seen in gateway.observations] == ["42"]
