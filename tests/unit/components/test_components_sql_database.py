"""GuardedSQLDatabase: the same SQLDatabase to LangChain, with the gateway behind every member."""

import copy
import decimal
import inspect
import pickle
import warnings

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError, StatementError
from tests.support.agents import Scripted, asked
from tests.support.fake_gateway import ALLOW, API_KEY, FakeGateway, result

from langguard import (
    AccessDeniedError,
    ApprovalRequiredError,
    ConfigError,
    GatewayUnavailableError,
    Guard,
    GuardedSQLDatabase,
    LangguardError,
    NotNowError,
    SessionEndedError,
    TargetError,
)
from langguard.protocol import ConnectionInfo, Decision, Result, ResultColumn, SchemaCall, values

warnings.filterwarnings("ignore", message=".*langchain-community.*", category=DeprecationWarning)
from langchain_community.agent_toolkits import SQLDatabaseToolkit  # noqa: E402
from langchain_community.document_loaders import SQLDatabaseLoader  # noqa: E402
from langchain_community.tools.sql_database.tool import (  # noqa: E402
    InfoSQLDatabaseTool,
    ListSQLDatabaseTool,
    QuerySQLDatabaseTool,
)
from langchain_community.utilities import SQLDatabase  # noqa: E402

SQLITE = (ConnectionInfo(name="shop", kind="sql", dialect="sqlite", custody="gateway"),)
PLAIN = (
    "__module__",
    "__doc__",
    "__dict__",
    "__weakref__",
    "__annotations__",
    "__firstlineno__",
    "__static_attributes__",
)


@pytest.fixture
def gateway():
    with FakeGateway() as made:
        yield made


@pytest.fixture
def guard(gateway):
    with Guard(gateway.url, API_KEY) as made:
        yield made


@pytest.fixture
def db(guard):
    return GuardedSQLDatabase.from_gateway("shop", guard=guard)


def answers(gateway, columns, rows, **more):
    """Answer every statement with these rows."""
    encoded = [tuple(values.encode(value) for value in row) for row in rows]

    def script(request):
        if isinstance(request.call, SchemaCall):
            return gateway.allow(request)
        return gateway.answer(request, result=result(columns, encoded, **more))

    gateway.script = script


def refuses(gateway, **decision):
    said = Decision(**{"effect": "deny", "reason": "no_grant", "message": "Not payroll; orders is yours.", **decision})
    gateway.script = lambda request: gateway.answer(request, decision=said)


# ---- nothing of SQLDatabase is left as it was


def test_every_member_is_overridden():
    left = [name for name in vars(SQLDatabase) if name not in PLAIN and name not in vars(GuardedSQLDatabase)]
    assert left == []


def test_every_attribute_that_upstream_sets_on_itself_is_answered_for():
    source = inspect.getsource(SQLDatabase.__init__)
    import re

    names = set(re.findall(r"self\.(_\w+)\b", source))
    reachable = {"_engine", "_inspector", "_metadata", "_all_tables", "_usable_tables"}
    assert reachable <= names
    assert all(isinstance(vars(GuardedSQLDatabase)[name], property) for name in reachable)


def test_the_signatures_are_upstreams():
    for name in (
        "__init__",
        "run",
        "run_no_throw",
        "_execute",
        "get_table_info",
        "get_table_info_no_throw",
        "from_uri",
    ):
        ours = list(inspect.signature(getattr(GuardedSQLDatabase, name)).parameters.values())
        theirs = list(inspect.signature(getattr(SQLDatabase, name)).parameters.values())
        kept = [(one.name, one.kind, one.default) for one in ours][: len(theirs)]
        assert kept == [(one.name, one.kind, one.default) for one in theirs], name


@pytest.mark.parametrize("name", ["_inspector", "_metadata"])
def test_what_reaches_the_database_is_not_there(db, name):
    assert not hasattr(db, name)
    with pytest.raises(LangguardError, match="guarded database has no"):
        getattr(db, name)


@pytest.mark.parametrize(
    "name", ["connect", "begin", "raw_connection", "pool", "url", "execute", "dispose", "_proxied"]
)
def test_the_engine_only_compiles(db, name):
    with pytest.raises(LangguardError, match=f"_engine.{name}"):
        getattr(db._engine, name)
    with pytest.raises(SQLAlchemyError):
        sa.inspect(db._engine)


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_is_not_copied(db, way):
    with pytest.raises(TypeError, match="GuardedSQLDatabase"):
        way(db)


