"""DuckDB behind a real gateway: a real agent's reads and writes, masked, capped, cancelled and refused."""

import concurrent.futures
import contextlib
import uuid
import warnings

import duckdb
import pytest
from sqlalchemy import create_engine
from tests.support.gateway import (
    BIG,
    CARD,
    EMAIL,
    NAME,
    TABLES,
    GatewayProcess,
    connection,
    guarded,
    run_agent,
    until,
)

from langguard import GuardedSQLDatabase

warnings.filterwarnings("ignore", message=".*langchain-community.*", category=DeprecationWarning)

OBJECTS = (
    f"INSERT INTO big SELECT range FROM range({BIG})",
    "CREATE TABLE visits (id INTEGER, who STRUCT(name TEXT, email TEXT), tags TEXT[], seen TIMESTAMPTZ, doc JSON)",
    f"INSERT INTO visits VALUES (1, {{'name': '{NAME}', 'email': '{EMAIL}'}}, ['{EMAIL}', 'vip'], "
    f"'2026-01-02 03:04:05+00', '{{\"mail\": \"{EMAIL}\"}}')",
    "CREATE MACRO upper(x) AS 'not the engine''s'",
    "CREATE VIEW open_orders AS SELECT id, customer_id, total FROM orders WHERE status = 'open'",
)


def new() -> str:
    return f"call-{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    folder = tmp_path_factory.mktemp("duckdb")
    for name in ("read", "write", "own"):
        with duckdb.connect(str(folder / f"{name}.duckdb")) as link:
            for statement in (*TABLES, *OBJECTS[: 5 if name == "read" else 3]):
                link.execute(statement)
    made = GatewayProcess(
        folder,
        connection("shop", "duckdb", credential="{value: ./read.duckdb}"),
        connection("till", "duckdb", credential="{env: TILL_DSN}"),
        connection("own", "duckdb", target=f"duckdb:///{folder / 'own.duckdb'}"),
        env={"TILL_DSN": f"duckdb:///{folder / 'write.duckdb'}?access_mode=read_write&threads=1"},
    )
    with made:
        yield made


@pytest.fixture
def token(gateway):
    return gateway.session(gateway.key("writer", "analysts", "writers"))["token"]


def test_an_agent_reads_masked_rows_and_is_told_what_it_may_not_do(gateway):
    guard, database = guarded(gateway.url, gateway.key())
    assert database.dialect == "duckdb"
    assert "customers" in database.get_usable_table_names()
    assert "CREATE TABLE" in database.get_table_info(["orders"])
    said = run_agent(
        database,
        "FROM customers SELECT id, name, email, card ORDER BY id",
        "SELECT name AS n, lower(n) AS l, email AS e FROM customers WHERE id = 1",
        "SELECT status, count(*) AS n FROM orders GROUP BY ALL ORDER BY ALL",
        "SELECT * EXCLUDE (customer_id) FROM orders WHERE id = 1",
        "SELECT who, who.email, tags, doc FROM visits",
        "SELECT * FROM '/etc/passwd'",
        "SELECT customers FROM customers",
        "COPY customers TO 'out.csv'",
        "WITH x AS (DELETE FROM orders RETURNING *) SELECT * FROM x",
        "SELECT * FROM open_orders",
        "SELECT * FROM orders QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY id) = 1",
    )
    guard.close()
    everything = "\n".join(said)
    for secret in (NAME, EMAIL, CARD, NAME.lower(), EMAIL.lower()):
        assert secret not in everything, secret
    assert CARD[-4:] in said[0]
    assert "('open', 2)" in said[2]
    assert "12.50" in said[3]
    for refused in said[5:9]:
        assert "not allowed" in refused or "no table" in refused or "no column" in refused or "may not" in refused, (
            refused
        )
    assert "99.99" in said[10]


def test_rows_are_capped(gateway, token):
    answer = gateway.sql(token, "SELECT id FROM big ORDER BY id", call=new()).body["result"]
    assert len(answer["rows"]) == 100
    assert answer["truncated"] is True


def test_placeholders_take_values(gateway, token):
    answer = gateway.sql(
        token, "SELECT id FROM orders WHERE total > $1 AND status = $2", call=new(), binds=(10, "open")
    )
    assert [row[0] for row in answer.body["result"]["rows"]] == [1, 3]


def test_a_time_with_a_zone_arrives(gateway, token):
    answer = gateway.sql(token, "SELECT seen FROM visits", call=new()).body
    assert "2026-01-02T03:04:05" in str(answer["result"]["rows"]), answer


def test_writes_need_a_file_opened_for_them(gateway, token):
    refused = gateway.sql(token, "INSERT INTO counters (id, n) VALUES (7, 0)", call=new()).body
    assert "error" in refused
    made = gateway.sql(token, "INSERT INTO counters (id, n) VALUES (7, 0)", "till", call=new()).body
    assert made["result"]["affected"] == 1, made
    call = new()
    for _ in range(2):
        gateway.sql(token, "UPDATE counters SET n = n + 1 WHERE id = 7", "till", call=call)
    assert gateway.sql(token, "SELECT n FROM counters WHERE id = 7", "till", call=new()).body["result"]["rows"] == [[1]]
    denied = gateway.sql(token, "UPDATE counters SET n = 0", "till", call=new()).body
    assert denied["decision"]["effect"] == "deny"


SLOW = "SELECT COUNT(*) FROM big a, big b, big c WHERE (a.id * 31 + b.id * 17 + c.id) % 1003 = 1002"
"""64 000 000 000 combinations, none of which DuckDB can rule out from what it knows of the columns."""


def test_ending_a_session_stops_its_statement(gateway):
    opened = gateway.session(gateway.key())
    call = new()
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        slow = threads.submit(gateway.sql, opened["token"], SLOW, call=call)
        until(
            lambda: gateway.ask("GET", f"/v1/calls/{call}", token=opened["token"]).code == "call_in_flight",
            what="the statement runs",
        )
        gateway.ask("DELETE", f"/v1/sessions/{opened['id']}")
        assert slow.result(3).code == "session_ended"


def test_custody_agent_runs_it_with_the_callers_own_engine(gateway, tmp_path):
    folder = gateway.folder
    uri = f"duckdb:///{folder / 'own.duckdb'}"
    pinned = gateway.command("connection", "add", "own", "--snapshot-from", uri)
    assert pinned.returncode == 0, pinned.stderr
    from langguard import Guard

    with contextlib.closing(Guard(gateway.url, gateway.key())) as guard:
        engine = create_engine(uri)
        database = GuardedSQLDatabase(engine, guard=guard)
        said = database.run("SELECT name, email, id FROM customers ORDER BY id")
        engine.dispose()
    assert NAME not in said
    assert EMAIL not in said
    assert "1)" in said
