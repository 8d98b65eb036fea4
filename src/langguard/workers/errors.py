"""How a call given to a worker process can fail. All of them mean that nothing came of it."""

from typing import ClassVar

from langguard.errors import LangguardError


class WorkerError(LangguardError):
    """A call given to a worker process failed; nothing came of it."""

    code: ClassVar[str] = "worker_failed"


class WorkerTimeoutError(WorkerError):
    """The call took longer than it may, and its process was killed."""

    code: ClassVar[str] = "worker_timeout"


class WorkerDiedError(WorkerError):
    """The call's process ended before it answered (a crash, or no memory left), or could not be started."""

    code: ClassVar[str] = "worker_died"


class WorkerClosedError(WorkerError):
    """The pool was closed before the call was answered."""

    code: ClassVar[str] = "worker_closed"
