"""Time added to one SELECT, by custody, kind of columns, and whether the statement was seen before.

Every round runs every way once, in the reverse order of the round before, so that whatever else the machine does falls
on all alike. "Added" is taken round by round: the guarded time minus that round's time of SQLDatabase.run.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from langchain_community.utilities import SQLDatabase

import langguard.client.run as client_run
from bench.place import Place, now

ROWS = 20
KINDS = {
    "clear": "SELECT city, country, segment FROM customers WHERE id > 100 AND id < {} ORDER BY id LIMIT 20",
    "masked": "SELECT name, email, phone, card_number FROM customers WHERE id > 100 AND id < {} ORDER BY id LIMIT 20",
    "analysed": "SELECT title, body, created FROM reviews WHERE id > 100 AND id < {} ORDER BY id LIMIT 20",
}
"""By what masking has to do: nothing; whole columns by rule; look into each text for what it holds."""
WAYS = ("sqlalchemy", "SQLDatabase", "gateway", "agent")
BASE = "SQLDatabase"
STEPS = ("client", "transport", "judge", "record_intent", "run", "mask", "record_outcome")
_NEVER_SEEN = itertools.count(2_000_000)
_AGENT_STEPS = {"Ask": "ask", "RunTarget": "run", "MaskRows": "mask", "RecordOutcome": "report"}


@dataclass
class Series:
    """Microseconds, one a round, in all and by step."""

    total: list[float] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=dict)

    def add(self, total: float, steps: dict[str, float]) -> None:
        self.total.append(total)
        for name, spent in steps.items():
            self.steps.setdefault(name, []).append(spent)


def percentile(values: list[float], share: float) -> float:
    """Return the smallest value that `share` of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1))]


def measure(held: Place, *, rounds: int, warm_up: int) -> dict[str, Any]:
    """Return, for each kind of columns, hot and cold: percentiles by way and step, in microseconds."""
    floor: list[float] = []
    found: dict[str, Any] = {}
    with _agent_steps() as agent_steps:
        ways = _ways(held, agent_steps)
        for kind, statement in KINDS.items():
            for state in ("hot", "cold"):
                series = {way: Series() for way in WAYS}
                for turn in range(-warm_up, rounds):
                    order = WAYS if turn % 2 else tuple(reversed(WAYS))
                    for way in order:
                        text = statement.format(1_000_000 if state == "hot" else next(_NEVER_SEEN))
                        total, steps = ways[way](text)
                        if turn >= 0:
                            series[way].add(total, steps)
                    floor.append(_fsync(held.folder))
                found[f"{kind} {state}"] = {way: _summary(one, series[BASE]) for way, one in series.items()}
    return {
        "rounds": rounds,
        "cases": found,
        "fdatasync_us": {"p50": percentile(floor, 0.5), "p99": percentile(floor, 0.99)},
    }


def _ways(held: Place, agent_steps: dict[str, float]) -> dict[str, Callable[[str], tuple[float, dict[str, float]]]]:
    plain = SQLDatabase(held.engine)

    def sqlalchemy(text: str) -> tuple[float, dict[str, float]]:
        before = now()
        with held.engine.connect() as link:
            rows = link.exec_driver_sql(text).fetchall()
        return _checked(now() - before, len(rows)), {}

    def database(text: str) -> tuple[float, dict[str, float]]:
        before = now()
        shown = plain.run(text)
        return _checked(now() - before, str(shown).count("\n") or ROWS), {}

    def by_gateway(text: str) -> tuple[float, dict[str, float]]:
        before = now()
        held.by_gateway.run(text)
        total = now() - before
        server = {name: float(spent) for name, spent in held.guard.server_us.items()}
        transport = held.guard.asked_us - sum(server.values())
        return total, {"client": total - held.guard.asked_us, "transport": transport, **server}

    def by_agent(text: str) -> tuple[float, dict[str, float]]:
        agent_steps.clear()
        before = now()
        held.by_agent.run(text)
        total = now() - before
        server = held.agent_guard.server_us
        asked = agent_steps["ask"]
        return total, {
            "client": total - sum(agent_steps.values()),
            "transport": asked - sum(server.values()),
            "judge": float(server["judge"]),
            "record_intent": float(server["record_intent"]),
            "run": agent_steps["run"],
            "mask": agent_steps["mask"],
            "record_outcome": agent_steps["report"],
        }

    for run in (held.by_gateway.run, held.by_agent.run, plain.run):
        for statement in KINDS.values():
            if len(run(statement.format(1_000_000), fetch="cursor").fetchall()) != ROWS:  # type: ignore[union-attr]
                msg = "a way into the database does not return the rows that are measured"
                raise SystemExit(msg)
    return {"sqlalchemy": sqlalchemy, "SQLDatabase": database, "gateway": by_gateway, "agent": by_agent}


def _checked(spent: float, rows: int) -> float:
    if rows != ROWS:
        msg = f"{rows} rows came back, not {ROWS}"
        raise SystemExit(msg)
    return spent


@contextmanager
def _agent_steps():
    """Time each step that custody `agent` does in this process."""
    spent: dict[str, float] = {}
    act = client_run._AgentDriver.do

    def timed(self, step):
        before = now()
        try:
            return act(self, step)
        finally:
            name = _AGENT_STEPS.get(type(step).__name__)
            if name:
                spent[name] = now() - before

    client_run._AgentDriver.do = timed  # type: ignore[method-assign]
    try:
        yield spent
    finally:
        client_run._AgentDriver.do = act  # type: ignore[method-assign]


def _summary(one: Series, base: Series) -> dict[str, Any]:
    added = [guarded - plain for guarded, plain in zip(one.total, base.total, strict=True)]
    return {
        "p50": percentile(one.total, 0.5),
        "p99": percentile(one.total, 0.99),
        "added_p50": percentile(added, 0.5),
        "added_p99": percentile(added, 0.99),
        "steps_p50": {name: median(values) for name, values in one.steps.items()},
        "steps_p99": {name: percentile(values, 0.99) for name, values in one.steps.items()},
    }


def _fsync(folder: Path) -> float:
    """Return what one durable write of 2 KB costs on the ledger's disk: the least a record can cost."""
    place = os.open(folder / "floor", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        before = now()
        os.write(place, b"x" * 2048)
        (os.fdatasync if hasattr(os, "fdatasync") else os.fsync)(place)
        return now() - before
    finally:
        os.close(place)
