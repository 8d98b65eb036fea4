"""Propose a policy's masks from samples: which columns to mask, which are clear, which are structured.

A proposal is for a person to read and accept. It shows counts and never a value, and leaves alone what it is not sure
of: a column it does not name stays masked.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from langguard.detectors.engine import Engine
from langguard.masking import scan
from langguard.masking.names import hint
from langguard.protocol import Catalog, Column, ColumnMask, MaskPolicy, Operator, Table

Verdict = Literal["mask", "clear", "structured", "analyse", "free"]

_MOST: Final = 0.8
"""Share of a sample that must hold an entity for its column to be named after it."""
_SOME: Final = 0.02
_CATEGORIES: Final = 20
_REPEATS: Final = 5
_STREWN: Final = 1000
_TYPED: Final = frozenset({"number", "boolean", "time", "uuid", "network"})
_PERSONAL: Final = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "CREDIT_CARD": "CARD",
    "US_SSN": "SSN",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "SECRET": "SECRET",
    "PERSON": "NAME",
    "CRYPTO": "WALLET",
    "UK_NHS": "NHS",
    "US_ITIN": "ITIN",
    "US_PASSPORT": "PASSPORT",
}
_OPERATORS: Final = {
    "EMAIL": Operator(name="hash"),
    "PHONE": Operator(name="hash"),
    "IBAN": Operator(name="hash"),
    "NAME": Operator(name="hash"),
    "CARD": Operator(name="mask", keep_last=4),
    "SECRET": Operator(name="null"),
}
_CODE: Final = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9_.:/#+-]{1,40}")
"""One token with a digit in it: an order number, a part number, an address on the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a sample says about one column. It holds counts and no value.

    Attributes:
        sampled: Values looked at, nulls apart.
        distinct: Of them different ones.
        found: Entity to the number of values that hold it.
        label: The class of data it is proposed to be, such as `EMAIL`; empty where none.
    """

    column: str
    kind: str
    verdict: Verdict
    reason: str
    sampled: int = 0
    distinct: int = 0
    found: dict[str, int] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What to put into a policy, column by column, with the evidence."""

    connection: str
    columns: tuple[Evidence, ...]

    def policy(self) -> MaskPolicy:
        """Return the proposal as masking rules (without entity masks, which are no matter of columns)."""
        return MaskPolicy(
            columns=tuple(
                ColumnMask(columns=(self._pattern(held),), operator=_operator(held.label))
                for held in self.columns
                if held.verdict == "mask"
            ),
            clear=tuple(self._pattern(held) for held in self.columns if held.verdict == "clear"),
            structured=tuple(self._pattern(held) for held in self.columns if held.verdict == "structured"),
        )

    def yaml(self) -> str:
        """Return the sections `masks`, `clear` and `structured` of a policy, with the evidence as comments."""
        masks = [
            f"  - {{columns: {_quoted(self._pattern(held))}, operator: {_spelt(_operator(held.label))}}}"
            f"  # {_told(held)}"
            for held in self.columns
            if held.verdict == "mask"
        ]
        lines = ["masks:", *masks] if masks else ["masks: []"]
        for section in ("clear", "structured"):
            chosen = [held for held in self.columns if held.verdict == section]
            lines.append(f"{section}:" if chosen else f"{section}: []")
            lines += [f"  - {_quoted(self._pattern(held))}  # {_told(held)}" for held in chosen]
        rest = [held for held in self.columns if held.verdict in {"free", "analyse"}]
        if rest:
            lines.append("# Not proposed; masked whole (free text) or analysed value by value:")
            lines += [f"#  - {_quoted(self._pattern(held))}  {_told(held)}" for held in rest]
        return "\n".join(lines) + "\n"

    def _pattern(self, held: Evidence) -> str:
        return f"{self.connection}/{held.column}"


def classify(
    samples: Mapping[str, Sequence[Any]], catalog: Catalog, engine: Engine, *, connection: str, min_score: float = 0.4
) -> Proposal:
    """Return what to mask, and what may be declared clear or structured.

    Args:
        samples: Column id (`schema.table.column`) to values; a hundred or more tell most. A column without a sample is
            judged by its name and type alone, and never declared clear by them.
        catalog: The connection's structure.
        engine: The detector.
        connection: The connection's name in the policy.
        min_score: Findings below it are ignored.

    Raises:
        MaskingError: The engine as a whole is dead.
    """
    columns = [
        _column(table, column, samples.get(f"{table.id}.{column.name}", ()), engine, min_score)
        for table in catalog.tables
        for column in table.columns
    ]
    return Proposal(connection=connection, columns=tuple(columns))


