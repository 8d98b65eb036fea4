"""The line before the workers: each owner of calls gets its turn, however many calls another one has waiting."""

import threading
from collections import Counter, deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Job:
    """One call that waits for its answer.

    Attributes:
        owner: Whose turn it takes.
    """

    function: str
    payload: Any = field(repr=False)
    timeout: float
    future: Future[Any]
    owner: str = ""


class Line:
    """Waiting calls. Next comes the owner with the fewest calls running, and of these who was served longest ago.

    So an owner with nothing running waits for the calls that run when it joins, and for no other call of their owners.
    """

    def __init__(self, limit: int) -> None:
        """Let at most `limit` calls wait."""
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[Job]] = {}
        self._running: Counter[str] = Counter()
        self._served: dict[str, int] = {}
        self._turn = 0
        self._length = 0
        self._closed = False

    def join(self, job: Job) -> bool:
        """Let a call wait; False where too many do."""
        with self._changed:
            if self._length >= self._limit:
                return False
            self._waiting.setdefault(job.owner, deque()).append(job)
            self._length += 1
            self._changed.notify()
        return True

    def next(self, seconds: float) -> Job | None:
        """Return the call whose turn it is, which runs until `done`; None when there is none in time, or ever again."""
        with self._changed:
            if not self._length and not self._closed:
                self._changed.wait(seconds)
            if not self._length or self._closed:
                return None
            owner = min(self._waiting, key=lambda name: (self._running[name], self._served.get(name, 0)))
            calls = self._waiting[owner]
            job = calls.popleft()
            self._length -= 1
            self._turn += 1
            self._running[owner] += 1
            self._served[owner] = self._turn
            if not calls:
                del self._waiting[owner]
        return job

    def done(self, owner: str) -> None:
        """Note that a call of this owner has ended."""
        with self._changed:
            self._running[owner] -= 1
            if not self._running[owner]:
                del self._running[owner]
                if owner not in self._waiting:
                    self._served.pop(owner, None)

    def close(self) -> list[Job]:
        """End the line, and return the calls that never had their turn."""
        with self._changed:
            self._closed = True
            left = [job for calls in self._waiting.values() for job in calls]
            self._waiting.clear()
            self._length = 0
            self._changed.notify_all()
        return left
