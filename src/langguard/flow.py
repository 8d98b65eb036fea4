"""The guarded call: ask, record the intent, run, mask, record the outcome, hand over. Written once, without I/O.

Whoever holds the target's credential drives it: the gateway (custody `gateway`) or the agent's process (custody
`agent`). The generator yields what is to be done next and is sent what came of it; it never does anything itself, so
its order can be tested step by step. A decision that needs what only the database can tell (how many rows it expects)
is made without it first; the question is then put on the record and asked, and the call is judged again. Two promises:

- P1: any step that fails ends the call without rows.
- P2: nothing runs before its intent is durable, nor is the database asked before that is; no row is handed over before
  its outcome is durable.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from langguard.errors import LangguardError, MaskingError, OutcomeUnknownError, TargetError
from langguard.protocol import Decision, MaskPlan, Obligations, Receipt, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the target returned, unmasked. Its repr shows no value.

    Attributes:
        columns: Names in order.
        rows: Python values as the driver gave them.
        truncated: More rows existed than were fetched.
        affected: Rows a write changed; None for reads.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(repr=False)
    truncated: bool = False
    affected: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A question to the database before the decision: how many rows it expects of a statement. It runs nothing.

    Attributes:
        statement: The text that would be sent, without our row cap.
        binds: Encoded values of its placeholders.
    """

    statement: str
    binds: tuple[Any, ...] = ()
    schemas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What the database expects of a statement; None is not known.

    Attributes:
        statement: The probe's; the estimate holds for no other.
        rows: Rows it returns or changes, without our row cap; 0 or more.
        scanned: Rows of the tables it goes through, each counted once a scan.
        cost: In the planner's own unit, rounded.
        why: Where nothing is known: why, in a sentence for model and person.
    """

    statement: str
    rows: int | None = None
    scanned: int | None = None
    cost: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """The answer to asking, before anything ran.

    Attributes:
        probe: The decision (never an allow) would be another one with the answer to this.
        statement: The exact text that was judged and may run; empty unless the decision allows.
        binds: Encoded values of its placeholders.
    """

    decision: Decision
    statement: str = ""
    binds: tuple[Any, ...] = ()
    schemas: tuple[str, ...] = ()
    obligations: Obligations | None = None
    probe: Probe | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Have the call judged, with the database's estimate where it was asked for. Reply: Permission."""

    estimate: Estimate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProbe:
    """Make it durable that the database will be asked. Reply: Receipt."""

    probe: Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class AskTarget:
    """Ask the database what it expects, running nothing. Reply: Estimate; a failure is one that knows nothing."""

    probe: Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordIntent:
    """Make the decision durable, denials too. Reply: Receipt."""

    permission: Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTarget:
    """Run the permitted statement. Reply: Rows. Raises TargetError when the target refuses it."""

    statement: str
    binds: tuple[Any, ...]
    schemas: tuple[str, ...]
    obligations: Obligations


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskRows:
    """Mask by the plan. Reply: Result. Raises MaskingError."""

    rows: Rows
    plan: MaskPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOutcome:
    """Make the outcome durable. Reply: Receipt.

    Exactly one of `result` and `error` is set.
    """

    result: Result | None = None
    error: LangguardError | None = None
    fetched: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """What the call comes to: a masked result, or the decision that refused it, or the target's masked error."""

    decision: Decision
    intent: Receipt
    obligations: Obligations | None = None
    result: Result | None = None
    error: LangguardError | None = None
    outcome: Receipt | None = None


Step = Ask | RecordProbe | AskTarget | RecordIntent | RunTarget | MaskRows | RecordOutcome
T = TypeVar("T")
Reply = Permission | Estimate | Receipt | Rows | Result


def _expect(reply: object, kind: type[T]) -> T:
    """Return `reply`, which must be of `kind`: a driver that answers anything else is a defect that must not pass."""
    if not isinstance(reply, kind):
        msg = f"the step's driver answered {type(reply).__name__} where {kind.__name__} was due"
        raise TypeError(msg)
    return reply


def guarded_call(call_id: str) -> Generator[Step, Any, HandOver]:
    """Yield the steps of one call, in the only order there is.

    Args:
        call_id: Quoted in errors.

    Returns:
        What to hand over. A denial is data here; only code about to act raises it.

    Raises:
        OutcomeUnknownError: The call ran and its outcome could not be made durable; its rows are discarded.
    """
    permission = _expect((yield Ask()), Permission)
    if permission.probe is not None:
        _expect((yield RecordProbe(probe=permission.probe)), Receipt)
        estimate = _expect((yield AskTarget(probe=permission.probe)), Estimate)
        permission = _expect((yield Ask(estimate=estimate)), Permission)
        if permission.probe is not None:
            msg = "a call is judged again without an end"
            raise TypeError(msg)
    intent = _expect((yield RecordIntent(permission=permission)), Receipt)
    if permission.decision.effect != "allow":
        return HandOver(decision=permission.decision, intent=intent)
    obligations = permission.obligations
    if obligations is None or not permission.statement:
        msg = "an allow without obligations or statement can't be acted on"
        raise TypeError(msg)

    result: Result | None = None
    error: LangguardError | None = None
    fetched = 0
    try:
        rows = _expect(
            (
                yield RunTarget(
                    statement=permission.statement,
                    binds=permission.binds,
                    schemas=permission.schemas,
                    obligations=obligations,
                )
            ),
            Rows,
        )
        fetched = len(rows.rows)
        result = _expect((yield MaskRows(rows=rows, plan=obligations.mask)), Result)
    except (TargetError, MaskingError) as failed:
        error = failed
    try:
        outcome = _expect((yield RecordOutcome(result=result, error=error, fetched=fetched)), Receipt)
    except LangguardError as failed:
        msg = (
            f"Call {call_id} ran, but its outcome could not be recorded, so its rows were discarded. "
            f"Look the call up before trying again."
        )
        raise OutcomeUnknownError(msg, call_id=call_id) from failed
    return HandOver(
        decision=permission.decision,
        intent=intent,
        obligations=obligations,
        result=result,
        error=error,
        outcome=outcome,
    )
