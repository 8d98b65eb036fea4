"""Keep one worker process running: start it, give it one job at a time, kill it when its time is up."""

import os
import pickle
import select
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Final

from langguard.clock import SECOND, SystemClock
from langguard.errors import LangguardError
from langguard.workers.child import HEADER, Setup
from langguard.workers.errors import WorkerClosedError, WorkerDiedError, WorkerError, WorkerTimeoutError
from langguard.workers.line import Job, Line

START_SECONDS: Final = 60.0
"""How long a worker may take to start, its initialiser included."""
LOOK_SECONDS: Final = 1.0
"""How often an idle worker is looked after."""
_READ: Final = 1 << 20
_MAIN: Final = "from langguard.workers.child import serve; serve()"


class Keeper:
    """Keeps one worker running and gives it one job at a time; all of it in one thread but `kill`."""

    def __init__(
        self,
        line: Line,
        closed: threading.Event,
        setup: Setup,
        environment: Mapping[str, str] | None,
    ) -> None:
        self._line = line
        self._closed = closed
        self._setup = setup
        self._environment = None if environment is None else dict(environment)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._to = self._from = -1
        self.started = threading.Event()
        self.failure: LangguardError | None = None

    @property
    def pid(self) -> int | None:
        """The process that runs now, if one does."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def run(self) -> None:
        """Serve jobs until the pool is closed."""
        self._start()
        while not self._closed.is_set():
            job = self._line.next(LOOK_SECONDS)
            if job is None:
                self._replace_dead()
                continue
            try:
                if job.future.set_running_or_notify_cancel():
                    self._serve(job)
            finally:
                self._line.done(job.owner)
        self._stop()

    def kill(self) -> None:
        """End the process now, from any thread; the keeper's own thread sees its pipe end."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                self._process.kill()

    def _serve(self, job: Job) -> None:
        try:
            body = pickle.dumps((job.function, job.payload), pickle.HIGHEST_PROTOCOL)
        except Exception as failed:  # noqa: BLE001 - a payload's own pickling may raise anything
            fail(job.future, WorkerError(f"The payload for {job.function} can't be sent ({type(failed).__name__})."))
            return
        self._replace_dead()
        if self._process is None:
            self._start()
        if self._process is None:
            fail(job.future, self.failure or WorkerDiedError("The worker process could not be started."))
            return
        try:
            good, value = self._exchange(body, job.timeout)
        except TimeoutError:
            self._restart()
            fail(job.future, WorkerTimeoutError(f"{job.function} took longer than {job.timeout:g} s and was stopped."))
        except Exception:  # noqa: BLE001 - a broken pipe or an answer that is none: the process can't be trusted further
            self._restart()
            told = "The worker pool was closed." if self._closed.is_set() else f"The process of {job.function} ended."
            fail(job.future, WorkerClosedError(told) if self._closed.is_set() else WorkerDiedError(told))
        else:
            if good:
                job.future.set_result(value)
            else:
                fail(job.future, value)

    def _replace_dead(self) -> None:
        """Start anew where the process has ended between two calls, so that no call is lost to it."""
        process = self._process
        if process is not None and process.poll() is not None:
            self._restart()

    def _start(self) -> None:
        self.failure = None
        try:
            self._spawn()
            good, value = self._exchange(pickle.dumps(self._setup, pickle.HIGHEST_PROTOCOL), START_SECONDS)
            if not good:
                self._stop()
                self.failure = value
        except Exception as failed:  # noqa: BLE001 - whatever keeps a process from starting, its calls fail
            self._stop()
            self.failure = WorkerDiedError(f"A worker process could not be started ({type(failed).__name__}).")
        self.started.set()

    def _spawn(self) -> None:
        child_from, self._to = os.pipe()
        self._from, child_to = os.pipe()
        try:
            with self._lock:
                if self._closed.is_set():
                    msg = "the pool is closed"
                    raise OSError(msg)
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-c", _MAIN, str(child_from), str(child_to)],
                    pass_fds=(child_from, child_to),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,  # a traceback's text may hold a row
                    env=self._environment,
                    start_new_session=True,  # Ctrl-C is for this process, which then closes the pool
                )
        finally:
            os.close(child_from)
            os.close(child_to)
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)

    def _restart(self) -> None:
        self._stop()
        if not self._closed.is_set():
            self._start()

    def _stop(self) -> None:
        self.kill()
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.wait()
        for place in (self._to, self._from):
            if place >= 0:
                os.close(place)
        self._to = self._from = -1

    def _exchange(self, body: bytes, timeout: float) -> tuple[bool, Any]:
        """Send `body` and return the answer, both within `timeout` seconds."""
        until = ticks() + int(timeout * SECOND)
        _write(self._to, HEADER.pack(len(body), timeout) + body, until)
        length, _ = HEADER.unpack(_read(self._from, HEADER.size, until))
        good, value = pickle.loads(_read(self._from, length, until))  # noqa: S301 - from our own process
        return bool(good), value


def ticks() -> int:
    """Return microseconds of a clock that only moves forward."""
    return SystemClock().ticks()


def fail(future: Future[Any], error: BaseException) -> None:
    """Give `future` an error unless it has its end already."""
    if not future.done() and (future.running() or future.set_running_or_notify_cancel()):
        future.set_exception(error)


def _wait(place: int, event: int, until: int) -> None:
    poll = select.poll()
    poll.register(place, event)
    if not poll.poll(max(0, (until - ticks()) // 1000)):
        raise TimeoutError


def _write(place: int, data: bytes, until: int) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(place, view) :]
        except BlockingIOError:
            _wait(place, select.POLLOUT, until)


def _read(place: int, length: int, until: int) -> bytearray:
    held = bytearray()
    while len(held) < length:
        try:
            part = os.read(place, min(length - len(held), _READ))
        except BlockingIOError:
            _wait(place, select.POLLIN, until)
            continue
        if not part:
            raise EOFError
        held += part
    return held
