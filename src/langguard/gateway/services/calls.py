"""Driving guarded calls at the gateway.

Custody `gateway`: judged, recorded, run and masked here. Custody `agent`: permitted here and run by the agent's
process, whose report is recorded before it may release a row.

A call id is used once: asked again, it is answered from the record. Nothing ever runs twice.
"""

import asyncio
import contextlib
import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal

import msgspec

from langguard.clock import Clock
from langguard.drivers import sql
from langguard.errors import LangguardError, LedgerError, OutcomeUnknownError, TargetError
from langguard.flow import (
    Ask,
    AskTarget,
    HandOver,
    MaskRows,
    RecordIntent,
    RecordOutcome,
    RecordProbe,
    Rows,
    RunTarget,
    guarded_call,
)
from langguard.gateway.keys import Keys
from langguard.gateway.problems import ProblemError
from langguard.gateway.services.binds import read_binds
from langguard.gateway.services.call_store import UNKNOWN, AskedBeforeError, CallStore, StoredCall
from langguard.gateway.services.drives import STEPS, Drive, answer_of, by_agent, permitted
from langguard.gateway.services.entries import intent_data, intent_texts, outcome_data, outcome_texts
from langguard.gateway.services.estimates import Estimates
from langguard.gateway.services.judge import Judge
from langguard.gateway.services.masker import Masker
from langguard.gateway.services.recorder import Draft, Recorded, Recorder
from langguard.gateway.services.reports import check_report
from langguard.gateway.services.sessions import Live, Sessions
from langguard.gateway.services.structure import structure_rows
from langguard.gateway.services.texts import check_texts
from langguard.gateway.services.turns import Limits, Quota, Turns
from langguard.protocol import (
    Answer,
    CallRequest,
    OutcomeReceipt,
    OutcomeReport,
    Receipt,
    SchemaCall,
)
from langguard.stores.base import ConflictError

_THREADS = 32
_RUNNING = Limits(total=_THREADS, per_principal=8, per_session=4)
_IN_FLIGHT = Limits(total=256, per_principal=64, per_session=20)
"""Calls that run and that wait."""


