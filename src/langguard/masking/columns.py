"""From a statement's outputs to a plan: which are passed, which are masked whole, which are analysed by content.

The rules are tried in order, and the first that fits decides:

1. A count carries no value: pass.
2. A column under a column rule: a plain projection by the rule's operator, anything else masked outright.
3. No entity mask in force on the connection: pass.
4. An output that derives from nothing (a literal): analyse.
5. A column the catalogue does not know: mask outright.
6. Only columns declared clear: pass.
7. Text (or JSON, arrays, types of the database's own) not declared clear: an expression is masked outright; a plain
   projection is analysed where the column is structured or names are recognised in prose (NER), else masked outright.
8. What is left has no text type: analyse by the type of each value.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from langguard.masking.names import label, words
from langguard.masking.operators import REPLACE, strictest
from langguard.masking.patterns import any_matches, index
from langguard.protocol import Catalog, ColumnKind, ColumnPlan, EntityMask, MaskPlan, MaskPolicy, Operator, Output

_RULE: Final = "rule "
_TYPED: Final[frozenset[ColumnKind]] = frozenset({"number", "boolean", "time", "uuid", "network", "binary"})
"""Kinds whose values are not free text, so that lineage need not end in masking them whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """What policy and catalogue say about one base column."""

    id: str
    kind: ColumnKind | None  # None: the catalogue has no such column
    rule: Operator | None = None
    clear: bool = False
    structured: bool = False


def plan(outputs: tuple[Output, ...], catalog: Catalog, policy: MaskPolicy, *, connection: str, ner: bool) -> MaskPlan:
    """Return what happens to each output.

    Args:
        outputs: The statement's outputs with their lineage.
        catalog: The connection's structure.
        policy: All masking rules.
        connection: The connection's name.
        ner: Whether the detector finds names and addresses in prose, so that free text may be analysed.
    """
    entities = in_force(policy.entities, connection)
    known = index(catalog)
    judged: dict[str, _Column] = {}

    def judge(name: str) -> _Column:
        if name not in judged:
            held = known.get(name)
            if held is None:
                judged[name] = _Column(id=name, kind=None)
            else:
                parts, column = held
                cased = catalog.dialect not in {"sqlite", "duckdb"}
                judged[name] = _Column(
                    id=name,
                    kind=column.kind,
                    rule=strictest(
                        mask.operator
                        for mask in policy.columns
                        if any_matches(mask.columns, connection, parts, cased=False)
                    ),
                    clear=any_matches(policy.clear, connection, parts, cased=cased),
                    structured=any_matches(policy.structured, connection, parts, cased=cased),
                )
        return judged[name]

    return MaskPlan(
        columns=tuple(
            _column(output, [judge(name) for name in output.columns], bool(entities), ner=ner) for output in outputs
        ),
        entities=entities,
        min_score=policy.min_score,
    )


def by_rule(step: ColumnPlan) -> bool:
    """Return whether a plain column is masked because a rule names it, not for want of one."""
    return step.action == "mask" and step.why.startswith(_RULE)


def in_force(masks: Iterable[EntityMask], connection: str) -> tuple[EntityMask, ...]:
    """Return the entity masks that apply on `connection`."""
    return tuple(mask for mask in masks if not mask.connections or connection in mask.connections)


def _column(output: Output, columns: list[_Column], masking: bool, *, ner: bool) -> ColumnPlan:
    if output.counted:
        return ColumnPlan(action="pass", why="count")
    direct = output.direct and len(columns) == 1
    ruled = [column for column in columns if column.rule is not None and column.rule.name != "keep"]
    if ruled:
        return _by_rule(ruled, direct=direct)
    if direct and columns[0].rule is not None:
        return ColumnPlan(action="pass", why=f"rule {_short(columns[0].id)}: keep")
    unknown = next((column for column in columns if column.kind is None), None)
    if unknown is not None:  # which rules would hold for it can't be told
        return _outright(unknown, f"unknown column {_short(unknown.id)}")
    if not masking:
        return ColumnPlan(action="pass", why="no entity rule")
    context = _context(output, columns)
    if not columns:
        return ColumnPlan(action="analyse", why="no column", context=context)
    return _by_content(columns, context, direct=direct, ner=ner)


def _by_content(columns: list[_Column], context: str, *, direct: bool, ner: bool) -> ColumnPlan:
    """Decide an output under no column rule while an entity mask is in force."""
    unclear = [column for column in columns if not column.clear and column.rule is None]
    if not unclear:
        return ColumnPlan(action="pass", why="clear" if direct else "expression over clear columns")
    text = next((column for column in unclear if column.kind not in _TYPED), None)
    if text is None:
        return ColumnPlan(
            action="analyse",
            why="by type" if direct else "expression over columns without text",
            context=context,
            label=label(unclear[0].id),
            typed=all(column.kind in _TYPED for column in columns),
        )
    if not direct:
        return _outright(text, f"expression over {_short(text.id)}")
    if ner or text.structured:
        why = "structured" if text.structured else "analysed with NER"
        return ColumnPlan(action="analyse", why=why, context=context, label=label(text.id))
    return _outright(text, "free text", name="TEXT")


def _by_rule(ruled: list[_Column], *, direct: bool) -> ColumnPlan:
    hardest = strictest(column.rule for column in ruled if column.rule is not None) or REPLACE
    owner = next(column for column in ruled if column.rule == hardest)
    if direct:
        return ColumnPlan(
            action="mask", operator=hardest, label=label(owner.id), why=f"{_RULE}{_short(owner.id)}: {hardest.name}"
        )
    operator = strictest([hardest, REPLACE]) or REPLACE
    return ColumnPlan(
        action="mask", operator=operator, label=label(owner.id), why=f"expression over {_short(owner.id)}"
    )


def _outright(column: _Column, why: str, *, name: str = "") -> ColumnPlan:
    return ColumnPlan(action="mask", operator=REPLACE, label=name or label(column.id), why=why)


def _context(output: Output, columns: list[_Column]) -> str:
    """Return the words that tell a detector what the values are: the columns' own names first."""
    names = [column.id.rpartition(".")[2] for column in columns[:8]] + [output.name]
    return " ".join(dict.fromkeys(word for name in names for word in (name.lower(), *words(name)) if " " not in word))


def _short(column: str) -> str:
    """Return `table.column` of a column id, for the record."""
    return ".".join(column.rsplit(".", 2)[-2:])
