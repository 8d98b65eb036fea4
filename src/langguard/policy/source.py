"""YAML text to a tree of nodes that know where they stand: the YAML 1.2 core schema, and nothing beyond it.

Aliases, anchors, tags, merge keys, duplicate keys and second documents are refused: each can make a reviewed text mean
something else than it shows, or grow without bound. So are characters a reviewer can't see.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from langguard.errors import ConfigError

MAX_CHARACTERS: Final = 1_000_000
MAX_NODES: Final = 100_000
MAX_DEPTH: Final = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a text, both 1-based."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value: text, a number, a truth value or null, with the text it was read from.

    Attributes:
        style: How it was written: `""` plain, `'` or `"` quoted, `|` or `>` a block.
    """

    place: Place
    value: str | int | float | bool | None
    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping; keys are text and each occurs once."""

    place: Place
    pairs: tuple[tuple[Scalar, "Node"], ...]


Node = Scalar | Items | Entries


@dataclass(frozen=True, slots=True)
class Document:
    """A text and its tree.

    Attributes:
        source: The file's name, for messages.
        error: The kind of error this document's readers raise.
    """

    source: str
    text: str = field(repr=False)
    root: Node = field(repr=False)
    error: type[ConfigError]

    def fail(self, at: Node | Place, message: str) -> ConfigError:
        """Return the error that names the place; the caller raises it."""
        place = at if isinstance(at, Place) else at.place
        return self.error(message, source=self.source, line=place.line, column=place.column)

    def locate(self, scalar: Scalar, offset: int) -> Place:
        """Return where character `offset` of a scalar's text stands; the scalar's own place where that is not exact."""
        place = scalar.place
        lines = self.text.split("\n")
        if scalar.style == "|":
            before = scalar.text[:offset]
            row = place.line + before.count("\n")
            wanted = scalar.text.split("\n")[before.count("\n")]
            if row < len(lines) and lines[row].endswith(wanted):
                indent = len(lines[row]) - len(wanted)
                return Place(row + 1, indent + 1 + offset - (before.rfind("\n") + 1))
            return place
        start = place.column - 1 + (1 if scalar.style else 0)
        if scalar.style != ">" and lines[place.line - 1].startswith(scalar.text, start):
            return Place(place.line, start + 1 + offset)
        return place


_INT = re.compile(r"[-+]?[0-9]+", re.ASCII)
_OCTAL = re.compile(r"0o[0-7]+", re.ASCII)
_HEX = re.compile(r"0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_WORDS: Final[dict[str, Any]] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}


def _core(text: str) -> str | int | float | bool | None:
    """Return what a plain scalar stands for in the YAML 1.2 core schema (10.3.2); `on`, `yes` and dates are text."""
    if text in _WORDS:
        found: bool | None = _WORDS[text]
        return found
    if len(text) > 40:  # no number we read is longer, and int() of long digits is slow
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text, 0)
    if _HEX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _refuse_hidden(text: str, source: str, error: type[ConfigError]) -> None:
    """Refuse characters that change how a text reads and are not seen in a review (CVE-2021-42574 and its kin)."""
    for row, line in enumerate(text.split("\n"), 1):
        if line.isascii():
            continue
        for column, character in enumerate(line, 1):
            category = unicodedata.category(character)
            if category in {"Cf", "Co", "Cs", "Zl", "Zp"} or character == "\x85":
                msg = f"the text holds the invisible character U+{ord(character):04X}; remove it"
                raise error(msg, source=source, line=row, column=column)


def read(text: str, *, source: str, error: type[ConfigError] = ConfigError) -> Document:
    """Return the tree of one YAML document.

    Args:
        text: At most a million characters.
        source: The file's name, for messages.
        error: The kind of ConfigError to raise, here and by readers of the tree.

    Raises:
        ConfigError: (of kind `error`) The text is not one plain YAML document.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if len(text) > MAX_CHARACTERS:
        msg = f"the text has {len(text)} characters, more than {MAX_CHARACTERS}"
        raise error(msg, source=source)
    _refuse_hidden(text, source, error)
    empty = Document(source, text, Scalar(Place(1, 1), None, ""), error)
    try:
        root = _Builder(empty, yaml.parse(text, Loader=yaml.SafeLoader)).document()
    except yaml.reader.ReaderError as failed:
        row = text.count("\n", 0, failed.position) + 1
        column = failed.position - text.rfind("\n", 0, failed.position)
        msg = "the text holds a control character"
        raise error(msg, source=source, line=row, column=column) from None
    except yaml.MarkedYAMLError as failed:
        mark = failed.problem_mark or failed.context_mark
        msg = f"not valid YAML: {failed.problem or failed.context}"
        raise error(
            msg, source=source, line=mark.line + 1 if mark else None, column=mark.column + 1 if mark else None
        ) from None
    return Document(source, text, root, error)


def _place(event: Any) -> Place:
    return Place(event.start_mark.line + 1, event.start_mark.column + 1)


class _Builder:
    """Builds the tree from parser events, so that nothing is constructed before it was judged."""

    def __init__(self, document: Document, events: Iterator[Any]) -> None:
        self._document = document
        self._events = events
        self._nodes = 0

    def document(self) -> Node:
        next(self._events)  # the stream's start
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return self._document.root
        root = self._node(next(self._events), depth=0)
        next(self._events)  # the document's end
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._document.fail(_place(event), "a second YAML document starts here; only one is read")
        return root

    def _node(self, event: Any, *, depth: int) -> Node:
        place = _place(event)
        if isinstance(event, yaml.AliasEvent):
            raise self._document.fail(place, f"aliases (`*{event.anchor}`) are not read; write the value out")
        if event.anchor is not None:
            raise self._document.fail(place, f"anchors (`&{event.anchor}`) are not read; remove it")
        if event.tag is not None:
            raise self._document.fail(place, f"tags (`{event.tag}`) are not read; quote a text that starts with `!`")
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise self._document.fail(place, f"nested deeper than {MAX_DEPTH}, or more than {MAX_NODES} values")
        if isinstance(event, yaml.ScalarEvent):
            value = _core(event.value) if event.implicit[0] else event.value
            return Scalar(place, value, event.value, event.style or "")
        if isinstance(event, yaml.SequenceStartEvent):
            nodes = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                nodes.append(self._node(inner, depth=depth + 1))
            return Items(place, tuple(nodes))
        return self._mapping(place, depth)

    def _mapping(self, place: Place, depth: int) -> Entries:
        pairs: list[tuple[Scalar, Node]] = []
        seen: dict[str, Place] = {}
        while not isinstance(inner := next(self._events), yaml.MappingEndEvent):
            key = self._node(inner, depth=depth + 1)
            if not isinstance(key, Scalar):
                raise self._document.fail(key, "a key must be a word")
            if key.text in seen:
                first = seen[key.text]
                msg = f"`{key.text}` is given twice; first at line {first.line}, column {first.column}"
                raise self._document.fail(key, msg)
            seen[key.text] = key.place
            pairs.append((key, self._node(next(self._events), depth=depth + 1)))
        return Entries(place, tuple(pairs))
