"""Find personal data in texts: Presidio's recognisers behind one interface, each text analysed once.

The findings are those of Presidio's AnalyzerEngine for the same recognisers. What differs is what happens when
something breaks: there, a pattern that times out is skipped; here, its text is unreadable, and masked whole.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from langguard.clock import random_bytes
from langguard.detectors.prefilter import digits_of
from langguard.detectors.registry import nlp_engine, recognizers, require
from langguard.detectors.settings import EngineSettings
from langguard.detectors.steps import Step, distinct
from langguard.errors import LangguardError, MaskingError
from langguard.masking import UNREADABLE, Span

if TYPE_CHECKING:
    from presidio_analyzer import RecognizerResult

_REMEMBERED: Final = 50_000
_LONGEST_REMEMBERED: Final = 512
_BOOST: Final = 0.35
_LEAST_BOOSTED: Final = 0.4
_KNOWN: Final = (("EMAIL_ADDRESS", "ann.lee@example.com"), ("CREDIT_CARD", "4111 1111 1111 1111"))
Findings = tuple[Span, ...]
_UNREADABLE: Final = (Span(start=0, end=0, entity=UNREADABLE),)


class Engine:
    """The detector. Building it loads Presidio (about a second); it may then be shared by threads.

    Attributes:
        supported: Names of the entities it finds.

    Raises:
        ConfigError: A setting is wrong; the nearest valid name is given.
        MaskingError: Presidio or the NER model can't be loaded.
    """

    def __init__(self, settings: EngineSettings | None = None) -> None:
        self.settings = settings or EngineSettings()
        try:
            self._nlp = nlp_engine(self.settings)
            held = recognizers(self.settings, self._nlp)
            self._full = self.settings.ner_model is not None
            self._steps = [Step(recognizer) for recognizer in held]
            self._enhancer = _enhancer()
        except LangguardError:
            raise
        except Exception as failed:
            msg = f"The masking engine can't be built ({type(failed).__name__}); no result will be released."
            raise MaskingError(msg) from failed
        wanted = self.settings.entities
        self.supported = frozenset(
            entity for step in self._steps for entity in step.entities if wanted is None or entity in wanted
        )
        self._languages = tuple(dict.fromkeys(step.language for step in self._steps))
        self._allowed = frozenset(self.settings.allow_list)
        self._memory: OrderedDict[tuple[Any, ...], Findings] = OrderedDict()
        self._salt = random_bytes(16)
        self._lock = threading.Lock()

    @property
    def ner(self) -> bool:
        """Whether names and places in prose are recognised."""
        return self._full

    def check(self, entities: Sequence[str]) -> None:
        """Do nothing where every entity can be found.

        Raises:
            ConfigError: One can't; the nearest is named.
        """
        for entity in entities:
            require(entity, self.supported)

    def find(self, texts: Sequence[str], entities: Sequence[str], context: str = "") -> list[list[Span]]:
        """Return what each text holds. A text that can't be analysed has one span of entity UNREADABLE.

        Args:
            texts: Any strings.
            entities: What to look for; names nobody finds here stop the call.
            context: Words about where the texts come from, space-separated.

        Raises:
            MaskingError: An entity has no recogniser.
        """
        wanted = frozenset(entities)
        unknown = wanted - self.supported
        if unknown:
            msg = f"No recogniser finds {', '.join(sorted(unknown))}; no result was released."
            raise MaskingError(msg)
        if not wanted:
            return [[] for _ in texts]
        words = tuple(context.lower().split())
        found: dict[str, Findings] = {}
        for text in texts:
            if text not in found:
                found[text] = self._remembered(text, wanted, words)
        return [list(found[text]) for text in texts]

    def self_test(self) -> None:
        """Find what is known to be there.

        Raises:
            MaskingError: It is not found, so the engine must not be trusted.
        """
        for entity, text in _KNOWN:
            if entity not in self.supported:
                continue
            spans = self._analyse(f"x {text} y", frozenset({entity}), ())
            if not any(span.entity == entity and (span.start, span.end) == (2, 2 + len(text)) for span in spans):
                msg = f"The masking engine does not find a known {entity}; no result will be released."
                raise MaskingError(msg)
        if not self.supported or unreadable(self._analyse("nothing to find", self.supported, ())):
            msg = "The masking engine has no recogniser that works; no result will be released."
            raise MaskingError(msg)

    def describe(self) -> str:
        """Return one sentence: how masking works here, and what it leaves clear."""
        count = f"{len(self.supported)} entities"
        if self._full:
            return (
                f"patterns and NER model {self.settings.ner_model} ({count}): free text is analysed; names and places "
                f"that the model misses stay clear"
            )
        return (
            f"patterns only, no NER model ({count}): names and addresses in text are not detected, so free text is "
            f"masked whole unless its column is declared clear or structured"
        )

    def _remembered(self, text: str, wanted: frozenset[str], words: tuple[str, ...]) -> Findings:
        """Return the findings, from memory where the same text was analysed before. Memory holds digests, no text."""
        if len(text) > _LONGEST_REMEMBERED:
            return self._analyse(text, wanted, words)
        digest = blake2b(text.encode("utf-8", "surrogatepass"), key=self._salt, digest_size=16).digest()
        key = (digest, wanted, words)
        with self._lock:
            held = self._memory.get(key)
            if held is not None:
                self._memory.move_to_end(key)
                return held
        held = self._analyse(text, wanted, words)
        if not unreadable(held):
            with self._lock:
                self._memory[key] = held
                while len(self._memory) > _REMEMBERED:
                    self._memory.popitem(last=False)
        return held

    def _analyse(self, text: str, wanted: frozenset[str], words: tuple[str, ...]) -> Findings:
        try:
            digits = digits_of(text)
            spans: list[Span] = []
            for language in self._languages:
                steps = [
                    step for step in self._steps if step.language == language and wanted.intersection(step.entities)
                ]
                if self._full and language == self.settings.languages[0]:
                    spans += self._by_model(text, digits, language, steps, words)
                else:
                    spans += self._by_patterns(text, digits, steps, words)
        except Exception:  # noqa: BLE001 - whatever a recogniser raises, its text is masked whole
            return _UNREADABLE
        return tuple(
            dict.fromkeys(
                span
                for span in spans
                if span.entity in wanted and not (self._allowed and text[span.start : span.end] in self._allowed)
            )
        )

    @staticmethod
    def _by_patterns(text: str, digits: int, steps: list[Step], words: tuple[str, ...]) -> list[Span]:
        """Find without a model: context can only come from outside the text, so it is one test a recogniser."""
        spans: list[Span] = []
        for step in steps:
            found = step.find(text, digits, None)
            boosted = bool(found) and step.boosted(words)
            for entity, start, end, score in found:
                certain = min(max(score + _BOOST, _LEAST_BOOSTED), 1.0) if boosted else score
                spans.append(Span(start=start, end=end, entity=entity, score=certain))
        return distinct(spans)

    def _by_model(self, text: str, digits: int, language: str, steps: list[Step], words: tuple[str, ...]) -> list[Span]:
        """Find with a model: Presidio's own enhancer reads the words around each finding."""
        artifacts = self._nlp.process_text(text, language)
        held = [(step, step.results(text, digits, artifacts)) for step in steps]
        results: list[RecognizerResult] = []
        for step, own in held:
            results += step.recognizer.enhance_using_context(
                text=text,
                raw_recognizer_results=own,
                other_raw_recognizer_results=[found for other, all_ in held if other is not step for found in all_],
                nlp_artifacts=artifacts,
                context=list(words),
            )
        results = self._enhancer.enhance_using_context(
            text=text,
            raw_results=results,
            nlp_artifacts=artifacts,
            recognizers=[step.recognizer for step in steps],
            context=list(words),
        )
        return distinct(
            [Span(start=found.start, end=found.end, entity=found.entity_type, score=found.score) for found in results]
        )


def _enhancer() -> Any:
    from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer  # noqa: PLC0415

    return LemmaContextAwareEnhancer()


def unreadable(findings: Findings) -> bool:
    """Tell whether these are the findings of a text that could not be analysed."""
    return any(span.entity == UNREADABLE for span in findings)
