"""What an expression carries: the base columns that can show in its value."""

from abc import ABC, abstractmethod

from sqlglot import exp

from langguard.sql.dialects import RULES
from langguard.sql.gate import LIMITS, Limits
from langguard.sql.names import quoted, stored, unknown_column
from langguard.sql.refusals import refuse
from langguard.sql.scope import NOTHING, Field, Scope, Value, resolve
from langguard.sql.steering import is_plain, leaves

Ctes = dict[str, tuple[Field, ...] | None]
"""Named queries in reach; None for a name that may not be used yet."""

SKIPPED = (exp.DataType, exp.Identifier, exp.Literal, exp.Var, exp.Null, exp.Boolean, exp.Parameter, exp.JSONPath)


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
        self._direct: dict[int, bool] = {}

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
                "The statement takes too many steps to trace.",
                hint="Name the columns you need, and split the statement.",
            )

    def carries(self, root: exp.Expr | None, scope: Scope, ctes: Ctes) -> frozenset[str]:
        """Return every base column that can show in the value of an expression.

        A query inside it counts with all that it reads, conditions too: its value depends on them, and EXISTS or a
        scalar query can be made to answer any yes-or-no question about what it reads.
        """
        if root is None or isinstance(root, SKIPPED):
            return NOTHING
        if type(root) is exp.Column:
            return self.column(root, scope).columns
        found: set[str] = set()
        stack = [root]
        while stack:
            node = stack.pop()
            self.spend(1)
            match node:
                case exp.Column():
                    columns = self.column(node, scope).columns
                    self.spend(len(columns) // 8)
                    found |= columns
                case exp.Query() | exp.Values():
                    found |= self.inner(node, scope, ctes)[0]
                case exp.Star():
                    if not isinstance(node.parent, exp.Count):
                        refuse("construct_not_allowed", "* is not allowed here.", "*", hint="Name the columns.")
                case exp.Window():
                    found |= self._window(node, scope)
                    stack.extend(c for k, c in _children(node) if k != "alias")
                case exp.Collate():
                    stack.append(node.this)
                case exp.Kwarg():
                    stack.append(node.expression)
                case _:
                    stack.extend(child for _, child in _children(node))
        return frozenset(found)

    def steers(self, root: exp.Expr | None, scope: Scope, ctes: Ctes) -> None:
        """Resolve a condition, and note the base columns that decide in another form than their own."""
        if root is None or isinstance(root, SKIPPED):
            return
        for test in leaves(root):
            columns = self.carries(test, scope, ctes)
            if not columns <= self.steered and not is_plain(test, scope, self._direct):
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

    def inner(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> tuple[frozenset[str], tuple[Field, ...]]:
        """Return all that a query inside an expression reads, and its columns."""
        self.spend(16 + len(self.touched) // 8)
        before, self.touched = self.touched, set()
        try:
            fields = self.query(node, ctes, scope)
            self._direct[id(node)] = all(f.value.direct or not f.value.columns for f in fields)
            read = frozenset(self.touched.union(*(f.value.columns for f in fields)))
        finally:
            self.touched |= before
        return read, fields

    def value(self, node: exp.Expr, scope: Scope, ctes: Ctes) -> Value:
        """Return what one output expression carries."""
        bare = node
        while isinstance(bare, exp.Paren):
            bare = bare.this
        match bare:
            case exp.Column() if not isinstance(bare.this, exp.Star):
                return self.column(bare, scope)
            case exp.Subquery():
                return Value(columns=self.inner(bare, scope, ctes)[0])
            case exp.Count():
                return Value(columns=self.carries(bare, scope, ctes), counted=_counts_rows(bare))
            case _:
                return Value(columns=self.carries(bare, scope, ctes))

    def column(self, node: exp.Column, scope: Scope) -> Value:
        """Resolve one column and note it as read."""
        if isinstance(node.this, exp.Star):
            refuse(
                "construct_not_allowed",
                "A whole row is not allowed as a value.",
                f"{node.table}.*",
                hint="Name the columns; to count rows write count(*).",
            )
        found = resolve(node, scope)
        if found is None:
            found = self._unresolved(node, scope)
        self.touched |= found.columns
        return found

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
