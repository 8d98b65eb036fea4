"""P1 when processes end, stop or can't write: the gateway, its workers, the database, the disk.

One gateway for the module, ended and started again by its tests. Each fault gives one typed exception and one sentence
for the model, no row; once it is gone the same database object works.
"""

import concurrent.futures
import contextlib
import os
import resource
import signal
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from tests.support.gateway import (
    EMAIL,
    SLOW,
    GatewayProcess,
    connection,
    guarded,
    postgres_shop,
    run_agent,
    sqlite_shop,
    until,
)

from langguard.errors import (
    AccessDeniedError,
    GatewayUnavailableError,
    LangguardError,
    LedgerError,
    OutcomeUnknownError,
    TargetError,
)

READ = "SELECT id, email FROM customers ORDER BY id"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for a lost call with shorter waits."""
    monkeypatch.setattr("langguard.client.guard._LOOK_UP_AFTER", (0.0, 0.05, 0.1))
    monkeypatch.setattr("langguard.client.guard._LOOK_UP_TIMEOUT", 0.25)


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """A PostgreSQL server of this module's own, since it is stopped."""
    from langguard.cli.demo.databases import start_postgres

    with start_postgres() as running:
        yield running


@pytest.fixture(scope="module")
def mine(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("mine")
    sqlite_shop(folder / "shop.db")
    with GatewayProcess(
        folder,
        connection("shop", "sqlite", credential="{value: ./shop.db}"),
        connection("pg", "postgres", credential="{env: SHOP_DSN}"),
        env={"SHOP_DSN": postgres_shop(server, "mine")},
        timeout="6s",
    ) as running:
        yield running


@pytest.fixture
def running(mine: GatewayProcess) -> Iterator[GatewayProcess]:
    """The gateway, up at the start of the test and at its end."""
    assert mine.process is not None
    if mine.process.poll() is not None:
        mine.start()
    yield mine
    with contextlib.suppress(ProcessLookupError):
        mine.signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def keys(mine: GatewayProcess) -> str:
    return mine.key("process", "analysts", "writers")


class Client:
    def __init__(self, gateway: GatewayProcess, key: str, name: str = "shop") -> None:
        self.gateway = gateway
        self.guard, self.db = guarded(gateway.url, key, name, timeout=1.5)
        self.works()

    def works(self) -> None:
        rows = self.db.run(READ)
        assert "1, '<EMAIL_" in rows
        assert EMAIL not in rows

    def refuses(self, *kinds: type[LangguardError]) -> LangguardError:
        """The developer's exception and the model's sentence, without a row in either."""
        with pytest.raises(LangguardError) as failed:
            self.db.run(READ)
        assert isinstance(failed.value, kinds), repr(failed.value)
        (told,) = run_agent(self.db, READ)
        assert told.startswith("Error: ")
        for text in (str(failed.value), told):
            assert "\n" not in text
            assert "EMAIL_" not in text
            assert EMAIL not in text
        return failed.value


@pytest.fixture
def client(running: GatewayProcess, keys: str) -> Iterator[Client]:
    made = Client(running, keys)
    yield made
    made.guard.close()


@pytest.fixture
def pg(running: GatewayProcess, keys: str) -> Iterator[Client]:
    made = Client(running, keys, "pg")
    yield made
    made.guard.close()


class TestGateway:
    def test_killed_and_back(self, running: GatewayProcess, client: Client):
        running.end(signal.SIGKILL)
        refused = client.refuses(GatewayUnavailableError)
        assert "can't be reached" in str(refused)
        running.start()
        client.works()

    def test_terminated_and_back(self, running: GatewayProcess, client: Client):
        assert running.end(signal.SIGTERM) in (0, -signal.SIGTERM)
        client.refuses(GatewayUnavailableError)
        running.start()
        client.works()

    def test_killed_in_mid_statement(self, running: GatewayProcess, client: Client, pg: Client):
        """Whether the statement ran can't be known: the error says so, names the call, and it is not run again."""
        with concurrent.futures.ThreadPoolExecutor(1) as threads:
            asked = threads.submit(pg.db.run, SLOW)
            until(lambda: _waiting(running, pg.guard.session.id), what="the statement runs")
            running.end(signal.SIGKILL)
            with pytest.raises(OutcomeUnknownError) as unknown:
                asked.result(20)
        running.start()
        client.works()
        pg.works()
        token = running.session(running.key())["token"]  # any session: the call is another's
        assert running.ask("GET", f"/v1/calls/{unknown.value.call_id}", token=token).code == "not_found"
        entries = [
            entry
            for entry in running.timeline(pg.guard.session.id)
            if entry["data"].get("call") == unknown.value.call_id
        ]
        assert [entry["kind"] for entry in entries] == ["intent"]

    def test_terminated_in_mid_statement_lets_it_end(self, running: GatewayProcess, client: Client):
        """A graceful stop finishes what is under way, on the record."""
        patient, database = guarded(running.url, running.key(), timeout=20)
        slow = "SELECT COUNT(*) FROM big a, big b WHERE a.id < b.id AND a.id % 7 = b.id % 11"
        with concurrent.futures.ThreadPoolExecutor(1) as threads:
            asked = threads.submit(database.run, slow)
            until(lambda: _waiting(running, patient.session.id), what="the statement runs")
            running.end(signal.SIGTERM)
            answered = asked.exception(20)
            if answered is None:
                assert asked.result().startswith("[(")
            else:
                assert isinstance(answered, (TargetError, OutcomeUnknownError, GatewayUnavailableError))
        running.start()
        client.works()
        patient.close()

    def test_wedged(self, running: GatewayProcess, client: Client):
        """Stopped, it accepts connections and never answers."""
        running.signal(signal.SIGSTOP)
        refused = client.refuses(OutcomeUnknownError, GatewayUnavailableError)
        assert "did not answer within" in str(refused)
        running.signal(signal.SIGCONT)
        client.works()

    def test_wedged_in_mid_write_runs_it_once(self, running: GatewayProcess, client: Client):
        number = uuid.uuid4().int % 10**9
        client.db.run(f"INSERT INTO counters (id, n) VALUES ({number}, 0)")
        running.signal(signal.SIGSTOP)
        with pytest.raises(OutcomeUnknownError):
            client.db.run(f"UPDATE counters SET n = n + 1 WHERE id = {number}")
        running.signal(signal.SIGCONT)
        until(lambda: client.db.run(f"SELECT n FROM counters WHERE id = {number}") == "[(1,)]")
        client.works()
        assert client.db.run(f"SELECT n FROM counters WHERE id = {number}") == "[(1,)]"

    def test_killed_between_many_writes_runs_each_at_most_once(self, running: GatewayProcess, client: Client):
        """What was answered is there; what was not may be, once; the ledger starts again from what was signed."""
        number = uuid.uuid4().int % 10**9
        client.db.run(f"INSERT INTO counters (id, n) VALUES ({number}, 0)")
        done, unknown, stop = [], [], threading.Event()

        def write() -> None:
            while not stop.is_set():
                try:
                    client.db.run(f"UPDATE counters SET n = n + 1 WHERE id = {number}")
                    done.append(1)
                except LangguardError as failed:
                    unknown.append(failed)
                    return

        thread = threading.Thread(target=write)
        thread.start()
        until(lambda: len(done) >= 5)
        running.end(signal.SIGKILL)
        stop.set()
        thread.join(20)
        with contextlib.closing(sqlite3.connect(running.folder / "shop.db")) as db:
            ((count,),) = db.execute("SELECT n FROM counters WHERE id = ?", (number,))
        assert len(done) <= count <= len(done) + 1
        assert len(unknown) <= 1
        running.start()
        client.works()


def _waiting(gateway: GatewayProcess, session: str) -> bool:
    """Say whether a call of the session has its intent and not its outcome."""
    kinds = [entry["kind"] for entry in gateway.timeline(session)]
    return kinds.count("intent") > kinds.count("outcome")


class TestWorkers:
    def test_killed_workers_are_replaced_and_nothing_comes_through(self, running: GatewayProcess, client: Client):
        before = running.workers()
        assert before
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        answers, refusals = [], []
        for number in range(12):  # a statement not seen before needs the analyser, each result the masker
            try:
                answers.append(client.db.run(f"SELECT email, {number} AS n FROM customers WHERE id = 1"))
            except (AccessDeniedError, TargetError) as refused:
                refusals.append(str(refused))
        assert all("analyser" in refusal or "mask" in refusal for refusal in refusals)
        assert all(answer.startswith("[('<EMAIL_") for answer in answers)
        assert len(answers) >= 6
        client.works()
        until(lambda: len(running.workers()) >= 2, what="an analyser and a masker are back")
        assert not set(before) & set(running.workers())

    def test_stuck_workers_time_out_and_deny(self, running: GatewayProcess, client: Client):
        """A stopped analyser denies in its time limit; it is then replaced."""
        fresh, database = guarded(running.url, running.key(), timeout=20)
        before = running.workers()
        for pid in before:
            os.kill(pid, signal.SIGSTOP)
        with pytest.raises(AccessDeniedError, match="too long to analyse"):
            database.run("SELECT id, total FROM orders WHERE id = 991")
        for pid in before:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        client.works()
        fresh.close()


class TestDisk:
    @contextlib.contextmanager
    def full(self, gateway: GatewayProcess) -> Iterator[None]:
        """No file of the gateway's process may grow: what a full disk is to it."""
        before = resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (1, before[1]))
        try:
            yield
        finally:
            resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, before)

    def test_a_full_disk_refuses_every_call_and_is_over_when_there_is_room(self, running, client: Client):
        with self.full(running):
            refused = client.refuses(LedgerError)
            assert "could not record" in str(refused)
            assert running.ask("GET", "/healthz").status == 200
        client.works()

    def test_nothing_runs_that_could_not_be_recorded(self, running, client: Client):
        number = uuid.uuid4().int % 10**9
        client.db.run(f"INSERT INTO counters (id, n) VALUES ({number}, 0)")
        with self.full(running), pytest.raises(LedgerError):
            client.db.run(f"UPDATE counters SET n = n + 1 WHERE id = {number}")
        assert client.db.run(f"SELECT n FROM counters WHERE id = {number}") == "[(0,)]"

    def test_a_disk_that_is_full_when_the_outcome_is_due_leaves_the_call_unknown(self, running, keys, server):
        """The statement has run; its rows are discarded, and nobody is told that it did not run."""
        import psycopg

        guard, database = guarded(running.url, keys, "pg", timeout=20)
        number = uuid.uuid4().int % 10**9
        database.run(f"INSERT INTO counters (id, n) VALUES ({number}, 0)")
        bump = f"UPDATE counters SET n = n + 1 WHERE id = {number}"
        with psycopg.connect(server.admin_address("mine").dsn) as lock, concurrent.futures.ThreadPoolExecutor(1) as one:
            lock.execute("SELECT n FROM counters WHERE id = %s FOR UPDATE", (number,))
            asked = one.submit(database.run, bump)
            until(lambda: _waiting(running, guard.session.id), what="the write waits for the lock")
            with self.full(running):
                lock.rollback()
                with pytest.raises(OutcomeUnknownError) as unknown:
                    asked.result(20)
        assert unknown.value.call_id in str(unknown.value)
        assert database.run(f"SELECT n FROM counters WHERE id = {number}") == "[(1,)]"
        guard.close()

    def test_an_administrator_is_told_too(self, running):
        with self.full(running):
            made = running.ask("POST", "/v1/keys", {"name": "late", "groups": ["analysts"]})
            assert (made.status, made.code) == (503, "not_recorded")
            sessions = running.ask("GET", "/v1/sessions").body["sessions"]
            read = running.ask("GET", f"/v1/sessions/{sessions[0]['id']}")
            assert (read.status, read.code) == (503, "not_recorded")  # evidence is not shown off the record
        names = [key["principal"]["name"] for key in running.ask("GET", "/v1/keys").body["keys"]]
        assert "late" not in names


