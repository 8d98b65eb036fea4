"""The run trees of this process, kept while they may be needed.

Memory is bounded; what was forgotten is remembered as forgotten, so that no gap passes for certainty.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, Literal
from uuid import UUID

from langchain_core.messages import BaseMessage

Kind = Literal["chain", "model", "tool", "retriever"]

MOST_TREES: Final = 512
MOST_NODES: Final = 20_000
_DEEPEST: Final = 200


class Node:
    """One run."""

    __slots__ = ("ended", "id", "kind", "name", "namespace", "output", "parent", "prompt", "root", "tool_call_id")

    def __init__(self, run_id: UUID, parent: UUID | None, root: UUID, kind: Kind, name: str) -> None:
        self.id = run_id
        self.parent = parent
        self.root = root
        self.kind: Kind = kind
        self.name = name
        self.ended = 0
        self.tool_call_id: str | None = None
        self.namespace: str | None = None  # LangGraph's name of the graph a tool runs in
        self.prompt: Sequence[BaseMessage] | str | None = None
        self.output: BaseMessage | str | None = None

    def __repr__(self) -> str:
        return f"Node({self.kind} {self.name!r})"


class Tree:
    """All runs under one root.

    Attributes:
        whole: Every run from the root on was seen and none was forgotten.
        asked: Tool call id to the model runs whose message holds it, oldest first.
        guarded: A guarded call happened in it; then also the thread id, if there was one.
    """

    __slots__ = ("asked", "guarded", "nodes", "over", "thread_id", "whole")

    def __init__(self, *, whole: bool) -> None:
        self.nodes: OrderedDict[UUID, Node] = OrderedDict()
        self.asked: dict[str, list[UUID]] = {}
        self.whole = whole
        self.over = False
        self.guarded = False
        self.thread_id: str | None = None


class Runs:
    """Keeps run trees, and answers what provenance asks of them. Thread-safe."""

    def __init__(self, *, most_trees: int = MOST_TREES, most_nodes: int = MOST_NODES) -> None:
        self._lock = threading.RLock()
        self._trees: OrderedDict[UUID, Tree] = OrderedDict()
        self._roots: dict[UUID, UUID] = {}
        self._asked: dict[str, list[UUID]] = {}
        self._most_trees = most_trees
        self._most_nodes = most_nodes
        self._ticks = 0

    def node(self, run_id: UUID | None) -> Node | None:
        """Return a run, or None when it was never seen or is forgotten."""
        with self._lock:
            root = self._roots.get(run_id) if run_id is not None else None
            return self._trees[root].nodes.get(run_id) if root is not None and run_id is not None else None

    def lineage(self, run_id: UUID) -> list[Node]:
        """Return the run and those above it, up to the root or to where knowledge ends."""
        with self._lock:
            found: list[Node] = []
            node = self.node(run_id)
            while node is not None and len(found) < _DEEPEST:
                found.append(node)
                node = self.node(node.parent)
            return found

    def whole(self, root: UUID) -> bool:
        """Say whether nothing is missing from the tree under `root`."""
        with self._lock:
            tree = self._trees.get(root)
            return tree is not None and tree.whole

    def asked_under(self, root: UUID, tool_call_id: str) -> list[Node]:
        """Return the model runs under `root` whose message holds this tool call id, oldest first."""
        with self._lock:
            tree = self._trees.get(root)
            if tree is None:
                return []
            return [tree.nodes[run] for run in tree.asked.get(tool_call_id, ()) if run in tree.nodes]

    def asked_anywhere(self, tool_call_id: str) -> list[Node]:
        """Return all model runs still remembered whose message holds this tool call id."""
        with self._lock:
            found = (self.node(run) for run in self._asked.get(tool_call_id, ()))
            return [node for node in found if node is not None]

    def models_under(self, root: UUID) -> list[Node]:
        """Return the model runs under `root` that ended, in that order."""
        with self._lock:
            tree = self._trees.get(root)
            if tree is None:
                return []
            ended = (node for node in tree.nodes.values() if node.kind == "model" and node.ended)
            return sorted(ended, key=lambda node: node.ended)

    def guarded(self, root: UUID, thread_id: str | None) -> None:
        """Note that a guarded call happened under `root`."""
        with self._lock:
            tree = self._trees.get(root)
            if tree is not None:
                tree.guarded = True
                tree.thread_id = thread_id or tree.thread_id

    def was_guarded(self, root: UUID) -> tuple[bool, str | None]:
        """Return whether a guarded call happened under `root`, and its thread id."""
        with self._lock:
            tree = self._trees.get(root)
            return (tree.guarded, tree.thread_id) if tree is not None else (False, None)

    def start(self, run_id: UUID, parent: UUID | None, kind: Kind, name: str, **facts: Any) -> None:
        """Keep a run; hearing of it twice changes nothing."""
        with self._lock:
            if run_id in self._roots:
                return
            root = run_id if parent is None else self._roots.get(parent, parent)
            tree = self._trees.get(root)
            if tree is None:
                tree = self._trees[root] = Tree(whole=parent is None)
            node = Node(run_id, parent, root, kind, name)
            for fact, value in facts.items():
                setattr(node, fact, value)
            tree.nodes[run_id] = node
            self._roots[run_id] = root
            tree.over = False
            self._trim(keep=root)

    def end(self, run_id: UUID) -> Node | None:
        """Note that a run ended."""
        with self._lock:
            node = self.node(run_id)
            if node is None:
                return None
            self._ticks += 1
            node.ended = node.ended or self._ticks
            if run_id == node.root:
                self._trees[node.root].over = True
                self._trees.move_to_end(node.root)
            return node

    def said(self, run_id: UUID, output: BaseMessage | str | None) -> None:
        """Keep what a model said when its run ended, and which tool calls it asked for."""
        with self._lock:
            node = self.end(run_id)
            if node is None or node.output is not None:
                return
            node.output = output
            for call in getattr(output, "tool_calls", None) or ():
                call_id = call.get("id")
                if isinstance(call_id, str) and call_id:
                    self._trees[node.root].asked.setdefault(call_id, []).append(run_id)
                    self._asked.setdefault(call_id, []).append(run_id)

    def _trim(self, *, keep: UUID) -> None:
        while len(self._trees) > self._most_trees or len(self._roots) > self._most_nodes:
            candidates = [root for root in self._trees if root != keep]
            victim = next((root for root in candidates if self._trees[root].over), next(iter(candidates), None))
            if victim is None:
                self._thin(self._trees[keep])
                return
            self._forget(self._trees.pop(victim).nodes.values())

    def _thin(self, tree: Tree) -> None:
        """Forget the older half of one very large tree, but for runs that have not ended."""
        tree.whole = False
        old = [node for node in list(tree.nodes.values())[: len(tree.nodes) // 2] if node.ended]
        for node in old:
            del tree.nodes[node.id]
        self._forget(old)

    def _forget(self, nodes: Any) -> None:
        for node in nodes:
            self._roots.pop(node.id, None)
            for call in getattr(node.output, "tool_calls", None) or ():
                runs = self._asked.get(call.get("id"), [])
                if node.id in runs:
                    runs.remove(node.id)
                if not runs:
                    self._asked.pop(call.get("id"), None)
