"""Which functions a text calls, read from its tokens: a second reading beside the tree's.

The parser rewrites some names and drops the quotes of others, so the names before each "(" are checked in the text as
it came, and again in the text that will be sent.
"""

import re
from collections.abc import Collection

from sqlglot import Token, TokenType
from sqlglot.dialects.dialect import Dialect

from langguard.sql.dialects import RULES
from langguard.sql.nodes import function_refused
from langguard.sql.refusals import refuse
from langguard.sql.words import words

SYNTAX = words(
    """
and any all as between by conflict cross cube distinct do else end except exists filter from full group having ilike
in inner insert intersect interval into is isnull join lateral left like limit materialized not notnull offset on only
or order outer over partition qualify recursive returning right rollup select set sets similar some symmetric then to
union unnest update using values when where window with within ordered escape both leading trailing for collate
asymmetric current following preceding rows range groups exclude fetch first next row case glob delete distinct
nothing top qualify against div match regexp rlike separator xor
"""
)
TYPE_WORDS = words(
    """
binary bit bpchar char character datetime dec decimal double float int integer nchar numeric nvarchar real smallint
bigint text time timestamp timestamptz timetz varbinary varbit varchar varying interval
"""
)
_TEXT_TYPES = frozenset({TokenType.VARCHAR, TokenType.CHAR, TokenType.BPCHAR, TokenType.TEXT, TokenType.NVARCHAR})
LISTS_BEFORE = frozenset({"as", "into", "with", "recursive", ","})


def called(
    tokens: list[Token],
    text: str,
    allowed: frozenset[str],
    *,
    aliases: Collection[str] = (),
    canonical: bool = False,
) -> frozenset[str]:
    """Return the functions that stand before a "(", lower case.

    Args:
        tokens: Of `text`.
        text: The statement.
        allowed: Lower-case names of the functions that may be called.
        aliases: Lower-case names that are followed by a list of columns in this statement.
        canonical: The text is canonical: its aliases are quoted, so a bare name is none of them.

    Raises:
        Refused: One of them is not allowed.
    """
    found = set()
    for at, follower in enumerate(tokens):
        if follower.token_type != TokenType.L_PAREN or not at or not _wordlike(tokens[at - 1]):
            continue
        token = tokens[at - 1]
        name = token.text.lower().split()[-1]  # "group by" is one token
        if token.token_type == TokenType.IDENTIFIER:
            if name not in aliases:
                refuse(
                    "quoting_not_allowed",
                    "A quoted function name is not allowed.",
                    text[token.start : token.end + 1],
                    position=token.start,
                    hint="Write function names without quotes.",
                )
        elif name in allowed:
            found.add(name)
        elif name not in SYNTAX and name not in TYPE_WORDS and (canonical or name not in aliases):
            raise function_refused(name, token.start, allowed)
    return frozenset(found - {"any", "all", "some", "exists", "cast"})


def _wordlike(token: Token) -> bool:
    return token.token_type == TokenType.IDENTIFIER or (
        token.token_type not in {TokenType.STRING, TokenType.NUMBER} and token.text[:1].isidentifier()
    )


_SPAN = re.compile(r"(-?[0-9]+) ([a-z]+)")
"""The text of an interval that may be written as a number and a unit: '30 days' as '30' DAYS."""


def _is_length(tokens: list[Token], at: int) -> bool:
    """Whether a number is the length of a text type, as in varchar(20)."""
    return at > 1 and tokens[at - 1].token_type == TokenType.L_PAREN and tokens[at - 2].token_type in _TEXT_TYPES


def literals_kept(before: list[Token], after: str, text: str, dialect: str) -> None:
    """Refuse a statement that lost a literal on the way through the parser: it would not do what was asked.

    Args:
        before: The tokens of `text`, the statement as it came.
        after: The canonical text.
        text: The statement as it came, for the refusal.
        dialect: Of both.
    """
    folded = after.lower()
    for at, token in enumerate(before):
        kind = token.token_type
        if kind in {TokenType.STRING, TokenType.HEREDOC_STRING}:
            kept = token.text.replace("'", "''").lower() in folded
            if not kept and (span := _SPAN.fullmatch(token.text.lower())) is not None:
                kept = f"interval '{span[1]}' {span[2]}" in folded
            if not kept and not RULES[dialect].plain_quotes:
                again = Dialect.get_or_raise(dialect).tokenize(after)
                kept = any(t.token_type == TokenType.STRING and t.text == token.text for t in again)
        elif kind == TokenType.NUMBER:
            kept = token.text.lower() in folded or (RULES[dialect].lengthless and _is_length(before, at))
        else:
            continue
        if not kept:
            refuse(
                "changed_by_rewriting",
                "Part of the statement is not understood well enough to keep its meaning.",
                text[token.start : token.end + 1],
                position=token.start,
                hint="Write this part in a simpler way.",
            )
