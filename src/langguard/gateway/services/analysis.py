"""Understanding statements: in a worker process that can be killed, and remembered.

The memory is keyed by everything the answer depends on: the exact text, the dialect and the catalogue's version.
Refusals are remembered too. Decisions are not: policy is evaluated each time.
"""

import asyncio
import hashlib
from collections import OrderedDict
from typing import Any

import msgspec

from langguard.protocol import Catalog, Facts, Refusal, SqlObligations
from langguard.workers import WorkerError, WorkerPool, WorkerTimeoutError

UNCAPPED = 2**31 - 2
"""A row cap that caps nothing: for the text whose rows are estimated."""
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
        self._seen: OrderedDict[_Key, Any] = OrderedDict()
        self._likely: SqlObligations | None = None

    async def analyze(self, text: str, catalog: Catalog) -> Facts | Refusal:
        """Return what a statement does, or why it is refused; a worker that hangs, dies or fails refuses too.

        On the same trip the worker writes the text to send with the obligations that were last asked for, which are
        most often those that `rewrite` then asks for.
        """
        key = _key("facts", text, catalog)
        held: Facts | Refusal | None = self._held(key)
        if held is not None:
            return held
        likely = self._likely
        answer = await self._ask(_ANALYZE, (text, catalog, likely))
        if isinstance(answer, Refusal):
            return answer
        found, sent = answer
        if len(text) <= _LONGEST:
            self._remember(key, found)
        if sent is not None and len(found.statement) <= _LONGEST:
            self._remember(_key("sent", found.statement, catalog, likely), sent)
        return found  # type: ignore[no-any-return]

    async def rewrite(self, facts: Facts, obligations: SqlObligations, catalog: Catalog) -> str | Refusal:
        """Return the text to send, with the obligations in it."""
        if obligations.rows != UNCAPPED:
            self._likely = obligations
        key = _key("sent", facts.statement, catalog, obligations)
        held: str | Refusal | None = self._held(key)
        if held is not None:
            return held
        answer = await self._ask(_REWRITE, (facts, obligations, catalog))
        if isinstance(answer, Refusal):
            return answer
        _, sent = answer
        if len(facts.statement) <= _LONGEST:
            self._remember(key, sent)
        return sent  # type: ignore[no-any-return]

    async def _ask(self, function: str, payload: Any) -> tuple[Any, Any] | Refusal:
        """Return the worker's two answers, or the refusal for a worker that has none; that one is not remembered."""
        try:
            answer: tuple[Any, Any] = await asyncio.wrap_future(
                self._pool.submit(function, payload, timeout=self._timeout)
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
        return answer

    def _held(self, key: "_Key") -> Any:
        held = self._seen.get(key)
        if held is not None:
            self._seen.move_to_end(key)
        return held

    def _remember(self, key: "_Key", answer: Any) -> None:
        self._seen[key] = answer
        while len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)


_Key = tuple[str, str, str, str, bytes]


def _key(what: str, text: str, catalog: Catalog, obligations: SqlObligations | None = None) -> _Key:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    bound = b"" if obligations is None else hashlib.sha256(msgspec.json.encode(obligations, order="sorted")).digest()
    return (what, digest, catalog.dialect, catalog.version, bound)


def warm_worker(_: object = None) -> None:
    """Load the SQL room ahead of the first statement."""
    import langguard.sql  # noqa: F401, PLC0415 - as below


def analyze_in_worker(
    payload: tuple[str, Catalog, SqlObligations | None],
) -> tuple[Facts | Refusal, str | Refusal | None]:
    """Run in the worker process: the facts, and where obligations are given, the text to send."""
    from langguard.sql import analyze  # noqa: PLC0415 - sqlglot is loaded in the worker only

    text, catalog, obligations = payload
    found = analyze(text, catalog.dialect, catalog)
    if obligations is None or isinstance(found, Refusal):
        return found, None
    return found, rewrite_in_worker((found, obligations, catalog))[1]


def rewrite_in_worker(payload: tuple[Facts, SqlObligations, Catalog]) -> tuple[None, str | Refusal]:
    """Run in the worker process: the text to send."""
    from langguard.sql import rewrite  # noqa: PLC0415 - as above

    facts, obligations, catalog = payload
    return None, rewrite(facts, obligations, catalog)
