"""`langguard sql`: what a statement does, which columns it reads, what would be sent, or what of it is refused."""

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from langguard.cli._extras import need
from langguard.cli._output import colour, plain, show, show_json
from langguard.errors import ConfigError
from langguard.protocol import Catalog, Facts, Refusal, SqlObligations

app = typer.Typer(no_args_is_help=True, help="SQL statements: what one does, and what would be sent.")

WIDTH = 100
"""Most characters of a line of the statement that are shown around what was refused."""
NO_CATALOG = (
    "No catalogue: names, views and the database's own functions are not checked; add --connection or --schema."
)


@app.callback()
def sql() -> None:
    """Keep `explain` a command of its own."""


@app.command("explain")
def explain(
    statement: Annotated[str, typer.Argument(help="One SQL statement; placeholders are $1, $2...")],
    dialect: Annotated[
        str | None,
        typer.Option("--dialect", "-d", help="postgres, sqlite, mysql...; default: the connection's, or postgres."),
    ] = None,
    connection: Annotated[
        str | None, typer.Option("--connection", "-c", help="A connection of the file; its database is asked.")
    ] = None,
    config: Annotated[Path, typer.Option("--config", help="The gateway's file.")] = Path("langguard.yaml"),
    schema: Annotated[
        Path | None, typer.Option("--schema", help='JSON: {"table": ["column", ...]}, or a whole catalogue.')
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=0, help="Row cap of what would be sent.")] = 1_000,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Say what a statement does, or what of it is refused and what to write instead. Exit 0 understood, 1 refused."""
    from langguard.sql import analyze, outline, rewrite, second_reader

    if connection is not None and schema is not None:
        msg = "Give --connection or --schema, not both."
        raise ConfigError(msg)
    catalog = _catalog(connection, config, schema, dialect)
    notes = _notes(catalog.dialect if catalog is not None else dialect or "postgres")
    if catalog is None:
        named = dialect or "postgres"
        found = outline(statement, named)
        if isinstance(found, Refusal):
            _refused(found, statement, named, json=json)
        if json:
            show_json({"understood": True, "dialect": named, "actions": sorted(found), "notes": [NO_CATALOG, *notes]})
        else:
            show(f"{colour(', '.join(sorted(found)), 'green')}  ({named})")
            _show_notes([NO_CATALOG, *notes])
        return
    limits = _limits(config if connection is not None else None)
    second = second_reader.described() if limits.second_reader and catalog.dialect == "postgres" else ""
    facts = analyze(statement, catalog.dialect, catalog, limits=limits)
    if isinstance(facts, Refusal):
        _refused(facts, statement, catalog.dialect, json=json)
    sent = rewrite(facts, SqlObligations(rows=rows), catalog, limits=limits)
    if isinstance(sent, Refusal):
        _refused(sent, facts.statement, catalog.dialect, json=json)
    if json:
        show_json(
            {
                "understood": True,
                "dialect": catalog.dialect,
                **_data(facts),
                "sent": sent,
                "second_reader": second,
                "notes": notes,
            }
        )
    else:
        _shown(facts, sent, catalog.dialect)
        if catalog.dialect == "postgres":
            show(f"  read by    ours, {second}" if second else "  read by    ours; no second reader")
        _show_notes(notes)


def _limits(config: Path | None) -> Any:
    """Return the limits of a gateway's file, or the defaults, with the second reader where there is one."""
    from dataclasses import replace

    from langguard.sql import LIMITS

    if config is None:
        return replace(LIMITS, second_reader=True)
    from langguard.cli._files import reading

    settings = reading(config)
    return replace(LIMITS, **dict(settings.limits), second_reader=settings.second_reader != "never")


def _notes(dialect: str) -> list[str]:
    """Return what is to be said of a dialect that is only analysed."""
    from langguard.sql.dialects import RULES

    rules = RULES.get(dialect)
    if rules is None or rules.runs:
        return []
    return [f"{rules.title} is read with the strictest lists; the gateway does not run statements on it."]


def _show_notes(notes: list[str]) -> None:
    for note in notes:
        show(colour(f"  {note}", "yellow"))


def _catalog(connection: str | None, config: Path, schema: Path | None, dialect: str | None) -> Catalog | None:
    if connection is not None:
        need("gateway", "cel")
        from langguard.cli._files import structure

        found = structure(connection, config)
        if dialect not in {None, found.dialect}:
            msg = f"The connection `{connection}` speaks {found.dialect}, not {dialect}."
            raise ConfigError(msg)
        return found
    return None if schema is None else _from_file(schema, dialect)


