"""The grammar of conditions: CEL's own, without maps, messages, optionals and chained comparisons."""

from dataclasses import dataclass
from typing import Final

from langguard.policy.tokens import ConditionError, Token, tokens

MAX_LENGTH: Final = 2_000
MAX_DEPTH: Final = 16
_COMPARISONS: Final = ("==", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Const:
    """A literal: `kind` is `text`, `int`, `double`, `bool` or `null`."""

    offset: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A name that stands alone."""

    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Select:
    """A field of a value: `of.name`; `at` is where the name stands."""

    offset: int
    of: "Expression"
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Index:
    """An item of a list: `of[position]`."""

    offset: int
    of: "Expression"
    position: "Expression"


@dataclass(frozen=True, slots=True)
class Call:
    """A function, or a method where `of` is set; `at` is where the name stands."""

    offset: int
    of: "Expression | None"
    name: str
    at: int
    values: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A list written out."""

    offset: int
    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """`!` or `-` before a value."""

    offset: int
    sign: str
    value: "Expression"


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two values; `at` is where it stands."""

    offset: int
    sign: str
    at: int
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Choice:
    """`test ? yes : no`."""

    offset: int
    test: "Expression"
    yes: "Expression"
    no: "Expression"


Expression = Const | Name | Select | Index | Call | Listed | Unary | Binary | Choice


def parse(text: str) -> Expression:
    """Return the tree of a condition.

    Raises:
        ConditionError: The text is not one, or is longer or deeper than a rule should be.
    """
    if len(text) > MAX_LENGTH:
        msg = f"a condition has at most {MAX_LENGTH} characters; split the rule"
        raise ConditionError(msg, offset=0)
    parser = _Parser(tokens(text))
    whole = parser.expression()
    parser.end()
    return whole


class _Parser:
    """Recursive descent, one method a level, loosest binding first."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _next_is(self, *signs: str) -> bool:
        return self._token.kind == "sign" and self._token.text in signs

    def _take(self, *signs: str) -> Token | None:
        """Return the next token and step over it, if it is one of these signs."""
        token = self._token
        if not self._next_is(*signs):
            return None
        self._at += 1
        return token

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._fail(self._token.offset, f"`{sign}` is expected here, not `{self._token.text or 'the end'}`")

    def _fail(self, offset: int, message: str) -> ConditionError:
        return ConditionError(message, offset=offset)

    def end(self) -> None:
        """Take the end of the text, which must be next."""
        if self._token.kind != "end":
            raise self._fail(self._token.offset, f"`{self._token.text}` is not expected here")

    def expression(self) -> Expression:
        """Return one whole expression."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._fail(self._token.offset, f"nested deeper than {MAX_DEPTH}")
        found = self._either()
        if self._take("?"):
            yes = self._either()
            self._expect(":")
            found = Choice(found.offset, found, yes, self.expression())
        self._depth -= 1
        return found

    def _either(self) -> Expression:
        left = self._both()
        while sign := self._take("||"):
            left = Binary(left.offset, "||", sign.offset, left, self._both())
        return left

    def _both(self) -> Expression:
        left = self._relation()
        while sign := self._take("&&"):
            left = Binary(left.offset, "&&", sign.offset, left, self._relation())
        return left

    def _compares(self) -> bool:
        return self._next_is(*_COMPARISONS) or (self._token.kind == "name" and self._token.text == "in")

    def _relation(self) -> Expression:
        left = self._sum()
        if not self._compares():
            return left
        token = self._token
        self._at += 1
        found = Binary(left.offset, token.text, token.offset, left, self._sum())
        if self._compares():
            raise self._fail(self._token.offset, "comparisons do not chain; use brackets or `&&`")
        return found

    def _sum(self) -> Expression:
        left = self._product()
        while sign := self._take("+", "-"):
            left = Binary(left.offset, sign.text, sign.offset, left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._unary()
        while sign := self._take("*", "/", "%"):
            left = Binary(left.offset, sign.text, sign.offset, left, self._unary())
        return left

    def _unary(self) -> Expression:
        if sign := self._take("!", "-"):
            return Unary(sign.offset, sign.text, self._member())
        return self._member()

    def _member(self) -> Expression:
        found = self._primary()
        while sign := self._take(".", "["):
            if sign.text == "[":
                found = Index(found.offset, found, self.expression())
                self._expect("]")
                continue
            token = self._token
            if token.kind != "name" or token.text in {"in", "true", "false", "null"}:
                raise self._fail(token.offset, "a field's name is expected after `.`")
            self._at += 1
            if self._take("("):
                found = Call(found.offset, found, token.text, token.offset, self._several(")"))
            else:
                found = Select(found.offset, found, token.text, token.offset)
        return found

    def _several(self, close: str) -> tuple[Expression, ...]:
        found: list[Expression] = []
        while not self._take(close):
            found.append(self.expression())
            if not self._take(","):
                self._expect(close)
                break
        return tuple(found)

    def _primary(self) -> Expression:
        token = self._token
        self._at += 1
        match token.kind, token.text:
            case ("int" | "double" | "text") as kind, text:
                return Const(token.offset, kind, text)
            case "name", ("true" | "false") as text:
                return Const(token.offset, "bool", text)
            case "name", "null":
                return Const(token.offset, "null", "null")
            case "name", text if text != "in":
                if self._take("("):
                    return Call(token.offset, None, text, token.offset, self._several(")"))
                return Name(token.offset, text)
            case "sign", "(":
                found = self.expression()
                self._expect(")")
                return found
            case "sign", "[":
                return Listed(token.offset, self._several("]"))
            case _:
                raise self._fail(token.offset, f"a value is expected here, not `{token.text or 'the end'}`")
