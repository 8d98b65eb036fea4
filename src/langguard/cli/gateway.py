"""`langguard gateway`: run it, or write its first configuration."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from langguard.cli._environment import environ
from langguard.cli._extras import need
from langguard.cli._output import colour, show, trouble
from langguard.errors import ConfigError

app = typer.Typer(help="The gateway: `langguard gateway --config FILE --data DIR`, or `langguard gateway init`.")


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    config: Annotated[Path, typer.Option("--config", "-c", help="Its one YAML file.")] = Path("langguard.yaml"),
    data: Annotated[Path | None, typer.Option("--data", "-d", help="Its data folder; else the file's.")] = None,
    listen: Annotated[str | None, typer.Option("--listen", help="host:port; else the file's.")] = None,
) -> None:
    """Run the gateway until it is told to stop."""
    if context.invoked_subcommand is not None:
        return
    need("gateway", "starlette", "uvicorn", "cel")
    from langguard.gateway.app import first_administrator, open_ground
    from langguard.gateway.serve import serve
    from langguard.gateway.settings import load

    settings = load(config, environ(), {"data": data, "listen": listen})
    ground = open_ground(settings.data)
    try:
        made = asyncio.run(first_administrator(ground))
    finally:
        ground.store.close()
    if made is not None:
        _show_administrator(made[1])
    serve(settings, ready=lambda address: show(f"langguard gateway listens on {address}"))


@app.command("init")
def init(
    config: Annotated[Path, typer.Option("--config", "-c", help="Where to write it.")] = Path("langguard.yaml"),
) -> None:
    """Write a commented configuration, make its data folder, and print an administrator's key once."""
    need("gateway", "starlette", "uvicorn", "cel")
    from langguard.gateway.app import first_administrator, open_ground
    from langguard.gateway.settings import load, template

    try:
        with config.open("x", encoding="utf-8") as out:
            out.write(template())
    except FileExistsError:
        msg = f"{config} exists already; it is not overwritten. Choose another with --config."
        raise ConfigError(msg) from None
    except OSError as failed:
        msg = f"can't write {config}: {failed.strerror}"
        raise ConfigError(msg) from None
    settings = load(config, environ())
    ground = open_ground(settings.data)
    try:
        made = asyncio.run(first_administrator(ground))
    finally:
        ground.store.close()
    show(f"wrote {config}; data folder {settings.data}")
    show("Add a connection and a grant to it, then start the gateway:")
    show(colour(f"    langguard gateway --config {config}", "bold"))
    if made is None:
        trouble("the data folder has an administrator's key already; no new one was made")
    else:
        _show_administrator(made[1])


def _show_administrator(secret: str) -> None:
    show(colour("Administrator's API key, shown this once:", "bold"))
    show(f"    {secret}")
    show("Make agents' keys with it:  LANGGUARD_TOKEN=<that key> langguard key create my-agent --group analysts")
