"""A real gateway process for tests: its file, its databases, keys made through its own interface, and its ends.

`GatewayProcess` starts `python -m langguard gateway` on a loopback port it keeps, so that it can come back after it was
killed. The session-wide fixture `gateway` is one such process with every kind of connection, for tests that leave it as
they found it.
"""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

START_SECONDS = 40
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TMP", "TEMP", "VIRTUAL_ENV", "PYTHONPATH")

# Nobody and nothing outside these tests is called so; each is searched for in logs and answers.
NAME, EMAIL, CARD = "Odalys Quarterhouse", "odalys.quarterhouse@mailbox.example", "4556737586899855"
PG_PASSWORD = "pg-Kiln-9031-word"

TABLES = (
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, card TEXT NOT NULL)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, status TEXT NOT NULL, "
    "total NUMERIC(10, 2) NOT NULL)",
    "CREATE TABLE counters (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)",
    "CREATE TABLE public_notes (id INTEGER PRIMARY KEY, note TEXT)",
    "CREATE TABLE big (id INTEGER PRIMARY KEY)",
    f"INSERT INTO customers VALUES (1, '{NAME}', '{EMAIL}', '{CARD}'), "
    "(2, 'Ferris Undercroft', 'ferris.undercroft@mailbox.example', '4929134012345672')",
    "INSERT INTO orders VALUES (1, 1, 'open', 12.50), (2, 1, 'shipped', 7.25), (3, 2, 'open', 99.99)",
    "INSERT INTO counters VALUES (1, 0)",
)
BIG = 4000
SLOW = "SELECT COUNT(*) FROM big a, big b, big c WHERE a.id + b.id + c.id = -1"
"""Runs until the statement timeout: 64 000 000 000 combinations."""

FILE = """\
version: 1
listen: 127.0.0.1:{port}
store: {{path: ./data}}
sessions: {{ttl: 8h, idle: 1h}}
connections:
{connections}
grants:
  - {{group: analysts, connection: "*", actions: [read, metadata]}}
  - {{group: writers, connection: "*", actions: [read, metadata, write]}}
rules:
  - id: no-destruction
    deny: [ddl, privilege, procedure, file, admin]
  - id: write-needs-where
    deny: write
    when: facts.filtered == false
    message: Say which rows with WHERE.
masks:
  - {{columns: "*/*.customers.name", operator: replace, inference: allow}}
  - {{columns: "*/*.customers.email", operator: hash, inference: allow}}
  - {{columns: "*/*.customers.card", operator: {{name: mask, keep_last: 4}}}}
  - {{entities: [EMAIL_ADDRESS, CREDIT_CARD, PHONE_NUMBER], operator: replace, everywhere: true}}
clear: ["*/*.orders.status"{clear}]
limits: {{rows: 100, statement_timeout: {timeout}}}
"""


class Reply(NamedTuple):
    """An answer: status, decoded JSON (or bytes where it is none), content type."""

    status: int
    body: Any
    kind: str

    @property
    def code(self) -> str:
        """The problem's code, or an empty string."""
        return self.body.get("code", "") if isinstance(self.body, dict) else ""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def until(check: Callable[[], Any], seconds: float = 10.0, *, what: str = "") -> Any:
    """Return what `check` returns once it is true; it may raise OSError meanwhile."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            if found := check():
                return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what or check}")
        time.sleep(0.01)


def send(port: int, method: str, path: str, body: Any = None, token: str = "", **headers: str) -> Reply:
    """Exchange one request, on a connection of its own. Bytes are sent as they are, anything else as JSON."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        held = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            held["authorization"] = f"Bearer {token}"
        link.request(method, path, body=sent, headers=held)
        answer = link.getresponse()
        data, kind = answer.read(), answer.headers.get_content_type()
        return Reply(answer.status, json.loads(data) if kind.endswith("json") and data else data, kind)
    finally:
        link.close()


def sqlite_shop(path: Path) -> Path:
    with contextlib.closing(sqlite3.connect(path)) as db:
        for statement in TABLES:
            db.execute(statement)
        db.executemany("INSERT INTO big VALUES (?)", ((number,) for number in range(BIG)))
        db.commit()
    return path


def connection(name: str, dialect: str, *, credential: str = "", target: str = "") -> str:
    """Return a connection as YAML; with a target it is in custody `agent`."""
    custody = f"custody: agent, target: {json.dumps(target)}" if target else f"credential: {credential}"
    return f"  - {{name: {name}, dialect: {dialect}, {custody}}}"


