"""What LangChain tells of its runs, through callbacks: one recorder a process.

It hears of every run with nothing attached, through LangChain's configure hook. It only listens: nothing here can stop
or change a run.
"""

# ruff: noqa: ARG002 - LangChain passes these arguments by name

import threading
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult

from langguard.components.runs import Runs


class Recorder(BaseCallbackHandler):
    """Feeds `runs`. Inline, so that on the async path too a model's end is known before its tool starts."""

    run_inline = True
    raise_error = False

    def __init__(self, runs: Runs | None = None) -> None:
        self.runs = runs if runs is not None else Runs()

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep a chain's or graph node's run."""
        self.runs.start(run_id, parent_run_id, "chain", _name(serialized, kwargs))

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep a chat model's run, with all it was shown."""
        shown = tuple(messages[0]) if messages else ()
        self.runs.start(run_id, parent_run_id, "model", _name(serialized, kwargs), prompt=shown)

    def on_llm_start(
        self,
        serialized: dict[str, Any],
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep a text model's run, with its prompt."""
        shown = prompts[0] if prompts else ""
        self.runs.start(run_id, parent_run_id, "model", _name(serialized, kwargs), prompt=shown)

    def on_tool_start(
        self,
        serialized: dict[str, Any],
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep a tool's run, with the id of the tool call that asked for it, where LangChain gives one."""
        call_id = kwargs.get("tool_call_id")
        namespace = (metadata or {}).get("langgraph_checkpoint_ns")
        self.runs.start(
            run_id,
            parent_run_id,
            "tool",
            _name(serialized, kwargs),
            tool_call_id=call_id if isinstance(call_id, str) else None,
            namespace=namespace if isinstance(namespace, str) else None,
        )

    def on_retriever_start(
        self,
        serialized: dict[str, Any],
        query: str,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Keep a retriever's run."""
        self.runs.start(run_id, parent_run_id, "retriever", _name(serialized, kwargs))

    def on_llm_end(
        self, response: LLMResult, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        """Keep what a model said, and which tool calls it asked for."""
        generations = response.generations[0] if response.generations else []
        generation = generations[0] if generations else None
        message = getattr(generation, "message", None)
        output = message if isinstance(message, BaseMessage) else getattr(generation, "text", None)
        self.runs.said(run_id, output)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A model failed."""
        self.runs.end(run_id)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A chain ended."""
        self.runs.end(run_id)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A chain failed."""
        self.runs.end(run_id)

    def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool ended."""
        self.runs.end(run_id)

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """A tool failed."""
        self.runs.end(run_id)


def _name(serialized: dict[str, Any] | None, kwargs: dict[str, Any]) -> str:
    known = (serialized or {}).get("name") or kwargs.get("name")
    return known if isinstance(known, str) else ""


RECORDER: Final = Recorder()
_active: ContextVar[BaseCallbackHandler | None] = ContextVar("langguard_recorder", default=RECORDER)
_install_lock = threading.Lock()
_installed = False


def install() -> None:
    """Have LangChain tell the recorder of every run from now on, in every thread and event loop. Once is enough."""
    global _installed  # noqa: PLW0603 - LangChain has no way to ask, and none to unregister
    with _install_lock:
        if not _installed:
            from langchain_core.tracers.context import register_configure_hook  # noqa: PLC0415 - takes a second to import

            register_configure_hook(_active, inheritable=True)
            _installed = True
