"""Real agents, scripted models: the context each call is recorded with is never a wrong `exact`.

Each query names its own question (`select 17` is asked by `q17`), so the test knows which prompt and which message
truly caused each statement that arrived.
"""

import asyncio
import concurrent.futures
import json
import operator
import threading
import warnings
from collections.abc import Iterator
from typing import Annotated, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from tests.support.agents import Scripted, Streaming, asked
from tests.support.fake_gateway import API_KEY, FakeGateway

from langguard import Guard, GuardCallbackHandler, GuardedSQLDatabase
from langguard.components.recorder import RECORDER
from langguard.components.runs import Runs
from langguard.protocol import CallRequest, SqlCall

warnings.filterwarnings("ignore", message=".*langchain-community.*", category=DeprecationWarning)
from langchain.agents import create_agent  # noqa: E402
from langchain.agents.middleware import HumanInTheLoopMiddleware, wrap_tool_call  # noqa: E402
from langchain_community.tools.sql_database.tool import QuerySQLDatabaseTool  # noqa: E402
from langgraph.checkpoint.memory import InMemorySaver  # noqa: E402
from langgraph.graph import START, MessagesState, StateGraph  # noqa: E402
from langgraph.prebuilt import ToolNode, tools_condition  # noqa: E402
from langgraph.types import Command  # noqa: E402


class World:
    """A fake gateway, a guarded database on it, its tool, and what was recorded."""

    def __init__(self) -> None:
        self.gateway = FakeGateway().start()
        self.guard = Guard(self.gateway.url, API_KEY)
        self.db = GuardedSQLDatabase.from_gateway("shop", guard=self.guard)
        self.tool = QuerySQLDatabaseTool(db=self.db)

    def agent(self, model=None, tools=None, **more):
        return create_agent(model or Scripted(), tools or [self.tool], **more)

    def calls(self) -> list[CallRequest]:
        return [call for call in self.gateway.calls if isinstance(call.call, SqlCall)]

    def truth(self, call: CallRequest) -> bool:
        """Say whether prompt and message are those that hold this very statement (each is unique in its test)."""
        context, statement = call.context, call.call.statement
        prompt, said = self.gateway.body(context.prompt), json.loads(self.gateway.body(context.model_message))
        held = [one for one in said["tool_calls"] if one["id"] == context.tool_call_id]
        return statement in prompt.replace("|", ";;").split("SQL:")[1].split(";;") and [
            statement in map(str, one["args"].values()) for one in held
        ] == [True]

    def kinds(self) -> list[str]:
        return [call.context.provenance for call in self.calls()]

    def never_wrong(self) -> None:
        for call in self.calls():
            if call.context.provenance == "exact":
                assert self.truth(call), call

    def close(self) -> None:
        self.guard.close()
        self.gateway.stop()


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def all_exact(world: World, count: int) -> None:
    assert world.kinds() == ["exact"] * count
    world.never_wrong()


# ---- what LangChain provides ids for


def test_an_agent_run_is_exact_with_its_whole_story(world):
    world.agent().invoke(asked("q1 SQL:select 1"), {"configurable": {"thread_id": "t-1"}})
    all_exact(world, 1)
    context = world.calls()[0].context
    assert context.source == "callbacks"
    assert context.thread_id == "t-1"
    assert context.tool == "sql_db_query"
    assert context.runs[0].kind == "tool"
    assert context.runs[-1].id == context.root_run_id
    assert context.runs[-1].parent is None
    assert all(run.parent == above.id for run, above in zip(context.runs, context.runs[1:], strict=False))
    assert [json.loads(world.gateway.body(digest))["role"] for digest in context.messages] == ["human"]


