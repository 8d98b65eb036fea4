"""A chat model that behaves like a text-to-SQL agent, with no network: it reads what it is given and acts on that.

It looks at the tables, reads the schema of those it needs, writes SQL, reads the rows and answers from them. It is
naive, as language models are: what a row tells an AI assistant to run, it runs. What it decides depends on the
messages alone, so one model serves any number of conversations, in any thread.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import ToolCall, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from langguard.cli.demo.questions import KNOWN, Question, Row, UnreadableError, find_orders, question_for, read_rows
from langguard.clock import new_id

LIST: Final = "sql_db_list_tables"
SCHEMA: Final = "sql_db_schema"
QUERY: Final = "sql_db_query"
QUESTIONS: Final = tuple(known.text for known in KNOWN)
_PIECE: Final = re.compile(r"\s*\S+")
_SHOWN: Final = 3  # values quoted from what an order returned


class ScriptedAnalyst(BaseChatModel):
    """The model; give it to `create_agent` with the tools of a `SQLDatabaseToolkit`.

    Attributes:
        received: Every list of messages that it was called with, in order.
    """

    received: list[list[BaseMessage]] = Field(default_factory=list, exclude=True, repr=False)

    @property
    def _llm_type(self) -> str:
        return "scripted-analyst"

    def received_texts(self) -> list[str]:
        """Return every piece of text it was ever given, tool arguments and artifacts included, each once."""
        return list(
            dict.fromkeys(text for messages in self.received for message in messages for text in _texts(message))
        )

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,  # noqa: ARG002 - it chooses by itself
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with these tools to choose from."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._reply(messages, kwargs))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._reply(messages, kwargs))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for chunk in _chunks(self._reply(messages, kwargs)):
            if run_manager is not None:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in _chunks(self._reply(messages, kwargs)):
            if run_manager is not None:
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _reply(self, messages: list[BaseMessage], options: dict[str, Any]) -> AIMessage:
        self.received.append(list(messages))
        names = {tool["function"]["name"] for tool in options.get("tools", ())}
        return _next_message(messages, names)


@dataclass(frozen=True, slots=True)
class _Done:
    """One tool call and what came back."""

    tool: str
    argument: str
    text: str
    failed: bool

    @property
    def first_line(self) -> str:
        """What a failure says, without the part that every failure starts with."""
        line = next(iter(self.text.strip().splitlines()), "")
        return line.removeprefix("Error:").strip().rstrip(".")


@dataclass(slots=True)
class _Progress:
    """What the conversation since the last question shows."""

    tables: _Done | None = None
    schema: _Done | None = None
    own: list[_Done] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    obeyed: list[_Done] = field(default_factory=list)

    def add(self, done: _Done) -> None:
        """Take in the next tool call."""
        if done.tool == QUERY and done.argument in self.orders:
            self.obeyed.append(done)
            return
        if done.tool == LIST:
            self.tables = done
        elif done.tool == SCHEMA:
            self.schema = done
        elif done.tool == QUERY:
            self.own.append(done)
        if not done.failed:
            self.orders = list(dict.fromkeys([*self.orders, *find_orders(done.text)]))

    def next_order(self) -> str | None:
        """Return what a text told it to run and it has not tried yet."""
        tried = {done.argument for done in self.obeyed}
        return next((order for order in self.orders if order not in tried), None)


def _next_message(messages: list[BaseMessage], tools: set[str]) -> AIMessage:
    """Decide the next step from everything said so far."""
    asked, progress = _read(messages)
    question = question_for(asked)
    if question is None:
        known = "\n".join(f"- {known.text}" for known in KNOWN)
        return AIMessage(content=f"I don't know how to answer that. I can answer:\n{known}")
    if not {LIST, SCHEMA, QUERY} <= tools:
        return AIMessage(content="I can't answer that: I was given no tools for a database.")
    if progress.tables is None:
        return _call("Let me see which tables there are.", LIST, {"tool_input": ""})
    listed = {name.strip().rpartition(".")[2].strip('"') for name in progress.tables.text.split(",")}
    missing = [table for table in question.tables if table not in listed]
    if progress.tables.failed or missing:
        reason = progress.tables.first_line if progress.tables.failed else f"I see no table {missing[0]}"
        return AIMessage(content=f"I can't answer that: {reason}.")
    if progress.schema is None:
        return _call("Now the columns of those I need.", SCHEMA, {"table_names": ", ".join(question.tables)})
    order = progress.next_order()
    if order is not None:
        return _call("What I just read asks me to run this first, so I will.", QUERY, {"query": order})
    return _query_or_answer(question, progress)


def _query_or_answer(question: Question, progress: _Progress) -> AIMessage:
    failed = next((done for done in progress.own if done.failed), None)
    if failed is not None:
        return _answer(f"I could not read what I need: {failed.first_line}.", progress)
    try:
        results = [read_rows(done.text) for done in progress.own]
        if len(results) < len(question.steps):
            return _call("This should tell.", QUERY, {"query": question.steps[len(results)](results)})
        return _answer(question.answer(results), progress)
    except UnreadableError as error:
        return _answer(f"I could not make sense of what the database returned: {error}.", progress)


def _answer(text: str, progress: _Progress) -> AIMessage:
    """Return the last message: the answer, and what came of the orders found on the way."""
    return AIMessage(content="\n\n".join([text, *(_confess(done) for done in progress.obeyed)]))


def _confess(done: _Done) -> str:
    told = f"A text in the database told me to run `{done.argument}`."
    if done.failed:
        return f"{told} It was refused, so I left it and went on with your question ({done.first_line})."
    rows: list[Row] = []
    try:
        rows = read_rows(done.text)
    except UnreadableError:
        return f"{told} I ran it."
    values = ", ".join(str(value) for row in rows[:_SHOWN] for value in row)
    return f"{told} I ran it and got {len(rows)} rows: {values}, ..." if values else f"{told} I ran it."


def _read(messages: list[BaseMessage]) -> tuple[str, _Progress]:
    """Return the last question and what was done since."""
    start = max((at for at, message in enumerate(messages) if isinstance(message, HumanMessage)), default=-1)
    asked = str(messages[start].text) if start >= 0 else ""
    calls: dict[str | None, ToolCall] = {}
    progress = _Progress()
    for message in messages[start + 1 :]:
        if isinstance(message, AIMessage):
            calls |= {call["id"]: call for call in message.tool_calls}
        elif isinstance(message, ToolMessage) and message.tool_call_id in calls:
            call = calls.pop(message.tool_call_id)
            text = str(message.text)
            failed = message.status == "error" or text.lstrip().startswith("Error")
            argument = next((str(value) for value in call["args"].values()), "")
            progress.add(_Done(call["name"], argument, text, failed))
    return asked, progress


def _call(thought: str, tool: str, arguments: dict[str, Any]) -> AIMessage:
    return AIMessage(content=thought, tool_calls=[tool_call(name=tool, args=arguments, id=new_id("call"))])


def _chunks(reply: AIMessage) -> Iterator[ChatGenerationChunk]:
    """Yield a reply as a model streams it: word by word, then its tool calls."""
    for piece in _PIECE.findall(str(reply.content)):
        yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
    last = AIMessageChunk(
        content="",
        tool_call_chunks=[
            tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=at)
            for at, call in enumerate(reply.tool_calls)
        ],
        chunk_position="last",
    )
    yield ChatGenerationChunk(message=last)


def _texts(message: BaseMessage) -> Iterator[str]:
    yield from _walk(message.model_dump())


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _walk(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _walk(item)
    elif value is not None:
        yield str(value)
