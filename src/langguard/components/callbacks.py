"""The callback handler an agent may be given: besides recording runs it reports the run's final answer.

Recording needs no handler (see recorder.py); this one adds the last step of the story: what the agent said in the end.
"""

# ruff: noqa: ARG002 - LangChain passes these arguments by name

import json
import logging
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage

from langguard.client import Guard, default_guard
from langguard.components.recorder import RECORDER, install
from langguard.errors import LangguardError
from langguard.protocol import Observation

_LONGEST_ANSWER = 65_536
_log = logging.getLogger("langguard.components")


class GuardCallbackHandler(BaseCallbackHandler):
    """Reports the final answer of each run in which a guarded call happened.

    A report that fails is told by a warning in the log and never breaks the run. On the async path LangChain runs this
    handler in a thread, so that the report does not hold up the event loop.
    """

    run_inline = False
    raise_error = False

    def __init__(self, guard: Guard | None = None) -> None:
        """Make a handler.

        Args:
            guard: The client; else the process's own, from the environment.
        """
        self._guard = guard
        install()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def on_chain_end(self, outputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any) -> None:
        """Report the answer when the outermost run ends."""
        if parent_run_id is not None:
            return
        guarded, thread_id = RECORDER.runs.was_guarded(run_id)
        if not guarded:
            return
        text = final_answer(outputs)
        if not text:
            _log.warning("the answer of run %s is in no form known here and was not recorded", run_id)
            return
        observation = Observation(
            kind="answer",
            text=text.encode("utf-8", "backslashreplace").decode()[:_LONGEST_ANSWER],
            root_run_id=str(run_id),
            thread_id=thread_id,
        )
        try:
            (self._guard or default_guard()).observe(observation)
        except LangguardError as failed:
            _log.warning("the answer of run %s was not recorded: %s", run_id, failed)


def final_answer(outputs: Any) -> str:
    """Return the text a run came to: its last message, or its output; empty when there is neither."""
    if isinstance(outputs, str):
        return outputs
    if isinstance(outputs, BaseMessage):
        return _content(outputs)
    if isinstance(outputs, dict):
        messages = outputs.get("messages")
        if isinstance(messages, (list, tuple)):
            said = next((one for one in reversed(messages) if isinstance(one, AIMessage)), None)
            return _content(said) if said is not None else ""
        for key in ("output", "answer", "result", "text"):
            if key in outputs:
                return final_answer(outputs[key])
    return ""


def _content(message: BaseMessage) -> str:
    content = message.content
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, default=str)
