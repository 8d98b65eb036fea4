"""`langguard policy`: check a file, explain a decision."""

from pathlib import Path
from typing import Annotated

import typer

from langguard.cli._api import TOKEN_HELP, URL_HELP, Api
from langguard.cli._extras import need
from langguard.cli._output import colour, plain, show, show_json
from langguard.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="The policy: check a file, explain a decision.")


@app.command("check")
def check(
    config: Annotated[Path, typer.Argument(help="The gateway's file.")] = Path("langguard.yaml"),
    connect: Annotated[
        bool, typer.Option("--connect", help="Read the databases' structure too, and check every column's name.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Check the file: unknown fields, actions, names, conditions. Exit 0 good, 1 not."""
    need("gateway", "cel")
    from langguard.cli._files import checked

    try:
        policy, notes = checked(config, connect=connect)
    except ConfigError as failed:
        if json:
            show_json({"ok": False, "line": failed.line, "column": failed.column, "reason": failed.detail})
        else:
            show(f"{colour('wrong', 'red')}  {plain(str(failed))}")
        raise typer.Exit(1) from None
    if json:
        show_json({"ok": True, "version": policy.version_id, "notes": notes})
        return
    counted = f"{len(policy.grants)} grants  {len(policy.rules)} rules"
    show(f"{colour('ok', 'green')}  {counted}  version {policy.version_id[:12]}")
    for note in notes:
        show(f"    {note}")


@app.command("explain")
def explain(
    statement: Annotated[str, typer.Argument(help="SQL.")],
    connection: Annotated[str, typer.Option("--connection", "-c", help="Its name.")],
    group: Annotated[list[str] | None, typer.Option("--group", "-g", help="The principal's groups.")] = None,
    name: Annotated[str, typer.Option("--name", help="The principal's name.")] = "someone",
    estimated_rows: Annotated[
        int | None, typer.Option("--estimated-rows", min=0, help="Suppose the database expects this many rows.")
    ] = None,
    scanned_rows: Annotated[
        int | None, typer.Option("--scanned-rows", min=0, help="Suppose it expects to go through this many.")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", help=URL_HELP)] = None,
    token: Annotated[str | None, typer.Option("--token", help=TOKEN_HELP)] = None,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Say what would be decided, by which rules and why, and what would be sent. Exit 0 allowed, 1 not."""
    body = {
        "connection": connection,
        "statement": statement,
        "name": name,
        "groups": group or [],
        "estimated_rows": estimated_rows,
        "scanned_rows": scanned_rows,
    }
    held = Api(url, token).ask("POST", "/v1/policy/explain", body)
    decision = held["decision"]
    allowed = decision["effect"] == "allow"
    if json:
        show_json(held)
        raise typer.Exit(0 if allowed else 1)
    shade = "green" if allowed else "red"
    by = f"by rule {decision['rule']}" if decision.get("rule") else f"({decision['reason']})"
    show(f"{colour(decision['effect'], shade)} {by}")
    show(f"  {plain(decision['message'])}")
    for wanted in held.get("wants", ()):
        show(f"  It depends on {wanted}: the database is asked when the call is made. To suppose an answer, add")
        show(f"  --{wanted.partition('.')[2].replace('_', '-')} N")
    facts = held.get("facts") or {}
    show(f"  actions: {', '.join(held['actions']) or 'none known'}   tables: {', '.join(held['tables']) or '-'}")
    plan = ((held.get("obligations") or {}).get("mask") or {}).get("columns", [])
    for number, output in enumerate(facts.get("outputs", [])):
        step = plan[number] if number < len(plan) else {}
        come = ", ".join(output["columns"]) or "no column"
        show(
            f"  output {plain(output['name'])}: from {plain(come)} -> {step.get('action', '-')} ({step.get('why', '')})"
        )
    if held.get("sent"):
        show(f"  sent: {plain(held['sent'])}")
    for line in held.get("trace", "").splitlines()[2:]:
        show(colour(plain(line), "dim"))
    raise typer.Exit(0 if allowed else 1)
