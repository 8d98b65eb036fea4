"""From text to facts: gate, parser, lists, names, and the proof that the text sent is the one judged."""

import hashlib
from collections.abc import Iterable

from sqlglot import TokenType, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from langguard.protocol import Action, Catalog, Facts, Output, Refusal
from langguard.sql.calls import FUNCTIONS, called, listed_aliases, literals_kept
from langguard.sql.gate import LIMITS, Limits
from langguard.sql.nodes import WRITES, check
from langguard.sql.operators import STRINGS, check_operators
from langguard.sql.parse import canonical, parse, placeholders
from langguard.sql.refusals import Refused, refuse, refused
from langguard.sql.scope import Field
from langguard.sql.writes import Writes

DIALECTS = frozenset(FUNCTIONS)


def analyze(text: str, dialect: str, catalog: Catalog, *, limits: Limits = LIMITS) -> Facts | Refusal:
    """Return what one statement does, or why it is not understood. Never raises.

    The statement is written back in canonical form, and that form is analysed again: the facts are those of the text
    that will be sent.

    Args:
        text: One SQL statement, placeholders $1, $2...
        dialect: `postgres` or `sqlite`, and the catalogue's own.
        catalog: The tables it may name.
        limits: The largest statement that is analysed.
    """
    try:
        return settled(text, dialect, catalog, limits)
    except Refused as error:
        return error.refusal
    except RecursionError:
        return refused("too_complex", "The statement is nested too deep.").refusal
    except Exception as error:  # noqa: BLE001 - whatever the parser raises, the statement is refused
        return unreadable(error)


def unreadable(error: Exception) -> Refusal:
    """Return the refusal for an error that the parser was not expected to raise."""
    code = "not_parsed" if isinstance(error, SqlglotError) else "not_analysed"
    return refused(
        code,
        "The statement can't be analysed.",
        hint="Write it in plain, standard SQL.",
    ).refusal


def settled(text: str, dialect: str, catalog: Catalog, limits: Limits) -> Facts:
    """Return the facts of a statement's canonical text.

    Raises:
        Refused: It is not understood, or its canonical text does not mean the same.
    """
    if not isinstance(text, str):
        refuse("not_text", "The statement is not text.")
    if dialect not in DIALECTS:
        refuse(
            "dialect_not_supported",
            f"The dialect {str(dialect)[:40]} is not supported.",
            hint="Supported are postgres and sqlite.",
        )
    if catalog.dialect != dialect:
        refuse("dialect_not_supported", f"The connection speaks {catalog.dialect}, not {dialect}.")
    first = facts_of(text, dialect, catalog, limits)
    wide = Limits(
        bytes=limits.bytes * 16,
        tokens=limits.tokens * 8,
        depth=limits.depth * 2,
        cost=limits.cost * 8,
        chain=limits.chain,
        arms=limits.arms,
        subscripts=limits.subscripts,
        case_depth=limits.case_depth,
    )
    second = facts_of(first.statement, dialect, catalog, wide)
    if second.statement != first.statement or not same_meaning(first, second):
        refuse(
            "changed_by_rewriting",
            "The statement does not keep its meaning when it is written in canonical form.",
            text,
            hint="Write it in a simpler way.",
        )
    return second


def same_meaning(one: Facts, other: Facts) -> bool:
    """Whether two statements do the same to the same columns."""
    return (
        one.actions == other.actions
        and one.tables == other.tables
        and one.written == other.written
        and one.touched == other.touched
        and one.outputs == other.outputs
        and one.filtered == other.filtered
        and one.parameters == other.parameters
    )


def facts_of(text: str, dialect: str, catalog: Catalog, limits: Limits) -> Facts:
    """Return the facts of a text as it stands; `statement` is its canonical form."""
    tree, tokens = parse(text, dialect, limits)
    functions = FUNCTIONS[dialect]
    check(tree, functions)
    named = called(tokens, text, dialect, aliases=listed_aliases(tree))
    parameters = _parameters(tree)

    resolver = Writes(dialect, text, catalog)
    resolver.take_names(tree)
    actions: set[Action] = {"read"}
    written: tuple[str, ...] = ()
    filtered = None
    if isinstance(tree, WRITES):
        result = resolver.write(tree)
        outputs, filtered, written = result.outputs, result.filtered, (result.table,)
        actions = {"write", "read"} if resolver.touched else {"write"}
    else:
        outputs = resolver.query(tree, {}, None)

    statement = canonical(tree, dialect)
    literals_kept(tokens, statement, text)
    sent = Dialect.get_or_raise(dialect).tokenize(statement)
    named |= called(sent, statement, dialect, aliases=listed_aliases(tree), canonical=True)
    words = {t.text.lower() for t in sent if t.token_type not in STRINGS} if dialect == "sqlite" else set()
    _own_functions(named | (words & {"like", "glob"}), catalog)  # SQLite carries these operators out by functions
    check_operators(statement, sent, dialect, catalog.user_operators)
    return Facts(
        statement=statement,
        actions=tuple(sorted(actions)),
        tables=tuple(sorted(resolver.tables)),
        written=written,
        touched=tuple(sorted(resolver.touched)),
        outputs=tuple(_output(f) for f in outputs),
        functions=tuple(sorted(named)),
        limit=literal_limit(tree),
        filtered=filtered,
        parameters=parameters,
        shape=_shape(statement, dialect),
    )


def _output(field: Field) -> Output:
    value = field.value
    return Output(
        name=field.name,
        columns=tuple(sorted(value.columns)),
        direct=value.direct and len(value.columns) == 1,
        counted=value.counted,
    )


def _parameters(tree: exp.Expr) -> int:
    numbers = placeholders(tree)
    if numbers != set(range(1, len(numbers) + 1)):
        refuse(
            "placeholder_not_allowed",
            "Placeholders must be numbered $1, $2... without gaps.",
            ", ".join(f"${n}" for n in sorted(numbers)),
        )
    return len(numbers)


def _own_functions(named: Iterable[str], catalog: Catalog) -> None:
    """A name on the list that the database's owner gave a function of their own is no longer the engine's."""
    users = {n.lower() for n in catalog.user_functions}
    for name in sorted(named):
        if name in users:
            refuse(
                "function_not_allowed",
                f"This database has a function of its own named {name}, so calling it is not allowed.",
                name,
            )


def literal_limit(tree: exp.Expr) -> int | None:
    """Return the statement's own row limit when it is a plain number."""
    limit = tree.args.get("limit")
    number = None if limit is None else limit.args.get("count" if isinstance(limit, exp.Fetch) else "expression")
    if not isinstance(number, exp.Literal):
        return None
    text = str(number.this)
    return int(text) if not number.is_string and text.isascii() and text.isdigit() else None


def _shape(statement: str, dialect: str) -> str:
    """Return the digest of a canonical text with a ? for each literal."""
    literals = {TokenType.STRING, TokenType.NUMBER, TokenType.HEX_STRING, TokenType.BIT_STRING}
    tokens = Dialect.get_or_raise(dialect).tokenize(statement)
    words = ["?" if t.token_type in literals else statement[t.start : t.end + 1] for t in tokens]
    return hashlib.sha256(" ".join(words).encode()).hexdigest()
