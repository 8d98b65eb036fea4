"""`langguard demo`: play the story, check it, and say so with the exit code."""

import signal
import tempfile
import threading
from pathlib import Path
from types import FrameType

from langguard.cli._extras import need
from langguard.cli._output import colour
from langguard.cli.demo.teller import Teller


def run(*, as_json: bool, keep: bool, sqlite: bool) -> int:
    """Play the demo.

    Args:
        as_json: One JSON document instead of the story.
        keep: Leave everything running until interrupted, and say what to type next.
        sqlite: Use SQLite even where PostgreSQL could run.

    Returns:
        0 if every check held, else 1.
    """
    need("demo", "starlette", "uvicorn", "cel", "langchain")
    from langguard.cli.demo import story
    from langguard.cli.demo.databases import start_database, start_sqlite
    from langguard.cli.demo.processes import gateway

    teller = Teller(as_json=as_json)
    with tempfile.TemporaryDirectory(prefix="langguard-demo-") as name:
        folder = Path(name)
        teller.line(colour("langguard demo: an agent, a real database, and the guard between them", "bold"))
        with start_sqlite() if sqlite else start_database() as database:
            stage = story.Stage(teller, database, folder)
            teller.line(f"  database  {database.note}")
            with gateway(stage.config, credentials={"SHOP_DSN": stage.url}) as home:
                state = story.ready(home)
                teller.line(f"  gateway   {home.address} (its own process, its own data folder)")
                teller.line(f"  masking   {state['masking']}")
                teller.held["masking"] = state["masking"]
                token = story.agent_key(home)

                teller.act(
                    "1. The gateway holds the credential",
                    "db = GuardedSQLDatabase.from_gateway('shop')   # no URI, no password, no driver in this process",
                )
                story.play(stage, home, token, mode="gateway")

                teller.act("2. What was recorded", "langguard session show last")
                session = story.timeline(stage, home)

                teller.act("3. Proof, without the gateway")
                story.prove(stage, home, session)

                teller.act(
                    "4. An existing agent, changed by its class name alone",
                    "db = GuardedSQLDatabase(create_engine(uri))    # was: SQLDatabase(create_engine(uri))",
                )
                story.pinned(stage, home)
                story.play(stage, home, token, mode="direct")

                good = teller.end()
                teller.line()
                teller.line(colour("every check held" if good else "a check FAILED", "green" if good else "red"))
                if keep:
                    _keep(teller, home.address, token, story.next_steps(home, token))
    return 0 if good else 1


def _keep(teller: Teller, address: str, token: str, commands: list[str]) -> None:
    """Wait until interrupted."""
    teller.line()
    teller.line(f"Left running: gateway {address}, agent's token {token}. Type next, in another terminal:")
    for command in commands:
        teller.line(f"  {command}")
    teller.line("Ctrl-C ends it all.")
    stop = threading.Event()

    def end(_: int, __: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    stop.wait()
