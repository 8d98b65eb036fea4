"""Nothing secret in a log: no token, no credential, no statement's literal, no value of a row, no prompt."""

import contextlib
import re
import sqlite3
import uuid
from pathlib import Path

import psycopg
import pytest
from tests.support.gateway import (
    CARD,
    EMAIL,
    NAME,
    PG_PASSWORD,
    GatewayProcess,
    SharedGateway,
    connection,
    guarded,
    run_agent,
    sqlite_shop,
)

LITERAL = "Zeppelin-literal-4711"
PROMPT = "Quokka-prompt-0815"


def new() -> str:
    return f"call-{uuid.uuid4().hex}"


def test_no_secret_is_logged_whatever_is_done(gateway: SharedGateway):
    key = gateway.key("secretive", "analysts", "writers")
    opened = gateway.session(key)
    token = opened["token"]
    for connected in ("shop", "pg", "direct"):
        for statement in (
            f"SELECT id, name, email, card FROM customers WHERE name = '{LITERAL}' OR id = 1",
            f"DROP TABLE {LITERAL}",
            f"SELECT CAST(name AS INTEGER) FROM customers WHERE card <> '{LITERAL}'",
            f"INSERT INTO counters (id, n) VALUES (1, 0) /* {LITERAL} */",
            f"SELECT '{LITERAL}",
        ):
            gateway.sql(token, statement, connected, call=new())
    gateway.ask("POST", "/v1/calls", f'{{"{LITERAL}": 1}}'.encode(), token)
    gateway.ask("POST", "/v1/observations", {"kind": "answer", "text": PROMPT}, token)
    gateway.ask("GET", "/v1/session", token=token + "x")
    gateway.ask("GET", f"/v1/calls/{LITERAL}?token={token}", token=token)
    guard, db = guarded(gateway.url, key, "pg")
    run_agent(db, f"SELECT email FROM customers WHERE name <> '{LITERAL}'", f"DROP TABLE {LITERAL}")
    guard.close()
    said = gateway.log.read_text() + gateway.said.replace(gateway.administrator, "", 1)
    secrets = [key, token, gateway.administrator, PG_PASSWORD, LITERAL, PROMPT, NAME, EMAIL, CARD, opened["mask_key"]]
    for secret in secrets:
        assert secret not in said
    assert not re.search(r"lg[ks]_[0-9a-f]{8}", said)
    assert "Traceback" not in said


def test_no_secret_stands_in_the_data_folder_in_clear(gateway: SharedGateway):
    key = gateway.key("stored")
    opened = gateway.session(key)
    gateway.sql(opened["token"], f"SELECT id, email FROM customers WHERE name <> '{LITERAL}'", "pg", call=new())
    gateway.ask("POST", "/v1/observations", {"kind": "answer", "text": PROMPT}, opened["token"])
    held = b"".join(file.read_bytes() for file in (gateway.folder / "data").iterdir())
    for secret in (key, opened["token"], gateway.administrator, PG_PASSWORD, LITERAL, PROMPT, EMAIL):
        assert secret.encode() not in held


def test_the_databases_password_is_in_no_answer(gateway: SharedGateway):
    asked = ("/v1/connections", "/v1/sessions", "/v1/keys", "/readyz", "/healthz", "/openapi.json", "/v1/checkpoint")
    for path in asked:
        assert PG_PASSWORD not in str(gateway.ask("GET", path).body)


def test_an_answer_names_no_software_and_is_kept_by_no_cache(gateway: SharedGateway):
    import http.client

    link = http.client.HTTPConnection("127.0.0.1", gateway.port)
    link.request("GET", "/healthz")
    headers = {name.lower(): value for name, value in link.getresponse().getheaders()}
    link.close()
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


VALUES = [
    'Robert "Bob" Smithson',
    "O'Brien Halloway",
    "(Smithson) Bob (Halloway)",
    'name" Smithson "name',
    "name' Smithson 'name",
    "two\nSmithson lines",
    '""Smithson""',
    "Smithson",
]


@pytest.mark.parametrize("value", VALUES)
def test_a_postgres_error_quotes_no_value(gateway: SharedGateway, value: str):
    """A cast that fails quotes the value it failed on."""
    number = uuid.uuid4().int % 10**8 + 10
    with psycopg.connect(gateway.pg_admin, autocommit=True) as link:
        link.execute("INSERT INTO customers VALUES (%s, %s, 'e', 'c')", (number, value))
    try:
        token = gateway.session(gateway.key())["token"]
        for cast in ("INTEGER", "DATE", "NUMERIC", "BOOLEAN", "UUID"):
            statement = f"SELECT CAST(name AS {cast}) AS name FROM customers WHERE id = {number}"
            answer = gateway.sql(token, statement, "pg", call=new())
            assert "Smithson" not in str(answer.body)
            assert "Halloway" not in str(answer.body)
            assert "Bob" not in str(answer.body)
    finally:
        with psycopg.connect(gateway.pg_admin, autocommit=True) as link:
            link.execute("DELETE FROM customers WHERE id = %s", (number,))


@pytest.mark.parametrize("value", VALUES)
def test_an_sqlite_error_quotes_no_value(gateway: SharedGateway, value: str):
    """Text that is no UTF-8 is quoted by SQLite's driver when it can't be read."""
    number = uuid.uuid4().int % 10**8 + 10
    with contextlib.closing(sqlite3.connect(gateway.shop)) as db:
        raw = value.encode() + b"\xff"
        db.execute("INSERT INTO customers VALUES (?, CAST(? AS TEXT), 'e', 'c')", (number, raw))
        db.commit()
    try:
        token = gateway.session(gateway.key())["token"]
        answer = gateway.sql(token, f"SELECT name FROM customers WHERE id = {number}", call=new()).body
        assert answer["error"]
        for part in ("Smithson", "Halloway", "Bob"):
            assert part not in str(answer)
    finally:
        with contextlib.closing(sqlite3.connect(gateway.shop)) as db:
            db.execute("DELETE FROM customers WHERE id = ?", (number,))
            db.commit()


def test_a_start_that_fails_logs_no_secret(tmp_path: Path):
    sqlite_shop(tmp_path / "shop.db")
    made = GatewayProcess(
        tmp_path,
        connection("shop", "sqlite", credential="{value: ./shop.db}"),
        connection("pg", "postgres", credential="{env: SHOP_DSN}"),
        env={"SHOP_DSN": f"postgresql://someone:{PG_PASSWORD}@127.0.0.1:1/none"},
    )
    with pytest.raises(AssertionError, match="did not start"):
        made.start()
    made.end()
    assert PG_PASSWORD not in made.log.read_text() + made.said