def test_its_repr_is_the_connections_name(db):
    assert repr(db) == "GuardedSQLDatabase(connection='shop')"


# ---- statements


def test_rows_as_upstream_writes_them(gateway, db):
    answers(gateway, ["a", "b", "a"], [(1, "x" * 400, decimal.Decimal("2.50")), (None, b"\x00", True)])
    assert db.run("select") == str([(decimal.Decimal("2.50"), "x" * 297 + "..."), (True, b"\x00")])
    assert db.run("select", include_columns=True, fetch="one") == str(
        [{"a": decimal.Decimal("2.50"), "b": "x" * 297 + "..."}]
    )
    assert db._execute("select", "one") == [{"a": decimal.Decimal("2.50"), "b": "x" * 400}]


def test_parity_with_upstream_on_the_same_rows(gateway, db):
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    with engine.begin() as link:
        link.exec_driver_sql("create table t(a int, b text)")
        link.exec_driver_sql("insert into t values (1, 'long text with words'), (2, null)")
    theirs = SQLDatabase(engine, max_string_length=12)
    ours = GuardedSQLDatabase.from_gateway("shop", guard=db._access._guard, max_string_length=12)
    answers(gateway, ["a", "b", "a"], [(1, "long text with words", 10), (2, None, 20)])
    query = "select a, b, a * 10 as a from t"
    for more in ({}, {"fetch": "one"}, {"include_columns": True}):
        assert ours.run(query, **more) == theirs.run(query, **more)
    assert ours.run(query, "cursor").all() == theirs.run(query, "cursor").all()
    answers(gateway, ["a"], [])
    assert ours.run("select a from t where false") == theirs.run("select a from t where false") == ""
    engine.dispose()


def test_a_write_returns_what_upstream_returns(gateway, db):
    answers(gateway, [], [], affected=3)
    assert db.run("update") == ""
    assert db._execute("update") == []
    assert db.run("update", "cursor") == []


def test_a_cut_result_says_so_in_a_way_that_still_reads_as_python(gateway, db):
    import ast

    answers(gateway, ["n"], [(1,), (2,)], truncated=True)
    text = db.run("select n")
    assert text.endswith("# only the first 2 rows were released; there are more")
    assert ast.literal_eval(text) == [(1,), (2,)]


@pytest.mark.parametrize(
    ("command", "parameters", "statement", "binds"),
    [
        pytest.param("select 1", None, "select 1", (), id="text as it is"),
        pytest.param(r"select '\:a'", None, "select ':a'", (), id="an escaped colon"),
        pytest.param("select 5 % 2, '%s'", None, "select 5 % 2, '%s'", (), id="percent signs are not doubled"),
        pytest.param("select x::text", None, "select x::text", (), id="a cast is no placeholder"),
        pytest.param("select :a, :b, :a", {"a": 1, "b": "x"}, "select $1, $2, $1", (1, "x"), id="named to numbered"),
        pytest.param(
            sa.select(sa.column("a")).select_from(sa.table("t")).where(sa.column("a").in_([1, 2])),
            None,
            "SELECT a \nFROM t \nWHERE a IN ($1, $2)",
            (1, 2),
            id="a list in a comparison",
        ),
        pytest.param(
            sa.insert(sa.table("t", sa.column("a"), sa.column("b"))),
            {"a": 1},
            "INSERT INTO t (a) VALUES ($1)",
            (1,),
            id="an insert takes its columns from the values",
        ),
        pytest.param(sa.schema.DropTable(sa.Table("t", sa.MetaData())), None, "DROP TABLE t", (), id="DDL"),
        pytest.param(
            sa.text("select :d").bindparams(d=decimal.Decimal("1.5")),
            None,
            "select $1",
            ({"$": "decimal", "v": "1.5"},),
            id="values are encoded",
        ),
    ],
)
def test_what_is_asked_for(gateway, db, command, parameters, statement, binds):
    db.run(command, parameters=parameters)
    call = gateway.calls[-1].call
    assert (call.statement, call.binds) == (statement, binds)


