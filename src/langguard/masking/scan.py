"""Analyse texts with the detector: each one once, long ones in pieces, hidden ones through their shadow.

Whatever goes wrong with a text makes it unreadable, which masks it whole; only a dead engine stops everything.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from langguard.errors import MaskingError
from langguard.masking.shadow import Shadow, shadow
from langguard.masking.spans import UNREADABLE, Find, Span

CHUNK: Final = 16_384
"""Code points given to the detector at a time."""
OVERLAP: Final = 4_096
"""Code points that two neighbouring pieces share: longer than any finding but a key block's."""
LONGEST: Final = 1_000_000
"""Code points beyond which a text is not analysed, but masked whole."""

_WHOLE: Final = (Span(start=0, end=0, entity=UNREADABLE),)
Findings = tuple[Span, ...]


def unreadable(findings: Findings) -> bool:
    """Tell whether the text of these findings could not be analysed."""
    return any(span.entity == UNREADABLE for span in findings)


def scan(texts: Iterable[str], entities: Sequence[str], context: str, find: Find) -> dict[str, Findings]:
    """Return what was found in each distinct text.

    Args:
        texts: May repeat; each is analysed once.
        entities: What to look for.
        context: Words about where the texts come from, such as the column's name.
        find: The detector.

    Returns:
        Text to spans in it. A text that could not be analysed has a span of entity UNREADABLE.

    Raises:
        MaskingError: The engine as a whole is dead.
    """
    pieces: dict[str, list[_Piece]] = {}
    found: dict[str, Findings] = {}
    for text in dict.fromkeys(texts):
        if not text:
            found[text] = ()
        elif len(text) > LONGEST:
            found[text] = _WHOLE
        else:
            pieces[text] = _pieces(text)
    answers = _find(
        list(dict.fromkeys(piece[0] for parts in pieces.values() for piece in parts)), entities, context, find
    )
    for text, parts in pieces.items():
        found[text] = _join(parts, answers)
    return found


_Piece = tuple[str, int, Shadow | None]
"""A text for the detector, its offset in the text (or in the shadow it is a piece of), and that shadow."""


def _pieces(text: str) -> list[_Piece]:
    pieces: list[_Piece] = [(part, offset, None) for part, offset in _chunks(text)]
    normal = shadow(text)
    if normal is not None:
        pieces.extend((part, offset, normal) for part, offset in _chunks(normal.text))
    return pieces


def _chunks(text: str) -> list[tuple[str, int]]:
    if len(text) <= CHUNK:
        return [(text, 0)] if text else []
    step = CHUNK - OVERLAP
    return [(text[start : start + CHUNK], start) for start in range(0, len(text) - OVERLAP, step)]


def _join(parts: list[_Piece], answers: dict[str, Findings]) -> Findings:
    spans: dict[tuple[int, int, str], Span] = {}
    for part, offset, normal in parts:
        for span in answers[part]:
            if span.entity == UNREADABLE or not 0 <= span.start < span.end <= len(part):
                return _WHOLE
            if span.end - span.start > OVERLAP and (span.end == len(part) == CHUNK or (span.start == 0 < offset)):
                return _WHOLE  # it may go on beyond the piece, where no other piece sees its beginning
            start, end = span.start + offset, span.end + offset
            if normal is not None:
                origin = normal.origin(start, end)
                if origin is None:
                    return _WHOLE
                start, end = origin
            key = (start, end, span.entity)
            if key not in spans or spans[key].score < span.score:
                spans[key] = Span(start=start, end=end, entity=span.entity, score=span.score)
    return tuple(spans.values())


def _find(texts: list[str], entities: Sequence[str], context: str, find: Find) -> dict[str, Findings]:
    """Return the detector's answer for each text; a text that breaks it is found by trying each alone."""
    if not texts or not entities:
        return dict.fromkeys(texts, ())
    try:
        return dict(zip(texts, _checked(find(texts, entities, context), len(texts)), strict=True))
    except MaskingError:
        raise
    except Exception:  # noqa: BLE001 - whatever a recogniser raises, its text is masked whole
        if len(texts) == 1:
            return {texts[0]: _WHOLE}
    middle = len(texts) // 2
    return _find(texts[:middle], entities, context, find) | _find(texts[middle:], entities, context, find)


def _checked(answer: list[list[Span]], expected: int) -> list[Findings]:
    if len(answer) != expected:
        msg = f"The detector answered for {len(answer)} texts where {expected} were asked; no result was released."
        raise MaskingError(msg)
    return [tuple(spans) for spans in answer]
