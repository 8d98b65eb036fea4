"""The `estimates` section of the configuration: how the gateway asks databases how many rows they expect."""

from dataclasses import dataclass
from typing import Final

from langguard.policy.reader import Reader
from langguard.policy.source import Node

_SECTION: Final = ("timeout", "at_once", "remember", "always")
_MILLISECOND: Final = 1_000
_MINUTE: Final = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateSettings:
    """How databases are asked.

    Attributes:
        timeout_ms: For one answer, the wait for a turn included; without one the estimate is not known.
        at_once: Questions on their way at once, on each connection.
        remember_us: Microseconds an answer holds, while structure and statistics stay as they are.
        always: Ask for each allowed statement, for the record, even where no rule goes by it.
    """

    timeout_ms: int = 1_000
    at_once: int = 4
    remember_us: int = _MINUTE
    always: bool = False


def read_estimates(reader: Reader, node: Node | None) -> EstimateSettings:
    """Return the settings; what is left out has its default.

    Raises:
        ConfigError: Something in it is wrong.
    """
    default = EstimateSettings()
    if node is None:
        return default
    fields = reader.mapping(node, "`estimates`", _SECTION)
    timeout, once, remember, always = (fields.get(name) for name in _SECTION)
    return EstimateSettings(
        timeout_ms=default.timeout_ms
        if timeout is None
        else reader.duration(timeout, "`timeout`", 10 * _MILLISECOND, _MINUTE) // _MILLISECOND,
        at_once=default.at_once if once is None else reader.integer(once, "`at_once`", 1, 64),
        remember_us=default.remember_us
        if remember is None
        else reader.duration(remember, "`remember`", _MILLISECOND, 60 * _MINUTE),
        always=default.always if always is None else reader.boolean(always, "`always`"),
    )
