"""The record: every call has its intent, every allowed one its outcome, reading it is an entry, and a change shows."""

import json
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.gateway import EMAIL, GatewayProcess, connection, guarded, run_agent, sqlite_shop, until

from langguard.ledger import verify


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway of this module's own, since its file is changed."""
    folder = tmp_path_factory.mktemp("record")
    sqlite_shop(folder / "shop.db")
    with GatewayProcess(folder, connection("shop", "sqlite", credential="{value: ./shop.db}")) as running:
        yield running


@pytest.fixture(scope="module")
def played(mine: GatewayProcess) -> str:
    """A session in which an agent was allowed, denied and failed."""
    guard, db = guarded(mine.url, mine.key("player"))
    told = run_agent(
        db,
        "SELECT id, email FROM customers",
        "DROP TABLE customers",
        "SELECT abs(-9223372036854775808) FROM orders",
        "SELECT nothing FROM orders",
        "SELECT COUNT(*) FROM orders",
    )
    assert [text.startswith("Error:") for text in told] == [False, True, True, True, False], told
    session = guard.session.id
    guard.close()
    return session


def test_every_call_has_its_intent_and_every_allowed_one_its_outcome(mine, played):
    entries = mine.timeline(played)
    intents = {e["data"]["call"]: e for e in entries if e["kind"] == "intent"}
    outcomes = {e["data"]["call"]: e for e in entries if e["kind"] == "outcome"}
    decisions = [entry["data"]["decision"] for entry in intents.values()]
    assert sorted(decisions) == ["allow", "allow", "allow", "deny", "deny"]
    assert set(outcomes) == {call for call, entry in intents.items() if entry["data"]["decision"] == "allow"}
    assert sorted(entry["data"]["status"] for entry in outcomes.values()) == ["ok", "ok", "target_failed"]
    for call, outcome in outcomes.items():
        assert outcome["entry"] > intents[call]["entry"]
        assert outcome["at"] >= intents[call]["at"]


def test_entries_are_numbered_without_a_gap(mine, played):
    entries = mine.timeline(played)
    assert [entry["seq"] for entry in entries] == list(range(len(entries)))
    assert [entries[0]["kind"], entries[-1]["kind"]] == ["session_opened", "session_ended"]


def test_the_agents_run_is_tied_to_its_calls(mine, played):
    for entry in mine.timeline(played):
        if entry["kind"] == "intent":
            assert entry["texts"]["context"]["tool"] == "sql_db_query"
            assert entry["data"]["provenance"] == "exact"
            assert "SQL:" in json.dumps(mine.timeline(played)[1]["texts"]["messages"])


def test_reading_evidence_is_an_entry_first(mine, played):
    before = mine.ask("GET", "/readyz", token="").body["entries"]
    mine.timeline(played)
    mine.ask("GET", f"/v1/sessions/{played}/export")
    assert mine.ask("GET", "/readyz", token="").body["entries"] == before + 2


def test_the_ledger_only_grew(mine, played):
    token = mine.session(mine.key())["token"]
    size = mine.ask("GET", "/readyz", token="").body["entries"]
    proof = mine.ask("GET", f"/v1/ledger/consistency?first=3&second={size}", token=token)
    assert proof.status == 200
    assert proof.body["proof"]


def export(mine: GatewayProcess, session: str) -> bytes:
    reply = mine.ask("GET", f"/v1/sessions/{session}/export")
    assert reply.kind == "application/jsonl"
    return reply.body


def test_an_export_verifies_with_the_key_alone(mine, played):
    held = mine.ask("GET", "/v1/checkpoint", token="").body
    report = verify(export(mine, played), trusted_key=held["key"])
    assert report.session == played
    assert report.key_trusted
    assert report.entries == len(mine.timeline(played))


def test_a_cleared_value_is_nowhere_in_the_record(mine, played):
    assert EMAIL not in export(mine, played).decode()
    assert EMAIL not in json.dumps(mine.timeline(played))