class Calls:
    """All calls of all sessions."""

    def __init__(
        self,
        *,
        stored: CallStore,
        recorder: Recorder,
        sessions: Sessions,
        judge: Judge,
        estimates: Estimates,
        masker: Masker,
        keys: Keys,
        clock: Clock,
    ) -> None:
        self._stored = stored
        self._recorder = recorder
        self._sessions = sessions
        self._judge = judge
        self._estimates = estimates
        self._masker = masker
        self._keys = keys
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="target")
        self._turns = Turns(_RUNNING)
        self._quota = Quota(_IN_FLIGHT)
        self._in_flight: dict[tuple[str, str], tuple[str, asyncio.Task[Answer]]] = {}

    @property
    def in_flight(self) -> int:
        """How many calls are being driven."""
        return len(self._in_flight)

    async def call(self, live: Live, request: CallRequest) -> Answer:
        """Answer a call; the same id again gets the same answer.

        Raises:
            ProblemError: The request does not fit, or the session has ended.
            LedgerError: It could not be recorded; nothing ran.
            OutcomeUnknownError: It ran, and its outcome could not be recorded.
        """
        check_texts(live, request)
        read_binds(request)
        digest = hashlib.sha256(msgspec.json.encode((request.call, request.context))).hexdigest()
        key = (live.id, request.id)
        same, running = self._in_flight.get(key, (digest, None))
        if same != digest:
            raise ProblemError("call_id_reused")
        if running is None:
            if not self._quota.admit(live.id, live.principal.id):
                raise ProblemError("overloaded", "Nothing ran; ask again in a second.")
            running = asyncio.create_task(self._drive(Drive(live, request, digest)))
            self._in_flight[key] = (digest, running)
            running.add_done_callback(lambda _: self._leave(key, live.principal.id))
        try:
            return await asyncio.shield(running)
        except AskedBeforeError:
            earlier = await self._stored.find(live.id, request.id)
        if earlier is None or earlier.digest != digest:
            raise ProblemError("call_id_reused")
        return await self._stored.answer(live.id, request.id, earlier)

    def _leave(self, key: tuple[str, str], principal: str) -> None:
        self._in_flight.pop(key, None)
        self._quota.leave(key[0], principal)

    async def find(self, live: Live, call_id: str) -> Answer:
        """Return the stored answer of a call whose reply was lost.

        Raises:
            ProblemError: `not_found` if it never arrived, `call_in_flight`, or `call_unknown`.
        """
        if (live.id, call_id) in self._in_flight:
            raise ProblemError("call_in_flight")
        earlier = await self._stored.find(live.id, call_id)
        if earlier is None:
            raise ProblemError("not_found", "No such call arrived in this session; nothing ran.")
        return await self._stored.answer(live.id, call_id, earlier)

    async def _drive(self, drive: Drive) -> Answer:
        """Run the guarded call's steps, each answered here; in custody `agent` only up to the permission."""
        steps = guarded_call(drive.request.id)
        send = partial(steps.send, None)
        while True:
            try:
                step = send()
            except StopIteration as done:
                return answer_of(drive, done.value)
            if isinstance(step, RunTarget) and by_agent(drive):
                steps.close()
                return permitted(drive)
            try:
                reply = await self._act(drive, step)
            except ProblemError:
                raise
            except OutcomeUnknownError as failed:
                with contextlib.suppress(LedgerError):  # an intent without an outcome says the same
                    await self._record_unknown(drive)
                raise OutcomeUnknownError(str(failed), call_id=drive.request.id) from failed
            except LangguardError as failed:
                send = partial(steps.throw, failed)
            else:
                send = partial(steps.send, reply)

    async def _act(self, drive: Drive, step: Any) -> Any:
        before = self._clock.ticks()
        try:
            match step:
                case Ask():
                    drive.judged = await self._judge.judge(drive.live, drive.request, step.estimate)
                    return drive.judged.permission
                case RecordProbe():
                    return await self._estimates.record(drive, step.probe)
                case AskTarget():
                    return await self._estimates.ask(drive, step.probe)
                case RecordIntent():
                    return await self._intent(drive)
                case RunTarget():
                    return await self._run(drive, step)
                case MaskRows():
                    key = self._keys.mask_key(f"connection {drive.request.call.connection}")
                    return await self._masker.mask(step.rows, step.plan, key, owner=drive.live.principal.id)
                case RecordOutcome():
                    return await self._outcome(drive, step)
                case _:
                    msg = f"unknown step {type(step).__name__}"
                    raise TypeError(msg)
        finally:
            name = STEPS[type(step)]
            drive.spent[name] = drive.spent.get(name, 0) + self._clock.ticks() - before

    async def _intent(self, drive: Drive) -> Receipt:
        request, live, permission = drive.request, drive.live, drive.known.permission
        draft = Draft(
            kind="intent",
            session=live.id,
            by=live.principal.id,
            data=intent_data(request, drive.known),
            texts=intent_texts(request, drive.known),
        )
        if permission.decision.effect != "allow":
            state, answer = "denied", answer_of(drive, HandOver(decision=permission.decision, intent=UNKNOWN))
        elif by_agent(drive):
            state, answer = "waiting", permitted(drive)
        else:
            state, answer = "running", None
        put = self._stored.put(live.id, request.id, StoredCall(digest=drive.digest, answer=answer), state, expect="")
        try:
            done = await self._recorder.record([draft], puts=(put,), expects=(self._sessions.still_open(live),))
        except ConflictError as conflict:
            self._sessions.check(live)
            if conflict.kind == "call":
                raise AskedBeforeError from None
            raise ProblemError("conflict", "The session changed while the call was judged; nothing ran.") from None
        live.known.update(request.bodies)
        drive.checkpoint = done.checkpoint
        drive.intent = done.receipts[0]
        return drive.intent

    async def _run(self, drive: Drive, step: RunTarget) -> Rows:
        judged, live = drive.known, drive.live
        if judged.connection is None or judged.catalog is None:
            msg = "an allowed call has a connection and a catalogue"
            raise TypeError(msg)
        if isinstance(drive.request.call, SchemaCall):
            return structure_rows(judged.catalog, judged.tables)
        if judged.connection.engine is None:
            msg = "The gateway holds no credential for this connection."
            raise TargetError(msg)
        cancel = sql.Cancel()
        live.running.add(cancel)
        before = self._clock.ticks()
        try:
            work = partial(
                sql.run_statement,
                judged.connection.engine,
                step.statement,
                read_binds(drive.request),
                dialect=judged.catalog.dialect,
                rows=step.obligations.rows,
                timeout_ms=step.obligations.timeout_ms,
                read_only=step.obligations.read_only,
                schemas=step.schemas,
                result_bytes=step.obligations.result_bytes,
                cancel=cancel,
            )
            async with self._turns.turn(live.id, live.principal.id):
                self._sessions.check(live)
                before = self._clock.ticks()
                return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except ProblemError as failed:
            raise TargetError(str(failed)) from None
        finally:
            drive.ran_us = self._clock.ticks() - before
            live.running.discard(cancel)

    async def _record_unknown(self, drive: Drive) -> None:
        """Say in the record that a write may or may not have taken effect; the call keeps no answer."""
        data = outcome_data(drive.request.id, status="unknown", result=None, fetched=0, duration_us=drive.ran_us)
        await self._recorder.record(
            [Draft(kind="outcome", session=drive.live.id, by=drive.live.principal.id, data=data)]
        )

    async def _outcome(self, drive: Drive, step: RecordOutcome) -> Receipt:
        handed = HandOver(
            decision=drive.known.permission.decision,
            intent=drive.intent,
            result=step.result,
            error=step.error,
            outcome=UNKNOWN,
        )
        recorded = await self._commit_outcome(
            drive.live,
            drive.request.id,
            StoredCall(digest=drive.digest, answer=answer_of(drive, handed)),
            data=outcome_data(
                drive.request.id,
                status="ok" if step.error is None else step.error.code,
                result=step.result,
                fetched=step.fetched,
                duration_us=drive.ran_us,
            ),
            texts=outcome_texts(step.result, None if step.error is None else str(step.error)),
            source="observed",
            expect="running",
        )
        drive.checkpoint = recorded.checkpoint
        return recorded.receipts[0]

    async def report(self, live: Live, call_id: str, report: OutcomeReport) -> OutcomeReceipt:
        """Record what the agent's process says came of a call it was permitted; only then may it release rows.

        Raises:
            ProblemError: The call is not waiting for an outcome, or its obligations were not kept.
            LedgerError: It could not be recorded; the rows must be discarded.
        """
        earlier = await self._stored.find(live.id, call_id)
        if earlier is None or earlier.answer is None or earlier.answer.obligations is None:
            raise ProblemError("not_reportable")
        check_report(report, earlier.answer.obligations)
        answer = msgspec.structs.replace(earlier.answer, result=report.result, error=report.error)
        recorded = await self._commit_outcome(
            live,
            call_id,
            StoredCall(digest=earlier.digest, answer=answer),
            data=outcome_data(
                call_id,
                status=report.status,
                result=report.result,
                fetched=report.fetched,
                duration_us=report.duration_us,
            ),
            texts=outcome_texts(report.result, report.error),
            source="reported",
            expect="waiting",
        )
        return OutcomeReceipt(call_id=call_id, outcome=recorded.receipts[0], checkpoint=recorded.checkpoint)

    async def _commit_outcome(
        self,
        live: Live,
        call_id: str,
        stored: StoredCall,
        *,
        data: dict[str, Any],
        texts: dict[str, str],
        source: Literal["observed", "reported"],
        expect: str,
    ) -> Recorded:
        """Record an outcome if the session is still open and the call still waits for it.

        Otherwise record that its rows were discarded, and refuse: nothing may be released after a revocation.
        """
        draft = Draft(kind="outcome", session=live.id, by=live.principal.id, source=source, data=data, texts=texts)
        put = self._stored.put(live.id, call_id, stored, "done", expect=expect)
        try:
            return await self._recorder.record([draft], puts=(put,), expects=(self._sessions.still_open(live),))
        except ConflictError:
            why = live.stored.ended_why or "the call was not waiting for an outcome"
            lost = Draft(
                kind="outcome",
                session=live.id,
                by=live.principal.id,
                source=source,
                data={"call": call_id, "status": "discarded", "why": why},
            )
            await self._recorder.record([lost])
            self._sessions.check(live)
            raise ProblemError(
                "not_reportable", "The call's state changed meanwhile; its rows were discarded."
            ) from None

    def close(self) -> None:
        """Let no further statement start."""
        self._estimates.close()
        self._threads.shutdown(wait=False, cancel_futures=True)
