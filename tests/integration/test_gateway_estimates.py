"""Rows that the database expects: a rule goes by them, the question is recorded first, and nothing leaks or runs."""

import contextlib
import json
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import psycopg
import pytest
from tests.support.gateway import GatewayProcess, postgres_shop, sqlite_shop

from langguard.drivers.sql import open_engine
from langguard.drivers.sql_catalog import snapshot

FILE = """
version: 1
listen: 127.0.0.1:{{port}}
store: {{path: ./data}}
estimates: {{timeout: 500ms, remember: 1m{more}}}
connections:
  - {{name: pg, dialect: postgres, credential: {{env: SHOP_DSN}}}}
  - {{name: lite, dialect: sqlite, credential: {{value: ./lite.db}}}}
  - {{name: direct, dialect: sqlite, custody: agent, target: "sqlite:////nowhere/direct.db"}}
grants:
  - {{group: analysts, connection: "*", actions: [read, metadata, write]}}
rules:
  - id: bulk
    deny: [read, metadata, write]
    when: facts.estimated_rows > 1000
    message: Ask for fewer rows.
  - {{id: no-destruction, deny: [ddl, privilege, procedure, file, admin]}}
  - {{id: not-these, deny: read, on: pg/public.customers}}
clear: ["*/*.*.*"]
limits: {{rows: 100, statement_timeout: 5s}}
"""
ROWS = 10_000
WRITES = (
    "CREATE SEQUENCE hits",
    "CREATE FUNCTION sneaky(n INTEGER) RETURNS INTEGER IMMUTABLE LANGUAGE plpgsql AS "
    "$$ BEGIN PERFORM nextval('public.hits'); RETURN n; END $$",
    "CREATE TABLE many (id INTEGER PRIMARY KEY, name TEXT)",
    f"INSERT INTO many SELECT n, 'n' || n FROM generate_series(1, {ROWS}) n",
    "ANALYZE many",
)


@pytest.fixture(scope="module")
def home(postgres, tmp_path_factory):
    folder = tmp_path_factory.mktemp("estimates")
    url = postgres_shop(postgres, "estimates", *WRITES)
    sqlite_shop(folder / "lite.db")
    with GatewayProcess(folder, env={"SHOP_DSN": url}, text=FILE.format(more="").replace("{{port}}", "{port}")) as up:
        up.dsn = postgres.admin_address("estimates").dsn
        yield up


@pytest.fixture
def session(home):
    return home.session(home.key())


_calls = iter(range(10_000))


def ask(home, session, statement, connection="pg", **more):
    call = f"e{next(_calls)}"
    reply = home.sql(session["token"], statement, connection, call=call, **more)
    assert reply.status == 200, reply
    return reply.body


def kinds(home, session):
    return [entry["kind"] for entry in home.timeline(session["id"])]


def test_many_rows_are_denied_and_one_is_given_and_the_question_comes_first(home, session):
    denied = ask(home, session, "SELECT id, name FROM many")
    assert (denied["decision"]["effect"], denied["decision"]["rule"]) == ("deny", "bulk")
    assert denied["decision"]["message"] == "Denied: read on pg (rule bulk). Ask for fewer rows."
    given = ask(home, session, "SELECT id, name FROM many WHERE id = 1")
    assert given["result"]["rows"] == [[1, "n1"]]
    assert kinds(home, session) == ["session_opened", "probe", "intent", "probe", "intent", "outcome"]
    _, probe, first, _, second, _ = home.timeline(session["id"])
    assert probe["data"]["wanted"] == ["facts.estimated_rows"]
    assert probe["data"]["rule"] == "bulk"
    assert probe["texts"]["sent"].startswith("EXPLAIN (FORMAT JSON) SELECT ")
    assert probe["data"]["call"] == first["data"]["call"]
    assert first["data"]["estimated"] == "1001-10000"
    assert first["texts"]["estimate"]["rows"] == ROWS
    assert second["data"]["estimated"] == "1-10"


def test_the_cap_of_rows_does_not_hide_how_many_there_would_be(home, session):
    """The text that is sent ends after 101 rows; what was asked for does not."""
    assert ask(home, session, "SELECT name FROM many ORDER BY name")["decision"]["rule"] == "bulk"
    assert ask(home, session, "SELECT name FROM many LIMIT 5")["decision"]["effect"] == "allow"


def test_an_answer_is_remembered_and_a_new_count_of_rows_is_not_an_old_one(home, session):
    statement = "SELECT id FROM many WHERE id < 4"
    ask(home, session, statement)
    ask(home, session, statement)
    assert kinds(home, session).count("probe") == 1
    last = [entry for entry in home.timeline(session["id"]) if entry["kind"] == "intent"][-1]
    assert last["texts"]["estimate"]["rows"] == 3, "each decision commits to the estimate it used"


