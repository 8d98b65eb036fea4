"""Scripted chat models for tests with real agents: what to ask for stands in the human message, after `SQL:`."""

import json
import uuid
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult


class Scripted(BaseChatModel):
    """Asks for one tool call for each `|`-separated query; `;;` separates turns; then says `done`.

    `ids`: `unique`, or `same` (every message numbers its calls call_0, call_1... anew, as some models do).
    """

    tool: str = "sql_db_query"
    argument: str = "query"
    ids: str = "unique"

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **_: Any) -> "Scripted":
        return self

    def message(self, messages: list[BaseMessage]) -> AIMessage:
        start = max(i for i, one in enumerate(messages) if isinstance(one, HumanMessage))
        turns = str(messages[start].content).split("SQL:", 1)[1].split(";;")
        turn = sum(1 for one in messages[start:] if isinstance(one, AIMessage))
        if turn >= len(turns):
            return AIMessage("done")
        calls = [
            {
                "name": self.tool,
                "args": {self.argument: query},
                "id": f"call_{place}" if self.ids == "same" else f"call_{uuid.uuid4().hex}",
            }
            for place, query in enumerate(turns[turn].split("|"))
        ]
        return AIMessage("", tool_calls=calls)

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.message(messages))])


class Streaming(Scripted):
    """The same in chunks: a tool call's arguments arrive in halves."""

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> Any:
        said = self.message(messages)
        if not said.tool_calls:
            yield ChatGenerationChunk(message=AIMessageChunk(content="done"))
        for place, call in enumerate(said.tool_calls):
            text = json.dumps(call["args"])
            for name, part, call_id in ((call["name"], text[:5], call["id"]), (None, text[5:], None)):
                chunk = tool_call_chunk(name=name, args=part, id=call_id, index=place)
                yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[chunk]))


def asked(query: str) -> dict[str, Any]:
    return {"messages": [("user", query)]}
