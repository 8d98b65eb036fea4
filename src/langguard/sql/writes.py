"""INSERT, UPDATE and DELETE: which table is written, what each column is set to, and what is read on the way."""

from collections.abc import Iterable

from sqlglot import exp

from langguard.protocol import Table, View
from langguard.sql.expressions import Ctes
from langguard.sql.lineage import Queries
from langguard.sql.names import key, quoted, stored, unknown_column
from langguard.sql.refusals import refuse, refused
from langguard.sql.scope import Field, Relation, Scope, Value, either
from langguard.sql.trivial import where_of
from langguard.sql.written import Written, tightest


class Writes(Queries):
    """Resolves writes, in place."""

    _brought: dict[str, Value] = {}  # what the statement brought, where VALUES(column) stands for it

    def write(self, node: exp.Expr) -> Written:
        """Return what one write comes to.

        Raises:
            Refused: A name leads nowhere, or a form is used that is not analysed.
        """
        self.writing = True
        ctes = self.with_(node, {}, None)
        match node:
            case exp.Insert():
                return self._insert(node, ctes)
            case exp.Update():
                return self._update(node, ctes)
            case exp.Delete():
                return self._delete(node, ctes)
            case _:
                raise refused(
                    code="construct_not_allowed", reason="This write is not analysed.", fragment=type(node).__name__
                )

    def _target(self, node: exp.Expr, scope: Scope, *, aliased: bool = True) -> Written:
        """Resolve the written table and put it in scope under its alias, or where it can have none under its name."""
        if not isinstance(node, exp.Table) or node.args.get("joins"):
            refuse("construct_not_allowed", "A write names exactly one table.", type(node).__name__)
        table = self.catalog.find(node)
        if isinstance(table, View):
            refuse(
                "construct_not_allowed",
                f"{table.id} is a view, and views are not written to.",
                table.name,
                position=node.this.meta.get("start"),
                hint="Write to its base table.",
                actions=("write",),
                tables=(table.id,),
            )
        alias, names = self._alias(node)
        if names:
            refuse("construct_not_allowed", "A list of columns is not allowed here.", ", ".join(names))
        self.tables.update(self.catalog.reads(table))
        node.set("this", quoted(table.name))
        node.set("db", quoted(table.schema))
        called = alias or table.name
        unique = self.unique(called, node)
        if aliased:
            self._named(node, unique, [])
        elif unique != table.name:
            refuse(
                "construct_not_allowed",
                f"{self.rules.title} takes no alias for the table of an INSERT or DELETE.",
                called,
                hint="Name its columns alone, and give named queries other names.",
            )
        fields = self.catalog.fields(table)
        scope.add(Relation(alias=unique, called=called, fields=fields, base=table.id, renamed=alias is not None))
        return Written(table=table, alias=unique)

    def _insert(self, node: exp.Insert, ctes: Ctes) -> Written:
        holder = node.this
        target = holder.this if isinstance(holder, exp.Schema) else holder
        scope = Scope(dialect=self.dialect)
        written = self._target(target, scope, aliased=self.rules.target_alias)
        table = written.table
        written.changes.add("insert")
        names = self._columns(holder.expressions, table) if isinstance(holder, exp.Schema) else None
        values = self._inserted(node.expression, ctes)
        names = self._filled(names, values, table)
        node.set("this", exp.Schema(this=target.pop(), expressions=[quoted(n) for n in names]))
        for name, value in zip(names, values, strict=True):
            written.set(name, value)
        if (alternative := node.args.get("alternative")) is not None:
            node.set("alternative", str(alternative).upper())
            if str(alternative).upper() not in {"IGNORE", "ABORT", "FAIL", "ROLLBACK"}:
                refuse(
                    "construct_not_allowed",
                    "INSERT OR REPLACE deletes rows and is not allowed.",
                    f"OR {alternative}",
                    hint="Use INSERT ... ON CONFLICT ... DO UPDATE.",
                    actions=("write",),
                )
            self.decided.update(*(v.columns for v in values))  # what is there already decides what is left out
        self._conflict(node, written, scope, ctes)
        written.outputs = self._returning(node, scope, ctes)
        return written

    def _filled(self, names: list[str] | None, values: list[Value], table: Table) -> list[str]:
        """Return the columns that the values of an INSERT go into, in their order."""
        if names is None:
            names = [c.name for c in table.columns][: len(values)]
        if len(values) != len(names):
            refuse(
                "not_parsed",
                f"There are {len(values)} values for {len(names)} columns.",
                table.id,
                hint=f"The columns are: {', '.join(c.name for c in table.columns[:20])}.",
            )
        if len(set(names)) != len(names):
            refuse("not_parsed", "A column is named twice.", table.id)
        return names

    def _inserted(self, source: exp.Expr | None, ctes: Ctes) -> list[Value]:
        """Resolve the rows inserted and return what each of their columns carries."""
        match source:
            case exp.Values():
                rows = [
                    self._row_values(row.expressions if isinstance(row, exp.Tuple) else [row], ctes)
                    for row in source.expressions
                ]
                if len({len(row) for row in rows}) != 1:
                    refuse("not_parsed", "The rows of VALUES differ in their number of columns.", "VALUES")
                found = rows[0]
                for row in rows[1:]:
                    found = [either(one, other) for one, other in zip(found, row, strict=True)]
                return found
            case exp.Query():
                return [f.value for f in self.query(source, ctes, None)]
            case _:
                raise refused(
                    code="construct_not_allowed",
                    reason="This form of INSERT is not allowed.",
                    hint="Use VALUES or SELECT.",
                )

    def _row_values(self, parts: list[exp.Expr], ctes: Ctes, scope: Scope | None = None) -> list[Value]:
        """Resolve one row of an INSERT."""
        inside = scope or Scope(dialect=self.dialect)
        return [Value() if _is_default(part) else self._set_value(part, inside, ctes) for part in parts]

    def _set_value(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> Value:
        """Resolve one value that is written."""
        value = self.value(node, scope, ctes)
        if not self._brought:
            return value
        again = [self._brought.get(name.name, Value()) for call in _given_values(node) for name in call.expressions]
        if len(again) == 1 and isinstance(node, exp.Anonymous):
            return again[0]
        return Value(columns=value.columns.union(*(v.columns for v in again))) if again else value

    def _columns(self, identifiers: list[exp.Expr], table: Table) -> list[str]:
        names = []
        known = {key(c.name, self.dialect): c.name for c in table.columns}
        for identifier in identifiers:
            if not isinstance(identifier, exp.Identifier):
                refuse("construct_not_allowed", "Only names of columns are allowed here.", identifier.name)
            name = stored(identifier, self.dialect)
            found = known.get(key(name, self.dialect))
            if found is None:
                raise unknown_column(name, known.values(), identifier.meta.get("start"))
            identifier.replace(quoted(found))
            names.append(found)
        return names

    def _conflict(self, node: exp.Insert, written: Written, scope: Scope, ctes: Ctes) -> None:
        conflict = node.args.get("conflict")
        if conflict is None:
            return
        if conflict.args.get("duplicate"):
            self._duplicate(node, written, scope, ctes)
            return
        if str(conflict.args["action"].name).upper() not in {"DO NOTHING", "DO UPDATE"}:
            refuse("construct_not_allowed", "This ON CONFLICT form is not allowed.", conflict.name)
        table = written.table
        keys = conflict.args.get("conflict_keys") or []
        named: list[str] = []
        for part in keys:
            column = part.this if isinstance(part, exp.Ordered) else part
            named += self._columns([column.this if isinstance(column, exp.Column) else column], table)
        brought = dict(written.values)
        # Whether a row is there already shows in how many are inserted or changed: the keys decide.
        self.decided.update(*(v.columns for name, v in brought.items() if not named or name in named))
        inner = Scope(dialect=self.dialect)
        inner.relations.update(scope.relations)
        inner.written.update(scope.written)
        inner.visible.extend(scope.visible)
        inner.relations["excluded"] = Relation(
            alias="excluded",
            fields=tuple(Field(name=c.name, value=brought.get(c.name, Value())) for c in table.columns),
        )
        if conflict.expressions:
            written.changes.add("update")
            self._assignments(conflict.expressions, written, inner, ctes)
        for part in ("where", "index_where"):
            self.carries(conflict.args.get(part), inner, ctes)
        if conflict.expressions and not isinstance(node.expression, exp.Values):
            # Rows that come from a table may be all of this one's: then this is an UPDATE in other words.
            limits = [
                where_of(w, written.row(), node) for w in (conflict.args.get("where"), _own_where(node.expression))
            ]
            written.limited(tightest(limits))

    def _duplicate(self, node: exp.Insert, written: Written, scope: Scope, ctes: Ctes) -> None:
        """Resolve ON DUPLICATE KEY UPDATE, where VALUES(column) is the value that the statement brought."""
        conflict = node.args["conflict"]
        self._brought = dict(written.values)
        self.decided.update(*(v.columns for v in self._brought.values()))
        for call in _given_values(conflict):
            self._columns([g.this if isinstance(g, exp.Column) else g for g in call.expressions], written.table)
            call.set("expressions", [g.this if isinstance(g, exp.Column) else g for g in call.expressions])
        written.changes.add("update")
        self._assignments(conflict.expressions, written, scope, ctes)
        self._brought = {}
        if not isinstance(node.expression, exp.Values):
            written.limited(where_of(_own_where(node.expression), written.row(), node))

    def _assignments(self, expressions: list[exp.Expr], written: Written, scope: Scope, ctes: Ctes) -> None:
        for assignment in expressions:
            if not isinstance(assignment, exp.EQ):
                refuse("construct_not_allowed", "SET takes column = value.", type(assignment).__name__)
            left = assignment.this
            names: list[str] = []
            for column in left.expressions if isinstance(left, exp.Tuple) else [left]:
                if not isinstance(column, exp.Column) or column.args.get("table") is not None:
                    refuse("construct_not_allowed", "SET takes the bare name of a column.", column.sql())
                names += self._columns([column.this], written.table)
            for name, value in zip(names, self._set_to(assignment.expression, len(names), scope, ctes), strict=True):
                written.set(name, value)

    def _set_to(self, value: exp.Expr, width: int, scope: Scope, ctes: Ctes) -> list[Value]:
        """Resolve the right side of a SET and return what each column on its left is set to."""
        if isinstance(value, exp.Tuple) and width == len(value.expressions) > 1:
            return self._row_values(value.expressions, ctes, scope)
        if width == 1:
            return self._row_values([value], ctes, scope)
        if isinstance(value, exp.Subquery):
            inner = self.inner(value, scope, ctes)
            if len(inner.fields) == width:
                return [
                    Value(columns=f.value.columns | inner.decided, copied=f.value.copied - inner.decided)
                    for f in inner.fields
                ]
            refuse("not_parsed", f"There are {len(inner.fields)} values for {width} columns.", "SET")
        return [self._set_value(value, scope, ctes)] * width

    def _update(self, node: exp.Update, ctes: Ctes) -> Written:
        scope = Scope(dialect=self.dialect)
        written = self._target(node.this, scope)
        written.changes.add("update")
        beside: list[exp.Expr] = []
        if (from_ := node.args.get("from_")) is not None:
            beside = [from_.this, *(join.this for join in from_.this.args.get("joins") or ())]
            self.source(from_.this, scope, ctes)
        self._assignments(node.expressions, written, scope, ctes)
        self._limit(node, written, scope, ctes, beside)
        written.outputs = self._returning(node, scope, ctes)
        return written

    def _delete(self, node: exp.Delete, ctes: Ctes) -> Written:
        scope = Scope(dialect=self.dialect)
        written = self._target(node.this, scope, aliased=self.rules.target_alias)
        written.changes.add("delete")
        beside = list(node.args.get("using") or ())
        for source in beside:
            self.source(source, scope, ctes)
        self._limit(node, written, scope, ctes, beside)
        written.outputs = self._returning(node, scope, ctes)
        return written

    def _limit(self, node: exp.Expr, written: Written, scope: Scope, ctes: Ctes, beside: Iterable[exp.Expr]) -> None:
        """Resolve the WHERE clause of an UPDATE or DELETE and note what it comes to."""
        where = node.args.get("where")
        self.steers(where, scope, ctes)
        written.limited(where_of(where, written.row(), node, beside))

    def _returning(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> tuple[Field, ...]:
        returning = node.args.get("returning")
        return () if returning is None else self.projections(returning, scope, ctes)


def _is_default(node: exp.Expr) -> bool:
    """Whether a value is the word DEFAULT, which is then written as such."""
    if isinstance(node, exp.Column) and node.sql().upper() == "DEFAULT":
        node.replace(exp.Var(this="DEFAULT"))
        return True
    return isinstance(node, exp.Var) and node.name.upper() == "DEFAULT"


def _given_values(node: exp.Expr) -> list[exp.Anonymous]:
    """Return the calls in a node by which MySQL gives the value that an INSERT brought."""
    return [call for call in node.find_all(exp.Anonymous) if str(call.this).lower() == "values"]


def _own_where(query: exp.Expr | None) -> exp.Expr | None:
    """Return a condition over a plain query's own rows, where they can't be all of a table's; else None."""
    while isinstance(query, exp.Subquery | exp.Paren):
        query = query.this
    return query.args.get("where") if isinstance(query, exp.Select) else None
