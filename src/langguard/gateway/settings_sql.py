"""The `sql` section of the configuration: how large a statement may be, and whether a second parser reads it too."""

from dataclasses import dataclass
from typing import Final, Literal

from langguard.policy.reader import Reader
from langguard.policy.source import Node

LIMITS: Final[dict[str, tuple[int, int]]] = {
    # name: the smallest and the largest value that may be set. Beyond the defaults the worst case was not measured; a
    # statement that takes longer than the time for analysis is then refused, and its worker replaced.
    "bytes": (64, 262_144),
    "tokens": (16, 20_000),
    "weight": (16, 4_000),
    "depth": (2, 48),
    "cost": (16, 16_000),
    "chain": (2, 1_000),
    "arms": (1, 128),
    "subscripts": (1, 256),
    "case_depth": (1, 48),
    "columns": (1, 4_000),
    "work": (1_000, 240_000),
}
READERS: Final = ("installed", "required", "never")


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSettings:
    """How statements are analysed.

    Attributes:
        limits: Those that differ from the analyser's own, by name; fields of `langguard.sql.Limits`.
        second_reader: PostgreSQL's own parser beside ours: where it is installed, always (without it the gateway does
            not start), or never.
    """

    limits: tuple[tuple[str, int], ...] = ()
    second_reader: Literal["installed", "required", "never"] = "installed"


def read_sql(reader: Reader, node: Node | None) -> SqlSettings:
    """Return the settings of a section; what is left out has its default.

    Raises:
        ConfigError: A name is unknown, or a number out of range.
    """
    if node is None:
        return SqlSettings()
    fields = reader.mapping(node, "`sql`", ("limits", "second_reader"))
    found: dict[str, int] = {}
    if "limits" in fields:
        limits = reader.mapping(fields.nodes["limits"], "`limits`", LIMITS)
        found = {name: reader.integer(value, f"`{name}`", *LIMITS[name]) for name, value in limits.nodes.items()}
    chosen: Literal["installed", "required", "never"] = "installed"
    if "second_reader" in fields:
        match reader.choice(fields.nodes["second_reader"], "second_reader", READERS):
            case "required":
                chosen = "required"
            case "never":
                chosen = "never"
    return SqlSettings(limits=tuple(sorted(found.items())), second_reader=chosen)
