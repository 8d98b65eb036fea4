"""A verdict in words, for the model and the person: what is not allowed, and what is."""

from langguard.policy.model import Effect, Policy, Rule
from langguard.policy.request import Reason, Request, Unit


def message(
    policy: Policy,
    request: Request,
    effect: Effect,
    reason: Reason,
    rule: Rule | None,
    missing: frozenset[Unit],
) -> str:
    """Return what a verdict says."""
    where = f"on {request.connection}"
    what = f"{', '.join(request.actions) or 'this'} {where}"
    match reason:
        case "granted":
            return f"Allowed: {what}."
        case "no_grant":
            return f"Not granted: {spell(missing) or 'this call'} {where}. {_have(policy, request)}"
        case "rule_failed":
            name = rule.id if rule else ""
            return f"Denied: {what}. Rule {name} could not be evaluated, so it denies; tell an administrator."
        case "estimate_unknown":
            name = rule.id if rule else ""
            return f"Denied: {what}. Rule {name} goes by the database's own estimate of rows, which is not known."
        case "rule":
            name = rule.id if rule else ""
            said = f" {rule.message}" if rule and rule.message else ""
            if effect == "review":
                return f"Held for review: {what} (rule {name}).{said}"
            return f"Denied: {what} (rule {name}).{said}"


def _have(policy: Policy, request: Request) -> str:
    """Say what the principal may do on the connection, so that a model can correct itself."""
    held = [
        grant for grant in policy.grants if grant.holds_for(request.principal_id, request.groups, request.connection)
    ]
    if not held:
        return "You have no grant on this connection."
    whole = sorted({action for grant in held if not grant.tables for action in grant.actions})
    parts = [", ".join(whole)] if whole else []
    for grant in held:
        if grant.tables:
            tables = ", ".join(str(pattern) for pattern in grant.tables)
            parts.append(f"{', '.join(sorted(grant.actions))} (only on {tables})")
    return f"Granted to you here: {'; '.join(dict.fromkeys(parts))}."


def spell(units: frozenset[Unit] | set[Unit]) -> str:
    """Return units in words, at most a few tables by name."""
    tables: dict[str, list[str]] = {}
    for action, table in units:
        tables.setdefault(action, []).extend([table] if table else [])
    parts = []
    for action, found in sorted(tables.items()):
        shown = sorted(found)[:5]
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        parts.append(f"{action} of {', '.join(shown)}{more}" if shown else action)
    return "; ".join(parts)
