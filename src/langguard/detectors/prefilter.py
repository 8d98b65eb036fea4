"""What a regular expression can't match without: a sound test that spares running most patterns on most texts.

From a pattern's own syntax tree: the least length of a match, the least number of digits, and characters that every
match holds. Where the tree can't be read with certainty there is no condition, and the pattern always runs. The test is
made on ASCII texts only, since case folding and Unicode classes widen what a pattern matches elsewhere.
"""

import re
from dataclasses import dataclass
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any, Final

_SET: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_OTHER_SYNTAX: Final = re.compile(r"\{(?![0-9]*(?:,[0-9]*)?\})|\(\?[^:=!<P>#aiLmsux\-]")
"""Outside character sets, syntax that the `regex` package reads in its own way: fuzzy matching, branch reset..."""
_POSIX: Final = re.compile(r"\[:\^?\w+:\]")
_DIGITS: Final = frozenset(range(0x30, 0x3A))


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What every match of a pattern holds.

    Attributes:
        length: Characters.
        digits: Of them digits.
        characters: Characters that occur in it; no letters, which may be matched in either case.
    """

    length: int = 0
    digits: int = 0
    characters: frozenset[str] = frozenset()

    def met(self, text: str, digits: int) -> bool:
        """Tell whether a text with so many digits may hold a match; True for any text that is not ASCII."""
        if not text.isascii():
            return True
        return (
            len(text) >= self.length
            and digits >= self.digits
            and all(character in text for character in self.characters)
        )


def needs(pattern: str) -> Needs:
    """Return what every match of `pattern` holds; nothing where that is not certain."""
    if _POSIX.search(pattern) or _OTHER_SYNTAX.search(_SET.sub("x", pattern)):
        return Needs()
    try:
        tree = _parser.parse(pattern, re.IGNORECASE | re.MULTILINE | re.DOTALL)
        return _sequence(tree)
    except (re.error, RecursionError, OverflowError, FutureWarning):
        return Needs()


def digits_of(text: str) -> int:
    """Return how many ASCII digits `text` holds."""
    return sum(map(text.count, "0123456789"))


def _sequence(items: Any) -> Needs:
    total = Needs()
    for kind, argument in items:
        one = _one(kind, argument)
        total = Needs(
            length=total.length + one.length,
            digits=total.digits + one.digits,
            characters=total.characters | one.characters,
        )
    return total


def _one(kind: Any, argument: Any) -> Needs:
    if kind is op.LITERAL:
        character = chr(argument)
        plain = character.isascii() and not character.isalpha() and argument not in _DIGITS
        return Needs(
            length=1, digits=int(argument in _DIGITS), characters=frozenset({character}) if plain else frozenset()
        )
    if kind is op.IN:
        return Needs(length=1, digits=int(all(_is_digits(*member) for member in argument)))
    if kind in {op.ANY, op.NOT_LITERAL}:
        return Needs(length=1)
    if kind is op.SUBPATTERN:
        return _sequence(argument[3])
    if kind is op.ATOMIC_GROUP:
        return _sequence(argument)
    if kind in {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}:
        least, _, body = argument
        if not least:
            return Needs()
        once = _sequence(body)
        return Needs(length=once.length * least, digits=once.digits * least, characters=once.characters)
    if kind is op.BRANCH:
        branches = [_sequence(branch) for branch in argument[1]]
        return Needs(
            length=min(branch.length for branch in branches),
            digits=min(branch.digits for branch in branches),
            characters=frozenset.intersection(*(branch.characters for branch in branches)),
        )
    return Needs()


def _is_digits(kind: Any, argument: Any) -> bool:
    if kind is op.LITERAL:
        return argument in _DIGITS
    if kind is op.RANGE:
        return argument[0] in _DIGITS and argument[1] in _DIGITS
    return kind is op.CATEGORY and argument is op.CATEGORY_DIGIT
