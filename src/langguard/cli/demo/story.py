"""The demo's story: a real gateway, a real database, real agents with a scripted model, and what is left afterwards."""

import json
import sys
from pathlib import Path
from typing import Any

from langguard.cli._api import Api
from langguard.cli.demo import shop
from langguard.cli.demo.databases import RunningDatabase
from langguard.cli.demo.leaks import find_leaks
from langguard.cli.demo.policy import gateway_file
from langguard.cli.demo.processes import Agent, RunningGateway
from langguard.cli.demo.teller import Teller
from langguard.cli.timeline import told
from langguard.clock import new_id
from langguard.errors import VerificationError
from langguard.ledger import verify

_FIRST_LINES = 10


class Stage:
    """What the acts share.

    Attributes:
        url: How the gateway reaches the shop: in custody `gateway` nobody else has it.
        password: The one thing the agent must never hold; empty for SQLite, which has none.
    """

    def __init__(self, teller: Teller, database: RunningDatabase, folder: Path) -> None:
        """Seed the database and write the gateway's file."""
        self.teller = teller
        self.folder = folder
        self.dialect = database.dialect
        self.password = ""
        if database.dialect == "postgresql":
            self.password = new_id("pw")
            shop.seed(database.dsn, "postgresql")
            shop.create_reader(database.dsn, self.password)
            name = database.dsn.rpartition("?")[0].rpartition("/")[2] or "postgres"
            self.url = database.address(user=shop.READER, password=self.password, database=name).url
            target = f"postgresql:///{name}"
        else:
            shop.seed(database.dsn, "sqlite")
            self.url = database.url
            target = f"sqlite:///{database.dsn}"
        self.config = folder / "langguard.yaml"
        dialect = "postgres" if database.dialect == "postgresql" else "sqlite"
        self.config.write_text(
            gateway_file(dialect=dialect, credential="{env: SHOP_DSN}", target=target), encoding="utf-8"
        )


def agent_key(gateway: RunningGateway) -> str:
    """Make the agents' API key, as an administrator does."""
    body = {"name": "shop-analyst", "groups": ["analysts"], "scopes": ["call", "observe"], "days": 1}
    return str(Api(gateway.address, gateway.administrator).ask("POST", "/v1/keys", body)["secret"])


def play(stage: Stage, gateway: RunningGateway, token: str, *, mode: str) -> list[str]:
    """Run one agent to its end, telling it; return the texts its model was shown, in JSON.

    Args:
        stage: What the acts share.
        gateway: The gateway.
        token: The agent's API key.
        mode: `gateway` (no credential) or `direct` (its own engine, class name swapped).
    """
    agent = Agent(mode, address=gateway.address, token=token, url=stage.url if mode == "direct" else "")
    shown: list[str] = []
    try:
        for event in agent.events():
            if event["event"] == "shown":
                shown = event["texts"]
                if mode == "gateway":
                    _no_credential(stage, agent, token, event["drivers"])
            else:
                stage.teller.event(event)
    finally:
        agent.end()
    stage.teller.line()
    leaks = find_leaks(shown, shop.secrets())
    kinds = sorted({leak.kind for leak in leaks})
    searched = (
        f"searched {len(shown)} messages shown to the model for {len(shop.secrets())} names, e-mails, phones and cards"
    )
    found = f"{len(leaks)} found ({', '.join(kinds)})" if leaks else "none found"
    stage.teller.check(f"no personal data ({mode})", not leaks and bool(shown), f"{searched}: {found}")
    return shown


def _no_credential(stage: Stage, agent: Agent, token: str, drivers: list[str]) -> None:
    """Show that the agent's process can't reach the database by itself."""
    tell = stage.teller
    tell.line()
    names = ", ".join(agent.environment())
    tell.check("no driver", not drivers, f"the agent's process has no database driver loaded; its variables: {names}")
    if not stage.password:
        tell.check("no credential", good=True, text="SQLite has no password; the agent was never told the file's path")
        return
    control, held = agent.holds(token.encode()), agent.holds(stage.password.encode())
    if control is None:
        tell.line("        its memory can't be searched on this system, so that check is left out")
        return
    tell.check(
        "no credential",
        bool(control) and held is False,
        "its memory, searched: the gateway's token is there, the database's password is not",
    )


