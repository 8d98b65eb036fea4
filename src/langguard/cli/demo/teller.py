"""Telling the demo's story: as text while it happens, and as one JSON document for machines."""

import json
import sys
from typing import Any

from langguard.cli._output import colour, plain

_WIDE = 100


class Teller:
    """Says each step once, in the form that was asked for."""

    def __init__(self, *, as_json: bool) -> None:
        """Print text, or with `as_json` collect and print one document at the end."""
        self._as_json = as_json
        self.held: dict[str, Any] = {"acts": [], "checks": []}

    def line(self, text: str = "") -> None:
        """Print a line of the story."""
        if not self._as_json:
            print(text, flush=True)

    def act(self, title: str, text: str = "") -> None:
        """Begin a part."""
        self.held["acts"].append({"title": title, "events": []})
        self.line()
        self.line(colour(f"== {title}", "bold"))
        if text:
            self.line(colour(text, "dim"))

    def event(self, event: dict[str, Any]) -> None:
        """Tell what the agent did."""
        self.held["acts"][-1]["events"].append(event)
        match event["event"]:
            case "question":
                self.line()
                self.line(f"  user    {colour(plain(event['text']), 'cyan')}")
            case "tool":
                self.line(f"  agent   {event['name']}: {short(event['asked'])}")
            case "result":
                shade = "red" if event["refused"] else "dim"
                name = "refused" if event["refused"] else "result"
                self.line("  " + colour(f"{name:<7} {short(event['text'])}", shade))
            case "answer":
                self.line(f"  answer  {colour(short(event['text'], 600), 'green')}")

    def check(self, name: str, good: bool, text: str) -> bool:
        """Tell a check's outcome; every check must hold for the demo to succeed."""
        self.held["checks"].append({"name": name, "ok": good, "text": text})
        mark = colour("ok  ", "green") if good else colour("FAIL", "red")
        self.line(f"  {mark}  {text}")
        return good

    def end(self) -> bool:
        """Print the document, if that is what was asked for, and return whether every check held."""
        good = all(check["ok"] for check in self.held["checks"])
        if self._as_json:
            json.dump(self.held | {"ok": good}, sys.stdout, ensure_ascii=False, indent=2)
            print(flush=True)
        return good


def short(text: str, longest: int = _WIDE) -> str:
    """Return a text on one line, cut where it is long, its control characters made visible."""
    one = " ".join(plain(text).split())
    return one if len(one) <= longest else one[: longest - 1] + "\u2026"
