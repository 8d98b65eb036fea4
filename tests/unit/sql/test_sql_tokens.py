"""The quick splitter of canonical text gives what the parser's own gives, or leaves the text to that."""

import random

import pytest
import sqlglot
from sqlglot import Token
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from langguard.sql.tokens import canonical_tokens, splitter

DIALECTS = ("postgres", "sqlite", "mysql", "duckdb", "tsql", "snowflake", "bigquery")
WORDS = r"""
( ) , . ; [ ] + - * / % < > = ! | & ^ ~ ? : @ $ # { } \ ' " ` '' "" `` -- /* */ // || -> ->> :: <= >= <> != == <->
#> @> => $1 $0 $12 $a $$ 0 1 1.5 .5 1. 1e5 0x1f 1a 'a' 'it''s' 'a\b' 'é' E'a' N'a' x'0f' b'1' r'a' "a" "a""b" `a` `a``b`
[a] [a]]b] SELECT FROM WHERE AS GROUP BY ORDER PARTITION NOT NULL IS IN CAST INT DOUBLE PRECISION CHARACTER VARYING
PRIMARY KEY SIMILAR TO INTERVAL DATE CURRENT_DATE COUNT LEFT RIGHT COMMENT SHOW BEGIN EXPLAIN BYX _x x X9 é select group
by Order
"""
PIECES = (
    *WORDS.split(),
    "'''",
    "'x y'",
    "GROUP BY",
    "ORDER BY",
    "GROUPING SETS",
    "\n",
    "\t",
    "\u00a0",
)


def _told(tokens: list[Token]) -> list[tuple[object, ...]]:
    return [(t.token_type, t.text, t.line, t.col, t.start, t.end, t.comments) for t in tokens]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_same_tokens_as_the_parsers_own_splitter(dialect: str) -> None:
    chance = random.Random(20)
    own = Dialect.get_or_raise(dialect)
    phrases = [phrase for found in splitter(dialect).phrases.values() for phrase, _ in found]
    pieces = (*PIECES, *phrases, *list(splitter(dialect).words)[::7])
    read = 0
    for _ in range(6_000):
        many = [chance.choice(pieces) for _ in range(chance.randint(1, 7))]
        text = "SELECT " + "".join(piece + chance.choice(("", " ", " ", "  ")) for piece in many)
        quick = canonical_tokens(text, dialect)
        if quick is None:
            continue
        read += 1
        try:
            expected = _told(own.tokenize(text))
        except SqlglotError:
            pytest.fail(f"{text!r} is no text to the parser")
        assert _told(quick) == expected, text
    assert read > 300  # most mixtures of odd pieces are left to the parser's own


@pytest.mark.parametrize("dialect", DIALECTS)
def test_canonical_text_is_read_quickly(dialect: str) -> None:
    shown = Dialect.get_or_raise(dialect)
    text = (
        "select a.b as c, 'it is', count(*), sum(x) over (partition by y order by z) from s.a as a left join d on "
        "a.i = d.i where q in (1, 2.5) and not r is null group by a.b order by c"
    )
    written = sqlglot.parse_one(text, read=dialect).sql(shown, identify=True)
    assert canonical_tokens(written, dialect) is not None
