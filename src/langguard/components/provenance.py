"""From LangChain's context to ours: which message caused a call, and how that is known (P9).

`exact` only where ids tie the call to the message. The tool run above the call carries a tool call id, and exactly one
message that still waits for its answer holds that id in the state of the graph that runs the tool; or, where there is
no such state, exactly one model message in the same scope of the same, wholly known run tree. A message that merely
stands near is `inferred`; with neither the call is `unknown`. Nothing is guessed from "the last model in this thread".
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables.config import var_child_runnable_config

from langguard.components.recorder import RECORDER, install
from langguard.components.runs import Node, Runs
from langguard.protocol import Context, Run

__all__ = ["capture", "install"]

_LONGEST_BODY: Final = 262_144
_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    """The model message that asked for a call, and what the model was shown before it."""

    provenance: Any = "unknown"
    source: Any = "none"
    message: BaseMessage | str | None = None
    shown: Sequence[BaseMessage] | str | None = None


def capture(statement_hint: str = "", *, runs: Runs = RECORDER.runs) -> tuple[Context, dict[str, str]]:
    """Return the context of a call made here and now, and the bodies (SHA-256 to text) it refers to.

    Args:
        statement_hint: The call's text: among models that merely stand near, the one that wrote it is preferred.
        runs: Where they are kept.
    """
    config: Any = var_child_runnable_config.get() or {}
    configurable = config.get("configurable") or {}
    thread_id = _short(configurable.get("thread_id"))
    run_id = getattr(config.get("callbacks"), "parent_run_id", None)
    lineage = runs.lineage(run_id) if isinstance(run_id, UUID) else []
    if not lineage:
        return Context(thread_id=thread_id), {}
    root = lineage[0].root
    runs.guarded(root, thread_id)
    depth = next((index for index, node in enumerate(lineage) if node.kind == "tool"), None)
    tool = lineage[depth] if depth is not None else None
    cause = _cause(runs, config, lineage, depth, statement_hint)
    bodies: dict[str, str] = {}
    shown = cause.shown
    messages = shown if shown is not None and not isinstance(shown, str) else ()
    context = Context(
        provenance=cause.provenance,
        source=cause.source,
        thread_id=thread_id,
        root_run_id=str(root),
        run_id=str(lineage[0].id),
        tool=tool.name[:_LONGEST_NAME] if tool is not None else None,
        tool_call_id=tool.tool_call_id if tool is not None else None,
        runs=tuple(
            Run(
                id=str(node.id),
                kind=node.kind,
                name=_text(node.name)[:_LONGEST_NAME],
                parent=str(node.parent) if node.parent is not None else None,
            )
            for node in lineage
        ),
        prompt=_keep(bodies, _prompt(shown)),
        model_message=_keep(bodies, _said(cause.message)),
        messages=tuple(digest for message in messages if (digest := _keep(bodies, _shown(message))) is not None),
    )
    return context, bodies


def innermost_tool(runs: Runs = RECORDER.runs) -> str | None:
    """Return the name of the tool whose run this is, when the innermost run is a tool's."""
    config: Any = var_child_runnable_config.get() or {}
    run_id = getattr(config.get("callbacks"), "parent_run_id", None)
    node = runs.node(run_id) if isinstance(run_id, UUID) else None
    return node.name if node is not None and node.kind == "tool" else None


def _cause(runs: Runs, config: Any, lineage: list[Node], depth: int | None, hint: str) -> _Cause:
    if depth is not None and lineage[depth].tool_call_id is not None:
        found = _by_tool_call(runs, config, lineage, depth)
        if found is not None:
            return found
    return _sibling(runs, lineage, depth, hint)


def _by_tool_call(runs: Runs, config: Any, lineage: list[Node], depth: int) -> _Cause | None:
    tool, above = lineage[depth], lineage[depth + 1 :]
    call_id = tool.tool_call_id or ""
    scope = next((node.id for node in above if node.kind == "tool"), None)
    under = [node for node in runs.asked_under(tool.root, call_id) if _scope(runs, node) == scope]
    messages, asking = _stated(config, tool, call_id)
    if asking:
        stated = _from_state(messages, asking, tool, call_id)
        if stated is not None:
            run = next((node for node in under if _same(node.output, stated.message)), None)
            return _from_run(run, "exact", "callbacks") if run is not None else stated
    elif len(under) == 1 and _tool_name(under[0], call_id) == tool.name and runs.whole(tool.root):
        return _from_run(under[0], "exact", "callbacks")
    if under:
        return _from_run(under[-1], "inferred", "call_id")
    anywhere = runs.asked_anywhere(call_id)
    if len(anywhere) == 1:
        return _from_run(anywhere[0], "inferred", "call_id")
    return None


def _scope(runs: Runs, node: Node) -> UUID | None:
    """Return the tool run a run stands in: a model inside one tool asks for no tool outside of it, nor for that one."""
    return next((above.id for above in runs.lineage(node.id)[1:] if above.kind == "tool"), None)


def _tool_name(node: Node, call_id: str) -> str | None:
    calls = getattr(node.output, "tool_calls", None) or ()
    names = {call.get("name") for call in calls if call.get("id") == call_id}
    return names.pop() if len(names) == 1 and len([1 for call in calls if call.get("id") == call_id]) == 1 else None


