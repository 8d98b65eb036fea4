"""Queries: what each output column derives from, through joins, nested queries, recursion and set operations.

Own code rather than the parser's optimiser, because each node class here is one the allow-list admits, so that there
is no construct whose names this module does not resolve itself: what it can't resolve it refuses.
"""

from functools import reduce

from sqlglot import exp

from langguard.sql.allowed import QUERIES
from langguard.sql.expressions import Ctes
from langguard.sql.grouping import by_relation, column_of, terms_of
from langguard.sql.names import key, quoted, stored
from langguard.sql.naming import declared_name, implied_name
from langguard.sql.refusals import refuse, refused
from langguard.sql.scope import NOTHING, Field, Scope, Value, either, merge, rename
from langguard.sql.sources import Sources
from langguard.sql.stars import changed

ROUNDS = 64
"""Most times a recursive query is traced before its columns must have settled."""


class Outputs:
    """The output columns of one query, as ORDER BY and GROUP BY name them: by name, or by number from 1."""

    def __init__(self, fields: tuple[Field, ...], dialect: str) -> None:
        self._fields = fields
        self._dialect = dialect
        self._by_key: dict[str, Field] = {}

    def named(self, name: str) -> Field | None:
        """Return the output of a name, the first of equal ones."""
        if not self._by_key:
            for field in reversed(self._fields):
                self._by_key[key(field.name, self._dialect)] = field
        return self._by_key.get(key(name, self._dialect))

    def at(self, node: exp.Expr) -> frozenset[str]:
        """Return what the output carries whose number a literal is; nothing for any other node."""
        if not isinstance(node, exp.Literal) or node.is_string or not str(node.this).isdigit():
            return NOTHING
        number = int(node.this)
        return self._fields[number - 1].value.columns if 0 < number <= len(self._fields) else NOTHING


