"""What conditions may read: the whole environment from the start, and which of it this version supplies.

A field that is named here and not yet supplied stops the load of a rule that reads it, so that a rule never waits in
silence for a value that does not come. A field that the client asserts may only tighten: never in an `allow` rule.
"""

from dataclasses import dataclass, field
from typing import Final

from langguard.protocol import SQL_ACTIONS


@dataclass(frozen=True, slots=True)
class Type:
    """The static type of an expression.

    Attributes:
        name: `text`, `int`, `double`, `bool`, `time`, `duration`, `null`, `list` or `object`.
        item: Of a list: the type of its items; None for the empty list, which fits any.
        fields: Of an object.
        values: Of a text: all it can be; empty means anything.
        domain: Of a text: `table` or `column` when it names one, so that literals can be checked against a catalogue.
        nullable: It may be null.
    """

    name: str
    item: "Type | None" = None
    fields: "dict[str, Field]" = field(default_factory=dict, hash=False)
    values: tuple[str, ...] = ()
    domain: str = ""
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A member of an object: its type, whether this version supplies it, and whether the client asserts it.

    Attributes:
        probed: Only the database can tell it. Until it was asked the field is not there, and reading it fails.
    """

    type: Type
    supplied: bool = True
    asserted: bool = False
    probed: bool = False


TEXT: Final = Type("text")
INT: Final = Type("int")
DOUBLE: Final = Type("double")
BOOL: Final = Type("bool")
TIME: Final = Type("time")
DURATION: Final = Type("duration")
NULL: Final = Type("null")
TABLE: Final = Type("text", domain="table")
COLUMN: Final = Type("text", domain="column")

KIND_ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "sql": SQL_ACTIONS,
    "http": ("fetch", "send"),
    "vector": ("search", "get", "add", "delete"),
    "tool": ("invoke", "file", "exec"),
}
"""The actions of each kind of connection."""

ACTIONS: Final = tuple(sorted({action for actions in KIND_ACTIONS.values() for action in actions}))
PRINCIPAL_KINDS: Final = ("person", "service")
CUSTODIES: Final = ("gateway", "agent", "leased")


def _object(**fields: Field | Type) -> Type:
    return Type(
        "object", fields={name: item if isinstance(item, Field) else Field(item) for name, item in fields.items()}
    )


def _list(item: Type) -> Type:
    return Type("list", item=item)


def _words(*values: str) -> Type:
    return Type("text", values=values)


def _maybe(kind: Type) -> Type:
    return Type(kind.name, kind.item, kind.fields, kind.values, kind.domain, nullable=True)


def _later(kind: Type) -> Field:
    return Field(kind, supplied=False)


def _probed(kind: Type) -> Field:
    return Field(kind, probed=True)


def _said(kind: Type, *, supplied: bool = True) -> Field:
    return Field(kind, supplied=supplied, asserted=True)


_URL: Final = _object(scheme=_later(TEXT), host=_later(TEXT), port=_later(INT), path=_later(TEXT), method=_later(TEXT))
_CONTEXT: Final = _object(
    provenance=_said(_words("exact", "inferred", "unknown")),
    source=_said(_words("callbacks", "state", "call_id", "sibling", "none")),
    tool=_said(_maybe(TEXT)),
    thread_id=_said(_maybe(TEXT)),
    prompt=_said(TEXT, supplied=False),
    messages=_said(_list(TEXT), supplied=False),
)
_OUTPUT: Final = _object(name=TEXT, columns=_list(COLUMN), direct=BOOL, counted=BOOL)
_ASSIGNED: Final = _object(
    column=COLUMN, shown=_list(COLUMN), columns=_list(COLUMN), copied=_list(COLUMN), direct=BOOL, counted=BOOL
)

ENVIRONMENT: Final = _object(
    principal=_object(id=TEXT, name=TEXT, kind=_words(*PRINCIPAL_KINDS), groups=_list(TEXT)),
    session=_object(id=TEXT, agent=_said(TEXT), labels=_later(_list(TEXT)), started_at=_later(TIME)),
    connection=_object(
        name=TEXT,
        kind=_words(*KIND_ACTIONS),
        dialect=_words("postgres", "sqlite", "mysql", "duckdb"),
        custody=_words(*CUSTODIES),
    ),
    call=_object(id=_said(TEXT), actions=_list(_words(*ACTIONS)), context=_CONTEXT, url=_URL),
    facts=_object(
        actions=_list(_words(*ACTIONS)),
        kind=TEXT,
        targets=_list(TEXT),
        operation=_maybe(_words("select", "insert", "update", "delete", "merge")),
        changes=_list(_words("insert", "update", "delete")),
        tables=_list(TABLE),
        written=_list(TABLE),
        assigned=_list(_ASSIGNED),
        assigned_columns=_list(COLUMN),
        touched=_list(COLUMN),
        decided=_list(COLUMN),
        functions=_list(TEXT),
        outputs=_list(_OUTPUT),
        limit=_maybe(INT),
        filtered=_maybe(BOOL),
        where=_maybe(_words("none", "trivial", "condition")),
        precise=BOOL,
        parameters=INT,
        shape=TEXT,
        estimated_rows=_probed(INT),
        scanned_rows=_probed(INT),
    ),
    risk=_object(score=_later(INT), reasons=_later(_list(TEXT))),
    now=TIME,
)
"""The tree every condition is checked against."""

PROBED: Final = frozenset(
    f"facts.{name}" for name, item in ENVIRONMENT.fields["facts"].type.fields.items() if item.probed
)
"""Fields that only the database can tell: `facts.estimated_rows` and the like."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method: the types it takes (the receiver first, for a method) and gives.

    Attributes:
        literal: Its argument must be a literal, so that it can be tried when the policy is loaded.
    """

    takes: tuple[Type, ...]
    gives: Type
    literal: bool = False


METHODS: Final[dict[str, Function]] = {
    "startsWith": Function((TEXT, TEXT), BOOL),
    "endsWith": Function((TEXT, TEXT), BOOL),
    "contains": Function((TEXT, TEXT), BOOL),
    "matches": Function((TEXT, TEXT), BOOL, literal=True),
    "getFullYear": Function((TIME,), INT),
    "getMonth": Function((TIME,), INT),
    "getDate": Function((TIME,), INT),
    "getDayOfWeek": Function((TIME,), INT),
    "getHours": Function((TIME,), INT),
    "getMinutes": Function((TIME,), INT),
}
"""Called on a value: `facts.shape.startsWith("a")`. Times are UTC; months and weekdays count from 0 (CEL's own way)."""

FUNCTIONS: Final[dict[str, Function]] = {
    "timestamp": Function((TEXT,), TIME, literal=True),
    "duration": Function((TEXT,), DURATION, literal=True),
    "double": Function((INT,), DOUBLE),
}
"""Called by name. `size` takes a text or a list, as function or method, and is known to the checker itself."""

MACROS: Final = ("all", "exists", "exists_one", "filter")

_NUMBERS: Final = frozenset({"int", "double"})
_SPELLED: Final = {
    "text": "a text",
    "int": "a whole number",
    "double": "a number",
    "bool": "a truth value",
    "time": "a time",
    "duration": "a duration",
    "null": "null",
    "list": "a list",
    "object": "a group of fields",
}


def fits(left: Type, right: Type) -> bool:
    """Return whether values of the two types can be equal."""
    if {left.name, right.name} <= _NUMBERS:
        return True
    if left.name != right.name or left.name == "object":
        return False
    if left.name == "list":
        return left.item is None or right.item is None or fits(left.item, right.item)
    return not (left.values and right.values) or bool(set(left.values) & set(right.values))


def spell(kind: Type) -> str:
    """Return the type in words, for messages."""
    return _SPELLED[kind.name]