def test_placeholders_are_estimated_with_their_values(home, session):
    statement = "SELECT id FROM many WHERE id <= $1"
    assert ask(home, session, statement, binds=(10,))["decision"]["effect"] == "allow"
    assert ask(home, session, statement, binds=(9000,))["decision"]["rule"] == "bulk"


def test_a_write_is_estimated_by_the_rows_it_would_change(home, session):
    assert ask(home, session, "DELETE FROM many WHERE id > 10")["decision"]["rule"] == "bulk"
    with psycopg.connect(home.dsn) as link:
        assert link.execute("SELECT count(*) FROM many").fetchone() == (ROWS,)
    changed = ask(home, session, "UPDATE many SET name = 'x' WHERE id = 2")
    assert changed["result"]["affected"] == 1


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("SELECT id FROM customers", id="a rule that denies anyway"),
        pytest.param("DROP TABLE many", id="a kind that is denied"),
        pytest.param("SELECT sneaky(1) FROM many", id="a function that writes, called immutable"),
        pytest.param("SELECT id FROM many WHERE id = sneaky(5)", id="the same where the planner would run it"),
        pytest.param("SELECT id FROM many; SELECT 1", id="two statements"),
        pytest.param("EXPLAIN ANALYZE DELETE FROM many", id="an explain of one's own"),
        pytest.param("SELECT id FROM nowhere", id="a table that is not there"),
    ],
)
def test_what_is_denied_anyway_never_touches_the_database(home, session, statement):
    assert ask(home, session, statement)["decision"]["effect"] == "deny"
    assert "probe" not in kinds(home, session)
    with psycopg.connect(home.dsn) as link:
        assert link.execute("SELECT is_called FROM hits").fetchone() == (False,)


def test_the_planner_would_run_such_a_function(home):
    """Shows that the test above would fail without the analysis: EXPLAIN alone runs it."""
    with psycopg.connect(home.dsn) as link:
        link.execute("EXPLAIN SELECT * FROM many WHERE id = sneaky(5)")
        assert link.execute("SELECT is_called FROM hits").fetchone() == (True,)
        link.execute("SELECT setval('hits', 1, false)")


def test_no_exact_estimate_reaches_the_agent(home, session):
    for statement in ("SELECT id FROM many WHERE id > 4321", "SELECT id FROM many WHERE id < 654"):
        answer = ask(home, session, statement)
        entry = [entry for entry in home.timeline(session["id"]) if entry["kind"] == "intent"][-1]
        # Everything but times and digests, in which any number can stand.
        told = json.dumps([answer["decision"]["message"], answer.get("error"), answer.get("refusal")])
        assert entry["texts"]["estimate"]["rows"] > 99
        for number in ("rows", "scanned", "cost"):
            assert str(entry["texts"]["estimate"][number]) not in told
        assert "estimate" not in answer["decision"]["message"]


def test_an_id_that_was_used_asks_nothing_again(home, session):
    statement = "SELECT id FROM many WHERE id = 77"
    for _ in range(2):
        assert home.sql(session["token"], statement, "pg", call="again").body["result"]["rows"] == [[77]]
    assert kinds(home, session).count("probe") == 1


def test_structure_has_no_rows_to_estimate(home, session):
    wanted = {"type": "schema", "connection": "pg", "tables": ["many"]}
    reply = home.ask("POST", "/v1/calls", {"id": "structure", "call": wanted}, session["token"])
    assert reply.body["decision"]["effect"] == "allow"
    assert "probe" not in kinds(home, session)


def test_a_database_that_answers_late_denies_and_says_why(home, session):
    with psycopg.connect(home.dsn) as link:
        link.execute("LOCK TABLE many IN ACCESS EXCLUSIVE MODE")
        before = time.monotonic()
        answer = ask(home, session, "SELECT id FROM many WHERE id = 500")
        assert time.monotonic() - before < 3
    decision = answer["decision"]
    assert (decision["effect"], decision["reason"], decision["rule"]) == ("deny", "estimate_unknown", "bulk")
    assert "bulk" in decision["message"]
    assert "did not say" in decision["message"]
    assert [entry for entry in home.timeline(session["id"]) if entry["kind"] == "intent"][-1]["data"][
        "estimated"
    ] == "unknown"
    assert ask(home, session, "SELECT id FROM many WHERE id = 500")["result"]["rows"] == [[500]], "and not for ever"


