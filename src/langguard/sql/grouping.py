"""Grouping by a table's key: its other columns depend on the key, so they divide nothing further.

Some engines let a query that is grouped by a key name the table's other columns, and no longer do so where a derived
table stands in the table's place. There those columns are written into GROUP BY: the groups stay the same.
"""

from collections.abc import Iterable

from sqlglot import exp

from langguard.sql.names import quoted

_PLAIN = frozenset({"expressions"})


def terms_of(query: exp.Expr) -> list[exp.Expr]:
    """Return the terms of a plain GROUP BY; none where it groups several ways at once."""
    group = query.args.get("group")
    if group is None or {name for name, value in group.args.items() if value} - _PLAIN:
        return []
    if any(isinstance(term, (exp.Tuple, exp.Rollup, exp.Cube, exp.GroupingSets)) for term in group.expressions):
        return []
    return list(group.expressions)


def column_of(term: exp.Expr, query: exp.Expr) -> exp.Column | None:
    """Return the relation's column that a term is: itself, or the output it names or numbers.

    Args:
        term: Of GROUP BY, its names resolved.
        query: Its names resolved and its outputs named.
    """
    while isinstance(term, (exp.Paren, exp.Alias)):
        term = term.this
    found: exp.Expr | None = term
    if isinstance(term, exp.Literal) and not term.is_string and str(term.this).isdigit():
        at = int(term.this) - 1
        found = query.expressions[at] if 0 <= at < len(query.expressions) else None
    elif isinstance(term, exp.Column) and not term.table:
        found = next((e for e in query.expressions if e.alias == term.name), None)
    while isinstance(found, (exp.Alias, exp.Paren)):
        found = found.this
    return found if isinstance(found, exp.Column) and found.table else None


def by_relation(terms: Iterable[exp.Expr], query: exp.Expr) -> dict[str, set[str]]:
    """Return the columns among some terms, by the alias of their relation."""
    found: dict[str, set[str]] = {}
    for term in terms:
        column = column_of(term, query)
        if column is not None:
            found.setdefault(column.table, set()).add(column.name)
    return found


def group_by_key(query: exp.Select, alias: str, key: tuple[str, ...]) -> set[str]:
    """Add to a query's GROUP BY what it reads of a relation whose primary key it groups by.

    Args:
        query: Canonical, its FROM clause holding the relation.
        alias: The relation's.
        key: Names of its primary key's columns, as the query spells them.

    Returns:
        The names of the columns that were added.
    """
    terms = terms_of(query)
    grouped = by_relation(terms, query).get(alias, set())
    if not terms or not key or not set(key) <= grouped:
        return set()
    parts = [*query.expressions, query.args.get("having"), query.args.get("order")]
    added: set[str] = set()
    for part in parts:
        for column in part.find_all(exp.Column) if isinstance(part, exp.Expr) else ():
            name = column.name
            if column.table == alias and name not in grouped | added and not _aggregated(column, query):
                added.add(name)
                query.args["group"].append("expressions", exp.Column(this=quoted(name), table=quoted(alias)))
    return added


def _aggregated(column: exp.Column, query: exp.Select) -> bool:
    """Whether a column stands inside an aggregate of the query."""
    node = column.parent
    while node is not None and node is not query:
        if isinstance(node, exp.AggFunc) and not isinstance(node.parent, exp.Window):
            return True
        node = node.parent
    return False
