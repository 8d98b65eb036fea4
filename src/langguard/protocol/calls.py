"""The wire: a call, what caused it, what was decided, and what came of it."""

from typing import Any, Literal

from langguard.protocol._base import Wire
from langguard.protocol.facts import Facts, Refusal
from langguard.protocol.masking import MaskPlan

Provenance = Literal["exact", "inferred", "unknown"]


class Run(Wire, frozen=True, kw_only=True):
    """One node of LangChain's run tree."""

    id: str
    kind: Literal["chain", "model", "tool", "retriever"]
    name: str
    parent: str | None = None


class Context(Wire, frozen=True, kw_only=True):
    """What caused a call, as the client asserts it. Bodies are referred to by SHA-256 (hex) of their UTF-8 text.

    Attributes:
        provenance: `exact` only where LangChain's own ids tie the call to the message; never a guess.
        source: How it is known: `callbacks`, `state`, `call_id`, `sibling` or `none`.
        prompt: Digest of the human message that started the innermost run.
        model_message: Digest of the model message (JSON: content, tool_calls) that asked for this call.
        messages: Digests of everything the model saw, oldest first.
        runs: From the call's own run up to the root.
    """

    provenance: Provenance = "unknown"
    source: Literal["callbacks", "state", "call_id", "sibling", "none"] = "none"
    thread_id: str | None = None
    root_run_id: str | None = None
    run_id: str | None = None
    tool: str | None = None
    tool_call_id: str | None = None
    runs: tuple[Run, ...] = ()
    prompt: str | None = None
    model_message: str | None = None
    messages: tuple[str, ...] = ()


class SqlCall(Wire, tag="sql", frozen=True, kw_only=True):
    """One SQL statement. Placeholders are $1, $2...; `binds` are their values (see protocol.values)."""

    connection: str
    statement: str
    binds: tuple[Any, ...] = ()


class SchemaCall(Wire, tag="schema", frozen=True, kw_only=True):
    """Read the structure of tables (`schema.table` or bare names); None lists all a principal may see."""

    connection: str
    tables: tuple[str, ...] | None = None


class CallRequest(Wire, frozen=True, kw_only=True):
    """POST /v1/calls.

    Attributes:
        id: Made by the client, unique in its session; asking twice with one id never runs twice.
        bodies: Digest to text, for those `context` digests the gateway has not been sent yet in this session.
    """

    id: str
    call: SqlCall | SchemaCall
    context: Context = Context()
    bodies: dict[str, str] = {}


class Decision(Wire, frozen=True, kw_only=True):
    """What was decided and why.

    Attributes:
        reason: Stable code: `granted`, `rule`, `no_grant`, `sql_refused`, `unknown_connection`, `rule_failed`...
        message: For the model and the person: what is not allowed, and what is.
        retry_after: Seconds; only with `defer`.
    """

    effect: Literal["allow", "deny", "review", "defer"]
    reason: str
    message: str
    rule: str | None = None
    policy_version: str = ""
    retry_after: float | None = None


class Receipt(Wire, frozen=True, kw_only=True):
    """Proof that an entry is durable: its index in the ledger and the leaf's hash (hex)."""

    entry: int
    leaf: str


class Obligations(Wire, frozen=True, kw_only=True):
    """What an allow is bound to.

    Attributes:
        rows: Most rows that may be released.
        timeout_ms: The statement's time limit, milliseconds.
        result_bytes: Most bytes of values a result may hold, counted before masking.
        read_only: Run in a read-only transaction.
    """

    rows: int
    timeout_ms: int
    result_bytes: int
    read_only: bool
    mask: MaskPlan


class ResultColumn(Wire, frozen=True, kw_only=True):
    """One column of a result; `masked` says what the plan did to it."""

    name: str
    masked: str = ""


class Result(Wire, frozen=True, kw_only=True):
    """Masked rows. Values are encoded (protocol.values).

    Attributes:
        truncated: More rows existed than were released.
        masked: Entity or label to the number of values masked.
        affected: Rows a write changed; None for reads.
    """

    columns: tuple[ResultColumn, ...]
    rows: tuple[tuple[Any, ...], ...]
    truncated: bool = False
    masked: dict[str, int] = {}
    affected: int | None = None


class Answer(Wire, frozen=True, kw_only=True):
    """The reply to a call.

    Attributes:
        intent: The ledger entry of the decision, durable before anything ran.
        statement: Custody `agent`: the exact text to run.
        binds: Custody `agent`: the values for the placeholders.
        result: Custody `gateway`: the masked result, recorded before it was sent.
        outcome: Custody `gateway`: the ledger entry of the result.
        error: Custody `gateway`: the database's own refusal, masked.
        checkpoint: The ledger's signed head.
        server_us: Microseconds the gateway spent, by step: `analyse`, `decide`, `record`, `run`, `mask`.
    """

    call_id: str
    decision: Decision
    intent: Receipt
    checkpoint: str
    obligations: Obligations | None = None
    statement: str | None = None
    binds: tuple[Any, ...] = ()
    schemas: tuple[str, ...] = ()
    result: Result | None = None
    outcome: Receipt | None = None
    error: str | None = None
    refusal: Refusal | None = None
    facts: Facts | None = None
    server_us: dict[str, int] = {}


class OutcomeReport(Wire, frozen=True, kw_only=True):
    """POST /v1/calls/{id}/outcome, in custody `agent`: what came of an allowed call, before its rows are released."""

    status: Literal["ok", "failed", "masking_failed"]
    duration_us: int
    fetched: int = 0
    result: Result | None = None
    error: str | None = None


class OutcomeReceipt(Wire, frozen=True, kw_only=True):
    """The outcome is durable: rows may be released."""

    call_id: str
    outcome: Receipt
    checkpoint: str


class Observation(Wire, frozen=True, kw_only=True):
    """POST /v1/observations: something seen in the agent that is no call: its final answer."""

    kind: Literal["answer"]
    text: str
    root_run_id: str | None = None
    thread_id: str | None = None
