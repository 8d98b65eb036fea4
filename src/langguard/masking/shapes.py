"""Text found where no text belongs: SQLite keeps what it is given, and drivers hand some types over as text.

Only text of an exact shape is taken for a value of that type; anything else stays suspect.
"""

import datetime as dt
import re
import uuid
from ipaddress import ip_address, ip_interface
from typing import Final, Literal

Shape = Literal["number", "time", "uuid", "network", "boolean", "calendar"]

_LONGEST: Final = 64
_NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]{1,40}|[0-9]{1,3}(?:,[0-9]{3}){1,12})(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,3})?"
)
_MAC: Final = re.compile(r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}")
_CALENDAR: Final = re.compile(
    r"(?:[0-9]{1,4}(?:st|nd|rd|th)?"
    r"|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:tember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?|mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?|sat(?:urday)?"
    r"|sun(?:day)?|am|pm|q[1-4]|w[0-9]{1,2}|utc|z|t|bc|ad|[ .,:/+-])+",
    re.IGNORECASE,
)


def shape(text: str) -> Shape | None:
    """Return what kind of value `text` spells in full, or None for anything a person could have written."""
    if not text.isascii() or len(text) > _LONGEST:
        return None
    text = text.strip()
    if text.lower() in {"true", "false", "t", "f", "yes", "no"}:
        return "boolean"
    if _NUMBER.fullmatch(text):
        return "number"
    if _parses(text, uuid.UUID) and len(text) in {32, 36}:
        return "uuid"
    if _MAC.fullmatch(text) or _parses(text, ip_address) or _parses(text, ip_interface):
        return "network"
    if any(_parses(text, kind.fromisoformat) for kind in (dt.datetime, dt.date, dt.time)):
        return "time"
    if text and _CALENDAR.fullmatch(text):
        return "calendar"
    return None


def _parses(text: str, reader: object) -> bool:
    try:
        reader(text)  # type: ignore[operator]
    except ValueError:
        return False
    return True