class Queries(Sources):
    """Resolves queries, in place."""

    def query(self, node: exp.Expr, ctes: Ctes, outer: Scope | None) -> tuple[Field, ...]:
        """Return the columns of a query's result.

        Args:
            node: A SELECT, VALUES or set operation, bracketed or not.
            ctes: Named queries in reach.
            outer: The scope around it whose columns it may use.

        Raises:
            Refused: A name leads nowhere, or something is used that can't be traced.
        """
        match node:
            case exp.Select():
                return self._select(node, ctes, outer)
            case exp.SetOperation():
                inner = self.with_(node, ctes, outer)
                fields = merge(self.query(node.this, inner, outer), self.query(node.expression, inner, outer))
                if not isinstance(node, exp.Union) or node.args.get("distinct"):
                    self.decided.update(*(f.value.columns for f in fields))
                self._tail(node, fields, None, inner, outer)
                return fields
            case exp.Subquery() if isinstance(node.this, QUERIES) and not node.args.get("joins"):
                inner = self.with_(node, ctes, outer)
                fields = self.query(node.this, inner, outer)
                self._tail(node, fields, None, inner, outer)
                return fields
            case exp.Values():
                return self._values(node, ctes, outer)
            case _:
                raise refused(code="construct_not_allowed", reason="This is not a query.", fragment=type(node).__name__)

    def _values(self, node: exp.Values, ctes: Ctes, outer: Scope | None) -> tuple[Field, ...]:
        scope = Scope(dialect=self.dialect, parent=outer)
        word, first = self.rules.value_names
        rows = [[self.value(e, scope, ctes) for e in _row(r)] for r in node.expressions]
        if not rows or len({len(r) for r in rows}) != 1:
            refuse("not_parsed", "The rows of VALUES differ in their number of columns.", "VALUES")
        return tuple(
            Field(name=f"{word}{first + at}", value=reduce(either, (r[at] for r in rows))) for at in range(len(rows[0]))
        )

    def with_(self, node: exp.Expr, ctes: Ctes, outer: Scope | None) -> Ctes:
        """Return the named queries in reach of a statement, its own WITH clause included."""
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        inner = dict(ctes)
        keys = [key(stored(c.args["alias"].this, self.dialect), self.dialect) for c in clause.expressions]
        if len(set(keys)) != len(keys):
            refuse("ambiguous_table", "Two named queries have the same name.", ", ".join(keys))
        recursive = bool(clause.args.get("recursive")) or self.rules.always_recursive
        if recursive:
            inner.update(dict.fromkeys(keys))
        for cte, name in zip(clause.expressions, keys, strict=True):
            if not isinstance(cte.this, QUERIES):
                refuse(
                    "write_inside_read",
                    "A named query (WITH) must be a SELECT.",
                    type(cte.this).__name__.upper(),
                    actions=("read", "write"),
                )
            _, names = self._alias(cte)
            if recursive and self._mentions(cte.this, name):
                inner[name] = self._recursive(cte.this, name, names, inner, outer)
            else:
                inner[name] = rename(self.query(cte.this, inner, outer), names)
            self._named(cte, name, names)
        return inner

    def _mentions(self, node: exp.Expr, name: str) -> bool:
        return any(
            not t.db and isinstance(t.this, exp.Identifier) and key(stored(t.this, self.dialect), self.dialect) == name
            for t in node.find_all(exp.Table)
        )

    def _recursive(
        self, body: exp.Expr, name: str, names: list[str], ctes: Ctes, outer: Scope | None
    ) -> tuple[Field, ...]:
        """Trace a recursive query again and again until what its columns carry no longer grows."""
        if not isinstance(body, exp.SetOperation) or body.args.get("with_"):
            refuse(
                "construct_not_allowed",
                "A recursive query must be two queries joined by UNION.",
                name,
                hint="WITH RECURSIVE name AS (SELECT ... UNION ALL SELECT ... FROM name ...)",
            )
        anchor: exp.Expr = body
        while isinstance(anchor, exp.SetOperation):
            anchor = anchor.this
        fields = rename(self.query(anchor, ctes, outer), names)
        for _ in range(ROUNDS):
            ctes[name] = fields
            after = merge(fields, rename(self.query(body, ctes, outer), names))
            if after == fields:
                return fields
            fields = after
        raise refused(code="too_complex", reason="The recursive query can't be traced.", fragment=name)

    def _select(self, node: exp.Select, ctes: Ctes, outer: Scope | None) -> tuple[Field, ...]:
        ctes = self.with_(node, ctes, outer)
        scope = Scope(dialect=self.dialect, parent=outer)
        if (from_ := node.args.get("from_")) is not None:
            self.source(from_.this, scope, ctes)
        for join in node.args.get("joins") or ():
            self.join(join, scope, ctes)
        self._windows(node, scope, ctes)
        fields = self.projections(node, scope, ctes)
        if self.rules.aliases == "where":
            scope.aliases = _aliases(fields, scope)
        self.steers(node.args.get("where"), scope, ctes)
        outputs = Outputs(fields, self.dialect)
        if self.rules.aliases == "tail":
            scope.aliases, scope.aliases_first = _aliases(fields, scope), True
        if node.args.get("group") is not None:
            self._group(node, outputs, scope, ctes)
            if node.args["group"].args.get("all"):
                self._group_all(node, fields)
        if self.rules.aliases == "having":
            scope.aliases = _aliases(fields, scope)
        self._contested(node, scope)
        self.steers(node.args.get("having"), scope, ctes)
        self.steers(node.args.get("qualify"), scope, ctes)
        if self.rules.aliases == "having":
            scope.aliases = None
        if (distinct := node.args.get("distinct")) is not None:
            on = distinct.args.get("on")
            if on is None:
                self._decide(node, node.expressions, [f.value.columns for f in fields], scope)
            for term in on.expressions if isinstance(on, exp.Tuple) else [on] if on is not None else ():
                self._output_or_expression(term, outputs, scope, ctes)
                self.steers(term, scope, ctes)
        self._tail(node, fields, scope, ctes, outer)
        return fields

    def _group(self, node: exp.Select, outputs: Outputs, scope: Scope, ctes: Ctes) -> None:
        group: exp.Expr = node.args["group"]
        held_in = [value if isinstance(value, list) else [value] for value in group.args.values()]
        parts = [e for values in held_in for e in values if isinstance(e, exp.Expr)]
        columns: list[frozenset[str]] = []
        for part in parts:
            held, self.decided = self.decided, set()
            self._group_term(part, outputs, scope, ctes)
            columns.append(frozenset(self.decided))
            self.decided = held
        if terms_of(node):
            self._decide(node, parts, columns, scope)
        else:
            self.decided.update(*columns)

    def _decide(self, node: exp.Select, terms: list[exp.Expr], columns: list[frozenset[str]], scope: Scope) -> None:
        """Note what divides rows into groups: not the columns of a table whose primary key stands beside them."""
        keyed: dict[str, set[str]] = {}
        for alias, names in by_relation(terms, node).items():
            relation = scope.written.get(scope.key(alias))
            table = None if relation is None else self.catalog.relative(relation.base)
            if relation is None or table is None or not table.primary_key or self.catalog.descendants(table):
                continue  # a key says nothing of the rows that other tables inherit to this one
            shown = {c.name: f.name for c, f in zip(table.columns, relation.fields, strict=True)}
            key = {shown.get(name, "") for name in table.primary_key}
            if key <= names:
                keyed[alias] = key
        for term, carried in zip(terms, columns, strict=True):
            column = column_of(term, node)
            if column is None or column.name in keyed.get(column.table, {column.name}):
                self.decided |= carried

    def _windows(self, node: exp.Select, scope: Scope, ctes: Ctes) -> None:
        for window in node.args.get("windows") or ():
            name = stored(window.this, self.dialect)
            carried = self.carries(window, scope, ctes)
            scope.windows[scope.key(name)] = carried
            window.set("this", quoted(name))

    def projections(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> tuple[Field, ...]:
        """Expand stars, name every output, and return the outputs. `node` is a SELECT or a RETURNING clause."""
        fields: list[Field] = []
        written: list[exp.Expr] = []
        for projection in list(node.expressions):
            if isinstance(projection, exp.Star):
                self._output_columns(len(scope.visible))
                found: list[exp.Expr] = [_column(v.field.name, v.alias) for v in scope.visible]
                columns = changed(projection, found, scope)
            elif isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
                columns = changed(projection.this, self._star(projection, scope), scope)
            else:
                self._output_columns(1)
                columns = [projection]
            if not columns:
                refuse("not_parsed", "* needs a FROM clause.", "*")
            written.extend(columns)
        node.set("expressions", written)
        for at, projection in enumerate(written):
            name = self._output_name(projection)
            inner = projection.this if isinstance(projection, exp.Alias) else projection
            value = self.value(inner, scope, ctes)
            if self.rules.declared_names and not isinstance(projection, exp.Alias):
                name = declared_name(projection, node.expressions[at], name, self.dialect)
            fields.append(Field(name=name, value=value))
            if isinstance(projection, exp.Alias) and self.rules.aliases == "inline":
                place = scope.key(name)
                scope.inlined[place] = None if place in scope.inlined else (projection.this, value)
        named = [
            exp.Alias(this=(e.this if isinstance(e, exp.Alias) else e), alias=quoted(f.name))
            for e, f in zip(node.expressions, fields, strict=True)
        ]
        node.set("expressions", named)
        return tuple(fields)

    def _output_columns(self, more: int) -> None:
        """Count output columns, all queries together: stars in stars multiply them."""
        self.columns += more
        self.spend(more)
        if self.columns > self.limits.columns:
            refuse(
                "too_complex",
                f"The statement has more than {self.limits.columns} output columns (sql.limits.columns).",
                hint="Name the columns you need.",
            )

    def _output_name(self, projection: exp.Expr) -> str:
        if isinstance(projection, exp.Alias):
            return stored(projection.args["alias"], self.dialect)
        return implied_name(projection, self.dialect, self.text)

    def _star(self, node: exp.Column, scope: Scope) -> list[exp.Expr]:
        relation = scope.relations.get(scope.key(stored(node.args["table"], self.dialect)))
        if relation is None or (node.args.get("db") is not None and scope.relation(node) is not relation):
            refuse(
                "unknown_table",
                f"The name {node.table[:60]} is no table of this part of the statement.",
                f"{node.table}.*",
                position=node.args["table"].meta.get("start"),
                hint="Use the alias given in FROM.",
            )
        self._output_columns(len(relation.fields))
        return [_column(f.name, relation.alias) for f in relation.fields]

    def _tail(
        self, node: exp.Expr, fields: tuple[Field, ...], scope: Scope | None, ctes: Ctes, outer: Scope | None
    ) -> None:
        """Resolve ORDER BY, LIMIT and OFFSET. `scope` is None where only output columns may be ordered by."""
        if (order := node.args.get("order")) is not None:
            outputs = Outputs(fields, self.dialect)
            for term in order.expressions:
                self._order_term(term, outputs, scope, ctes)
        empty = Scope(dialect=self.dialect, parent=outer)
        for part in ("limit", "offset"):
            self.steered |= self.carries(node.args.get(part), empty, ctes)

    def _order_term(self, term: exp.Expr, outputs: Outputs, scope: Scope | None, ctes: Ctes) -> None:
        inner = term.this if isinstance(term, exp.Ordered) else term
        self._output_or_expression(inner, outputs, scope, ctes)

    def _output_or_expression(self, node: exp.Expr, outputs: Outputs, scope: Scope | None, ctes: Ctes) -> None:
        """Resolve a term of ORDER BY or DISTINCT ON: an output's name comes before a column of FROM."""
        bare = node
        while isinstance(bare, (exp.Paren, exp.Collate) if self.rules.collated_output else exp.Paren):
            bare = bare.this
        if _is_bare(bare) and self._is_output(bare, outputs):
            return
        self.decided |= outputs.at(bare)
        if scope is not None:
            self.carries(node, scope, ctes)
        elif not isinstance(bare, exp.Literal):
            refuse(
                "construct_not_allowed",
                "The result of a set operation is ordered by the name or number of an output column.",
                node.sql(self.dialect, comments=False),
                hint="Use an output column's name, or put the query in a subquery and order that.",
            )

    def _is_output(self, node: exp.Expr, outputs: Outputs) -> bool:
        found = outputs.named(stored(node.this, self.dialect))
        if found is not None:
            node.set("this", quoted(found.name))
            self.decided |= found.value.columns
        return found is not None

    def _group_term(self, node: exp.Expr, outputs: Outputs, scope: Scope, ctes: Ctes) -> None:
        """Resolve a term of GROUP BY: a column of FROM comes before an output's name."""
        if isinstance(node, (exp.Tuple, exp.Rollup, exp.Cube, exp.GroupingSets)):
            for part in node.expressions:
                self._group_term(part, outputs, scope, ctes)
        elif isinstance(node, exp.Paren):
            self._group_term(node.this, outputs, scope, ctes)
        elif isinstance(node, exp.Literal):
            self.decided |= outputs.at(node)
        elif not (
            _is_bare(node)
            and self.rules.aliases != "inline"
            and not scope.named(stored(node.this, self.dialect))
            and self._is_output(node, outputs)
        ):
            self.steers(node, scope, ctes)

    def _group_all(self, node: exp.Select, fields: tuple[Field, ...]) -> None:
        """GROUP BY ALL: every output makes groups, but for aggregates; one that may be either counts."""
        for projection, field in zip(node.expressions, fields, strict=True):
            if projection.find(exp.AggFunc) is None:
                self.decided |= field.value.columns
                if not field.value.direct:
                    self.steered |= field.value.columns

    def _contested(self, node: exp.Select, scope: Scope) -> None:
        """Refuse a name in HAVING or QUALIFY that is an output's and a column's: engines take one or the other."""
        for part in (node.args.get("having"), node.args.get("qualify")):
            for column in part.find_all(exp.Column) if part is not None and scope.inlined else ():
                name = stored(column.this, self.dialect) if _is_bare(column) else ""
                held = scope.inlined.get(scope.key(name)) if name else None
                own = scope.named(name) if held is not None else []
                if held is not None and own and own[0].field.value != held[1]:
                    refuse(
                        "ambiguous_column",
                        f"The name {name[:60]} is a column here and an output's name.",
                        name,
                        position=column.this.meta.get("start"),
                        hint="Write it as table.column, or give the output another name.",
                    )


def _row(node: exp.Expr) -> list[exp.Expr]:
    return node.expressions if isinstance(node, exp.Tuple) else [node.this if isinstance(node, exp.Paren) else node]


def _is_bare(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and node.args.get("table") is None


def _column(name: str, alias: str | None) -> exp.Column:
    return exp.Column(this=quoted(name), table=quoted(alias) if alias is not None else None)


def _aliases(fields: tuple[Field, ...], scope: Scope) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for field in fields:
        found.setdefault(scope.key(field.name), field.value)
    return found