def _same(one: object, other: object) -> bool:
    """Say whether both are the same message: LangChain names each after the model run that said it."""
    mine, theirs = getattr(one, "id", None), getattr(other, "id", None)
    return one is other or (isinstance(mine, str) and bool(mine) and mine == theirs)


def _from_run(node: Node, provenance: str, source: str) -> _Cause:
    return _Cause(provenance=provenance, source=source, message=node.output, shown=node.prompt)


def _stated(config: Any, tool: Node, call_id: str) -> tuple[list[Any], list[int]]:
    """Return the messages of the graph that runs `tool`, and the places of those that hold the id."""
    messages = _state_messages(config, tool)
    return messages, [
        index
        for index, message in enumerate(messages)
        if isinstance(message, AIMessage) and any(call.get("id") == call_id for call in message.tool_calls)
    ]


def _from_state(messages: list[Any], asking: list[int], tool: Node, call_id: str) -> _Cause | None:
    """Return the only message that holds the id, or the only one of them that is not answered yet."""
    answers = [
        index
        for index, message in enumerate(messages)
        if isinstance(message, ToolMessage) and message.tool_call_id == call_id
    ]
    if len(asking) > 1:
        asking = [index for index in asking if not any(index < later for later in answers)]
    if len(asking) != 1:
        return None
    message = messages[asking[0]]
    if [call.get("name") for call in message.tool_calls if call.get("id") == call_id] != [tool.name]:
        return None
    return _Cause(provenance="exact", source="state", message=message, shown=messages[: asking[0]])


def _state_messages(config: Any, tool: Node) -> list[Any]:
    """Return the messages in the state of the graph that runs `tool`; empty where that is not this very graph."""
    read = (config.get("configurable") or {}).get("__pregel_read")
    namespace = (config.get("metadata") or {}).get("langgraph_checkpoint_ns")
    if not callable(read) or tool.namespace is None or namespace != tool.namespace:
        return []
    try:
        messages = read("messages", False)
    except Exception:  # noqa: BLE001 - another library's private reader: whatever it raises means that there is no state
        return []
    return list(messages) if isinstance(messages, (list, tuple)) else []


def _sibling(runs: Runs, lineage: list[Node], depth: int | None, hint: str) -> _Cause:
    """Return the nearest model under the same root that ended before this call: it may have written it."""
    inside = {node.id: index for index, node in enumerate(lineage)}
    tool = lineage[depth] if depth is not None else None
    best: tuple[tuple[bool, int, int], Node] | None = None
    for node in runs.models_under(lineage[0].root):
        meets = next((inside[above.id] for above in runs.lineage(node.id)[1:] if above.id in inside), None)
        if meets is None or (tool is None and _scope(runs, node) is not None):
            continue
        rank = (bool(hint) and hint in _said(node.output, plain=True), -meets, node.ended)
        if best is None or rank > best[0]:
            best = (rank, node)
    return _from_run(best[1], "inferred", "sibling") if best is not None else _Cause()


def _prompt(shown: Sequence[BaseMessage] | str | None) -> str:
    if shown is None or isinstance(shown, str):
        return shown or ""
    human = next((message for message in reversed(shown) if isinstance(message, HumanMessage)), None)
    return _content(human) if human is not None else ""


def _content(message: BaseMessage) -> str:
    return message.content if isinstance(message.content, str) else _json(message.content)


def _said(message: BaseMessage | str | None, *, plain: bool = False) -> str:
    if message is None:
        return ""
    if isinstance(message, str):
        return message if plain else _json({"content": message, "tool_calls": []})
    calls = getattr(message, "tool_calls", None) or []
    if plain:
        return _content(message) + "".join(str(value) for call in calls for value in (call.get("args") or {}).values())
    return _json({"content": message.content, "tool_calls": [_call(call) for call in calls]})


def _shown(message: BaseMessage) -> str:
    seen: dict[str, Any] = {"role": message.type, "content": message.content}
    if calls := getattr(message, "tool_calls", None):
        seen["tool_calls"] = [_call(call) for call in calls]
    if isinstance(message, ToolMessage):
        seen["tool_call_id"] = message.tool_call_id
    return _json(seen)


def _call(call: Any) -> dict[str, Any]:
    return {"name": call.get("name"), "args": call.get("args"), "id": call.get("id")}


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):  # keys that are no text, or a cycle
        return json.dumps({"unreadable": type(value).__name__})


def _keep(bodies: dict[str, str], text: str) -> str | None:
    """Put a text among the bodies and return its digest; None for an empty one."""
    if not text:
        return None
    text = _text(text)
    if len(text) > _LONGEST_BODY:
        whole = hashlib.sha256(text.encode()).hexdigest()
        text = json.dumps(
            {"truncated": text[:_LONGEST_BODY], "sha256": whole, "characters": len(text)}, ensure_ascii=False
        )
    digest = hashlib.sha256(text.encode()).hexdigest()
    bodies[digest] = text
    return digest


def _text(text: str) -> str:
    """Return the text with lone surrogates written out: they have no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def _short(value: object) -> str | None:
    return _text(str(value))[:_LONGEST_NAME] if isinstance(value, (str, int, UUID)) else None
