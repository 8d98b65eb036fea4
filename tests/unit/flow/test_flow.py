"""The order of a guarded call, step by step, and what each failure does to it."""

import pytest

from langguard.errors import LedgerError, MaskingError, OutcomeUnknownError, TargetError
from langguard.flow import (
    Ask,
    AskTarget,
    Estimate,
    HandOver,
    MaskRows,
    Permission,
    Probe,
    RecordIntent,
    RecordOutcome,
    RecordProbe,
    Rows,
    RunTarget,
    guarded_call,
)
from langguard.protocol import Decision, MaskPlan, Obligations, Receipt, Result

ALLOW = Decision(effect="allow", reason="granted", message="allowed")
OBLIGATIONS = Obligations(rows=2, timeout_ms=100, result_bytes=1000, read_only=True, mask=MaskPlan(columns=()))
PERMISSION = Permission(decision=ALLOW, statement='SELECT "a"', obligations=OBLIGATIONS)
ROWS = Rows(columns=("a",), rows=[("secret",)])
RESULT = Result(columns=(), rows=())
REPLIES = {
    Ask: PERMISSION,
    RecordIntent: Receipt(entry=1, leaf="x"),
    RunTarget: ROWS,
    MaskRows: RESULT,
    RecordOutcome: Receipt(entry=2, leaf="y"),
}


def drive(replies):
    """Answer each step from the table; return the names of the steps, what was handed over, and what was recorded."""
    steps = guarded_call("call_1")
    seen, recorded, reply, failure = [], None, None, None
    try:
        while True:
            step = steps.throw(failure) if failure else steps.send(reply)
            failure = None
            seen.append(type(step))
            if isinstance(step, RecordOutcome):
                recorded = step
            reply = replies[type(step)]
            if isinstance(reply, Exception):
                failure, reply = reply, None
    except StopIteration as done:
        return seen, done.value, recorded


def test_the_only_order_there_is():
    seen, handed, recorded = drive(REPLIES)
    assert seen == [Ask, RecordIntent, RunTarget, MaskRows, RecordOutcome]
    assert handed == HandOver(
        decision=ALLOW,
        intent=Receipt(entry=1, leaf="x"),
        obligations=OBLIGATIONS,
        result=RESULT,
        outcome=Receipt(entry=2, leaf="y"),
    )
    assert recorded == RecordOutcome(result=RESULT, fetched=1)


@pytest.mark.parametrize("effect", ["deny", "review", "defer"])
def test_what_is_not_allowed_is_recorded_and_never_runs(effect):
    decision = Decision(effect=effect, reason="rule", message="no")
    seen, handed, _ = drive({**REPLIES, Ask: Permission(decision=decision)})
    assert seen == [Ask, RecordIntent]
    assert handed.decision == decision
    assert handed.result is None


def test_an_intent_that_is_not_recorded_ends_the_call_before_it_runs():
    with pytest.raises(LedgerError):
        drive({**REPLIES, RecordIntent: LedgerError("disk full")})


@pytest.mark.parametrize(
    ("failing", "error", "steps"),
    [
        pytest.param(RunTarget, TargetError("no"), [Ask, RecordIntent, RunTarget, RecordOutcome], id="target fails"),
        pytest.param(
            MaskRows,
            MaskingError("no"),
            [Ask, RecordIntent, RunTarget, MaskRows, RecordOutcome],
            id="masking fails",
        ),
    ],
)
def test_a_failure_is_recorded_and_hands_over_no_row(failing, error, steps):
    seen, handed, recorded = drive({**REPLIES, failing: error})
    assert seen == steps
    assert handed.result is None
    assert handed.error is error
    assert recorded.error is error
    assert recorded.result is None


def test_an_outcome_that_is_not_recorded_discards_the_rows():
    with pytest.raises(OutcomeUnknownError) as caught:
        drive({**REPLIES, RecordOutcome: LedgerError("disk full")})
    assert caught.value.call_id == "call_1"


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({Ask: None}, id="no permission"),
        pytest.param({RecordIntent: None}, id="no receipt for the intent"),
        pytest.param({RunTarget: RESULT}, id="no rows"),
        pytest.param({MaskRows: ROWS}, id="unmasked rows in the place of a result"),
        pytest.param({RecordOutcome: None}, id="no receipt for the outcome"),
        pytest.param({Ask: Permission(decision=ALLOW, statement="SELECT 1")}, id="an allow without obligations"),
        pytest.param({Ask: Permission(decision=ALLOW, obligations=OBLIGATIONS)}, id="an allow without a statement"),
    ],
)
def test_a_driver_that_answers_the_wrong_thing_never_gets_rows_out(broken):
    with pytest.raises(TypeError):
        drive({**REPLIES, **broken})


PROBE = Probe(statement='SELECT "a"')
UNDECIDED = Permission(decision=Decision(effect="deny", reason="estimate_unknown", message="not known"), probe=PROBE)


def probed(*replies):
    """Answer steps from a list; return each step and what was handed over."""
    steps, seen, reply = guarded_call("call_1"), [], None
    given = iter(replies)
    try:
        while True:
            seen.append(steps.send(reply))
            reply = next(given)
    except StopIteration as done:
        return seen, done.value


def test_the_database_is_asked_for_its_estimate_only_once_that_is_recorded_and_the_call_is_judged_again():
    found = Estimate(statement='SELECT "a"', rows=3)
    receipt = Receipt(entry=0, leaf="p")
    replies = [UNDECIDED, receipt, found, PERMISSION, REPLIES[RecordIntent], ROWS, RESULT, REPLIES[RecordOutcome]]
    seen, handed = probed(*replies)
    assert [type(step) for step in seen] == [
        Ask, RecordProbe, AskTarget, Ask, RecordIntent, RunTarget, MaskRows, RecordOutcome
    ]  # fmt: skip
    assert [step.estimate for step in seen if isinstance(step, Ask)] == [None, found]
    assert seen[1].probe is seen[2].probe is PROBE
    assert handed.result is RESULT


@pytest.mark.parametrize(
    "replies",
    [
        pytest.param([UNDECIDED, None], id="the question is not recorded"),
        pytest.param([UNDECIDED, Receipt(entry=0, leaf="p"), None], id="no estimate"),
        pytest.param(
            [UNDECIDED, Receipt(entry=0, leaf="p"), Estimate(statement="x"), UNDECIDED], id="asked for again and again"
        ),
    ],
)
def test_a_probe_that_goes_wrong_ends_the_call(replies):
    with pytest.raises(TypeError):
        probed(*replies)


def test_a_question_that_can_not_be_recorded_is_not_asked():
    with pytest.raises(LedgerError):
        drive({**REPLIES, Ask: UNDECIDED, RecordProbe: LedgerError("disk full")})


def test_rows_never_show_a_value():
    assert "secret" not in repr(ROWS)
    assert "secret" not in repr(MaskRows(rows=ROWS, plan=MaskPlan(columns=())))