def _column(table: Table, column: Column, values: Sequence[Any], engine: Engine, min_score: float) -> Evidence:
    texts = [_text(value) for value in values if value is not None]
    found, unread = _found(texts, column.name, engine, min_score)
    facts: dict[str, Any] = {
        "column": f"{table.id}.{column.name}",
        "kind": column.kind,
        "sampled": len(texts),
        "distinct": len(set(texts)),
        "found": found,
    }
    named = hint(column.name, table.name)
    if named is not None and not (named == "ADDRESS" and column.kind in {"number", "boolean"}):
        return Evidence(**facts, verdict="mask", label=named, reason="by its name")
    if _is_serial(table, column, values):
        return Evidence(**facts, verdict="clear", reason="a serial key")
    for entity, count in sorted(found.items(), key=lambda item: -item[1]):
        if entity in _PERSONAL and texts and count >= _MOST * len(texts):
            return Evidence(**facts, verdict="mask", label=_PERSONAL[entity], reason=f"most values hold {entity}")
    if found.get("SECRET", 0) > _SOME * len(texts):
        return Evidence(**facts, verdict="mask", label="SECRET", reason="some values hold keys or tokens")
    if unread:
        return Evidence(**facts, verdict="free", reason="some values could not be analysed")
    if column.kind in _TYPED:
        return _typed(column, facts)
    return _textual(column, texts, facts)


def _is_serial(table: Table, column: Column, values: Sequence[Any]) -> bool:
    """Tell whether a column is a key of whole numbers that lie close together: counted, and given to nobody.

    Ten digits in a row may look like a phone number; a key whose values are strewn widely may be one.
    """
    keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}
    numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
    if column.name not in keys or column.kind != "number" or not numbers or len(numbers) != len(values):
        return False
    return max(numbers) - min(numbers) <= _STREWN * len(numbers)


def _typed(column: Column, facts: dict[str, Any]) -> Evidence:
    """Judge a column without text: clear where nothing was found in a sample and it is no network address."""
    if column.kind == "boolean":
        return Evidence(**facts, verdict="clear", reason="true or false")
    if column.kind == "network":
        return Evidence(**facts, verdict="analyse", reason="network addresses")
    if not facts["sampled"]:
        return Evidence(**facts, verdict="analyse", reason="no sample")
    personal = {entity for entity in facts["found"] if entity not in {"DATE_TIME", "UUID", "URL"}}
    if personal:
        return Evidence(**facts, verdict="analyse", reason="some values look like an identifier")
    return Evidence(**facts, verdict="clear", reason={"time": "times", "uuid": "ids"}.get(column.kind, "numbers"))


def _textual(column: Column, texts: list[str], facts: dict[str, Any]) -> Evidence:
    if column.kind != "text":
        return Evidence(**facts, verdict="free", reason=f"{column.kind}: may hold anything")
    if not texts:
        return Evidence(**facts, verdict="free", reason="no sample")
    distinct = facts["distinct"]
    if (
        not facts["found"]
        and distinct <= _CATEGORIES
        and len(texts) >= _REPEATS * distinct
        and max(map(len, texts)) <= 40
    ):
        return Evidence(**facts, verdict="clear", reason=f"{distinct} categories")
    if sum(bool(_CODE.fullmatch(text)) for text in texts) >= 0.98 * len(texts):
        return Evidence(**facts, verdict="structured", reason="codes")
    return Evidence(**facts, verdict="free", reason="free text")


def _found(texts: list[str], name: str, engine: Engine, min_score: float) -> tuple[dict[str, int], bool]:
    """Return entity to the number of values that hold it, and whether a value could not be read."""
    entities = sorted(engine.supported)
    held = scan(texts, entities, name.lower(), engine.find)
    counts: dict[str, int] = {}
    unread = False
    for text in texts:
        names = {span.entity for span in held[text] if span.score >= min_score}
        unread = unread or any(span.entity not in engine.supported for span in held[text])
        for entity in names & engine.supported:
            counts[entity] = counts.get(entity, 0) + 1
    return dict(sorted(counts.items())), unread


def _text(value: Any) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a value's own method may raise anything; what it is then counts as free text
        return "?" * 64


def _operator(label: str) -> Operator:
    return _OPERATORS.get(label, Operator(name="replace"))


def _spelt(operator: Operator) -> str:
    return f"{{name: mask, keep_last: {operator.keep_last}}}" if operator.name == "mask" else operator.name


def _quoted(pattern: str) -> str:
    return pattern if re.fullmatch(r"[A-Za-z0-9_./-]+", pattern) else "'" + pattern.replace("'", "''") + "'"


def _told(held: Evidence) -> str:
    found = ", ".join(f"{entity} {count}" for entity, count in held.found.items())
    label = f"{held.label} " if held.label else ""
    return f"{label}{held.reason}; {held.distinct} distinct of {held.sampled}" + (f"; {found}" if found else "")
