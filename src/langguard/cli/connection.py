"""`langguard connection`: list, pin a structure, check the walls, propose masks from a sample."""

from pathlib import Path
from typing import Annotated

import typer

from langguard.cli._api import TOKEN_HELP, URL_HELP, Api, part
from langguard.cli._extras import need
from langguard.cli._output import colour, plain, show, show_json

app = typer.Typer(no_args_is_help=True, help="Connections: list, pin a structure, check the walls, propose masks.")

Url = Annotated[str | None, typer.Option("--url", help=URL_HELP)]
Token = Annotated[str | None, typer.Option("--token", help=TOKEN_HELP)]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


@app.command("list")
def list_(url: Url = None, token: Token = None, json: Json = False) -> None:
    """List the gateway's connections."""
    held = Api(url, token).ask("GET", "/v1/connections")["connections"]
    if json:
        show_json(held)
        return
    for item in held:
        info = item["connection"]
        known = f"{item['tables']} tables" if item.get("catalog") else "structure not known: nothing can be judged"
        show(f"{plain(info['name']):<20} {info['dialect']:<10} custody {info['custody']:<8} {known}")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="A connection of the gateway's file, in custody `agent`.")],
    snapshot_from: Annotated[str, typer.Option("--snapshot-from", help="Database URI to read the structure from.")],
    custody: Annotated[str, typer.Option("--custody", help="Only `agent`: elsewhere the gateway reads it itself.")] = (
        "agent"
    ),
    schema: Annotated[list[str] | None, typer.Option("--schema", help="Schemas, in search order.")] = None,
    url: Url = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """Pin a database's structure at the gateway, from an administrator's own access; refresh it the same way."""
    from langguard.drivers.sql import dialect_of, open_engine
    from langguard.drivers.sql_catalog import snapshot
    from langguard.errors import ConfigError

    if custody != "agent":
        msg = "Only a connection in custody `agent` has its structure pinned; set it in the gateway's file."
        raise ConfigError(msg)
    engine = open_engine(snapshot_from)
    catalog = snapshot(engine, dialect=dialect_of(engine), schemas=tuple(schema or ()))
    engine.dispose()
    held = Api(url, token).ask("PUT", f"/v1/connections/{part(name)}/catalog", catalog)
    if json:
        show_json(held)
    else:
        show(f"{colour('pinned', 'green')} {plain(name)}: {held['tables']} tables, version {held['version'][:12]}")


@app.command("refresh")
def refresh(
    name: Annotated[str, typer.Argument(help="A connection in custody `gateway`.")],
    url: Url = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """Have the gateway read a database's structure again, after tables or columns were changed."""
    held = Api(url, token).ask("POST", f"/v1/connections/{part(name)}/refresh")
    if json:
        show_json(held)
        return
    changed = "changed" if held["changed"] else "unchanged"
    show(f"{colour(changed, 'green')} {plain(name)}: {held['tables']} tables, version {held['version'][:12]}")


@app.command("check")
def check(
    name: Annotated[str, typer.Argument(help="A connection in custody `gateway`; any with --uri.")],
    uri: Annotated[
        str | None, typer.Option("--uri", help="Check this database from here, with a credential as an agent has it.")
    ] = None,
    writes: Annotated[
        bool, typer.Option("--writes", help="With --uri: writing is meant, so privileges to write are not told.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 also for what the role could do too much.")] = False,
    url: Url = None,
    token: Token = None,
    json: Json = False,
) -> None:
    """Try each wall on the real database, and say what its role could do that it should not. Exit 1 if a wall fails.

    Nothing it tries leaves an effect: each trial runs as a read, is rolled back, and would change nothing.
    """
    from langguard.cli._checks import here, lines

    held = here(name, uri, writes=writes) if uri else Api(url, token).ask("POST", f"/v1/connections/{part(name)}/check")
    if json:
        show_json(held)
    else:
        for line in lines(held):
            show(line)
    raise typer.Exit(0 if held["holds"] and not (strict and held["excess"]) else 1)


@app.command("classify")
def classify(
    name: Annotated[str, typer.Argument(help="A connection of the file, in custody `gateway`.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="The gateway's file.")] = Path("langguard.yaml"),
    rows: Annotated[int, typer.Option("--rows", min=10, max=10_000, help="Rows to sample of each table.")] = 200,
    json: Json = False,
) -> None:
    """Sample a database with Presidio and print the masks, `clear` and `structured` columns it proposes.

    The YAML is for a person to read and paste into the file; nothing is changed, and no value is printed.
    """
    need("gateway", "cel")
    from langguard.cli._files import proposal

    text, data = proposal(name, config, rows=rows)
    if json:
        show_json(data)
    else:
        show(text)
