"""Plain values under SQL's operators, as far as it takes to tell whether a condition holds.

Three-valued: None is NULL. A result that engines disagree on, or that this module does not know, raises `Unknown`.
"""

from collections.abc import Callable
from typing import Final

from sqlglot import exp

Plain = bool | int | float | str | None
LONGEST: Final = 2_000
_LARGEST: Final = 10**30


class Unknown(Exception):  # noqa: N818 - an outcome of an evaluation, caught where it is asked for
    """What an expression comes to can't be told."""


def number(value: Plain) -> int | float | None:
    """Return a value as a number, where it is one or reads as one."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and len(value) <= 40:
        try:
            return int(value)
        except ValueError:
            pass
        try:
            return float(value)
        except ValueError:
            return None
    return None


def literal(node: exp.Literal) -> Plain:
    """Return the value of a literal."""
    text = str(node.this)
    if node.is_string:
        return text
    found = number(text)
    if found is None:
        raise Unknown
    return _bounded(found)


def order(left: Plain, right: Plain) -> int | None:
    """Return -1, 0 or 1 as the left value is less, equal or greater; None where either is NULL."""
    if left is None or right is None:
        return None
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    one, other = number(left), number(right)
    if one is not None and other is not None:
        return (one > other) - (one < other)
    return -1 if other is None else 1  # a number comes before a text


def compare(kind: type[exp.Expr], left: Plain, right: Plain) -> bool | None:
    """Return what a comparison comes to."""
    found = order(left, right)
    if found is None:
        return None
    if kind is exp.EQ:
        return found == 0
    if kind is exp.NEQ:
        return found != 0
    if kind is exp.LT:
        return found < 0
    if kind is exp.LTE:
        return found <= 0
    if kind is exp.GT:
        return found > 0
    return found >= 0


def truth(value: Plain) -> bool | None:
    """Return a value as a condition."""
    if value is None or isinstance(value, bool):
        return value
    found = number(value)
    if found is None:
        return str(value).strip().lower() in {"t", "true", "yes", "on", "y"}
    return found != 0


def like(text: Plain, pattern: Plain, *, fold: bool) -> bool | None:
    """Return whether a text is LIKE a pattern without escapes: % is any run of characters, _ is one."""
    if text is None or pattern is None:
        return None
    one, two = spelled(text), spelled(pattern)
    if "\\" in two:
        raise Unknown
    if fold:
        one, two = one.lower(), two.lower()
    at = star = mark = 0
    star = -1
    here = 0
    while here < len(one):
        if at < len(two) and (two[at] == "_" or (two[at] != "%" and two[at] == one[here])):
            here += 1
            at += 1
        elif at < len(two) and two[at] == "%":
            star, mark = at, here
            at += 1
        elif star >= 0:
            at = star + 1
            mark += 1
            here = mark
        else:
            return False
    return not two[at:].strip("%")


def spelled(value: Plain) -> str:
    """Return a value as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST:
        return str(int(value))
    return str(value)[:LONGEST]


def arithmetic(kind: type[exp.Expr], left: Plain, right: Plain) -> Plain:
    """Return what + - * / % come to, or the text that || makes."""
    if left is None or right is None:
        return None
    if kind is exp.DPipe:
        return (spelled(left) + spelled(right))[:LONGEST]
    one, other = number(left), number(right)
    if one is None or other is None or kind not in _ARITHMETIC:
        raise Unknown
    try:
        return _bounded(_ARITHMETIC[kind](one, other))
    except (ZeroDivisionError, OverflowError):
        raise Unknown from None


def _divided(one: float, other: float) -> int | float:
    if isinstance(one, int) and isinstance(other, int):
        whole = abs(one) // abs(other)
        return whole if (one < 0) == (other < 0) else -whole
    return one / other


def _remainder(one: float, other: float) -> int | float:
    found = abs(one) % abs(other)
    return -found if one < 0 else found


_ARITHMETIC: Final[dict[type[exp.Expr], Callable[[float, float], int | float]]] = {
    exp.Add: lambda one, other: one + other,
    exp.Sub: lambda one, other: one - other,
    exp.Mul: lambda one, other: one * other,
    exp.Div: _divided,
    exp.Mod: _remainder,
}


def _bounded(value: float) -> int | float:
    """Large numbers become inexact, so that no statement can make them larger and larger."""
    return float(value) if isinstance(value, int) and abs(value) > _LARGEST else value