class TestCommandLine:
    """The same by `langguard session` and `langguard ledger`: 0 yes, 1 no, 2 trouble."""

    def test_list(self, mine, played):
        done = mine.command("session", "list")
        assert (done.returncode, done.stderr) == (0, "")
        assert played in done.stdout
        machine = mine.command("session", "list", "--json")
        assert played in [session["id"] for session in json.loads(machine.stdout)]

    def test_show(self, mine, played):
        done = mine.command("session", "show", played)
        assert (done.returncode, done.stderr) == (0, "")
        for word in ("DROP TABLE customers", "deny", "masked: EMAIL x2", "provenance exact", "target_failed"):
            assert word in done.stdout
        assert EMAIL not in done.stdout
        assert json.loads(mine.command("session", "show", played, "--json").stdout)["session"]["id"] == played

    def test_show_last_and_none(self, mine, played):
        assert mine.command("session", "show", "last").returncode == 0
        none = mine.command("session", "show", "ses_none")
        assert none.returncode == 2
        assert none.stderr.startswith("langguard: ")
        assert none.stderr.count("\n") == 1

    def test_export_and_verify(self, mine, played, tmp_path: Path):
        out = tmp_path / "session.jsonl"
        assert mine.command("session", "export", played, "-o", str(out)).returncode == 0
        key = json.loads(mine.command("ledger", "head", "--json").stdout)["key"]
        good = mine.command("ledger", "verify", str(out), "--key", key)
        assert (good.returncode, good.stderr) == (0, "")
        assert "ok" in good.stdout
        machine = json.loads(mine.command("ledger", "verify", str(out), "--json").stdout)
        assert machine["verified"] is True
        assert machine["session"] == played

    def test_a_changed_byte_is_found(self, mine, played, tmp_path: Path):
        held = bytearray(export(mine, played))
        place = held.index(b"DROP TABLE")
        held[place] ^= 1
        (tmp_path / "forged.jsonl").write_bytes(held)
        bad = mine.command("ledger", "verify", str(tmp_path / "forged.jsonl"))
        assert bad.returncode == 1
        assert "NOT VERIFIED" in bad.stdout
        machine = mine.command("ledger", "verify", str(tmp_path / "forged.jsonl"), "--json")
        assert (machine.returncode, json.loads(machine.stdout)["verified"]) == (1, False)

    def test_a_missing_line_is_found(self, mine, played, tmp_path: Path):
        lines = export(mine, played).splitlines(keepends=True)
        for number in (1, len(lines) // 2, len(lines) - 1):
            (tmp_path / "short.jsonl").write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
            assert mine.command("ledger", "verify", str(tmp_path / "short.jsonl")).returncode == 1

    def test_another_ledgers_key_does_not_verify_it(self, mine, played, tmp_path: Path):
        (tmp_path / "session.jsonl").write_bytes(export(mine, played))
        name, rest = json.loads(mine.command("ledger", "head", "--json").stdout)["key"].split("+", 1)
        wrong = mine.command("ledger", "verify", str(tmp_path / "session.jsonl"), "--key", f"{name}x+{rest}")
        assert wrong.returncode in (1, 2)

    def test_a_file_that_is_not_there_is_trouble(self, mine, tmp_path: Path):
        done = mine.command("ledger", "verify", str(tmp_path / "none.jsonl"))
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1

    def test_keys(self, mine):
        made = mine.command("key", "create", "robot", "--group", "analysts", "--json")
        held = json.loads(made.stdout)
        assert mine.session(held["secret"])["principal"] == "robot"
        listed = mine.command("key", "list")
        assert "robot" in listed.stdout
        assert held["secret"] not in listed.stdout
        assert held["secret"] not in mine.command("key", "list", "--json").stdout
        gone = mine.command("key", "revoke", held["key"]["id"])
        assert (gone.returncode, "1 sessions ended" in gone.stdout) == (0, True)
        assert mine.command("key", "revoke", "key_none").returncode == 2
        agent = mine.command("key", "list", token=mine.key())
        assert agent.returncode == 2
        assert "scope admin" in agent.stderr

    def test_ending_a_session(self, mine):
        opened = mine.session(mine.key())
        assert mine.command("session", "end", opened["id"]).returncode == 0
        assert mine.ask("GET", "/v1/session", token=opened["token"]).status == 401

    def test_explain(self, mine):
        words = ("policy", "explain", "-c", "shop", "--group", "analysts")
        allowed = mine.command(*words, "SELECT email FROM customers")
        assert allowed.returncode == 0
        assert "hash" in allowed.stdout
        denied = mine.command(*words, "DROP TABLE customers")
        assert denied.returncode == 1
        assert "no-destruction" in denied.stdout
        machine = json.loads(mine.command(*words, "SELECT 1 AS one", "--json").stdout)
        assert machine["decision"]["effect"] == "allow"

    def test_explaining_records_no_call_and_asks_no_database(self, mine):
        before = mine.ask("GET", "/readyz", token="").body["entries"]
        assert mine.command("policy", "explain", "-c", "shop", "SELECT 1 AS one").returncode == 1
        assert mine.ask("GET", "/readyz", token="").body["entries"] == before

    def test_connections(self, mine):
        assert "shop" in mine.command("connection", "list").stdout
        assert json.loads(mine.command("connection", "list", "--json").stdout)[0]["tables"] == 5

    def test_nobody_answers(self, mine, tmp_path: Path):
        from tests.support.gateway import command, free_port

        env = {"LANGGUARD_URL": f"http://127.0.0.1:{free_port()}", "LANGGUARD_TOKEN": mine.administrator}
        done = command("session", "list", env=env, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert "can't be reached" in done.stderr

    @pytest.mark.parametrize("name", ["LANGGUARD_URL", "LANGGUARD_TOKEN"])
    def test_without_address_or_key(self, mine, name: str, tmp_path: Path):
        from tests.support.gateway import command

        env = {"LANGGUARD_URL": mine.url, "LANGGUARD_TOKEN": mine.administrator}
        done = command("session", "list", env={key: value for key, value in env.items() if key != name}, cwd=tmp_path)
        assert done.returncode == 2
        assert name in done.stderr
        assert "Traceback" not in done.stderr


class TestPolicyFile:
    """The file is watched: a change that checks is in force in a second and recorded; one that does not is told."""

    @pytest.fixture
    def text(self, mine: GatewayProcess) -> Iterator[str]:
        before = mine.config.read_text()
        yield before
        mine.config.write_text(before)
        version = self.versions(mine)[0]
        until(lambda: self.state(mine)["policy"] == version and self.state(mine)["status"] == "ok")

    @staticmethod
    def state(mine: GatewayProcess) -> dict:
        return mine.ask("GET", "/readyz", token="").body

    @staticmethod
    def versions(mine: GatewayProcess) -> list[str]:
        import sqlite3

        with sqlite3.connect(f"file:{mine.folder}/data/ledger.db?mode=ro", uri=True) as db:
            leaves = [json.loads(row[0]) for row in db.execute("SELECT leaf FROM entries ORDER BY idx")]
        db.close()
        return [leaf["data"]["version"] for leaf in leaves if leaf["kind"] == "policy"]

    def test_a_change_is_in_force_without_a_restart_and_recorded(self, mine, text):
        token = mine.session(mine.key())["token"]
        ask = "SELECT id FROM orders"
        assert mine.sql(token, ask, call=uuid.uuid4().hex).body["decision"]["effect"] == "allow"
        before = self.state(mine)["policy"]
        rule = "rules:\n  - {id: closed, deny: read, on: shop/main.orders, message: Closed today.}\n"
        mine.config.write_text(text.replace("rules:\n", rule))
        until(lambda: self.state(mine)["policy"] != before, 5)
        decision = mine.sql(token, ask, call=uuid.uuid4().hex).body["decision"]
        assert (decision["effect"], decision["rule"]) == ("deny", "closed")
        assert "Closed today." in decision["message"]
        assert decision["policy_version"] == self.state(mine)["policy"] == self.versions(mine)[-1]

    @pytest.mark.parametrize(
        "wrong",
        [
            "grants: [",
            "grants:\n  - {group: analysts, connection: shop, actions: [raed]}",
            "masks:\n  - {columns: shop/main.customers.emial, operator: hash}\ngrants:",
            "",
        ],
    )
    def test_a_broken_file_changes_nothing_and_is_told(self, mine, text, wrong):
        token = mine.session(mine.key())["token"]
        before = self.state(mine)["policy"]
        mine.config.write_text(text.replace("grants:", wrong, 1) if wrong else "")
        until(lambda: self.state(mine)["status"] != "ok", 5)
        assert self.state(mine)["policy"] == before
        assert mine.sql(token, "SELECT id FROM orders", call=uuid.uuid4().hex).body["decision"]["effect"] == "allow"

    def test_a_file_that_is_gone_changes_nothing_and_is_told(self, mine, text):
        before = self.state(mine)["policy"]
        mine.config.unlink()
        until(lambda: self.state(mine)["status"] != "ok", 5)
        assert self.state(mine)["policy"] == before


def test_it_starts_again_from_its_own_record(mine: GatewayProcess, played: str):
    """Sessions, keys and entries are still there, and the ledger goes on where it was."""
    key = mine.key("stays")
    opened = mine.session(key)
    size = mine.ask("GET", "/readyz", token="").body["entries"]
    mine.end(signal.SIGTERM)
    mine.start()
    assert mine.ask("GET", "/readyz", token="").body["entries"] >= size
    assert mine.ask("GET", "/v1/session", token=opened["token"]).status == 200
    assert mine.session(key)["principal"] == "stays"
    assert len(mine.timeline(played)) > 5
    assert mine.said.count("lgk_") == 1  # the administrator's key was shown once
