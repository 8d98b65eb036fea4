"""A scripted chat model, so that the example runs offline; put any chat model of LangChain's in its place."""

from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

PLAN = (
    ("sql_db_list_tables", {"tool_input": ""}),
    ("sql_db_schema", {"table_names": "customers, orders"}),
    (
        "sql_db_query",
        {
            "query": "SELECT c.name, c.email, SUM(o.total) AS spent FROM customers c JOIN orders o "
            "ON o.customer_id = c.id GROUP BY c.id ORDER BY spent DESC LIMIT 1"
        },
    ),
    ("sql_db_query", {"query": "UPDATE orders SET total = 0"}),
)


class Scripted(BaseChatModel):
    """Takes the steps of PLAN, one a turn, and then tells what the tools said."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, *_: Any, **__: Any) -> "Scripted":
        """Return the model; it knows its tools."""
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        results = [message for message in messages if isinstance(message, ToolMessage)]
        if len(results) < len(PLAN):
            name, arguments = PLAN[len(results)]
            step = {"name": name, "args": arguments, "id": f"call_{len(results)}"}
            return _one(AIMessage("", tool_calls=[step]))
        best, update = (str(result.content) for result in results[2:4])
        return _one(AIMessage(f"Best customer: {best}\nUpdate: {update or 'done'}"))


def _one(message: AIMessage) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=message)])
