"""`langguard session`: list, show, export, end."""

from pathlib import Path
from typing import Annotated

import typer

from langguard.cli._api import TOKEN_HELP, URL_HELP, Api, part
from langguard.cli._checkpoints import read_checkpoint
from langguard.cli._output import colour, plain, show, show_json, trouble

app = typer.Typer(no_args_is_help=True, help="Recorded sessions: list, show as a timeline, export, end.")

Url = Annotated[str | None, typer.Option("--url", help=URL_HELP)]
Token = Annotated[str | None, typer.Option("--token", help=TOKEN_HELP)]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


@app.command("list")
def list_(url: Url = None, token: Token = None, json: Json = False) -> None:
    """List sessions, newest first."""
    held = Api(url, token).ask("GET", "/v1/sessions")["sessions"]
    if json:
        show_json(held)
        return
    for session in held:
        state = f"ended: {session['ended_why']}" if session.get("ended_at") else "open"
        who, agent = plain(session["principal"]["name"]), plain(session.get("agent") or "-")
        show(f"{session['id']}  {who:<24} {agent:<20} {state}")
    if not held:
        show("no sessions")


@app.command("show")
def show_one(
    session: Annotated[str, typer.Argument(help="Its id, such as ses_...; `last` for the newest.")],
    url: Url = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """Show one session: prompt, tool call, statement asked and sent, decision, rows and what was masked, answer."""
    from langguard.cli.timeline import told

    api = Api(url, token)
    held = api.ask("GET", f"/v1/sessions/{part(_id(api, session))}")
    if json:
        show_json(held)
        return
    for line in told(held):
        show(line)


@app.command("export")
def export(
    session: Annotated[str, typer.Argument(help="Its id; `last` for the newest.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; else stdout.")] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", help="What `ledger head` printed before: the export then proves it is continued."),
    ] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Export a session as JSON lines that `langguard ledger verify` checks with no gateway."""
    api = Api(url, token)
    earlier = "" if checkpoint is None else f"?earlier={part(read_checkpoint(checkpoint))}"
    held = api.fetch(f"/v1/sessions/{part(_id(api, session))}/export{earlier}")
    if output is None:
        typer.echo(held, nl=False)
        return
    output.write_bytes(held)
    show(f"wrote {output} ({len(held)} bytes)")


@app.command("end")
def end(
    session: Annotated[str, typer.Argument(help="Its id.")], url: Url = None, token: Token = None, json: Json = False
) -> None:
    """End a session at once: no further call, running statements cancelled, their rows discarded."""
    held = Api(url, token).ask("DELETE", f"/v1/sessions/{part(session)}")
    if json:
        show_json(held)
    else:
        show(f"{colour('ended', 'green')} {held['id']}")


def _id(api: Api, session: str) -> str:
    if session != "last":
        return session
    held = api.ask("GET", "/v1/sessions")["sessions"]
    if not held:
        trouble("there are no sessions yet")
        raise typer.Exit(1)
    return str(held[0]["id"])
