"""One trip to the worker for a statement not seen before, none for one that was; and never the wrong answer."""

from concurrent.futures import Future

import pytest

from langguard.gateway.services import analysis
from langguard.gateway.services.analysis import Analysis
from langguard.protocol import Catalog, Column, Facts, Refusal, SqlObligations, Table
from langguard.workers import WorkerDiedError


def catalog(version: str) -> Catalog:
    columns = (Column(name="id", type="integer", kind="number"), Column(name="city", type="text", kind="text"))
    table = Table(schema="public", name="customers", columns=columns)
    return Catalog(dialect="postgres", default_schemas=("public",), tables=(table,), version=version)


class Pool:
    """A pool of no process: it counts, and answers here."""

    def __init__(self) -> None:
        self.trips: list[str] = []
        self.dies = False

    def submit(self, function, payload, timeout):
        name = function.partition(":")[2]
        self.trips.append(name)
        done: Future[object] = Future()
        if self.dies:
            done.set_exception(WorkerDiedError("it is gone"))
        else:
            done.set_result(getattr(analysis, name)(payload))
        return done


@pytest.fixture
def pool() -> Pool:
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
