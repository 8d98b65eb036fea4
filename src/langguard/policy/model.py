"""The policy: grants, rules, masks and limits, as they were read and checked. Nothing here decides."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, Literal

from langguard.policy.conditions import Condition
from langguard.policy.names import TablePattern
from langguard.policy.source import Place
from langguard.protocol import MaskPolicy

Effect = Literal["allow", "deny", "review"]
ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a rule holds: a connection by name, all of a kind, or all; narrowed to tables by a pattern.

    Attributes:
        text: As written: `kind:sql`, `orders`, `orders/public.*`, `*`.
        connection: Name, or `*`.
        kind: Kind of connection, or empty for any.
        tables: None means the whole connection.
    """

    text: str
    connection: str = ANY
    kind: str = ""
    tables: TablePattern | None = None

    def reaches(self, connection: str, kind: str) -> bool:
        """Return whether a connection is in scope, tables apart."""
        return self.connection in {ANY, connection} and self.kind in {"", kind}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a group, or one principal, may do on a connection.

    Attributes:
        group: Name, or empty where `principal` is set.
        principal: Id, or empty where `group` is set.
        connection: Name, or `*`.
        tables: What it is limited to; empty means every table.
    """

    group: str = ""
    principal: str = ""
    connection: str
    actions: tuple[str, ...]
    tables: tuple[TablePattern, ...] = ()

    def holds_for(self, principal: str, groups: Collection[str], connection: str) -> bool:
        """Return whether the principal has this grant on the connection."""
        return self.connection in {ANY, connection} and (
            self.principal == principal if self.principal else self.group in groups
        )

    @property
    def to(self) -> str:
        """Who has it, in words."""
        return f"group {self.group}" if self.group else f"principal {self.principal}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvers:
    """Who may approve what a `review` rule holds back.

    Attributes:
        needed: Distinct people, 1 to 10.
        expires_us: Microseconds an approval can wait.
        justification: The requester must say why.
    """

    groups: tuple[str, ...]
    needed: int = 1
    expires_us: int = 900_000_000
    justification: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        actions: Names, or `*` (deny and review only).
        on: Scopes, any of which suffices; empty means everywhere.
        when: None means always.
        message: The administrator's own words for the model and the person, or empty.
    """

    id: str
    effect: Effect
    actions: tuple[str, ...]
    on: tuple[Scope, ...] = ()
    when: Condition | None = None
    approvers: Approvers | None = None
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Bounds on results, where they hold; None leaves a bound to the next wider limit.

    Attributes:
        on: None means everywhere.
        rows: Most rows released.
        timeout_ms: A statement's time limit, milliseconds.
        result_bytes: Most bytes of values, counted before masking.
    """

    on: Scope | None = None
    rows: int | None = None
    timeout_ms: int | None = None
    result_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which rows of some tables show.

    Attributes:
        tables: `schema.table`, letter case aside.
        where: A condition over each table's own columns, in the connection's dialect.
        attributes: Those of the principal that it names, sorted.
        groups: Whom it holds for; empty means everyone.
        exempt: Groups it does not hold for, whatever `groups` says.
        place: Where the condition stands.
    """

    connection: str
    tables: tuple[str, ...]
    where: str
    attributes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    place: Place = field(default=Place(0, 0), repr=False)

    def holds_for(self, groups: Collection[str], connection: str) -> bool:
        """Return whether it holds for a principal of these groups on a connection."""
        return (
            self.connection == connection
            and not any(group in groups for group in self.exempt)
            and (not self.groups or any(group in groups for group in self.groups))
        )


DEFAULT_LIMIT: Final = Limit(rows=500, timeout_ms=10_000, result_bytes=5_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A name the policy mentions, and where, to be checked against what exists once that is known.

    Attributes:
        kind: What it names; a `literal` stands in a condition, a `table` or `column` alone is a pattern.
        connections: For tables and literals: the names they may be on; `*` means any.
    """

    kind: Literal["entity", "table", "column", "table literal", "column literal"]
    text: str
    place: Place
    connections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A whole policy. Equal versions decide alike.

    Attributes:
        version: Of the document's format.
        version_id: Hex SHA-256 of its canonical form: comments and layout do not count.
        reads: Fields that conditions read, so that only these are converted for a call; sorted.
        mentions: Names to check against catalogues; see `check`.
    """

    version: int
    grants: tuple[Grant, ...] = ()
    rules: tuple[Rule, ...] = ()
    masks: MaskPolicy = field(default_factory=MaskPolicy)
    row_filters: tuple[Filter, ...] = ()
    limits: tuple[Limit, ...] = (DEFAULT_LIMIT,)
    version_id: str = ""
    source: str = ""
    reads: tuple[str, ...] = field(default=(), repr=False)
    mentions: tuple[Mention, ...] = field(default=(), repr=False)

    def may_use(self, *, principal: str, groups: Collection[str], connection: str) -> bool:
        """Return whether a principal has any grant on a connection, so may know that it exists."""
        return any(grant.holds_for(principal, groups, connection) for grant in self.grants)
