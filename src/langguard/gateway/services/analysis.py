"""Understanding statements: in a worker process that can be killed, and remembered.

The memory is keyed by everything the answer depends on: the exact text, the dialect and the catalogue's version.
Refusals are remembered too. Decisions are not: policy is evaluated each time.
"""

import asyncio
import hashlib
from collections import OrderedDict
from typing import Any

from langguard.protocol import Catalog, Facts, Refusal
from langguard.workers import WorkerError, WorkerPool, WorkerTimeoutError

_REMEMBERED = 4096
_LONGEST = 16_384  # characters; a longer statement is analysed each time
WARM = "langguard.gateway.services.analysis:warm_worker"
_ANALYZE = "langguard.gateway.services.analysis:analyze_in_worker"
_REWRITE = "langguard.gateway.services.analysis:rewrite_in_worker"


class Analysis:
    """Asks the SQL room, in a worker."""

    def __init__(self, pool: WorkerPool, *, timeout: float) -> None:
        """Use `pool`, giving up on a statement after `timeout` seconds (its worker is then killed)."""
        self._pool = pool
        self._timeout = timeout
        self._seen: OrderedDict[tuple[str, ...], Any] = OrderedDict()

    async def analyze(self, text: str, catalog: Catalog) -> Facts | Refusal:
        """Return what a statement does, or why it is refused; a worker that hangs, dies or fails refuses too."""
        found: Facts | Refusal = await self._ask(_ANALYZE, text, catalog, "")
        return found

    async def rewrite(self, facts: Facts, catalog: Catalog, *, rows: int) -> str | Refusal:
        """Return the text to send, with the row cap in it."""
        text: str | Refusal = await self._ask(_REWRITE, facts, catalog, str(rows))
        return text

    async def _ask(self, function: str, subject: Any, catalog: Catalog, more: str) -> Any:
        text = subject if isinstance(subject, str) else subject.statement
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        key = (function, digest, catalog.dialect, catalog.version, more)
        held = self._seen.get(key)
        if held is not None:
            self._seen.move_to_end(key)
            return held
        try:
            answer = await asyncio.wrap_future(
                self._pool.submit(function, (subject, catalog, more), timeout=self._timeout)
            )
        except WorkerTimeoutError:
            return Refusal(
                code="too_complex",
                reason="The statement took too long to analyse.",
                hint="Write it shorter, with less nesting.",
            )
        except WorkerError:
            return Refusal(
                code="not_analysed",
                reason="The analyser stopped on this statement.",
                hint="Write it shorter, with less nesting.",
            )
        if len(text) <= _LONGEST:
            self._seen[key] = answer
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return answer


def warm_worker(_: object = None) -> None:
    """Load the SQL room ahead of the first statement."""
    import langguard.sql  # noqa: F401, PLC0415 - as below


def analyze_in_worker(payload: tuple[str, Catalog, str]) -> Facts | Refusal:
    """Run in the worker process."""
    from langguard.sql import analyze  # noqa: PLC0415 - sqlglot is loaded in the worker only

    text, catalog, _ = payload
    return analyze(text, catalog.dialect, catalog)


def rewrite_in_worker(payload: tuple[Facts, Catalog, str]) -> str | Refusal:
    """Run in the worker process."""
    from langguard.sql import rewrite  # noqa: PLC0415 - as above

    facts, catalog, rows = payload
    return rewrite(facts, rows=int(rows), dialect=catalog.dialect, catalog=catalog)
