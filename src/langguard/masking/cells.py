"""Mask one analysed column: each value by its own type at run time, nested values part by part."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any, Final

from langguard.masking.operators import masked, strictest
from langguard.masking.scan import Findings, scan, unreadable
from langguard.masking.shapes import shape
from langguard.masking.spans import UNREADABLE, Cover, Find, cover
from langguard.protocol import EntityMask, Operator

SHORTEST_NUMBER: Final = 7
"""Digits from which a whole number may be an identifier."""
SHORTEST_WHOLE_PART: Final = 9
"""Digits before the point from which a fraction may hide an identifier: `card + 0.5`."""
DEEPEST: Final = 32
"""Levels of nested values beyond which the value is masked whole."""
_ADDRESSES = IPv4Address | IPv6Address | IPv4Network | IPv6Network | IPv4Interface | IPv6Interface
_TIMES = dt.date | dt.time | dt.timedelta
_REPLACE: Final = Operator(name="replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a value stands: words about it, what it is called when masked whole, and whether text belongs there."""

    context: str
    label: str
    typed: bool


class Masker:
    """Masks analysed values of one result, counting what it masked.

    Args:
        masks: The entity masks in force.
        min_score: Findings below it are ignored.
        find: The detector.
        key: For keyed tokens.
    """

    def __init__(self, masks: Sequence[EntityMask], *, min_score: float, find: Find, key: bytes) -> None:
        names = dict.fromkeys(entity for mask in masks for entity in mask.entities)
        self._operators: dict[str, Operator] = {
            name: strictest(mask.operator for mask in masks if name in mask.entities) or _REPLACE for name in names
        }
        self._entities = tuple(names)
        self._min_score = min_score
        self._find = find
        self._key = key
        self._found: dict[tuple[str, str], Findings] = {}
        self.counts: Counter[str] = Counter()

    def prepare(self, values: Sequence[Any], context: str, *, typed: bool = False) -> None:
        """Analyse every distinct text among `values` in as few calls to the detector as there are contexts.

        Raises:
            MaskingError: The engine as a whole is dead.
        """
        wanted: dict[str, dict[str, None]] = {}
        for value in values:
            try:
                _collect(value, context, wanted, 0)
                if typed and isinstance(value, str) and shape(value) in {"number", "calendar"}:
                    wanted.setdefault(context, {}).update(dict.fromkeys(_spelt(value)))
            except Exception:  # noqa: BLE001, S112 - such a value raises again when it is masked, and is masked whole
                continue
        for words, texts in wanted.items():
            new = [text for text in texts if (words, text) not in self._found]
            for text, findings in scan(new, self._entities, words, self._find).items():
                self._found[words, text] = findings

    def value(self, value: Any, context: str, label: str, *, typed: bool) -> Any:
        """Return the masked value.

        Args:
            value: As the driver gave it.
            context: As given to `prepare`.
            label: What a value masked whole without a finding is called.
            typed: Text must have the shape of a number, time, UUID or address.
        """
        return self._any(value, _Place(context=context, label=label, typed=typed), 0)

    def text(self, text: str, context: str) -> str | None:
        """Return `text` with its findings masked; None where an operator makes it null."""
        findings = self._findings(text, context)
        if unreadable(findings):
            self.counts[UNREADABLE] += 1
            return f"<{UNREADABLE}>"
        parts: list[str] = []
        place = 0
        for stretch in cover(span for span in findings if self._counts(span.entity, span.score)):
            operator = self._operator(stretch)
            self.counts[stretch.entity] += 1
            stand_in = masked(text[stretch.start : stretch.end], operator, stretch.entity, self._key)
            if stand_in is None:
                return None
            parts += [text[place : stretch.start], stand_in]
            place = stretch.end
        return "".join([*parts, text[place:]]) if parts else text

    def whole(self, value: Any, operator: Operator, label: str) -> Any:
        """Return the stand-in for a value masked whole, and count it."""
        if value is None:
            return None
        if operator.name != "keep":
            self.counts[label] += 1
        return masked(value, operator, label, self._key)

    def _any(self, value: Any, place: "_Place", depth: int) -> Any:  # noqa: PLR0911 - one row a type
        if depth > DEEPEST:
            return self.whole(value, _REPLACE, UNREADABLE)
        match value:
            case None | bool():
                return value
            case str():
                text = str.__str__(value)
                return self._typed(text, place) if place.typed else self.text(text, place.context)
            case int() | float() | Decimal():
                return self._number(value, place.context)
            case dt.date() | dt.time() | dt.timedelta():
                return self._by_entity(value, "DATE_TIME")
            case uuid.UUID():
                return self._by_entity(value, "UUID")
            case list() | set() | frozenset():
                return [self._any(item, place, depth + 1) for item in value]
            case tuple():
                return tuple(self._any(item, place, depth + 1) for item in value)
            case dict():
                return self._dict(value, place, depth)
            case _ if isinstance(value, _ADDRESSES):
                return self._by_entity(value, "IP_ADDRESS")
            case bytes() | bytearray() | memoryview():
                return self.whole(value, _REPLACE, "BINARY")
            case _:
                return self.whole(value, _REPLACE, place.label)

    def _dict(self, value: Mapping[Any, Any], place: "_Place", depth: int) -> dict[Any, Any]:
        shown: dict[Any, Any] = {}
        names = _Place(context=place.context, label=place.label, typed=False)  # written by the statement, as a rule
        for key, item in value.items():
            name = self._any(key, names, depth + 1)
            if isinstance(name, list | dict):
                name = f"<{place.label}>"
            unique, again = name, 2
            while unique in shown:
                unique, again = f"{name}#{again}", again + 1
            inner = _Place(context=_inner(key, place.context), label=place.label, typed=place.typed)
            shown[unique] = self._any(item, inner, depth + 1)
        return shown

    def _typed(self, text: str, place: "_Place") -> Any:
        """Mask text where no text belongs: whole, unless it spells a value of another type."""
        match shape(text):
            case None:
                return self.whole(text, _REPLACE, place.label)
            case "boolean":
                return text
            case "time":
                return self._by_entity(text, "DATE_TIME")
            case "uuid":
                return self._by_entity(text, "UUID")
            case "network":
                return self.text(text, place.context)
            case _:
                for digits in _spelt(text):
                    hit = self._hit(digits, place.context)
                    if hit is not None:
                        return self._replace(text, hit)
                return self.text(text, place.context)

    def _number(self, value: float | Decimal, context: str) -> Any:
        digits = _digits(value)
        hit = None if digits is None else self._hit(digits, context)
        return value if hit is None else self._replace(value, hit)

    def _by_entity(self, value: Any, entity: str) -> Any:
        operator = self._operators.get(entity)
        return value if operator is None else self.whole(value, operator, entity)

    def _hit(self, digits: str, context: str) -> Cover | None:
        """Return the best finding in a number's digits: any finding speaks for the number as a whole."""
        findings = self._findings(digits, context) if digits else ()
        if unreadable(findings):
            return Cover(start=0, end=len(digits), entity=UNREADABLE)
        hits = [span for span in findings if self._counts(span.entity, span.score)]
        best = min(hits, key=lambda span: (-span.score, span.start - span.end, span.entity), default=None)
        return None if best is None else Cover(start=0, end=len(digits), entity=best.entity)

    def _replace(self, value: Any, hit: Cover) -> Any:
        return self.whole(value, self._operator(hit), hit.entity)

    def _findings(self, text: str, context: str) -> Findings:
        if (context, text) not in self._found:
            self._found[context, text] = scan([text], self._entities, context, self._find)[text]
        return self._found[context, text]

    def _counts(self, entity: str, score: float) -> bool:
        operator = self._operators.get(entity)
        return operator is not None and operator.name != "keep" and score >= self._min_score

    def _operator(self, stretch: Cover) -> Operator:
        """Return the operator of the stretch's own entity, or `replace` where it would show part of another's."""
        operator = self._operators.get(stretch.entity, _REPLACE)
        partial = operator.name == "mask" and any(
            self._operators[other].name != "mask" or self._operators[other].keep_last < operator.keep_last
            for other in stretch.others
        )
        return _REPLACE if partial else operator


