"""What may be said of a database's own error: databases quote values in errors, and a value is a row that leaked."""

import re

_QUOTED = re.compile(r""""(?:[^"]|"")*"|'(?:[^']|'')*'|\([^()]*\)""")
_DIGITS = re.compile(r"\d{4,}")
_MOST = 200


def describe(error: BaseException, statement: str) -> str:
    """Return one sentence about a driver's error that holds no value the statement did not already hold.

    Kept: the driver's class, the SQLSTATE, and the first line of the message, with every quoted or parenthesised part
    and long number removed unless the very same text stands in the statement that was sent.
    """
    origin = getattr(error, "orig", None) or error
    state = getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None) or ""
    diagnosis = getattr(origin, "diag", None)
    message = getattr(diagnosis, "message_primary", None) or str(origin)
    first = message.strip().splitlines()[0] if message.strip() else ""

    def keep(found: re.Match[str]) -> str:
        token = found.group(0)
        return token if token[1:-1] and token[1:-1] in statement else token[0] + "..." + token[-1]

    first = _QUOTED.sub(keep, first)
    first = _DIGITS.sub(lambda found: found.group(0) if found.group(0) in statement else "...", first)
    name = type(origin).__name__
    return f"The database refused the statement: {name}{f' [{state}]' if state else ''}: {first[:_MOST]}"
