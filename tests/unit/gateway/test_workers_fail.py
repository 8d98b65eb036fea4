"""Whatever goes wrong in a worker process: a statement is refused, a result is not released, in one sentence each."""

from types import SimpleNamespace

import pytest

from langguard.errors import MaskingError
from langguard.flow import Rows
from langguard.gateway.services.analysis import Analysis
from langguard.gateway.services.masker import Masker
from langguard.protocol import ColumnPlan, MaskPlan, Refusal
from langguard.workers import WorkerPool

STRANGE = SimpleNamespace(dialect="postgres", version="1")


async def test_an_analyser_that_raises_refuses_the_statement():
    with WorkerPool(1) as pool:
        refused = await Analysis(pool, timeout=30).analyze("SELECT 1", STRANGE)
    assert isinstance(refused, Refusal)
    assert refused.code == "not_analysed"


async def test_an_analyser_that_is_stuck_refuses_the_statement():
    with WorkerPool(1) as pool:
        pool.ready()
        refused = await Analysis(pool, timeout=0.001).analyze("SELECT 1", STRANGE)
    assert isinstance(refused, Refusal)
    assert refused.code == "too_complex"


@pytest.mark.parametrize("settings", ["no settings at all", None])
async def test_a_masking_engine_that_raises_releases_nothing(settings):
    plan = MaskPlan(columns=(ColumnPlan(action="analyse"),))
    with WorkerPool(1) as pool, pytest.raises(MaskingError, match="not released"):
        await Masker(pool, settings, timeout=30).mask(Rows(columns=("a",), rows=[("anna",)]), plan, b"k" * 32)
