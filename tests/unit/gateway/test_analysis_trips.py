"""One trip to the worker for a statement not seen before, none for one that was; and never the wrong answer."""

from concurrent.futures import Future

import msgspec
import pytest

from langguard.drivers.sql_catalog import with_version
from langguard.errors import ConfigError
from langguard.gateway.services import analysis
from langguard.gateway.services.analysis import Analysis
from langguard.gateway.settings_sql import SqlSettings
from langguard.protocol import Catalog, Column, Facts, ForeignKey, Output, Refusal, SqlObligations, Table, View
from langguard.sql import second_reader
from langguard.workers import WorkerDiedError


def catalog(version: str) -> Catalog:
    columns = (Column(name="id", type="integer", kind="number"), Column(name="city", type="text", kind="text"))
    table = Table(schema="public", name="customers", columns=columns)
    return Catalog(dialect="postgres", default_schemas=("public",), tables=(table,), version=version)


class Pool:
    """A pool of no process: it counts, and answers here."""

    def __init__(self) -> None:
        self.trips: list[str] = []
        self.sent: list[object] = []
        self.dies = False

    def submit(self, function, payload, timeout, owner=""):
        name = function.partition(":")[2]
        self.trips.append(name)
        self.sent.append(payload)
        done: Future[object] = Future()
        if self.dies:
            done.set_exception(WorkerDiedError("it is gone"))
        else:
            done.set_result(getattr(analysis, name)(payload))
        return done


@pytest.fixture
def pool() -> Pool:
    """A pool whose worker has seen the catalogues of this file already."""
    analysis._kept.clear()
    for version in "12":
        analysis._kept["postgres", version] = catalog(version)
    return Pool()


async def ask(held: Analysis, text: str, *, rows: int, version: str = "1") -> str:
    facts = await held.analyze(text, catalog(version))
    assert isinstance(facts, Facts)
    sent = await held.rewrite(facts, SqlObligations(rows=rows), catalog(version))
    assert isinstance(sent, str)
    return sent


async def test_a_statement_costs_one_trip_once_the_row_cap_is_known(pool):
    held = Analysis(pool, timeout=5)
    assert (await ask(held, "select city from customers", rows=10)).endswith("LIMIT 11")
    assert pool.trips == ["analyze_in_worker", "rewrite_in_worker"]
    assert (await ask(held, "select id from customers", rows=10)).endswith("LIMIT 11")
    assert pool.trips[2:] == ["analyze_in_worker"]
    assert (await ask(held, "select id from customers", rows=10)).endswith("LIMIT 11")
    assert len(pool.trips) == 3


async def test_another_row_cap_is_never_answered_with_the_likely_one(pool):
    held = Analysis(pool, timeout=5)
    await ask(held, "select city from customers", rows=10)
    assert (await ask(held, "select id from customers", rows=3)).endswith("LIMIT 4")
    assert (await ask(held, "select id from customers", rows=10)).endswith("LIMIT 11")


async def test_another_version_of_the_structure_is_analysed_anew(pool):
    held = Analysis(pool, timeout=5)
    await ask(held, "select city from customers", rows=10)
    await ask(held, "select city from customers", rows=10, version="2")
    assert pool.trips == ["analyze_in_worker", "rewrite_in_worker", "analyze_in_worker"]


async def test_a_refused_statement_is_remembered_and_has_no_text(pool):
    held = Analysis(pool, timeout=5)
    await ask(held, "select city from customers", rows=10)
    for _ in range(2):
        assert isinstance(await held.analyze("select pg_sleep(1) from customers", catalog("1")), Refusal)
    assert pool.trips[2:] == ["analyze_in_worker"]


async def test_a_worker_that_died_is_asked_again(pool):
    held = Analysis(pool, timeout=5)
    pool.dies = True
    assert (await held.analyze("select city from customers", catalog("1"))).code == "not_analysed"
    pool.dies = False
    facts = await held.analyze("select city from customers", catalog("1"))
    pool.dies = True
    assert (await held.rewrite(facts, SqlObligations(rows=10), catalog("1"))).code == "not_analysed"
    pool.dies = False
    assert (await held.rewrite(facts, SqlObligations(rows=10), catalog("1"))).endswith("LIMIT 11")


async def test_a_long_statement_is_not_remembered(pool):
    held = Analysis(pool, timeout=5)
    text = f"select city from customers where city = '{'x' * 17_000}'"
    for _ in range(2):
        assert (await ask(held, text, rows=10)).endswith("LIMIT 11")
    assert pool.trips.count("analyze_in_worker") == 2


async def test_a_catalogue_travels_once_and_is_asked_for_by_its_version_after(pool):
    analysis._kept.clear()
    held = Analysis(pool, timeout=5)
    await ask(held, "select city from customers", rows=10)
    assert [payload.catalog is not None for payload in pool.sent] == [False, True, False]
    await ask(held, "select id from customers", rows=10)
    assert [payload.catalog is not None for payload in pool.sent[3:]] == [False]
    await ask(held, "select id, city from customers", rows=10, version="2")
    assert [payload.catalog is not None for payload in pool.sent[4:]] == [False, True]


async def test_a_worker_keeps_the_latest_few_catalogues(pool):
    analysis._kept.clear()
    held = Analysis(pool, timeout=5)
    for version in range(20):
        await held.analyze("select city from customers", catalog(f"v{version}"))
    assert list(analysis._kept) == [("postgres", f"v{version}") for version in range(12, 20)]
    del pool.sent[:]
    await held.analyze("select id from customers", catalog("v12"))
    await held.analyze("select id from customers", catalog("v20"))
    assert ("postgres", "v12") in analysis._kept, "one that is used stays"
    assert ("postgres", "v13") not in analysis._kept


