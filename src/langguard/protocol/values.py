"""Values that JSON has no word for, on the wire and in the record: tagged, exact, and never silently changed.

A plain str, bool, None, finite float or integer within 2^53 stands for itself; everything else is an object with one
`$` key naming the type. A JSON object value is therefore always tagged, so no data can be mistaken for a tag.
"""

import base64
import datetime as dt
import decimal
import ipaddress
import math
import uuid
from typing import Any

_EXACT_INTEGER = 2**53


def encode(value: Any) -> Any:
    """Return `value` as JSON types. A type not known here becomes its text, tagged with the type's name."""
    match value:
        case None | bool() | str():
            return (
                value
                if type(value) in (str, bool, type(None))
                else {"$": "other", "v": str(value), "type": _name(value)}
            )
        case int():
            return int(value) if abs(value) <= _EXACT_INTEGER else {"$": "int", "v": str(int(value))}
        case float():
            return float(value) if math.isfinite(value) else {"$": "float", "v": repr(float(value))}
        case decimal.Decimal():
            return {"$": "decimal", "v": str(value)}
        case bytes() | bytearray() | memoryview():
            return {"$": "bytes", "v": base64.b64encode(bytes(value)).decode()}
        case list() | tuple():
            return {"$": "list" if isinstance(value, list) else "tuple", "v": [encode(item) for item in value]}
        case dict():
            return {"$": "dict", "v": [[encode(key), encode(item)] for key, item in value.items()]}
        case _:
            return _encode_scalar(value)


def _encode_scalar(value: Any) -> Any:
    match value:
        case dt.datetime():
            return {"$": "datetime", "v": value.isoformat()}
        case dt.date():
            return {"$": "date", "v": value.isoformat()}
        case dt.time():
            return {"$": "time", "v": value.isoformat()}
        case dt.timedelta():
            return {"$": "interval", "v": [value.days, value.seconds, value.microseconds]}
        case uuid.UUID():
            return {"$": "uuid", "v": str(value)}
        case (
            ipaddress.IPv4Address()
            | ipaddress.IPv6Address()
            | ipaddress.IPv4Network()
            | ipaddress.IPv6Network()
            | ipaddress.IPv4Interface()
            | ipaddress.IPv6Interface()
        ):
            return {"$": "ip", "v": str(value), "type": _name(value)}
        case set() | frozenset():
            return {"$": "list", "v": sorted((encode(item) for item in value), key=repr)}
        case _:
            return {"$": "other", "v": str(value), "type": _name(value)}


def _name(value: Any) -> str:
    return type(value).__name__


_IP = {
    kind.__name__: kind
    for kind in (
        ipaddress.IPv4Address,
        ipaddress.IPv6Address,
        ipaddress.IPv4Network,
        ipaddress.IPv6Network,
        ipaddress.IPv4Interface,
        ipaddress.IPv6Interface,
    )
}


def decode(value: Any) -> Any:  # noqa: C901, PLR0911 - one row a type
    """Return the Python value that `encode` was given; a value of an unknown type comes back as its text.

    Raises:
        ValueError: The tag is not one of ours.
    """
    if not isinstance(value, dict):
        return value
    held: Any = value.get("v")
    match value.get("$"):
        case "int":
            return int(held)
        case "float":
            return float(held)
        case "decimal":
            return decimal.Decimal(held)
        case "bytes":
            return base64.b64decode(held, validate=True)
        case "list":
            return [decode(item) for item in held]
        case "tuple":
            return tuple(decode(item) for item in held)
        case "dict":
            return {decode(key): decode(item) for key, item in held}
        case "datetime":
            return dt.datetime.fromisoformat(held)
        case "date":
            return dt.date.fromisoformat(held)
        case "time":
            return dt.time.fromisoformat(held)
        case "interval":
            return dt.timedelta(days=held[0], seconds=held[1], microseconds=held[2])
        case "uuid":
            return uuid.UUID(held)
        case "ip" if value.get("type") in _IP:
            return _IP[value["type"]](held)
        case "other":
            return str(held)
        case tag:
            msg = f"unknown value tag {tag!r}"
            raise ValueError(msg)
