"""The shadow of a text: the same text as a reader would see it, with each character's place in the original.

Zero-width characters, full-width digits, look-alike letters and character references hide a value from a pattern and
from nobody else. The shadow undoes them; a finding in it is carried back to the characters it came from.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_PLAIN: Final = re.compile(r"[\t\n\r\x20-\x7e]*")
_ESCAPE: Final = re.compile(
    r"%(?P<percent>[0-7][0-9A-Fa-f])"
    r"|&\#(?P<decimal>[0-9]{1,7});?"
    r"|&\#[xX](?P<hex>[0-9A-Fa-f]{1,6});?"
    r"|&(?P<name>commat|period|hyphen|dash|lowbar|num|nbsp|amp|plus|sol|colon);"
    r"|\\u\{?(?P<code>[0-9A-Fa-f]{4})\}?"
    r"|\\x(?P<byte>[0-7][0-9A-Fa-f])"
)
_NAMED: Final = {
    "commat": "@",
    "period": ".",
    "hyphen": "-",
    "dash": "-",
    "lowbar": "_",
    "num": "#",
    "nbsp": " ",
    "amp": "&",
    "plus": "+",
    "sol": "/",
    "colon": ":",
}
_ALIKE: Final = {
    **dict(zip("аеорсхуіјѕԁһԛԝАВЕКМНОРСТХУІЈЅ", "aeopcxyijsdhqwABEKMHOPCTXYIJS", strict=True)),
    **dict(zip("οαεικνρυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "oaeiknpuxABEZHIKMNOPTYX", strict=True)),
    "\u3002": ".",
    "\u2024": ".",
    "\u0589": ":",
    "\u2044": "/",
    "\u2212": "-",
    "\u00b7": ".",
    "\u2022": ".",
    "\u2028": "\n",
    "\u2029": "\n",
}
_DROPPED: Final = frozenset("\u115f\u1160\u3164\uffa0\u034f\u180e\u2800")
"""Blank or joining characters that are letters or symbols by category, and that nobody sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A normalised text; character i of it came from [starts[i], ends[i]) of the original."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def origin(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the original's stretch that holds [start, end) of the shadow, or None when it has none."""
        if not 0 <= start < end <= len(self.text):
            return None
        return min(self.starts[start:end]), max(self.ends[start:end])


def shadow(text: str) -> Shadow | None:
    """Return the shadow of `text`, or None where it would be the text itself."""
    escaped = _ESCAPE.search(text) is not None
    if not escaped and _PLAIN.fullmatch(text):
        return None
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for symbol, start, end in _symbols(text) if escaped else ((c, i, i + 1) for i, c in enumerate(text)):
        for character in _normal(symbol):
            characters.append(character)
            starts.append(start)
            ends.append(end)
    normal = "".join(characters)
    return None if normal == text else Shadow(text=normal, starts=tuple(starts), ends=tuple(ends))


def _symbols(text: str) -> list[tuple[str, int, int]]:
    """Return (character, start, end) with character references decoded once."""
    symbols: list[tuple[str, int, int]] = []
    place = 0
    for match in _ESCAPE.finditer(text):
        symbols.extend((text[i], i, i + 1) for i in range(place, match.start()))
        symbols.append((_decoded(match), match.start(), match.end()))
        place = match.end()
    symbols.extend((text[i], i, i + 1) for i in range(place, len(text)))
    return symbols


def _decoded(match: re.Match[str]) -> str:
    kind = match.lastgroup or ""
    held = match[kind]
    if kind == "name":
        return _NAMED[held]
    code = int(held, 10 if kind == "decimal" else 16)
    return chr(code) if code <= 0x10FFFF else match[0]


def _normal(symbol: str) -> str:
    """Return what one character reads as: nothing, itself, or its plain form."""
    if " " <= symbol <= "~" or symbol in "\t\n\r":
        return symbol
    if symbol in _ALIKE:
        return _ALIKE[symbol]
    if symbol in _DROPPED:
        return ""
    return "".join(_plain(character) for character in unicodedata.normalize("NFKC", symbol))


def _plain(character: str) -> str:
    if character in _ALIKE:
        return _ALIKE[character]
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(character)
    if category in {"Cf", "Cc", "Mn", "Me", "Cs", "Co", "Cn"} and character not in "\t\n\r":
        return ""
    if category == "Pd":
        return "-"
    if category == "Zs":
        return " "
    return character
