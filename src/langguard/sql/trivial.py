"""Whether a WHERE clause tells rows apart: `1 = 1` and `id = id` do not, however they are dressed up.

The condition is tried on rows made up for it: each column takes values around the constants it is compared with. A row
that it leaves out shows that it is a condition. What does not look at the row at all (a placeholder, another table's
column, a query of its own) picks all rows or none, so it counts as true. An unknown expression over the row's columns
can be anything, and is equal only to itself. Where no row is left out within a bounded number of steps, the condition
counts as trivial: one that is written so that no one can tell is not one to rely on.

This reads the condition, not the data: `id > 0` is a condition.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from sqlglot import exp

from langguard.protocol import Where
from langguard.sql.constants import Plain, Unknown, literal, truth
from langguard.sql.ownrows import Own, conditions_of, own_rows
from langguard.sql.values import UNDERSTOOD

STEPS: Final = 6_000
"""Most nodes visited for one statement."""
CONSTANTS: Final = 12
"""Most constants that one column is tried around."""


class _Enough(Exception):  # noqa: N818 - ends an evaluation that takes too long
    """The steps are used up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The table whose rows a condition picks, in a statement whose names are resolved.

    Attributes:
        alias: What its columns are qualified with.
        schema: Of the table.
        name: Of the table.
        filled: Its columns that are never NULL.
    """

    alias: str
    schema: str
    name: str
    filled: frozenset[str] = frozenset()


def where_of(condition: exp.Expr | None, row: Row, root: exp.Expr, beside: Iterable[exp.Expr] = ()) -> Where:
    """Return what a WHERE clause comes to.

    Args:
        condition: It, with its names resolved, or None.
        row: What it picks from.
        root: The whole statement.
        beside: The items of FROM or USING beside the table.
    """
    if condition is None:
        return "none"
    bare = condition.this if isinstance(condition, exp.Where) else condition
    inner = own_rows(root, row.schema, row.name)
    again = own_rows(root, row.schema, row.name, beside)  # where the table is joined to itself, a row meets itself
    for own in (inner, again) if len(again) > len(inner) else (inner,):
        tries = _Tries(row, own)
        extra = [part for alias in own.keys() - inner.keys() for part in own[alias].conditions]
        try:
            if all(tries.always(part) for whole in (bare, *extra) for part in _conjuncts(whole)):
                return "trivial"
        except _Enough:
            return "trivial"
    return "condition"


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, exp.And):
            stack += [part.expression, part.this]
        elif isinstance(part, exp.Paren):
            stack.append(part.this)
        else:
            yield part


@dataclass(slots=True)
class _Leaf:
    """What takes values: a column of the row, an expression over the row that is not understood, or a whole test."""

    number: int
    is_test: bool
    filled: bool
    constants: list[Plain] = field(default_factory=list)

    def samples(self) -> list[Plain]:
        """Return the values to try, one unlike all else first."""
        if self.is_test:
            return [False, True]
        fresh = 7_000_003 + 1_009 * self.number
        texts = [c for c in self.constants if isinstance(c, str)]
        numbers = [c for c in self.constants if isinstance(c, int | float)]
        found: list[Plain] = []
        if texts:
            found += [f"\u00bfq{self.number}", *texts, *(f"{text}~" for text in texts), ""]
        if numbers or not texts:
            found += [fresh, *numbers, *(n + step for n in numbers for step in (1, -1)), 0, 1, -fresh]
        if not self.filled:
            found.append(None)
        return list(dict.fromkeys(found))


@dataclass(slots=True)
class _Tries:
    """One reading of a condition: which relations hold the row itself, and what was found out about its parts."""

    row: Row
    own: Own
    steps: int = 0
    values: dict[str, Plain] = field(default_factory=dict)
    leaves: dict[str, _Leaf] = field(default_factory=dict)
    near: list[Plain] = field(default_factory=list)
    _looks: dict[int, tuple[bool, bool]] = field(default_factory=dict)
    _keys: dict[int, str] = field(default_factory=dict)
    _finds: dict[int, list[exp.Expr]] = field(default_factory=dict)

    def always(self, part: exp.Expr) -> bool:
        """Whether a condition leaves out no row that is tried, and takes one."""
        self.values, self.leaves = {}, {}
        found = self.test(part, wanted=True)
        if found is False:
            return False
        held = found is True
        for values in self._rows():
            self.values = values
            found = self.test(part, wanted=True)
            if found is False:
                return False
            held = held or found is True
        return held

    def _rows(self) -> Iterator[dict[str, Plain]]:
        samples = {key: leaf.samples() for key, leaf in self.leaves.items()}
        if not samples:
            return
        for at in range(max(map(len, samples.values()))):
            yield {key: held[at % len(held)] for key, held in samples.items()}
        first = {key: held[0] for key, held in samples.items()}
        for key, held in samples.items():
            for value in held[1:]:
                yield {**first, key: value}
        if len(samples) > 1:
            for row in product(*samples.values()):
                yield dict(zip(samples, row, strict=True))

    def step(self) -> None:
        """Count a node that is visited."""
        self.steps += 1
        if self.steps > STEPS:
            raise _Enough

    def looks(self, node: exp.Expr) -> tuple[bool, bool]:
        """Return whether a node looks at the row, and whether at anything else that is not fixed."""
        known = self._looks.get(id(node))
        if known is None:
            mine = other = False
            for inner in node.walk():
                self.step()
                if isinstance(inner, exp.Column):
                    own = inner.table == self.row.alias or inner.table in self.own
                    mine, other = mine or own, other or not own
                elif isinstance(inner, exp.Parameter | exp.Placeholder | exp.Query) or (
                    isinstance(inner, exp.Var) and inner.name.startswith("$")
                ):
                    other = True
            known = self._looks[id(node)] = (mine, other)
        return known

    def test(self, node: exp.Expr, *, wanted: bool) -> bool | None:
        """Return what a test comes to on the row tried; one that does not look at the row comes to what is wanted."""
        self.step()
        match node:
            case exp.Paren():
                return self.test(node.this, wanted=wanted)
            case exp.Not():
                found = self.test(node.this, wanted=not wanted)
                return None if found is None else not found
            case exp.And() | exp.Or():
                ends = isinstance(node, exp.Or)
                one, other = self.test(node.this, wanted=wanted), self.test(node.expression, wanted=wanted)
                if ends in (one, other):
                    return ends
                return None if one is None or other is None else not ends
            case exp.Case() if node.this is None:
                return self._case(node, wanted=wanted)
        mine, other = self.looks(node)
        if other and not mine:
            return wanted
        if other and (found := self._finds_itself(node)):
            return found
        if other and not _same_twice(node):
            return truth(self.leaf(node, is_test=True))
        before, self.near = self.near, [literal(n) for n in node.find_all(exp.Literal)][:CONSTANTS]
        try:
            return truth(self.value(node))
        except Unknown:
            return truth(self.leaf(node, is_test=True)) if mine else wanted
        finally:
            self.near = before

    def _case(self, node: exp.Case, *, wanted: bool) -> bool | None:
        for branch in node.args.get("ifs") or ():
            mine, other = self.looks(branch.this)
            found = self.test(branch.args["true"], wanted=wanted)
            if other and not mine:  # either way is possible: the one that is wanted counts
                if found is wanted:
                    return found
            elif self.test(branch.this, wanted=True):
                return found
        default = node.args.get("default")
        return None if default is None else self.test(default, wanted=wanted)

    def _finds_itself(self, node: exp.Expr) -> bool:
        """Whether a test holds a query over the same table in which the row tried finds itself."""
        known = self._finds.get(id(node))
        if known is None:
            known = self._finds[id(node)] = conditions_of(node, self.own)
        return bool(known) and all(self.test(part, wanted=True) is not False for part in known)

    def value(self, node: exp.Expr) -> Plain:
        """Return what an expression comes to on the row tried.

        Raises:
            Unknown: That can't be told.
        """
        self.step()
        if isinstance(node, exp.Column):
            made = self.own[node.table].columns.get(node.name) if node.table in self.own else None
            return self.leaf(node) if made is None else self.value(made)
        understood = UNDERSTOOD.get(type(node))
        if understood is not None:
            found = understood(node, self.value)
            return not truth(found) if found is not None and node.args.get("negate") else found
        if isinstance(node, exp.And | exp.Or | exp.Not):
            return self.test(node, wanted=True)
        mine, other = self.looks(node)
        if not mine or other:
            raise Unknown
        return self.leaf(node)

    def leaf(self, node: exp.Expr, *, is_test: bool = False) -> Plain:
        """Return the value that an expression has on the row tried."""
        column = isinstance(node, exp.Column)
        key = (
            f"column {node.name}" if column else self._keys.get(id(node)) or self._keys.setdefault(id(node), node.sql())
        )
        held = self.leaves.get(key)
        if held is None:
            filled = is_test or (column and node.name in self.row.filled)
            held = self.leaves[key] = _Leaf(len(self.leaves), is_test, filled)
        if len(held.constants) < CONSTANTS:
            held.constants += [c for c in self.near if c not in held.constants]
        return self.values[key] if key in self.values else held.samples()[0]


def _same_twice(node: exp.Expr) -> bool:
    return isinstance(node, exp.Binary) and node.this == node.expression
