"""Tokens of a condition: the part of CEL's lexis that is accepted. What is not named here stops the load."""

import re
from dataclasses import dataclass
from typing import Final

from langguard.errors import LangguardError


class ConditionError(LangguardError):
    """A condition is not accepted.

    Attributes:
        offset: 0-based character of the condition's text.
    """

    code = "policy_invalid"

    def __init__(self, message: str, *, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: `name`, `int`, `double`, `text`, `sign` or `end`.
        text: As written; for `text`, the value it stands for.
        offset: 0-based.
    """

    kind: str
    text: str
    offset: int


_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\r\n]+)
      | (?P<text>r?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      | (?P<double>[0-9]+\.[0-9]+(?![\w.]))
      | (?P<int>[0-9]+(?![\w.]))
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign>\|\||&&|==|!=|<=|>=|[-+*/%<>!?:.,()\[\]])""",
    re.VERBOSE | re.ASCII,
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_RESERVED: Final = re.compile(
    r"as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var|void|while"
)


def tokens(text: str) -> list[Token]:
    """Return the tokens of a condition, an `end` token last.

    Raises:
        ConditionError: A character or form that is not accepted.
    """
    found: list[Token] = []
    offset = 0
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        if match is None:
            raise ConditionError(_unknown(text, offset), offset=offset)
        kind = str(match.lastgroup)
        if kind == "text":
            found.append(Token(kind, _unquote(match[0], offset), offset))
        elif kind == "name" and _RESERVED.fullmatch(match[0]):
            msg = f"`{match[0]}` is a reserved word of CEL"
            raise ConditionError(msg, offset=offset)
        elif kind != "space":
            found.append(Token(kind, match[0], offset))
        offset = match.end()
    found.append(Token("end", "", len(text)))
    return found


def _unknown(text: str, offset: int) -> str:
    if text.startswith("=", offset):
        return "`=` is not an operator; compare with `==`"
    if text[offset] in "\"'":
        return "this text is not closed"
    if text[offset] in "&|":
        return f"`{text[offset]}` is not an operator; write `{text[offset] * 2}`"
    if text[offset] in "0123456789":
        return "a number is written `10` or `0.5`"
    return f"`{text[offset]}` (U+{ord(text[offset]):04X}) has no place in a condition"


def _unquote(text: str, offset: int) -> str:
    if text.startswith("r"):
        body = text[2:-1]
        if body.endswith("\\") or text[1] in body:
            msg = "a raw text can't hold its own quote"
            raise ConditionError(msg, offset=offset)
        return body
    body = text[1:-1]
    for match in _ESCAPE.finditer(body):
        if match[1] not in "\\\"'":
            msg = f"the escape `\\{match[1]}` is not accepted; write the character itself, or a raw text: r'...'"
            raise ConditionError(msg, offset=offset)
    return _ESCAPE.sub(r"\1", body)
