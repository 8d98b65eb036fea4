"""A verdict told to a person: what was considered, what matched, and why."""

from langguard.policy.evaluate import Verdict


def explain(verdict: Verdict) -> str:
    """Return a trace of a verdict: one line for it, one for each grant and rule, one for the bounds."""
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
    return "\n".join(lines)
