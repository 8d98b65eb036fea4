"""A recorded session as a person reads it: what caused each call, what was asked, decided, sent and returned."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

from langguard.cli._output import colour, plain

_LONGEST = 110


def told(held: dict[str, Any], *, colours: bool | None = None) -> Iterator[str]:
    """Yield the lines of one session.

    Args:
        held: What the gateway answers for `GET /v1/sessions/{id}`.
        colours: Force colours on or off; None asks the terminal.
    """
    teller = _Teller(colours)
    session = held["session"]
    who = session["principal"]
    groups = ", ".join(who.get("groups", ())) or "no group"
    yield teller.bold(f"session {session['id']}")
    yield f"  {plain(who['name'])} ({plain(groups)})  agent {plain(session.get('agent') or '-')}"
    outcomes = {
        entry["data"]["call"]: entry
        for entry in held["timeline"]
        if entry["kind"] == "outcome" and "call" in entry["data"]
    }
    messages: dict[str, str] = {}
    prompt = None
    for entry in held["timeline"]:
        messages |= entry["texts"].get("messages") or {}
        if entry["kind"] == "intent":
            asked_by = _prompt(entry, messages)
            if asked_by != prompt:
                prompt = asked_by
                yield ""
                yield teller.line(entry, "prompt", teller.bold(f'"{_short(prompt or "not known")}"'))
            yield from teller.call(entry, outcomes.get(entry["data"]["call"]))
        elif entry["kind"] == "observation":
            yield teller.line(entry, "answer", teller.bold(_short(entry["texts"].get("text") or "(erased)", 400)))
        elif entry["kind"] != "outcome":
            yield teller.line(entry, entry["kind"].replace("_", " "), _facts(entry))


class _Teller:
    """Formats lines."""

    def __init__(self, colours: bool | None) -> None:
        self._colours = colours

    def bold(self, text: str) -> str:
        return colour(text, "bold", on=self._colours)

    def dim(self, text: str) -> str:
        return colour(text, "dim", on=self._colours)

    def line(self, entry: dict[str, Any], name: str, text: str) -> str:
        at = dt.datetime.fromtimestamp(entry["at"] / 1e6, tz=dt.UTC).strftime("%H:%M:%S.%f")[:-3]
        place = f"#{entry['entry']:<5} {at}"
        return f"{self.dim(place)}  {name:<9} {text}"

    def more(self, name: str, text: str) -> str:
        return f"{'':20}{name:<9} {text}"

    def call(self, entry: dict[str, Any], outcome: dict[str, Any] | None) -> Iterator[str]:
        data, texts = entry["data"], entry["texts"]
        context = texts.get("context") or {}
        call_id = plain(context.get("tool_call_id") or "-")
        known = f"provenance {data['provenance']}"
        yield self.line(
            entry, "tool call", f"{plain(context.get('tool') or '(no tool)')} {self.dim(f'{call_id}  {known}')}"
        )
        asked = texts.get("asked")
        yield self.more("asked", plain(_asked(asked)))
        if texts.get("sent") and data["kind"] == "sql":
            yield self.more("sent", _short(texts["sent"]))
        effect = data["decision"]
        shade = {"allow": "green", "deny": "red"}.get(effect, "yellow")
        by = f"rule {data['rule']}" if data.get("rule") else data["reason"]
        why = "" if effect == "allow" else f": {_short(texts.get('message') or '')}"
        yield self.more("decision", f"{colour(effect, shade, on=self._colours)} by {by}{why}")
        if outcome is not None:
            yield self.line(outcome, "outcome", self._outcome(outcome))
        elif effect == "allow":
            yield self.more("outcome", colour("not recorded", "yellow", on=self._colours))

    def _outcome(self, entry: dict[str, Any]) -> str:
        data = entry["data"]
        reported = " (reported by the agent's process)" if entry["source"] == "reported" else ""
        if data["status"] != "ok":
            why = entry["texts"].get("error") or data.get("why") or ""
            return f"{colour(data['status'], 'yellow', on=self._colours)} {_short(why)}{reported}"
        count = data["rows"]
        more = ", more existed" if data["truncated"] else ""
        masked = ", ".join(f"{name} x{n}" for name, n in sorted(data["masked"].items()))
        return f"{count} row{'' if count == 1 else 's'}{more}; masked: {masked or 'nothing'}{reported}"


def _prompt(entry: dict[str, Any], messages: dict[str, str]) -> str | None:
    context = entry["texts"].get("context") or {}
    return messages.get(context.get("prompt") or "")


def _asked(asked: Any) -> str:
    if asked is None:
        return "(erased)"
    if asked.get("type") == "schema":
        return f"structure of {', '.join(asked['tables']) if asked.get('tables') else 'all tables'}"
    return _short(asked.get("statement", ""))


def _facts(entry: dict[str, Any]) -> str:
    held = {name: value for name, value in entry["data"].items() if value not in (None, "", [])}
    return _short(json.dumps(held, ensure_ascii=False))


def _short(text: str, longest: int = _LONGEST) -> str:
    one = " ".join(plain(text).split())
    return one if len(one) <= longest else one[: longest - 1] + "\u2026"
