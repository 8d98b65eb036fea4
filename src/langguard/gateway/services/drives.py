"""One call while it is driven: what is known of it by now, and what is answered from that."""

from dataclasses import dataclass, field
from typing import Final

from langguard.flow import Ask, AskTarget, HandOver, MaskRows, RecordIntent, RecordOutcome, RecordProbe, RunTarget
from langguard.gateway.services.call_store import UNKNOWN
from langguard.gateway.services.judge import Judged
from langguard.gateway.services.sessions import Live
from langguard.protocol import Answer, CallRequest, Receipt, SchemaCall

STEPS: Final[dict[type, str]] = {
    Ask: "judge",
    RecordProbe: "record_probe",
    AskTarget: "estimate",
    RecordIntent: "record_intent",
    RunTarget: "run",
    MaskRows: "mask",
    RecordOutcome: "record_outcome",
}
"""What each step is called where its time is told."""


@dataclass(slots=True)
class Drive:
    """What the driver of one call holds between steps."""

    live: Live
    request: CallRequest
    digest: str
    judged: Judged | None = None
    intent: Receipt = UNKNOWN
    checkpoint: str = ""
    ran_us: int = 0
    spent: dict[str, int] = field(default_factory=dict)

    @property
    def known(self) -> Judged:
        """What was judged; asked for only after the first step."""
        if self.judged is None:
            msg = "the call has not been judged"
            raise TypeError(msg)
        return self.judged


def by_agent(drive: Drive) -> bool:
    """Say whether the agent's process runs it."""
    connection = drive.known.connection
    return (
        connection is not None
        and connection.settings.custody == "agent"
        and not isinstance(drive.request.call, SchemaCall)
    )


def answer_of(drive: Drive, handed: HandOver) -> Answer:
    """Return what a call came to, for its client."""
    return Answer(
        call_id=drive.request.id,
        decision=handed.decision,
        intent=handed.intent,
        checkpoint=drive.checkpoint,
        schemas=drive.known.permission.schemas,
        result=handed.result,
        outcome=handed.outcome,
        error=None if handed.error is None else str(handed.error),
        refusal=drive.known.refusal,
        server_us=dict(drive.spent),
    )


def permitted(drive: Drive) -> Answer:
    """Return the permission for the agent's process to act on."""
    permission = drive.known.permission
    return Answer(
        call_id=drive.request.id,
        decision=permission.decision,
        intent=drive.intent,
        checkpoint=drive.checkpoint,
        obligations=permission.obligations,
        statement=permission.statement,
        binds=permission.binds,
        schemas=permission.schemas,
        server_us=dict(drive.spent),
    )
