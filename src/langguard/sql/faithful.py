"""Calls and types that the parser would write in another way than the statement does, kept as they came.

The parser knows some functions by what they do and writes them anew: PostgreSQL's `date_part` as EXTRACT, whose type is
another one, SQLite's `mod` as `%`, which counts in integers. Such a name is spoilt before the parser sees it, so that
it reads a plain call, and mended afterwards. The mark can't be in a statement: the gate refuses control characters.
"""

from collections.abc import Collection, Mapping

from sqlglot import Token, TokenType, exp

MARK = "\x01"


def spoilt(tokens: list[Token], calls: Collection[str]) -> list[Token]:
    """Return the tokens with a mark after each name of `calls` (lower case) called; the same list if none is."""
    found = tokens
    for at, follower in enumerate(tokens):
        if follower.token_type != TokenType.L_PAREN or not at:
            continue
        token = tokens[at - 1]
        if token.token_type != TokenType.IDENTIFIER and token.text.lower() in calls:
            found = list(tokens) if found is tokens else found
            found[at - 1] = Token(TokenType.VAR, token.text + MARK, token.line, token.col, token.start, token.end)
    return found


def mended(tree: exp.Expr) -> None:
    """Take the marks of `spoilt` away, in place: from calls, and from names that looked like one (`INTO log (`)."""
    for node in tree.find_all(exp.Anonymous, exp.Identifier):
        if isinstance(node.this, str) and node.this.endswith(MARK):
            node.set("this", node.this.removesuffix(MARK))


def with_types(tree: exp.Expr, types: Mapping[str, str]) -> None:
    """Put the engine's own words in place of types that the generator would write as another one, in place.

    Args:
        tree: One statement.
        types: The parser's name of a type to the engine's.
    """
    for node in tree.find_all(exp.DataType):
        own = types.get(getattr(node.this, "value", ""))
        if own is not None:
            node.set("this", exp.DataType.Type.USERDEFINED)
            node.set("kind", exp.Var(this=own))
