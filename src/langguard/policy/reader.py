"""A typed reader over the tree: what is expected where, and errors that name the place and the nearest valid name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from langguard.errors import ConfigError
from langguard.policy import names
from langguard.policy.source import Document, Entries, Items, Node, Place, Scalar

_DURATION: Final = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)", re.ASCII)
_UNITS: Final = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


@dataclass(frozen=True, slots=True)
class Fields:
    """One mapping whose keys were checked; read a field by name."""

    reader: "Reader"
    place: Place
    nodes: Mapping[str, Node]
    keys: Mapping[str, Scalar]

    def __contains__(self, key: str) -> bool:
        return key in self.nodes

    def get(self, key: str) -> Node | None:
        """Return the field's node, or None where it is left out."""
        return self.nodes.get(key)

    def need(self, key: str) -> Node:
        """Return the field's node.

        Raises:
            ConfigError: It is missing.
        """
        if key not in self.nodes:
            raise self.reader.fail(self.place, f"`{key}` is missing")
        return self.nodes[key]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads nodes of one document as what they must be. Every method raises ConfigError where one is something else."""

    document: Document

    def fail(self, at: Node | Place, message: str) -> ConfigError:
        """Return the error for a place; the caller raises it."""
        return self.document.fail(at, message)

    def mapping(self, node: Node, what: str, keys: Iterable[str]) -> Fields:
        """Return a mapping's fields; a key not in `keys` fails with the nearest one."""
        if not isinstance(node, Entries):
            raise self.fail(node, f"{what} must be a mapping (`key: value`)")
        known = frozenset(keys)
        for key, _ in node.pairs:
            if key.text not in known:
                raise self.fail(key, f"unknown field `{key.text}` in {what}{names.suggest(key.text, known)}")
        return Fields(
            self,
            node.place,
            {key.text: value for key, value in node.pairs},
            {key.text: key for key, _ in node.pairs},
        )

    def items(self, node: Node | None, what: str) -> tuple[Node, ...]:
        """Return a list's nodes; nothing at all is an empty list."""
        if node is None or (isinstance(node, Scalar) and node.value is None):
            return ()
        if not isinstance(node, Items):
            raise self.fail(node, f"{what} must be a list (`- item`)")
        return node.nodes

    def one_or_many(self, node: Node, what: str) -> tuple[Scalar, ...]:
        """Return one text or a list of distinct texts; never empty."""
        nodes = node.nodes if isinstance(node, Items) else (node,)
        if not nodes:
            raise self.fail(node, f"{what} must not be empty")
        found: dict[str, Scalar] = {}
        for item in nodes:
            word = self.word(item, what)
            if word.text in found:
                raise self.fail(item, f"`{word.text}` is listed twice")
            found[word.text] = word
        return tuple(found.values())

    def text(self, node: Node, what: str) -> str:
        """Return a non-empty text; a number or truth value must be quoted to be one."""
        return self.word(node, what).text

    def word(self, node: Node, what: str) -> Scalar:
        """Return the scalar of a non-empty text, which knows its place."""
        if not isinstance(node, Scalar):
            raise self.fail(node, f"{what} must be a text")
        if not isinstance(node.value, str):
            kind = "nothing" if node.value is None else "a number or truth value"
            raise self.fail(node, f"{what} must be a text, not {kind}; quote it if it is meant as text")
        if not node.value.strip():
            raise self.fail(node, f"{what} must not be empty")
        return node

    def identifier(self, node: Node, what: str) -> str:
        """Return a name of ASCII letters, digits, dots, dashes and underscores, at most 64 characters."""
        text = self.text(node, what)
        if not names.IDENTIFIER.fullmatch(text):
            odd = next((character for character in text if not character.isascii()), "")
            why = f" (it holds U+{ord(odd):04X})" if odd else ""
            msg = f"{what} `{text}` must be 1 to 64 ASCII letters, digits, `.`, `-` or `_`{why}"
            raise self.fail(node, msg)
        return text

    def name(self, node: Node, what: str) -> str:
        """Return a name given elsewhere (a group, a principal): any script, but not one that reads as another name."""
        text = self.text(node, what)
        if why := names.unreadable(text):
            raise self.fail(node, f"{what} `{text}` can be taken for another name: {why}")
        if "*" in text:
            raise self.fail(node, f"{what} can't hold `*`: name each one")
        return text

    def choice(self, node: Node, what: str, options: Iterable[str]) -> str:
        """Return a text that is one of `options`; another fails with the nearest."""
        text = self.text(node, what)
        known = frozenset(options)
        if text not in known:
            raise self.fail(node, f"unknown {what} `{text}`{names.suggest(text, known)}")
        return text

    def integer(self, node: Node, what: str, low: int, high: int) -> int:
        """Return an integer within [low, high]."""
        if not isinstance(node, Scalar) or isinstance(node.value, bool) or not isinstance(node.value, int):
            raise self.fail(node, f"{what} must be a whole number")
        if not low <= node.value <= high:
            raise self.fail(node, f"{what} must be {low} to {high}, not {node.value}")
        return node.value

    def number(self, node: Node, what: str, low: float, high: float) -> float:
        """Return a number within [low, high]."""
        if not isinstance(node, Scalar) or isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise self.fail(node, f"{what} must be a number")
        if not low <= node.value <= high:
            raise self.fail(node, f"{what} must be {low:g} to {high:g}, not {node.text}")
        return float(node.value)

    def boolean(self, node: Node, what: str) -> bool:
        """Return a truth value, written `true` or `false`."""
        if not isinstance(node, Scalar) or not isinstance(node.value, bool):
            raise self.fail(node, f"{what} must be `true` or `false`")
        return node.value

    def duration(self, node: Node, what: str, low: int, high: int) -> int:
        """Return microseconds of a duration such as `500ms`, `10s`, `15m`, `8h` or `30d`, within [low, high]."""
        text = node.text if isinstance(node, Scalar) else ""
        match = _DURATION.fullmatch(text)
        if match is None:
            raise self.fail(node, f"{what} must be a duration such as `500ms`, `10s`, `15m`, `8h` or `30d`")
        found = int(match[1]) * _UNITS[match[2]]
        if not low <= found <= high:
            raise self.fail(node, f"{what} must be {_spell(low)} to {_spell(high)}, not {text}")
        return found


def _spell(microseconds: int) -> str:
    unit, size = max(
        ((unit, size) for unit, size in _UNITS.items() if microseconds % size == 0), key=lambda pair: pair[1]
    )
    return f"{microseconds // size}{unit}"