class GatewayProcess:
    """One gateway: its folder, its file and the process that runs now."""

    def __init__(
        self,
        folder: Path,
        *connections: str,
        env: dict[str, str] | None = None,
        timeout: str = "10s",
        clear: str = "",
        text: str = "",
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "langguard.yaml"
        self.config.write_text(
            text.replace("{port}", str(self.port))
            or FILE.format(port=self.port, connections="\n".join(connections), timeout=timeout, clear=clear)
        )
        self.environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | (env or {})
        self.log = folder / "gateway.log"
        self.said = ""
        self.administrator = ""
        self.process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> Self:
        """Start it (again, on the same port and folder), and return once it answers."""
        with self.log.open("a", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "langguard.cli.demo.tied", "gateway", "--config", str(self.config)],
                env=self.environment | {"PYTHONUNBUFFERED": "1"},
                stdin=subprocess.PIPE,  # never written to: it ends with this process, and the gateway with it
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if found := re.search(r"lgk_[0-9a-f]+", line):
                self.administrator = found[0]
            if "listens on" in line:
                return self
        raise AssertionError(f"the gateway did not start: {self.log.read_text(encoding='utf-8')[-2000:]}")

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it with a signal; return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(START_SECONDS)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.said += self.process.stdout.read()
        self.process.stdout.close()
        return code

    def signal(self, which: signal.Signals) -> None:
        os.kill(self.pid, which)

    def workers(self) -> list[int]:
        """Return the process ids of its children that are alive."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
                if int(parent) == self.pid and state != "Z":
                    found.append(int(entry.name))
        return found

    # ---- its interface

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None, **headers: str) -> Reply:
        """Exchange one request; as the administrator unless a token (or an empty one) is given."""
        return send(self.port, method, path, body, self.administrator if token is None else token, **headers)

    def key(
        self, name: str = "analyst", *groups: str, scopes: tuple[str, ...] = ("call", "observe"), days: int = 1
    ) -> str:
        """Make an API key and return its secret."""
        body = {"name": name, "groups": list(groups or ("analysts",)), "scopes": list(scopes), "days": days}
        made = self.ask("POST", "/v1/keys", body)
        assert made.status == 201, made
        return made.body["secret"]

    def session(self, key: str, **more: Any) -> dict[str, Any]:
        """Open a session and return it, its token included."""
        made = self.ask("POST", "/v1/sessions", {"protocols": [1], "client": "tests"} | more, key)
        assert made.status == 201, made
        return made.body

    def sql(
        self, token: str, statement: str, connection: str = "shop", *, call: str, binds: tuple[Any, ...] = ()
    ) -> Reply:
        """Ask for one statement."""
        wanted = {"type": "sql", "connection": connection, "statement": statement, "binds": list(binds)}
        return self.ask("POST", "/v1/calls", {"id": call, "call": wanted}, token)

    def timeline(self, session: str) -> list[dict[str, Any]]:
        """Return a session's recorded entries, as the administrator reads them."""
        shown = self.ask("GET", f"/v1/sessions/{session}")
        assert shown.status == 200, shown
        return shown.body["timeline"]

    def command(
        self, *words: str, token: str | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line as a process of its own, with this gateway's address and a token."""
        return command(
            *words,
            env={"LANGGUARD_URL": self.url, "LANGGUARD_TOKEN": token or self.administrator},
            cwd=cwd or self.folder,
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGCONT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.end()
            self.process.kill()
            self.process.wait()


def command(*words: str, env: dict[str, str] | None = None, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `langguard` as a process."""
    held = {name: os.environ[name] for name in _KEPT if name in os.environ} | (env or {})
    return subprocess.run(
        [sys.executable, "-m", "langguard", *words],
        env=held,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def guarded(url: str, key: str, name: str = "shop", **more: Any) -> Any:
    """Return a client and the guarded database it serves: (guard, database)."""
    from langguard import Guard, GuardedSQLDatabase

    guard = Guard(url, key, timeout=more.pop("timeout", 10))
    try:
        return guard, GuardedSQLDatabase.from_gateway(name, guard=guard, **more)
    except BaseException:
        guard.close()
        raise


def run_agent(database: Any, *queries: str) -> list[str]:
    """Run a real agent over the database's own query tool; return the tool's messages, one a query, in order.

    The run must come to its end, whatever the tool says.
    """
    from langchain.agents import create_agent
    from langchain_community.tools.sql_database.tool import QuerySQLDatabaseTool
    from tests.support.agents import Scripted, asked

    agent = create_agent(Scripted(), [QuerySQLDatabaseTool(db=database)])
    done = agent.invoke(asked("SQL:" + ";;".join(queries)))
    assert done["messages"][-1].content == "done"
    return [message.content for message in done["messages"] if message.type == "tool"]


def postgres_shop(postgres: Any, name: str, *statements: str) -> str:
    """Make a database with the shop in it and a login of its own that may read and write; return the login's DSN."""
    import psycopg

    role = f"{name}_role"
    with psycopg.connect(postgres.dsn, autocommit=True) as link:
        link.execute(f'CREATE DATABASE "{name}"')
        link.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{PG_PASSWORD}'")
    with psycopg.connect(postgres.admin_address(name).dsn, autocommit=True) as link:
        for statement in (*TABLES, f"INSERT INTO big SELECT generate_series(1, {BIG})", *statements):
            link.execute(statement)
        link.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "{role}"')
    return postgres.address(user=role, password=PG_PASSWORD, database=name).url


class SharedGateway(GatewayProcess):
    """The session's own: `shop` (SQLite) and `pg` (PostgreSQL) in custody `gateway`, `direct` (SQLite) in `agent`."""

    shop: Path
    direct: Path
    pg_admin: str

    def __init__(self, folder: Path, postgres: Any) -> None:
        self.shop = sqlite_shop(folder / "shop.db")
        self.direct = sqlite_shop(folder / "direct.db")
        self.pg_admin = postgres.admin_address("shared").dsn
        super().__init__(
            folder,
            connection("shop", "sqlite", credential="{value: ./shop.db}"),
            connection("pg", "postgres", credential="{env: SHOP_DSN}"),
            connection("direct", "sqlite", target=f"sqlite:///{self.direct}"),
            env={"SHOP_DSN": postgres_shop(postgres, "shared", *TYPES)},
            timeout="8s",
            clear="".join(f', "*/*.kinds.{name}"' for name in ("word", "doc", "words", "list", "data", "span")),
        )

    def pin(self) -> None:
        """Pin the structure of `direct`, as an administrator does."""
        import msgspec

        from langguard.drivers.sql import open_engine
        from langguard.drivers.sql_catalog import snapshot

        engine = open_engine(f"sqlite:///{self.direct}")
        catalog = msgspec.json.encode(snapshot(engine, dialect="sqlite"))
        engine.dispose()
        assert self.ask("PUT", "/v1/connections/direct/catalog", catalog).status == 200


TYPES = (
    "CREATE TYPE spot AS (x INTEGER, label TEXT)",
    "CREATE TABLE kinds (id INTEGER PRIMARY KEY, num NUMERIC, huge BIGINT, dbl DOUBLE PRECISION, data BYTEA, "
    "span INT4RANGE, list INTEGER[], words TEXT[], guid UUID, gap INTERVAL, day DATE, moment TIMESTAMPTZ, "
    "naive TIMESTAMP, clock TIME, doc JSONB, host INET, net CIDR, flag BOOLEAN, word TEXT, here spot)",
    "INSERT INTO kinds VALUES (1, 12345678901234567890.123456789, 9223372036854775807, 'NaN', '\\x00ff10', "
    "'[1,5)', '{1,NULL,3}', '{a,\"b c\"}', '6f1c2b8e-6d5b-4f53-9a51-1b2f3c4d5e6f', '3 days 04:05:06.7', "
    "'2024-02-29', '2024-02-29 12:30:00.123456+02', '2024-02-29 12:30:00', '23:59:59.5', "
    "'{\"a\": [1, {\"b\": null}], \"$\": \"int\"}', '192.168.1.5', '10.0.0.0/8', true, 'plain', '(1,two)')",
    "INSERT INTO kinds (id, day) VALUES (2, 'infinity')",
    "INSERT INTO kinds (id, dbl, num) VALUES (3, '-Infinity', 'NaN')",
    "INSERT INTO kinds (id, moment) VALUES (4, '0044-03-15 12:00:00 BC')",
)


@pytest.fixture(scope="session")
def gateway(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedGateway]:
    """One gateway for the whole run. A test that stops it or changes its file makes its own instead."""
    with SharedGateway(tmp_path_factory.mktemp("gateway"), postgres) as running:
        running.pin()
        yield running
