"""Drive one guarded call to its masked result, whoever holds the target's credential.

Custody `gateway`: the answer carries the result. Custody `agent`: this process drives `flow.guarded_call` itself: the
statement that came back is run verbatim with the caller's engine, masked here, reported, and released only against the
gateway's receipt.
"""

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langguard.client.guard import Guard
from langguard.clock import Clock, SystemClock
from langguard.errors import (
    AccessDeniedError,
    ApprovalRequiredError,
    GatewayUnavailableError,
    LangguardError,
    MaskingError,
    NotNowError,
    OutcomeUnknownError,
    TargetError,
)
from langguard.flow import (
    Ask,
    AskTarget,
    HandOver,
    MaskRows,
    Permission,
    RecordIntent,
    RecordOutcome,
    RecordProbe,
    Reply,
    Rows,
    RunTarget,
    Step,
    guarded_call,
)
from langguard.protocol import Answer, CallRequest, MaskPlan, OutcomeReport, Receipt, Result, values

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from langguard.masking import Find, Span


def run_at_gateway(guard: Guard, request: CallRequest) -> Result:
    """Ask for a call in custody `gateway` and return its masked result.

    Raises:
        AccessDeniedError: It is not allowed. Nothing ran.
        TargetError: The database refused or failed it.
        LangguardError: There is no result to trust; see `Guard.call`.
    """
    answer = guard.call(request)
    return _result(answer)


def read_schema(guard: Guard, request: CallRequest) -> tuple[Result, tuple[str, ...]]:
    """Ask for the structure of tables; the gateway answers it in either custody.

    Returns:
        The result, and the schemas an unqualified name is looked up in.

    Raises:
        AccessDeniedError: It is not allowed.
        LangguardError: There is no answer to trust; see `Guard.call`.
    """
    answer = guard.call(request)
    return _result(answer), answer.schemas


def _result(answer: Answer) -> Result:
    _refuse(answer, answer.call_id)
    if answer.error is not None:
        raise TargetError(answer.error)
    if answer.result is None or answer.outcome is None:
        msg = f"The gateway's answer to call {answer.call_id} has no recorded result."
        raise GatewayUnavailableError(msg)
    return _fitting(answer.result)


def run_with_engine(
    guard: Guard, request: CallRequest, engine: "Engine", dialect: str, *, clock: Clock | None = None
) -> Result:
    """Ask for a call in custody `agent`, run what came back with `engine`, and return the masked, recorded result.

    Args:
        guard: The client.
        request: The call.
        engine: The caller's own; used for nothing but the statement that came back.
        dialect: The connection's.
        clock: The source of time.

    Raises:
        AccessDeniedError: It is not allowed. Nothing ran.
        TargetError: The database refused or failed it.
        MaskingError: The result could not be masked.
        OutcomeUnknownError: It ran, and its outcome could not be recorded.
        LangguardError: The call could not be asked for; see `Guard.call`.
    """
    driver = _AgentDriver(guard, request, engine, dialect, clock or SystemClock())
    done = _drive(request.id, driver)
    if driver.answer is not None:
        _refuse(driver.answer, request.id)
    if done.error is not None:
        raise done.error
    if done.result is None or done.outcome is None:
        msg = f"Call {request.id} came to no recorded result."
        raise GatewayUnavailableError(msg)
    return done.result


def _drive(call_id: str, driver: "_AgentDriver") -> HandOver:
    steps = guarded_call(call_id)
    try:
        step = next(steps)
        while True:
            try:
                reply = driver.do(step)
            except LangguardError as failed:
                step = steps.throw(failed)
            else:
                step = steps.send(reply)
    except StopIteration as over:
        done: HandOver = over.value
        return done


def _refuse(answer: Answer, call_id: str) -> None:
    decision = answer.decision
    match decision.effect:
        case "allow":
            return
        case "review":
            raise ApprovalRequiredError(decision.message, reason=decision.reason, rule=decision.rule, call_id=call_id)
        case "defer":
            wait = decision.retry_after if decision.retry_after is not None else 1.0
            raise NotNowError(decision.message, reason=decision.reason, retry_after=wait, call_id=call_id)
        case _:
            raise AccessDeniedError(decision.message, reason=decision.reason, rule=decision.rule, call_id=call_id)


def _fitting(result: Result) -> Result:
    """Return the result if each of its rows has a value a column."""
    if any(len(row) != len(result.columns) for row in result.rows):
        msg = "The gateway's result has rows that do not fit its columns."
        raise GatewayUnavailableError(msg)
    return result


def decoded(result: Result) -> list[tuple[Any, ...]]:
    """Return the rows of a result as Python values.

    Raises:
        GatewayUnavailableError: A value is not of the wire's types.
    """
    try:
        return [tuple(values.decode(value) for value in row) for row in result.rows]
    except (ValueError, TypeError, KeyError, IndexError, ArithmeticError, AttributeError, RecursionError):
        msg = "The gateway's result holds a value this client can't read."
        problem = GatewayUnavailableError(msg)
    raise problem


