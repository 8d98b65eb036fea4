"""Names: how a dialect compares them, and which belong to the engine."""

import string
from collections.abc import Iterable

from sqlglot import exp

from langguard.sql.dialects import RULES
from langguard.sql.refusals import nearest, refuse, refused

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
SCHEMA_TOOL = "Use the schema tool to see tables and columns."


def lower(name: str) -> str:
    """Return the name in lower case, ASCII letters only, as the engines fold names."""
    return name.lower() if name.isascii() else name.translate(_LOWER)


def stored(identifier: exp.Identifier, dialect: str) -> str:
    """Return the name an identifier stands for.

    Raises:
        Refused: It is longer than the engine keeps.
    """
    args = identifier.args
    name = str(args["this"])
    rules = RULES[dialect]
    longest = rules.longest_name
    if longest is not None and len(name) * 4 > longest and len(name.encode("utf-8", "replace")) > longest:
        # The engine cuts it, so that two names which differ here could be one there.
        refuse(
            "construct_not_allowed",
            f"A name may have {longest} bytes.",
            name,
            position=identifier.meta.get("start"),
            hint="Use a shorter name.",
        )
    if args.get("quoted") or rules.folds == "keep":
        return name
    return lower(name) if rules.folds == "lower" else name.translate(_UPPER)


def key(name: str, dialect: str) -> str:
    """Return what two spellings of one name have in common."""
    return lower(name) if RULES[dialect].insensitive else name


def quoted(name: str) -> exp.Identifier:
    """Return an identifier that stands for exactly `name`."""
    return exp.Identifier(this=name, quoted=True)


def rename_identifier(identifier: exp.Identifier, name: str) -> None:
    """Let an identifier stand for exactly `name`; where it stands in the text that came is kept."""
    args = identifier.args
    if args["this"] != name:
        identifier.set("this", name)
    if args.get("quoted") is not True:
        identifier.set("quoted", True)


def is_system(schema: str, name: str, dialect: str) -> bool:
    """Whether a relation belongs to the engine's own catalogue."""
    schema, name = lower(schema), lower(name)
    rules = RULES[dialect]
    return (
        schema in rules.system_schemas
        or schema.startswith(rules.system_prefixes)
        or name.startswith(rules.system_prefixes)
    )


def no_system_table(table: exp.Table, dialect: str) -> None:
    """Refuse a table of the engine's own catalogue."""
    if is_system(table.db, table.name, dialect):
        refuse(
            "catalogue_not_allowed",
            "Statements may not read the database's own catalogue.",
            ".".join(filter(None, (table.db, table.name))),
            position=table.this.meta.get("start") if isinstance(table.this, exp.Expr) else None,
            hint=SCHEMA_TOOL,
            actions=("metadata",),
        )


def unknown_column(name: str, known: Iterable[str], position: int | None) -> Exception:
    """Return the refusal of a column that no table in reach has."""
    names = sorted(set(known))
    near = nearest(name, names)
    listed = near or names[:12]
    return refused(
        "unknown_column",
        f"There is no column {name[:60]} in the tables named.",
        name,
        position=position,
        hint=f"{'Columns with a name like it' if near else 'The columns are'}: {', '.join(listed)}." if listed else "",
    )
