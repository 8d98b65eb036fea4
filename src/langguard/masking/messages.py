"""Mask free strings that are no cells: a text as it stands, and a database's error message.

Databases quote values in their errors, and a value may itself hold quotes. So nothing from the first quote or bracket
to the end is kept, unless the whole line is one of a few known sentences that quote only names.
"""

import re
from collections.abc import Sequence
from typing import Final

from langguard.masking.cells import Masker
from langguard.masking.spans import Find
from langguard.protocol import EntityMask

_CONTEXT: Final = "error"
_LONGEST: Final = 300
_CLASS: Final = re.compile(
    r"\s*(?:\(([A-Za-z_][\w.]{0,80})\)\s*"
    r"|([A-Za-z_][\w.]{0,60}(?:Error|Exception|Violation)|(?=[A-Z]*[0-9])[0-9A-Z]{5}):\s+)"
)
_USERS: Final = re.compile(r"RaiseException|AssertFailure|P000[14]")
"""Errors whose sentence was written in a database's own procedure, around whatever values it liked."""
_ENDS: Final = re.compile(
    r"\b(?:DETAIL|CONTEXT|HINT|LINE \d+|STATEMENT|QUERY|WHERE|PARAMETERS|Error position)\s*:|\[SQL|\[parameters",
    re.IGNORECASE,
)
_QUOTES: Final = re.compile(r"""["'`“”‘’«»()\[\]{}<>=]""")
_SENTENCE: Final = re.compile(r"[.;](?=\s|$)")
_NAME: Final = r"[A-Za-z_][A-Za-z0-9_$]{0,62}"
_KNOWN: Final = tuple(
    re.compile(pattern.replace("NAME", _NAME))
    for pattern in (
        r'(?:relation|column|table|schema|type|role|database|index|function|view) "NAME(?:\.NAME)*" does not exist',
        r"column NAME(?:\.NAME)* does not exist",
        r'column "NAME" of relation "NAME" does not exist',
        r'column reference "NAME" is ambiguous',
        r'duplicate key value violates unique constraint "NAME"',
        r'(?:new row for relation|insert or update on table|update or delete on table) "NAME" violates '
        r'(?:check|foreign key) constraint "NAME"(?: on table "NAME")?',
        r'null value in column "NAME" of relation "NAME" violates not-null constraint',
        r"permission denied for (?:table|relation|schema|column|view|sequence|function) NAME(?:\.NAME)*",
        r'column "NAME(?:\.NAME)*" must appear in the GROUP BY clause or be used in an aggregate function',
        r"no such (?:table|column|function): NAME(?:\.NAME)*",
        r"ambiguous column name: NAME(?:\.NAME)*",
        r"(?:UNIQUE|NOT NULL) constraint failed: NAME\.NAME(?:, NAME\.NAME)*",
    )
)


def mask_text(
    text: str, entities: Sequence[EntityMask], *, find: Find, key: bytes, min_score: float = 0.4, context: str = ""
) -> tuple[str, dict[str, int]]:
    """Return `text` with its findings masked, and entity to how many were.

    Args:
        text: Any string.
        entities: The masks in force.
        find: The detector.
        key: For keyed tokens; as for `apply`.
        min_score: Findings below it are ignored.
        context: Words that tell what the text is about.

    Raises:
        MaskingError: A key is missing or the engine as a whole is dead.
    """
    masker = Masker(entities, min_score=min_score, find=find, key=key)
    return masker.text(text, context) or "", dict(sorted(masker.counts.items()))


def mask_error(
    text: str, entities: Sequence[EntityMask], *, find: Find, key: bytes, min_score: float = 0.4
) -> tuple[str, dict[str, int]]:
    """Return what may be said of a database's error: its class and first sentence without anything it quotes.

    Raises:
        MaskingError: A key is missing or the engine as a whole is dead.
    """
    line = text.strip().splitlines()[0] if text.strip() else ""
    kind = _CLASS.match(line)
    name = (kind[1] or kind[2] or "") if kind else ""
    if _USERS.search(name):
        return name, {}
    rest = line[kind.end() :] if kind else line
    sentence = re.sub(r"^(?:ERROR|FATAL|PANIC):\s+", "", rest).strip()
    ended = _ENDS.search(sentence)
    if ended:
        sentence = sentence[: ended.start()].strip()
    if not any(known.fullmatch(sentence) for known in _KNOWN):
        sentence = _unquoted(sentence)
    sentence, counts = mask_text(
        sentence[:_LONGEST], entities, find=find, key=key, min_score=min_score, context=_CONTEXT
    )
    return f"{name}: {sentence}" if name and sentence else name or sentence, counts


def _unquoted(sentence: str) -> str:
    """Return the first sentence up to the first quote, bracket or equals sign, and a mark where something was cut."""
    quote = _QUOTES.search(sentence)
    if quote:
        return f"{sentence[: quote.start()].rstrip(' :')} […]".strip()
    ended = _SENTENCE.search(sentence)
    return sentence[: ended.start()] if ended else sentence
