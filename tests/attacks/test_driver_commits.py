"""A write whose commit is not answered may have taken effect: it is never called a failure."""

from __future__ import annotations

import itertools
from pathlib import Path

import psycopg
import pytest
from tests.support.gateway import PG_PASSWORD, GatewayProcess, connection, postgres_shop

from langguard.drivers.sql import open_engine, run_statement
from langguard.errors import OutcomeUnknownError, TargetError

DIES = "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5);"
REFUSES = "RAISE EXCEPTION 'no' USING ERRCODE = '23514';"
_numbers = itertools.count(1)


def at_commit(dsn: str, body: str) -> None:
    """Have the database do something when a change of `counters` is committed."""
    name = f"at_commit_{next(_numbers)}"
    with psycopg.connect(dsn, autocommit=True) as link:
        link.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger AS $$ BEGIN {body} RETURN NULL; END $$ LANGUAGE plpgsql"
        )
        link.execute(
            f"CREATE CONSTRAINT TRIGGER {name} AFTER UPDATE ON counters DEFERRABLE INITIALLY DEFERRED "
            f"FOR EACH ROW EXECUTE FUNCTION {name}()"
        )


@pytest.mark.parametrize(
    ("body", "raised"),
    [
        pytest.param(DIES, OutcomeUnknownError, id="the server goes away"),
        pytest.param(REFUSES, TargetError, id="the server says that it refused"),
    ],
)
def test_a_commit_that_fails(postgres_database, body, raised):
    with psycopg.connect(postgres_database.dsn, autocommit=True) as link:
        link.execute("CREATE TABLE counters (id int PRIMARY KEY, n int)")
        link.execute("INSERT INTO counters VALUES (1, 0)")
    at_commit(postgres_database.dsn, body)
    engine = open_engine(postgres_database.url)
    try:
        with pytest.raises(raised) as failed:
            run_statement(
                engine,
                "UPDATE counters SET n = n + 1",
                [],
                dialect="postgres",
                rows=1,
                timeout_ms=5000,
                read_only=False,
                schemas=("public",),
                result_bytes=1000,
            )
        assert "counters" not in str(failed.value)
    finally:
        engine.dispose()


def test_a_call_whose_commit_was_not_answered_is_unknown_and_recorded_so(postgres, tmp_path: Path) -> None:
    url = postgres_shop(postgres, "unanswered")
    at_commit(postgres.admin_address("unanswered").dsn, DIES)
    env = {"SHOP_DSN": url}
    with GatewayProcess(tmp_path, connection("shop", "postgres", credential="{env: SHOP_DSN}"), env=env) as home:
        opened = home.session(home.key("writer", "writers"))
        for _ in range(2):  # asked again, nothing runs again
            answer = home.sql(opened["token"], "UPDATE counters SET n = n + 1 WHERE id = 1", call="c1")
            assert (answer.status, answer.code) == (409, "call_unknown"), answer
        assert home.ask("GET", "/v1/calls/c1", token=opened["token"]).code == "call_unknown"
        told = [entry["data"] for entry in home.timeline(opened["id"]) if entry["kind"] == "outcome"]
        assert [(data["call"], data["status"]) for data in told] == [("c1", "unknown")]
        assert PG_PASSWORD not in home.log.read_text()
