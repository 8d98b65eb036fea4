"""Views, judged once by their definitions: what is found out holds for every statement that names one."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlglot import Token, TokenType
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from langguard.protocol import Catalog, Column, Refusal, View
from langguard.sql.analyze import analyze
from langguard.sql.calls import called
from langguard.sql.dialects import RULES
from langguard.sql.gate import LIMITS
from langguard.sql.refusals import Refused

SESSION = frozenset({"current_setting"})
"""What a row-security policy may call besides what statements may: it reads settings of the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A view as the database keeps it.

    Attributes:
        columns: In order.
        query: Its SELECT.
        calls: Functions that it depends on and that are not the engine's own.
        path: Where its unqualified names are looked up, in order; empty means where the catalogue's are.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    query: str
    calls: tuple[str, ...] = ()
    path: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """`schema.view`."""
        return f"{self.schema}.{self.name}"


def with_views(catalog: Catalog, definitions: tuple[Definition, ...]) -> Catalog:
    """Return the catalogue with these views in it, each readable or with the reason why not.

    A view is readable when its definition is a read over tables the catalogue knows and readable views, calls only
    what a statement may call, and every column of it can be traced.
    """
    views: dict[str, View] = {}
    waiting = list(definitions)
    while waiting:
        held = msgspec.structs.replace(catalog, views=tuple(v for v in views.values() if not v.refused))
        judged = {definition.id: judge(definition, held) for definition in waiting}
        settled = {name: view for name, view in judged.items() if not view.refused}
        if not settled:
            views |= judged
            break
        views |= settled
        waiting = [definition for definition in waiting if definition.id not in settled]
    return msgspec.structs.replace(catalog, views=tuple(views[name] for name in sorted(views)))


def judge(definition: Definition, catalog: Catalog) -> View:
    """Return a view as its definition makes it, over the tables and views of a catalogue."""
    bare = View(schema=definition.schema, name=definition.name, columns=definition.columns)
    vouched = {name.lower() for name in catalog.allowed_functions}
    own = sorted(name for name in definition.calls if name.lower() not in vouched)
    if own:
        return msgspec.structs.replace(bare, refused=f"its definition calls {own[0]}, which is not the engine's own.")
    if definition.path:
        catalog = msgspec.structs.replace(catalog, default_schemas=definition.path)
    found = analyze(definition.query, catalog.dialect, catalog, limits=LIMITS.wide())
    if isinstance(found, Refusal):
        return msgspec.structs.replace(bare, refused=f"its definition is not understood: {found.reason}")
    if found.actions != ("read",) or len(found.outputs) != len(definition.columns) or not found.precise:
        return msgspec.structs.replace(bare, refused="its definition can't be traced.")
    return msgspec.structs.replace(
        bare,
        outputs=found.outputs,
        touched=found.touched,
        decided=found.decided,
        tables=found.tables,
        query=found.statement,
    )


def policy_refused(expressions: tuple[str, ...], calls: tuple[str, ...], allowed: tuple[str, ...] = ()) -> str:
    """Return why a table under PostgreSQL's row-level security may not be read, or nothing.

    Args:
        expressions: The conditions of its policies, as the server writes them.
        calls: Functions they depend on that are not the engine's own.
        allowed: Lower-case names of functions that the administrator vouches for.
    """
    own = sorted(name for name in calls if name.lower() not in allowed)
    if own:
        return f"its row security calls {own[0]}, which is not the engine's own."
    for text in expressions:
        try:
            tokens = Dialect.get_or_raise("postgres").tokenize(text)
            called(tokens, text, RULES["postgres"].functions | SESSION | frozenset(allowed))
        except Refused as error:
            return f"its row security is not understood: {error.refusal.reason}"
        except SqlglotError:
            return "its row security is not understood."
    return ""


def body_of_view(text: str, dialect: str) -> str:
    """Return the SELECT of a CREATE VIEW statement as an engine keeps it; empty where there is none."""
    depth = 0
    try:
        tokens = Dialect.get_or_raise(dialect).tokenize(text)
    except SqlglotError:
        return ""
    for token in tokens:
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if depth == 0 and token.token_type == TokenType.ALIAS:
            return text[token.end + 1 :]
    return ""


def names_in(expression: str, dialect: str, columns: Sequence[str]) -> tuple[str, ...]:
    """Return which columns an expression over one table may use: all of them where it can't be read."""
    try:
        tokens = Dialect.get_or_raise(dialect).tokenize(expression)
    except SqlglotError:
        return tuple(columns)
    words = {token.text.lower() for token in tokens if token.token_type != TokenType.STRING}
    return tuple(name for name in columns if name.lower() in words)


def with_makings(columns: tuple[Column, ...], dialect: str) -> tuple[Column, ...]:
    """Put the names of columns in place of the expressions that generated columns have in `made_of`."""
    known = [column.name for column in columns]
    return tuple(
        msgspec.structs.replace(
            column, made_of=tuple(n for n in names_in(column.made_of[0], dialect, known) if n != column.name)
        )
        if column.made_of
        else column
        for column in columns
    )


def generated_by(text: str, column: str, dialect: str) -> str:
    """Return the expression of a generated column in a CREATE TABLE statement, or all of that where it is not plain."""
    try:
        tokens = Dialect.get_or_raise(dialect).tokenize(text)
    except SqlglotError:
        return text
    depth = 0
    starts, own = False, False
    for at, token in enumerate(tokens):
        if token.token_type == TokenType.R_PAREN:
            depth -= 1
        if depth == 1 and starts:
            own = token.text.lower() == column.lower()
        starts = depth == 1 and token.token_type == TokenType.COMMA
        if token.token_type == TokenType.L_PAREN:
            starts = starts or depth == 0
            if own and depth == 1 and tokens[at - 1].token_type == TokenType.ALIAS:
                return _bracket(tokens, at, text)
            depth += 1
    return text


def _bracket(tokens: list[Token], at: int, text: str) -> str:
    depth = 0
    for token in tokens[at:]:
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if depth == 0:
            return text[tokens[at].start : token.end + 1]
    return text