def test_200_interleaved_calls_over_threads_tasks_batches_and_parallel_calls(world):
    agents = {ids: world.agent(Scripted(ids=ids)) for ids in ("unique", "same")}

    def one(start: int, ids: str) -> dict:
        return asked(f"q{start} SQL:select {start}|select {start + 1};;select {start + 2}|select {start + 3}")

    async def tasks(first: int) -> None:
        await asyncio.gather(*(agents["same"].ainvoke(one(first + 4 * i, "same")) for i in range(10)))

    jobs = [
        lambda: [agents["unique"].invoke(one(1000 + 4 * i, "unique")) for i in range(10)],
        lambda: agents["same"].batch([one(2000 + 4 * i, "same") for i in range(10)]),
        lambda: asyncio.run(tasks(3000)),
        lambda: [agents["same"].invoke(one(4000 + 4 * i, "same")) for i in range(10)],
        lambda: agents["unique"].batch([one(5000 + 4 * i, "unique") for i in range(10)]),
    ]
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(job) for job in jobs]:
            done.result()
    kinds = world.kinds()
    assert len(kinds) == 200
    assert len({call.call.statement for call in world.calls()}) == 200
    world.never_wrong()
    assert kinds.count("exact") >= 190


@pytest.mark.parametrize("mode", ["values", "messages", "updates"])
def test_streamed_tool_calls_are_exact(world, mode):
    for _ in world.agent(Streaming()).stream(asked("q1 SQL:select 1|select 2"), stream_mode=mode):
        pass
    all_exact(world, 2)


async def test_async_runs_and_events_are_exact(world):
    agent = world.agent()
    await agent.ainvoke(asked("q1 SQL:select 1|select 2"))
    async for _ in agent.astream_events(asked("q3 SQL:select 3"), version="v2"):
        pass
    all_exact(world, 3)


def test_a_sub_agent_is_exact_and_keeps_the_whole_ancestry(world):
    inner = world.agent(name="inner")

    @tool
    def ask_inner(question: str) -> str:
        """Delegate."""
        return inner.invoke(asked(question))["messages"][-1].content

    class Outer(Scripted):
        def message(self, messages):
            if isinstance(messages[-1], HumanMessage):
                call = {"name": "ask_inner", "args": {"question": "inner SQL:select 8"}, "id": "outer_1"}
                return AIMessage("", tool_calls=[call])
            return AIMessage("done")

    create_agent(Outer(), [ask_inner], name="outer").invoke(asked("what the person asked"))
    all_exact(world, 1)
    names = [run.name for run in world.calls()[0].context.runs]
    places = [names.index(name) for name in ("sql_db_query", "inner", "ask_inner", "outer")]
    assert places == sorted(places)


def test_parallel_sub_agents_and_a_tool_with_the_same_ids_are_never_mixed_up(world):
    """The trap: inner agents number their calls call_0 like the outer one, side by side under one root."""
    inner = world.agent(Scripted(ids="same"), name="inner")

    @tool
    def ask_inner(question: str) -> str:
        """Delegate."""
        return inner.invoke(asked(question))["messages"][-1].content

    class Outer(Scripted):
        def message(self, messages):
            if not isinstance(messages[-1], HumanMessage):
                return AIMessage("done")
            calls = [
                {"name": "ask_inner", "args": {"question": f"inner{i} SQL:select 8{i}"}, "id": f"call_{i}"}
                for i in range(1, 4)
            ]
            return AIMessage(
                "", tool_calls=[*calls, {"name": "sql_db_query", "args": {"query": "select 99"}, "id": "call_0"}]
            )

    create_agent(Outer(), [ask_inner, world.tool], name="outer").batch(
        [asked(f"outer{i} SQL:select 99") for i in range(3)]
    )
    assert len(world.calls()) == 12
    world.never_wrong()
    assert world.kinds().count("exact") == 12


def test_hand_made_graphs_are_exact(world):
    graph = StateGraph(MessagesState)
    graph.add_node("llm", lambda state: {"messages": [Scripted(ids="same").invoke(state["messages"])]})
    graph.add_node("tools", ToolNode([world.tool]))
    graph.add_edge(START, "llm")
    graph.add_conditional_edges("llm", tools_condition)
    graph.add_edge("tools", "llm")
    graph.compile().invoke(asked("q1 SQL:select 1|select 2;;select 3|select 4"))
    all_exact(world, 4)


