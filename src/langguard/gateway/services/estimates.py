"""How many rows a database expects of a call: asked before the decision where a rule goes by it, recorded before that.

The database is only asked once everything else allows the call. An answer is remembered for as long as the structure,
the statistics and a time limit let it hold. Without one the estimate is not known, and rules that go by it deny.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from langguard.drivers import sql_estimate
from langguard.drivers.sql import Cancel
from langguard.errors import TargetError
from langguard.flow import Estimate, Probe
from langguard.gateway.problems import ProblemError
from langguard.gateway.services.binds import read_binds
from langguard.gateway.services.call_store import AskedBeforeError, CallStore
from langguard.gateway.services.connections import Connection
from langguard.gateway.services.drives import Drive
from langguard.gateway.services.recorder import Draft, Recorder
from langguard.gateway.services.remembered import Remembered
from langguard.gateway.services.sessions import Sessions
from langguard.gateway.settings_estimates import EstimateSettings
from langguard.protocol import Catalog, Receipt
from langguard.stores.base import ConflictError

_GRACE_SECONDS = 0.25


class Estimates:
    """Asks databases, a few at once."""

    def __init__(
        self,
        settings: EstimateSettings,
        *,
        remembered: Remembered,
        recorder: Recorder,
        stored: CallStore,
        sessions: Sessions,
    ) -> None:
        self._settings = settings
        self._remembered = remembered
        self._recorder = recorder
        self._stored = stored
        self._sessions = sessions
        self._threads: dict[str, ThreadPoolExecutor] = {}

    async def record(self, drive: Drive, probe: Probe) -> Receipt:
        """Make it durable that the database will be asked, and about what.

        Raises:
            AskedBeforeError: The call's id is recorded already: nothing is asked twice.
            ProblemError: The session has ended.
            LedgerError: It could not be recorded; nothing may be asked.
        """
        live, request, judged = drive.live, drive.request, drive.known
        if await self._stored.find(live.id, request.id) is not None:
            raise AskedBeforeError
        connection, catalog = _of(drive)
        data = {
            "call": request.id,
            "connection": connection.name,
            "custody": connection.settings.custody,
            "actions": list(judged.actions),
            "tables": list(judged.tables),
            "wanted": [] if judged.verdict is None else list(judged.verdict.wants),
            "rule": None if judged.verdict is None else judged.verdict.rule,
            "policy": judged.permission.decision.policy_version,
            "catalog": catalog.version,
            "statistics": connection.statistics.version or None,
            "timeout_ms": self._settings.timeout_ms,
        }
        draft = Draft(
            kind="probe",
            session=live.id,
            by=live.principal.id,
            data=data,
            texts={"sent": sql_estimate.ASKED.get(catalog.dialect, "") + probe.statement},
        )
        try:
            done = await self._recorder.record([draft], expects=(self._sessions.still_open(live),))
        except ConflictError:
            self._sessions.check(live)
            raise ProblemError("conflict", "The session changed while the call was judged; nothing ran.") from None
        return done.receipts[0]

    async def ask(self, drive: Drive, probe: Probe) -> Estimate:
        """Return the database's answer; one that fails or comes late is that nothing is known, with the reason."""
        connection, catalog = _of(drive)
        cancel = Cancel()
        drive.live.running.add(cancel)
        work = partial(
            sql_estimate.estimate,
            connection.engine,
            probe.statement,
            read_binds(drive.request),
            dialect=catalog.dialect,
            timeout_ms=self._settings.timeout_ms,
            schemas=probe.schemas,
            tables=drive.known.tables,
            statistics=connection.statistics,
            limit=None if drive.known.facts is None else drive.known.facts.limit,
            cancel=cancel,
        )
        asked = self._threads_of(connection.name).submit(work)
        try:
            wait = self._settings.timeout_ms / 1000 + _GRACE_SECONDS
            answer = await asyncio.wait_for(asyncio.wrap_future(asked), wait)
        except TimeoutError:
            asked.cancel()
            _fire(cancel)
            why = f"The database did not say within {self._settings.timeout_ms} ms how many rows to expect."
            return Estimate(statement=probe.statement, why=why)
        except TargetError as failed:
            return Estimate(
                statement=probe.statement, why=f"The database did not say how many rows to expect. {failed}"
            )
        finally:
            drive.live.running.discard(cancel)
        self._remembered.keep(connection, catalog, probe, answer)
        return answer

    def _threads_of(self, connection: str) -> ThreadPoolExecutor:
        """Return a connection's own threads: a database that hangs holds up no question to another one."""
        if connection not in self._threads:
            name = f"estimate-{connection}"
            self._threads[connection] = ThreadPoolExecutor(self._settings.at_once, thread_name_prefix=name)
        return self._threads[connection]

    def close(self) -> None:
        """Let no further question start."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)


def _fire(cancel: Cancel) -> None:
    """End a question that came too late. Its connection may hang and firing with it, so nobody waits for that."""
    fired = asyncio.get_running_loop().run_in_executor(None, cancel.fire)
    fired.add_done_callback(lambda done: done.exception())


def _of(drive: Drive) -> tuple[Connection, Catalog]:
    judged = drive.known
    if judged.connection is None or judged.catalog is None:
        msg = "an estimate is for a call with a connection and a catalogue"
        raise TypeError(msg)
    return judged.connection, judged.catalog
