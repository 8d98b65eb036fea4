"""What it weighs: import time and memory in fresh processes, the gateway's memory, and the size on disk."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata as metadata
import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from packaging.requirements import Requirement

HEAVY = {
    "cel",
    "langchain_community",
    "langchain_core",
    "presidio_analyzer",
    "spacy",
    "sqlalchemy",
    "sqlglot",
    "starlette",
    "uvicorn",
}
CASES = {
    "nothing": "pass",
    "langchain_core": "import langchain_core.tools",
    "SQLDatabase": "from langchain_community.utilities import SQLDatabase",
    "langguard": "import langguard",
    "langguard + Guard": "import langguard; langguard.Guard('http://127.0.0.1:1', 'lgk_' + '0' * 32)",
    "GuardedSQLDatabase": "from langguard import GuardedSQLDatabase",
}
_PROBE = """
import json, sys, time
before = time.perf_counter()
exec(sys.argv[1])
spent = time.perf_counter() - before
try:
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM:")) / 1024
except OSError:  # elsewhere; on Linux this would count what the parent had before it started us
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
print(json.dumps([spent * 1000, peak, sorted(sys.modules)]))
"""


def measure(*, rounds: int) -> dict[str, Any]:
    """Return milliseconds, MiB and heavy modules of each case, medians over fresh processes in turn."""
    times: dict[str, list[float]] = {name: [] for name in CASES}
    memory: dict[str, list[float]] = {name: [] for name in CASES}
    loaded: dict[str, list[str]] = {}
    for turn in range(rounds + 1):  # the first round warms the file cache
        for name in list(CASES) if turn % 2 else reversed(list(CASES)):
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", _PROBE, CASES[name]], check=True, capture_output=True, text=True
            )
            spent, mib, modules = json.loads(done.stdout)
            if turn:
                times[name].append(spent)
                memory[name].append(mib)
            loaded[name] = sorted(HEAVY.intersection(modules))
    base = median(times["langchain_core"])
    return {
        name: {
            "ms": median(times[name]),
            "of_langchain_core": median(times[name]) / base,
            "mib": median(memory[name]),
            "heavy": loaded[name],
        }
        for name in CASES
    }


def resident(pid: int) -> dict[str, float]:
    """Return MiB of a process and, together, of its children (Linux only; empty elsewhere)."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        for thread in Path(f"/proc/{pid}/task").iterdir():
            children += (thread / "children").read_text(encoding="ascii").split()
        return {"gateway": _rss(pid), "workers": sum(_rss(int(child)) for child in set(children))}
    except OSError:
        return {}


def _rss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def sizes() -> dict[str, Any]:
    """Return MB on disk of langguard, of what its base install brings, and of each extra's addition."""
    own = sum(path.stat().st_size for path in Path(__file__).parents[1].joinpath("src/langguard").rglob("*.py"))
    base = _closure("langguard", ())
    found: dict[str, Any] = {"langguard": own / 1e6, "base": sum(base.values()), "packages": len(base)}
    for extra in ("gateway", "postgres", "demo"):
        wider = _closure("langguard", (extra,))
        found[f"+{extra}"] = sum(size for name, size in wider.items() if name not in base)
    found["largest"] = dict(sorted(base.items(), key=lambda item: -item[1])[:8])
    return found


def _closure(name: str, extras: tuple[str, ...]) -> dict[str, float]:
    """Return MB by distribution of all that `name[extras]` needs, langguard itself apart."""
    found: dict[str, float] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(name, extra) for extra in ("", *extras)]
    while waiting:
        current, extra = waiting.pop()
        key = (current.lower().replace("_", "-"), extra)
        if key in seen:
            continue
        seen.add(key)
        try:
            held = metadata.distribution(current)
        except metadata.PackageNotFoundError:
            continue
        if key[0] != "langguard":
            found[key[0]] = _megabytes(key[0])
        for text in held.requires or ():
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": extra}):
                waiting += [(need.name, one) for one in ("", *need.extras)]
    return found


@functools.cache
def _megabytes(name: str) -> float:
    held = metadata.distribution(name)
    sizes = 0
    for file in held.files or ():
        with contextlib.suppress(OSError):
            sizes += Path(str(held.locate_file(file))).stat().st_size
    return sizes / 1e6
