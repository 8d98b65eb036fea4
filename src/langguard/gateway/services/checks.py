"""Checking a connection before it is trusted: each wall tried against the real database, where the credential is.

A check is an administrator's act: on the record before it starts, with what it found after it ended.
"""

import asyncio

from langguard.drivers import sql_check
from langguard.errors import TargetError
from langguard.gateway.problems import ProblemError
from langguard.gateway.services.connections import Connection
from langguard.gateway.services.policies import Policies
from langguard.gateway.services.recorder import Draft, Recorder

_WRITES = frozenset({"write", "ddl", "procedure"})


class Checks:
    """Runs checks, one at a time on each connection."""

    def __init__(self, *, recorder: Recorder, policies: Policies) -> None:
        self._recorder = recorder
        self._policies = policies
        self._running: set[str] = set()

    async def check(self, connection: Connection, *, by: str) -> sql_check.Findings:
        """Try a connection's walls, and look at what its role may do.

        Raises:
            ProblemError: It is being checked already, its database does not answer, or no credential for it is here.
            LedgerError: It could not be recorded; nothing was tried.
        """
        if connection.engine is None:
            raise ProblemError(
                "invalid_request",
                "The gateway has no credential for this connection. Check the agent's own: "
                f"langguard connection check {connection.name} --uri URI",
            )
        if connection.catalog is None:
            raise ProblemError("conflict", "The connection's structure is not known yet.")
        if connection.name in self._running:
            raise ProblemError("conflict", "The connection is being checked already.")
        target = sql_check.Target(
            engine=connection.engine, catalog=connection.catalog, writes=self._may_write(connection.name)
        )
        self._running.add(connection.name)
        try:
            await self._note(connection, by, {"state": "started"})
            try:
                found = await asyncio.to_thread(sql_check.check, target)
            except TargetError as failed:
                await self._note(connection, by, {"state": "not finished"})
                raise ProblemError("conflict", f"The check did not come to its end. {failed}") from None
            data = {
                "state": "finished",
                "walls": len(found.walls),
                "failed": list(found.failed),
                "excess": [held.what[:200] for held in found.excess[:100]],
            }
            await self._note(connection, by, data)
        finally:
            self._running.discard(connection.name)
        return found

    async def _note(self, connection: Connection, by: str, data: dict[str, object]) -> None:
        act = {"act": "connection_check", "connection": connection.name}
        await self._recorder.record([Draft(kind="administration", by=by, data=act | data)])

    def _may_write(self, name: str) -> bool:
        """Say whether the policy lets anyone change something through a connection."""
        policy = self._policies.current
        granted = (grant.actions for grant in policy.grants if grant.connection in {"*", name})
        allowed = (
            rule.actions
            for rule in policy.rules
            if rule.effect == "allow" and (not rule.on or any(scope.reaches(name, "sql") for scope in rule.on))
        )
        return any(_WRITES & set(actions) for actions in (*granted, *allowed))
