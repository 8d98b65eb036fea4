"""From text to facts: gate, parser, lists, names, and the proof that the text sent is the one judged."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot import Token, TokenType, exp
from sqlglot.errors import SqlglotError

from langguard.protocol import Action, Assigned, Catalog, Change, Facts, Operation, Output, Refusal, Where
from langguard.sql.allowed import WRITES
from langguard.sql.calls import called, literals_kept
from langguard.sql.dialects import RULES
from langguard.sql.gate import LIMITS, Limits
from langguard.sql.merges import Merges
from langguard.sql.naming import note_words
from langguard.sql.nodes import Tree, check, same_tree
from langguard.sql.operators import STRINGS, check_operators
from langguard.sql.parse import canonical, parse
from langguard.sql.refusals import Refused, naming, placed, refuse, refused
from langguard.sql.scope import Field
from langguard.sql.second_reader import agree
from langguard.sql.statements import told
from langguard.sql.tables import tables_of
from langguard.sql.written import assigned

DIALECTS = frozenset(RULES)
OPERATIONS: dict[type[exp.Expr], Operation] = {
    exp.Insert: "insert",
    exp.Update: "update",
    exp.Delete: "delete",
    exp.Merge: "merge",
}
LITERALS = frozenset({TokenType.STRING, TokenType.NUMBER, TokenType.HEX_STRING, TokenType.BIT_STRING})


def analyze(text: str, dialect: str, catalog: Catalog, *, limits: Limits = LIMITS) -> Facts | Refusal:
    """Return what one statement does, or why it is not understood. Never raises.

    The statement is written back in canonical form, and that form is analysed again: the facts are those of the text
    that will be sent.

    Args:
        text: One SQL statement, placeholders $1, $2...
        dialect: One of `DIALECTS`, and the catalogue's own.
        catalog: The tables it may name.
        limits: The largest statement that is analysed, and whether a second parser is asked.
    """
    found = _analyzed(text, dialect, catalog, limits)
    return told(found, text, dialect) if isinstance(found, Refusal) else found


def _analyzed(text: str, dialect: str, catalog: Catalog, limits: Limits) -> Facts | Refusal:
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
            hint=f"Supported are {', '.join(sorted(DIALECTS))}.",
        )
    if catalog.dialect != dialect:
        refuse("dialect_not_supported", f"The connection speaks {catalog.dialect}, not {dialect}.")
    first = _read(text, dialect, catalog, limits)
    statement = canonical(first.tree.root, dialect)
    literals_kept(first.tokens, statement, text, dialect)
    last, named = first, first.named
    if statement != text:
        try:
            last = _read(statement, dialect, catalog, limits.wide(), is_canonical=True)
        except Refused as error:
            raise placed(error.refusal, text) from None
        named |= last.named
        kept = same_tree(first.tree.root, last.tree.root) or canonical(last.tree.root, dialect) == statement
        if not kept or not first.alike(last):
            refuse(
                "changed_by_rewriting",
                "The statement does not keep its meaning when it is written in canonical form.",
                text,
                hint="Write it in a simpler way.",
            )
    else:
        named |= called(last.tokens, text, tables_of(catalog).functions, aliases=last.tree.listed, canonical=True)
    carried = RULES[dialect].operator_functions
    if carried:
        named |= {t.text.lower() for t in last.tokens if t.token_type not in STRINGS} & carried
    try:
        _own_functions(named, catalog)
        check_operators(statement, last.tokens, dialect, catalog.user_operators)
    except Refused as error:
        raise placed(error.refusal, text) from None
    facts = Facts(
        statement=statement,
        actions=last.actions,
        tables=last.tables,
        operation=last.operation,
        changes=last.changes,
        written=last.written,
        assigned=last.assigned,
        touched=last.touched,
        steered=last.steered,
        decided=last.decided,
        outputs=last.outputs,
        functions=tuple(sorted(named)),
        limit=last.limit,
        filtered=None if last.where is None else last.where == "condition",
        where=last.where,
        parameters=last.parameters,
        shape=_shape(statement, last.tokens),
    )
    if limits.second_reader:
        agree(text, facts, catalog)
    return facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one reading of a text found; the tree has its names resolved. Fields as in `Facts`."""

    tree: Tree
    tokens: list[Token]
    named: frozenset[str]
    actions: tuple[Action, ...]
    tables: tuple[str, ...]
    operation: Operation
    changes: tuple[Change, ...]
    written: tuple[str, ...]
    assigned: tuple[Assigned, ...]
    touched: tuple[str, ...]
    steered: tuple[str, ...]
    decided: tuple[str, ...]
    outputs: tuple[Output, ...]
    limit: int | None
    where: Where | None
    parameters: int

    def alike(self, other: "Reading") -> bool:
        """Whether another reading does the same to the same columns."""
        return all(getattr(self, name) == getattr(other, name) for name in MEANING)


