"""Ways to be tied to the wrong message: one row, one sentence of the rule. A wrong `exact` is the only failure here."""

import json
import operator
import threading
import uuid
from typing import Annotated, TypedDict

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.runnables.config import var_child_runnable_config
from tests.support.agents import Scripted, asked
from tests.support.fake_gateway import API_KEY, FakeGateway

from langguard import Guard, GuardedSQLDatabase
from langguard.components.provenance import capture
from langguard.components.runs import Runs


class Here:
    """Stands for LangChain's callback manager inside a run."""

    def __init__(self, run_id):
        self.parent_run_id = run_id


class Story:
    """Tells `Runs` a run tree by hand, and captures inside one of its runs."""

    def __init__(self, **limits):
        self.runs = Runs(**limits)
        self.ids = {}

    def start(self, name, kind, parent=None, **facts):
        run_id = self.ids[name] = uuid.uuid4()
        self.runs.start(run_id, self.ids.get(parent, parent), kind, facts.pop("called", name), **facts)

    def model(self, name, parent, *calls, tool="sql"):
        message = AIMessage(
            "", id=f"lc_run--{name}", tool_calls=[{"name": tool, "args": {}, "id": one} for one in calls]
        )
        self.start(name, "model", parent, prompt=(HumanMessage(f"asked {name}"),))
        self.runs.said(self.ids[name], message)
        return message

    def tool(self, name, parent, call_id, **facts):
        self.start(name, "tool", parent, called="sql", tool_call_id=call_id, **facts)

    def capture(self, inside, state=None, namespace="graph:1"):
        def read(*_):
            if isinstance(state, Exception):
                raise state
            return state

        config = {"callbacks": Here(self.ids[inside]), "metadata": {"langgraph_checkpoint_ns": namespace}}
        if state is not None:
            config["configurable"] = {"__pregel_read": read}
        held = var_child_runnable_config.set(config)
        try:
            context, bodies = capture(runs=self.runs)
        finally:
            var_child_runnable_config.reset(held)
        return context.provenance, context.source, bodies.get(context.prompt, "")


def lone():
    story = Story()
    story.start("root", "chain")
    story.model("m", "root", "call_0")
    story.tool("t", "root", "call_0", namespace="graph:1")
    return story


def said(name, *calls, tool="sql"):
    return AIMessage("", id=f"lc_run--{name}", tool_calls=[{"name": tool, "args": {}, "id": one} for one in calls])


def test_the_plain_case_is_exact():
    assert lone().capture("t") == ("exact", "callbacks", "asked m")


def test_a_model_inside_another_tool_can_not_have_asked():
    story = Story()
    story.start("root", "chain")
    story.model("asker", "root", "call_0", "call_1")
    story.start("node", "chain", "root")
    story.tool("other", "node", "call_1")
    story.model("inner", "other", "call_0")
    story.tool("t", "node", "call_0")
    assert story.capture("t") == ("exact", "callbacks", "asked asker")


def test_a_model_below_the_tool_can_not_have_asked_for_it():
    story = Story()
    story.start("root", "chain")
    story.tool("t", "root", "call_0")
    story.model("inner", "t", "call_0")
    assert story.capture("t")[0] != "exact"


def test_a_model_outside_of_the_enclosing_tool_can_not_have_asked():
    story = Story()
    story.start("root", "chain")
    story.model("outer", "root", "call_0", tool="sql")
    story.tool("delegate", "root", "call_0")
    story.start("agent", "chain", "delegate")
    story.tool("t", "agent", "call_0")
    assert story.capture("t")[0] == "inferred"


def test_two_messages_with_one_id_are_not_told_apart_by_order():
    story = lone()
    story.model("m2", "root", "call_0")
    assert story.capture("t")[0] == "inferred"


def test_one_id_twice_in_one_message_is_no_id():
    story = Story()
    story.start("root", "chain")
    story.model("m", "root", "call_0", "call_0")
    story.tool("t", "root", "call_0")
    assert story.capture("t")[0] == "inferred"


