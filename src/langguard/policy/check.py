"""The second look at a policy: every name it mentions against what exists, once catalogues and detectors are known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from langguard.errors import PolicyError
from langguard.policy import names
from langguard.policy.model import ANY, Mention, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What exists.

    Attributes:
        connections: Name to kind (`sql`, `http`, `vector`, `tool`).
        entities: Presidio's names that a detector can find; None while that is not known.
        columns: Connection to its columns, `schema.table.column`; a connection left out, or None, is not known yet.
    """

    connections: Mapping[str, str]
    entities: frozenset[str] | None = None
    columns: Mapping[str, frozenset[str]] | None = None


def check(policy: Policy, known: Known) -> tuple[PolicyError, ...]:
    """Return an error for every name the policy mentions that does not exist, as far as that is known.

    Each names its place and the nearest valid name; none means the policy may be put in force.
    """
    return tuple(
        PolicyError(fault, source=policy.source, line=mention.place.line, column=mention.place.column)
        for mention in policy.mentions
        if (fault := _fault(mention, known))
    )


def _fault(mention: Mention, known: Known) -> str:
    match mention.kind:
        case "entity":
            return "" if known.entities is None else _unknown("entity", mention.text, known.entities)
        case "table" | "table literal":
            return _table(mention, known)
        case "column literal":
            return _absent("column", mention, _columns(mention.connections, known))
        case "column":
            return _column(mention, known)


def _unknown(what: str, text: str, options: Iterable[str]) -> str:
    return "" if text in options else f"unknown {what} `{text}`{names.suggest(text, options)}"


def _columns(connections: tuple[str, ...], known: Known) -> dict[str, frozenset[str]] | None:
    """Return the columns of the connections meant, or None where one of them is not known."""
    meant = known.connections if ANY in connections else connections
    sql = [name for name in meant if known.connections.get(name) == "sql"]
    if known.columns is None or not sql or not all(name in known.columns for name in sql):
        return None
    return {name: known.columns[name] for name in sql}


def _absent(what: str, mention: Mention, held: dict[str, frozenset[str]] | None) -> str:
    if held is None:
        return ""
    options = frozenset().union(*held.values())
    return _unknown(what, mention.text, options)


def _table(mention: Mention, known: Known) -> str:
    held = _columns(mention.connections, known)
    if held is None:
        return ""
    tables = {column.rpartition(".")[0] for columns in held.values() for column in columns}
    if mention.kind == "table literal":
        return _unknown("table", mention.text, tables)
    pattern = names.table_pattern(mention.text)
    if pattern is not None and any(pattern.touches(table) for table in tables):
        return ""
    return f"unknown table `{mention.text}`{names.suggest(mention.text, tables)}"


def _column(mention: Mention, known: Known) -> str:
    found = names.column_parts(mention.text)
    if found is None:
        return "a column is written `connection/schema.table.column`"
    connection, wanted = found
    held = _columns((connection,), known)
    if held is None:
        return ""
    options = {f"{name}/{column}": column for name, columns in held.items() for column in columns}
    if any(names.column_matches(wanted, column) for column in options.values()):
        return ""
    return f"unknown column `{mention.text}`{names.suggest(mention.text, options)}"
