"""Column patterns of a policy: `connection/schema.table.column`, each part a name or `*`, nothing shorter.

A name that holds a dot is written in double quotes. A mask pattern ignores letter case, since masking more is safe; a
pattern that lets values through (`clear`, `structured`) matches a name as it is stored, except in SQLite, whose names
have no case.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from langguard.protocol import Catalog, Column, MaskPolicy

_PART: Final = re.compile(r'\*|"(?:[^"]|"")+"|[^."*/\s][^."*/]*')
Parts = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A parsed pattern; None stands for `*`."""

    connection: str | None
    schema: str | None
    table: str | None
    column: str | None

    def matches(self, connection: str, parts: Parts, *, cased: bool) -> bool:
        """Tell whether the column `parts` of `connection` is meant; `cased` compares names exactly as stored."""
        if self.connection is not None and self.connection != connection:
            return False
        wanted = (self.schema, self.table, self.column)
        return all(
            want is None or want == part or (not cased and want.casefold() == part.casefold())
            for want, part in zip(wanted, parts, strict=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternProblem:
    """A pattern of the policy that does nothing.

    Attributes:
        place: Where it stands: `columns[0]`, `clear`, `structured` or `entities[0]`.
        message: What is wrong with it.
        nearest: A valid name close to it, or empty.
    """

    place: str
    pattern: str
    message: str
    nearest: str = ""


def parse(text: str) -> Pattern | None:
    """Return the pattern that `text` spells, or None when it spells none."""
    connection, slash, rest = text.partition("/")
    if not slash or not connection or (connection != "*" and "*" in connection):
        return None
    parts: list[str | None] = []
    place = 0
    while match := _PART.match(rest, place):
        part = match[0]
        parts.append(None if part == "*" else part[1:-1].replace('""', '"') if part[0] == '"' else part)
        place = match.end()
        if place == len(rest):
            break
        if rest[place] != ".":
            return None
        place += 1
    if len(parts) != 3 or place != len(rest):
        return None
    return Pattern(
        connection=None if connection == "*" else connection, schema=parts[0], table=parts[1], column=parts[2]
    )


def any_matches(patterns: Iterable[str], connection: str, parts: Parts, *, cased: bool) -> bool:
    """Tell whether one of `patterns` means the column; a pattern that can't be read means none."""
    return any((pattern := parse(text)) and pattern.matches(connection, parts, cased=cased) for text in patterns)


def index(catalog: Catalog) -> dict[str, tuple[Parts, Column]]:
    """Return column id to its parts and description; an id that two columns share (dots in names) is left out."""
    columns: dict[str, tuple[Parts, Column]] = {}
    twice: set[str] = set()
    for table in catalog.tables:
        for column in table.columns:
            key = f"{table.id}.{column.name}"
            if key in columns:
                twice.add(key)
            columns[key] = ((table.schema, table.name, column.name), column)
    return {key: held for key, held in columns.items() if key not in twice}


def validate(policy: MaskPolicy, catalogs: Mapping[str, Catalog]) -> list[PatternProblem]:
    """Return the patterns of `policy` that match no column, and the connection names that do not exist.

    Args:
        policy: The masking rules.
        catalogs: Connection name to its snapshot; a pattern is judged against these alone.
    """
    problems: list[PatternProblem] = []
    places = [(f"columns[{i}]", rule.columns, False) for i, rule in enumerate(policy.columns)]
    places += [("clear", policy.clear, True), ("structured", policy.structured, True)]
    for place, patterns, cased in places:
        problems += [
            PatternProblem(place=place, pattern=text, message=message, nearest=_nearest(text, catalogs))
            for text in patterns
            if (message := _problem(text, catalogs, cased=cased))
        ]
    for i, mask in enumerate(policy.entities):
        problems += [
            PatternProblem(
                place=f"entities[{i}]",
                pattern=name,
                message=f"there is no connection {name!r}",
                nearest=_closest(name, catalogs),
            )
            for name in mask.connections
            if name not in catalogs
        ]
    return problems


def _problem(text: str, catalogs: Mapping[str, Catalog], *, cased: bool) -> str:
    pattern = parse(text)
    if pattern is None:
        return "a column is written connection/schema.table.column, with * for a whole part"
    if pattern.connection is not None and pattern.connection not in catalogs:
        return f"there is no connection {pattern.connection!r}"
    for connection, catalog in catalogs.items():
        exact = cased and catalog.dialect not in {"sqlite", "duckdb"}
        if any(pattern.matches(connection, parts, cased=exact) for parts, _ in index(catalog).values()):
            return ""
    return "it matches no column"


def _nearest(text: str, catalogs: Mapping[str, Catalog]) -> str:
    names = [f"{connection}/{column}" for connection, catalog in catalogs.items() for column in index(catalog)]
    return _closest(text, names)


def _closest(text: str, names: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(text, list(names), n=1, cutoff=0.5)), "")