def test_a_message_that_asks_for_another_tool_did_not_ask_for_this_one():
    story = Story()
    story.start("root", "chain")
    story.model("m", "root", "call_0", tool="send_mail")
    story.tool("t", "root", "call_0")
    assert story.capture("t")[0] == "inferred"


def test_a_message_of_another_run_with_the_same_id_is_not_exact():
    story = Story()
    story.start("elsewhere", "chain")
    story.model("m", "elsewhere", "call_0")
    story.start("root", "chain")
    story.tool("t", "root", "call_0")
    assert story.capture("t")[0] == "inferred"


def test_a_tree_whose_beginning_was_not_seen_proves_nothing():
    story = Story()
    unseen = uuid.uuid4()
    story.start("node", "chain", unseen)
    story.model("m", "node", "call_0")
    story.tool("t", "node", "call_0")
    assert story.capture("t")[0] == "inferred"


def test_a_tree_that_was_thinned_proves_nothing():
    story = Story(most_nodes=20)
    story.start("root", "chain")
    story.model("asker", "root", "call_0")
    for number in range(40):
        story.start(f"n{number}", "chain", "root")
        story.runs.end(story.ids[f"n{number}"])
    story.model("other", "root", "call_0")
    story.tool("t", "root", "call_0")
    assert story.capture("t")[0] != "exact"


@pytest.mark.parametrize(
    ("state", "found"),
    [
        pytest.param([said("m", "call_0")], ("exact", "callbacks", "asked m"), id="the graph says the same"),
        pytest.param(
            [HumanMessage("older"), said("old", "call_0")],
            ("exact", "state", "older"),
            id="the graph runs the tool for a message of an earlier, interrupted run",
        ),
        pytest.param(
            [said("old", "call_0"), said("m", "call_0")],
            ("inferred", "call_id", "asked m"),
            id="two messages wait for an answer under one id",
        ),
        pytest.param(
            [said("old", "call_0"), ToolMessage("x", tool_call_id="call_0"), said("m", "call_0")],
            ("exact", "callbacks", "asked m"),
            id="an earlier message with the id is answered",
        ),
        pytest.param(
            [
                said("m", "call_0"),
                ToolMessage("x", tool_call_id="call_0"),
                said("n", "call_0"),
                ToolMessage("x", tool_call_id="call_0"),
            ],
            ("inferred", "call_id", "asked m"),
            id="all are answered",
        ),
        pytest.param(
            [said("m", "call_0", tool="mail")], ("inferred", "call_id", "asked m"), id="the graph says another tool"
        ),
        pytest.param(
            [said("m", "call_0", "call_0")],
            ("inferred", "call_id", "asked m"),
            id="the graph holds the id twice in one message",
        ),
        pytest.param(
            [HumanMessage("hi")], ("exact", "callbacks", "asked m"), id="the graph keeps its messages elsewhere"
        ),
        pytest.param(RuntimeError("private"), ("exact", "callbacks", "asked m"), id="the graph can't be read"),
        pytest.param("text", ("exact", "callbacks", "asked m"), id="the graph's messages are none"),
    ],
)
def test_what_the_graph_itself_says(state, found):
    assert lone().capture("t", state) == found


def test_the_state_of_another_graph_says_nothing():
    """A tool's body may run a graph of its own, with messages of its own under the same ids."""
    state = [HumanMessage("inner"), said("inner", "call_0")]
    assert lone().capture("t", state, namespace="graph:1|inner:2") == ("exact", "callbacks", "asked m")
    story = Story()
    story.start("root", "chain")
    story.tool("t", "root", "call_0", namespace="graph:1")
    assert story.capture("t", state, namespace="graph:1|inner:2")[0] == "unknown"


def test_no_context_is_unknown():
    assert capture(runs=Runs())[0].provenance == "unknown"


