"""Types of conditions: a walk over the tree that finds, at load, the rule that could never fire.

CEL answers false, without an error, where values of different types are compared, which would turn a slip in a deny
rule into a hole. So: fields exist and are supplied, both sides of a comparison can be equal, literals are possible
values, what may be null is asked for first, and the whole is a truth value.
"""

import re
from dataclasses import dataclass, replace
from typing import Final, assert_never

from langguard.policy import names, syntax
from langguard.policy.environment import (
    BOOL,
    DOUBLE,
    DURATION,
    ENVIRONMENT,
    FUNCTIONS,
    INT,
    MACROS,
    METHODS,
    NULL,
    TEXT,
    TIME,
    Function,
    Type,
    fits,
    spell,
)
from langguard.policy.syntax import Binary, Call, Choice, Const, Expression, Index, Listed, Name, Select, Unary
from langguard.policy.tokens import ConditionError

MAX_LOOPS: Final = 2
_DURATION: Final = re.compile(r"[0-9]{1,6}(ms|s|m|h)", re.ASCII)
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII)
_CONSTANTS: Final = {"text": TEXT, "int": INT, "double": DOUBLE, "bool": BOOL, "null": NULL}
_NUMBERS: Final = frozenset({"int", "double"})


@dataclass(frozen=True, slots=True)
class Literal:
    """A text in a condition that is compared with tables or columns: checked once a catalogue is there."""

    domain: str
    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What a condition reads.

    Attributes:
        reads: Dotted fields, sorted.
        asserted: Those of them that the client asserts.
        roots: Names read at the top (`facts`).
        bound: Names that macros bind.
        calls: Functions and methods called, macros apart.
        literals: Texts compared with tables or columns.
        probes: Function, literal and offset of calls to be tried at load.
    """

    reads: tuple[str, ...]
    asserted: tuple[str, ...]
    roots: frozenset[str]
    bound: frozenset[str]
    calls: frozenset[str]
    literals: tuple[Literal, ...]
    probes: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class _Value:
    """A typed sub-expression.

    Attributes:
        literal: Its text, where it is a text written out.
        items: Of a list written out.
        options: Of a choice: its two sides.
        path: The field it is, where it is one.
    """

    type: Type
    offset: int
    literal: str | None = None
    items: tuple["_Value", ...] = ()
    options: tuple["_Value", ...] = ()
    path: str = ""


def check(text: str) -> Checked:
    """Return what a condition reads.

    Raises:
        ConditionError: The condition is not accepted; the message says why, the error where.
    """
    return _Checker().run(syntax.parse(text))


class _Checker:
    def __init__(self) -> None:
        self._scope: dict[str, Type] = {}
        self._reads: dict[str, bool] = {}
        self._roots: set[str] = set()
        self._bound: set[str] = set()
        self._calls: set[str] = set()
        self._literals: list[Literal] = []
        self._probes: list[tuple[str, str, int]] = []
        self._guarded: set[str] = set()
        self._unguarded: list[_Value] = []

    def run(self, tree: Expression) -> Checked:
        self._want(self._read(tree), BOOL, "a condition must come to true or false")
        for value in self._unguarded:
            if not value.path or value.path not in self._guarded:
                path = value.path or "the value"
                raise self._fail(
                    value, f"{path} may be null, and the rule would fail then; put `{path} != null &&` before it"
                )
        return Checked(
            tuple(sorted(self._reads)),
            tuple(sorted(path for path, asserted in self._reads.items() if asserted)),
            frozenset(self._roots),
            frozenset(self._bound),
            frozenset(self._calls),
            tuple(self._literals),
            tuple(self._probes),
        )

    def _fail(self, at: "_Value | Expression | int", message: str) -> ConditionError:
        return ConditionError(message, offset=at if isinstance(at, int) else at.offset)

    def _want(self, value: _Value, kind: Type, why: str) -> None:
        if value.type.name != kind.name:
            raise self._fail(value, f"{why}; this is {spell(value.type)}")
        self._solid(value)

    def _solid(self, value: _Value) -> None:
        """Note that a value must not be null here; `run` checks that the condition asks."""
        if value.type.nullable:
            self._unguarded.append(value)

    def _literal(self, value: _Value, kind: Type) -> None:
        """Check what is written out against what the other side can be."""
        for option in value.options:
            self._literal(option, kind)
        for item in value.items:
            if kind.name == "list" and kind.item:
                self._literal(item, kind.item)
        if value.literal is None:
            return
        if kind.values and value.literal not in kind.values:
            raise self._fail(value, f"unknown value `{value.literal}`{names.suggest(value.literal, kind.values)}")
        if kind.domain:
            self._literals.append(Literal(kind.domain, value.literal, value.offset))

    def _read(self, node: Expression) -> _Value:
        value = self._typed(node)
        if value.type.name == "object" and value.path:
            raise self._fail(value, f"`{value.path}` is not a value; read one of its fields")
        return value

    def _typed(self, node: Expression) -> _Value:
        match node:
            case Const():
                return self._const(node)
            case Name():
                return self._name(node)
            case Select():
                return self._select(node)
            case Index():
                return self._index(node)
            case Call():
                return self._call(node)
            case Listed():
                return self._listed(node)
            case Unary():
                return self._unary(node)
            case Binary():
                return self._binary(node)
            case Choice():
                return self._choice(node)
            case _:
                assert_never(node)

    def _const(self, node: Const) -> _Value:
        if node.kind == "int" and int(node.text) >= 2**63:
            raise self._fail(node, "a whole number is below 2^63")
        if node.kind == "text" and (why := names.unreadable(node.text.strip())):
            raise self._fail(node, f"this text can be taken for another: {why}")
        return _Value(_CONSTANTS[node.kind], node.offset, node.text if node.kind == "text" else None)

    def _name(self, node: Name) -> _Value:
        if node.text in self._scope:
            return _Value(self._scope[node.text], node.offset)
        found = ENVIRONMENT.fields.get(node.text)
        if found is None:
            raise self._fail(
                node, f"unknown name `{node.text}`{names.suggest(node.text, [*ENVIRONMENT.fields, *self._scope])}"
            )
        self._roots.add(node.text)
        if found.type.name != "object":
            self._reads[node.text] = found.asserted
        return _Value(found.type, node.offset, path=node.text)

    def _select(self, node: Select) -> _Value:
        value = self._typed(node.of)
        if value.type.name != "object":
            raise self._fail(node.at, f"{spell(value.type)} has no fields")
        path = f"{value.path}.{node.name}" if value.path else node.name
        found = value.type.fields.get(node.name)
        if found is None:
            raise self._fail(node.at, f"unknown field `{path}`{names.suggest(node.name, value.type.fields)}")
        if not found.supplied:
            raise self._fail(node.at, f"`{path}` is not supplied in this version, so the rule would never decide")
        if found.type.name != "object" and value.path:
            self._reads[path] = found.asserted
        return _Value(found.type, node.offset, path=path if value.path else "")

    def _index(self, node: Index) -> _Value:
        value = self._typed(node.of)
        if value.type.name != "list" or value.type.item is None:
            raise self._fail(node.position, "`[...]` reads a list by position; read a field as `.name`")
        self._want(self._read(node.position), INT, "a position must be a whole number")
        return _Value(value.type.item, node.offset)

    def _listed(self, node: Listed) -> _Value:
        items = tuple(self._read(item) for item in node.items)
        if not items:
            raise self._fail(node, "the list is empty; ask for a size instead: `size(...) == 0`")
        for item in items:
            if not fits(items[0].type, item.type) or item.type.nullable or item.type.name == "null":
                raise self._fail(item, "the items of a list must be of one type, and not null")
        return _Value(Type("list", item=items[0].type), node.offset, items=items)

    def _choice(self, node: Choice) -> _Value:
        self._want(self._read(node.test), BOOL, "what stands before `?` must be true or false")
        yes, no = self._read(node.yes), self._read(node.no)
        if yes.type.name != no.type.name or not fits(yes.type, no.type):
            raise self._fail(no, "both sides of `:` must be of one type")
        kind = replace(yes.type, values=(), domain="", nullable=yes.type.nullable or no.type.nullable)
        return _Value(kind, node.offset, options=(yes, no))

    def _unary(self, node: Unary) -> _Value:
        value = self._read(node.value)
        if node.sign == "!":
            self._want(value, BOOL, "`!` takes true or false")
        elif value.type.name not in _NUMBERS:
            raise self._fail(node, "`-` takes a number")
        self._solid(value)
        return _Value(Type(value.type.name), node.offset)

    # operators

    def _binary(self, node: Binary) -> _Value:
        left, right = self._read(node.left), self._read(node.right)
        match node.sign:
            case "&&" | "||":
                for value in (left, right):
                    self._want(value, BOOL, f"both sides of `{node.sign}` must be true or false")
            case "==" | "!=":
                self._same(left, right, node.at)
            case "in":
                self._within(left, right, node.at)
            case "<" | "<=" | ">" | ">=":
                self._ordered(left, right, node.at)
            case _:
                return self._arithmetic(node, left, right)
        return _Value(BOOL, node.offset)

    def _same(self, left: _Value, right: _Value, at: int) -> None:
        for one, other in ((left, right), (right, left)):
            if one.type.name == "null":
                if not other.type.nullable:
                    raise self._fail(other, f"{spell(other.type)} here is never null")
                self._guarded.add(other.path)
                return
        if not fits(left.type, right.type):
            raise self._fail(at, f"{spell(left.type)} and {spell(right.type)} here are never equal")
        self._literal(left, right.type)
        self._literal(right, left.type)

    def _within(self, left: _Value, right: _Value, at: int) -> None:
        self._want(right, Type("list"), "what stands after `in` must be a list")
        item = right.type.item
        if item is None or not fits(left.type, item):
            raise self._fail(at, f"{spell(left.type)} is never in a list of {spell(item) if item else 'nothing'}")
        self._literal(left, item)
        self._literal(right, Type("list", item=left.type))

    def _ordered(self, left: _Value, right: _Value, at: int) -> None:
        self._solid(left)
        self._solid(right)
        kinds = {left.type.name, right.type.name}
        if not kinds <= _NUMBERS and (len(kinds) > 1 or not kinds <= {"text", "time", "duration"}):
            raise self._fail(at, f"{spell(left.type)} and {spell(right.type)} have no order")

    def _arithmetic(self, node: Binary, left: _Value, right: _Value) -> _Value:
        self._solid(left)
        self._solid(right)
        match left.type.name, node.sign, right.type.name:
            case ("int", _, "int"):
                return _Value(INT, node.offset)
            case ("double", "+" | "-" | "*" | "/", "double"):
                return _Value(DOUBLE, node.offset)
            case ("time", "+" | "-", "duration"):
                return _Value(TIME, node.offset)
            case ("time", "-", "time"):
                return _Value(DURATION, node.offset)
            case _:
                raise self._fail(
                    node.at, f"`{node.sign}` takes two whole numbers or two doubles (`double(...)` converts)"
                )

    # functions, methods and macros

    def _call(self, node: Call) -> _Value:
        if node.of is not None and node.name in MACROS:
            return self._macro(node, self._read(node.of))
        table = FUNCTIONS if node.of is None else METHODS
        if node.name != "size" and node.name not in table:
            known = ["size", *table, *(MACROS if node.of is not None else ())]
            raise self._fail(node.at, f"unknown function `{node.name}`{names.suggest(node.name, known)}")
        values = [self._read(value) for value in ((node.of,) if node.of is not None else ()) + node.values]
        self._calls.add(node.name)
        if node.name != "size":
            return self._apply(table[node.name], values, node)
        if len(values) != 1 or values[0].type.name not in {"text", "list"}:
            raise self._fail(node.at, "`size` takes one text or list")
        self._solid(values[0])
        return _Value(INT, node.offset)

    def _apply(self, function: Function, values: list[_Value], node: Call) -> _Value:
        if len(values) != len(function.takes):
            raise self._fail(node.at, f"`{node.name}` takes {len(function.takes)} values, not {len(values)}")
        for value, kind in zip(values, function.takes, strict=True):
            self._want(value, kind, f"`{node.name}` takes {spell(kind)}")
        if function.literal:
            last = values[-1]
            if last.literal is None:
                raise self._fail(last, f"`{node.name}` takes a text written out, so that it can be checked now")
            # CEL's time arithmetic wraps round without an error, so only short, whole forms are taken.
            if node.name == "duration" and not _DURATION.fullmatch(last.literal):
                raise self._fail(last, "a duration here is one number and `ms`, `s`, `m` or `h`: `90m`")
            if node.name == "timestamp" and not _TIME.fullmatch(last.literal):
                raise self._fail(last, "a time here is written `2026-01-31T00:00:00Z`")
            self._probes.append((node.name, last.literal, last.offset))
        return _Value(function.gives, node.offset)

    def _macro(self, node: Call, value: _Value) -> _Value:
        if value.type.name != "list" or value.type.item is None:
            raise self._fail(node.at, f"`{node.name}` takes a list")
        if len(node.values) != 2 or not isinstance(node.values[0], Name):
            raise self._fail(node.at, f"`{node.name}` takes a name and a condition: `{node.name}(x, ...)`")
        variable = node.values[0]
        if variable.text in self._scope or variable.text in ENVIRONMENT.fields:
            raise self._fail(variable, f"`{variable.text}` already names something; choose another name")
        if len(self._scope) >= MAX_LOOPS:
            raise self._fail(node.at, f"lists are walked at most {MAX_LOOPS} deep")
        self._scope[variable.text] = value.type.item
        self._bound.add(variable.text)
        self._want(self._read(node.values[1]), BOOL, f"`{node.name}` takes a condition")
        del self._scope[variable.text]
        return _Value(value.type if node.name == "filter" else BOOL, node.offset)
