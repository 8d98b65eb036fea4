"""Spellings that a strictly read dialect does not allow, because engine and parser could read them in two ways."""

import re
from collections.abc import Callable, Collection, Mapping

from sqlglot import Token, TokenType, exp

from langguard.sql.refusals import refuse
from langguard.sql.words import words

QUOTED = frozenset({TokenType.STRING, TokenType.IDENTIFIER, TokenType.NATIONAL_STRING})
WRITES = words("INSERT UPDATE DELETE MERGE REPLACE")
PARTS = words(
    """
year yy yyyy quarter qq q month mm m dayofyear dy y day dd d week wk ww weekday dw isoweek isoyear iso_week hour hh
minute mi n second ss s millisecond ms microsecond mcs nanosecond ns tzoffset tz dayofweek dayofweekiso weekiso
yearofweek yearofweekiso epoch_second epoch_millisecond
"""
)
"""Words for a part of a date."""


def strict_reader(
    *, title: str, signs: Collection[str], spellings: Collection[str] = (), starts: Collection[str] = ()
) -> Callable[[str, list[Token]], None]:
    """Return the reading of a text that refuses what its dialect does not allow.

    Args:
        title: What people call the dialect.
        signs: What may not stand outside strings and quoted names.
        spellings: Regular expressions of what may not stand anywhere.
        starts: Upper-case words that could start a statement without anything before it: as names, they are quoted.
    """
    patterns = [re.compile(spelling) for spelling in spellings]

    def read_again(text: str, tokens: list[Token]) -> None:
        for spelling in patterns:
            found = spelling.search(text)
            if found is not None:
                refuse(
                    "quoting_not_allowed",
                    f"This spelling can be read in more than one way in {title}.",
                    found.group(),
                    position=found.start(),
                    hint="Write strings as '...' without escapes.",
                )
        for number, token in enumerate(tokens):
            if token.token_type in QUOTED:
                continue
            written = text[token.start : token.end + 1]
            if token.token_type == TokenType.BYTE_STRING or any(sign in written for sign in signs):
                refuse(
                    "construct_not_allowed",
                    f"{written[:20]} is not allowed in {title}, which is read with the strictest lists.",
                    written,
                    position=token.start,
                    hint="Write it in plain, standard SQL; placeholders and variables are not read in this dialect.",
                )
            if not number and written.upper() in WRITES:
                refuse(
                    "statement_not_allowed",
                    f"{written.upper()} changes rows, and of {title} only reads are analysed.",
                    written,
                    position=token.start,
                    hint="Write a SELECT.",
                    actions=("write",),
                )
            if number and written.upper() in starts:
                refuse(
                    "several_statements",
                    f"{written.upper()} could start another statement in {title}.",
                    text[token.start : token.start + 80],
                    position=token.start,
                    hint="Send one statement; quote the word where it is a name.",
                )

    return read_again


def with_date_parts(places: Mapping[str, int]) -> Callable[[exp.Expr], exp.Expr]:
    """Return what puts the words of a date's parts in place of the columns that the parser takes them for.

    Args:
        places: Lower-case names of functions to the number of the argument that is such a word, from 0; -1 is the last.
            The engine never reads a column there.
    """

    def settle(tree: exp.Expr) -> exp.Expr:
        for call in list(tree.find_all(exp.Anonymous)):
            place = places.get(str(call.this).lower())
            if place is None or len(call.expressions) < 2:
                continue
            part = call.expressions[place]
            name = part.this if isinstance(part, exp.Column) and set(part.args) == {"this"} else None
            if isinstance(name, exp.Identifier) and not name.args.get("quoted") and name.name.lower() in PARTS:
                part.replace(exp.Var(this=name.name))
        return tree

    return settle
