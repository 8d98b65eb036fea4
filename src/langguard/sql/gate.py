"""What is checked before the parser sees a text, so that no text can make it slow or read it two ways.

The nesting cost bounds an exponential search in the parser: brackets after a type name (`INT(INT(...`) double its work
at each level, so no limit on length alone helps.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from itertools import pairwise

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.parser import Parser

from langguard.sql import dollars
from langguard.sql.dialects import RULES, Rules
from langguard.sql.refusals import refuse, refused
from langguard.sql.tokens import canonical_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The largest statement that is analysed. The defaults leave room above the largest of real ones.

    Attributes:
        bytes: Length in UTF-8.
        tokens: Words, symbols and literals.
        weight: Tokens, of which literals, commas, dots, brackets, AS and the words of CASE count a quarter: what a
            statement costs to parse. The largest query of TPC-DS has 824.
        depth: Open brackets at once.
        cost: The sum over tokens of what backtracking could cost (an abstract number; real statements stay under 500).
        chain: Terms joined by AND and OR.
        arms: Queries joined by UNION, INTERSECT, EXCEPT.
        subscripts: `[`.
        case_depth: CASE inside CASE.
        columns: Output columns of all its queries together, stars expanded.
        work: Steps of tracing names.
        second_reader: PostgreSQL's own parser is asked too, where it is installed. It is written in C and may end the
            process: only for one that may die.
    """

    bytes: int = 65_536
    tokens: int = 5_000
    weight: float = 900.0
    depth: int = 24
    cost: float = 4_000.0
    chain: int = 400
    arms: int = 64
    subscripts: int = 64
    case_depth: int = 24
    columns: int = 800
    work: int = 40_000
    second_reader: bool = False

    def wide(self) -> "Limits":
        """Return the limits of the canonical text that is made of a statement within these: it is longer."""
        return replace(
            self,
            bytes=self.bytes * 16,
            tokens=self.tokens * 8,
            weight=self.weight * 8,
            depth=self.depth * 2,
            cost=self.cost * 8,
        )


LIMITS = Limits()

OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})
TYPES = frozenset(Parser.TYPE_TOKENS)
QUOTED = frozenset({TokenType.STRING, TokenType.HEREDOC_STRING, TokenType.RAW_STRING, TokenType.BYTE_STRING})
WORDS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789$")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cf", "Cc", "Co", "Cn"})
COMMENTS = ("/*", "--", "#", "{")
SPELLINGS = frozenset(
    {
        TokenType.UNICODE_STRING,
        TokenType.AMP,
        TokenType.NATIONAL_STRING,
        TokenType.RAW_STRING,
        TokenType.BYTE_STRING,
    }
)
LIGHT = frozenset(
    {
        TokenType.COMMA,
        TokenType.DOT,
        TokenType.L_PAREN,
        TokenType.R_PAREN,
        TokenType.L_BRACKET,
        TokenType.R_BRACKET,
        TokenType.STRING,
        TokenType.NUMBER,
        TokenType.ALIAS,
        TokenType.WHEN,
        TokenType.THEN,
        TokenType.ELSE,
        TokenType.END,
    }
)
COUNTED = frozenset(
    {
        TokenType.AND,
        TokenType.OR,
        TokenType.UNION,
        TokenType.EXCEPT,
        TokenType.INTERSECT,
        TokenType.CASE,
        TokenType.L_BRACKET,
    }
)
SPLIT = "Send one statement in each call."


def tokens_of(text: str, dialect: str, limits: Limits = LIMITS, *, canonical: bool = False) -> list[Token]:
    """Return the tokens of one statement, without semicolons.

    Args:
        text: What came, or canonical text of our own making.
        dialect: Whose.
        limits: The largest statement that is analysed.
        canonical: The text is of our own making.

    Raises:
        Refused: The text is no single statement, or is beyond what may be parsed.
    """
    odd = _characters(text, limits)
    tokens = canonical_tokens(text, dialect) if canonical else None
    if tokens is None:
        tokens = dollars.tokens(text, dialect) if "$" in text else Dialect.get_or_raise(dialect).tokenize(text)
    kinds = {token.token_type for token in tokens}
    if TokenType.HINT in kinds or any(start in text for start in COMMENTS):
        _comments(tokens, text)
    if TokenType.SEMICOLON in kinds:
        _several(tokens, text)
    if TokenType.PIPE_GT in kinds:
        _pipes(tokens)
    while tokens and tokens[-1].token_type == TokenType.SEMICOLON:
        tokens.pop()
    if not tokens:
        refuse("empty", "The text holds no statement.", hint="Write one SQL statement.")
    if not _small(tokens, limits):
        _size(tokens, text, limits)
    if kinds & SPELLINGS or "uescape" in text.lower():
        _quoting(tokens, text, RULES[dialect])
    _odd_characters(tokens, text, odd)
    return tokens


