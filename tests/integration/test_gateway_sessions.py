"""Sessions and keys: opened with a key, ended at once, and never more than their scopes."""

import concurrent.futures
import time
import uuid

import psycopg
import pytest
from tests.support.gateway import SLOW, SharedGateway, guarded, until

from langguard.errors import SessionEndedError


def new() -> str:
    return f"call-{uuid.uuid4().hex}"


def ended(reply) -> bool:
    return (reply.status, reply.code) == (401, "session_ended")


@pytest.fixture
def opened(gateway: SharedGateway) -> dict:
    return gateway.session(gateway.key())


def test_an_ended_session_is_over(gateway, opened):
    assert gateway.sql(opened["token"], "SELECT id FROM orders", call=new()).status == 200
    assert gateway.ask("DELETE", f"/v1/sessions/{opened['id']}", token=opened["token"]).status == 200
    assert ended(gateway.sql(opened["token"], "SELECT id FROM orders", call=new()))
    assert ended(gateway.ask("GET", "/v1/session", token=opened["token"]))


def test_ending_twice_is_recorded_once(gateway, opened):
    for _ in range(2):
        assert gateway.ask("DELETE", f"/v1/sessions/{opened['id']}").status == 200
    kinds = [entry["kind"] for entry in gateway.timeline(opened["id"])]
    assert kinds == ["session_opened", "session_ended"]


def test_a_revoked_key_ends_its_sessions_and_opens_no_other(gateway):
    key = gateway.key("revoked")
    one, two = gateway.session(key), gateway.session(key)
    made = gateway.ask("GET", "/v1/keys").body["keys"]
    key_id = max((item for item in made if item["principal"]["name"] == "revoked"), key=lambda k: k["made_at"])["id"]
    revoked = gateway.ask("DELETE", f"/v1/keys/{key_id}")
    assert revoked.body["sessions_ended"] == 2
    for session in (one, two):
        assert ended(gateway.sql(session["token"], "SELECT id FROM orders", call=new()))
    assert ended(gateway.ask("POST", "/v1/sessions", {"protocols": [1], "client": "t"}, key))


def test_no_session_outlives_its_key(gateway):
    """Sessions opened in the very moment of the revocation are ended too, or were never opened."""
    key = gateway.key("racing")
    made = gateway.ask("GET", "/v1/keys").body["keys"]
    key_id = next(item for item in made if item["principal"]["name"] == "racing")["id"]

    def open_one() -> str:
        reply = gateway.ask("POST", "/v1/sessions", {"protocols": [1], "client": "t"}, key)
        return reply.body.get("token", "")

    with concurrent.futures.ThreadPoolExecutor(6) as threads:
        opening = [threads.submit(open_one) for _ in range(60)]
        until(lambda: sum(one.done() for one in opening) > 10)
        gateway.ask("DELETE", f"/v1/keys/{key_id}")
        tokens = [one.result() for one in opening]
    assert any(tokens)
    for token in filter(None, tokens):
        assert ended(gateway.ask("GET", "/v1/session", token=token))


def test_ending_a_session_cancels_what_runs_at_the_database(gateway, opened):
    with (
        concurrent.futures.ThreadPoolExecutor(1) as threads,
        psycopg.connect(gateway.pg_admin, autocommit=True) as link,
    ):
        active = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'shared_role' AND state = 'active'"
        asked = threads.submit(gateway.sql, opened["token"], SLOW, "pg", call=new())
        until(lambda: link.execute(active).fetchone()[0] >= 1, what="the statement runs")
        start = time.monotonic()
        assert gateway.ask("DELETE", f"/v1/sessions/{opened['id']}").status == 200
        assert ended(asked.result(10))
        assert time.monotonic() - start < 3
        until(lambda: link.execute(active).fetchone()[0] == 0, 3, what="the server has stopped it")
    last = gateway.timeline(opened["id"])[-1]
    assert last["kind"] == "outcome"
    assert last["data"]["status"] == "discarded"


