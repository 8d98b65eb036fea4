"""Which expressions are carried out on made-up rows, each by the values of its parts."""

from collections.abc import Callable
from typing import Final

from sqlglot import exp

from langguard.sql.constants import LONGEST, Plain, Unknown, arithmetic, compare, like, literal, number, spelled, truth

Value = Callable[[exp.Expr], Plain]
"""Gives what an expression comes to, or raises Unknown."""


ANY_TEXT: Final = ("", ".*", "^", "$", "^.*", ".*$", "^.*$", "(.*)", ".*?", "[\\s\\S]*")


def _compared(node: exp.Expr, value: Value) -> Plain:
    if node.this == node.expression and node.this.find(exp.Column) is not None:
        left = _or_something(node.this, value)  # equal to itself, whatever it is
        return compare(type(node), left, left)
    return compare(type(node), value(node.this), value(node.expression))


def _or_something(node: exp.Expr, value: Value) -> Plain:
    try:
        return value(node)
    except Unknown:
        return 0


def _distinct(node: exp.Expr, value: Value) -> Plain:
    left, right = value(node.this), value(node.expression)
    same = (left is None and right is None) or compare(exp.EQ, left, right) is True
    return same if isinstance(node, exp.NullSafeEQ) else not same


def _is(node: exp.Expr, value: Value) -> Plain:
    left, right = value(node.this), node.expression
    if isinstance(right, exp.Null):
        return left is None
    if isinstance(right, exp.Boolean):
        return truth(left) is bool(right.this)
    other = value(right)
    return (left is None and other is None) or compare(exp.EQ, left, other) is True


def _in(node: exp.Expr, value: Value) -> Plain:
    if node.args.get("query") is not None or node.args.get("field") is not None:
        raise Unknown
    left = value(node.this)
    found = [True if part == node.this else compare(exp.EQ, left, value(part)) for part in node.expressions]
    return True if True in found else None if None in found else False


def _between(node: exp.Expr, value: Value) -> Plain:
    this, low, high = value(node.this), value(node.args["low"]), value(node.args["high"])
    found = _and(compare(exp.GTE, this, low), compare(exp.LTE, this, high))
    if not node.args.get("symmetric"):
        return found
    other = _and(compare(exp.GTE, this, high), compare(exp.LTE, this, low))
    return True if found or other else None if found is None or other is None else False


def _and(one: bool | None, other: bool | None) -> bool | None:
    return False if one is False or other is False else None if one is None or other is None else True


def _like(node: exp.Expr, value: Value) -> Plain:
    return like(value(node.this), value(node.expression), fold=isinstance(node, exp.ILike))


def _calculated(node: exp.Expr, value: Value) -> Plain:
    return arithmetic(type(node), value(node.this), value(node.expression))


def _negative(node: exp.Expr, value: Value) -> Plain:
    found = value(node.this)
    return None if found is None else arithmetic(exp.Sub, 0, found)


def _coalesce(node: exp.Expr, value: Value) -> Plain:
    for part in (node.this, *node.expressions):
        if (found := value(part)) is not None:
            return found
    return None


def _nullif(node: exp.Expr, value: Value) -> Plain:
    found = value(node.this)
    return None if compare(exp.EQ, found, value(node.expression)) else found


def _cast(node: exp.Expr, value: Value) -> Plain:
    found = value(node.this)
    kind = node.args["to"].this
    if found is None:
        return None
    if kind in exp.DataType.TEXT_TYPES:
        return spelled(found)
    if kind in exp.DataType.NUMERIC_TYPES and (read := number(found)) is not None:
        return int(read) if kind in exp.DataType.INTEGER_TYPES and abs(read) < 1e15 else read
    if kind == exp.DataType.Type.BOOLEAN:
        return truth(found)
    raise Unknown


def _on_text(change: Callable[[str], Plain]) -> Callable[[exp.Expr, Value], Plain]:
    def changed(node: exp.Expr, value: Value) -> Plain:
        if any(v for key, v in node.args.items() if key != "this"):
            raise Unknown
        found = value(node.this)
        return None if found is None else change(spelled(found))

    return changed


def _absolute(node: exp.Expr, value: Value) -> Plain:
    found = value(node.this)
    read = number(found)
    if found is not None and read is None:
        raise Unknown
    return None if read is None else abs(read)


def _concat(node: exp.Expr, value: Value) -> Plain:
    found = [value(part) for part in node.expressions]
    if None in found:
        raise Unknown  # engines differ
    return "".join(map(spelled, found))[:LONGEST]


def _case(node: exp.Expr, value: Value) -> Plain:
    of = node.args.get("this")
    for branch in node.args.get("ifs") or ():
        chosen = value(branch.this)
        if truth(chosen) if of is None else compare(exp.EQ, value(of), chosen):
            return value(branch.args["true"])
    default = node.args.get("default")
    return None if default is None else value(default)


def _any_text(*patterns: str) -> Callable[[exp.Expr, Value], Plain]:
    """Carry out a match whose pattern fits every text; no other is understood."""

    def matched(node: exp.Expr, value: Value) -> Plain:
        if value(node.expression) not in patterns:
            raise Unknown
        return None if value(node.this) is None else True

    return matched


def _boolean(node: exp.Expr, _value: Value) -> Plain:
    return bool(node.this)


def _null(_node: exp.Expr, _value: Value) -> Plain:
    return None


def _literal(node: exp.Expr, _value: Value) -> Plain:
    if not isinstance(node, exp.Literal):
        raise Unknown
    return literal(node)


UNDERSTOOD: Final[dict[type[exp.Expr], Callable[[exp.Expr, Value], Plain]]] = {
    exp.Literal: _literal,
    exp.Boolean: _boolean,
    exp.Null: _null,
    exp.EQ: _compared,
    exp.NEQ: _compared,
    exp.LT: _compared,
    exp.LTE: _compared,
    exp.GT: _compared,
    exp.GTE: _compared,
    exp.NullSafeEQ: _distinct,
    exp.NullSafeNEQ: _distinct,
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _between,
    exp.Paren: lambda node, value: value(node.this),
    exp.Case: _case,
    exp.SimilarTo: _any_text("%", "%%"),
    exp.Glob: _any_text("*", "**"),
    exp.RegexpLike: _any_text(*ANY_TEXT),
    exp.RegexpILike: _any_text(*ANY_TEXT),
    exp.Like: _like,
    exp.ILike: _like,
    exp.Add: _calculated,
    exp.Sub: _calculated,
    exp.Mul: _calculated,
    exp.Div: _calculated,
    exp.Mod: _calculated,
    exp.DPipe: _calculated,
    exp.Neg: _negative,
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
    exp.Cast: _cast,
    exp.Upper: _on_text(str.upper),
    exp.Lower: _on_text(str.lower),
    exp.Length: _on_text(len),
    exp.Trim: _on_text(str.strip),
    exp.Abs: _absolute,
    exp.Concat: _concat,
}
"""By class; what is not here can be any value."""
