"""Masking in a worker process, end to end, and how a stuck one is ended."""

import asyncio
import datetime as dt
import subprocess
import sys

import pytest

from langguard.detectors import EngineSettings, PatternSpec, RecognizerSpec
from langguard.detectors.worker import engine, error, mask, supported, text, warm
from langguard.errors import ConfigError, MaskingError
from langguard.protocol import ColumnPlan, EntityMask, MaskPlan, Operator
from langguard.workers import WorkerPool, WorkerTimeoutError

SETTINGS = EngineSettings()
MASKS = (EntityMask(entities=("EMAIL_ADDRESS", "CREDIT_CARD"), operator=Operator(name="hash")),)
PLAN = MaskPlan(columns=(ColumnPlan(action="analyse"), ColumnPlan(action="pass")), entities=MASKS)
KEY = b"k" * 16


def test_one_engine_a_process_and_settings():
    assert engine(SETTINGS) is engine(EngineSettings())
    assert "EMAIL_ADDRESS" in supported(SETTINGS)
    assert "patterns only" in warm(SETTINGS)


def test_texts_and_errors_are_masked_there_too():
    assert "ann@" not in text(("to ann@example.com", MASKS, 0.4, KEY, SETTINGS))[0]
    assert error(('bad "ann@example.com"', MASKS, 0.4, KEY, SETTINGS))[0] == "bad […]"


async def test_a_result_is_masked_in_a_worker_process():
    rows = [("ann@example.com", dt.date(2024, 1, 2)), ("x", None)]
    with WorkerPool(1, initializer="langguard.detectors.worker:warm", payload=SETTINGS) as pool:
        pool.ready()
        payload = (("a", "b"), rows, PLAN, KEY, SETTINGS)
        result = await asyncio.wrap_future(pool.submit("langguard.detectors.worker:mask", payload, 20))
        assert result == mask(payload)
        assert result.rows[0][0].startswith("<EMAIL_ADDRESS_")
        assert result.masked == {"EMAIL_ADDRESS": 1}
        keyless = pool.submit("langguard.detectors.worker:mask", (*payload[:3], b"", SETTINGS), 20)
        assert isinstance(keyless.exception(20), MaskingError)


def test_settings_that_are_wrong_stop_the_pool_s_start():
    wrong = EngineSettings(entities=("EMIAL_ADDRESS",))
    with WorkerPool(1, initializer="langguard.detectors.worker:warm", payload=wrong) as pool:
        with pytest.raises(ConfigError, match="did you mean EMAIL_ADDRESS"):
            pool.ready()
        assert isinstance(pool.submit("builtins:len", "a", 5).exception(30), ConfigError)


def test_masking_that_takes_for_ever_is_killed():
    slow = EngineSettings(recognizers=(RecognizerSpec(entity="EVIL", patterns=(PatternSpec(regex=r"(a|aa)+$"),)),))
    plan = MaskPlan(
        columns=(ColumnPlan(action="analyse"),),
        entities=(EntityMask(entities=("EVIL",), operator=Operator(name="redact")),),
    )
    rows = [("a" * 50 + "b" + str(number),) for number in range(20)]
    with WorkerPool(1, initializer="langguard.detectors.worker:warm", payload=slow) as pool:
        pool.ready()
        stuck = pool.submit("langguard.detectors.worker:mask", (("a",), rows, plan, KEY, slow), 0.5)
        with pytest.raises(WorkerTimeoutError):
            stuck.result(20)


def test_the_pool_s_own_process_never_loads_presidio():
    code = (
        "import sys\n"
        "from langguard.detectors import EngineSettings\n"
        "from langguard.workers import WorkerPool\n"
        "import langguard.masking\n"
        "with WorkerPool(1, initializer='langguard.detectors.worker:warm', payload=EngineSettings()) as pool:\n"
        "    pool.ready()\n"
        "print([name for name in ('presidio_analyzer', 'spacy', 'regex') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
