"""The agent of the demo, in a process of its own: told only where the gateway is, and a token.

It prints one JSON event a line, ends with every text its model was shown (so that the parent can search them for
personal data), and then waits: the parent looks into its memory for the database's password before it lets it go.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler


def tell(event: str, **facts: Any) -> None:
    """Print one event."""
    print(json.dumps({"event": event, **facts}, ensure_ascii=False, default=str), flush=True)


class Narrator(BaseCallbackHandler):
    """Tells what the agent does, as it does it. An agent of yours needs nothing like it."""

    run_inline = True

    def on_tool_start(self, serialized: dict[str, Any] | None, input_str: str, **kwargs: Any) -> None:
        """Tell which tool is called."""
        asked = kwargs.get("inputs") or {}
        name = (serialized or {}).get("name", "")
        tell("tool", name=name, asked=str(next(iter(asked.values()), "") if asked else input_str))

    def on_tool_end(self, output: Any, **_: Any) -> None:
        """Tell what came back."""
        text = str(getattr(output, "content", output))
        tell("result", refused=text.startswith("Error"), text=text)


def main(arguments: Sequence[str]) -> None:
    """Answer the questions.

    Args:
        arguments: `gateway` or `direct`; for `direct` the database's URL comes on standard input.
    """
    mode = arguments[0]
    url = sys.stdin.readline().strip() if mode == "direct" else ""

    from langchain.agents import create_agent
    from langchain_community.agent_toolkits import SQLDatabaseToolkit

    from langguard import GuardCallbackHandler, GuardedSQLDatabase
    from langguard.cli.demo.model import QUESTIONS, ScriptedAnalyst

    if mode == "gateway":
        db = GuardedSQLDatabase.from_gateway("shop")
        questions = [QUESTIONS[0], QUESTIONS[1], QUESTIONS[2], QUESTIONS[4]]
    else:
        from sqlalchemy import create_engine

        db = GuardedSQLDatabase(create_engine(url))  # was: SQLDatabase(create_engine(url))
        questions = [QUESTIONS[2], QUESTIONS[3]]
    model = ScriptedAnalyst()
    agent: Any = create_agent(model, SQLDatabaseToolkit(db=db, llm=model).get_tools())
    for question in questions:
        tell("question", text=question)
        handlers = [GuardCallbackHandler(), Narrator()]
        held = agent.invoke({"messages": [("user", question)]}, config={"callbacks": handlers})
        tell("answer", text=str(held["messages"][-1].content))
    drivers = [name for name in ("psycopg", "psycopg2", "asyncpg", "pg8000") if name in sys.modules]
    tell("shown", texts=model.received_texts(), drivers=drivers)
    sys.stdin.readline()


if __name__ == "__main__":
    main(sys.argv[1:])
