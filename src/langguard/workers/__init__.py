"""Killable processes for work that might never end: parsing a statement, masking a long text.

Python can't stop a thread, and a regular expression can hold the interpreter's lock; a process can always be killed.
Each worker is a fresh interpreter (never a fork of a threaded process) that serves one call at a time over two pipes,
watched by one thread of this process. A call past its time kills its worker, fails alone, and a new worker takes over.

Functions are named by their import path, so this room knows nothing of what it runs.
"""

from langguard.workers.errors import WorkerClosedError, WorkerDiedError, WorkerError, WorkerTimeoutError
from langguard.workers.pool import START_SECONDS, WorkerPool

__all__ = [
    "START_SECONDS",
    "WorkerClosedError",
    "WorkerDiedError",
    "WorkerError",
    "WorkerPool",
    "WorkerTimeoutError",
]
