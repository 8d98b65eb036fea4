"""What an expression carries: the base columns that can show in its value."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from sqlglot import exp

from langguard.sql.dialects import RULES
from langguard.sql.gate import LIMITS, Limits
from langguard.sql.names import quoted, stored, unknown_column
from langguard.sql.refusals import refuse
from langguard.sql.scope import NOTHING, Field, Scope, Value, resolve
from langguard.sql.steering import copied_in, is_plain, leaves

Ctes = dict[str, tuple[Field, ...] | None]
"""Named queries in reach; None for a name that may not be used yet."""

DECIDING: dict[type[exp.Expr], frozenset[str]] = {
    exp.Case: frozenset({"this"}),
    exp.If: frozenset({"this"}),
    exp.Filter: frozenset({"expression"}),
    exp.WithinGroup: frozenset({"expression"}),
    exp.Order: frozenset({"expressions"}),
}
"""The parts of a node that decide what the others only show."""
SKIPPED = (exp.DataType, exp.Identifier, exp.Literal, exp.Var, exp.Null, exp.Boolean, exp.Parameter, exp.JSONPath)


PUT_OUT = 3_000
"""Most nodes that the names of outputs may stand for in one statement: used again and again they double."""
_OPEN = (exp.Binary, exp.Connector, exp.Predicate, exp.Unary)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """What a query inside an expression comes to.

    Attributes:
        read: All base columns it reads: conditions too.
        fields: Its columns.
        decided: Base columns that decide which rows it has.
    """

    read: frozenset[str]
    fields: tuple[Field, ...]
    decided: frozenset[str]


class Expressions(ABC):
    """Resolves the columns of expressions, in place, and notes each base column read."""

    def __init__(self, dialect: str, text: str, limits: Limits = LIMITS) -> None:
        self.dialect = dialect
        self.rules = RULES[dialect]
        self.text = text
        self.limits = limits
        self.work = 0
        self.columns = 0
        self.tables: set[str] = set()
        self.touched: set[str] = set()
        self.steered: set[str] = set()
        self.decided: set[str] = set()
        self.writing = False
        self._direct: dict[int, bool] = {}
        self._put_out = 0
        self._inlined: dict[int, tuple[exp.Expr, exp.Expr]] = {}

    @abstractmethod
    def query(self, node: exp.Expr, ctes: Ctes, outer: Scope | None) -> tuple[Field, ...]:
        """Return the columns of a query's result."""
        ...

    def spend(self, steps: int) -> None:
        """Count steps of work and refuse a statement that takes too many: recursion and wide tables multiply them."""
        self.work += steps
        if self.work > self.limits.work:
            refuse(
                "too_complex",
                "The statement takes too many steps to trace (sql.limits.work).",
                hint="Name the columns you need, and split the statement.",
            )

    def carries(self, root: exp.Expr | None, scope: Scope, ctes: Ctes, *, decides: bool = True) -> frozenset[str]:
        """Return every base column that can show in the value of an expression.

        A query inside it counts with all that it reads, conditions too: its value depends on them, and EXISTS or a
        scalar query can be made to answer any yes-or-no question about what it reads.

        Args:
            root: The expression.
            scope: Where its columns are found.
            ctes: Named queries in reach.
            decides: Its value decides something: which rows come back, their groups or their order. Otherwise it only
                shows, but for the parts of it that decide (CASE, FILTER, OVER, ORDER BY inside an aggregate).
        """
        if root is None or isinstance(root, SKIPPED):
            return NOTHING
        if type(root) is exp.Column:
            found = self.column(root, scope).columns
            self.decided |= found if decides else NOTHING
            return found
        carried: set[str] = set()
        multiplied = False
        stack = [(root, decides)]
        while stack:
            node, decides = stack.pop()
            self.spend(1)
            columns = NOTHING
            match node:
                case exp.Column():
                    columns = self.column(node, scope).columns
                    self.spend(len(columns) // 8)
                case exp.Exists():
                    carried |= self.carries(node.this, scope, ctes, decides=False)
                case exp.Query() | exp.Values():
                    columns = self.inner(node, scope, ctes).read
                case exp.Star():
                    if not isinstance(node.parent, exp.Count):
                        refuse("construct_not_allowed", "* is not allowed here.", "*", hint="Name the columns.")
                case exp.Window():
                    columns = self._window(node, scope)
                    stack.extend((c, decides or k != "this") for k, c in _children(node) if k != "alias")
                case exp.Collate():
                    stack.append((node.this, decides))
                case exp.Kwarg():
                    stack.append((node.expression, decides))
                case _:
                    parts = DECIDING.get(type(node), NOTHING)
                    several = self._multiplies(node)
                    multiplied |= several
                    every = decides or several
                    stack.extend((child, every or name in parts) for name, child in _children(node))
            carried |= columns
            if decides:
                self.decided |= columns
        if multiplied:
            self.steered |= carried
        return frozenset(carried)

    def _multiplies(self, node: exp.Expr) -> bool:
        """Whether a call gives several rows: what it is given decides how many."""
        if not isinstance(node, exp.Func):
            return False
        name = function_name(node)
        if name in self.rules.from_only:
            refuse(
                "function_not_allowed",
                f"The function {name} is allowed in FROM only.",
                name,
                hint=f"Write FROM {name}(...), or join to it.",
            )
        return name in self.rules.table_functions

    def steers(self, root: exp.Expr | None, scope: Scope, ctes: Ctes) -> None:
        """Resolve a condition, and note the base columns that decide in another form than their own."""
        if root is None or isinstance(root, SKIPPED):
            return
        for test in leaves(root):
            columns = self.carries(test, scope, ctes)
            if id(test) in self._inlined:
                self.steers(self._inlined[id(test)][1], scope, ctes)
            elif not columns <= self.steered and not is_plain(test, scope, self._direct):
                self.steered |= columns

    def _window(self, node: exp.Window, scope: Scope) -> frozenset[str]:
        named = node.args.get("alias")
        if named is None:
            return NOTHING
        name = stored(named, self.dialect)
        carried = scope.windows.get(scope.key(name))
        if carried is None:
            refuse("not_parsed", f"There is no window named {name[:60]}.", name)
        node.set("alias", quoted(name))
        return carried

    def inner(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> "Inner":
        """Return what a query inside an expression comes to."""
        self.spend(16 + len(self.touched) // 8)
        before, self.touched = self.touched, set()
        decided, self.decided = self.decided, set()
        try:
            fields = self.query(node, ctes, scope)
            self._direct[id(node)] = all(f.value.direct or not f.value.columns for f in fields)
            read = frozenset(self.touched.union(*(f.value.columns for f in fields)))
            inside = frozenset(self.decided)
        finally:
            self.touched |= before
            self.decided |= decided
        return Inner(read=read, fields=fields, decided=inside)

    def value(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> Value:
        """Return what one output expression carries."""
        bare = node
        while isinstance(bare, exp.Paren):
            bare = bare.this
        match bare:
            case exp.Column() if not isinstance(bare.this, exp.Star):
                return self.column(bare, scope)
            case exp.Subquery():
                inner = self.inner(bare, scope, ctes)
                copied = NOTHING.union(*(f.value.copied for f in inner.fields))
                return Value(columns=inner.read, copied=copied - inner.decided)
            case exp.Count():
                columns = self.carries(bare, scope, ctes, decides=False)
                return Value(columns=columns, counted=_counts_rows(bare))
            case _:
                columns = self.carries(bare, scope, ctes, decides=False)
                return Value(columns=columns, copied=copied_in(bare, scope) if columns else NOTHING)

    def column(self, node: exp.Column, scope: Scope) -> Value:
        """Resolve one column and note it as read."""
        if isinstance(node.this, exp.Star):
            refuse(
                "construct_not_allowed",
                "A whole row is not allowed as a value.",
                f"{node.table}.*",
                hint="Name the columns; to count rows write count(*).",
            )
        found = self._inline(node, scope) if scope.inlined else None
        if found is None and self.rules.fields and node.args.get("table") is not None:
            found = self._field(node, scope)
        found = found or resolve(node, scope)
        if found is None:
            found = self._unresolved(node, scope)
        self.touched |= found.columns
        return found

    def _field(self, node: exp.Column, scope: Scope) -> Value | None:
        """Write `column.field` as `column['field']`, which can mean nothing else; a table's name comes first."""
        if scope.relation(node) is not None:
            return None
        first, *rest = (part for part in node.parts if isinstance(part, exp.Identifier))
        column = exp.Column(this=first.copy())
        if len(rest) > 1:
            above = exp.Column(this=rest[0].copy(), table=first.copy())
            if scope.relation(above) is not None:
                column, rest = above, rest[1:]
        found = resolve(column, scope)
        if found is None:
            return None
        fresh: exp.Expr = column
        for part in rest:
            fresh = exp.Bracket(this=fresh, expressions=[exp.Literal.string(str(part.this))])
        self._inlined[id(node)] = (node, fresh)
        node.replace(fresh)
        return Value(columns=found.columns)

    def _inline(self, node: exp.Column, scope: Scope) -> Value | None:
        """Put an output's expression in the place of its name, where the name is no column."""
        name = stored(node.this, self.dialect)
        place = scope.key(name)
        if node.args.get("table") is not None or place not in scope.inlined or scope.named(name):
            return None
        held = scope.inlined[place]
        if held is None or place in scope.relations or held[0].find(exp.Query):
            refuse(
                "ambiguous_column",
                f"The name {name[:60]} can't be used here for the output that has it.",
                name,
                position=node.this.meta.get("start"),
                hint="Write the expression itself, or put the query into FROM (...) and use the name outside.",
            )
        copy = held[0].copy()
        self._put_out += sum(1 for _ in copy.walk())
        if self._put_out > PUT_OUT:
            refuse(
                "too_complex",
                "Names of outputs are used again too often.",
                name,
                position=node.this.meta.get("start"),
                hint="Put the query into FROM (...) and use the names outside.",
            )
        if type(copy) is exp.Column:
            node.set("this", copy.this)
            node.set("table", copy.args.get("table"))
            node.set("db", None)
        else:
            closed = isinstance(copy, (exp.Func, exp.Paren, exp.Literal)) and not isinstance(copy, _OPEN)
            fresh = copy if closed else exp.Paren(this=copy)
            self._inlined[id(node)] = (node, fresh)
            node.replace(fresh)
        return held[1]

    def _unresolved(self, node: exp.Column, scope: Scope) -> Value:
        """A bare name that is no column: a string in double quotes, a whole row, or a mistake: the dialect tells."""
        name = stored(node.this, self.dialect)
        position = node.this.meta.get("start")
        quoted_so = position is not None and self.text[position : position + 1] == '"'
        if self.rules.literal_in_double_quotes and quoted_so and name.lower() not in self.rules.hidden_columns:
            node.replace(exp.Literal.string(name))
            return Value()
        at: Scope | None = scope if self.rules.whole_rows else None
        while at is not None:
            relation = at.relations.get(name)
            if relation is not None:
                if relation.base:
                    refuse(
                        "construct_not_allowed",
                        f"The whole row of {name[:60]} is not allowed as a value.",
                        name,
                        position=position,
                        hint="Name the columns; to count rows write count(*).",
                    )
                node.set("this", quoted(name))
                return Value(columns=NOTHING.union(*(f.value.columns for f in relation.fields)))
            at = at.parent
        raise unknown_column(name, scope.known(), position)


def _counts_rows(node: exp.Count) -> bool:
    """Whether a count is of rows, or of a column as it is: a count of a computed value tells the value."""
    counted = node.this.expressions if isinstance(node.this, exp.Distinct) else [node.this, *node.expressions]
    return all(isinstance(part, (exp.Star, exp.Column, exp.Literal)) for part in counted)


def function_name(call: exp.Expr) -> str:
    """Return the lower-case name under which a call is listed among the functions of FROM."""
    match call:
        case exp.Anonymous():
            return str(call.this).lower()
        case exp.ExplodingGenerateSeries() | exp.GenerateSeries():
            return "range" if call.args.get("is_end_exclusive") else "generate_series"
        case exp.Unnest() | exp.Explode():
            return "unnest"
        case exp.Func():
            return call.sql_name().lower()
        case _:
            return type(call).__name__


def _children(node: exp.Expr) -> list[tuple[str, exp.Expr]]:
    """Return the children that may carry something, each with the name of the argument it stands in."""
    found: list[tuple[str, exp.Expr]] = []
    for name, value in node.args.items():
        if isinstance(value, exp.Expr):
            if not isinstance(value, SKIPPED):
                found.append((name, value))
        elif isinstance(value, list):
            found += [(name, c) for c in value if isinstance(c, exp.Expr) and not isinstance(c, SKIPPED)]
    return found
