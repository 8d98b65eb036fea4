"""A refusal as one principal may read it: named tables only where granted, and in words that say where `here` is.

The analyser knows the whole structure and no grants, and what it says is remembered for everyone: what is told of
tables is decided here, each time.
"""

import logging
from collections.abc import Callable

import msgspec

from langguard.gateway.services.analysis import DISAGREE
from langguard.policy import Verdict
from langguard.protocol import Refusal

_MOST = 3
_KNOWING = ("read", "metadata", "write")
_log = logging.getLogger("langguard.gateway")
_HERE = " here."


def told(refusal: Refusal, connection: str, may_know: Callable[[str], bool]) -> Refusal:
    """Return a refusal without what the analyser only knew to choose from.

    Args:
        refusal: As the analyser made it.
        connection: The name agents call it by.
        may_know: Says of a table, `schema.table`, whether the principal may know that it exists.
    """
    reason, hint = refusal.reason, refusal.hint
    if reason.endswith(_HERE):
        reason = f"{reason.removesuffix(_HERE)} on connection {connection}."
    if refusal.code == DISAGREE:
        _log.warning("connection %s: %s", connection, reason)  # its words are fixed; nothing of the statement
    known = [table for table in refusal.candidates if may_know(table)][:_MOST]
    if known:
        hint = f"Tables you may use include {', '.join(known)}. {hint}".strip()
    return msgspec.structs.replace(refusal, reason=reason, hint=hint, tables=(), candidates=())


def may_know(ask: Callable[[str, str], Verdict], table: str) -> bool:
    """Say whether a principal may know that a table exists: who may do one thing of some to it.

    Args:
        ask: The policy's verdict on an action on a table.
        table: `schema.table`.
    """
    return any(_granted(ask(action, table)) for action in _KNOWING)


def _granted(verdict: Verdict) -> bool:
    """Say whether a policy lets a principal do something at all, as far as that is known before there are facts.

    A rule that could not be evaluated for want of facts forbids nothing here: what it forbids is not that a table is
    known.
    """
    if verdict.effect != "deny" or verdict.reason not in {"rule_failed", "estimate_unknown"}:
        return verdict.effect != "deny"
    return any(item.matched and item.effect in {"grant", "allow"} for item in verdict.considered)


def sentence(refusal: Refusal) -> str:
    """Return a refusal as the text of a decision."""
    named = refusal.fragment and refusal.fragment not in refusal.reason
    parts = (refusal.reason, f"It is about: {refusal.fragment!r}." if named else "", refusal.hint)
    return " ".join(part for part in parts if part)