def test_memory_is_bounded_and_forgets_whole_runs_that_are_over_first():
    story = Story(most_trees=8, most_nodes=200)
    story.start("live", "chain")
    story.model("m", "live", "call_live")
    for number in range(500):
        story.start(f"r{number}", "chain")
        story.model(f"m{number}", f"r{number}", f"call_{number}")
        story.runs.end(story.ids[f"r{number}"])
    runs = story.runs
    assert len(runs._trees) <= 8
    assert len(runs._roots) <= 200
    assert len(runs._asked) <= 200
    story.tool("t", "live", "call_live")
    assert story.capture("t") == ("exact", "callbacks", "asked m")


def test_one_run_without_end_is_bounded_too():
    story = Story(most_nodes=100)
    story.start("root", "chain")
    for number in range(2000):
        story.model(f"m{number}", "root", f"call_{number}")
    assert len(story.runs._roots) <= 101
    assert len(story.runs._asked) <= 101
    assert not story.runs.whole(story.ids["root"])


def test_being_told_twice_changes_nothing():
    story = lone()
    runs, run_id = story.runs, story.ids["m"]
    runs.start(run_id, None, "model", "again")
    runs.said(run_id, said("other", "call_0", "call_7"))
    assert story.capture("t") == ("exact", "callbacks", "asked m")
    assert runs.asked_anywhere("call_7") == []


# ---- real graphs


@pytest.fixture
def world():
    with FakeGateway() as gateway, Guard(gateway.url, API_KEY) as guard:
        yield gateway, GuardedSQLDatabase.from_gateway("shop", guard=guard)


def right(gateway, call):
    message = json.loads(gateway.body(call.context.model_message))
    held = [one["args"]["query"] for one in message["tool_calls"] if one["id"] == call.context.tool_call_id]
    return held == [call.call.statement]


def test_agents_side_by_side_in_one_graph_with_the_same_ids(world):
    from langchain.agents import create_agent
    from langchain_community.tools.sql_database.tool import QuerySQLDatabaseTool
    from langgraph.graph import START, StateGraph

    gateway, db = world

    class State(TypedDict):
        answers: Annotated[list, operator.add]

    graph = StateGraph(State)
    for number in range(4):
        agent = create_agent(Scripted(ids="same"), [QuerySQLDatabaseTool(db=db)])
        query = ";;".join(f"select {number}{turn}1|select {number}{turn}2" for turn in range(3))
        graph.add_node(
            f"n{number}", lambda _, agent=agent, query=query: {"answers": [agent.invoke(asked(f"q SQL:{query}"))]}
        )
        graph.add_edge(START, f"n{number}")
    graph.compile().invoke({"answers": []})
    assert len(gateway.calls) == 24
    assert [call.context.provenance for call in gateway.calls] == ["exact"] * 24
    assert all(right(gateway, call) for call in gateway.calls)


def test_branches_of_one_graph_that_share_messages_and_ids_are_never_mixed_up(world):
    from langchain_community.tools.sql_database.tool import QuerySQLDatabaseTool
    from langgraph.graph import START, MessagesState, StateGraph
    from langgraph.prebuilt import ToolNode

    gateway, db = world
    together = threading.Barrier(2)

    def branch(number):
        def ask(_):
            together.wait(5)
            return {"messages": [Scripted(ids="same").invoke(f"q{number} SQL:select {number}")]}

        return ask

    graph = StateGraph(MessagesState)
    for number in (1, 2):
        graph.add_node(f"ask{number}", branch(number))
        graph.add_edge(START, f"ask{number}")
    graph.add_node("tools", ToolNode([QuerySQLDatabaseTool(db=db)]))
    graph.add_edge(["ask1", "ask2"], "tools")
    graph.compile().invoke({"messages": [HumanMessage("go")]})
    assert gateway.calls
    assert all(call.context.provenance == "inferred" or right(gateway, call) for call in gateway.calls)