def _characters(text: str, limits: Limits) -> list[int]:
    """Return where characters stand that are allowed inside a string only."""
    if len(text) > limits.bytes:
        refuse("too_long", f"The statement is longer than {limits.bytes} bytes (sql.limits.bytes).", text[:40])
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise refused(code="control_character", reason="The text is not valid Unicode.", position=error.start) from None
    if size > limits.bytes:
        refuse("too_long", f"The statement is longer than {limits.bytes} bytes (sql.limits.bytes).", text[:40])
    control = CONTROL.search(text)
    if control is not None:
        refuse(
            "control_character",
            "The text holds a control character.",
            repr(control.group()),
            position=control.start(),
        )
    if text.isascii():
        return []
    return [m.start() for m in BEYOND_ASCII.finditer(text) if unicodedata.category(m.group()) in INVISIBLE]


def _odd_characters(tokens: list[Token], text: str, odd: list[int]) -> None:
    """Parsers differ on invisible characters and spaces beyond ASCII, so these may stand in strings only."""
    if not odd:
        return
    strings = [(t.start, t.end) for t in tokens if t.token_type == TokenType.STRING]
    for at in odd:
        if not any(start < at < end for start, end in strings):
            refuse(
                "odd_space",
                "The text holds an invisible character or a space that is not ASCII.",
                repr(text[at]),
                position=at,
                hint="Use plain spaces.",
            )


def _comments(tokens: list[Token], text: str) -> None:
    for token in tokens:
        for comment in token.comments:
            if comment.startswith(("!", "M!", "m!", "+")):
                refuse(
                    "hint_comment",
                    "Comments that a database may run (/*!, /*M!, /*+) are not allowed.",
                    "/*" + comment,
                    position=max(text.find("/*" + comment[:2]), 0),
                    hint="Leave the comment out.",
                )
        if token.token_type == TokenType.HINT:
            refuse("hint_comment", "Optimiser hints are not allowed.", "/*+", position=token.start)


def _pipes(tokens: list[Token]) -> None:
    """The parser reads BigQuery's pipes in every dialect, and each makes the tree grow by all that is before it."""
    for token in tokens:
        if token.token_type == TokenType.PIPE_GT:
            refuse(
                "construct_not_allowed",
                "Pipes (|>) are not allowed.",
                token.text,
                position=token.start,
                hint="Write a SELECT with subqueries or WITH.",
            )


def _several(tokens: list[Token], text: str) -> None:
    ended = False
    for token in tokens:
        if token.token_type == TokenType.SEMICOLON:
            ended = True
        elif ended:
            refuse(
                "several_statements",
                "The text holds more than one statement.",
                text[token.start : token.start + 80],
                position=token.start,
                hint=SPLIT,
            )


def _small(tokens: list[Token], limits: Limits) -> bool:
    """Whether a statement is plainly within all limits, however its parts are arranged: most are."""
    openings = typed = counted = light = 0
    for before, token in pairwise(tokens):
        kind = token.token_type
        if kind in OPENING:
            openings += 1
            typed += before.token_type in TYPES
        counted += kind in COUNTED
        light += kind in LIGHT
    bounds = (limits.chain, limits.arms, limits.subscripts, limits.case_depth)
    worst = (openings + len(tokens) / 8) * 2.0 ** min(typed, 64)
    return (
        len(tokens) <= limits.tokens
        and len(tokens) - light * 0.75 <= limits.weight
        and openings < limits.depth
        and counted <= min(bounds)
        and worst <= limits.cost / 2
    )