def _from_file(path: Path, dialect: str | None) -> Catalog:
    import msgspec

    from langguard.sql import catalog_of

    try:
        text = path.read_bytes()
    except OSError as failed:
        msg = f"can't be read: {failed.strerror}"
        raise ConfigError(msg, source=str(path)) from None
    try:
        raw = msgspec.json.decode(text)
        if isinstance(raw, dict) and "tables" in raw and "dialect" in raw:
            return msgspec.convert(raw, Catalog)
        return catalog_of(msgspec.convert(raw, dict[str, list[str]]), dialect or "postgres")
    except msgspec.MsgspecError as failed:
        msg = f'is neither {{"table": ["column", ...]}} nor a catalogue: {failed}'
        raise ConfigError(msg, source=str(path)) from None


def _data(facts: Facts) -> dict[str, Any]:
    import msgspec

    held: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(facts))
    return held


def _shown(facts: Facts, sent: str, dialect: str) -> None:
    show(f"{colour(', '.join(facts.actions), 'green')}  ({dialect})")
    show(f"  tables     {plain(', '.join(facts.tables)) or '-'}")
    if facts.written:
        _written(facts)
    show(f"  touched    {plain(', '.join(facts.touched)) or '-'}")
    if facts.functions:
        show(f"  functions  {plain(', '.join(facts.functions))}")
    if facts.limit is not None:
        show(f"  limit      {facts.limit}")
    if facts.parameters:
        show(f"  parameters {facts.parameters}")
    for output in facts.outputs:
        how = " unchanged" if output.direct else " counted" if output.counted else ""
        come = ", ".join(output.columns)
        show(f"  output     {plain(output.name)} <- {plain(come) + how if come else 'no column'}")
    show(f"  sent       {plain(sent)}")


def _written(facts: Facts) -> None:
    """Show what a write does to which rows, and what it sets."""
    where = {
        "condition": "with WHERE",
        "trivial": colour("every row: the WHERE tells no rows apart", "yellow"),
        "none": colour("every row: no WHERE", "yellow"),
        None: "",
    }[facts.where]
    changes = f"{facts.operation}: {', '.join(facts.changes)}" if facts.operation == "merge" else facts.operation
    show(f"  written    {plain(', '.join(facts.written))}  {changes}  {where}".rstrip())
    for each in facts.assigned:
        how = " unchanged" if each.direct else " counted" if each.counted else ""
        come = ", ".join(each.columns)
        show(f"  sets       {plain(each.column)} <- {plain(come) + how if come else 'values given'}")


def _refused(refusal: Refusal, statement: str, dialect: str, *, json: bool) -> NoReturn:
    """Show a refusal and end with exit code 1."""
    if json:
        import msgspec

        data = msgspec.json.decode(msgspec.json.encode(refusal))
        show_json({"understood": False, "dialect": dialect, "refusal": data})
        raise typer.Exit(1)
    show(f"{colour('refused', 'red')} {refusal.code}  ({dialect})")
    show(f"  {plain(refusal.reason)}")
    for line in pointed(statement, refusal):
        show(f"    {line}")
    if refusal.actions:
        what = f"{refusal.kind.replace('_', ' ')}: " if refusal.kind else ""
        at = f" ({plain(', '.join(refusal.targets))})" if refusal.targets else ""
        show(f"  it would: {what}{', '.join(refusal.actions)}{at}")
    if refusal.candidates:
        show(f"  perhaps meant: {plain(', '.join(refusal.candidates))}")
    if refusal.hint:
        show(f"  instead: {plain(refusal.hint)}")
    raise typer.Exit(1)


def pointed(statement: str, refusal: Refusal) -> list[str]:
    """Return the line of the statement that a refusal is about with carets under the fragment.

    Where the place is not known, only the fragment, or nothing.
    """
    at = refusal.position
    if at is None:
        found = statement.find(refusal.fragment) if refusal.fragment else -1
        if found < 0 or statement.find(refusal.fragment, found + 1) >= 0:
            return [plain(refusal.fragment)] if refusal.fragment else []
        at = found
    start = statement.rfind("\n", 0, at) + 1
    end = statement.find("\n", at)
    line = statement[start : end if end >= 0 else len(statement)]
    column = at - start
    cut = max(0, column - WIDTH // 2)
    shown = "".join(c if c.isprintable() else "\ufffd" for c in line[cut : cut + WIDTH])
    fragment = refusal.fragment
    exact = statement.startswith(fragment, at) if fragment else False
    width = min(len(fragment) if exact else 1, max(len(shown) - (column - cut), 1))
    return [shown, " " * (column - cut) + "^" * width]