def test_ending_a_session_cancels_a_sqlite_statement_too(gateway, opened):
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        call = new()
        asked = threads.submit(gateway.sql, opened["token"], SLOW, call=call)
        until(lambda: gateway.ask("GET", f"/v1/calls/{call}", token=opened["token"]).code == "call_in_flight")
        until(lambda: gateway.timeline(opened["id"])[-1]["kind"] == "intent")
        start = time.monotonic()
        gateway.ask("DELETE", f"/v1/sessions/{opened['id']}")
        assert ended(asked.result(10))
        assert time.monotonic() - start < 3


def test_a_client_whose_session_was_ended_is_told_and_opens_another_for_the_next_call(gateway):
    guard, db = guarded(gateway.url, gateway.key())
    assert db.run("SELECT id FROM orders WHERE id = 1") == "[(1,)]"
    gateway.ask("DELETE", f"/v1/sessions/{guard.session.id}")
    with pytest.raises(SessionEndedError):
        db.run("SELECT id FROM orders WHERE id = 1")
    assert db.run("SELECT id FROM orders WHERE id = 1") == "[(1,)]"
    guard.close()


class TestClock:
    @pytest.mark.parametrize("clock", ["expired", "idle"])
    def test_a_session_ends_by_the_clock(self, clock: str, tmp_path):
        """The service itself, with a clock that can be moved: the shortest life of a real session is a minute."""
        import asyncio

        from langguard.gateway.app import open_ground
        from langguard.gateway.problems import ProblemError
        from langguard.gateway.services.sessions import Credential, Sessions

        class Clock:
            at = 1_700_000_000_000_000

            def now(self) -> int:
                return self.at

            ticks = now

        async def play() -> None:
            ground, hands = open_ground(tmp_path / "data"), Clock()
            minute = 60_000_000
            sessions = Sessions(
                store=ground.store,
                recorder=ground.recorder,
                clock=hands,
                token_key=ground.keys.token,
                ttl_us=10 * minute,
                idle_us=2 * minute,
            )
            keys = ground.api_keys()
            keys._clock = hands
            key, secret = await keys.make(name="a", groups=(), scopes=("call",), days=1, by="test")
            _, token = await sessions.open(
                Credential.of_key(key, secret), protocol=1, client="t", agent="", thread_id=None
            )
            if clock == "idle":
                hands.at += 2 * minute - 1
                await sessions.find(token)
                hands.at += 2 * minute
            else:
                for _ in range(9):
                    hands.at += minute
                    await sessions.find(token)
                hands.at += minute
            with pytest.raises(ProblemError) as refused:
                await sessions.find(token)
            assert refused.value.problem_code == "session_ended"
            hands.at += 24 * 60 * minute
            with pytest.raises(ProblemError, match="expired"):
                await sessions.principal_of_key(secret)
            ground.store.close()

        asyncio.run(play())


class TestScopes:
    """An agent's key and token do what agents do, and nothing else."""

    @pytest.mark.parametrize("which", ["key", "token"])
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "/v1/sessions", None),
            ("GET", "/v1/sessions/OTHER", None),
            ("GET", "/v1/sessions/OTHER/export", None),
            ("DELETE", "/v1/sessions/OTHER", None),
            ("GET", "/v1/sessions/ses_none", None),
            ("DELETE", "/v1/sessions/ses_none", None),
            ("POST", "/v1/keys", {"name": "mine", "scopes": ["admin"]}),
            ("GET", "/v1/keys", None),
            ("DELETE", "/v1/keys/key_1", None),
            ("GET", "/v1/connections", None),
            ("PUT", "/v1/connections/direct/catalog", {"dialect": "sqlite", "default_schemas": [], "tables": []}),
            ("POST", "/v1/policy/explain", {"connection": "shop", "statement": "SELECT 1"}),
        ],
    )
    def test_not_an_agents_business(self, gateway, opened, which, method, path, body):
        key = gateway.key("nosy")
        other = opened["id"]
        token = key if which == "key" else gateway.session(key)["token"]
        refused = gateway.ask(method, path.replace("OTHER", other), body, token)
        assert (refused.status, refused.code) == (403, "not_allowed")
        assert gateway.ask("GET", "/v1/session", token=opened["token"]).status == 200

    def test_a_session_of_an_administrator_has_an_agents_scopes_only(self, gateway):
        key = gateway.key("both", scopes=("call", "observe", "admin"))
        token = gateway.session(key)["token"]
        assert gateway.ask("GET", "/v1/keys", token=token).status == 403
        assert gateway.ask("GET", "/v1/keys", token=key).status == 200

    def test_the_administrators_key_opens_no_session(self, gateway):
        refused = gateway.ask("POST", "/v1/sessions", {"protocols": [1], "client": "t"})
        assert (refused.status, refused.code) == (403, "not_allowed")

    def test_a_key_without_observe_observes_nothing(self, gateway):
        token = gateway.session(gateway.key("blind", scopes=("call",)))["token"]
        seen = gateway.ask("POST", "/v1/observations", {"kind": "answer", "text": "x"}, token)
        assert (seen.status, seen.code) == (403, "not_allowed")

    def test_one_reads_ones_own_session(self, gateway, opened):
        shown = gateway.ask("GET", f"/v1/sessions/{opened['id']}", token=opened["token"])
        assert shown.status == 200
        assert gateway.ask("GET", f"/v1/sessions/{opened['id']}/export", token=opened["token"]).status == 200

    def test_a_principal_without_grants_sees_nothing(self, gateway):
        opened = gateway.session(gateway.key("stranger", "nobodies"))
        assert opened["connections"] == []
        assert opened.get("mask_key", "") == ""
        answer = gateway.sql(opened["token"], "SELECT 1", call=new()).body
        assert (answer["decision"]["effect"], answer["decision"]["reason"]) == ("deny", "unknown_connection")
        assert "no grant on any connection" in answer["decision"]["message"]
        assert "direct" not in answer["decision"]["message"]


