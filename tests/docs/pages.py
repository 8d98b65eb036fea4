"""What a block needs around it that its page need not show."""

import tempfile
from pathlib import Path

from langguard.errors import LangguardError
from langguard.gateway.settings import load

_AGENT = """\
from langchain.agents import create_agent
from langchain_community.agent_toolkits import SQLDatabaseToolkit
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

class _Scripted(GenericFakeChatModel):
    def bind_tools(self, tools, **kwargs):
        return self

_call = {{"name": "sql_db_query", "args": {{"query": "SELECT COUNT(*) FROM orders"}}, "id": "call_1"}}
model = _Scripted(messages=iter([AIMessage("", tool_calls=[_call]), AIMessage("There are four.")]))
uri = "sqlite:///{folder}/sales.db"
question = {{"messages": [("user", "How many orders are there?")]}}
"""
_BASE = """\
version: 1
connections:
  - {name: shop, dialect: sqlite, custody: gateway, credential: {value: ./shop.db}}
  - {name: orders, dialect: postgres, custody: gateway, credential: {env: ORDERS_DSN}}
"""


def prelude(how: str, folder: Path) -> str:
    """Return the Python that a directive puts before a block."""
    return _AGENT.format(folder=folder) if how == "agent" else ""


def sides(diff: str) -> tuple[str, str]:
    """Return the Python before and after a diff."""
    lines = diff.splitlines()
    before = [line[1:] for line in lines if line[:1] != "+"]
    after = [line[1:] for line in lines if line[:1] != "-"]
    return "\n".join(before) + "\n", "\n".join(after) + "\n"


def check_yaml(text: str, place: str) -> None:
    """Load a configuration, or a part of one, for which version and connections are supplied."""
    keys = {line.split(":")[0] for line in text.splitlines() if line[:1].isalpha()}
    whole = text if "version" in keys else f"version: 1\n{text}" if "connections" in keys else _BASE + text
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "langguard.yaml"
        path.write_text(whole, encoding="utf-8")
        try:
            load(path, {})
        except LangguardError as failed:
            raise AssertionError(f"{place}: {failed}") from failed
