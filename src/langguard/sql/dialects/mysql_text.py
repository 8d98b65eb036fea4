"""What is particular about MySQL's text and its tree, beyond lists.

A second reading of quotes and comments; and forms that the parser would write in a way that MariaDB does not take, or
that means something else.
"""

import re

from sqlglot import Token, TokenType, exp

from langguard.sql.refusals import refuse

_LEX = re.compile(
    r"""(?P<string>'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*")|(?P<name>`(?:[^`]|``)*`)
    |(?P<comment>/\*.*?\*/|--(?=\s|$)[^\n]*|\#[^\n]*)|(?P<open>--|/\*|['"`])""",
    re.DOTALL | re.VERBOSE,
)
_MARKS = re.compile(r"""['"`#]|--|/\*|0[xX]""")
_IN_STRINGS = frozenset({TokenType.STRING, TokenType.HEX_STRING, TokenType.BIT_STRING, TokenType.NATIONAL_STRING})
_CHARACTER_SETS = frozenset({"_utf8", "_utf8mb3", "_utf8mb4"})
"""Whose introducers change nothing where the connection speaks utf8mb4."""


def read_again(text: str, tokens: list[Token]) -> None:
    """Read where strings, quoted names and comments stand by MySQL's own rules, and refuse a text read otherwise.

    MySQL takes `--` for a comment only before a space, and ends a comment at the first `*/`.

    Args:
        text: A statement, as the server would read it under the modes that the driver pins.
        tokens: The parser's.
    """
    if not _MARKS.search(text):
        return
    strings: set[tuple[int, int]] = set()
    names: set[tuple[int, int]] = set()
    comments: list[tuple[int, int]] = []
    for found in _LEX.finditer(text):
        span = (found.start(), found.end() - 1)
        match found.lastgroup:
            case "string":
                strings.add(span)
            case "name":
                names.add(span)
            case "comment":
                comments.append(span)
            case _:
                refuse(
                    "quoting_not_allowed",
                    "Here MySQL reads a quote or `--` in another way than most do.",
                    text[span[0] : span[0] + 20],
                    position=span[0],
                    hint="Close every quote, and put a space after --.",
                )
    mine = {(t.start, t.end) for t in tokens if t.token_type == TokenType.STRING}
    prefixed = {t.end for t in tokens if t.token_type in _IN_STRINGS}
    quoted = {(t.start, t.end) for t in tokens if t.token_type == TokenType.IDENTIFIER}
    odd = [span for span in mine ^ strings if span in mine or span[1] not in prefixed] + list(quoted ^ names)
    odd += [span for span in comments if any(t.start <= span[1] and span[0] <= t.end for t in tokens)]
    if odd:
        at = min(odd)[0]
        refuse(
            "quoting_not_allowed",
            "The quotes or comments of this text can be read in two ways.",
            text[at : at + 40],
            position=at,
            hint="Write strings as '...' with '' for a quote, and leave comments out.",
        )
    for token in tokens:
        if token.token_type == TokenType.HEX_STRING and text[token.start : token.start + 2] in {"0x", "0X"}:
            refuse(
                "quoting_not_allowed",
                "Numbers like 0x41 are text in one place and a number in another.",
                text[token.start : token.end + 1],
                position=token.start,
                hint="Write x'41', or the number in decimal.",
            )


def settle(tree: exp.Expr) -> exp.Expr:
    """Return the tree with forms in it that MySQL and MariaDB both take, and that are written as they were read."""
    for node in list(tree.walk()):
        other = _other(node)
        if other is not None:
            if node is tree:
                tree = other
            node.replace(other)
    return tree


def _other(node: exp.Expr) -> exp.Expr | None:
    """Return what stands in a node's place, or None where it stays."""
    match node:
        case exp.RegexpLike():
            none = exp.Literal(this="0", is_string=False)
            return exp.Paren(this=exp.GT(this=_call("REGEXP_INSTR", node), expression=none))
        case exp.JSONExtractScalar():
            inner = exp.JSONExtract(this=node.this, expression=node.expression)
            return exp.Anonymous(this="JSON_UNQUOTE", expressions=[inner])
        case exp.Fetch(args={"count": exp.Literal() as count}) if not _is_partial(node):
            return exp.Limit(expression=count)  # MariaDB's word for the same
        case exp.Cast(this=exp.Literal()) if node.to.this == exp.DataType.Type.TIMESTAMPTZ:
            return exp.Timestamp(this=node.this)  # TIMESTAMP '...'
        case exp.TimestampAdd():
            return _date_add(node)
        case exp.Introducer() if node.name.lower() in _CHARACTER_SETS and isinstance(node.expression, exp.Literal):
            return node.expression
        case exp.Interval() if node.args.get("unit") is None:
            refuse("construct_not_allowed", "This form of INTERVAL is not allowed.", "INTERVAL", hint="Use CASE.")
        case exp.GroupConcat() if node.find(exp.Limit) is not None:
            refuse("construct_not_allowed", "LIMIT inside GROUP_CONCAT is not allowed.", "LIMIT")
        case exp.Anonymous() if str(node.this).lower() == "values" and node.find_ancestor(exp.OnConflict) is None:
            refuse(
                "function_not_allowed",
                "VALUES(column) is allowed in ON DUPLICATE KEY UPDATE only.",
                "VALUES",
                position=node.meta.get("start"),
            )
        case exp.From() if _is_dual(node):
            node.pop()
    return None


def _is_partial(node: exp.Fetch) -> bool:
    options = node.args.get("limit_options")
    return options is not None and any(options.args.get(name) for name in ("percent", "with_ties"))


def _call(name: str, node: exp.Expr) -> exp.Anonymous:
    made = exp.Anonymous(this=name, expressions=[node.this, node.expression])
    made.meta.update(node.meta)
    return made


def _date_add(node: exp.TimestampAdd) -> exp.DateAdd:
    amount = node.expression
    if isinstance(amount, exp.Literal) and not amount.is_string:
        amount = exp.Literal.string(amount.name)
    return exp.DateAdd(this=node.this, expression=amount, unit=node.args.get("unit"))


def _is_dual(node: exp.From) -> bool:
    table = node.this
    return (
        isinstance(table, exp.Table)
        and isinstance(table.this, exp.Identifier)
        and not table.this.args.get("quoted")
        and table.name.lower() == "dual"
        and [key for key, value in table.args.items() if value] == ["this"]
        and isinstance(node.parent, exp.Select)
        and not node.parent.args.get("joins")
    )
