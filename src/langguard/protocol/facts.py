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


class Facts(Wire, frozen=True, kw_only=True):
    """What one statement does.

    Attributes:
        statement: The text regenerated from the tree that was analysed: what may be sent. Placeholders are $1, $2...
        actions: Sorted; never empty.
        tables: Every base table named, `schema.table`, sorted.
        written: Tables written, a subset of `tables`.
        touched: Every base column read anywhere (filters, joins and ordering too), sorted.
        steered: Columns that decide which or how many rows come back in a computed form (not as `name = 'x'`), sorted:
            a masked column must not, since a join or a count could then tell its values.
        decided: Columns that decide which rows come back, how they are grouped or in which order, in any form, sorted:
            in conditions, joins, groups, DISTINCT, ORDER BY, CASE and the like, and not only in what is put out.
        outputs: In order. Empty for a statement that returns no rows.
        precise: False where lineage fell back: each output then derives from every column of every table named.
        functions: Lower-case names, sorted.
        limit: The statement's own row limit when it is a literal, else None.
        filtered: A write that has a WHERE clause (True), one that has none (False), None for others.
        parameters: How many placeholders the statement has.
        shape: Hex SHA-256 of the statement with its literals removed.
    """

    statement: str
    actions: tuple[Action, ...]
    tables: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()
    steered: tuple[str, ...] = ()
    decided: tuple[str, ...] = ()
    outputs: tuple[Output, ...] = ()
    precise: bool = True
    functions: tuple[str, ...] = ()
    limit: int | None = None
    filtered: bool | None = None
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
    """

    code: str
    reason: str
    fragment: str = ""
    position: int | None = None
    hint: str = ""
    actions: tuple[Action, ...] = ()
