"""Understanding statements: in a worker process that can be killed, and remembered.

The memory is keyed by everything the answer depends on: the exact text, the dialect, the catalogue's version, and how
statements are read. Refusals are remembered too. Decisions are not: policy is evaluated each time.

A worker keeps the latest few catalogues by their versions, so that a catalogue of thousands of tables travels once to
each worker and not with each statement. A version is a digest over the whole catalogue: what it finds can't be another.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import msgspec

from langguard.errors import ConfigError
from langguard.gateway.settings_sql import SqlSettings
from langguard.protocol import Catalog, Facts, Refusal, SqlObligations
from langguard.workers import START_SECONDS, WorkerError, WorkerPool, WorkerTimeoutError

DISAGREE: Final = "readers_disagree"
UNCAPPED = 2**31 - 2
"""A row cap that caps nothing: for the text whose rows are estimated."""
_REMEMBERED = 4096
_LONGEST = 16_384  # characters; a longer statement is analysed each time
_CATALOGUES = 8
"""Most catalogues a worker keeps."""
WARM = "langguard.gateway.services.analysis:warm_worker"
_ANALYZE = "langguard.gateway.services.analysis:analyze_in_worker"
_REWRITE = "langguard.gateway.services.analysis:rewrite_in_worker"
_DESCRIBE = "langguard.gateway.services.analysis:describe_in_worker"

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a worker is asked about one statement.

    Attributes:
        subject: The text to analyse, or the facts of the one to rewrite.
        obligations: What the text to send carries out; None where only facts are asked for.
        dialect: The catalogue's.
        version: The catalogue's; empty for one that has none, which is never kept.
        catalog: The catalogue itself, where the worker may not have it yet.
    """

    subject: str | Facts
    obligations: SqlObligations | None
    dialect: str
    version: str
    catalog: Catalog | None
    settings: SqlSettings


class Analysis:
    """Asks the SQL room, in a worker."""

    def __init__(self, pool: WorkerPool, *, timeout: float, settings: SqlSettings | None = None) -> None:
        """Use `pool`, giving up on a statement after `timeout` seconds (its worker is then killed)."""
        self._pool = pool
        self._timeout = timeout
        self._settings = settings or SqlSettings()
        self._how = repr(self._settings)
        self._seen: OrderedDict[_Key, Any] = OrderedDict()
        self._likely: SqlObligations | None = None
        self.second_reader = ""
        self.notes: tuple[str, ...] = ()
        self.disagreements = 0

    async def start(self) -> None:
        """Ask a worker how it reads, and note what an administrator should know of it.

        Raises:
            ConfigError: A second reader is required and there is none.
            WorkerError: No worker starts.
        """
        answer = await asyncio.wrap_future(self._pool.submit(_DESCRIBE, self._settings, START_SECONDS))
        self.second_reader, raised = answer
        if self._settings.second_reader == "required" and not self.second_reader:
            msg = "`sql.second_reader` is required and pglast is not installed; pip install 'langguard[postgres]'"
            raise ConfigError(msg)
        if self._settings.second_reader == "never":
            self.second_reader = "not used"
        self.second_reader = self.second_reader or "not installed"
        self.notes = (
            f"second reader of PostgreSQL statements: {self.second_reader}",
            *(f"sql.limits.{name} is above the largest value whose worst case was measured" for name in raised),
        )

    def tell(self, say: Callable[[str], object]) -> None:
        """Say what was noted at the start."""
        for note in self.notes:
            say(note)

    async def analyze(self, text: str, catalog: Catalog, *, owner: str = "") -> Facts | Refusal:
        """Return what a statement does, or why it is refused; a worker that hangs, dies or fails refuses too.

        On the same trip the worker writes the text to send with the obligations that were last asked for, which are
        most often those that `rewrite` then asks for.

        Args:
            text: One statement.
            catalog: The tables it may name.
            owner: Who asks: one owner's statements don't hold up another's.
        """
        key = self._key("facts", text, catalog)
        held: Facts | Refusal | None = self._held(key)
        if held is not None:
            return self._counted(held)
        likely = self._likely
        answer = await self._ask(_ANALYZE, text, likely, catalog, owner)
        if isinstance(answer, Refusal):
            return answer
        found: Facts | Refusal
        sent: str | Refusal | None
        found, sent = answer
        if len(text) <= _LONGEST:
            self._remember(key, found)
        if sent is not None and isinstance(found, Facts) and len(found.statement) <= _LONGEST:
            self._remember(self._key("sent", found.statement, catalog, likely), sent)
        return self._counted(found)

    async def rewrite(
        self, facts: Facts, obligations: SqlObligations, catalog: Catalog, *, owner: str = ""
    ) -> str | Refusal:
        """Return the text to send, with the obligations in it; `owner` as in `analyze`."""
        if obligations.rows != UNCAPPED:
            self._likely = obligations
        key = self._key("sent", facts.statement, catalog, obligations)
        held: str | Refusal | None = self._held(key)
        if held is not None:
            return self._counted(held)
        answer = await self._ask(_REWRITE, facts, obligations, catalog, owner)
        if isinstance(answer, Refusal):
            return answer
        sent: str | Refusal = answer[1]
        if len(facts.statement) <= _LONGEST:
            self._remember(key, sent)
        return self._counted(sent)

    async def _ask(
        self,
        function: str,
        subject: str | Facts,
        obligations: SqlObligations | None,
        catalog: Catalog,
        owner: str,
    ) -> tuple[Any, Any] | Refusal:
        """Return the worker's two answers, or the refusal for a worker that has none; that one is not remembered."""
        asked = Asked(
            subject=subject,
            obligations=obligations,
            dialect=catalog.dialect,
            version=catalog.version,
            catalog=None if catalog.version else catalog,
            settings=self._settings,
        )
        try:
            answer = await self._submit(function, asked, owner)
            if answer is None:
                answer = await self._submit(function, replace(asked, catalog=catalog), owner)
        except WorkerTimeoutError:
            return Refusal(
                code="too_complex",
                reason="The statement took too long to analyse.",
                hint="Write it shorter, with less nesting.",
            )
        except WorkerError:
            answer = None
        if answer is None:
            return Refusal(
                code="not_analysed",
                reason="The analyser stopped on this statement.",
                hint="Write it shorter, with less nesting.",
            )
        return answer

    async def _submit(self, function: str, asked: Asked, owner: str) -> tuple[Any, Any] | None:
        answer: tuple[Any, Any] | None = await asyncio.wrap_future(
            self._pool.submit(function, asked, timeout=self._timeout, owner=owner)
        )
        return answer

    def _counted(self, answer: _Answer) -> _Answer:
        if isinstance(answer, Refusal) and answer.code == DISAGREE:
            self.disagreements += 1
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

    def _key(self, what: str, text: str, catalog: Catalog, obligations: SqlObligations | None = None) -> "_Key":
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        bound = b"" if obligations is None else hashlib.sha256(_ENCODER.encode(obligations)).digest()
        return (what, digest, catalog.dialect, catalog.version, bound, self._how)


