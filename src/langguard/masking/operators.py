"""What is put in a value's place: the operators, and which of them is the stricter."""

import hashlib
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, assert_never

from langguard.errors import MaskingError
from langguard.protocol import Operator, OperatorName

_STRICTNESS: Final[dict[OperatorName, int]] = {"keep": 0, "mask": 1, "hash": 2, "replace": 3, "redact": 4, "null": 5}
_SHORTEST_KEY: Final = 16
REPLACE: Final = Operator(name="replace")


def strictest(operators: Iterable[Operator]) -> Operator | None:
    """Return the operator that shows least: null, redact, replace, hash, mask (fewer characters left), keep."""
    return max(operators, key=lambda operator: (_STRICTNESS[operator.name], -operator.keep_last), default=None)


def masked(value: Any, operator: Operator, label: str, key: bytes) -> Any:
    """Return what stands in for `value`, which is not None.

    Args:
        value: Any value; text is masked by its characters, a number by its digits, all else as one whole.
        operator: What to do.
        label: What the value is called, such as `EMAIL_ADDRESS`.
        key: For `hash`: secret of 16 to 64 bytes; equal values give equal tokens under one key and label.

    Raises:
        MaskingError: `hash` without a proper key.
    """
    match operator.name:
        case "keep":
            return value
        case "null":
            return None
        case "redact":
            return ""
        case "replace":
            return operator.text or f"<{label}>"
        case "mask":
            text = _characters(value)
            return f"<{label}>" if text is None else stars(text, operator.keep_last)
        case "hash":
            return token(value, label, key)
        case _:
            assert_never(operator.name)


def stars(text: str, keep_last: int) -> str:
    """Return `text` with stars, its last `keep_last` letters and digits left, but never more than half of them.

    Spaces and hyphens stay, so that a card number keeps its shape whatever its length.
    """
    kept = min(max(keep_last, 0), sum(map(str.isalnum, text)) // 2)
    shown: list[str] = []
    for character in reversed(text):
        if kept and character.isalnum():
            shown.append(character)
            kept -= 1
        else:
            shown.append(character if character in " -" else "*")
    return "".join(reversed(shown))


def token(value: Any, label: str, key: bytes) -> str:
    """Return a keyed token such as `<EMAIL_1f3a9c0b4d2e>`; letter case and surrounding space make no difference.

    Raises:
        MaskingError: The key is shorter than 16 or longer than 64 bytes.
    """
    if not _SHORTEST_KEY <= len(key) <= hashlib.blake2b.MAX_KEY_SIZE:
        msg = "Keyed masks need a key of 16 to 64 bytes and none was given; no result was released."
        raise MaskingError(msg)
    text = _characters(value)
    if text is not None:
        body = text.strip().casefold().encode("utf-8", "surrogatepass")
    elif isinstance(value, bytes | bytearray | memoryview):
        body = b"bytes\0" + bytes(value)
    else:
        body = f"{type(value).__name__}\0{value!r}".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(label.encode() + b"\0" + body, key=key, digest_size=6, person=b"langguard-mask")
    return f"<{label}_{digest.hexdigest()}>"


def _characters(value: Any) -> str | None:
    """Return the characters a person would read as the value: text, or a number's digits. None for all else."""
    match value:
        case bool():
            return None
        case str():
            return str.__str__(value)
        case int():
            return str(int(value))
        case float() if value.is_integer():
            return str(int(value))
        case Decimal() if value.is_finite():
            return str(int(value)) if value == value.to_integral_value() and value.adjusted() < 64 else str(value)
        case float() | Decimal():
            return str(value)
        case _:
            return None
