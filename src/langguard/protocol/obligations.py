"""What the text of a statement itself carries out, beside what it does: a row cap, row filters, masks below filters."""

from langguard.protocol._base import Wire


class RowFilter(Wire, frozen=True, kw_only=True):
    """A table shows only the rows for which a condition is true.

    Attributes:
        table: `schema.table`; letter case does not count.
        where: A condition over the table's own columns, in the connection's dialect. `principal.id`, `principal.name`,
            `principal.kind` and, after IN, `principal.groups` stand for the values below.
        values: Attribute of the principal to its values, for those that `where` names; only `groups` has several.
    """

    table: str
    where: str
    values: dict[str, tuple[str, ...]] = {}


class InnerMask(Wire, frozen=True, kw_only=True):
    """A column is read as one value, whatever the row holds, so that nothing can be found out by comparing it.

    Attributes:
        column: `schema.table.column`, as the catalogue has it.
        value: The text it is read as; None for NULL.
    """

    column: str
    value: str | None = None


class SqlObligations(Wire, frozen=True, kw_only=True):
    """What `langguard.sql.rewrite` puts into a statement.

    Attributes:
        rows: Most rows that may be released; 0 or more.
        filters: All of a table's filters must hold for a row to show.
    """

    rows: int
    filters: tuple[RowFilter, ...] = ()
    masks: tuple[InnerMask, ...] = ()
