"""GROUP BY a primary key, over a derived table.

Some engines let a query that is grouped by a table's key name the table's other columns, and no longer do so where a
derived table stands in the table's place. So those columns are written into GROUP BY: they depend on the key, and the
groups stay the same.
"""

from sqlglot import exp

from langguard.sql.names import quoted

_PLAIN = frozenset({"expressions"})


def group_by_key(query: exp.Select, alias: str, key: tuple[str, ...]) -> set[str]:
    """Add to a query's GROUP BY what it reads of a relation whose primary key it groups by.

    Args:
        query: Canonical, its FROM clause holding the relation.
        alias: The relation's.
        key: Names of its primary key's columns, as the query spells them.

    Returns:
        The names of the columns that were added.
    """
    group = query.args.get("group")
    if group is None or not key or {name for name, value in group.args.items() if value} - _PLAIN:
        return set()
    grouped = {column.name for term in group.expressions if (column := _column(term, query, alias)) is not None}
    if not set(key) <= grouped:
        return set()
    parts = [*query.expressions, query.args.get("having"), query.args.get("order")]
    added: set[str] = set()
    for part in parts:
        for column in part.find_all(exp.Column) if isinstance(part, exp.Expr) else ():
            name = column.name
            if column.table == alias and name not in grouped | added and not _aggregated(column, query):
                added.add(name)
                group.append("expressions", exp.Column(this=quoted(name), table=quoted(alias)))
    return added


def _column(term: exp.Expr, query: exp.Select, alias: str) -> exp.Column | None:
    """Return the relation's column that a term of GROUP BY is: itself, an output's number, or an output's name."""
    while isinstance(term, exp.Paren):
        term = term.this
    found: exp.Expr | None = term
    if isinstance(term, exp.Literal) and not term.is_string and str(term.this).isdigit():
        at = int(term.this) - 1
        found = query.expressions[at] if 0 <= at < len(query.expressions) else None
    elif isinstance(term, exp.Column) and not term.table:
        found = next((e for e in query.expressions if e.alias == term.name), None)
    while isinstance(found, (exp.Alias, exp.Paren)):
        found = found.this
    return found if isinstance(found, exp.Column) and found.table == alias else None


def _aggregated(column: exp.Column, query: exp.Select) -> bool:
    """Whether a column stands inside an aggregate of the query."""
    node = column.parent
    while node is not None and node is not query:
        if isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Window):
            return True
        node = node.parent
    return False
