"""Row filters and masks below filters: each table they hold for is replaced by a derived table of the same name.

    FROM customers AS c   ->   FROM (SELECT g.id AS id, NULL AS email FROM customers AS g WHERE g.region = 'EU') AS c

Whatever the statement does around it, it sees what a database would show that held only these rows and values. A view
over such a table is replaced by its definition first. The table that a write changes can't be replaced: its filter
joins the write's own condition.
"""

from dataclasses import dataclass, field

from sqlglot import exp

from langguard.protocol import Table, View
from langguard.sql.dialects import RULES
from langguard.sql.gate import LIMITS
from langguard.sql.grouping import group_by_key
from langguard.sql.holds import Holds
from langguard.sql.masked import masked_value
from langguard.sql.names import lower, quoted
from langguard.sql.parse import parse
from langguard.sql.proof import assigned, changer, target_of
from langguard.sql.refusals import refuse

_WIDE = LIMITS.wide().wide()
_HOLDERS = (exp.From, exp.Join, exp.Subquery, exp.Delete, exp.Merge)
_DEEPEST = 16
"""Most views inside views."""


@dataclass(slots=True)
class Guards:
    """Puts filters and masks into one statement, and remembers what that added.

    Attributes:
        touched: Base columns that filters read.
        extra: Base columns that derived tables name because a join merges columns of that name, or that the
            definitions of views read.
        views: Ids of the views replaced by their definitions.
    """

    holds: Holds
    touched: set[str] = field(default_factory=set)
    extra: set[str] = field(default_factory=set)
    views: set[str] = field(default_factory=set)
    _taken: set[str] = field(default_factory=set)

    @property
    def _dialect(self) -> str:
        return self.holds.catalog.dialect

    def put(self, root: exp.Expr) -> exp.Expr:
        """Put filters and masks into a statement's canonical tree, in place, and return it.

        Raises:
            Refused: They can't hold in it.
        """
        self._taken = {lower(i.name) for i in root.find_all(exp.Identifier)}
        target = target_of(root)
        self._replace(root, target, depth=0)
        if target is not None:
            self._write(root, target)
        return root

    def _replace(self, root: exp.Expr, target: exp.Table | None, *, depth: int) -> None:
        used, merged = _used(root)
        for node in list(root.find_all(exp.Table)):
            if node is target or node.args.get("db") is None:
                continue  # a write's own table is seen to apart; a name without a schema is a named query
            table = self.holds.tables.find(node)
            if self.holds.concerns(table):
                self._guard(node, table, used.get(node.alias, []), merged, depth)

    def _guard(self, node: exp.Table, table: Table | View, used: list[str], merged: set[str], depth: int) -> None:
        if not isinstance(node.parent, _HOLDERS) or not node.alias:
            refuse("row_filter", f"The row filter of {table.id} can't be put in here.", table.name)
        inner = self._fresh("_g")
        names = [c.name for c in table.columns]
        listed = [c.name for c in node.args["alias"].columns]
        shown = [*listed, *names[len(listed) :]]
        read_as = self.holds.masks(table)
        expressions: list[exp.Expr] = []
        for column, name in zip(table.columns, shown, strict=True):
            if name not in used and name not in merged:
                continue
            if column.name in read_as:
                value = masked_value(column, read_as[column.name], self._dialect)
            else:
                value = exp.Column(this=quoted(column.name), table=quoted(inner))
                if name not in used:
                    self._add_extra(table, column.name)
            expressions.append(exp.Alias(this=value, alias=quoted(name)))
        if not expressions:
            expressions = [exp.Alias(this=exp.Literal.number(1), alias=quoted("_1"))]
        self._keep_groups(node, table, shown, read_as)
        found = self.holds.condition(table)
        if found is not None:
            self.touched |= found.touched
        query = exp.Select(
            expressions=expressions,
            from_=exp.From(this=self._source(node, table, inner, depth)),
            where=None if found is None else exp.Where(this=found.over(inner)),
        )
        joins = node.args.get("joins")
        guard = exp.Subquery(this=query, alias=exp.TableAlias(this=quoted(node.alias)))
        if joins:
            guard.set("joins", [join.pop() for join in list(joins)])
        node.replace(guard)

    def _keep_groups(
        self, node: exp.Table, table: Table | View, shown: list[str], read_as: dict[str, str | None]
    ) -> None:
        """Let a query that is grouped by the table's key go on naming the table's other columns."""
        if not RULES[self._dialect].grouped_by_key or isinstance(table, View) or not table.primary_key:
            return
        names = dict(zip((c.name for c in table.columns), shown, strict=True))
        query = node.find_ancestor(exp.Select)
        if query is None or any(name in read_as for name in table.primary_key):
            return
        for name in group_by_key(query, node.alias, tuple(names[n] for n in table.primary_key if n in names)):
            column = next(c for c, exposed in names.items() if exposed == name)
            self._add_extra(table, column)

    def _add_extra(self, table: Table | View, column: str) -> None:
        for held in self.holds.tables.fields(table):
            if held.name == column:
                self.extra |= held.value.columns

    def _source(self, node: exp.Table, table: Table | View, inner: str, depth: int) -> exp.Expr:
        """Return what a guard reads: the table, or a view's definition where something in it is filtered or masked."""
        alias = exp.TableAlias(this=quoted(inner))
        if isinstance(table, Table) or not self.holds.inside(table):
            source = exp.Table(this=quoted(table.name), db=quoted(table.schema), alias=alias)
            if node.args.get("only"):
                source.set("only", True)
            return source
        if not table.query or depth >= _DEEPEST or self.holds.filters(table):
            refuse(
                "row_filter",
                f"The view {table.id} reads a table that is filtered or masked for you, and can't be replaced by its "
                f"definition.",
                table.name,
                hint="Read its base tables instead.",
            )
        self.views.add(table.id)
        self.extra |= set(table.touched)
        body, _ = parse(table.query, self._dialect, _WIDE)
        self._rename(body)
        columns = [c.name for c in table.columns]
        if not isinstance(body, exp.Query) or [s.alias_or_name for s in body.selects] != columns:
            if not RULES[self._dialect].alias_columns:
                body = _listed(body, columns, self._fresh("_v"))
            else:
                alias.set("columns", [quoted(name) for name in columns])
        holder = exp.Subquery(this=body, alias=alias)
        self._replace(holder, None, depth=depth + 1)
        return holder

    def _rename(self, body: exp.Expr) -> None:
        """Give the relations of a view's definition names that the statement does not have yet."""
        fresh: dict[str, str] = {}
        for alias in list(body.find_all(exp.TableAlias)):
            if not isinstance(alias.parent, exp.CTE) and alias.name:
                name = alias.name
                fresh[name] = self._fresh(name) if lower(name) in self._taken else name
                self._taken.add(lower(fresh[name]))
                alias.set("this", quoted(fresh[name]))
        for column in body.find_all(exp.Column):
            if column.table in fresh:
                column.set("table", quoted(fresh[column.table]))

    def _fresh(self, start: str) -> str:
        number = 1
        while lower(name := f"{start[:40]}{number}") in self._taken:
            number += 1
        self._taken.add(lower(name))
        return name

    def _write(self, root: exp.Expr, target: exp.Table) -> None:
        """Put the filter of the table that a write changes into the write's condition."""
        table = self.holds.tables.find(target)
        if not self.holds.concerns(table):
            return
        self._no_masked(root, target, table)
        found = self.holds.condition(table)
        if found is None:
            return
        self.touched |= found.touched
        holder = changer(root)
        if holder is None:
            return
        if not isinstance(holder, (exp.Update, exp.Delete, exp.OnConflict)) or holder.args.get("duplicate"):
            refuse(
                "row_filter",
                f"{table.id} has a row filter, and this kind of write can't keep it.",
                table.name,
                hint="Use UPDATE or DELETE with a WHERE clause.",
                actions=("write",),
            )
        moved = sorted(assigned(holder.expressions) & found.columns)
        if moved:
            refuse(
                "row_filter",
                f"{table.id}.{moved[0]} decides which rows you may see, so it may not be changed.",
                moved[0],
                actions=("write",),
            )
        own = exp.Paren(this=found.over(target.alias_or_name))
        where = holder.args.get("where")
        whole: exp.Expr = own if where is None else exp.And(this=exp.Paren(this=where.this.pop()), expression=own)
        holder.set("where", exp.Where(this=whole))

    def _no_masked(self, root: exp.Expr, target: exp.Table, table: Table | View) -> None:
        hidden = self.holds.masks(table)
        for column in root.find_all(exp.Column):
            if column.table == target.alias_or_name and column.name in hidden:
                refuse(
                    "row_filter",
                    f"{table.id}.{column.name} is masked, so a write may not read it.",
                    column.name,
                    actions=("write",),
                )


def _used(root: exp.Expr) -> tuple[dict[str, list[str]], set[str]]:
    """Return the columns a canonical tree reads of each relation, by its alias, and the names that joins merge."""
    used: dict[str, list[str]] = {}
    for column in root.find_all(exp.Column):
        if column.table:
            used.setdefault(column.table, []).append(column.name)
    merged = {i.name for join in root.find_all(exp.Join) for i in join.args.get("using") or ()}
    return used, merged


def _listed(body: exp.Expr, columns: list[str], name: str) -> exp.Expr:
    """Give a query's columns other names, where FROM takes no list of them."""
    return exp.Select(
        expressions=[exp.Alias(this=exp.Column(this=quoted(c), table=quoted(name)), alias=quoted(c)) for c in columns],
        from_=exp.From(this=exp.Table(this=quoted(name), alias=exp.TableAlias(this=quoted(name)))),
        with_=exp.With(
            expressions=[
                exp.CTE(this=body, alias=exp.TableAlias(this=quoted(name), columns=[quoted(c) for c in columns]))
            ]
        ),
    )
