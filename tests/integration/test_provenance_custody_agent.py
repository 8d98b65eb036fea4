"""Custody `agent`: the caller's own engine runs what came back, and rows are released only against a receipt."""

import sqlite3

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from tests.support.fake_gateway import API_KEY, FakeGateway, Raw, problem

from langguard import (
    AccessDeniedError,
    ConfigError,
    GatewayUnavailableError,
    Guard,
    GuardedSQLDatabase,
    MaskingError,
    OutcomeUnknownError,
    TargetError,
)
from langguard.protocol import ColumnPlan, ConnectionInfo, EntityMask, MaskPlan, Operator, SchemaCall

HASH = Operator(name="hash")
NOTHING = Raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as link:
        link.execute("create table customers (id integer primary key, email text, city text)")
        link.executemany(
            "insert into customers values (?, ?, ?)",
            [(n, f"person{n}@example.com", "Porto") for n in range(1, 6)],
        )
    link.close()
    return file


@pytest.fixture
def gateway(path):
    connections = (
        ConnectionInfo(name="app", kind="sql", dialect="sqlite", custody="agent", target=f"sqlite:///{path}"),
    )
    schema = [
        ("main.customers", "id", "INTEGER", True, True, None),
        ("main.customers", "email", "TEXT", True, False, None),
    ]
    with FakeGateway(connections, schema) as made:
        made.default_schemas = ("main",)
        yield made


@pytest.fixture
def guard(gateway):
    with Guard(gateway.url, API_KEY) as made:
        yield made


@pytest.fixture
def engine(path):
    made = sa.create_engine(f"sqlite:///{path}")
    yield made
    made.dispose()


@pytest.fixture
def db(engine, guard):
    return GuardedSQLDatabase(engine, guard=guard)


def permits(gateway, *columns, **more):
    plan = MaskPlan(columns=columns, entities=more.pop("entities", ()))

    def script(request):
        if isinstance(request.call, SchemaCall):
            return gateway.allow(request)
        return gateway.permit(request, request.call, mask=plan, **more)

    gateway.script = script


CLEAR = ColumnPlan(action="pass", why="clear")
QUERY = "SELECT id, email FROM customers ORDER BY id LIMIT 2"


def test_the_engines_connection_is_found_and_its_rows_are_masked_and_reported(gateway, db):
    permits(gateway, CLEAR, ColumnPlan(action="mask", operator=HASH, label="EMAIL"))
    rows = db._execute(QUERY)
    assert [row["id"] for row in rows] == [1, 2]
    assert all(row["email"].startswith("<EMAIL") or "person" not in row["email"] for row in rows)
    (report,) = gateway.outcomes.values()
    assert (report.status, report.fetched, len(report.result.rows)) == ("ok", 2, 2)
    assert "person" not in str(report.result)


def test_what_came_back_runs_and_not_what_was_asked(gateway, db):
    def script(request):
        answer = gateway.permit(request, request.call)
        import msgspec

        return msgspec.structs.replace(
            answer, statement='SELECT count(*) FROM "main"."customers" WHERE "id" > $1', binds=(2,)
        )

    gateway.script = script
    assert db.run("select whatever from anywhere") == "[(3,)]"


def test_content_is_analysed_with_the_gateways_plan(gateway, db):
    permits(
        gateway,
        CLEAR,
        ColumnPlan(action="analyse", why="free text"),
        entities=(EntityMask(entities=("EMAIL_ADDRESS",), operator=Operator(name="replace")),),
    )
    assert db.run(QUERY) == "[(1, '<EMAIL_ADDRESS>'), (2, '<EMAIL_ADDRESS>')]"


def test_the_row_limit_is_kept(gateway, db):
    permits(gateway, CLEAR, rows=3)
    assert db.run("SELECT id FROM customers").startswith("[(1,), (2,), (3,)]  # only the first 3 rows")


def test_every_constructor_and_the_whole_toolkit_surface(gateway, guard, path):
    permits(gateway, CLEAR, CLEAR)
    made = GuardedSQLDatabase.from_uri(f"sqlite:///{path}", guard=guard)
    assert made.run(QUERY, include_columns=True).startswith("[{'id': 1")
    permits(gateway, CLEAR, CLEAR, CLEAR)
    assert "3\tperson3@example.com\tPorto" in made.get_table_info()
    assert repr(made) == "GuardedSQLDatabase(connection='app')"
    named = GuardedSQLDatabase.from_uri("sqlite://", connection="app", guard=guard)
    assert named.dialect == "sqlite"
    for one in (made, named):
        one._access._SqlAccess__engine.dispose()


def test_a_database_nobody_added_is_refused(gateway, guard, tmp_path):
    with pytest.raises(ConfigError, match="connection="):
        GuardedSQLDatabase.from_uri(f"sqlite:///{tmp_path}/other.db", guard=guard)


