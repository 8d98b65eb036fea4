"""The command line: `langguard noun verb`. Exit 0 yes, 1 no, 2 trouble."""

import sys

import typer

from langguard.cli._output import trouble
from langguard.cli.connection import app as connection_app
from langguard.cli.gateway import app as gateway_app
from langguard.cli.key import app as key_app
from langguard.cli.ledger import app as ledger_app
from langguard.cli.login import login, logout
from langguard.cli.policy import app as policy_app
from langguard.cli.session import app as session_app
from langguard.cli.sql import app as sql_app
from langguard.errors import LangguardError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Ask before acting: policy, masking and a tamper-evident record for LangChain agents.",
)
for noun, commands in (
    ("gateway", gateway_app),
    ("connection", connection_app),
    ("key", key_app),
    ("policy", policy_app),
    ("session", session_app),
    ("sql", sql_app),
    ("ledger", ledger_app),
):
    app.add_typer(commands, name=noun)


app.command("login")(login)
app.command("logout")(logout)


@app.command("demo")
def demo(
    json: bool = typer.Option(False, "--json", help="The story as one JSON document."),
    keep: bool = typer.Option(False, "--keep", help="Leave gateway and database running, and say what to type next."),
    sqlite: bool = typer.Option(False, "--sqlite", help="Use SQLite instead of the embedded PostgreSQL."),
) -> None:
    """Run an agent over a real database through a real gateway, in under a minute."""
    from langguard.cli.demo.command import run

    raise typer.Exit(run(as_json=json, keep=keep, sqlite=sqlite))


@app.command("version")
def version() -> None:
    """Print the version."""
    import langguard

    typer.echo(langguard.__version__)


def main() -> None:
    """Run a command; trouble is one sentence on stderr, never a traceback."""
    try:
        app()
    except LangguardError as failed:
        trouble(str(failed))
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
