"""The FROM clause: tables, joins, queries and the few table functions whose columns are known."""

from collections.abc import Collection
from typing import NoReturn

from sqlglot import exp

from langguard.protocol import Catalog, View
from langguard.sql.expressions import Ctes, Expressions, function_name
from langguard.sql.gate import LIMITS, Limits
from langguard.sql.names import lower, quoted, stored, unknown_column
from langguard.sql.refusals import refuse
from langguard.sql.scope import Field, Relation, Scope, Value, Visible, ambiguous, rename
from langguard.sql.tables import tables_of

_JOINS = "Write JOIN ... ON or JOIN ... USING (column)."
_ALIAS_BYTES = 50  # leaves room for a number within the 63 bytes that the strictest engine keeps


class Sources(Expressions):
    """Reads FROM clauses into a scope, writing table names in full."""

    def __init__(self, dialect: str, text: str, catalog: Catalog, limits: Limits = LIMITS) -> None:
        super().__init__(dialect, text, limits)
        self.catalog = tables_of(catalog)
        self._unnamed = 0
        self._aliases: set[str] = {"excluded"}
        self._renamed: dict[int, tuple[exp.Expr, str]] = {}
        self._taken: Collection[str] = ()

    def take_names(self, names: Collection[str]) -> None:
        """Remember the lower-case names a statement uses, so that made-up ones are new."""
        self._taken = names

    def source(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> None:
        """Add one item of a FROM clause to the scope, and what is joined to it in brackets or in a write."""
        joins = node.args.pop("joins", None)
        self._item(node, scope, ctes)
        for join in joins or ():
            self.join(join, scope, ctes)
        if joins:
            node.args["joins"] = joins

    def _item(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> None:
        match node:
            case exp.Table() if isinstance(node.this, exp.Identifier):
                self._table(node, scope, ctes)
            case exp.Table() | exp.Unnest():
                self._function(node, node.this if isinstance(node, exp.Table) else node, scope, ctes)
            case exp.Subquery() if isinstance(node.this, exp.Table) or _is_joined(node.this):
                self._nested(node, scope, ctes)
            case exp.Subquery():
                self._derived(node, node, scope, ctes, scope.parent)
            case exp.Values():
                self._derived(node, node, scope, ctes, scope.parent)
            case exp.Lateral(this=exp.Subquery()):
                self._derived(node, node.this, scope, ctes, scope)
            case exp.Lateral(this=exp.Func()):
                self._function(node, node.this, scope, ctes)
            case _:
                refuse("construct_not_allowed", "This is not allowed in FROM.", type(node).__name__)

    def join(self, node: exp.Join, scope: Scope, ctes: Ctes) -> None:
        """Add a joined item, its conditions and its merged columns."""
        on, using = node.args.get("on"), node.args.get("using")
        kind = (node.kind or "").upper()
        if kind and kind not in self.rules.join_kinds:
            refuse("construct_not_allowed", f"{node.kind} JOIN is not allowed.", node.kind, hint=_JOINS)
        if not (on or using or node.side or node.kind or node.method) and self.rules.comma_binds_last:
            scope.comma = len(scope.visible)
        start = len(scope.visible)
        before = (dict(scope.relations), dict(scope.written), list(scope.visible))
        self.source(node.this, scope, ctes)
        if node.method:
            using = self._natural(node, scope, start)
        if using:
            self._using(node, using, scope, start)
        self.steers(on, scope, ctes)
        if kind in {"SEMI", "ANTI"}:
            scope.relations, scope.written, scope.visible = before

    def _natural(self, node: exp.Join, scope: Scope, start: int) -> list[exp.Expr]:
        """Write a NATURAL join out as USING over the columns that both sides have, in the left side's order."""
        if node.method.upper() != "NATURAL":
            refuse("construct_not_allowed", f"{node.method} JOIN is not allowed.", node.method, hint=_JOINS)
        right = {scope.key(v.field.name) for v in scope.visible[start:]}
        common = [v.field.name for v in scope.visible[scope.comma : start] if scope.key(v.field.name) in right]
        if not common:
            refuse(
                "construct_not_allowed",
                "These tables have no column in common, so a NATURAL JOIN pairs all rows.",
                node.this.alias_or_name,
                hint="Write JOIN ... ON, or CROSS JOIN where all pairs are meant.",
            )
        node.set("method", None)
        node.set("using", [quoted(name) for name in common])
        using: list[exp.Expr] = node.args["using"]
        return using

    def _using(self, node: exp.Join, using: list[exp.Expr], scope: Scope, start: int) -> None:
        merged: list[Visible] = []
        visible = scope.visible
        left, right = visible[scope.comma : start], visible[start:]
        for identifier in using:
            if not isinstance(identifier, exp.Identifier):
                refuse("construct_not_allowed", "USING takes names of columns only.", identifier.name)
            name = stored(identifier, self.dialect)
            self.spend(len(left) + len(right))
            pair = []
            for side in (left, right):
                found = [v for v in side if scope.key(v.field.name) == scope.key(name)]
                if not found:
                    raise unknown_column(name, (v.field.name for v in side), identifier.meta.get("start"))
                if len(found) > 1:
                    raise ambiguous(name, identifier.meta.get("start"))
                pair.append(found[0])
            identifier.replace(quoted(name))
            one, two = (v.field.value for v in pair)
            self.touched |= one.columns | two.columns
            self.decided |= one.columns | two.columns
            for value in (one, two):
                if not value.direct:
                    self.steered |= value.columns
            side_word = (node.side or "").upper()
            if self.rules.using_merges and side_word in {"", "LEFT"}:
                value = one
            elif self.rules.using_merges and side_word == "RIGHT":
                value = two
            else:
                value = Value(columns=one.columns | two.columns)
            fused = Visible(field=Field(name=pair[0].field.name, value=value), alias=None)
            right = [v for v in right if v is not pair[1]]
            if not self.rules.using_merges or self.rules.using_in_place:
                left = [fused if v is pair[0] else v for v in left]
            else:
                left = [v for v in left if v is not pair[0]]
                merged.append(fused)
        scope.visible = [*visible[: scope.comma], *merged, *left, *right]

    def _table(self, node: exp.Table, scope: Scope, ctes: Ctes) -> None:
        name = stored(node.this, self.dialect)
        position = node.this.meta.get("start")
        if node.args.get("ordinality"):
            refuse(
                "not_parsed", "WITH ORDINALITY numbers the rows of a function, not of a table.", name, position=position
            )
        is_cte = node.args.get("db") is None and scope.key(name) in ctes
        named = ctes[scope.key(name)] if is_cte else ()
        if named is None:
            refuse(
                "construct_not_allowed",
                f"The named query {name[:60]} is used before it is complete.",
                name,
                position=position,
                hint="Define named queries before they are used; recursion goes in the second part of a UNION.",
            )
        alias, names = self._alias(node)
        if is_cte:
            fields, base = named, ""
            node.set("this", quoted(scope.key(name)))
        else:
            table = self.catalog.find(node)
            base = table.id
            self.tables.update(self.catalog.reads(table))
            if isinstance(table, View):
                self.touched.update(table.touched)
                if self.writing:  # which rows a view has shows in what is written
                    self.decided.update(table.touched if table.decided is None else table.decided)
            fields = self.catalog.fields(table)
            name = table.name
            node.set("this", quoted(name))
            node.set("db", quoted(table.schema))
        called = alias or name
        unique = self.unique(called, node)
        self._named(node, unique, names)
        self.spend(8 + len(fields))
        fields = rename(fields, names)
        renamed = alias is not None and scope.key(alias) != scope.key(name)
        scope.add(Relation(alias=unique, called=called, fields=fields, base=base, renamed=renamed), position)

    def _nested(self, node: exp.Subquery, scope: Scope, ctes: Ctes) -> None:
        """Add a join in brackets: its tables, or where it has an alias one relation of all their columns."""
        inner = Scope(dialect=self.dialect, parent=scope.parent)
        self.source(node.this, inner, ctes)
        alias, names = self._alias(node)
        if alias is None:
            scope.absorb(inner)
            return
        unique = self.unique(alias, node)
        self._named(node, unique, names)
        fields = rename(tuple(v.field for v in inner.visible), names)
        self.spend(8 + len(fields))
        scope.add(Relation(alias=unique, called=alias, fields=fields, renamed=True))

    def _derived(self, holder: exp.Expr, query: exp.Expr, scope: Scope, ctes: Ctes, outer: Scope | None) -> None:
        alias, names = self._alias(holder)
        fields = rename(self.query(query, ctes, outer), names)
        if names and not self.rules.alias_columns:
            self._no_alias_columns(names)
        alias = alias or self._made_up()
        unique = self.unique(alias, holder)
        self._named(holder, unique, names)
        scope.add(Relation(alias=unique, called=alias, fields=fields, renamed=True))

    def _function(self, holder: exp.Expr, call: exp.Expr, scope: Scope, ctes: Ctes) -> None:
        name = function_name(call)
        known = self.rules.table_functions
        if name not in known:
            some = f"in FROM only functions such as {', '.join(sorted(known)[:3])} are allowed" if known else ""
            refuse(
                "function_not_allowed",
                f"The function {name[:60]} is not allowed in FROM.",
                name,
                hint=f"Select from tables; {some}." if some else "Select from tables.",
            )
        typed = name in self.rules.record_functions
        alias, names = self._alias(holder, typed=typed)
        offset = call.args.get("offset")  # the name of the numbers that WITH ORDINALITY adds, for unnest
        skipped = {"alias", "offset"} if call is holder else set()
        columns = frozenset[str]().union(
            *(
                self.carries(child, scope, ctes)
                for key, value in call.args.items()
                if key not in skipped
                for child in (value if isinstance(value, list) else [value])
                if isinstance(child, exp.Expr)
            )
        )
        self.steered |= columns
        width = len(call.expressions) if name == "unnest" else 1
        own = known[name] or (tuple(names) if typed else ((alias or name),) * max(width, 1))
        if offset is not None:
            names += [*own[len(names) :], stored(offset, self.dialect)] if isinstance(offset, exp.Identifier) else []
        if offset is not None or holder.args.get("ordinality"):
            own = (*own, "ordinality")
        fields = rename(tuple(Field(name=n, value=Value(columns=columns)) for n in own), names)
        called = alias or name
        unique = self.unique(called, holder)
        if typed:
            holder.args["alias"].set("this", quoted(unique))
            for column, field in zip(holder.args["alias"].columns, fields, strict=True):
                column.set("this", quoted(field.name))
        else:
            last = len(fields) - (offset is not None)
            self._named(holder, unique, [f.name for f in fields[:last]])
            if offset is not None:
                holder.set("offset", quoted(fields[-1].name))
        scope.add(Relation(alias=unique, called=called, fields=fields, renamed=True))

    def _alias(self, node: exp.Expr, *, typed: bool = False) -> tuple[str | None, list[str]]:
        alias = node.args.get("alias")
        if alias is None:
            if typed:
                refuse("not_parsed", "This function needs a list of columns with types after an alias.")
            return None, []
        if not isinstance(alias.this, exp.Identifier):
            refuse("construct_not_allowed", "A list of columns needs an alias before it.")
        columns = alias.args.get("columns") or []
        if typed and columns and all(isinstance(c, exp.ColumnDef) and c.kind is not None for c in columns):
            columns = [c.this for c in columns]
        elif typed or not all(isinstance(c, exp.Identifier) for c in columns):
            refuse("construct_not_allowed", "An alias list takes names of columns only.", alias.name)
        if columns and not self.rules.alias_columns and not isinstance(node, exp.CTE):
            self._no_alias_columns([alias.name])
        return stored(alias.this, self.dialect), [stored(c, self.dialect) for c in columns]

    def _no_alias_columns(self, names: list[str]) -> NoReturn:
        refuse(
            "construct_not_allowed",
            f"{self.rules.title} takes no list of columns after an alias.",
            ", ".join(names),
            hint="Name the columns in the subquery, or in WITH name (columns) AS (...).",
        )

    def _named(self, node: exp.Expr, alias: str, names: list[str]) -> None:
        node.set("alias", exp.TableAlias(this=quoted(alias), columns=[quoted(n) for n in names]))

    def unique(self, alias: str, node: exp.Expr) -> str:
        """Return the name a relation has in the canonical text: no two relations of a statement share one.

        So a qualified column can mean one thing only, wherever it stands: that this resolver and the engine agree on
        which names reach into a subquery, a lateral item or a join's condition is no longer something to rely on.
        """
        held = self._renamed.get(id(node))
        if held is not None and held[0] is node:
            return held[1]  # a recursive query is read several times
        name, number = alias, 1
        while lower(name) in self._aliases:
            number += 1
            name = f"{alias.encode()[:_ALIAS_BYTES].decode(errors='ignore')}_{number}"
            if lower(name) in self._taken:
                name = alias  # the statement uses that name itself: try the next number
        self._aliases.add(lower(name))
        self._renamed[id(node)] = (node, name)
        return name

    def _made_up(self) -> str:
        while True:
            self._unnamed += 1
            if (name := f"_q{self._unnamed}") not in self._taken:
                return name


def _is_joined(node: exp.Expr) -> bool:
    """Whether what stands in brackets is a join that starts with a subquery, rather than a query."""
    return isinstance(node, exp.Subquery) and bool(node.args.get("joins"))
