"""`langguard key`: make, list and revoke API keys for services."""

from typing import Annotated

import typer

from langguard.cli._api import TOKEN_HELP, URL_HELP, Api, part
from langguard.cli._output import colour, plain, show, show_json

app = typer.Typer(no_args_is_help=True, help="API keys for agents and services.")

Url = Annotated[str | None, typer.Option("--url", help=URL_HELP)]
Token = Annotated[str | None, typer.Option("--token", help=TOKEN_HELP)]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Of the service, for people.")],
    group: Annotated[list[str] | None, typer.Option("--group", "-g", help="A group it is in; repeat for more.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="What it may do at the gateway; default call and observe.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="Until it expires.")] = 90,
    url: Url = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """Make a key and print it once; it is stored only as a keyed hash."""
    body = {"name": name, "groups": group or [], "scopes": scope or ["call", "observe"], "days": days}
    held = Api(url, token).ask("POST", "/v1/keys", body)
    if json:
        show_json(held)
        return
    show(held["secret"])
    show(colour(f"{held['key']['id']} for {plain(name)}: keep it now, it is not shown again", "dim"))


@app.command("list")
def list_(url: Url = None, token: Token = None, json: Json = False) -> None:
    """List keys, without their secrets."""
    held = Api(url, token).ask("GET", "/v1/keys")["keys"]
    if json:
        show_json(held)
        return
    for key in held:
        who = key["principal"]
        state = "revoked" if key.get("revoked_at") else "active"
        show(f"{key['id']}  {plain(who['name']):<24} {plain(', '.join(who['groups'])) or '-':<24} {state}")


@app.command("revoke")
def revoke(
    key: Annotated[str, typer.Argument(help="Its public id, key_...")],
    url: Url = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """Revoke a key and end every session that was opened with it."""
    held = Api(url, token).ask("DELETE", f"/v1/keys/{part(key)}")
    if json:
        show_json(held)
    else:
        show(f"{colour('revoked', 'green')} {key}; {held['sessions_ended']} sessions ended")