def timeline(stage: Stage, gateway: RunningGateway) -> str:
    """Show the newest session as a timeline; return its id."""
    api = Api(gateway.address, gateway.administrator)
    session = str(api.ask("GET", "/v1/sessions")["sessions"][0]["id"])
    held = api.ask("GET", f"/v1/sessions/{session}")
    stage.teller.held["timeline"] = held
    lines = list(told(held))
    last = max(number for number, line in enumerate(lines) if "prompt " in line)
    for line in [
        *lines[:_FIRST_LINES],
        "",
        f"({last - _FIRST_LINES} lines more, told by: session show)",
        *lines[last:],
    ]:
        stage.teller.line(f"  {line}")
    denied = [entry for entry in held["timeline"] if entry["data"].get("decision") == "deny"]
    answers = [entry for entry in held["timeline"] if entry["kind"] == "observation"]
    exact = [entry for entry in held["timeline"] if entry["data"].get("provenance") == "exact"]
    calls = [entry for entry in held["timeline"] if entry["kind"] == "intent"]
    stage.teller.line()
    stage.teller.check(
        "destructive statement refused",
        any("ddl" in entry["data"]["actions"] for entry in denied),
        f"{len(denied)} statement(s) refused, the DROP TABLE among them",
    )
    stage.teller.check(
        "prompt known",
        bool(calls) and len(exact) == len(calls) and bool(answers),
        f"{len(exact)} of {len(calls)} calls are tied to the very prompt and model message that caused them; "
        f"{len(answers)} answers recorded",
    )
    return session


def prove(stage: Stage, gateway: RunningGateway, session: str) -> None:
    """Export a session, verify it without the gateway, change one byte, and verify again."""
    api = Api(gateway.address, gateway.administrator)
    held = api.fetch(f"/v1/sessions/{session}/export")
    export = stage.folder / "session.jsonl"
    export.write_bytes(held)
    key = str(api.ask("GET", "/v1/checkpoint")["key"])
    report = verify(held, trusted_key=key)
    stage.teller.line(f"  $ langguard session export {session} -o session.jsonl")
    stage.teller.line("  $ langguard ledger verify session.jsonl --key ...")
    stage.teller.check(
        "verified",
        good=True,
        text=f"{report.entries} entries and {report.bodies} texts verified against head {report.root[:16]}, offline",
    )
    forged = _one_byte_changed(held)
    (stage.folder / "forged.jsonl").write_bytes(forged)
    stage.teller.line("  $ langguard ledger verify forged.jsonl          # one byte of it was changed")
    try:
        verify(forged, trusted_key=key)
    except VerificationError as caught:
        stage.teller.check("forgery found", caught.entry is not None, f"not verified: {caught}")
    else:
        stage.teller.check("forgery found", good=False, text="a changed byte went unnoticed")


def _one_byte_changed(export: bytes) -> bytes:
    """Return the export with one letter of one recorded text changed: who would miss a single table name?"""
    at = export.index(b"DROP TABLE") + len(b"DROP TABLE ")
    return export[:at] + bytes([export[at] ^ 1]) + export[at + 1 :]


def pinned(stage: Stage, gateway: RunningGateway) -> None:
    """Pin the structure of the connection in custody `agent`, as an administrator does."""
    from langguard.drivers.sql import open_engine
    from langguard.drivers.sql_catalog import snapshot

    engine = open_engine(stage.url)
    dialect = "postgres" if stage.dialect == "postgresql" else "sqlite"
    catalog = snapshot(engine, dialect=dialect)
    engine.dispose()
    Api(gateway.address, gateway.administrator).ask("PUT", "/v1/connections/shop-direct/catalog", catalog)


def next_steps(gateway: RunningGateway, token: str) -> list[str]:
    """Return what to type next, with everything left running."""
    home = f"LANGGUARD_URL={gateway.address}"
    python = Path(sys.executable)
    langguard = python.with_name("langguard")
    statement = "SELECT name, email, city FROM customers LIMIT 3"
    code = f"from langguard import GuardedSQLDatabase as D; print(D.from_gateway('shop').run({json.dumps(statement)}))"
    return [
        f'{home} LANGGUARD_TOKEN={token} {python} -W ignore -c "{code.replace(chr(34), chr(92) + chr(34))}"',
        f"{home} LANGGUARD_TOKEN={gateway.administrator} {langguard} session show last",
        f"{home} LANGGUARD_TOKEN={gateway.administrator} {langguard} policy explain -c shop -g analysts "
        f"'SELECT upper(name) FROM customers'",
    ]


def ready(gateway: RunningGateway) -> dict[str, Any]:
    """Return what the gateway says of itself."""
    held: dict[str, Any] = Api(gateway.address, gateway.administrator).ask("GET", "/readyz")
    return held
