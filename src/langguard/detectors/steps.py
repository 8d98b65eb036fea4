"""Run one of Presidio's recognisers on one text, with the conditions under which it need not run.

A recogniser that is nothing but patterns has its patterns run here, with their own time limit; any other is called as
it is.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from langguard.clock import SystemClock
from langguard.detectors.prefilter import Needs, needs
from langguard.masking import Span

PATTERN_SECONDS: Final = 2.0
"""How long one pattern may take on one text."""
RECOGNIZER_SECONDS: Final = 30.0
"""How long a recogniser called as it is may take: Presidio's own limit skips what it has not looked at."""
_PHONE_DIGITS: Final = 6
"""Fewest digits of an international number; a region's national numbers may be shorter."""
Raw = tuple[int, int, float]


class Step:
    """One recogniser, ready to run."""

    def __init__(self, recognizer: Any) -> None:
        import regex  # type: ignore[import-untyped]  # noqa: PLC0415 - comes with Presidio
        from presidio_analyzer import PatternRecognizer  # noqa: PLC0415
        from presidio_analyzer.predefined_recognizers import IbanRecognizer, PhoneRecognizer  # noqa: PLC0415

        self.recognizer = recognizer
        self.entities: tuple[str, ...] = tuple(recognizer.supported_entities)
        self.language: str = recognizer.supported_language
        self._context = tuple(word.lower() for word in recognizer.context or ())
        kind: Any = type(recognizer)
        self._plain = issubclass(kind, PatternRecognizer) and kind.analyze is PatternRecognizer.analyze
        self._patterns: list[tuple[Any, float, Needs, Any]] = []
        if self._plain:
            self._patterns = [
                (
                    regex.compile(pattern.regex, flags=recognizer.global_regex_flags),
                    pattern.score,
                    needs(pattern.regex),
                    pattern,
                )
                for pattern in list(recognizer.patterns)
            ]
        self._needs = Needs()
        if type(recognizer) is PhoneRecognizer:
            self._needs = Needs(digits=min([_PHONE_DIGITS, *map(_shortest, vars(recognizer)["supported_regions"])]))
        elif type(recognizer) is IbanRecognizer:
            every = [needs(pattern.regex) for pattern in vars(recognizer)["patterns"]]
            self._needs = Needs(length=min(one.length for one in every), digits=min(one.digits for one in every))
        self._clock = SystemClock()

    def boosted(self, words: Iterable[str]) -> bool:
        """Tell whether words given from outside make this recogniser's findings more certain."""
        return bool(self._context) and any(own in word for own in self._context for word in words)

    def find(self, text: str, digits: int, artifacts: Any) -> list[tuple[str, int, int, float]]:
        """Return (entity, start, end, score) of each finding.

        Args:
            text: Any string.
            digits: How many ASCII digits it holds.
            artifacts: What the language engine made of it.

        Raises:
            TimeoutError: The text took too long to look through.
        """
        if self._plain:
            return [(self.entities[0], *raw) for raw, _ in self._matches(text, digits)]
        if not self._needs.met(text, digits):
            return []
        return [(found.entity_type, found.start, found.end, found.score) for found in self._called(text, artifacts)]

    def results(self, text: str, digits: int, artifacts: Any) -> list[Any]:
        """Return the findings as Presidio's own objects, for its context enhancer."""
        from presidio_analyzer import PatternRecognizer, RecognizerResult  # noqa: PLC0415

        if not self._plain:
            results = self._called(text, artifacts) if self._needs.met(text, digits) else []
            for found in results:
                found.recognition_metadata = {
                    RecognizerResult.RECOGNIZER_NAME_KEY: self.recognizer.name,
                    RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.recognizer.id,
                    **(found.recognition_metadata or {}),
                }
            return results
        return [
            RecognizerResult(
                entity_type=self.entities[0],
                start=start,
                end=end,
                score=score,
                analysis_explanation=PatternRecognizer.build_regex_explanation(
                    self.recognizer.name, pattern.name, pattern.regex, score, True, self.recognizer.global_regex_flags
                ),
                recognition_metadata={
                    RecognizerResult.RECOGNIZER_NAME_KEY: self.recognizer.name,
                    RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.recognizer.id,
                },
            )
            for (start, end, score), pattern in self._matches(text, digits)
        ]

    def _matches(self, text: str, digits: int) -> list[tuple[Raw, Any]]:
        recognizer: Any = self.recognizer
        found: list[tuple[Raw, Any]] = []
        for compiled, base, condition, pattern in self._patterns:
            if not condition.met(text, digits):
                continue
            for match in compiled.finditer(text, timeout=PATTERN_SECONDS):
                start, end = match.span()
                if start == end:
                    continue
                held = text[start:end]
                score = base
                valid = recognizer.validate_result(held)
                if valid is not None:
                    score = 1.0 if valid else 0.0
                if recognizer.invalidate_result(held):
                    score = 0.0
                if score > 0:
                    found.append(((start, end, score), pattern))
        return found

    def _called(self, text: str, artifacts: Any) -> list[Any]:
        began = self._clock.ticks()
        results = self.recognizer.analyze(text=text, entities=list(self.entities), nlp_artifacts=artifacts)
        if self._clock.ticks() - began > RECOGNIZER_SECONDS * 1_000_000:
            msg = f"{self.recognizer.name} took too long"
            raise TimeoutError(msg)
        return list(results or ())


def _shortest(region: str) -> int:
    """Return the fewest digits a valid national number of `region` has."""
    from phonenumbers import PhoneMetadata  # noqa: PLC0415 - comes with Presidio

    held: Any = PhoneMetadata.metadata_for_region(region, None)
    lengths = held.general_desc.possible_length if held is not None and held.general_desc is not None else ()
    return min((length for length in lengths if length > 0), default=0)


def distinct(spans: list[Span]) -> list[Span]:
    """Return `spans` without those that lie in another of the same entity with an equal or higher score."""
    kept: list[Span] = []
    ordered = sorted(set(spans), key=lambda span: (span.entity, span.start, span.start - span.end, -span.score))
    for _, same in groupby(ordered, key=lambda span: span.entity):
        active: list[Span] = []
        for span in same:
            active = [other for other in active if other.end >= span.start]
            if span.score > 0 and not any(
                other.start <= span.start and span.end <= other.end and span.score <= other.score for other in active
            ):
                kept.append(span)
                active.append(span)
    return kept
