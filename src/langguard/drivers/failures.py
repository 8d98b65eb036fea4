"""What may be said of a database's own error: databases quote values in errors, and a value is a row that leaked."""

import re
from typing import Final

_QUOTED: Final = re.compile(r""""(?:[^"]|"")*"|'(?:[^']|'')*'|\([^()]*\)""")
_DIGITS: Final = re.compile(r"\d{4,}")
_MOST: Final = 200
_CLOSING: Final = {'"': '"', "'": "'", "(": ")"}
_OF_THE_STATEMENT: Final = "42"
"""SQLSTATE class: syntax error or access rule violation. Such an error comes before any row is read."""
_OF_THE_APPLICATION: Final = "P0"
"""SQLSTATE class: raised by a function or trigger of the database's owner, in words of their own."""


def describe(error: BaseException, statement: str) -> str:
    """Return one sentence about a driver's error that holds no value the statement did not already hold.

    Kept: the driver's class, the SQLSTATE, and the first line of the message without what could be a value. Where the
    error is one of the statement itself, that is each quoted or parenthesised part that does not stand in it. Anywhere
    else a value may be quoted that holds quotes too, so all from the first quote to the last is left out.
    """
    origin = getattr(error, "orig", None) or error
    state = str(getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None) or "")
    diagnosis = getattr(origin, "diag", None)
    message = (getattr(diagnosis, "message_primary", None) or str(origin)).strip()
    if state.startswith(_OF_THE_APPLICATION):
        message = "its text is not shown"
    elif state.startswith(_OF_THE_STATEMENT):
        message = _QUOTED.sub(lambda found: _kept(found.group(0), statement), message)
    else:
        message = _without_span(message)
    first = message.splitlines()[0] if message else ""
    first = _DIGITS.sub(lambda found: found.group(0) if found.group(0) in statement else "...", first)
    name = type(origin).__name__
    return f"The database refused the statement: {name}{f' [{state}]' if state else ''}: {first[:_MOST]}"


def _kept(token: str, statement: str) -> str:
    return token if token[1:-1] and token[1:-1] in statement else token[0] + "..." + token[-1]


def _without_span(message: str) -> str:
    """Return a message without what stands between its first quote or parenthesis and its last."""
    start = next((place for place, character in enumerate(message) if character in _CLOSING), None)
    if start is None:
        return message
    end = max(message.rfind(character) for character in _CLOSING.values())
    return message[:start] + message[start] + "..." + (message[end:] if end > start else _CLOSING[message[start]])
