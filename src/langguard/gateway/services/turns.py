"""Turns: who may run now, so that one session or principal never keeps the others from running.

A limited number runs at once, fewer for one principal and fewer still for one session. Of those who wait, the next is
the one whose principal has the least running, and the longest waiting of those.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many at once: altogether, of one principal over all its sessions, of one session."""

    total: int
    per_principal: int
    per_session: int


class Quota:
    """Counts what is in hand and admits no more than its limits."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._principals: Counter[str] = Counter()
        self._sessions: Counter[str] = Counter()

    def admits(self, session: str, principal: str) -> bool:
        """Say whether there is room for one more."""
        limits = self._limits
        return (
            self._principals.total() < limits.total
            and self._principals[principal] < limits.per_principal
            and self._sessions[session] < limits.per_session
        )

    def admit(self, session: str, principal: str) -> bool:
        """Count one more in, if there is room; say whether there was."""
        if not self.admits(session, principal):
            return False
        self._principals[principal] += 1
        self._sessions[session] += 1
        return True

    def leave(self, session: str, principal: str) -> None:
        """Count one out."""
        self._principals -= Counter((principal,))
        self._sessions -= Counter((session,))

    def held(self, principal: str) -> int:
        """Return how many a principal has in hand."""
        return self._principals[principal]


@dataclass(slots=True, eq=False)
class _Waiting:
    session: str
    principal: str
    turn: "asyncio.Future[None]"


class Turns:
    """Hands out turns; used on one event loop."""

    def __init__(self, limits: Limits) -> None:
        self._running = Quota(limits)
        self._waiting: list[_Waiting] = []

    @asynccontextmanager
    async def turn(self, session: str, principal: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it while the block runs."""
        waiting = _Waiting(session, principal, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._hand_out()
        try:
            await waiting.turn
            yield
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            else:
                self._running.leave(session, principal)
            self._hand_out()

    def _hand_out(self) -> None:
        while able := [one for one in self._waiting if self._running.admits(one.session, one.principal)]:
            chosen = min(able, key=lambda one: self._running.held(one.principal))
            self._waiting.remove(chosen)
            self._running.admit(chosen.session, chosen.principal)
            if not chosen.turn.done():  # one who gave up meanwhile gives its turn back itself
                chosen.turn.set_result(None)
