"""Why a write may not set what it sets: its values would show elsewhere what a mask hides."""

from collections.abc import Callable, Collection

from langguard import masking
from langguard.protocol import ColumnPlan, Facts


def why(facts: Facts, hidden: Collection[str], plan_of: Callable[[str], ColumnPlan]) -> str:
    """Return the sentence that refuses a write, or nothing.

    Args:
        facts: Of the write.
        hidden: Those of the columns its values derive from that a result would not show in clear.
        plan_of: What happens to a base column where it is put out as it is.
    """
    found = masking.laundered(facts.assigned, hidden, plan_of) if hidden else None
    if found is None:
        return ""
    names = ", ".join(found.sources)
    if found.computed:
        return (
            f"{found.column} may not be set to a computed form of {names}, since that would tell the masked values. "
            f"Copy a column as it is to one that is masked as strictly, or write values you were given."
        )
    return (
        f"{names} may not be copied to {found.column}, which would show more than is shown now. "
        f"Copy it to a column that is masked as strictly, or write values you were given."
    )
