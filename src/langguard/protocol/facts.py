"""What analysis found out about one statement, or why it was refused. Made by the gateway only."""

from typing import Literal

from langguard.protocol._base import Wire

Action = Literal[
    "read",
    "metadata",
    "write",
    "ddl",
    "privilege",
    "procedure",
    "file",
    "session",
    "transaction",
    "admin",
]
SQL_ACTIONS: tuple[Action, ...] = (
    "read",
    "metadata",
    "write",
    "ddl",
    "privilege",
    "procedure",
    "file",
    "session",
    "transaction",
    "admin",
)


Operation = Literal["select", "insert", "update", "delete", "merge"]
Change = Literal["insert", "update", "delete"]
Where = Literal["none", "trivial", "condition"]


class Output(Wire, frozen=True, kw_only=True):
    """One output column of a statement.

    Attributes:
        name: The name the result will carry.
        columns: Base columns it derives from, `schema.table.column`, sorted.
        direct: True only for a plain projection of exactly one base column, its value unchanged.
        counted: True for a count, which carries no value of the columns it counts.
    """

    name: str
    columns: tuple[str, ...]
    direct: bool = False
    counted: bool = False


class Assigned(Wire, frozen=True, kw_only=True):
    """One column that a write sets.

    Attributes:
        column: `schema.table.column`.
        shown: Base columns through which the value can be read afterwards: the column itself, and the one of its name
            in each table that the written one is a part of. Sorted.
        columns: Base columns the value derives from, sorted; empty for values that the statement brought itself.
        copied: Those of them that stand in it as they are, or in other letter case. The others are computed with, or
            decide which value it is.
        direct: The value is always that of one and the same base column, unchanged.
        counted: The value is a count, which carries no value of the columns it counts.
    """

    column: str
    shown: tuple[str, ...]
    columns: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    direct: bool = False
    counted: bool = False


class Facts(Wire, frozen=True, kw_only=True):
    """What one statement does.

    Attributes:
        statement: The text regenerated from the tree that was analysed: what may be sent. Placeholders are $1, $2...
        actions: Sorted; never empty.
        tables: Every base table named, `schema.table`, sorted.
        written: Tables written, a subset of `tables`.
        touched: Every base column read anywhere (filters, joins and ordering too), sorted.
        operation: What the statement is.
        changes: What can become of rows: an INSERT with ON CONFLICT DO UPDATE inserts and updates, a MERGE does what
            its branches say. Sorted.
        assigned: Each column of `written` that the statement sets, sorted by name.
        steered: Columns that decide which or how many rows come back in a computed form (not as `name = 'x'`), sorted:
            a masked column must not, since a join or a count could then tell its values.
        decided: Columns that decide which rows come back or are changed, how they are grouped or in which order, in any
            form, sorted: in conditions, joins, groups, DISTINCT, ORDER BY, CASE and the like, and not only in what is
            put out.
        outputs: In order. Empty for a statement that returns no rows.
        precise: False where lineage fell back: each output then derives from every column of every table named.
        functions: Lower-case names, sorted.
        limit: The statement's own row limit when it is a literal, else None.
        filtered: Whether a WHERE clause limits the rows a write changes (True) or `where` is `none` or `trivial`
            (False); None where `where` is.
        where: For what updates or deletes: `condition` for a WHERE clause that can tell rows apart, `trivial` for one
            that holds for all rows or looks at none (`1 = 1`), `none` for none. None for other statements.
        parameters: How many placeholders the statement has.
        shape: Hex SHA-256 of the statement with its literals removed.
    """

    statement: str
    actions: tuple[Action, ...]
    tables: tuple[str, ...] = ()
    operation: Operation = "select"
    changes: tuple[Change, ...] = ()
    written: tuple[str, ...] = ()
    assigned: tuple[Assigned, ...] = ()
    touched: tuple[str, ...] = ()
    steered: tuple[str, ...] = ()
    decided: tuple[str, ...] = ()
    outputs: tuple[Output, ...] = ()
    precise: bool = True
    functions: tuple[str, ...] = ()
    limit: int | None = None
    filtered: bool | None = None
    where: Where | None = None
    parameters: int = 0
    shape: str = ""


class Refusal(Wire, frozen=True, kw_only=True):
    """Why a statement was not understood, in words a model can correct itself by.

    Attributes:
        code: Stable, such as `several_statements`, `unknown_table`, `function_not_allowed`, `not_parsed`.
        reason: One sentence.
        fragment: The part of the statement it is about, at most 80 characters.
        position: 0-based offset of the fragment in the text, where known.
        hint: What to write instead, or empty.
        actions: What the statement would do as far as that is known (a DROP is `ddl`), for the record.
        kind: What the statement is, as far as its words tell, such as `drop_table`, `update` or `select`; or empty.
        targets: Names that it would act on, as it spells them, as far as its words tell. Kind and targets are read
            from words alone: for the record, for risk and for the message, never for allowing anything.
        tables: Tables it names, `schema.table`, as far as it was read. Who may not know of them must not be told the
            rest.
        candidates: Tables that one unknown here may stand for, the likeliest first; to be told only to whom they are
            granted. An answer to a client has neither of the two.
    """

    code: str
    reason: str
    fragment: str = ""
    position: int | None = None
    hint: str = ""
    actions: tuple[Action, ...] = ()
    kind: str = ""
    targets: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
