"""The demo's two kinds of process: the gateway, and an agent that is given nothing but its address and a token."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from langguard.cli._environment import environ
from langguard.errors import LangguardError

_STOP_SECONDS = 15
_CHUNK = 1 << 20
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHONPATH")


class DemoError(LangguardError):
    """The demo could not be played; the message says why."""

    code = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningGateway:
    """A gateway process that answers.

    Attributes:
        administrator: The administrator's API key, which it printed once.
    """

    address: str
    administrator: str = field(repr=False)
    process: "subprocess.Popen[str]" = field(repr=False)
    log: Path


def _environment(**more: str) -> dict[str, str]:
    held = environ()
    return {name: held[name] for name in _KEPT if name in held} | {"PYTHONUNBUFFERED": "1", **more}


@contextmanager
def gateway(config: Path, *, credentials: dict[str, str]) -> Iterator[RunningGateway]:
    """Start a gateway; stop it when the block ends.

    Raises:
        DemoError: It did not start; its own words are quoted.
    """
    log = config.with_suffix(".log")
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "langguard.cli.demo.tied", "gateway", "--config", str(config)],
            env=_environment(**credentials),
            stdin=subprocess.PIPE,  # never written to: it ends with this process, and the gateway with it
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        said = []
        for line in process.stdout or ():
            said.append(line)
            found = re.search(r"listens on (http://\S+)", line)
            if found:
                key = re.search(r"lgk_[0-9a-f]+", "".join(said))
                yield RunningGateway(address=found[1], administrator=key[0] if key else "", process=process, log=log)
                return
        msg = f"the gateway did not start: {log.read_text(encoding='utf-8')[-500:].strip()}"
        raise DemoError(msg)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


class Agent:
    """An agent process, told by its events."""

    def __init__(self, mode: str, *, address: str, token: str, url: str = "") -> None:
        """Start it.

        Args:
            mode: `gateway`, or `direct` for an agent that has the database's URL itself.
            address: The gateway's.
            token: Its API key.
            url: For `direct`.
        """
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed in `end`
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "langguard.cli.demo.agent", mode],
            env=_environment(LANGGUARD_URL=address, LANGGUARD_TOKEN=token),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        if url:
            self._say(url)

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what it tells, up to the texts its model was shown.

        Raises:
            DemoError: It ended before that.
        """
        for line in self.process.stdout or ():
            event: dict[str, Any] = msgspec.json.decode(line)
            yield event
            if event["event"] == "shown":
                return
        self._errors.seek(0)
        msg = f"the agent ended early: {self._errors.read()[-1500:].strip()}"
        raise DemoError(msg)

    def environment(self) -> list[str]:
        """Return the names of the variables it was given."""
        return sorted(_environment(LANGGUARD_URL="", LANGGUARD_TOKEN=""))

    def holds(self, needle: bytes) -> bool | None:
        """Return whether its memory holds `needle`; None where a process's memory can't be read on this system."""
        return memory_holds(self.process.pid, needle)

    def end(self) -> None:
        """Let it go."""
        with suppress(OSError):
            self._say("")
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._errors):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _say(self, line: str) -> None:
        if self.process.stdin is not None:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()


def memory_holds(pid: int, needle: bytes) -> bool | None:
    """Return whether a process's writable memory holds some bytes; None where that can't be read (not Linux)."""
    try:
        maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
        memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    except OSError:
        return None
    read = 0
    try:
        for line in maps.splitlines():
            place, rights, *_ = line.split()
            if "rw" not in rights:
                continue
            start, end = (int(part, 16) for part in place.split("-"))
            found, count = _region_holds(memory, start, end, needle)
            read += count
            if found:
                return True
    finally:
        os.close(memory)
    return False if read else None


def _region_holds(memory: int, start: int, end: int, needle: bytes) -> tuple[bool, int]:
    """Return whether a region holds the bytes, and how much of it could be read."""
    tail, read = b"", 0
    while start < end:
        try:
            chunk = os.pread(memory, min(_CHUNK, end - start), start)
        except (OSError, OverflowError):
            return False, read
        if not chunk:
            return False, read
        read += len(chunk)
        if needle in tail + chunk:
            return True, read
        tail = chunk[-len(needle) :]
        start += len(chunk)
    return False, read
