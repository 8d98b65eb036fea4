"""From our placeholders (`$1`, `$2`...) to a driver's own style, on canonical text only.

Canonical text (made by the SQL room) has string literals only as '...' and identifiers only as "...", both with their
quote doubled inside, and no comments; so scanning for these three things is exact. MySQL's has identifiers as `...`,
and a backslash in a string takes the next character with it.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from langguard.errors import TargetError

DOUBLED: Final = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\d+)|%""")
BACKSLASHED: Final = re.compile(r"""'(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`|\$(\d+)|%""", re.DOTALL)


def render(
    statement: str, binds: Sequence[Any], paramstyle: str, literals: re.Pattern[str] = DOUBLED
) -> tuple[str, tuple[Any, ...] | dict[str, Any] | None]:
    """Return the text and parameters for a DB-API driver.

    Args:
        statement: Canonical text.
        binds: Python values; `$1` is the first.
        paramstyle: The driver's, PEP 249.
        literals: DOUBLED or BACKSLASHED: how the text writes literals and names.

    Returns:
        The text verbatim and None when there are no binds (drivers then do no substitution of their own).

    Raises:
        TargetError: A placeholder has no value, or the driver's style is not known.
    """
    if not binds:
        return statement, None
    order: list[int] = []
    doubled = paramstyle in {"format", "pyformat"}

    def swap(found: re.Match[str]) -> str:
        token = found.group(0)
        if found.group(1) is None:
            return token.replace("%", "%%") if doubled else token
        number = int(found.group(1))
        if not 1 <= number <= len(binds):
            msg = f"The statement has a placeholder ${number}, and {len(binds)} values were given."
            raise TargetError(msg)
        order.append(number)
        match paramstyle:
            case "format":
                return "%s"
            case "pyformat":
                return f"%(p{number})s"
            case "named":
                return f":p{number}"
            case "qmark":
                return "?"
            case "numeric" | "numeric_dollar":
                return f":{number}" if paramstyle == "numeric" else f"${number}"
            case _:
                msg = f"The database driver's parameter style {paramstyle!r} is not supported."
                raise TargetError(msg)

    if literals is BACKSLASHED:  # its driver writes values into the text
        for value in binds:
            _check_written_out(value)
    text = literals.sub(swap, statement)
    if paramstyle in {"pyformat", "named"}:
        return text, {f"p{number}": binds[number - 1] for number in set(order)}
    if paramstyle in {"qmark", "format"}:
        return text, tuple(binds[number - 1] for number in order)
    return text, tuple(binds)


def _check_written_out(value: Any) -> None:
    """Refuse a value that a driver which writes values into the text would write as more than one value."""
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        msg = "This database takes no list as the value of a placeholder; send one value for each."
        raise TargetError(msg)
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            msg = "A value is not valid Unicode."
            raise TargetError(msg) from None