async def test_a_catalogue_without_a_version_is_never_kept(pool):
    analysis._kept.clear()
    held = Analysis(pool, timeout=5)
    await held.analyze("select city from customers", catalog(""))
    assert not analysis._kept
    assert [payload.catalog is not None for payload in pool.sent] == [True]


async def test_a_worker_that_never_has_the_catalogue_refuses(pool, monkeypatch):
    monkeypatch.setattr(analysis, "_catalog", lambda asked: None)
    found = await Analysis(pool, timeout=5).analyze("select city from customers", catalog("1"))
    assert isinstance(found, Refusal)
    assert found.code == "not_analysed"


def changed(value):
    """Return another value of the same type."""
    match value:
        case str():
            return f"{value}x"
        case bool():
            return not value
        case ():
            return ("x",)
        case tuple():
            return value[:-1]


@pytest.mark.parametrize("kind", [Catalog, Table, View, Column, ForeignKey, Output])
def test_the_version_covers_everything_an_analysis_can_depend_on(kind):
    """Each field of each record in a catalogue, so that no worker can take one catalogue for another."""
    output = Output(name="n", columns=("a.b.c",), direct=True, counted=True)
    column = Column(name="id", type="integer", kind="number")
    key = ForeignKey(columns=("id",), table="a.b", references=("id",))
    table = Table(
        schema="public", name="t", columns=(column,), foreign_keys=(key,), primary_key=("id",), parents=("p",)
    )
    view = View(
        schema="public", name="v", columns=(column,), outputs=(output,), touched=("t",), decided=("t",), tables=("t",)
    )
    whole = with_version(
        Catalog(
            dialect="postgres",
            default_schemas=("public",),
            tables=(table,),
            views=(view,),
            user_functions=("f",),
            user_operators=("+",),
            user_casts=("c",),
            allowed_functions=("g",),
        )
    )
    held = {Catalog: whole, Table: table, View: view, Column: column, ForeignKey: key, Output: output}[kind]
    for name in kind.__struct_fields__:
        if kind is Catalog and name == "version":
            continue
        other = msgspec.structs.replace(held, **{name: changed(getattr(held, name))})
        found = {
            Catalog: lambda other: other,
            Table: lambda other: msgspec.structs.replace(whole, tables=(other,)),
            View: lambda other: msgspec.structs.replace(whole, views=(other,)),
            Column: lambda other: msgspec.structs.replace(
                whole, tables=(msgspec.structs.replace(table, columns=(other,)),)
            ),
            ForeignKey: lambda other: msgspec.structs.replace(
                whole, tables=(msgspec.structs.replace(table, foreign_keys=(other,)),)
            ),
            Output: lambda other: msgspec.structs.replace(
                whole, views=(msgspec.structs.replace(view, outputs=(other,)),)
            ),
        }[kind](other)
        assert with_version(found).version != whole.version, name


async def test_limits_reach_the_worker_and_are_part_of_the_memory(pool):
    tight = Analysis(pool, timeout=5, settings=SqlSettings(limits=(("tokens", 16),)))
    text = "select city, id, city, id, city, id, city, id from customers"
    found = await tight.analyze(text, catalog("1"))
    assert isinstance(found, Refusal)
    assert (found.code, "sql.limits.tokens" in found.reason) == ("too_complex", True)
    wide = Analysis(pool, timeout=5)
    wide._seen = tight._seen
    assert isinstance(await wide.analyze(text, catalog("1")), Facts)


async def test_a_second_reader_is_asked_unless_it_must_not_be(pool):
    text = "select id from customers where city ?- -id"
    held = Analysis(pool, timeout=5)
    for times in (1, 2):
        found = await held.analyze(text, catalog("1"))
        assert isinstance(found, Refusal)
        assert found.code == analysis.DISAGREE
        assert held.disagreements == times
    without = Analysis(pool, timeout=5, settings=SqlSettings(second_reader="never"))
    assert isinstance(await without.analyze(text, catalog("1")), Facts)
    assert without.disagreements == 0


async def test_the_start_says_who_reads_and_refuses_without_a_required_reader(pool, monkeypatch):
    held = Analysis(pool, timeout=5, settings=SqlSettings(limits=(("bytes", 262_144), ("tokens", 100))))
    told: list[str] = []
    await held.start()
    held.tell(told.append)
    assert told[0] == f"second reader of PostgreSQL statements: {second_reader.described()}"
    assert [line.split()[0] for line in told[1:]] == ["sql.limits.bytes"]
    unused = Analysis(pool, timeout=5, settings=SqlSettings(second_reader="never"))
    await unused.start()
    assert unused.second_reader == "not used"
    monkeypatch.setattr(second_reader, "described", lambda: "")
    missing = Analysis(pool, timeout=5)
    await missing.start()
    assert missing.second_reader == "not installed"
    with pytest.raises(ConfigError, match="pip install"):
        await Analysis(pool, timeout=5, settings=SqlSettings(second_reader="required")).start()


async def test_the_pool_is_told_whose_statement_it_is(pool):
    owners = []
    plain = pool.submit
    pool.submit = lambda function, payload, timeout, owner="": owners.append(owner) or plain(function, payload, timeout)
    held = Analysis(pool, timeout=5)
    facts = await held.analyze("select city from customers", catalog("1"), owner="anna")
    await held.rewrite(facts, SqlObligations(rows=1), catalog("1"), owner="bert")
    assert owners == ["anna", "bert"]


def test_a_worker_does_not_start_on_the_compiled_parser(monkeypatch):
    analysis.warm_worker()
    monkeypatch.setattr("sqlglot.parser.__file__", "/place/sqlglot/parser.cpython-311-x86_64-linux-gnu.so")
    with pytest.raises(ConfigError, match="sqlglotc"):
        analysis.warm_worker()
