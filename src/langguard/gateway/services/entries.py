"""What a call's two entries hold: in clear only what the gateway itself names, counts or decides.

Nothing a client or a statement words is in clear: no value, prompt or statement, no alias (which can be a literal) and
no thread or tool call id (which can be anyone's address).

Texts (prompt, statement, facts, plan, masked result) go beside the leaf, sealed under the session's key; the leaf
holds a salted commitment to each, so destroying the key erases them and every proof still verifies.
"""

import json
from typing import Any

import msgspec

from langguard.errors import VerificationError
from langguard.gateway.services.judge import Judged
from langguard.gateway.services.remembered import bucket
from langguard.protocol import CallRequest, Receipt, Result, SqlCall
from langguard.stores.base import Store


def intent_data(request: CallRequest, judged: Judged) -> dict[str, Any]:
    """Return the clear part of an intent: what was asked for, why it was allowed or not, and what caused it."""
    call, context, decision = request.call, request.context, judged.permission.decision
    obligations, bounds = judged.permission.obligations, judged.bounds
    return {
        "call": request.id,
        "kind": "sql" if isinstance(call, SqlCall) else "schema",
        "connection": None if judged.connection is None else judged.connection.name,
        "custody": None if judged.connection is None else judged.connection.settings.custody,
        "actions": list(judged.actions),
        "tables": list(judged.tables),
        "decision": decision.effect,
        "reason": decision.reason,
        "rule": decision.rule,
        "policy": decision.policy_version,
        "catalog": None if judged.catalog is None else judged.catalog.version,
        "decided_for": judged.at,
        "estimated": None if judged.estimate is None else bucket(judged.estimate.rows),
        "rows_allowed": None if obligations is None else obligations.rows,
        "timeout_ms": None if obligations is None else obligations.timeout_ms,
        "rows_filtered": sorted({each.table for each in bounds.filters}) if bounds is not None else [],
        "masked_below": [each.column for each in bounds.masks] if bounds is not None else [],
        "provenance": context.provenance,
        "provenance_source": context.source,
    }


def intent_texts(request: CallRequest, judged: Judged) -> dict[str, str]:
    """Return the sealed part of an intent."""
    permission = judged.permission
    texts = {
        "asked": _json(request.call),
        "context": _json(request.context),
        "message": permission.decision.message,
    }
    if request.bodies:
        texts["messages"] = json.dumps(request.bodies, ensure_ascii=False, sort_keys=True)
    if permission.statement:
        texts["sent"] = permission.statement
    if judged.facts is not None:
        texts["facts"] = _json(judged.facts)
    if judged.estimate is not None:
        texts["estimate"] = _json(judged.estimate)
    if judged.refusal is not None:
        texts["refusal"] = _json(judged.refusal)
    if judged.bounds is not None and (judged.bounds.filters or judged.bounds.masks):
        texts["bounds"] = _json(judged.bounds)
    if permission.obligations is not None:
        texts["plan"] = _json(permission.obligations.mask)
    return texts


def outcome_data(call_id: str, *, status: str, result: Result | None, fetched: int, duration_us: int) -> dict[str, Any]:
    """Return the clear part of an outcome: counts and names, no value."""
    return {
        "call": call_id,
        "status": status,
        "rows": 0 if result is None else len(result.rows),
        "fetched": fetched,
        "truncated": False if result is None else result.truncated,
        "affected": None if result is None else result.affected,
        "masked": {} if result is None else dict(result.masked),
        "outputs": 0 if result is None else len(result.columns),
        "outputs_masked": 0 if result is None else sum(bool(column.masked) for column in result.columns),
        "duration_us": duration_us,
    }


def outcome_texts(result: Result | None, error: str | None) -> dict[str, str]:
    """Return the sealed part of an outcome: the masked result, or the target's masked error."""
    texts: dict[str, str] = {}
    if result is not None:
        texts["result"] = _json(result)
    if error is not None:
        texts["error"] = error
    return texts


def receipts_of(store: Store, session: str, call_id: str) -> dict[str, Receipt]:
    """Return the receipts of a call's entries by kind, from the ledger itself.

    Only what the store says may be the call's is read, and each of these is proven; without an intent there is no call.

    Raises:
        VerificationError: The intent is missing.
    """
    from langguard.ledger import parse_leaf, tree  # noqa: PLC0415 - only on the rare path of a lost reply

    found: dict[str, Receipt] = {}
    for index in store.search(session, f'"call":"{call_id}"'.encode()):
        leaf = store.entry(index) or b""
        entry = parse_leaf(leaf)
        if entry.session == session and entry.kind in {"intent", "outcome"} and entry.data.get("call") == call_id:
            found[entry.kind] = Receipt(entry=index, leaf=tree.leaf_hash(leaf).hex())
    if "intent" not in found:
        msg = f"the intent of call {call_id} is missing"
        raise VerificationError(msg)
    return found


def _json(model: Any) -> str:
    return msgspec.json.encode(model).decode()
