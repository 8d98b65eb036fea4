"""A call id is used once. Asked again, told by a lost reply or looked up, it is answered from the record."""

import concurrent.futures
import threading
import uuid

import pytest
from tests.support.gateway import SLOW, SharedGateway, until

OK = {"status": "ok", "duration_us": 5, "fetched": 1}
ROW = {"columns": [{"name": "id"}], "rows": [[1]]}


def new() -> str:
    return f"call-{uuid.uuid4().hex}"


@pytest.fixture
def token(gateway: SharedGateway) -> str:
    return gateway.session(gateway.key("writer", "analysts", "writers"))["token"]


def count(gateway: SharedGateway, token: str, table: int) -> int:
    answer = gateway.sql(token, f"SELECT n FROM counters WHERE id = {table}", call=new())
    return answer.body["result"]["rows"][0][0]


@pytest.fixture
def counter(gateway: SharedGateway, token: str) -> int:
    """The id of a counter of this test's own, at 0."""
    number = uuid.uuid4().int % 10**9
    made = gateway.sql(token, f"INSERT INTO counters (id, n) VALUES ({number}, 0)", call=new())
    assert made.body["result"]["affected"] == 1, made
    return number


def bump(counter: int) -> str:
    return f"UPDATE counters SET n = n + 1 WHERE id = {counter}"


def same(first: dict, second: dict) -> bool:
    """Compare two answers to one call; the ledger's head moves on, and a stored answer tells no times."""
    moving = ("checkpoint", "server_us")
    return {k: v for k, v in first.items() if k not in moving} == {k: v for k, v in second.items() if k not in moving}


def test_asking_again_gets_the_same_answer_and_runs_nothing(gateway, token, counter):
    call = new()
    first = gateway.sql(token, bump(counter), call=call)
    assert first.body["result"]["affected"] == 1
    for _ in range(3):
        assert same(first.body, gateway.sql(token, bump(counter), call=call).body)
    assert same(first.body, gateway.ask("GET", f"/v1/calls/{call}", token=token).body)
    assert count(gateway, token, counter) == 1


def test_asking_many_times_at_once_runs_once(gateway, token, counter):
    call, start = new(), threading.Barrier(8)

    def ask() -> object:
        start.wait()
        return gateway.sql(token, bump(counter), call=call)

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = [done.result() for done in [threads.submit(ask) for _ in range(8)]]
    assert {answer.status for answer in answers} == {200}
    assert all(same(answers[0].body, answer.body) for answer in answers)
    assert count(gateway, token, counter) == 1


def test_an_id_is_not_used_for_another_call(gateway, token, counter):
    call = new()
    assert gateway.sql(token, bump(counter), call=call).status == 200
    again = gateway.sql(token, "SELECT id FROM orders", call=call)
    assert (again.status, again.code) == (409, "call_id_reused")
    assert gateway.sql(token, bump(counter), "pg", call=call).code == "call_id_reused"
    assert count(gateway, token, counter) == 1


def test_an_id_is_not_used_for_another_call_while_the_first_runs(gateway, token):
    call = new()
    session = gateway.ask("GET", "/v1/session", token=token).body["id"]
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        slow = threads.submit(gateway.sql, token, SLOW, "pg", call=call)
        until(
            lambda: gateway.ask("GET", f"/v1/calls/{call}", token=token).code == "call_in_flight",
            what="the statement runs",
        )
        other = threads.submit(gateway.sql, token, "SELECT id FROM orders", call=call)
        try:
            reply = other.result(5)
        finally:
            gateway.ask("DELETE", f"/v1/sessions/{session}")
        assert (reply.status, reply.code) == (409, "call_id_reused")
        assert slow.result(10).code == "session_ended"


def test_a_denial_is_answered_again_too(gateway, token):
    call = new()
    first = gateway.sql(token, "DROP TABLE orders", call=call)
    assert first.body["decision"]["effect"] == "deny"
    assert same(first.body, gateway.sql(token, "DROP TABLE orders", call=call).body)
    assert same(first.body, gateway.ask("GET", f"/v1/calls/{call}", token=token).body)


def test_a_call_that_never_arrived_is_not_found(gateway, token):
    missing = gateway.ask("GET", f"/v1/calls/{new()}", token=token)
    assert (missing.status, missing.code) == (404, "not_found")


def test_a_call_of_another_session_is_not_found(gateway, token):
    call = new()
    assert gateway.sql(token, "SELECT id FROM orders", call=call).status == 200
    other = gateway.session(gateway.key())["token"]
    assert gateway.ask("GET", f"/v1/calls/{call}", token=other).code == "not_found"


@pytest.mark.parametrize("call", ["", "a" * 65, "a b", "a/b", "é", "../x", "a\u0000"])
def test_a_call_id_is_a_plain_word(gateway, token, call):
    assert gateway.sql(token, "SELECT 1", call=call).code == "invalid_request"


