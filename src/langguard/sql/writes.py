"""INSERT, UPDATE and DELETE: which table is written, and what the statement reads on the way."""

from dataclasses import dataclass

from sqlglot import exp

from langguard.protocol import Table, View
from langguard.sql.expressions import Ctes
from langguard.sql.lineage import Queries
from langguard.sql.names import key, quoted, stored, unknown_column
from langguard.sql.refusals import refuse, refused
from langguard.sql.scope import Field, Relation, Scope, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a write comes to.

    Attributes:
        table: The id of the table written.
        filtered: Whether it has a WHERE clause; None for INSERT.
        outputs: Of RETURNING.
    """

    table: str
    filtered: bool | None
    outputs: tuple[Field, ...]


class Writes(Queries):
    """Resolves writes, in place."""

    def write(self, node: exp.Expr) -> Written:
        """Return what one INSERT, UPDATE or DELETE comes to.

        Raises:
            Refused: A name leads nowhere, or a form is used that is not analysed.
        """
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

    def _target(self, node: exp.Expr, scope: Scope, *, aliased: bool = True) -> Table:
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
        return table

    def _insert(self, node: exp.Insert, ctes: Ctes) -> Written:
        holder = node.this
        target = holder.this if isinstance(holder, exp.Schema) else holder
        scope = Scope(dialect=self.dialect)
        table = self._target(target, scope, aliased=self.rules.target_alias)
        names = self._columns(holder.expressions, table) if isinstance(holder, exp.Schema) else None
        width = self._inserted(node.expression, ctes)
        if names is None:
            names = [c.name for c in table.columns][:width]
        if width != len(names):
            refuse(
                "not_parsed",
                f"There are {width} values for {len(names)} columns.",
                table.id,
                hint=f"The columns are: {', '.join(c.name for c in table.columns[:20])}.",
            )
        node.set("this", exp.Schema(this=target.pop(), expressions=[quoted(n) for n in names]))
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
        self._conflict(node.args.get("conflict"), table, scope, ctes)
        return Written(table=table.id, filtered=None, outputs=self._returning(node, scope, ctes))

    def _inserted(self, source: exp.Expr | None, ctes: Ctes) -> int:
        """Resolve the rows inserted and return how many columns they have."""
        match source:
            case exp.Values():
                empty = Scope(dialect=self.dialect)
                widths = set()
                for row in source.expressions:
                    parts = row.expressions if isinstance(row, exp.Tuple) else [row]
                    widths.add(len(parts))
                    for part in parts:
                        self.carries(part, empty, ctes, decides=False)
                if len(widths) != 1:
                    refuse("not_parsed", "The rows of VALUES differ in their number of columns.", "VALUES")
                return widths.pop()
            case exp.Query():
                return len(self.query(source, ctes, None))
            case _:
                raise refused(
                    code="construct_not_allowed",
                    reason="This form of INSERT is not allowed.",
                    hint="Use VALUES or SELECT.",
                )

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

    def _conflict(self, conflict: exp.Expr | None, table: Table, scope: Scope, ctes: Ctes) -> None:
        if conflict is None:
            return
        if conflict.args.get("duplicate"):
            self._duplicate(conflict, table, scope, ctes)
            return
        if str(conflict.args["action"].name).upper() not in {"DO NOTHING", "DO UPDATE"}:
            refuse("construct_not_allowed", "This ON CONFLICT form is not allowed.", conflict.name)
        keys = conflict.args.get("conflict_keys") or []
        for part in keys:
            column = part.this if isinstance(part, exp.Ordered) else part
            self._columns([column.this if isinstance(column, exp.Column) else column], table)
        inner = Scope(dialect=self.dialect)
        inner.relations.update(scope.relations)
        inner.written.update(scope.written)
        inner.visible.extend(scope.visible)
        inner.relations["excluded"] = Relation(
            alias="excluded", fields=tuple(_given(f) for f in self.catalog.fields(table))
        )
        self._assignments(conflict.expressions, table, inner, ctes)
        for part in ("where", "index_where"):
            self.carries(conflict.args.get(part), inner, ctes)

    def _duplicate(self, conflict: exp.Expr, table: Table, scope: Scope, ctes: Ctes) -> None:
        """Resolve ON DUPLICATE KEY UPDATE, where VALUES(column) is the value that the statement brought."""
        for call in conflict.find_all(exp.Anonymous):
            if str(call.this).lower() == "values":
                for given in call.expressions:
                    self._columns([given.this if isinstance(given, exp.Column) else given], table)
                call.set(
                    "expressions", [part.this if isinstance(part, exp.Column) else part for part in call.expressions]
                )
        self._assignments(conflict.expressions, table, scope, ctes)

    def _assignments(self, expressions: list[exp.Expr], table: Table, scope: Scope, ctes: Ctes) -> None:
        for assignment in expressions:
            if not isinstance(assignment, exp.EQ):
                refuse("construct_not_allowed", "SET takes column = value.", type(assignment).__name__)
            left = assignment.this
            for column in left.expressions if isinstance(left, exp.Tuple) else [left]:
                if not isinstance(column, exp.Column) or column.args.get("table") is not None:
                    refuse("construct_not_allowed", "SET takes the bare name of a column.", column.sql())
                self._columns([column.this], table)
            value = assignment.expression
            if isinstance(value, exp.Column) and value.sql().upper() == "DEFAULT":
                value.replace(exp.Var(this="DEFAULT"))
            else:
                self.carries(value, scope, ctes, decides=False)

    def _update(self, node: exp.Update, ctes: Ctes) -> Written:
        scope = Scope(dialect=self.dialect)
        table = self._target(node.this, scope)
        if (from_ := node.args.get("from_")) is not None:
            self.source(from_.this, scope, ctes)
        self._assignments(node.expressions, table, scope, ctes)
        where = node.args.get("where")
        self.carries(where, scope, ctes)
        return Written(table=table.id, filtered=where is not None, outputs=self._returning(node, scope, ctes))

    def _delete(self, node: exp.Delete, ctes: Ctes) -> Written:
        scope = Scope(dialect=self.dialect)
        table = self._target(node.this, scope, aliased=self.rules.target_alias)
        for source in node.args.get("using") or ():
            self.source(source, scope, ctes)
        where = node.args.get("where")
        self.carries(where, scope, ctes)
        return Written(table=table.id, filtered=where is not None, outputs=self._returning(node, scope, ctes))

    def _returning(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> tuple[Field, ...]:
        returning = node.args.get("returning")
        return () if returning is None else self.projections(returning, scope, ctes)


def _given(field: Field) -> Field:
    """A column of `excluded` is a value the statement itself brought."""
    return Field(name=field.name, value=Value())
