"""What databases have said to expect of statements, for as long as it holds, and how it is told."""

import hashlib
from collections import OrderedDict

import msgspec

from langguard.clock import Clock
from langguard.flow import Estimate, Probe
from langguard.gateway.services.connections import Connection
from langguard.gateway.settings_estimates import EstimateSettings
from langguard.protocol import Catalog

ANY_STATEMENT = "*"
"""In the place of an estimate's statement: it is assumed, for whatever statement. Never made of a client's words."""
NO_ROWS = Estimate(statement=ANY_STATEMENT, rows=0, scanned=0)
"""Of a call that reads no table."""
_REMEMBERED = 4096
_NO_CREDENTIAL = (
    "The gateway holds no credential for this connection (custody agent), so it can't ask the database how many rows "
    "to expect."
)


class Remembered:
    """Answers that still hold."""

    def __init__(self, settings: EstimateSettings, clock: Clock) -> None:
        self.always = settings.always
        self._lasts = settings.remember_us
        self._clock = clock
        self._held: OrderedDict[tuple[str, ...], tuple[int, Estimate]] = OrderedDict()

    def find(self, connection: Connection, catalog: Catalog, probe: Probe) -> Estimate | None:
        """Return what is known of a statement: an answer that holds, or that there can be none; None is: ask."""
        if connection.engine is None:
            return Estimate(statement=probe.statement, why=_NO_CREDENTIAL)
        found = self._held.get(_key(connection, catalog, probe))
        if found is None or self._clock.ticks() > found[0]:
            return None
        return found[1]

    def keep(self, connection: Connection, catalog: Catalog, probe: Probe, answer: Estimate) -> None:
        """Remember an answer."""
        self._held[_key(connection, catalog, probe)] = self._clock.ticks() + self._lasts, answer
        while len(self._held) > _REMEMBERED:
            self._held.popitem(last=False)


def _key(connection: Connection, catalog: Catalog, probe: Probe) -> tuple[str, ...]:
    asked = hashlib.sha256(msgspec.json.encode((probe.statement, probe.binds, probe.schemas))).hexdigest()
    return connection.name, asked, catalog.version, connection.statistics.version


def bucket(rows: int | None) -> str:
    """Return the power of ten a count falls into: `0`, `1-10`, `11-100`...; `unknown` for None."""
    if rows is None:
        return "unknown"
    if rows <= 0:
        return "0"
    top = 10
    while rows > top:
        top *= 10
    return f"{1 if top == 10 else top // 10 + 1}-{top}"


def facts_of(estimate: Estimate | None) -> dict[str, int]:
    """Return the facts that policy may go by: those that are known."""
    if estimate is None:
        return {}
    told = {"estimated_rows": estimate.rows, "scanned_rows": estimate.scanned}
    return {name: count for name, count in told.items() if count is not None}