def test_a_gateway_that_lost_its_answer_runs_the_statement_once(gateway, db, engine):
    permits(gateway, CLEAR)
    ran = []
    sa.event.listen(engine, "before_cursor_execute", lambda *a: ran.append(a[2]))

    def judged_and_lost(*request):
        gateway.route(*request)
        return Raw(None)

    db.run("SELECT id FROM customers")
    ran.clear()
    gateway.faults["POST /v1/calls"] = [judged_and_lost]
    assert db.run("SELECT id FROM customers WHERE id = 1") == "[(1,)]"
    assert ran == ["SELECT id FROM customers WHERE id = 1"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Raw(None), id="the receipt is lost"),
        pytest.param(problem(503, "not_recorded", "The disk is full."), id="the ledger could not record"),
        pytest.param(problem(401, "session_ended", "Revoked."), id="the session was revoked while it ran"),
        pytest.param(problem(409, "not_reportable"), id="the call is not waiting"),
        pytest.param(NOTHING, id="a receipt of nothing"),
    ],
)
def test_without_a_receipt_the_rows_are_discarded(gateway, db, fault, monkeypatch):
    monkeypatch.setattr("langguard.client.guard._LOOK_UP_AFTER", (0.0,))
    permits(gateway, CLEAR)

    def after(request, script=gateway.script):
        gateway.faults[f"POST /v1/calls/{request.id}/outcome"] = [fault, fault]
        return script(request)

    gateway.script = after
    with pytest.raises(OutcomeUnknownError) as caught:
        db.run("SELECT email FROM customers")
    assert isinstance(caught.value, SQLAlchemyError)
    assert caught.value.call_id == gateway.calls[-1].id
    assert "person" not in str(caught.value)


def test_a_denial_touches_no_database(gateway, db, engine):
    ran = []
    sa.event.listen(engine, "connect", lambda *_: ran.append(1))
    sa.event.listen(engine, "before_cursor_execute", lambda *_: ran.append(1))
    gateway.script = gateway.deny
    with pytest.raises(AccessDeniedError):
        db.run("DROP TABLE customers")
    assert ran == []
    assert gateway.outcomes == {}


def test_a_plan_that_does_not_fit_releases_nothing_and_is_reported(gateway, db):
    permits(gateway, CLEAR)
    with pytest.raises(MaskingError):
        db.run("SELECT id, email FROM customers")
    (report,) = gateway.outcomes.values()
    assert (report.status, report.result) == ("masking_failed", None)


def test_a_masking_engine_that_dies_releases_nothing_and_is_reported(gateway, db, monkeypatch):
    def dies(*_, **__):
        raise ZeroDivisionError("person1@example.com")

    monkeypatch.setattr("langguard.masking.apply", dies)
    permits(gateway, CLEAR)
    with pytest.raises(MaskingError) as caught:
        db.run("SELECT email FROM customers")
    assert "person" not in str(caught.value)
    assert next(iter(gateway.outcomes.values())).status == "masking_failed"


def test_the_databases_refusal_is_reported_and_quotes_no_value(gateway, db):
    permits(gateway, CLEAR)
    with pytest.raises(TargetError) as caught:
        db.run("SELECT nope FROM customers")
    assert "person" not in str(caught.value)
    (report,) = gateway.outcomes.values()
    assert (report.status, report.error) == ("failed", str(caught.value))
    assert db.run_no_throw("SELECT nope FROM customers").startswith("Error: ")


def test_a_driver_that_raises_anything_is_a_target_error(gateway, db, monkeypatch):
    def explodes(*_, **__):
        raise KeyError("person1@example.com")

    monkeypatch.setattr("langguard.drivers.sql.run_statement", explodes)
    permits(gateway, CLEAR)
    with pytest.raises(TargetError) as caught:
        db.run("SELECT email FROM customers")
    assert "person" not in str(caught.value)


def test_a_write_is_refused_by_the_database_itself_in_a_read(gateway, db, path):
    permits(gateway, CLEAR)
    with pytest.raises(TargetError):
        db.run("DELETE FROM customers")
    with sqlite3.connect(path) as link:
        assert link.execute("select count(*) from customers").fetchone() == (5,)
    link.close()


def bare(gateway, **changes):
    import msgspec

    return lambda request: msgspec.structs.replace(gateway.permit(request, request.call), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"statement": None}, id="no statement"),
        pytest.param({"statement": ""}, id="an empty statement"),
        pytest.param({"obligations": None}, id="no obligations"),
    ],
)
def test_an_allow_that_lacks_its_terms_runs_nothing(gateway, db, engine, changes):
    ran = []
    sa.event.listen(engine, "before_cursor_execute", lambda *_: ran.append(1))
    gateway.script = bare(gateway, **changes)
    with pytest.raises(GatewayUnavailableError):
        db.run("SELECT id FROM customers")
    assert ran == []
