# ruff: noqa: INP001 - a script, not a package
"""Write docs/reference/cli.md from the commands' own help; `--check` tells by its exit code whether it is current."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from langguard.cli import app

_COMMON = frozenset({"url", "token", "json"})
PAGE = Path(__file__).resolve().parents[1] / "docs/reference/cli.md"
_HEAD = """\
# Command line

Made from the commands' own help by `scripts/docs_cli.py`; a test compares it.

The answer is on stdout and trouble on stderr. A command ends with 0 for yes, 1 for no (not verified, not allowed, not
valid) and 2 for trouble. Where `--json` is named, it prints one JSON document for machines.

Commands that ask a gateway take its address and a key from `--url` and `--token`, else from `LANGGUARD_URL` and
`LANGGUARD_TOKEN`. A key on a command line is seen by others on the machine, so prefer the variable.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *_commands(typer.main.get_command(app), "langguard")]).rstrip() + "\n"


def _commands(command: Any, name: str) -> Iterator[str]:
    children = getattr(command, "commands", {})
    if name != "langguard" and (not children or getattr(command, "invoke_without_command", False)):
        yield from _one(command, name)
    for child in children:
        yield from _commands(children[child], f"{name} {child}")


def _one(command: Any, name: str) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join(f"[{p.name.upper()}]" if not p.required else p.name.upper() for p in arguments)
    yield f"## {name}{' ' if usage else ''}{usage}\n"
    yield f"{_sentence(command.help)}\n"
    common = [p for p in options if p.name in _COMMON]
    options = [p for p in options if p.name not in _COMMON]
    if arguments or options:
        yield "| | |\n|---|---|"
    for held in arguments:
        yield f"| `{held.name.upper()}` | {_sentence(held.help)}{_default(held)} |"
    for held in options:
        needed = " Required." if held.required else ""
        yield f"| `{'`, `'.join(held.opts)}` | {_sentence(held.help)}{_default(held)}{needed} |"
    if arguments or options:
        yield ""
    if common:
        yield "Also: " + ", ".join(f"`{p.opts[0]}`" for p in common) + ".\n"


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _default(held: Any) -> str:
    known = held.default
    return "" if known is None or known is False or known in ((), [], "") else f" Default: `{known}`."


def main() -> int:
    """Write the page, or check it."""
    if "--check" in sys.argv[1:]:
        return int(PAGE.read_text(encoding="utf-8") != page())
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
