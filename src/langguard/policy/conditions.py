"""Conditions: CEL text, checked by our own reader, compiled by the library, and run against one context a call."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import cel

from langguard.policy import expressions
from langguard.policy.expressions import Literal
from langguard.policy.tokens import ConditionError

__all__ = ["Condition", "ConditionError", "ConditionFailed", "compile_condition", "context_of"]

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_OPERATORS: Final = frozenset("!_@-")


class ConditionFailed(Exception):  # noqa: N818 - an outcome to be turned into a deny, never shown as an error
    """A condition raised, or came to something that is not a truth value."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition. Equal texts are equal conditions.

    Attributes:
        text: The CEL source.
        reads: Dotted fields it reads, sorted.
        asserted: Those that the client asserts.
    """

    text: str
    reads: tuple[str, ...] = field(compare=False)
    asserted: tuple[str, ...] = field(compare=False)
    literals: tuple[Literal, ...] = field(compare=False, repr=False)
    program: Any = field(compare=False, repr=False)

    def holds(self, context: Any) -> bool:
        """Return what the condition comes to.

        Raises:
            ConditionFailed: It raised, or its value is not a truth value; the message names the kind of failure only,
                since the library's own text may quote values.
        """
        try:
            value = self.program.execute(context)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as failed:  # noqa: BLE001 - a panic in the native library is no Exception
            raise ConditionFailed(type(failed).__name__) from None
        if value is True or value is False:
            return bool(value)
        msg = f"not a truth value but {type(value).__name__}"
        raise ConditionFailed(msg)


def compile_condition(text: str) -> Condition:
    """Return the condition ready to run.

    Raises:
        ConditionError: It is not accepted: unknown or unsupplied field, unknown function, wrong types, or the library
            reads it otherwise than we do.
    """
    checked = expressions.check(text)
    try:
        program = cel.compile(text)
        found = frozenset(program.variables())
        called = frozenset(name for name in program.functions() if name[0] not in _OPERATORS)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as failed:  # noqa: BLE001 - a panic in the native library is no Exception
        msg = f"CEL does not accept this condition ({type(failed).__name__})"
        raise ConditionError(msg, offset=0) from None
    if not checked.roots <= found <= checked.roots | checked.bound or called != checked.calls:
        msg = "CEL reads this condition otherwise than it is checked; write it more simply"
        raise ConditionError(msg, offset=0)
    for name, literal, offset in checked.probes:
        _try(name, literal, offset)
    return Condition(text, checked.reads, checked.asserted, checked.literals, program)


def _try(name: str, literal: str, offset: int) -> None:
    """Run a call on its literal once, so that a bad regular expression stops the load and not a call."""
    try:
        cel.compile('"".matches(x)' if name == "matches" else f"{name}(x)").execute({"x": literal})
    except Exception as failed:
        msg = f"`{name}` does not accept {literal!r}"
        raise ConditionError(msg, offset=offset) from failed


def context_of(variables: Mapping[str, Any], now: int) -> Any:
    """Return the context of one call, converted once for all conditions.

    Args:
        variables: The environment's roots but `now`.
        now: Microseconds since 1970 UTC.

    Raises:
        ConditionFailed: A value can't be converted (a lone surrogate, an integer beyond 64 bits).
    """
    try:
        return cel.Context({**_plain(variables), "now": _EPOCH + dt.timedelta(microseconds=now)})
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as failed:  # noqa: BLE001 - a panic in the native library is no Exception
        raise ConditionFailed(type(failed).__name__) from None


def _plain(value: Any) -> Any:
    """Return the value in the types the library has a word for, sets in a fixed order."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(_plain(item) for item in value)
    return value
