"""Running a page as its reader would: one shell whose exports last, placeholders filled from what was shown before."""

import contextlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60
_KEPT = ("HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH")
_PLACEHOLDER = re.compile(r"\b(lgk|lgs|ses|key|call|tree)_(?:\.\.\.|…)")
_LISTEN = "127.0.0.1:8421"
_SAME = (
    (re.compile(r"\b(lgk|lgs|ses|key|call|tree|err)_(?:[0-9a-f]{6,}|\.\.\.|…)"), r"\1_ID"),
    (re.compile(r"\b[0-9a-f]{8,}\b"), "HEX"),
    (re.compile(r"_[0-9a-f]{12}>"), "_TOKEN>"),
    (re.compile(r"\d\d:\d\d:\d\d\.\d+"), "TIME"),
    (re.compile(r"#\d+"), "#N"),
    (re.compile(r"\b\d+ (bytes|entries|texts)\b"), r"N \1"),
    (re.compile(r"\b(line|entry) \d+"), r"\1 N"),
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"[ \t]+"), " "),
)


class Shell:
    """A folder, an environment that `export` changes, and what was printed so far."""

    def __init__(self, folder: Path, environment: dict[str, str], *, listen: str = _LISTEN) -> None:
        self.folder = folder
        self.listen = listen
        self.shown = ""
        self._state = folder / ".exports"
        self._running: list[subprocess.Popen[str]] = []
        held = {name: os.environ[name] for name in _KEPT if name in os.environ}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._environment = held | {"PATH": path, "PYTHONUNBUFFERED": "1", "COLUMNS": "100"} | environment

    def fill(self, text: str) -> str:
        """Return a command with `lgk_...` and the like replaced by what was last shown, as a reader would paste it."""

        def last(found: re.Match[str]) -> str:
            known = re.findall(rf"\b{found[1]}_[0-9a-f]{{6,}}", self.shown)
            assert known, f"nothing shown so far looks like {found[0]}"
            return known[-1]

        return _PLACEHOLDER.sub(last, text).replace(_LISTEN, self.listen)

    def run(self, command: str) -> tuple[int, str]:
        """Run one command; return its exit code and everything it printed."""
        script = f"[ -f {shlex.quote(str(self._state))} ] && . {shlex.quote(str(self._state))}\n{self.fill(command)}\n"
        script += f"code=$?\nexport -p > {shlex.quote(str(self._state))}\nexit $code\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        self.shown += done.stdout
        return done.returncode, done.stdout

    def start(self, command: str, until: str) -> str:
        """Start a command that goes on running; return what it printed up to a line like `until`."""
        script = f"[ -f {shlex.quote(str(self._state))} ] && . {shlex.quote(str(self._state))}\n{self.fill(command)}\n"
        with (self.folder / "background.log").open("a", encoding="utf-8") as errors:
            running = subprocess.Popen(
                ["bash", "-c", script.replace("\nlangguard", "\nexec langguard")],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._running.append(running)
        assert running.stdout is not None
        printed = ""
        for line in running.stdout:
            printed += line
            if like(until.replace(_LISTEN, self.listen), line):
                self.shown += printed
                return printed
        log = (self.folder / "background.log").read_text(encoding="utf-8")
        raise AssertionError(f"`{command}` ended without `{until}`:\n{printed}\n{log[-2000:]}")

    def close(self) -> None:
        """End what was started."""
        for running in self._running:
            running.terminate()
        for running in self._running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(20)
            running.kill()
            running.wait()
            assert running.stdout is not None
            running.stdout.close()


def like(expected: str, printed: str) -> bool:
    """Tell whether a printed line is the expected one: ids, times and spacing apart; `...` stands for anything."""
    wanted, got = _plain(expected), _plain(printed)
    pattern = "".join(".*" if part in {"...", "…"} else re.escape(part) for part in re.split(r"(\.\.\.|…)", wanted))
    return re.fullmatch(pattern, got) is not None


def _plain(line: str) -> str:
    for pattern, text in _SAME:
        line = pattern.sub(text, line)
    return line.strip()


def compare(expected: list[str], printed: str, place: str) -> None:
    """Check that each expected line was printed, in order. A line that is only `...` stands for any lines."""
    rest = iter(printed.splitlines())
    for line in expected:
        if not line.strip() or line.strip() in {"...", "…"}:
            continue
        assert any(like(line, got) for got in rest), (
            f"{place}: not printed, or not here:\n  {line}\nprinted:\n{printed}"
        )


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Return the commands of a transcript, each with the lines it is expected to print; `> ` continues a command."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", [])
        else:
            assert found, f"a transcript starts with a command (`$ ...`), not with {line!r}"
            found[-1][1].append(line)
    return found