class TestAgentCustody:
    """The agent's process runs the statement: it gets a permission, reports, and is given a receipt or none."""

    @pytest.fixture
    def allowed(self, gateway: SharedGateway, token: str) -> str:
        call = new()
        permitted = gateway.sql(token, "SELECT id FROM orders", "direct", call=call).body
        assert permitted["statement"]
        assert permitted["obligations"]["rows"] == 100
        assert "result" not in permitted
        return call

    def report(self, gateway, token, call, **more):
        return gateway.ask("POST", f"/v1/calls/{call}/outcome", OK | {"result": ROW} | more, token)

    def test_a_report_gets_a_receipt_that_the_record_holds(self, gateway, token, allowed):
        done = self.report(gateway, token, allowed)
        assert done.status == 200
        session = gateway.ask("GET", "/v1/session", token=token).body["id"]
        last = gateway.timeline(session)[-1]
        assert last["entry"] == done.body["outcome"]["entry"]
        assert (last["kind"], last["source"], last["data"]["status"]) == ("outcome", "reported", "ok")
        assert last["texts"]["result"]["rows"] == [[1]]

    def test_the_stored_answer_holds_what_was_reported(self, gateway, token, allowed):
        receipt = self.report(gateway, token, allowed).body["outcome"]
        found = gateway.ask("GET", f"/v1/calls/{allowed}", token=token).body
        assert found["outcome"] == receipt
        assert found["result"]["rows"] == [[1]]

    def test_a_second_report_is_refused(self, gateway, token, allowed):
        assert self.report(gateway, token, allowed).status == 200
        again = self.report(gateway, token, allowed, result={"columns": [{"name": "id"}], "rows": [[2]]})
        assert (again.status, again.code) == (409, "not_reportable")
        assert gateway.ask("GET", f"/v1/calls/{allowed}", token=token).body["result"]["rows"] == [[1]]

    def test_two_reports_at_once_get_one_receipt(self, gateway, token, allowed):
        with concurrent.futures.ThreadPoolExecutor(6) as threads:
            done = [threads.submit(self.report, gateway, token, allowed) for _ in range(6)]
        assert sorted(one.result().status for one in done) == [200] + [409] * 5

    def test_a_report_for_another_sessions_call_is_refused(self, gateway, allowed):
        other = gateway.session(gateway.key())["token"]
        assert self.report(gateway, other, allowed).code == "not_reportable"

    def test_more_rows_than_allowed_are_refused(self, gateway, token, allowed):
        many = {"columns": [{"name": "id"}], "rows": [[number] for number in range(101)]}
        assert self.report(gateway, token, allowed, result=many, fetched=101).code == "not_reportable"

    def test_rows_that_do_not_fit_their_columns_are_refused(self, gateway, token, allowed):
        wide = {"columns": [{"name": "id"}], "rows": [[1, 2]]}
        assert self.report(gateway, token, allowed, result=wide).code == "invalid_request"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"status": "failed"},
            {"result": None},
            {"duration_us": -1},
            {"duration_us": 2**63},
            {"fetched": -1},
            {"fetched": 2**60},
            {"result": ROW | {"masked": {"EMAIL": 2**60}}},
            {"result": ROW | {"affected": 2**60}},
        ],
    )
    def test_a_report_that_contradicts_itself_or_can_not_be_recorded_is_refused(self, gateway, token, allowed, wrong):
        refused = self.report(gateway, token, allowed, **wrong)
        assert (refused.status, refused.code) == (400, "invalid_request"), refused
        assert self.report(gateway, token, allowed).status == 200

    def test_a_report_after_the_session_was_ended_is_refused_and_recorded_as_discarded(self, gateway, token, allowed):
        session = gateway.ask("GET", "/v1/session", token=token).body["id"]
        assert gateway.ask("DELETE", f"/v1/sessions/{session}").status == 200
        assert self.report(gateway, token, allowed).code == "session_ended"
        assert all(entry["kind"] != "outcome" for entry in gateway.timeline(session))

    def test_a_denied_call_has_no_outcome_to_report(self, gateway, token):
        call = new()
        assert gateway.sql(token, "DROP TABLE orders", "direct", call=call).body["decision"]["effect"] == "deny"
        assert self.report(gateway, token, call).code == "not_reportable"

    def test_a_call_the_gateway_ran_has_no_outcome_to_report(self, gateway, token):
        call = new()
        assert gateway.sql(token, "SELECT id FROM orders", call=call).status == 200
        assert self.report(gateway, token, call).code == "not_reportable"

    def test_a_call_that_never_was_has_no_outcome_to_report(self, gateway, token):
        assert self.report(gateway, token, new()).code == "not_reportable"

    def test_a_failure_is_reported_without_a_result(self, gateway, token, allowed):
        done = gateway.ask(
            "POST",
            f"/v1/calls/{allowed}/outcome",
            {"status": "failed", "duration_us": 1, "error": "no such table"},
            token,
        )
        assert done.status == 200
        assert gateway.ask("GET", f"/v1/calls/{allowed}", token=token).body["error"] == "no such table"