class TestDatabase:
    def test_cut_connections_are_replaced(self, running, pg: Client, server):
        import psycopg

        with psycopg.connect(server.dsn, autocommit=True) as link:
            link.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mine_role'")
        with contextlib.suppress(TargetError):
            pg.works()
        pg.works()

    def test_a_connection_cut_in_mid_statement_is_a_target_error(self, running, pg: Client, server):
        import psycopg

        guard, database = guarded(running.url, running.key(), "pg", timeout=20)
        with concurrent.futures.ThreadPoolExecutor(1) as threads:
            asked = threads.submit(database.run, SLOW)
            with psycopg.connect(server.dsn, autocommit=True) as link:
                cut = (
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE usename = 'mine_role' AND state = 'active'"
                )
                until(lambda: link.execute(cut).fetchone())
            with pytest.raises(TargetError) as failed:
                asked.result(20)
        assert "\n" not in str(failed.value)
        pg.works()
        guard.close()

    def test_a_slow_statement_ends_at_its_limit(self, running, keys):
        guard, database = guarded(running.url, keys, "pg", timeout=20)
        with pytest.raises(TargetError, match=r"57014|canceling"):
            database.run(SLOW)
        assert "1, '<EMAIL_" in database.run(READ)
        guard.close()

    def test_a_stopped_database_is_a_target_error_and_the_next_one_works(self, running, pg: Client, server):
        """Last: the server does not come back at this address."""
        server.stop()
        refused = pg.refuses(TargetError)
        assert "pg-Kiln" not in str(refused)
        shop, database = guarded(running.url, running.key())
        assert "1, '<EMAIL_" in database.run(READ)
        shop.close()
