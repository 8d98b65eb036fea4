"""The decision: a policy and a request to a verdict. Pure: the same input gives the same verdict.

1. A rule is in play when one of its actions on one of its resources is part of the call.
2. A rule in play whose condition raises, or is no truth value, denies, whatever the rule's effect.
3. Deny beats review beats allow, whatever their order.
4. Each action on each resource of the call needs a grant or a matching allow rule; without one the call is denied.
5. A rule that needs what only the database can tell denies until that is known; the verdict says what it wants.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from langguard.policy.conditions import ConditionFailed, context_of
from langguard.policy.environment import PROBED
from langguard.policy.limits import limits_of
from langguard.policy.messages import message, spell
from langguard.policy.model import ANY, Approvers, Effect, Policy, Rule
from langguard.policy.request import Reason, Request, Unit
from langguard.protocol import Assigned, Context, Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """A grant or rule, and what it had to say.

    Attributes:
        name: `grant 1 (group support)` or the rule's id.
        effect: `grant`, or the rule's.
        matched: It took part in the verdict.
        why: One sentence.
        asserted: Its condition read what the client asserts.
    """

    name: str
    effect: Literal["grant", "allow", "deny", "review"]
    matched: bool
    why: str
    asserted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a policy says of a request.

    Attributes:
        reason: `granted`, `rule` (one denies or wants review), `rule_failed`, `estimate_unknown`, `no_grant`.
        rule: Id of the rule that decided, if one did.
        message: For the model and the person: what is not allowed, and what is.
        considered: Every grant and rule, in the policy's order.
        approvers: With `review`: who may approve, if the rule says.
        wants: With `estimate_unknown`: the fields that would decide, such as `facts.estimated_rows`; sorted. Every
            other verdict stays, whatever the database would tell.
        rows: Most rows to release.
        timeout_ms: The statement's time limit, milliseconds.
        result_bytes: Most bytes of values, counted before masking.
    """

    effect: Effect
    reason: Reason
    rule: str | None = None
    message: str
    considered: tuple[Considered, ...] = ()
    approvers: Approvers | None = None
    wants: tuple[str, ...] = ()
    rows: int
    timeout_ms: int
    result_bytes: int
    policy_version: str = ""


@dataclass(frozen=True, slots=True)
class _Ruling:
    """What one rule came to: whether it holds, or that it failed; the units of the call it is about.

    Attributes:
        wants: It failed for want of these fields.
    """

    rule: Rule
    units: frozenset[Unit]
    holds: bool
    failed: bool
    why: str
    wants: frozenset[str] = frozenset()


def evaluate(policy: Policy, request: Request) -> Verdict:
    """Return the verdict; it is total and never raises on what a client can send."""
    units = _units(request)
    context = _Lazy(request, policy.reads)
    rulings = [_ruling(rule, request, units, context) for rule in policy.rules]
    granted, considered = _granted(policy, request, units)
    for ruling in rulings:
        if ruling.rule.effect == "allow" and ruling.holds:
            granted |= ruling.units
    considered += [
        Considered(
            name=ruling.rule.id,
            effect=ruling.rule.effect,
            matched=ruling.holds or ruling.failed,
            why=ruling.why,
            asserted=bool(ruling.rule.when and ruling.rule.when.asserted),
        )
        for ruling in rulings
    ]
    possible = granted.union(*(item.units for item in rulings if item.rule.effect == "allow" and item.wants))
    effect, reason, decider = _decide(
        rulings, missing=not units or not units <= granted, hopeless=not units or not units <= possible
    )
    wants = frozenset[str]().union(*(item.wants for item in rulings)) if reason == "estimate_unknown" else ()
    limit = limits_of(policy.limits, request.connection, request.kind, request.tables)
    return Verdict(
        effect=effect,
        reason=reason,
        rule=decider.id if decider else None,
        message=message(policy, request, effect, reason, decider, units - granted),
        considered=tuple(considered),
        approvers=decider.approvers if decider and effect == "review" else None,
        wants=tuple(sorted(wants)),
        rows=limit.rows,
        timeout_ms=limit.timeout_ms,
        result_bytes=limit.result_bytes,
        policy_version=policy.version_id,
    )