def test_a_resumed_run_is_exact_from_the_graphs_state(world, monkeypatch):
    agent = world.agent(
        middleware=[HumanInTheLoopMiddleware(interrupt_on={"sql_db_query": True})], checkpointer=InMemorySaver()
    )
    config = {"configurable": {"thread_id": "t1"}}
    agent.invoke(asked("q1 SQL:select 1"), config)
    monkeypatch.setattr(RECORDER, "runs", Runs())  # another process would know nothing
    monkeypatch.setattr(
        "langguard.components.provenance.capture.__kwdefaults__", {"runs": RECORDER.runs}, raising=False
    )
    agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), config)
    all_exact(world, 1)
    assert world.calls()[0].context.source == "state"


def test_a_statement_that_middleware_changed_is_tied_to_its_message_and_both_are_recorded(world):
    @wrap_tool_call
    def change(request, handler):
        return handler(request.override(tool_call={**request.tool_call, "args": {"query": "select 100"}}))

    world.agent(middleware=[change]).invoke(asked("q1 SQL:select 1"))
    (call,) = world.calls()
    assert (call.context.provenance, call.call.statement) == ("exact", "select 100")
    assert "select 1" in world.gateway.body(call.context.model_message)


@pytest.mark.parametrize("how", ["ctx_pool", "to_thread", "create_task"])
def test_context_carried_along_is_exact(world, how):
    from langchain_core.runnables.config import ContextThreadPoolExecutor

    @tool
    def ctx_pool(query: str) -> str:
        """Run."""
        with ContextThreadPoolExecutor(1) as pool:
            return str(pool.submit(world.db.run, query).result())

    @tool
    async def to_thread(query: str) -> str:
        """Run."""
        return str(await asyncio.to_thread(world.db.run, query))

    @tool
    async def create_task(query: str) -> str:
        """Run."""

        async def later() -> str:
            return str(world.db.run(query))

        return await asyncio.create_task(later())

    chosen = {"ctx_pool": ctx_pool, "to_thread": to_thread, "create_task": create_task}[how]
    asyncio.run(world.agent(Scripted(tool=how), [chosen]).ainvoke(asked("q1 SQL:select 1")))
    all_exact(world, 1)


# ---- hazards: what LangChain does not tell is not claimed


@pytest.mark.parametrize("how", ["thread", "pool"])
def test_a_plain_thread_inside_a_tool_is_unknown(world, how):
    @tool
    def raw(query: str) -> str:
        """Run."""
        if how == "pool":
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                return str(pool.submit(world.db.run, query).result())
        thread = threading.Thread(target=world.db.run, args=(query,))
        thread.start()
        thread.join()
        return ""

    world.agent(Scripted(tool="raw"), [raw]).invoke(asked("q1 SQL:select 1"))
    assert world.kinds() == ["unknown"]
    assert world.calls()[0].context.model_message is None


def test_a_hand_written_loop_without_tools_is_unknown(world):
    said = Scripted().invoke("q1 SQL:select 1")
    for call in said.tool_calls:
        world.db.run(call["args"]["query"])
        world.tool.invoke(call["args"])
    assert world.kinds() == ["unknown", "unknown"]


async def test_async_hand_written_loops_are_never_mixed_up(world):
    async def loop(number: int) -> None:
        said = await Scripted(ids="same").ainvoke(f"q{number} SQL:select {number}")
        await asyncio.sleep(0)
        for call in said.tool_calls:
            await asyncio.to_thread(world.db.run, call["args"]["query"])

    await asyncio.gather(*(loop(number) for number in range(10)))
    assert world.kinds() == ["unknown"] * 10


