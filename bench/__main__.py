"""`python -m bench`: measure, print, and keep the figures in bench/results/."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import warnings
from typing import Any

warnings.filterwarnings("ignore", message=".*langchain-community.*", category=DeprecationWarning)

from bench import footprint, latency, report  # noqa: E402 - after the filter, which their imports need
from bench.place import RESULTS, place  # noqa: E402


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--quick", action="store_true", help="few rounds: to see that it works, not to quote")
    options.add_argument("--rounds", type=int, default=0, help="rounds of each case (default 400, quick 40)")
    options.add_argument("--database", choices=("postgresql", "sqlite", "both"), default="both")
    options.add_argument("--part", choices=("latency", "footprint", "both"), default="both")
    chosen = options.parse_args()
    rounds = chosen.rounds or (40 if chosen.quick else 400)
    found: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load": list(os.getloadavg()),
    }
    print(f"Python {found['python']}, {found['machine']}, load {found['load'][0]:.1f}\n")
    if chosen.part != "footprint":
        for name in ("postgresql", "sqlite") if chosen.database == "both" else (chosen.database,):
            with place(name) as held:
                found[name] = latency.measure(held, rounds=rounds, warm_up=min(rounds, 30))
                found.setdefault("resident", {})[name] = footprint.resident(held.gateway.process.pid)
            print(report.latency(name, found[name]) + "\n")
            print(report.goals(name, found[name]) + "\n", flush=True)
    if chosen.part != "latency":
        found["imports"] = footprint.measure(rounds=3 if chosen.quick else 7)
        found["sizes"] = footprint.sizes()
        print(report.footprint(found) + "\n")
    RESULTS.mkdir(exist_ok=True)
    kept = RESULTS / f"{found['at'].replace(':', '')}.json"
    kept.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print(f"kept in {kept.relative_to(RESULTS.parents[1])}")


if __name__ == "__main__":
    sys.exit(main())
