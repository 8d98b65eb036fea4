"""Text to tree and back: one parser, one canonical way to write a tree."""

from sqlglot import Token, TokenType, exp, parser
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, ParseError, TokenError

from langguard.sql.dialects import RULES
from langguard.sql.faithful import mended, spoilt, with_types
from langguard.sql.gate import LIMITS, Limits, plain_literals, tokens_of
from langguard.sql.nodes import PLACEHOLDER
from langguard.sql.refusals import refuse, refused
from langguard.sql.statements import first_word

STRINGS_BEYOND_PLAIN = frozenset({TokenType.BYTE_STRING, TokenType.RAW_STRING, TokenType.HEREDOC_STRING})
VALUES = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.STRING, TokenType.NUMBER})

# The parser's warnings quote the statement, values and all: nothing of a statement may reach a log.
parser.logger.disabled = True


def parse(
    text: str, dialect: str, limits: Limits = LIMITS, *, is_canonical: bool = False
) -> tuple[exp.Expr, list[Token]]:
    """Return the tree of one statement and its tokens.

    Args:
        text: What came, or canonical text of our own making.
        dialect: Whose.
        limits: The largest statement that is analysed.
        is_canonical: The text is of our own making.

    Raises:
        Refused: The text is not one statement of a kind that is read further, or is not understood.
    """
    try:
        tokens = tokens_of(text, dialect, limits, canonical=is_canonical)
    except TokenError:
        raise refused(
            code="not_parsed",
            reason="The text can't be split into words: a quote or comment is not closed.",
            fragment=text[-80:],
        ) from None
    known = RULES.get(dialect)
    first_word(tokens, text, dialect, known.first_words if known is not None else frozenset())
    tree = _tree(tokens, text, dialect)
    while isinstance(tree, exp.Subquery) and set(_set_args(tree)) == {"this"}:
        tree = tree.this.pop()
    return tree, tokens


def parse_condition(text: str, dialect: str, limits: Limits = LIMITS) -> exp.Expr:
    """Return the tree of one condition, such as stands after WHERE.

    Raises:
        Refused: The text is not one condition, or is not understood.
    """
    try:
        tokens = tokens_of(text, dialect, limits)
    except TokenError:
        raise refused(
            code="not_parsed",
            reason="The condition can't be split into words: a quote or comment is not closed.",
            fragment=text[-80:],
        ) from None
    return _tree(tokens, text, dialect, exp.Condition)


def _tree(tokens: list[Token], text: str, dialect: str, into: type[exp.Expr] | None = None) -> exp.Expr:
    """Return the tree of tokens that passed the gate: a statement, or what `into` says."""
    kinds = {token.token_type for token in tokens}
    arrows = TokenType.ARROW in kinds
    rules = RULES.get(dialect, RULES["postgres"])  # of a dialect without rules only the plainest SELECT is read
    if rules.read_again is not None:
        rules.read_again(text, tokens)
    given = _no_lambdas(tokens) if arrows else tokens
    marked = spoilt(given, rules.plain_calls) if rules.plain_calls else given
    try:
        reader = Dialect.get_or_raise(dialect).parser(error_level=ErrorLevel.IMMEDIATE)
        trees = reader.parse(marked, text) if into is None else reader.parse_into(into, marked, text)
    except ParseError as error:
        raise _unparsed(error, text, dialect) from None
    if len(trees) != 1 or trees[0] is None:
        refuse("several_statements", "The text is not exactly one statement.", text)
    tree: exp.Expr = trees[0]
    if arrows:
        _single_brackets(tree)
    if kinds & STRINGS_BEYOND_PLAIN:
        plain_literals(tree)
    if marked is not given:
        mended(tree)
    if rules.own_types:
        with_types(tree, rules.own_types)
    if "$" in text and rules.dollar == "name":
        _placeholders(tree)
    elif "$" in text and rules.dollar == "placeholder":
        _numbered(tree)
    return tree if rules.settle is None else rules.settle(tree)


def _no_lambdas(tokens: list[Token]) -> list[Token]:
    """Bracket the name in `f(name -> ...)`, which the parser would take for a lambda and not for JSON access."""
    found: list[Token] = []
    for token in tokens:
        starts_argument = len(found) > 1 and found[-2].token_type in {
            TokenType.L_PAREN,
            TokenType.COMMA,
            TokenType.DISTINCT,
        }
        if token.token_type == TokenType.ARROW and starts_argument and found[-1].token_type not in VALUES:
            name = found.pop()
            around = (name.line, name.col, name.start, name.end)
            opening = [Token(TokenType.L_PAREN, "(", *around) for _ in range(2)]
            closing = [Token(TokenType.R_PAREN, ")", *around) for _ in range(2)]
            found += [*opening, name, *closing]
        found.append(token)
    return found


def _single_brackets(tree: exp.Expr) -> None:
    """Take the brackets of `_no_lambdas` away."""
    for node in list(tree.find_all(exp.JSONExtract)):
        left = node.this
        if isinstance(left, exp.Paren) and isinstance(left.this, exp.Paren) and isinstance(left.this.this, exp.Column):
            node.set("this", left.this.this)


def _placeholders(tree: exp.Expr) -> None:
    """Where the parser takes $1 for a column's name: a `Var` is written as it is."""
    for node in list(tree.find_all(exp.Column)):
        name = node.this
        if isinstance(name, exp.Identifier) and not name.args.get("quoted") and PLACEHOLDER.fullmatch(name.name):
            if set(_set_args(node)) != {"this"}:
                refuse("placeholder_not_allowed", "A placeholder stands for a value, not a name.", node.sql())
            node.replace(exp.Var(this=name.name))


def _numbered(tree: exp.Expr) -> None:
    """A reader that has one class for `?`, `$name` and `$1`: the last alone is ours, and is written as it is."""
    for node in list(tree.find_all(exp.Placeholder)):
        if isinstance(node.this, str) and PLACEHOLDER.fullmatch(f"${node.this}"):
            node.replace(exp.Var(this=f"${node.this}"))


def parser_is_interpreted() -> bool:
    """Return whether the parser is the pure one: the compiled build ends the process where this one raises."""
    return str(parser.__file__).endswith(".py")


def _set_args(node: exp.Expr) -> list[str]:
    return [key for key, value in node.args.items() if value]


def _unparsed(error: ParseError, text: str, dialect: str) -> Exception:
    position = None
    fragment = ""
    if error.errors:
        first = error.errors[0]
        line, column = first.get("line"), first.get("col")
        fragment = str(first.get("highlight") or "")
        if line and column is not None:
            starts = [0, *(at + 1 for at, c in enumerate(text) if c == "\n")]
            end = starts[min(line, len(starts)) - 1] + column
            position = max(end - len(fragment), 0)
            fragment = text[position : position + 80]
    return refused(
        "not_parsed",
        f"The text is not understood as a {dialect} statement.",
        fragment,
        position=position,
        hint=f"Write plain {dialect} SQL; check the spelling near the fragment.",
    )


def canonical(tree: exp.Expr, dialect: str) -> str:
    """Return the one text of a tree: no comments, each identifier quoted.

    The writer may leave the tree changed where a dialect lacks something; to copy it first would take as long again.
    """
    return tree.sql(dialect, copy=False, identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)