class _AgentDriver:
    """Does the steps of one call where the agent runs."""

    def __init__(self, guard: Guard, request: CallRequest, engine: "Engine", dialect: str, clock: Clock) -> None:
        self._guard = guard
        self._request = request
        self._engine = engine
        self._dialect = dialect
        self._clock = clock
        self._started = 0
        self._plan: MaskPlan | None = None
        self._key = b""
        self.answer: Answer | None = None

    def do(self, step: Step) -> Reply:
        match step:
            case Ask():
                return self._ask()
            case RecordIntent():
                return self._intent()
            case RecordProbe() | AskTarget():
                msg = "only the gateway asks a database for an estimate"
                raise TypeError(msg)
            case RunTarget():
                return self._run(step)
            case MaskRows():
                return self._mask(step)
            case RecordOutcome():
                return self._report(step)

    def _ask(self) -> Permission:
        answer = self.answer = self._guard.call(self._request)
        if answer.decision.effect == "allow" and (not answer.statement or answer.obligations is None):
            msg = f"The gateway allowed call {self._request.id} without a statement to run; nothing ran."
            raise GatewayUnavailableError(msg)
        if answer.result is not None or answer.outcome is not None:
            msg = f"Call {self._request.id} has come to its outcome already; nothing ran."
            raise GatewayUnavailableError(msg)
        if answer.decision.effect == "allow":
            self._key = self._guard.mask_key(self._request.id)
        return Permission(
            decision=answer.decision,
            statement=answer.statement or "",
            binds=answer.binds,
            schemas=answer.schemas,
            obligations=answer.obligations,
        )

    def _intent(self) -> Receipt:
        if self.answer is None or not self.answer.intent.leaf:
            msg = f"The gateway's answer to call {self._request.id} has no receipt; nothing ran."
            raise GatewayUnavailableError(msg)
        return self.answer.intent

    def _run(self, step: RunTarget) -> Rows:
        from langguard.drivers.sql import run_statement  # noqa: PLC0415 - only custody `agent` needs the driver

        self._started = self._clock.ticks()
        self._plan = step.obligations.mask
        bound = step.obligations
        try:
            return run_statement(
                self._engine,
                step.statement,
                [values.decode(value) for value in step.binds],
                dialect=self._dialect,
                rows=bound.rows,
                timeout_ms=bound.timeout_ms,
                read_only=bound.read_only,
                schemas=step.schemas,
                result_bytes=bound.result_bytes,
            )
        except TargetError as failed:
            problem = self._masked(str(failed))
        except OutcomeUnknownError as failed:
            problem = OutcomeUnknownError(str(failed), call_id=self._request.id)
        except Exception as failed:  # noqa: BLE001 - a driver may raise anything, and its text may quote a value
            problem = TargetError(f"The database's driver failed ({type(failed).__name__}); its text is not shown.")
        raise problem

    def _masked(self, text: str) -> LangguardError:
        if self._plan is None or not self._plan.entities:
            return TargetError(text)
        from langguard.masking import mask_text  # noqa: PLC0415

        try:
            shown, _ = mask_text(
                text, self._plan.entities, find=_finder(), key=self._key, min_score=self._plan.min_score
            )
        except Exception as failed:  # noqa: BLE001 - whatever the engine raises, the text is not shown
            return MaskingError(f"The database failed, and its error could not be masked ({type(failed).__name__}).")
        return TargetError(shown)

    def _mask(self, step: MaskRows) -> Result:
        from langguard.masking import apply  # noqa: PLC0415

        rows, plan = step.rows, step.plan
        if not rows.columns and not rows.rows:
            return Result(columns=(), rows=(), truncated=rows.truncated, affected=rows.affected)
        try:
            return apply(
                rows.columns,
                rows.rows,
                plan,
                find=_finder() if _analyses(plan) else _nothing,
                key=self._key,
                truncated=rows.truncated,
                affected=rows.affected,
            )
        except MaskingError:
            raise
        except Exception as failed:  # noqa: BLE001 - whatever the engine raises, no row is released
            problem = MaskingError(
                f"The result could not be masked ({type(failed).__name__}); none of it was released."
            )
        raise problem

    def _report(self, step: RecordOutcome) -> Receipt:
        status = "ok" if step.error is None else "masking_failed" if isinstance(step.error, MaskingError) else "failed"
        report = OutcomeReport(
            status=status,  # type: ignore[arg-type]
            duration_us=max(0, self._clock.ticks() - self._started),
            fetched=step.fetched,
            result=step.result,
            error=str(step.error) if step.error is not None else None,
        )
        return self._guard.report(self._request.id, report).outcome


def _analyses(plan: MaskPlan) -> bool:
    return any(column.action == "analyse" for column in plan.columns)


def _nothing(texts: Sequence[str], entities: Sequence[str], context: str) -> "list[list[Span]]":  # noqa: ARG001
    """The detector where no column is analysed: being asked anything is a defect that must not pass."""
    msg = "a column is analysed that the plan does not analyse"
    raise MaskingError(msg)


@functools.cache
def _engine() -> Any:
    from langguard.detectors import Engine  # noqa: PLC0415 - loads Presidio, which only analysed columns need

    return Engine()


def _finder() -> "Find":
    find: Find = _engine().find
    return find
