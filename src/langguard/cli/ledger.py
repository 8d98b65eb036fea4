"""`langguard ledger`: verify an export offline; read the signed head."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from langguard.cli._api import TOKEN_HELP, URL_HELP, Api
from langguard.cli._checkpoints import read_checkpoint
from langguard.cli._output import colour, plain, show, show_json
from langguard.errors import ConfigError, VerificationError

app = typer.Typer(no_args_is_help=True, help="The tamper-evident ledger: verify an export, read the signed head.")


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="An export: JSON lines.")],
    key: Annotated[str | None, typer.Option("--key", help="The ledger's verifier key, known from elsewhere.")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="What `ledger head` printed before the export.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Verify an export with no gateway: every entry, proof, body and signature. Exit 0 verified, 1 not, 2 trouble."""
    from langguard.ledger import verify as check

    try:
        held = file.read_bytes()
    except OSError as failed:
        msg = f"can't read {failed.filename}: {failed.strerror}"
        raise ConfigError(msg) from None
    anchor = None if checkpoint is None else read_checkpoint(checkpoint)
    try:
        report = check(held, trusted_key=key, checkpoint=anchor)
    except VerificationError as failed:
        if json:
            show_json({"verified": False, "entry": failed.entry, "reason": str(failed)})
        else:
            show(f"{colour('NOT VERIFIED', 'red')}  {plain(str(failed))}")
        raise typer.Exit(1) from None
    if json:
        show_json({"verified": True} | dataclasses.asdict(report))
        return
    counted = f"{report.entries} entries  {report.bodies} texts"
    show(f"{colour('ok', 'green')}  {counted}  head {report.root[:16]} of {report.size}")
    show(f"    session {report.session}  key {report.key_id}{' (trusted)' if report.key_trusted else ''}")
    for note in report.notes:
        show(f"    {colour('note', 'yellow')}: {note}")


@app.command("head")
def head(
    url: Annotated[str | None, typer.Option("--url", help=URL_HELP)] = None,
    token: Annotated[str | None, typer.Option("--token", help=TOKEN_HELP)] = None,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Print the signed head and the key that signs it: keep both somewhere the gateway can't write to."""
    held = Api(url, token).ask("GET", "/v1/checkpoint")
    if json:
        show_json(held)
    else:
        show(held["checkpoint"].rstrip("\n"))
        show(f"key: {held['key']}")
