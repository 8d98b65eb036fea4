"""Look for known personal data in text, however it was reshaped on the way: the demo's own check on the guard.

It shares no code with the masking it checks. A value counts as found whole: a full name, an e-mail address or its part
before the @ (from 8 characters), a phone number (its last 9 digits), a card number (all digits). The last four digits
of a card, a first name or a family name alone are no leak.
"""

import functools
import html
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote

Kind = Literal["name", "email", "phone", "card"]

_GRAM: Final = 8  # shortest part of an address that counts
_PHONE_DIGITS: Final = 9
_WORD: Final = re.compile(r"[^\W\d_]+")
_BETWEEN: Final = 4  # at most so many other characters between the words of a name: 'Silva', 'Maria'
_NUMBER: Final = re.compile(r"\d(?:[\W_]{0,3}\d)+")
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|[nrtfv])")
_IDEOGRAPHS: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
# Letters that Unicode does not take apart into a base letter and an accent.
_LETTERS: Final = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss"})


@dataclass(frozen=True, slots=True)
class Secrets:
    """Everything that must not be seen, as it is stored.

    Attributes:
        names: Pairs of given and family name.
        emails: Addresses.
        phones: Numbers as written, each of at least 9 digits.
        cards: Numbers as written.
    """

    names: tuple[tuple[str, str], ...]
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    cards: tuple[str, ...]

    @property
    def phone_digits(self) -> tuple[str, ...]:
        """The phone numbers, digits only."""
        return tuple(digits(phone) for phone in self.phones)

    @property
    def card_digits(self) -> tuple[str, ...]:
        """The card numbers, digits only."""
        return tuple(digits(card) for card in self.cards)

    def __len__(self) -> int:
        return len(self.names) + len(self.emails) + len(self.phones) + len(self.cards)

    def __repr__(self) -> str:
        return f"Secrets({len(self.names)} names, {len(self.emails)} e-mails, ...)"


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """One secret seen in one text.

    Attributes:
        kind: What it is.
        where: Index of the text, from 0.
        hint: Enough to recognise it for someone who knows the data, never the value: `j…(12)`.
    """

    where: int
    kind: Kind
    hint: str


def find_leaks(texts: Iterable[str], secrets: Secrets) -> list[Leak]:
    """Return each secret found in each text, once, in order of the texts.

    JSON's and URLs' and HTML's escapes, case, accents, full-width forms, invisible characters and the separators
    inside numbers and names make no difference.
    """
    index = _index_of(secrets)
    leaks: list[Leak] = []
    for where, text in enumerate(texts):
        found = {item for form in _forms(text) for item in index.search(form)}
        leaks += sorted(Leak(where, kind, _hint(value)) for kind, value in found)
    return leaks


def digits(text: str) -> str:
    """Return only the digits of `text`."""
    return "".join(character for character in text if character.isdigit())


def unaccented(text: str) -> str:
    """Return `text` in lower case without accents or invisible characters, full-width forms made plain."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(character for character in apart if unicodedata.category(character) not in {"Mn", "Cf"})
    # A second casefold, for letters that only decomposing brought out; recomposed, so that scripts whose marks are
    # part of the letter (kana) compare as one.
    return unicodedata.normalize("NFC", kept.casefold()).translate(_LETTERS)


def _forms(text: str) -> Iterator[str]:
    """Yield the text as a reader could see it: as it is, and once more with its escapes undone, if it has any."""
    plain = unaccented(text)
    yield plain
    undone = _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)) if match[1] or match[2] else " ", text)
    undone = unaccented(html.unescape(unquote(undone)))
    if undone != plain:
        yield undone


def _hint(value: str) -> str:
    return f"{value[:1]}…({len(value)})"


class _Index:
    """The secrets, laid out so that a text is read once for each kind, whatever their number."""

    def __init__(self, secrets: Secrets) -> None:
        self._names: dict[tuple[str, ...], str] = {}  # the words, in either order, to the name they are
        self._joined: dict[str, str] = {}
        ideographic: dict[str, str] = {}
        for given, family in secrets.names:
            name = unaccented(f"{given} {family}")
            for written in (name, unaccented(f"{family} {given}")):
                words = tuple(_WORD.findall(written))
                joined = "".join(words)
                self._names[words] = name
                if len(joined) >= _GRAM:
                    self._joined[joined] = name
                if _IDEOGRAPHS.search(joined):  # such a script puts no space around a name
                    ideographic[joined] = name
        self._name_lengths = sorted({len(words) for words in self._names})
        self._ideographic = ideographic
        self._ideographic_pattern = re.compile("|".join(sorted(map(re.escape, ideographic)))) if ideographic else None
        self._grams: dict[str, list[str]] = {}
        for email in secrets.emails:
            whole = unaccented(email)
            local = whole.partition("@")[0]
            needle = local if len(local) >= _GRAM else whole
            self._grams.setdefault(needle[:_GRAM], []).append(needle)
        self._phones = {number[-_PHONE_DIGITS:] for number in secrets.phone_digits}
        self._cards = set(secrets.card_digits)
        self._card_lengths = sorted({len(card) for card in self._cards})
        short = min(map(len, itertools.chain(self._phones, self._grams)), default=_GRAM)
        if short < _GRAM:
            msg = f"a secret of {short} characters is too short to be looked for"
            raise ValueError(msg)

    def search(self, text: str) -> Iterator[tuple[Kind, str]]:
        """Yield what is found in a text already `unaccented`; the same value may come more than once."""
        yield from (("name", name) for name in self._search_names(text))
        yield from (("email", address) for address in self._search_addresses(text))
        for match in _NUMBER.finditer(text):
            number = digits(match[0])
            yield from (("phone", part) for part in _windows(number, _PHONE_DIGITS) if part in self._phones)
            for length in self._card_lengths:
                yield from (("card", part) for part in _windows(number, length) if part in self._cards)

    def _search_names(self, text: str) -> Iterator[str]:
        words = [(match[0], match.start(), match.end()) for match in _WORD.finditer(text)]
        for at, (word, _, _) in enumerate(words):
            if word in self._joined:
                yield self._joined[word]
            for length in self._name_lengths:
                run = words[at : at + length]
                name = self._names.get(tuple(item[0] for item in run))
                if name is not None and all(b[1] - a[2] <= _BETWEEN for a, b in itertools.pairwise(run)):
                    yield name
        if self._ideographic_pattern is not None and _IDEOGRAPHS.search(text):
            for match in self._ideographic_pattern.finditer(re.sub(r"[\W_]+", "", text)):
                yield self._ideographic[match[0]]

    def _search_addresses(self, text: str) -> Iterator[str]:
        for at in range(len(text) - _GRAM + 1):
            for needle in self._grams.get(text[at : at + _GRAM], ()):
                if text.startswith(needle, at):
                    yield needle


def _windows(number: str, length: int) -> Iterator[str]:
    return (number[at : at + length] for at in range(len(number) - length + 1))


@functools.lru_cache(maxsize=4)
def _index_of(secrets: Secrets) -> _Index:
    return _Index(secrets)
