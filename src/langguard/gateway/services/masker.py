"""Masking rows: in a worker process, so that a long mask can't delay a revocation; and the engine's start-up check.

A small result is first tried here, without a detector: where no text has to be looked into (columns masked whole, short
numbers, dates), that is far quicker than asking another process.
"""

import asyncio
import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from langguard import masking
from langguard.detectors import EngineSettings
from langguard.errors import MaskingError
from langguard.flow import Rows
from langguard.protocol import MaskPlan, Result
from langguard.workers import WorkerError, WorkerPool, WorkerTimeoutError

_FUNCTION = "langguard.detectors.worker:mask"
WARM = "langguard.detectors.worker:warm"
_SUPPORTED = "langguard.detectors.worker:supported"
_START = 60.0
_LIGHT_VALUES = 200
_LIGHT_TEXT = 16_384  # characters
_PLAIN = frozenset({type(None), bool, int, float, Decimal, dt.date, dt.datetime, dt.time, uuid.UUID})


class Masker:
    """Asks the masking room, in a worker."""

    def __init__(self, pool: WorkerPool, settings: EngineSettings, *, timeout: float) -> None:
        """Use `pool` with the detectors' `settings`, giving up on one result after `timeout` seconds."""
        self._pool = pool
        self._settings = settings
        self._timeout = timeout

    async def start(self) -> str:
        """Load the engine in its worker and prove that it finds what it must.

        Returns:
            Which masking mode runs and what it leaves clear.

        Raises:
            MaskingError: It does not work; the gateway must not start.
        """
        return str(await self._submit(WARM, self._settings, _START))

    async def supported(self) -> frozenset[str]:
        """Return the entities the engine finds, for checking a policy.

        Raises:
            MaskingError: The engine does not work.
        """
        return frozenset(await self._submit(_SUPPORTED, self._settings, _START))

    async def mask(self, rows: Rows, plan: MaskPlan, key: bytes, *, owner: str = "") -> Result:
        """Return the masked result; one owner's results don't hold up another's.

        Raises:
            MaskingError: It can't be masked; nothing may be released.
        """
        if _light(rows, plan) or all(column.action == "pass" for column in plan.columns):
            try:
                return masking.apply(
                    rows.columns,
                    rows.rows,
                    plan,
                    find=_needed,
                    key=key,
                    truncated=rows.truncated,
                    affected=rows.affected,
                )
            except _DetectorNeededError:
                pass  # nothing of what was masked so far is kept
        found = await self._submit(
            _FUNCTION, (rows.columns, rows.rows, plan, key, self._settings), self._timeout, owner
        )
        if not isinstance(found, Result):
            msg = "The masking worker answered something else than a result."
            raise MaskingError(msg)
        return msgspec.structs.replace(found, truncated=rows.truncated, affected=rows.affected)

    async def _submit(self, function: str, payload: Any, seconds: float, owner: str = "") -> Any:
        try:
            return await asyncio.wrap_future(self._pool.submit(function, payload, timeout=seconds, owner=owner))
        except WorkerTimeoutError:
            msg = "Masking the result took too long, so it was not released; ask for fewer rows or shorter texts."
            raise MaskingError(msg) from None
        except WorkerError:
            msg = "The masking worker stopped, so the result was not released; try again."
            raise MaskingError(msg) from None


class _DetectorNeededError(MaskingError):
    """The result can't be masked without a detector."""


def _needed(texts: Sequence[str], entities: Sequence[str], context: str) -> list[list[masking.Span]]:
    """Stand where the detector would: being asked anything ends the attempt."""
    _ = texts, entities, context
    msg = "The result has texts to look into, so it was not released."
    raise _DetectorNeededError(msg)


def _light(rows: Rows, plan: MaskPlan) -> bool:
    """Say whether masking takes a millisecond or so without a detector: few values, plain ones, little text."""
    if len(rows.rows) * len(rows.columns) > _LIGHT_VALUES:
        return False
    analysed = [column.action == "analyse" for column in plan.columns]
    size = 0
    for row in rows.rows:
        for value, looked_into in zip(row, analysed, strict=False):
            if type(value) is str and not looked_into:
                size += len(value)
            elif type(value) not in _PLAIN:
                return False
    return size <= _LIGHT_TEXT