def test_values_fit_the_columns_type_in_the_dialect(guard, gateway):
    import datetime as dt

    with FakeGateway(SQLITE) as other, Guard(other.url, API_KEY) as client:
        lite = GuardedSQLDatabase.from_gateway("shop", guard=client)
        at = sa.table("t", sa.column("at", sa.DateTime))
        lite.run(sa.select(at).where(at.c.at == dt.datetime(2026, 1, 2)))
        assert other.calls[-1].call.binds == ("2026-01-02 00:00:00.000000",)
        with pytest.raises(StatementError):
            lite.run(sa.insert(at), parameters={"at": "yesterday"})


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        pytest.param({"command": "select 1", "fetch": "many"}, ValueError, id="a fetch nobody knows"),
        pytest.param(
            {"command": "select 1", "execution_options": {"isolation_level": "AUTOCOMMIT"}},
            ConfigError,
            id="execution options",
        ),
        pytest.param(
            {"command": sa.text("select 1").execution_options(x=1)},
            ConfigError,
            id="execution options on the statement",
        ),
        pytest.param({"command": 5}, TypeError, id="no statement"),
        pytest.param({"command": "select ':foo'"}, StatementError, id="a placeholder without a value"),
        pytest.param({"command": "select '\ud800'"}, AccessDeniedError, id="text that is no Unicode"),
    ],
)
def test_what_is_refused_before_anything_is_asked(gateway, db, arguments, error):
    with pytest.raises(error):
        db.run(**arguments)
    assert gateway.calls == []


def test_empty_execution_options_change_nothing(db):
    assert db.run("select 1", execution_options={}, parameters={}) == "[(1,)]"


# ---- refusals: a typed exception to code, a sentence to the model


@pytest.mark.parametrize(
    ("decision", "error"),
    [
        ({}, AccessDeniedError),
        ({"effect": "review", "reason": "rule"}, ApprovalRequiredError),
        ({"effect": "defer", "reason": "draining", "retry_after": 4.0}, NotNowError),
    ],
)
def test_a_denial_is_typed_and_its_text_is_its_sentence(gateway, db, decision, error):
    refuses(gateway, **decision)
    with pytest.raises(error) as caught:
        db.run("select 1")
    assert type(caught.value).__name__ == error.__name__
    assert isinstance(caught.value, SQLAlchemyError)
    assert str(caught.value) == "Not payroll; orders is yours."
    assert caught.value.call_id == gateway.calls[-1].id
    assert caught.value.code == error.code
    assert db.run_no_throw("select 1") == "Error: Not payroll; orders is yours."
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, error)
    assert (str(again), again.reason) == (str(caught.value), caught.value.reason)


def broken(gateway):
    gateway.stop()


def ended(gateway):
    gateway.sessions.clear()
    gateway.keys.clear()  # the key's owner is gone too: no further session


def failed(gateway):
    gateway.script = lambda request: gateway.answer(request, error="no such column", outcome=gateway.receipt())


@pytest.mark.parametrize(
    ("happens", "error"),
    [(broken, GatewayUnavailableError), (ended, SessionEndedError), (failed, TargetError)],
)
def test_an_agents_run_goes_on_whatever_happens(gateway, db, happens, error):
    from langchain.agents import create_agent

    tools = [QuerySQLDatabaseTool(db=db), InfoSQLDatabaseTool(db=db), ListSQLDatabaseTool(db=db)]
    for tool, argument in zip(tools, ("query", "table_names", "tool_input"), strict=True):
        happens(gateway)
        agent = create_agent(Scripted(tool=tool.name, argument=argument), [tool])
        said = agent.invoke(asked("q SQL:customers"))["messages"]
        assert said[-2].content.startswith("Error: "), tool.name
        assert said[-1].content == "done"
    happens(gateway)
    with pytest.raises(error):
        db.run("select 1")
    happens(gateway)
    with pytest.raises(error):
        db.get_usable_table_names()
    if gateway.server is None:
        gateway.start()


def test_an_allow_without_a_recorded_result_is_no_result(gateway, db):
    for change in ({"result": None}, {"result": result(["n"], [(1,)]), "outcome": None}):
        gateway.script = lambda request, change=change: gateway.answer(request, decision=ALLOW, **change)
        with pytest.raises(GatewayUnavailableError):
            db.run("select 1")


@pytest.mark.parametrize(
    "row",
    [
        ({"$": "nonsense", "v": 1},),
        ({"$": "int", "v": "x"},),
        ({},),
        (1, 2),
        ({"$": "dict", "v": 3},),
        ({"$": "bytes", "v": "?"},),
    ],
)
def test_values_that_can_not_be_read_are_not_released(gateway, db, row):
    gateway.script = lambda request: gateway.answer(request, result=result(["n"], [row]))
    for how in ("all", "one", "cursor"):
        with pytest.raises(GatewayUnavailableError):
            db.run("select 1", how)


