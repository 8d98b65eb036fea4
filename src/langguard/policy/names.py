"""Names: the nearest valid one, look-alikes, and patterns over `connection/schema.table.column`."""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
"""What we let people name connections and rules: nothing that could be taken for another name, or for a pattern."""


def suggest(name: str, options: Iterable[str], *, what: str = "valid") -> str:
    """Return `; did you mean ...?`, or the list of options when none is near and they are few."""
    choices = sorted(options)
    folded = {_skeleton(choice): choice for choice in reversed(choices)}
    near = difflib.get_close_matches(_skeleton(name), folded, n=1, cutoff=0.6)
    if not near and len(name) > 2:
        near = [choice for choice in folded if choice.startswith(_skeleton(name))][:1]
    if near:
        return f"; did you mean `{folded[near[0]]}`?"
    if not choices:
        return f"; none are {what}"
    if len(choices) <= 24:
        return f"; {what}: {', '.join(choices)}"
    return ""


def unreadable(name: str) -> str:
    """Return why a name may be read as another, or an empty text: look-alike letters are named by code point."""
    if name.isascii() and name.isprintable() and name == name.strip():
        return ""
    if name != name.strip() or not name.isprintable():
        return "it starts or ends with a space, or holds a control character"
    if unicodedata.normalize("NFKC", name) != name:
        return "it is not in Unicode's NFKC form"
    scripts = {script for character in name if (script := _script(character)) in _CONFUSABLE}
    if len(scripts) > 1:
        odd = next(character for character in name if _script(character) in _CONFUSABLE - {"LATIN"})
        return f"it mixes alphabets ({', '.join(sorted(scripts))}); U+{ord(odd):04X} only looks like another letter"
    if _skeleton(name).isascii():
        return f"it looks like `{_skeleton(name)}` and is not"
    return ""


_CONFUSABLE: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"})
"""Alphabets with letters that look alike; a name in Japanese may mix its scripts."""


def _script(character: str) -> str:
    return unicodedata.name(character, "UNNAMED").split(" ")[0] if character.isalpha() else ""


_LOOKALIKE: Final = str.maketrans("аеорсухіјѕԁһԛԝвкмнтАВЕКМНОРСТХІЅοαρνικυ", "aeopcyxijsdhqwbkmhtabekmhopctxisoapviku")


def _skeleton(name: str) -> str:
    """Return the name as it looks, to find the one that was meant; never used to decide."""
    return unicodedata.normalize("NFKC", name).translate(_LOOKALIKE).casefold()


_PART: Final = re.compile(r'\*|"(?:[^"]|"")+"|[^."*/\s][^."*/]*')


def parts(text: str) -> tuple[str | None, ...] | None:
    """Return the dotted parts of a pattern, None for `*`; or None where it spells none.

    A name that holds a dot is written in double quotes: `"a.b".c`.
    """
    found: list[str | None] = []
    place = 0
    while match := _PART.match(text, place):
        part = match[0]
        if part != part.strip() or not part.isprintable():
            return None
        found.append(None if part == "*" else part[1:-1].replace('""', '"') if part[0] == '"' else part)
        place = match.end()
        if place == len(text):
            return tuple(found)
        if text[place] != ".":
            return None
        place += 1
    return None


@dataclass(frozen=True, slots=True)
class TablePattern:
    """`schema.table`, either part `*` (None here).

    A table's id joins two names with a dot, and a name may hold one itself. Where that leaves two readings, `covers`
    (which grants) takes neither unless the pattern names the id whole, and `touches` (which denies) takes both.
    """

    schema: str | None
    table: str | None

    def __str__(self) -> str:
        return f"{self.schema or '*'}.{self.table or '*'}"

    def covers(self, table: str) -> bool:
        """Return whether this surely names the table: what a grant needs."""
        if self.schema is None and self.table is None:
            return True
        return table == f"{self.schema}.{self.table}" or (table.count(".") == 1 and self.touches(table))

    def touches(self, table: str) -> bool:
        """Return whether this may name the table: what a deny needs."""
        if self.schema is None:
            return self.table is None or table.endswith(f".{self.table}")
        return table == f"{self.schema}.{self.table}" if self.table else table.startswith(f"{self.schema}.")


def table_pattern(text: str) -> TablePattern | None:
    """Return the pattern that `schema.table` spells, or None."""
    found = parts(text)
    return TablePattern(*found) if found is not None and len(found) == 2 else None


def column_parts(text: str) -> tuple[str, tuple[str | None, ...]] | None:
    """Return connection and three parts of `connection/schema.table.column`, or None where it spells none."""
    connection, slash, rest = text.partition("/")
    found = parts(rest)
    if not slash or not connection or found is None or len(found) != 3:
        return None
    return connection, found


def column_matches(wanted: tuple[str | None, ...], column: str) -> bool:
    """Return whether the parts name this column; used to find patterns that name none, never to mask."""
    if None not in wanted:
        return ".".join(str(part) for part in wanted) == column
    held = column.split(".")
    return len(held) == 3 and all(want is None or want == part for want, part in zip(wanted, held, strict=True))
