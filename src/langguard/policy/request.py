"""One call, as policy sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Reason = Literal["granted", "rule", "rule_failed", "estimate_unknown", "no_grant"]
Unit = tuple[str, str | None]
"""One action on one table; None stands for a call that names no table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call, as policy sees it.

    Attributes:
        principal_id: What a grant to a `principal` names.
        agent: The agent's name, as its client asserts it.
        kind: Of the connection: `sql`, `http`, `vector` or `tool`.
        actions: What the call does; a call with none is denied.
        tables: Resources, `schema.table`; empty where none is named, None where they are not known.
        facts: protocol.Facts as builtins; what is left out has Facts' own default.
        estimates: Facts that only the database can tell (`estimated_rows`, `scanned_rows`), as far as they are known.
        context: protocol.Context as builtins, asserted by the client; what is left out has Context's own default.
        now: Microseconds since 1970 UTC.
    """

    principal_id: str
    principal_name: str = ""
    principal_kind: str = "service"
    groups: tuple[str, ...] = ()
    session_id: str = ""
    agent: str = ""
    connection: str
    kind: str = "sql"
    dialect: str = ""
    custody: str = "gateway"
    call_id: str = ""
    actions: tuple[str, ...]
    tables: tuple[str, ...] | None = ()
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)
    estimates: Mapping[str, int] = field(default_factory=dict, repr=False)
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)
    now: int