# ---- the schema


def test_the_schema_in_upstreams_words(gateway, db):
    answers(gateway, ["id", "email"], [(1, "<EMAIL>"), (2, None)])
    assert db.get_table_info(["customers"]) == (
        "\nCREATE TABLE customers (\n\tid integer NOT NULL, \n\temail text, \n\tPRIMARY KEY (id)\n)\n\n"
        "/*\n3 rows from customers table:\nid\temail\n1\t<EMAIL>\n2\tNone\n*/"
    )
    assert gateway.sql() == ['SELECT * FROM "customers" LIMIT 3']


def test_the_schema_is_upstreams_letter_by_letter(guard, gateway):
    """Upstream describes a real SQLite file; we describe it from the columns a gateway would tell."""
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    with engine.begin() as link:
        link.exec_driver_sql("CREATE TABLE customers (id INTEGER NOT NULL PRIMARY KEY, name TEXT)")
        link.exec_driver_sql(
            'CREATE TABLE "Order Lines" (id INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER, "select" TEXT, '
            "FOREIGN KEY(customer_id) REFERENCES customers (id))"
        )
    schema = [
        ("main.customers", "id", "INTEGER", False, True, None),
        ("main.customers", "name", "TEXT", True, False, None),
        ("main.Order Lines", "id", "INTEGER", False, True, None),
        ("main.Order Lines", "customer_id", "INTEGER", True, False, "main.customers.id"),
        ("main.Order Lines", "select", "TEXT", True, False, None),
    ]
    with FakeGateway(SQLITE, schema) as other, Guard(other.url, API_KEY) as client:
        other.default_schemas = ("main",)
        ours = GuardedSQLDatabase.from_gateway("shop", guard=client, sample_rows_in_table_info=0)
        assert ours.get_table_info() == SQLDatabase(engine, sample_rows_in_table_info=0).get_table_info()
        assert ours.get_usable_table_names() == SQLDatabase(engine).get_usable_table_names()
        assert ours.dialect == "sqlite"
    engine.dispose()


def test_names_outside_the_default_schema_are_qualified(gateway, db):
    assert db.get_usable_table_names() == ["audit.log", "customers", "orders"]
    assert 'FROM "audit"."log"' in (db.get_table_info(["audit.log"]) and gateway.sql()[-1])
    assert db._usable_tables == db._all_tables == {"audit.log", "customers", "orders"}
    assert db.get_table_names() == db.get_usable_table_names()


@pytest.mark.parametrize("deny", [False, True])
def test_a_name_that_is_not_there_reads_as_upstream(gateway, db, deny):
    def script(request):
        unknown = isinstance(request.call, SchemaCall) and "nope" in (request.call.tables or ())
        if deny and unknown:
            said = Decision(effect="deny", reason="unknown_table", message="There is no table nope.")
            return gateway.answer(request, decision=said)
        return gateway.allow(request)

    gateway.script = script
    assert db.get_table_info_no_throw(["nope"]) == "Error: table_names {'nope'} not found in database"
    with pytest.raises(ValueError, match="not found in database"):
        db.get_table_info(["customers", "nope"])


def test_a_sample_that_is_denied_is_a_comment_that_can_not_end_it(gateway, db):
    def script(request):
        if isinstance(request.call, SchemaCall):
            return gateway.allow(request)
        return gateway.deny(request, "No */ DROP TABLE x;\nno rows.")

    gateway.script = script
    text = db.get_table_info(["orders"])
    assert "Sample rows of orders are not shown: No * / DROP TABLE x; no rows." in text
    assert text.count("*/") == 1
    assert text.endswith("*/")


def test_a_schema_that_is_denied_is_an_error(gateway, db):
    refuses(gateway)
    assert db.get_table_info_no_throw() == "Error: Not payroll; orders is yours."
    assert db.run_no_throw("x").startswith("Error:")
    for ask in (db.get_table_info, db.get_usable_table_names, db.get_context, lambda: db.table_info):
        with pytest.raises(AccessDeniedError):
            ask()


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([("orders", "id", "int", True, True, None)], id="a name without its schema"),
        pytest.param([("public.orders", "id", "int", 1, True, None)], id="a flag that is no boolean"),
        pytest.param([("public.orders", None, "int", True, True, None)], id="no column name"),
        pytest.param([("public.orders", "id", "int", True, True, "x")], id="a reference that is none"),
    ],
)
def test_a_description_of_another_shape_is_none(gateway, db, rows):
    gateway.schema = rows
    gateway.script = lambda request: gateway.answer(
        request, result=result(["table", "column", "type", "nullable", "primary_key", "references"], rows)
    )
    with pytest.raises(GatewayUnavailableError):
        db.get_usable_table_names()
    gateway.script = lambda request: gateway.answer(request, result=result(["table"], [("public.x",)]))
    with pytest.raises(GatewayUnavailableError):
        db.get_usable_table_names()


