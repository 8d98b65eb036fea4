"""The pool: a line of calls, and a keeper with its thread for each worker process."""

import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Self

from langguard.clock import SECOND
from langguard.errors import NotNowError
from langguard.workers.child import Setup
from langguard.workers.errors import WorkerClosedError, WorkerError, WorkerTimeoutError
from langguard.workers.keeper import START_SECONDS, Keeper, fail, ticks
from langguard.workers.line import Job, Line

__all__ = ["START_SECONDS", "WorkerPool"]


class WorkerPool:
    """A fixed number of worker processes and a line before them, in which each owner of calls gets its turn.

    Its threads are as many as its processes.

    Args:
        size: Processes, at least 1.
        initializer: `module:callable` that each worker runs once, before its first call.
        payload: Its argument.
        memory: Bytes of address space a worker may have, or None for no limit.
        queue_limit: Calls that may wait; one more is refused.
        environment: The workers' environment; None gives them this process's.

    Raises:
        WorkerError: The system has no such processes and pipes (Windows).
    """

    def __init__(
        self,
        size: int,
        *,
        initializer: str | None = None,
        payload: Any = None,
        memory: int | None = None,
        queue_limit: int = 1000,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if size < 1:
            msg = f"a pool needs at least one worker, not {size}"
            raise ValueError(msg)
        if sys.platform == "win32":
            msg = "Worker processes need a POSIX system; run the gateway on Linux or macOS."
            raise WorkerError(msg)
        self._line = Line(queue_limit)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        setup = Setup(initializer=initializer, payload=payload, memory=memory)
        self._keepers = [Keeper(self._line, self._closed, setup, environment) for _ in range(size)]
        self._threads = [
            threading.Thread(target=keeper.run, name=f"langguard-worker-{number}", daemon=True)
            for number, keeper in enumerate(self._keepers)
        ]
        for thread in self._threads:
            thread.start()

    def ready(self, timeout: float = START_SECONDS) -> None:
        """Wait until every worker has started.

        Args:
            timeout: Seconds.

        Raises:
            WorkerError: One can't start; the initialiser's own LangguardError is raised as it is.
            WorkerTimeoutError: They have not all started in time.
        """
        until = ticks() + int(timeout * SECOND)
        for keeper in self._keepers:
            if not keeper.started.wait(max(0.0, (until - ticks()) / SECOND)):
                msg = f"A worker process did not start within {timeout:g} s."
                raise WorkerTimeoutError(msg)
            if keeper.failure is not None:
                raise keeper.failure

    def submit(self, function: str, payload: Any, timeout: float, *, owner: str = "") -> Future[Any]:
        """Have a worker call `function(payload)`.

        Args:
            function: `module:callable`, importable in a fresh interpreter.
            payload: Anything that pickles.
            timeout: Seconds from when a worker takes it up; waiting for one does not count.
            owner: Whose turn it takes: one owner's calls don't hold up another's.

        Returns:
            What it returned. A LangguardError it raised is raised as it is; of any other error only the type is told,
            since its text may quote values. WorkerTimeoutError and WorkerDiedError say that its process is gone.

        Raises:
            NotNowError: Too many calls wait.
            WorkerClosedError: The pool is closed.
        """
        future: Future[Any] = Future()
        with self._lock:
            if self._closed.is_set():
                msg = "The worker pool is closed."
                raise WorkerClosedError(msg)
            if not self._line.join(Job(function, payload, timeout, future, owner)):
                msg = "Too many calls are waiting for a worker; try again shortly."
                raise NotNowError(msg, reason="overloaded", retry_after=1.0)
        return future

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that run now."""
        return tuple(pid for keeper in self._keepers if (pid := keeper.pid) is not None)

    def close(self) -> None:
        """Kill every worker, fail every call not answered, and return when all is ended."""
        with self._lock:
            self._closed.set()
        left = self._line.close()
        for keeper in self._keepers:
            keeper.kill()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
        for job in left:
            fail(job.future, WorkerClosedError("The worker pool was closed."))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