def _decide(rulings: list[_Ruling], *, missing: bool, hopeless: bool) -> tuple[Effect, Reason, Rule | None]:
    """Return effect, reason and the first rule that decides: deny, failed, no grant, estimate unknown, review, allow.

    An explicit deny is named before a missing grant, so that nobody asks for a grant that would not help.

    Args:
        rulings: What each rule came to.
        missing: A part of the call is not granted.
        hopeless: It is not, whatever the database would tell.
    """
    denying = next((item.rule for item in rulings if item.holds and item.rule.effect == "deny"), None)
    if denying:
        return "deny", "rule", denying
    failing = next((item.rule for item in rulings if item.failed and not item.wants), None)
    if failing:
        return "deny", "rule_failed", failing
    waiting = next((item.rule for item in rulings if item.wants), None)
    if waiting and not hopeless:
        return "deny", "estimate_unknown", waiting
    if missing:
        return "deny", "no_grant", None
    reviewing = next((item.rule for item in rulings if item.holds and item.rule.effect == "review"), None)
    if reviewing:
        return "review", "rule", reviewing
    return "allow", "granted", None


def _units(request: Request) -> frozenset[Unit]:
    """Return what needs to be granted: each action on each table it concerns.

    A write concerns the tables written, where analysis names them; all others concern every table of the call.
    """
    tables: tuple[str | None, ...] = request.tables or (None,)
    written = tuple(request.facts.get("written") or ()) or tables
    return frozenset((action, table) for action in request.actions for table in _of(action, written, tables))


def _of(action: str, written: tuple[str | None, ...], tables: tuple[str | None, ...]) -> tuple[str | None, ...]:
    return written if action == "write" else tables


def _granted(policy: Policy, request: Request, units: frozenset[Unit]) -> tuple[set[Unit], list[Considered]]:
    granted: set[Unit] = set()
    considered: list[Considered] = []
    for number, grant in enumerate(policy.grants, 1):
        found: set[Unit] = set()
        if not grant.holds_for(request.principal_id, request.groups, request.connection):
            why = "is for someone else or another connection"
        else:
            for action, table in units:
                if action not in grant.actions:
                    continue
                if table is None:
                    covered = not grant.tables or (action == "read" and request.tables is not None)
                else:
                    covered = not grant.tables or any(pattern.covers(table) for pattern in grant.tables)
                if covered:
                    found.add((action, table))
            why = f"covers {spell(frozenset(found))}" if found else "covers no part of the call"
        granted |= found
        considered.append(Considered(name=f"grant {number} ({grant.to})", effect="grant", matched=bool(found), why=why))
    return granted, considered


def _ruling(rule: Rule, request: Request, units: frozenset[Unit], context: "_Lazy") -> _Ruling:
    about = frozenset(unit for unit in units if _acts(rule, unit[0]) and _reaches(rule, request, unit[1]))
    if not about:
        return _Ruling(rule, about, holds=False, failed=False, why="is not about this call")
    if rule.when is None:
        return _Ruling(rule, about, holds=True, failed=False, why=f"holds for {spell(about)}")
    try:
        holds = rule.when.holds(context.get())
    except ConditionFailed as failed:
        if wants := frozenset(rule.when.reads) & context.unknown:
            why = f"it denies until the database has told {', '.join(sorted(wants))}"
            return _Ruling(rule, about, holds=False, failed=True, why=why, wants=wants)
        return _Ruling(rule, about, holds=False, failed=True, why=f"its condition failed ({failed}), so it denies")
    why = f"its condition is {'true' if holds else 'false'} for {spell(about)}"
    return _Ruling(rule, about, holds=holds, failed=False, why=why)