class TestCredentials:
    @pytest.mark.parametrize(
        "header",
        [
            "",
            "Bearer",
            "Bearer ",
            "Basic dXNlcjpwYXNz",
            "Bearer nonsense",
            "Bearer lgx_123",
            "Bearer lgs_",
            "Bearer lgs_" + "a" * 300,
            "Bearer lgs_" + "a" * 60_000,
            "lgs_0123456789",
            "Bearer lgs_\u00e9\u00ff",
            "Bearer lgs_0123 lgs_0123",
            "Bearer\tlgs_0123",
        ],
    )
    @pytest.mark.parametrize("path", ["/v1/session", "/v1/sessions", "/v1/keys", "/v1/calls/x"])
    def test_a_garbled_header_is_nobody(self, gateway, header, path):
        headers = {"authorization": header.encode("latin-1").decode("latin-1")} if header else {}
        reply = gateway.ask("GET", path, token="", **headers)
        assert reply.status in (400, 401, 431)
        if reply.status == 401:
            assert reply.code in ("not_authenticated", "session_ended")

    def test_an_unknown_token_is_nobody(self, gateway):
        for kind in ("lgs", "lgk"):
            assert gateway.ask("GET", "/v1/session", token=f"{kind}_{'0' * 30}").status == 401
            assert gateway.ask("GET", "/v1/keys", token=f"{kind}_{'0' * 30}").status == 401

    def test_a_key_is_no_session_and_a_session_is_no_key(self, gateway, opened):
        key = gateway.key()
        assert gateway.sql(key, "SELECT 1", call=new()).code == "not_authenticated"
        again = gateway.ask("POST", "/v1/sessions", {"protocols": [1], "client": "t"}, opened["token"])
        assert (again.status, again.code) == (401, "not_authenticated")

    async def test_a_token_of_another_gateway_is_nobody(self, gateway, tmp_path):
        from langguard.gateway.app import open_ground
        from langguard.gateway.services.sessions import Credential, Sessions

        other, day = open_ground(tmp_path / "data"), 86_400_000_000
        key, secret = await other.api_keys().make(name="a", groups=("analysts",), scopes=("call",), days=1, by="test")
        sessions = Sessions(
            store=other.store,
            recorder=other.recorder,
            clock=other.clock,
            token_key=other.keys.token,
            ttl_us=day,
            idle_us=day,
        )
        live, token = await sessions.open(
            Credential.of_key(key, secret), protocol=1, client="t", agent="", thread_id=None
        )
        assert await sessions.find(token) is live
        other.store.close()
        assert ended(gateway.ask("GET", "/v1/session", token=token))
        assert ended(gateway.ask("POST", "/v1/sessions", {"protocols": [1], "client": "t"}, secret))