def test_many_who_wait_for_a_database_that_hangs_are_all_denied_in_time(home):
    sessions = [home.session(home.key(f"many-{number}")) for number in range(3)]
    with psycopg.connect(home.dsn) as link, ThreadPoolExecutor(12) as pool:
        link.execute("LOCK TABLE many IN ACCESS EXCLUSIVE MODE")
        before = time.monotonic()
        asked = [
            pool.submit(ask, home, sessions[number % 3], f"SELECT id FROM many WHERE id = {number + 700}")
            for number in range(12)
        ]
        other = ask(home, sessions[0], "SELECT 1 AS one", "lite")
        reasons = {one.result()["decision"]["reason"] for one in asked}
        assert time.monotonic() - before < 5
    assert reasons == {"estimate_unknown"}
    assert other["decision"]["reason"] == "granted", "who asks nothing of that database need not wait for it"


def test_a_database_that_is_gone_denies_and_says_why(postgres, tmp_path):
    url = postgres_shop(postgres, "estimates_gone", *WRITES)
    sqlite_shop(tmp_path / "lite.db")
    with GatewayProcess(tmp_path, env={"SHOP_DSN": url}, text=FILE.format(more="").replace("{{port}}", "{port}")) as up:
        session = up.session(up.key())
        assert ask(up, session, "SELECT id FROM many WHERE id = 1")["result"]["rows"] == [[1]]
        with psycopg.connect(postgres.dsn, autocommit=True) as link:
            link.execute("ALTER DATABASE estimates_gone ALLOW_CONNECTIONS false")
            link.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'estimates_gone'")
        for number in (2, 3):
            answer = ask(up, session, f"SELECT id FROM many WHERE id = {number}")
            assert answer["decision"]["reason"] == "estimate_unknown"
            assert "did not say" in answer["decision"]["message"]
        assert kinds(up, session)[-2:] == ["probe", "intent"]


def test_ending_the_session_ends_the_question(home, session):
    with psycopg.connect(home.dsn) as link:
        link.execute("LOCK TABLE many IN ACCESS EXCLUSIVE MODE")
        replies = []
        statement = "SELECT id FROM many WHERE id = 600"
        asking = threading.Thread(
            target=lambda: replies.append(home.sql(session["token"], statement, "pg", call="ended"))
        )
        asking.start()
        time.sleep(0.2)
        home.ask("DELETE", f"/v1/sessions/{session['id']}")
        asking.join(5)
    assert replies[0].status == 401
    assert "intent" not in kinds(home, session)


def test_in_custody_agent_there_is_no_credential_to_ask_with(home, session, tmp_path):
    engine = open_engine(f"sqlite:///{sqlite_shop(tmp_path / 'direct.db')}")
    catalog = msgspec.json.encode(snapshot(engine, dialect="sqlite"))
    engine.dispose()
    assert home.ask("PUT", "/v1/connections/direct/catalog", catalog).status == 200
    decision = ask(home, session, "SELECT id FROM orders", "direct")["decision"]
    assert decision["reason"] == "estimate_unknown"
    assert "custody agent" in decision["message"]
    assert "probe" not in kinds(home, session)


def test_sqlite_tells_only_where_its_tables_were_counted(home, session):
    refused = ask(home, session, "SELECT id FROM big", "lite")["decision"]
    assert refused["reason"] == "estimate_unknown"
    assert "ANALYZE" in refused["message"]
    with contextlib.closing(sqlite3.connect(home.folder / "lite.db")) as link:
        link.execute("ANALYZE")
        link.commit()
    assert home.ask("POST", "/v1/connections/lite/refresh").status == 200
    assert ask(home, session, "SELECT id FROM big", "lite")["decision"]["rule"] == "bulk"


def test_an_administrator_supposes_an_estimate(home):
    statement = "SELECT id FROM many WHERE id = 9"
    words = ("policy", "explain", statement, "-c", "pg", "-g", "analysts")
    unknown = home.command(*words)
    assert unknown.returncode == 1
    assert "--estimated-rows N" in unknown.stdout
    assert home.command(*words, "--estimated-rows", "1000").returncode == 0
    many = home.command(*words, "--estimated-rows", "1001")
    assert many.returncode == 1
    assert "by rule bulk" in many.stdout


def test_a_setting_asks_always_and_what_no_rule_goes_by_denies_nothing(postgres, tmp_path):
    url = postgres_shop(postgres, "estimates_always", *WRITES)
    sqlite_shop(tmp_path / "lite.db")
    text = (
        FILE.format(more=", always: true")
        .replace("{{port}}", "{port}")
        .replace("deny: [read, metadata, write]", "deny: ddl")
    )
    with GatewayProcess(tmp_path, env={"SHOP_DSN": url}, text=text) as up:
        session = up.session(up.key())
        assert ask(up, session, "SELECT count(*) AS n FROM many")["result"]["rows"] == [[ROWS]]
        assert kinds(up, session) == ["session_opened", "probe", "intent", "outcome"]
        assert ask(up, session, "SELECT id FROM big LIMIT 1", "lite")["decision"]["effect"] == "allow"
        assert up.timeline(session["id"])[-2]["data"]["estimated"] == "unknown"
