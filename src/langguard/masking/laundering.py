"""Writes that would carry what a mask hides to where no mask, or a weaker one, applies.

A column may be copied as it is to a column that hides at least as much: whatever a read could tell of the copy, it
could tell of the original. A computed form may not be written even there: of `substr(name, 1, 1)`, kept in a column of
its own, plain comparisons tell whole values at once.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from langguard.masking.columns import by_rule
from langguard.masking.operators import REPLACE, strictest
from langguard.protocol import Assigned, ColumnPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Laundered:
    """One column that would be set to what a mask hides.

    Attributes:
        column: That would be set.
        sources: Hidden columns that its value derives from.
        computed: They are not copied as they are; otherwise the column hides less than they do.
    """

    column: str
    sources: tuple[str, ...]
    computed: bool


def laundered(
    assigned: Iterable[Assigned], hidden: Collection[str], plan_of: Callable[[str], ColumnPlan]
) -> Laundered | None:
    """Return the first column that a write would launder something into, or None.

    Args:
        assigned: What the write sets.
        hidden: Those of the columns its values derive from that a result would not show in clear.
        plan_of: What happens to a column, named `schema.table.column`, where it is put out as it is.
    """
    for each in assigned:
        if each.counted:
            continue
        computed = tuple(c for c in each.columns if c in hidden and c not in each.copied)
        if computed:
            return Laundered(column=each.column, sources=computed, computed=True)
        weaker = tuple(
            source
            for source in each.copied
            if source in hidden
            and not all(shown == source or hides_as_much(plan_of(shown), plan_of(source)) for shown in each.shown)
        )
        if weaker:
            return Laundered(column=each.column, sources=weaker, computed=False)
    return None


def hides_as_much(plan: ColumnPlan, other: ColumnPlan) -> bool:
    """Return whether a column put out by one plan shows no more than one put out by the other, and will not by chance.

    What a rule masks may go only to where a rule masks it: text without a rule is masked because nothing is said about
    it, and may be declared clear one day.
    """
    if by_rule(plan) and plan.operator is not None:
        # What is only analysed may show most of one value and nothing of the next, so nothing weaker than that will do.
        bar = other.operator if by_rule(other) and other.operator is not None else REPLACE
        return strictest([plan.operator, bar]) == plan.operator
    return not by_rule(other) and _read_by(plan) == _read_by(other)


def _read_by(plan: ColumnPlan) -> tuple[str, str, str, bool]:
    """Return all that decides what is shown of a column without a rule."""
    return plan.action, plan.why, plan.context, plan.typed
