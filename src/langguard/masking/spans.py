"""Where personal data was found in a text, and how overlapping findings become one cover that never shrinks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

UNREADABLE: Final = "UNREADABLE"
"""The entity of a value that could not be analysed, and is therefore masked whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Code points [start, end) of one text, and what they hold."""

    start: int
    end: int
    entity: str  # Presidio's name, such as EMAIL_ADDRESS
    score: float = 1.0


class Find(Protocol):
    """Find entities in texts; what the detectors room supplies.

    Returns one list of spans a text, in the order of the texts. A text that could not be analysed gets one span of
    entity UNREADABLE. MaskingError means that the engine as a whole is dead; any other error is taken to concern the
    texts of this call only.
    """

    def __call__(self, texts: Sequence[str], entities: Sequence[str], context: str) -> list[list[Span]]:
        """Return the spans of `entities` in each text; `context` is words about the column, space-separated."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """One stretch [start, end) to be replaced as a whole.

    Attributes:
        entity: The finding that names it: the highest score, then the longest.
        others: Further entities found in the stretch.
    """

    start: int
    end: int
    entity: str
    others: frozenset[str] = frozenset()


def cover(spans: Iterable[Span]) -> list[Cover]:
    """Return disjoint stretches, left to right, that hold every code point of every span."""
    covers: list[Cover] = []
    cluster: list[Span] = []
    end = -1
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if span.end <= span.start:
            continue
        if cluster and span.start >= end:
            covers.append(_merge(cluster))
            cluster = []
        end = max(end, span.end) if cluster else span.end
        cluster.append(span)
    if cluster:
        covers.append(_merge(cluster))
    return covers


def _merge(cluster: list[Span]) -> Cover:
    best = min(cluster, key=lambda span: (-span.score, span.start - span.end, span.entity))
    return Cover(
        start=min(span.start for span in cluster),
        end=max(span.end for span in cluster),
        entity=best.entity,
        others=frozenset(span.entity for span in cluster) - {best.entity},
    )
