"""Mask a result by its plan."""

from collections.abc import Sequence
from typing import Any

from langguard.errors import MaskingError
from langguard.masking.cells import Masker
from langguard.masking.operators import REPLACE
from langguard.masking.spans import UNREADABLE, Find
from langguard.protocol import ColumnPlan, MaskPlan, Result, ResultColumn
from langguard.protocol.values import encode


def apply(
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
    plan: MaskPlan,
    *,
    find: Find,
    key: bytes,
    truncated: bool = False,
    affected: int | None = None,
) -> Result:
    """Return the masked result, its values encoded for the wire.

    Args:
        columns: The result's column names, in order.
        rows: Python values as the driver gave them.
        plan: One column plan a column.
        find: The detector.
        key: For keyed tokens: secret of 16 to 64 bytes; may be empty where no operator is `hash`.
        truncated: Passed on: more rows existed than are given.
        affected: Passed on: rows a write changed.

    Raises:
        MaskingError: The plan does not fit the result, a key is missing, or the engine as a whole is dead.
    """
    if len(columns) != len(plan.columns) or any(len(row) != len(columns) for row in rows):
        msg = (
            f"The result has {len(columns)} columns and the masking plan {len(plan.columns)}, or a row has a different "
            f"number; no result was released."
        )
        raise MaskingError(msg)
    masker = Masker(plan.entities, min_score=plan.min_score, find=find, key=key)
    shown = [
        _column([row[place] for row in rows], column_plan, masker) for place, column_plan in enumerate(plan.columns)
    ]
    return Result(
        columns=tuple(
            ResultColumn(name=name, masked=_told(column_plan))
            for name, column_plan in zip(columns, plan.columns, strict=True)
        ),
        rows=tuple(zip(*shown, strict=True)) if shown else tuple(() for _ in rows),
        truncated=truncated,
        masked=dict(sorted(masker.counts.items())),
        affected=affected,
    )


def _column(values: list[Any], plan: ColumnPlan, masker: Masker) -> list[Any]:
    if plan.action == "analyse":
        masker.prepare(values, plan.context, typed=plan.typed)
    return [_cell(value, plan, masker) for value in values]


def _cell(value: Any, plan: ColumnPlan, masker: Masker) -> Any:
    """Return one value masked and encoded; a value that can't be read is masked whole."""
    try:
        match plan.action:
            case "pass":
                return encode(value)
            case "mask":
                return encode(masker.whole(value, plan.operator or REPLACE, plan.label))
            case _:
                return encode(masker.value(value, plan.context, plan.label, typed=plan.typed))
    except MaskingError:
        raise
    except Exception:  # noqa: BLE001 - a value's own methods may raise anything
        masker.counts[UNREADABLE] += 1
        return f"<{UNREADABLE}>"


def _told(plan: ColumnPlan) -> str:
    """Return what the result says about a column: nothing where it is passed as it is."""
    match plan.action:
        case "pass":
            return ""
        case "mask":
            return f"masked: {plan.why}" if plan.why else "masked"
        case _:
            return f"analysed: {plan.why}" if plan.why else "analysed"
