"""The values a statement's placeholders are given, as Python has them."""

from typing import Any

from langguard.gateway.problems import ProblemError
from langguard.protocol import CallRequest, SqlCall, values


def read_binds(request: CallRequest) -> list[Any]:
    """Return the values of `$1`, `$2`... of a call.

    Raises:
        ProblemError: One is not of the wire's types; it is named, not quoted.
    """
    found = []
    for number, value in enumerate(request.call.binds if isinstance(request.call, SqlCall) else (), 1):
        try:
            found.append(values.decode(value))
        except (ValueError, TypeError, KeyError, IndexError, ArithmeticError, AttributeError, RecursionError):
            raise ProblemError("invalid_request", f"The value of ${number} can't be read.") from None
    return found
