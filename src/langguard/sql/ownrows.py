"""Queries over the table that a statement changes: `id IN (SELECT id FROM t)` finds each row of t."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlglot import exp


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A relation in which each row of the table is found again, where its conditions hold for the row.

    Attributes:
        columns: What its columns are, by name; a name that is not here is the table's own.
        conditions: Of the query it comes from.
    """

    columns: dict[str, exp.Expr] = field(default_factory=dict)
    conditions: tuple[exp.Expr, ...] = ()


_ROUNDS = 3
Own = dict[str, OwnRow]
"""By alias; no two relations of a resolved statement share one."""


def own_rows(root: exp.Expr, schema: str, name: str, beside: Iterable[exp.Expr] = ()) -> Own:
    """Return the relations of nested queries in which the rows of a table are found again.

    Args:
        root: A statement with its names resolved.
        schema: Of the table.
        name: Of the table.
        beside: Items of its FROM clause that count too.
    """
    found: Own = {}
    clause = root.args.get("with_")
    named = {c.alias: c for c in clause.expressions} if clause is not None else {}
    sources = [source for query in root.find_all(exp.Select) if (source := only_source(query)) is not None]
    for source in [*sources, *beside] * _ROUNDS:  # what a source is made of may come after it
        alias = source.alias_or_name
        if isinstance(source, exp.Table) and (source.db, source.name) == (schema, name):
            found[alias] = OwnRow()
        elif isinstance(source, exp.Table) and not source.db and source.name in named:
            _through(named[source.name], alias, found)
        elif isinstance(source, exp.Subquery):
            _through(source, alias, found)
    return found


def _through(holder: exp.Expr, alias: str, found: Own) -> None:
    """Note a relation that is a query over the table."""
    query = holder.this
    source = only_source(query)
    if source is None or source.alias_or_name not in found:
        return
    given = holder.args.get("alias")
    names = [c.name for c in given.args.get("columns") or ()] if given is not None else []
    names += [e.alias_or_name for e in query.expressions[len(names) :]]
    columns = dict(zip(names, (_bare(e) for e in query.expressions), strict=True))
    found[alias] = OwnRow(columns, (*_where(query), *found[source.alias_or_name].conditions))


def conditions_of(test: exp.Expr, own: Own) -> list[exp.Expr]:
    """Return what must hold for a row so that a test by a query over its own table holds; empty where it is none."""
    bare = test.expression if isinstance(test, exp.EQ) else test
    if bare.args.get("negate"):
        return []
    query = bare.args.get("query") if isinstance(bare, exp.In) else bare.this
    if not isinstance(bare, exp.In | exp.Exists | exp.Any):
        return []
    while isinstance(query, exp.Subquery | exp.Paren):
        query = query.this
    arms = [query]
    while isinstance(arms[0], exp.Union):
        arms[:1] = [arms[0].this, arms[0].expression]
    for arm in arms:
        source = only_source(arm) if isinstance(arm, exp.Select) else None
        if not isinstance(arm, exp.Select) or source is None or source.alias_or_name not in own:
            continue
        found = [*_where(arm), *own[source.alias_or_name].conditions]
        if isinstance(test, exp.Exists):
            return found or [exp.true()]
        if len(arm.expressions) == 1:
            return [exp.EQ(this=test.this.copy(), expression=_bare(arm.expressions[0]).copy()), *found]
    return []


def only_source(query: exp.Expr) -> exp.Expr | None:
    """Return the one relation that a plain query reads, or None."""
    if not isinstance(query, exp.Select) or any(
        query.args.get(part) for part in ("joins", "group", "having", "limit", "offset", "with_")
    ):
        return None
    from_ = query.args.get("from_")
    source = None if from_ is None else from_.this
    return None if source is None or source.args.get("joins") else source


def _where(query: exp.Expr) -> list[exp.Expr]:
    where = query.args.get("where")
    return [] if where is None else [where.this]


def _bare(projection: exp.Expr) -> exp.Expr:
    return projection.this if isinstance(projection, exp.Alias) else projection
