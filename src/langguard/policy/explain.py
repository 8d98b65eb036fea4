"""A verdict told to a person: what was considered, what matched, and why."""

from langguard.policy.evaluate import Verdict
from langguard.protocol import SqlObligations


def explain(verdict: Verdict, carried: SqlObligations | None = None) -> str:
    """Return a trace of a verdict: one line for it, one for each grant and rule, one for the bounds.

    Args:
        verdict: What the policy says.
        carried: What the text carries out; row filters and masks below filters get a line each.
    """
    decided = f" by rule {verdict.rule}" if verdict.rule else ""
    lines = [f"{verdict.effect}  ({verdict.reason}{decided})", f"  {verdict.message}"]
    for item in verdict.considered:
        mark = "+" if item.matched else "-"
        asserted = "  [reads what the client asserts]" if item.asserted else ""
        kind = "" if item.effect == "grant" else f"{item.effect} rule "
        lines.append(f"  {mark} {kind}{item.name}: {item.why}{asserted}")
    if not verdict.considered:
        lines.append("  the policy has no grants and no rules, so everything is denied")
    lines.append(f"  bounds: {verdict.rows} rows, {verdict.timeout_ms} ms, {verdict.result_bytes} bytes of values")
    return "\n".join([*lines, *(_carried(carried) if carried is not None else ())])


def _carried(carried: SqlObligations) -> list[str]:
    lines = []
    for held in carried.filters:
        given = "".join(f"  {name}: {', '.join(values) or '(none)'}" for name, values in sorted(held.values.items()))
        lines.append(f"  row filter on {held.table}: {held.where}{given}")
    return lines + [
        f"  masked below filters: {mask.column} is {'NULL' if mask.value is None else repr(mask.value)}"
        for mask in carried.masks
    ]