def test_a_hand_written_loop_with_tool_calls_is_inferred_by_the_id(world):
    said = Scripted().invoke("q1 SQL:select 1")
    for call in said.tool_calls:
        world.tool.invoke(call)
    context = world.calls()[0].context
    assert (context.provenance, context.source) == ("inferred", "call_id")
    assert world.gateway.body(context.prompt) == "q1 SQL:select 1"


def test_a_hand_written_loop_with_ids_that_repeat_is_unknown(world):
    said = [Scripted(ids="same").invoke(f"q{n} SQL:select {n}") for n in (1, 2)]
    world.tool.invoke(said[0].tool_calls[0])
    assert world.kinds() == ["unknown"]


def test_a_chain_without_tools_is_inferred_from_its_model(world):
    chain = Scripted() | RunnableLambda(lambda said: world.db.run(said.tool_calls[0]["args"]["query"]))
    chain.batch([f"q{n} SQL:select {n}" for n in range(3)])
    assert {(call.context.provenance, call.context.source) for call in world.calls()} == {("inferred", "sibling")}
    for call in world.calls():
        assert call.call.statement in world.gateway.body(call.context.prompt)


def test_a_graph_node_that_runs_sql_is_inferred(world):
    class State(TypedDict):
        messages: Annotated[list, operator.add]
        sql: str

    graph = StateGraph(State)
    graph.add_node("write", lambda s: {"sql": Scripted().invoke(s["messages"]).tool_calls[0]["args"]["query"]})
    graph.add_node("execute", lambda s: world.db.run(s["sql"]) and {})
    graph.add_edge(START, "write")
    graph.add_edge("write", "execute")
    graph.compile().invoke({"messages": [HumanMessage("q1 SQL:select 1")]})
    assert world.kinds() == ["inferred"]


def test_a_bare_call_after_everything_is_unknown(world):
    world.agent().invoke(asked("q1 SQL:select 1"))
    world.db.run("select 2")
    assert world.kinds() == ["exact", "unknown"]


# ---- the handler, and memory


class Counting(BaseCallbackHandler):
    def __init__(self) -> None:
        self.starts = 0

    def on_tool_start(self, *_, **__) -> None:
        self.starts += 1


def test_an_attached_handler_changes_nothing_and_reports_the_answer_once(world):
    handler = GuardCallbackHandler(guard=world.guard)
    before = len(RECORDER.runs._roots)
    world.agent().invoke(asked("q1 SQL:select 1"), {"callbacks": [handler], "configurable": {"thread_id": "t-9"}})
    all_exact(world, 1)
    (seen,) = world.gateway.observations
    context = world.calls()[0].context
    assert (seen.text, seen.root_run_id, seen.thread_id) == ("done", context.root_run_id, "t-9")
    added = len(RECORDER.runs._roots) - before
    world.agent().invoke(asked("q2 SQL:select 2"))
    assert len(RECORDER.runs._roots) - before == 2 * added
    assert len(world.gateway.observations) == 1


async def test_the_answer_of_an_async_run_is_reported(world):
    handler = GuardCallbackHandler(guard=world.guard)
    await world.agent().ainvoke(asked("q1 SQL:select 1"), {"callbacks": [handler]})
    assert [seen.text for seen in world.gateway.observations] == ["done"]


def test_a_run_without_guarded_calls_reports_nothing(world):
    Scripted().invoke("q1 SQL:x", {"callbacks": [GuardCallbackHandler(guard=world.guard)]})
    RunnableLambda(str).invoke("hello", {"callbacks": [GuardCallbackHandler(guard=world.guard)]})
    assert world.gateway.observations == []


def test_an_answer_that_can_not_be_reported_is_told_and_breaks_nothing(world, caplog):
    world.gateway.faults["POST /v1/observations"] = [lambda *_: (_ for _ in ()).throw(OSError("gone"))] * 3
    out = world.agent().invoke(asked("q1 SQL:select 1"), {"callbacks": [GuardCallbackHandler(guard=world.guard)]})
    assert out["messages"][-1].content == "done"
    assert "was not recorded" in caplog.text
    assert API_KEY not in caplog.text