def _collect(value: Any, context: str, wanted: dict[str, dict[str, None]], depth: int) -> None:
    """Add every text that masking `value` will ask about to `wanted`, by its context."""
    if depth > DEEPEST:
        return
    match value:
        case None | bool():
            return
        case str():
            wanted.setdefault(context, {})[str.__str__(value)] = None
        case int() | float() | Decimal():
            digits = _digits(value)
            if digits is not None:
                wanted.setdefault(context, {})[digits] = None
        case list() | tuple() | set() | frozenset():
            for item in value:
                _collect(item, context, wanted, depth + 1)
        case dict():
            for key, item in value.items():
                _collect(key, context, wanted, depth + 1)
                _collect(item, _inner(key, context), wanted, depth + 1)
        case _:
            return


def _inner(key: Any, context: str) -> str:
    """Return the context of the value under `key`: a short key names it, as a column does."""
    if isinstance(key, str) and len(key) <= 40 and key.isascii():
        return f"{context} {' '.join(key.lower().split())}".strip()
    return context


def _spelt(text: str) -> tuple[str, ...]:
    """Return the digits that text of a number's or a date's shape may hide an identifier in.

    `0004111...` and `4111/1111/...` are such shapes, and no pattern for cards fits them.
    """
    number = _number_of(text)
    whole = _digits(number) if number is not None else None
    every = "".join(filter(str.isdigit, text))
    found = [whole or "", every if len(every) >= SHORTEST_WHOLE_PART else ""]
    found += [digits.lstrip("0") for digits in found]
    return tuple(dict.fromkeys(digits for digits in found if len(digits) >= SHORTEST_NUMBER))


def _number_of(text: str) -> Decimal | None:
    try:
        return Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        return None


def _digits(value: float | Decimal) -> str | None:
    """Return the digits of a number that are worth analysing, without sign; None where there are too few."""
    if isinstance(value, int):
        whole, fraction = str(abs(int(value))) if abs(value) < 10**64 else "", False
    elif isinstance(value, float):
        if not abs(value) < 1e64:  # not a number, infinite or huge
            return None
        whole, fraction = str(abs(int(value))), not value.is_integer()
    else:
        if not value.is_finite() or value.adjusted() >= 64:
            return None
        whole, fraction = str(abs(int(value))), value != value.to_integral_value()
    return whole if len(whole) >= (SHORTEST_WHOLE_PART if fraction else SHORTEST_NUMBER) else None