def test_include_ignore_and_custom_tables(gateway, guard):
    make = GuardedSQLDatabase.from_gateway
    only = make("shop", guard=guard, include_tables=["orders"], custom_table_info={"orders": "ORDERS!"})
    assert only.get_usable_table_names() == ["orders"]
    assert only.get_table_info() == "ORDERS!"
    assert "not found" in only.get_table_info_no_throw(["customers"])
    rest = make("shop", guard=guard, ignore_tables=["audit.log"], sample_rows_in_table_info=0)
    assert rest.get_context()["table_names"] == "customers, orders"
    assert "/*" not in rest.table_info
    with pytest.raises(ValueError, match=r"include_tables {'nope'} not found in database"):
        make("shop", guard=guard, include_tables=["nope"])
    with pytest.raises(ValueError, match="both"):
        make("shop", guard=guard, include_tables=["orders"], ignore_tables=["customers"])
    with pytest.raises(TypeError):
        make("shop", guard=guard, sample_rows_in_table_info="3")
    with pytest.raises(TypeError):
        make("shop", guard=guard, custom_table_info=["orders"])


def test_private_readers_of_upstream_are_guarded_too(gateway, db):
    answers(gateway, ["id"], [(7,)])
    assert "7" in db._get_sample_rows(sa.table("orders"))
    assert gateway.sql() == ['SELECT * FROM "orders" LIMIT 3']
    assert "Table Indexes" in db._get_table_indexes(sa.table("orders"))


# ---- LangChain's own users of a SQLDatabase


def test_the_toolkit_takes_it(db):
    tools = SQLDatabaseToolkit(db=db, llm=Scripted()).get_tools()
    assert {tool.name for tool in tools} >= {"sql_db_query", "sql_db_schema", "sql_db_list_tables"}
    assert next(tool for tool in tools if tool.name == "sql_db_query").db is db


@pytest.mark.parametrize("query", ["select n from t", sa.select(sa.column("n")).select_from(sa.table("t"))])
def test_the_loader_loads_masked_rows(gateway, db, query):
    answers(gateway, ["n", "who"], [(1, "<EMAIL>")])
    (document,) = SQLDatabaseLoader(query, db, include_query_into_metadata=True, source_columns=["who"]).load()
    assert document.page_content == "n: 1\nwho: <EMAIL>"
    assert document.metadata["source"] == "<EMAIL>"
    assert len(gateway.sql()) == 1


def test_a_cursor_outlives_everything(gateway, db):
    answers(gateway, ["a", "b"], [(1, "x"), (2, "y")])
    found = db.run("select", "cursor")
    assert isinstance(found, sa.Result)
    gateway.calls.clear()
    assert found.mappings().all() == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert gateway.calls == []


def test_masked_columns_are_named_to_no_one_else(gateway, db):
    gateway.script = lambda request: gateway.answer(
        request,
        result=Result(columns=(ResultColumn(name="e", masked="masked: rule"),), rows=(("<EMAIL>",),)),
    )
    assert db.run("select e") == "[('<EMAIL>',)]"


# ---- making one


def test_a_connection_of_the_other_custody_is_refused_with_the_way_out(guard):
    with pytest.raises(ConfigError, match="from_gateway"):
        GuardedSQLDatabase(sa.create_engine("sqlite://"), connection="shop", guard=guard)
    with pytest.raises(ConfigError, match="no connection"):
        GuardedSQLDatabase.from_gateway("nope", guard=guard)
    with pytest.raises(TypeError, match="Engine"):
        GuardedSQLDatabase(object(), guard=guard)


def test_without_an_environment_one_sentence(monkeypatch):
    monkeypatch.delenv("LANGGUARD_URL", raising=False)
    with pytest.raises(ConfigError, match="LANGGUARD_URL"):
        GuardedSQLDatabase.from_gateway("shop")