MEANING = (
    "actions",
    "tables",
    "operation",
    "changes",
    "written",
    "assigned",
    "touched",
    "steered",
    "decided",
    "outputs",
    "where",
    "parameters",
)


def same_meaning(one: Facts, other: Facts) -> bool:
    """Whether two statements do the same to the same columns."""
    return all(getattr(one, name) == getattr(other, name) for name in MEANING)


def _read(text: str, dialect: str, catalog: Catalog, limits: Limits, *, is_canonical: bool = False) -> Reading:
    root, tokens = parse(text, dialect, limits, is_canonical=is_canonical)
    functions = tables_of(catalog).functions
    tree = check(root, dialect, functions)
    if not is_canonical and RULES[dialect].output_names != "postgres":
        note_words(root, tokens, text)
    _casts(tree, catalog)
    named = called(tokens, text, functions, aliases=tree.listed, canonical=is_canonical)
    parameters = _parameters(tree)
    resolver = Merges(dialect, text, catalog, limits)
    resolver.take_names(tree.names)
    actions: set[Action] = {"read"}
    result = None
    try:
        if isinstance(root, WRITES):
            result = resolver.write(root)
            outputs = result.outputs
            actions = {"write", "read"} if resolver.touched else {"write"}
        else:
            outputs = resolver.query(root, {}, None)
    except Refused as error:
        raise naming(error, resolver.tables) from None
    return Reading(
        tree=tree,
        tokens=tokens,
        named=named,
        actions=tuple(sorted(actions)),
        tables=tuple(sorted(resolver.tables)),
        operation=OPERATIONS.get(type(root), "select"),
        changes=() if result is None else tuple(sorted(result.changes)),
        written=() if result is None else (result.table.id,),
        assigned=() if result is None else assigned(result, resolver.catalog.fields(result.table)),
        touched=tuple(sorted(resolver.touched)),
        steered=tuple(sorted(resolver.steered)),
        decided=tuple(sorted(resolver.decided)),
        outputs=tuple(_output(f) for f in outputs),
        limit=literal_limit(root),
        where=None if result is None else result.where,
        parameters=parameters,
    )


def _output(field: Field) -> Output:
    value = field.value
    return Output(
        name=field.name,
        columns=tuple(sorted(value.columns)),
        direct=value.direct and len(value.columns) == 1,
        counted=value.counted,
    )


def _parameters(tree: Tree) -> int:
    numbers = tree.parameters
    if numbers != set(range(1, len(numbers) + 1)):
        refuse(
            "placeholder_not_allowed",
            "Placeholders must be numbered $1, $2... without gaps.",
            ", ".join(f"${n}" for n in sorted(numbers)),
        )
    return len(numbers)


def _own_functions(named: Iterable[str], catalog: Catalog) -> None:
    """A name on the list that the database's owner gave a function of their own is no longer the engine's."""
    users = {n.lower() for n in catalog.user_functions} - {n.lower() for n in catalog.allowed_functions}
    for name in sorted(named):
        if name in users:
            refuse(
                "function_not_allowed",
                f"This database has a function of its own named {name}, so calling it is not allowed.",
                name,
            )


def _casts(tree: Tree, catalog: Catalog) -> None:
    """Refuse casts that may run a function of the database's owner."""
    if not catalog.user_casts:
        return
    if "*" in catalog.user_casts:
        refuse(
            "cast_not_allowed",
            "This database has an implicit cast of its own between built-in types: no statement shows when it runs.",
            hint="Ask the administrator to make that cast explicit.",
        )
    users = {
        exp.DataType.build(name, dialect=catalog.dialect, udt=True).sql(catalog.dialect).lower()
        for name in catalog.user_casts
    }
    for kind in tree.types:
        name = kind.sql(catalog.dialect).lower()
        if name in users or name.partition("(")[0] in users:
            refuse(
                "cast_not_allowed",
                f"This database has a cast to {name[:60]} of its own, so this cast is not allowed.",
                name,
                hint="Leave the cast out.",
            )


def literal_limit(tree: exp.Expr) -> int | None:
    """Return the statement's own row limit when it is a plain number."""
    limit = tree.args.get("limit")
    if isinstance(limit, exp.Fetch) and not limit.args.get("count"):
        return 1  # FETCH FIRST ROW ONLY
    number = None if limit is None else limit.args.get("count" if isinstance(limit, exp.Fetch) else "expression")
    if not isinstance(number, exp.Literal):
        return None
    text = str(number.this)
    return int(text) if not number.is_string and text.isascii() and text.isdigit() else None


def _shape(statement: str, tokens: list[Token]) -> str:
    """Return the digest of a canonical text with a ? for each literal."""
    words = ["?" if t.token_type in LITERALS else statement[t.start : t.end + 1] for t in tokens]
    return hashlib.sha256(" ".join(words).encode()).hexdigest()
