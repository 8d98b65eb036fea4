"""A small result is masked without the worker only where no detector is needed, and exactly as the worker would."""

import datetime as dt
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from decimal import Decimal

import pytest

from langguard.detectors import EngineSettings
from langguard.errors import MaskingError
from langguard.flow import Rows
from langguard.gateway.services import masker as masker_module
from langguard.gateway.services.masker import Masker
from langguard.protocol import ColumnPlan, EntityMask, MaskPlan, Operator
from langguard.workers import WorkerPool

KEY = b"k" * 32
ENTITIES = (EntityMask(entities=("CREDIT_CARD", "EMAIL_ADDRESS", "DATE_TIME"), operator=Operator(name="replace")),)
PASS = ColumnPlan(action="pass")
BY_TYPE = ColumnPlan(action="analyse", typed=True, context="id", label="ID")
BY_CONTENT = ColumnPlan(action="analyse", context="body", label="BODY")


def whole(operator: str, **more: int) -> ColumnPlan:
    return ColumnPlan(action="mask", operator=Operator(name=operator, **more), label="EMAIL")


class Counting:
    """A pool that counts what it is asked and answers it here, in this process."""

    def __init__(self) -> None:
        self.asked = 0

    def submit(self, function, payload, timeout, owner=""):
        from langguard.detectors import worker

        self.asked += 1
        done: Future[object] = Future()
        done.set_result(getattr(worker, function.partition(":")[2])(payload))
        return done


@pytest.fixture
def pool() -> Counting:
    return Counting()


CASES = [
    pytest.param([("anna@example.org",)], (whole("replace"),), 0, id="a column masked whole"),
    pytest.param([("anna@example.org",), (None,)], (whole("hash"),), 0, id="a keyed token"),
    pytest.param([("4111 1111 1111 1111",)], (whole("mask", keep_last=4),), 0, id="all but the last four"),
    pytest.param([("a",), ("b",)], (PASS,), 0, id="a clear column"),
    pytest.param([(1, "x"), (2, "y")], (BY_TYPE, PASS), 0, id="short numbers hold nothing"),
    pytest.param([(Decimal("12.30"), True)], (BY_TYPE, BY_TYPE), 0, id="an amount and a flag"),
    pytest.param([(dt.datetime(2024, 1, 2, 3), uuid.UUID(int=7))], (BY_TYPE, BY_TYPE), 0, id="a time, masked by type"),
    pytest.param([(4111111111111111,)], (BY_TYPE,), 1, id="a card as a number needs the detector"),
    pytest.param([(1,), (4111111111111111,)], (BY_TYPE,), 1, id="one long number is enough"),
    pytest.param([("anna@example.org",)], (BY_CONTENT,), 1, id="text to look into needs the detector"),
    pytest.param([("4111111111111111",)], (BY_TYPE,), 1, id="text where a number belongs too"),
    pytest.param([({"mail": "anna@example.org"},)], (BY_CONTENT,), 1, id="JSON goes to the worker"),
    pytest.param([([1, 2],)], (whole("hash"),), 1, id="what is not plain goes to the worker"),
    pytest.param([("x" * 20_000,)], (whole("hash"),), 1, id="much text goes to the worker"),
    pytest.param([(1, "x")] * 101, (BY_TYPE, whole("hash")), 1, id="many values go to the worker"),
    pytest.param([("x",)] * 1000, (PASS,), 0, id="clear columns never do"),
]


@pytest.mark.parametrize(("rows", "columns", "asked"), CASES)
async def test_where_it_is_masked(pool, rows, columns, asked):
    held = Rows(columns=tuple(f"c{at}" for at in range(len(columns))), rows=rows)
    await Masker(pool, EngineSettings(), timeout=30).mask(held, MaskPlan(columns=columns, entities=ENTITIES), KEY)
    assert pool.asked == asked


@pytest.mark.parametrize(("rows", "columns", "asked"), CASES)
async def test_it_is_masked_the_same_here_and_there(pool, monkeypatch, rows, columns, asked):
    held = Rows(columns=tuple(f"c{at}" for at in range(len(columns))), rows=rows, truncated=True)
    plan = MaskPlan(columns=columns, entities=ENTITIES)
    masker = Masker(pool, EngineSettings(), timeout=30)
    here = await masker.mask(held, plan, KEY)
    monkeypatch.setattr(masker_module, "_light", lambda _, __: False)
    there = await masker.mask(held, plan, KEY)
    assert here == there
    assert here.truncated


async def test_a_plan_that_does_not_fit_releases_nothing(pool):
    held = Rows(columns=("a", "b"), rows=[("anna@example.org", "anna@example.org")])
    with pytest.raises(MaskingError):
        await Masker(pool, EngineSettings(), timeout=30).mask(held, MaskPlan(columns=(PASS,)), KEY)


async def test_a_keyed_token_without_a_key_releases_nothing(pool):
    held = Rows(columns=("a",), rows=[("anna@example.org",)])
    with pytest.raises(MaskingError, match="key"):
        await Masker(pool, EngineSettings(), timeout=30).mask(held, MaskPlan(columns=(whole("hash"),)), b"")


@pytest.fixture
def real_pool() -> Iterator[WorkerPool]:
    with WorkerPool(1) as pool:
        yield pool


async def test_what_needs_the_detector_comes_back_masked_by_it(real_pool):
    held = Rows(columns=("a", "b"), rows=[("Mail anna@example.org now", "bob@example.org")])
    plan = MaskPlan(columns=(BY_CONTENT, whole("replace")), entities=ENTITIES)
    result = await Masker(real_pool, EngineSettings(), timeout=60).mask(held, plan, KEY)
    assert result.rows == (("Mail <EMAIL_ADDRESS> now", "<EMAIL>"),)
