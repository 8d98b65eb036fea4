"""What runs inside a worker process: answer calls until the parent is gone."""

import os
import pickle
import struct
import sys
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final

from langguard.errors import LangguardError
from langguard.workers.errors import WorkerError

GRACE_SECONDS: Final = 2.0
"""How long past its time a worker waits before the operating system ends it, should its parent be gone."""
HEADER: Final = struct.Struct("!Qd")  # bytes that follow, and the seconds they may take to be worked on


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker is told first."""

    initializer: str | None
    payload: Any = field(repr=False)
    memory: int | None


def serve() -> None:
    """Be a worker: answer calls on the two pipes named by the command line, until the other end is closed."""
    source, sink = os.fdopen(int(sys.argv[1]), "rb"), os.fdopen(int(sys.argv[2]), "wb")
    with source, sink:
        while header := source.read(HEADER.size):
            length, timeout = HEADER.unpack(header)
            _alarm(timeout + GRACE_SECONDS)
            answer = _answer(source.read(length))
            sink.write(HEADER.pack(len(answer), 0.0) + answer)
            sink.flush()
            _alarm(0)


def _alarm(seconds: float) -> None:
    """Have the operating system end this process after `seconds`, whatever it is doing; 0 calls that off."""
    import signal  # noqa: PLC0415 - only in a worker

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _answer(body: bytes) -> bytes:
    name = "the worker's start"
    try:
        asked = pickle.loads(body)  # noqa: S301 - from our own parent
        value: Any = None
        if isinstance(asked, Setup):
            _set_up(asked)
        else:
            name, payload = asked
            value = _function(name)(payload)
        return pickle.dumps((True, value), pickle.HIGHEST_PROTOCOL)
    except LangguardError as failed:
        return _told(failed)
    except MemoryError:
        os._exit(137)  # an interpreter out of memory is not to be trusted with the next call
    except Exception as failed:  # noqa: BLE001 - told by its type; its text may quote values
        return _told(WorkerError(f"{name} failed ({type(failed).__name__})."))


def _told(error: LangguardError) -> bytes:
    """Return an error as an answer, as it is where it survives the journey."""
    try:
        answer = pickle.dumps((False, error), pickle.HIGHEST_PROTOCOL)
        pickle.loads(answer)  # noqa: S301 - made here
    except Exception:  # noqa: BLE001 - an error that can't be rebuilt is told by its text, which holds no value
        answer = pickle.dumps((False, WorkerError(str(error))), pickle.HIGHEST_PROTOCOL)
    return answer


_functions: dict[str, Any] = {}


def _function(name: str) -> Any:
    held = _functions.get(name)
    if held is None:
        module, _, attribute = name.partition(":")
        held = _functions[name] = getattr(import_module(module), attribute)
    return held


def _set_up(setup: Setup) -> None:
    if setup.memory is not None:
        import resource  # noqa: PLC0415 - only in a worker, and only on POSIX

        resource.setrlimit(resource.RLIMIT_AS, (setup.memory, setup.memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if setup.initializer is not None:
        _function(setup.initializer)(setup.payload)
