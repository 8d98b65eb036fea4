"""Operators, read from the text that will be sent: the engine takes the longest run of symbols as one operator."""

import re

from sqlglot import Token, TokenType

from langguard.sql.dialects import RULES
from langguard.sql.refusals import refused

RUN = re.compile(r"[-+*/<>=~!@#%^&|`?]+")
STRINGS = frozenset({TokenType.STRING, TokenType.IDENTIFIER, TokenType.HEX_STRING, TokenType.BIT_STRING})
IMPLIED: dict[str, str] = {
    "LIKE": "~~",
    "ILIKE": "~~*",
    "IN": "=",
    "BETWEEN": ">=",
    "CASE": "=",
    "DISTINCT": "=",
    "USING": "=",
    "UNION": "=",
    "GROUP BY": "=",
    "ORDER BY": "<",
}
"""Words that the engine carries out by an operator, which a database's owner may have defined anew."""


def check_operators(statement: str, tokens: list[Token], dialect: str, users: tuple[str, ...]) -> None:
    """Refuse an operator that is not the engine's own, or that this database's owner has defined anew.

    Args:
        statement: Canonical text.
        tokens: Its tokens.
        dialect: Whose list of operators holds.
        users: Symbols of the operators that are not the engine's own.

    Raises:
        Refused: Names the operator.
    """
    rules = RULES[dialect]
    allowed = rules.operators.difference(users)
    covered = [(t.start, t.end) for t in tokens if t.token_type in STRINGS]
    covered.append((len(statement), len(statement)))
    at = 0
    for start, end in covered:
        _check(statement, at, start, allowed)
        at = end + 1
    if rules.refused_words or users:
        for token in tokens:
            if token.token_type in STRINGS:
                continue
            if token.text.upper() in rules.refused_words:
                raise _refused(token.text, token.start)
            symbol = IMPLIED.get(statement[token.start : token.end + 1].upper())
            if symbol is not None and symbol in users:
                raise _refused(symbol, token.start)


def _check(text: str, at: int, end: int, allowed: frozenset[str]) -> None:
    for found in RUN.finditer(text, at, end):
        run = found.group()
        start = found.start()
        star = run == "*" and text[start - 1 : start] == "("
        if run not in allowed and not star:
            raise _refused(run, start)


def _refused(symbol: str, position: int) -> Exception:
    return refused(
        "operator_not_allowed",
        f"The operator {symbol[:20]} is not allowed here.",
        symbol,
        position=position,
        hint="Use the usual operators for comparison, text, arithmetic and JSON.",
    )
