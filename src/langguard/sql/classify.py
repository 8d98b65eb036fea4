"""The analyser without a connection's catalogue: for judging it against a yardstick, and for a first guess.

Text alone can't say what a view, a row-security policy, an overload or an attribute in function notation does, so a
decision needs `analyze` with the catalogue.
"""

import re
from collections.abc import Collection

from sqlglot import Token, exp
from sqlglot.dialects.dialect import Dialect

from langguard.protocol import Catalog, Column, Facts, Refusal, Table
from langguard.sql.allowed import WRITES
from langguard.sql.analyze import DIALECTS, analyze, unreadable
from langguard.sql.calls import called, literals_kept
from langguard.sql.dialects import RULES
from langguard.sql.names import key, no_system_table, stored
from langguard.sql.nodes import check
from langguard.sql.operators import check_operators
from langguard.sql.parse import canonical, parse
from langguard.sql.refusals import Refused, refuse, refused
from langguard.sql.statements import told
from langguard.sql.words import words

NO_PARENTHESES = words(
    """
user current_user session_user system_user current_role current_catalog current_schema
"""
)
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
ATTRIBUTES = frozenset({"nextval", "currval"})


def actions(text: str, dialect: str) -> set[str]:
    """Return what a statement would do as far as its text tells: exactly {"read"} only for a plain read.

    Never raises; an empty set means that the statement is not understood.
    """
    found = outline(text, dialect)
    if isinstance(found, Refusal):
        known = {str(action) for action in found.actions}
        return set() if known == {"read"} else known
    return found


def outline(text: str, dialect: str) -> set[str] | Refusal:
    """Return what a statement would do as far as its text tells, or why it is not understood. Never raises."""
    found = _outlined(text, dialect)
    return told(found, text, dialect) if isinstance(found, Refusal) else found


def _outlined(text: str, dialect: str) -> set[str] | Refusal:
    try:
        return set(_actions(text, dialect))
    except Refused as error:
        return error.refusal
    except RecursionError:
        return refused("too_complex", "The statement is nested too deep.").refusal
    except Exception as error:  # noqa: BLE001 - whatever the parser raises, the statement is not understood
        return unreadable(error)


def _actions(text: str, dialect: str) -> set[str]:
    if dialect not in DIALECTS:
        refuse("dialect_not_supported", f"The dialect {str(dialect)[:40]} is not supported.")
    listed = _structure(text, dialect)
    tree, tokens = parse(text, dialect)
    sent = _sent(tree, tokens, text, dialect, listed)
    again, _ = parse(sent, dialect)
    if canonical(again, dialect) != sent:
        refuse("changed_by_rewriting", "The statement has no stable form.")
    _structure(sent, dialect)
    if not isinstance(tree, WRITES):
        return {"read"}
    reads = any(tree.args.get(part) for part in ("where", "returning", "from_", "using"))
    return {"write", "read"} if reads or isinstance(tree.args.get("expression"), exp.Select) else {"write"}


def _structure(text: str, dialect: str) -> Collection[str]:
    """Check a text's parts, and return the names it follows with a bracket."""
    tree, tokens = parse(text, dialect)
    rules = RULES[dialect]
    listed = check(tree, dialect, rules.functions).listed
    called(tokens, text, rules.functions, aliases=listed)
    ctes = {key(stored(c.args["alias"].this, dialect), dialect) for c in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            if not rules.table_functions:
                refuse("function_not_allowed", "Table functions are not allowed.", table.name)
        elif not rules.runs and not all(_PLAIN_NAME.fullmatch(part.name) for part in table.parts):
            refuse("construct_not_allowed", "This table name is not understood.", table.name)
        elif table.db or key(stored(table.this, dialect), dialect) not in ctes:
            no_system_table(table, dialect)
            if rules.files_by_name and not _PLAIN_NAME.fullmatch(table.name):
                refuse("unknown_table", "This name may be a file's.", table.name)
    for column in tree.find_all(exp.Column):
        name = column.name.lower()
        bare = not column.table and isinstance(column.this, exp.Identifier) and not column.this.args.get("quoted")
        hidden = name in ATTRIBUTES or name in rules.hidden_columns
        if hidden or (bare and name in NO_PARENTHESES):
            refuse("function_not_allowed", "This value is not allowed.", column.name)
    return listed


def _sent(tree: exp.Expr, tokens: list[Token], text: str, dialect: str, listed: Collection[str]) -> str:
    sent = canonical(tree, dialect)
    literals_kept(tokens, sent, text, dialect)
    words_sent = Dialect.get_or_raise(dialect).tokenize(sent)
    called(words_sent, sent, RULES[dialect].functions, aliases=listed, canonical=True)
    check_operators(sent, words_sent, dialect, ())
    return sent


def catalog_of(schema: dict[str, list[str]], dialect: str) -> Catalog:
    """Return a catalogue of nothing but names: every column counts as text.

    Args:
        schema: `table` or `schema.table` to its columns, in order.
        dialect: One of those that are analysed.
    """
    rules = RULES[dialect]
    tables = []
    for name, columns in schema.items():
        where, _, bare = name.rpartition(".")
        listed = tuple(Column(name=c, type="text", kind="text") for c in columns)
        tables.append(Table(schema=where or rules.home, name=bare, columns=listed))
    return Catalog(dialect=rules.name, default_schemas=(rules.home,), tables=tuple(tables))


def lineage(text: str, dialect: str, schema: dict[str, list[str]]) -> tuple[list[set[str]], set[str]] | None:
    """Return each output's base columns and all columns touched, as bare `table.column`.

    Args:
        text: One statement.
        dialect: One of those that are analysed; any other gives None.
        schema: Table name to its columns, in order.

    Returns:
        None where the statement is refused or can't be traced exactly.
    """
    if dialect not in DIALECTS:
        return None
    catalog = catalog_of(schema, dialect)
    facts = analyze(text, dialect, catalog)
    if not isinstance(facts, Facts) or not facts.precise:
        return None
    prefix = f"{catalog.default_schemas[0]}."
    return (
        [{c.removeprefix(prefix) for c in output.columns} for output in facts.outputs],
        {c.removeprefix(prefix) for c in facts.touched},
    )