_Key = tuple[str, bytes, str, str, bytes, str]
_ENCODER = msgspec.json.Encoder(order="sorted")

# ---- what follows runs in the worker process ----

_kept: OrderedDict[tuple[str, str], Catalog] = OrderedDict()


def warm_worker(_: object = None) -> None:
    """Load the SQL room ahead of the first statement.

    Raises:
        ConfigError: The parser is the compiled build: see ADR 9.
    """
    from langguard.sql import parser_is_interpreted, second_reader  # noqa: PLC0415 - as below

    if not parser_is_interpreted():
        msg = "sqlglotc is installed and replaces the SQL parser by a compiled one, which can crash: uninstall it."
        raise ConfigError(msg)

    second_reader.reader()


def describe_in_worker(settings: SqlSettings) -> tuple[str, tuple[str, ...]]:
    """Return which second reader there is, and the names of the limits that are above the defaults."""
    from langguard.sql import LIMITS, second_reader  # noqa: PLC0415 - as below

    raised = tuple(name for name, value in settings.limits if value > getattr(LIMITS, name))
    return second_reader.described(), raised


def analyze_in_worker(asked: Asked) -> tuple[Facts | Refusal, str | Refusal | None] | None:
    """Return the facts, and where obligations are given the text to send; None where the catalogue is missing."""
    from langguard.sql import analyze  # noqa: PLC0415 - sqlglot is loaded in the worker only

    catalog = _catalog(asked)
    if catalog is None:
        return None
    text = asked.subject if isinstance(asked.subject, str) else ""
    found = analyze(text, catalog.dialect, catalog, limits=_limits(asked.settings))
    if asked.obligations is None or isinstance(found, Refusal):
        return found, None
    return found, _rewritten(found, asked.obligations, catalog, asked.settings)


def rewrite_in_worker(asked: Asked) -> tuple[None, str | Refusal] | None:
    """Return the text to send; None where the catalogue is missing."""
    catalog = _catalog(asked)
    if catalog is None:
        return None
    if not isinstance(asked.subject, Facts) or asked.obligations is None:
        msg = "rewriting needs facts and obligations"
        raise TypeError(msg)
    return None, _rewritten(asked.subject, asked.obligations, catalog, asked.settings)


def _rewritten(facts: Facts, obligations: SqlObligations, catalog: Catalog, settings: SqlSettings) -> str | Refusal:
    from langguard.sql import rewrite  # noqa: PLC0415 - as above

    return rewrite(facts, obligations, catalog, limits=_limits(settings))


def _limits(settings: SqlSettings) -> Any:
    from langguard.sql import LIMITS  # noqa: PLC0415 - as above

    return replace(LIMITS, **dict(settings.limits), second_reader=settings.second_reader != "never")


def _catalog(asked: Asked) -> Catalog | None:
    """Return the catalogue that was sent, or the one kept under its version."""
    key = (asked.dialect, asked.version)
    if asked.catalog is not None:
        if asked.version:
            _kept[key] = asked.catalog
            while len(_kept) > _CATALOGUES:
                _kept.popitem(last=False)
        return asked.catalog
    held = _kept.get(key)
    if held is not None:
        _kept.move_to_end(key)
    return held