def _acts(rule: Rule, action: str) -> bool:
    return ANY in rule.actions or action in rule.actions


def _reaches(rule: Rule, request: Request, table: str | None) -> bool:
    """Return whether the rule is about a table: an allow only where that is sure, the others where it may be."""
    if not rule.on:
        return True
    for scope in rule.on:
        if not scope.reaches(request.connection, request.kind):
            continue
        if scope.tables is None:
            return True
        if table is None:
            if request.tables is None and rule.effect != "allow":
                return True
        elif scope.tables.covers(table) if rule.effect == "allow" else scope.tables.touches(table):
            return True
    return False


_FACTS: Final[Mapping[str, Any]] = {
    item.name: item.default for item in msgspec.structs.fields(Facts) if item.default is not msgspec.NODEFAULT
}
_CONTEXT: Final[Mapping[str, Any]] = {
    item.name: item.default for item in msgspec.structs.fields(Context) if item.default is not msgspec.NODEFAULT
}
_OUTPUT: Final[Mapping[str, Any]] = {"direct": False, "counted": False}
_ASSIGNED: Final[Mapping[str, Any]] = {
    item.name: item.default for item in msgspec.structs.fields(Assigned) if item.default is not msgspec.NODEFAULT
}


class _Lazy:
    """The context of one call, converted when the first condition asks for it and then kept."""

    def __init__(self, request: Request, reads: tuple[str, ...]) -> None:
        self._request = request
        self._reads = reads
        self._made: Any = None
        self.unknown: Final = PROBED - {f"facts.{name}" for name in request.estimates}

    def get(self) -> Any:
        """Return the context.

        Raises:
            ConditionFailed: The request holds a value that conditions can't read.
        """
        if self._made is None:
            try:
                known = tuple(path for path in self._reads if path not in self.unknown)
                variables = _only(_variables(self._request), known)
            except (TypeError, ValueError, KeyError, AttributeError) as failed:
                raise ConditionFailed(type(failed).__name__) from None
            self._made = context_of(variables, self._request.now)
        return self._made


def _only(variables: Mapping[str, Any], reads: tuple[str, ...]) -> dict[str, Any]:
    """Return the variables cut down to the fields that are read: converting values costs more than conditions do."""
    found: dict[str, Any] = {}
    for path in reads:
        if path == "now":
            continue
        *groups, name = path.split(".")
        source, target = variables, found
        for group in groups:
            source, target = source[group], target.setdefault(group, {})
        target[name] = source[name]
    return found


def _variables(request: Request) -> dict[str, Any]:
    facts = {**_FACTS, "actions": request.actions, "tables": request.tables or (), **request.facts, **request.estimates}
    facts["outputs"] = [{**_OUTPUT, **output} for output in facts["outputs"]]
    facts["assigned"] = [{**_ASSIGNED, **each} for each in facts["assigned"]]
    facts["assigned_columns"] = [each["column"] for each in facts["assigned"]]
    facts["kind"] = facts.get("kind") or request.facts.get("operation") or ("select" if "statement" in facts else "")
    facts["operation"] = request.facts.get("operation") or ("select" if "statement" in facts else None)
    facts["targets"] = facts.get("targets") or facts["written"]
    context = {**_CONTEXT, **request.context}
    return {
        "principal": {
            "id": request.principal_id,
            "name": request.principal_name,
            "kind": request.principal_kind,
            "groups": request.groups,
        },
        "session": {"id": request.session_id, "agent": request.agent},
        "connection": {
            "name": request.connection,
            "kind": request.kind,
            "dialect": request.dialect,
            "custody": request.custody,
        },
        "call": {
            "id": request.call_id,
            "actions": request.actions,
            "context": {name: context[name] for name in ("provenance", "source", "tool", "thread_id")},
        },
        "facts": facts,
    }
