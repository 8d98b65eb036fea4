"""The proof that a finished text keeps row filters and masks: it looks at the text's own tree and facts alone.

1. Each table that a filter or mask holds for stands in a query of nothing but column names, constants and exactly the
   filter's condition; the table that a write changes has that condition as the last part of the write's own.
2. No such query puts out a masked column, and no masked column is read anywhere else.
3. Beyond what filters read, the text reads and writes no table or column that the statement did not.
"""

from collections.abc import Collection, Iterator

from sqlglot import exp

from langguard.protocol import Assigned, Facts, Output, View
from langguard.sql.allowed import WRITES
from langguard.sql.holds import Holds
from langguard.sql.parse import canonical
from langguard.sql.refusals import refuse

_GUARD = frozenset({"expressions", "from_", "where"})


def verify(root: exp.Expr, holds: Holds) -> bool:
    """Whether a tree reads each table that a filter or mask holds for only as it may be read.

    Args:
        root: Of the text to be sent.
        holds: The filters and masks.

    Raises:
        Refused: A filter is not understood.
    """
    target = target_of(root)
    return all(
        _target_kept(root, node, holds) if node is target else _guarded(node, holds)
        for node in root.find_all(exp.Table)
        if node.args.get("db") is not None
    )


def kept(
    facts: Facts,
    again: Facts,
    holds: Holds,
    *,
    filtering: Collection[str],
    added: Collection[str],
    views: Collection[str],
) -> bool:
    """Whether a text does no more than its statement, the columns that were added apart.

    Args:
        facts: Of the statement.
        again: Of the text.
        holds: The filters and masks.
        filtering: Base columns that filters read.
        added: Other base columns that derived tables or the definitions of views name.
        views: Ids of views that were replaced by their definitions.
    """
    masked = holds.masked
    more = {*filtering, *added}
    read = {*again.touched, *again.steered, *again.decided}
    return not read & masked - set(filtering) and (
        set(again.actions) - {"read"} == set(facts.actions) - {"read"}
        and (again.written, again.operation, again.changes) == (facts.written, facts.operation, facts.changes)
        and _assigned_kept(facts.assigned, again.assigned, masked, more)
        and again.parameters == facts.parameters
        and set(facts.tables) - set(views) <= set(again.tables) <= set(facts.tables)
        and set(again.touched) <= (set(facts.touched) - masked) | more
        and set(again.steered) <= (set(facts.steered) - masked) | more
        and (again.filtered == facts.filtered or (facts.filtered is False and again.filtered is True))
        and len(again.outputs) == len(facts.outputs)
        and all(_output_kept(one, two, masked, more) for one, two in zip(facts.outputs, again.outputs, strict=True))
    )


def _assigned_kept(
    before: tuple[Assigned, ...], after: tuple[Assigned, ...], masked: frozenset[str], more: set[str]
) -> bool:
    """Whether the same columns are set, to values made of no more."""
    return [a.column for a in before] == [a.column for a in after] and all(
        set(two.columns) <= (set(one.columns) - masked) | more for one, two in zip(before, after, strict=True)
    )


def _output_kept(before: Output, after: Output, masked: frozenset[str], more: set[str]) -> bool:
    """Whether an output is still made of no more; a query inside it may have come to read what its filter reads."""
    return (
        after.name == before.name
        and set(after.columns) <= (set(before.columns) - masked) | (set() if after.direct else more)
        and after.counted == before.counted
        and (after.direct == before.direct or not after.columns)
    )


def _guarded(node: exp.Table, holds: Holds) -> bool:
    table = holds.tables.find(node)
    if not holds.concerns(table):
        return True
    query = node.parent.parent if isinstance(node.parent, exp.From) else None
    if (
        not isinstance(query, exp.Select)
        or not isinstance(query.parent, exp.Subquery)
        or {name for name, value in query.args.items() if value} - _GUARD
        or node.args.get("joins")
        or node.args["alias"].columns
        or (isinstance(table, View) and holds.inside(table))
    ):
        return False
    hidden = holds.masks(table)
    for shown in query.expressions:
        value = shown.this if isinstance(shown, exp.Alias) else shown
        plain = isinstance(value, exp.Column) and value.table == node.alias and value.name not in hidden
        if not plain and value.find(exp.Column, exp.Query) is not None:
            return False
    where = query.args.get("where")
    found = holds.condition(table)
    if found is None or where is None:
        return found is None and where is None
    return _same(where.this, found.over(node.alias), holds)


def _target_kept(root: exp.Expr, target: exp.Table, holds: Holds) -> bool:
    table = holds.tables.find(target)
    if not holds.concerns(table):
        return True
    hidden = holds.masks(table)
    if any(c.table == target.alias_or_name and c.name in hidden for c in root.find_all(exp.Column)):
        return False
    found = holds.condition(table)
    if found is None:
        return True
    holder = changer(root)
    if holder is None:
        return True
    where = holder.args.get("where")
    if holder.args.get("duplicate") or where is None or assigned(holder.expressions) & found.columns:
        return False
    last = where.this
    if isinstance(last, exp.And) and isinstance(last.this, exp.Paren):
        last = last.expression
    return _same(last, exp.Paren(this=found.over(target.alias_or_name)), holds)


def _same(one: exp.Expr, other: exp.Expr, holds: Holds) -> bool:
    return canonical(one.copy(), holds.catalog.dialect) == canonical(other, holds.catalog.dialect)


def target_of(root: exp.Expr) -> exp.Table | None:
    """Return the table that a write changes.

    Raises:
        Refused: A write changes something else.
    """
    if not isinstance(root, WRITES):
        return None
    held = root.this.this if isinstance(root.this, exp.Schema) else root.this
    if not isinstance(held, exp.Table):
        refuse("row_filter", "A write names exactly one table.")
    return held


def changer(root: exp.Expr) -> exp.Expr | None:
    """Return the part of a write that changes rows which were there before, or None where it only adds rows."""
    if not isinstance(root, exp.Insert):
        return root
    conflict: exp.Expr | None = root.args.get("conflict")
    return conflict if conflict is not None and conflict.expressions else None


def assigned(expressions: list[exp.Expr]) -> set[str]:
    """Return the names of the columns that assignments set."""
    left = [e.this for e in expressions if isinstance(e, exp.EQ)]
    columns: Iterator[exp.Expr] = (c for e in left for c in (e.expressions if isinstance(e, exp.Tuple) else [e]))
    return {column.name for column in columns}
