"""Group commit: one writer thread, no linger. Whatever has queued up while one commit ran shares the next.

It fails closed: an exception while writing fails the batches it hit and no others, and when the thread itself ends,
for whatever reason, every waiting and every later batch fails at once.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final

from langguard.errors import LedgerError
from langguard.stores.base import Appended, Batch

CAPACITY: Final = 10_000
"""Most batches that may wait; more are refused, never dropped."""
GROUP: Final = 1024
"""Most batches in one commit."""

Commit = Callable[[Sequence[Batch]], list[Appended | LedgerError]]
"""Writes batches in order and makes them durable; returns one result each. If it raises, none was written."""
_Waiting = tuple[Batch, "Future[Appended]"]


class GroupWriter:
    """Hands batches from any thread to `commit` in one thread."""

    def __init__(self, commit: Commit, *, name: str, capacity: int = CAPACITY, group: int = GROUP) -> None:
        self._commit = commit
        self._capacity = capacity
        self._group = group
        self._wake = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._closing = False
        self._dead = ""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, batch: Batch) -> "Future[Appended]":
        """Return the future of a batch; see `Store.append`."""
        future: Future[Appended] = Future()
        with self._wake:
            refused = self._dead or ("it is closed" if self._closing else "")
            if not refused and len(self._queue) >= self._capacity:
                refused = f"{self._capacity} batches are waiting already; try again later"
            if not refused:
                self._queue.append((batch, future))
                self._wake.notify()
                return future
        future.set_exception(LedgerError(f"The ledger could not record: {refused}. The call did not go on."))
        return future

    def close(self) -> None:
        """Write what is waiting, then stop."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        reason = "its writer has stopped unexpectedly; restart the gateway"
        try:
            while group := self._take():
                self._write(group)
            reason = "it is closed"
        finally:
            with self._wake:
                self._dead = reason
                left = list(self._queue)
                self._queue.clear()
            _fail([future for _, future in left if future.set_running_or_notify_cancel()], reason)

    def _take(self) -> list[_Waiting]:
        """Wait for batches and return them; an empty list means that it is time to stop."""
        with self._wake:
            while not self._queue and not self._closing:
                self._wake.wait()
            return [self._queue.popleft() for _ in range(min(len(self._queue), self._group))]

    def _write(self, group: list[_Waiting]) -> None:
        # A batch whose caller gave up before this point was never begun; from here on it can't be given up any more.
        claimed = [(batch, future) for batch, future in group if future.set_running_or_notify_cancel()]
        futures = [future for _, future in claimed]
        if not claimed:
            return
        try:
            results = self._commit([batch for batch, _ in claimed])
            settled = list(zip(futures, results, strict=True))
        except Exception as failed:  # noqa: BLE001 - whatever it is, it must reach those who wait for it
            _fail(futures, _describe(failed), failed)
            return
        except BaseException:
            _fail(futures, "its writer is stopping")
            raise
        for future, result in settled:
            if isinstance(result, Appended):
                future.set_result(result)
            else:
                future.set_exception(result)


def _describe(failed: Exception) -> str:
    # Only our own errors have texts that are known to hold no value.
    return str(failed).rstrip(".") if isinstance(failed, LedgerError) else type(failed).__name__


def _fail(futures: "list[Future[Appended]]", reason: str, cause: Exception | None = None) -> None:
    for future in futures:
        error = LedgerError(f"The ledger could not record: {reason}. The call did not go on.")
        error.__cause__ = cause
        future.set_exception(error)