def _size(tokens: list[Token], text: str, limits: Limits) -> None:
    if len(tokens) > limits.tokens:
        refuse("too_complex", f"The statement has more than {limits.tokens} tokens (sql.limits.tokens).", position=0)
    if sum(0.25 if token.token_type in LIGHT else 1.0 for token in tokens) > limits.weight:
        refuse(
            "too_complex",
            f"The statement has more than {limits.weight:.0f} words and symbols (sql.limits.weight).",
            position=0,
            hint="Split it into smaller statements.",
        )
    brackets: list[bool] = []
    typed = terms = arms = subscripts = cases = 0
    cost = 0.0
    for before, token in zip([None, *tokens], tokens, strict=False):
        kind = token.token_type
        if kind in OPENING:
            after_type = before is not None and before.token_type in TYPES
            brackets.append(after_type)
            typed += after_type
            cost += 2.0**typed
            subscripts += kind == TokenType.L_BRACKET
        else:
            cost += 2.0**typed / 8
            if kind in CLOSING and brackets:
                typed -= brackets.pop()
        terms += kind in {TokenType.AND, TokenType.OR}
        arms += kind in {TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT}
        cases += (kind == TokenType.CASE) - (kind == TokenType.END)
        over = (
            (len(brackets) > limits.depth and f"brackets nested more than {limits.depth} deep (sql.limits.depth)")
            or (cost > limits.cost and "type constructors nested too deep (sql.limits.cost)")
            or (terms > limits.chain and f"more than {limits.chain} conditions (sql.limits.chain)")
            or (
                arms > limits.arms and f"more than {limits.arms} queries joined by UNION and the like (sql.limits.arms)"
            )
            or (subscripts > limits.subscripts and f"more than {limits.subscripts} subscripts (sql.limits.subscripts)")
            or (cases > limits.case_depth and f"CASE nested more than {limits.case_depth} deep (sql.limits.case_depth)")
        )
        if over:
            refuse(
                "too_complex",
                f"The statement has {over}.",
                text[token.start : token.start + 40],
                position=token.start,
                hint="Split it into smaller statements.",
            )


def _quoting(tokens: list[Token], text: str, rules: Rules) -> None:
    """Refuse spellings that hide what a text says, or that two readers split into different tokens."""
    for before, token in zip([None, *tokens], tokens, strict=False):
        escaped = token.token_type == TokenType.UNICODE_STRING or (
            token.text.upper() == "UESCAPE" and token.token_type == TokenType.VAR
        )
        if before is not None and before.text in {"U", "u"} and token.token_type == TokenType.AMP:
            escaped = escaped or before.end + 1 == token.start
        if escaped:
            refuse(
                "quoting_not_allowed",
                "Unicode escapes (U&, UESCAPE) are not allowed.",
                text[token.start : token.end + 1],
                position=token.start,
                hint="Write the characters themselves.",
            )
        national = token.token_type == TokenType.NATIONAL_STRING and not rules.national_strings
        if national or token.token_type == TokenType.RAW_STRING:
            refuse(
                "quoting_not_allowed",
                "National strings (N'...') are not allowed.",
                text[token.start : token.start + 40],
                position=token.start,
                hint="Write strings as '...', with '' for a quote.",
            )
        if token.token_type == TokenType.BYTE_STRING:
            _escape_string(token, text)


def _escape_string(token: Token, text: str) -> None:
    r"""Of E'...' only the escapes \n, \t, \r, \\ and \' are allowed: the ones that every reader decodes alike."""
    raw = text[token.start : token.end + 1]
    at = raw.find("\\")
    while at >= 0:
        if raw[at + 1 : at + 2] not in {"n", "t", "r", "\\", "'"}:
            refuse("quoting_not_allowed", "This escape in an E'...' string is not allowed.", raw, position=token.start)
        at = raw.find("\\", at + 2)


def plain_literals(tree: exp.Expr) -> None:
    """Put '...' in place of every E'...' and $$...$$ string."""
    for node in list(tree.find_all(exp.ByteString, exp.RawString)):
        node.replace(exp.Literal.string(node.name))
