"""What masks and row filters mean for one statement: what goes into its text, and why it would tell a hidden value."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import msgspec

from langguard import masking
from langguard.gateway.identity.principals import Principal
from langguard.gateway.services import laundering
from langguard.masking.names import label
from langguard.masking.operators import strictest
from langguard.masking.patterns import any_matches, index
from langguard.policy import Policy
from langguard.policy.filters import filters_for
from langguard.protocol import (
    Catalog,
    ColumnMask,
    ColumnPlan,
    Facts,
    InnerMask,
    MaskPlan,
    MaskPolicy,
    Operator,
    Output,
    RowFilter,
)

_PLAIN: Final = frozenset({"number", "time", "boolean", "uuid"})
_STRICT: Final = {"deny": 2, "mask": 1, "allow": 0}


def masks_of(policy: Policy, groups: Iterable[str]) -> tuple[MaskPolicy, tuple[int, ...]]:
    """Return the masks that hold for a principal of these groups, and the numbers of those left out."""
    mine = set(groups)
    left = tuple(
        number for number, mask in enumerate(policy.masks.columns) if mask.groups and not mine & set(mask.groups)
    )
    if not left:
        return policy.masks, ()
    kept = tuple(mask for number, mask in enumerate(policy.masks.columns) if number not in left)
    return msgspec.structs.replace(policy.masks, columns=kept), left


@dataclass(frozen=True)
class Hidden:
    """One statement under one principal's masks.

    Attributes:
        masks: Those that hold for the principal.
        everyones: All of the policy.
        connection: Its name.
        ner: Whether names are recognised in prose.
    """

    facts: Facts
    catalog: Catalog
    masks: MaskPolicy
    everyones: MaskPolicy
    connection: str
    ner: bool

    def plan(self) -> MaskPlan:
        """Return what happens to each output."""
        return masking.plan(self.facts.outputs, self.catalog, self.masks, connection=self.connection, ner=self.ner)

    @cached_property
    def inner(self) -> tuple[InnerMask, ...]:
        """The masks that go into the text, below every filter: of columns under `inference: mask` that it reads."""
        if not any(mask.inference == "mask" for mask in self.masks.columns):
            return ()
        found: list[InnerMask] = []
        for column in sorted(self._family(self.facts.touched)):
            operator, inference = self._rule(column)
            if operator is not None and inference == "mask":
                constant = operator.text or f"<{label(column)}>"
                found.append(InnerMask(column=column, value=constant if operator.name == "replace" else None))
        return tuple(found)

    def told_otherwise(self) -> tuple[str, str] | None:
        """Return why the statement would tell what a mask hides by another way than its outputs, or None.

        A write could copy it to where no mask applies; which rows it changes can carry a value too. A read could
        count, join or limit by it.
        """
        facts = self.facts
        if facts.written:
            deciding = self._hides(facts.decided)
            if deciding:
                return "laundering", (
                    f"A write whose rows depend on {', '.join(deciding)} is not allowed: which rows it changes could "
                    f"tell personal data where no mask applies. Choose the rows by other columns, such as the key."
                )
            laundered = self._laundered()
            if laundered:
                return "laundering", laundered
        refused = self._denied()
        if refused:
            one = len(refused) == 1
            return "inference", (
                f"{', '.join(refused)} {'is' if one else 'are'} masked for you and may not decide which rows come "
                f"back, their groups or their order (WHERE, JOIN, GROUP BY, DISTINCT, ORDER BY, CASE): that would "
                f"tell the values. Selecting {'it' if one else 'them'} is allowed and shows the mask. Filter, join "
                f"and sort by other columns, such as an id."
            )
        below = {mask.column for mask in self.inner}
        steering = self._hides(tuple(column for column in facts.steered if column not in below))
        if steering:
            return "steering", (
                f"{', '.join(steering)} may not decide in a computed form which rows come back, since that would tell "
                f"the masked values. Compare the column as it is with fixed values (=, IN, LIKE, BETWEEN, IS NULL), or "
                f"join on it by equality. A text column without personal data can be declared `clear` in the policy."
            )
        return None

    def _laundered(self) -> str:
        """Return why a write may not set what it sets, or nothing.

        What it copies is held to the masks of every group, what it sets to the masks that hold for everyone: others
        read it afterwards.
        """
        facts = self.facts
        sources = tuple(sorted({column for each in facts.assigned for column in each.columns}))
        grouped = [mask for mask in self.everyones.columns if mask.groups]
        if not grouped:
            return laundering.why(facts, frozenset(self._hides(sources)), self._plan_of)
        common = msgspec.structs.replace(
            self.everyones, columns=tuple(mask for mask in self.everyones.columns if not mask.groups)
        )
        targets = {column for each in facts.assigned for column in each.shown}
        both = sorted(c for c in targets & set(sources) if any(self._means(mask, c) for mask in grouped))
        if both:
            return f"A write that both reads and sets {both[0]} is not allowed: some groups see it masked."
        hidden = frozenset(self._hides(sources, self.everyones))
        return laundering.why(
            facts, hidden, lambda column: self._plan_of(column, common if column in targets else self.everyones)
        )

    def _denied(self) -> list[str]:
        """Return the columns that decide something although their mask says `inference: deny`."""
        if not any(mask.inference == "deny" and mask.operator.name != "keep" for mask in self.masks.columns):
            return []
        found = []
        for column in self.facts.decided:
            rules = [self._rule(name) for name in self._family((column,))]
            if any(operator is not None and inference == "deny" for operator, inference in rules):
                found.append(column)
        return found

    def _rule(self, column: str) -> tuple[Operator | None, str]:
        """Return the strictest operator and inference of the masks on a column; None where no mask hides it."""
        rules = [mask for mask in self.masks.columns if mask.operator.name != "keep" and self._means(mask, column)]
        if not rules:
            return None, "allow"
        operator = strictest(mask.operator for mask in rules)
        return operator, max((mask.inference for mask in rules), key=_STRICT.__getitem__)

    def _means(self, mask: ColumnMask, column: str) -> bool:
        """Whether a mask is about a column; about one that no catalogue names, it may be."""
        held = self._index.get(column)
        if held is not None:
            parts = held[0]
        elif column.count(".") == 2:
            schema, table, name = column.split(".")
            parts = (schema, table, name)
        else:
            return True
        return any_matches(mask.columns, self.connection, parts, cased=False)

    @cached_property
    def _index(self) -> dict[str, tuple[tuple[str, str, str], object]]:
        return dict(index(self.catalog))

    def _family(self, columns: Iterable[str]) -> set[str]:
        """Return columns, and those of the same name in the parts of their tables: reading a table reads its parts."""
        found = set(columns)
        if not self._parts:
            return found
        for column in tuple(found):
            table, _, name = column.rpartition(".")
            found |= {f"{part}.{name}" for part in self._parts.get(table, ()) if f"{part}.{name}" in self._index}
        return found

    @cached_property
    def _parts(self) -> dict[str, list[str]]:
        return parts_of(self.catalog)

    def _plan_of(self, column: str, masks: MaskPolicy | None = None) -> ColumnPlan:
        """Return what happens to one base column where it is put out as it is."""
        output = Output(name=column.rpartition(".")[2], columns=(column,), direct=True)
        held = masks or self.masks
        return masking.plan((output,), self.catalog, held, connection=self.connection, ner=self.ner).columns[0]

    def _hides(self, columns: tuple[str, ...], masks: MaskPolicy | None = None) -> list[str]:
        """Return those of some base columns that a result would not show in clear."""
        if not columns:
            return []
        kinds = {f"{table.id}.{column.name}": column.kind for table in self.catalog.tables for column in table.columns}
        outputs = tuple(Output(name=column, columns=(column,), direct=True) for column in columns)
        held = masks or self.masks
        steps = masking.plan(outputs, self.catalog, held, connection=self.connection, ner=self.ner).columns
        return [
            column
            for column, step in zip(columns, steps, strict=True)
            if step.action == "mask" or (step.action == "analyse" and kinds.get(column) not in _PLAIN)
        ]


def filters_of(
    policy: Policy, principal: Principal, connection: str, facts: Facts, catalog: Catalog
) -> tuple[RowFilter, ...]:
    """Return the row filters that hold for a principal and may concern a statement's tables."""
    if not policy.row_filters:
        return ()
    values = {
        "id": (principal.id,),
        "name": (principal.name,),
        "kind": (principal.kind,),
        "groups": tuple(sorted(principal.groups)),
    }
    held = filters_for(policy.row_filters, principal=values, connection=connection)
    if not held:
        return ()
    parts = parts_of(catalog)
    named = {name.casefold() for table in facts.tables for name in (table, *parts.get(table, ()))}
    return tuple(each for each in held if each.table.casefold() in named)


def parts_of(catalog: Catalog) -> dict[str, list[str]]:
    """Return each table's parts, near and far: its partitions and the tables that inherit from it."""
    parents = {table.id: table.parents for table in catalog.tables if table.parents}
    found: dict[str, list[str]] = {}
    for part, nearest in parents.items():
        waiting = list(nearest)
        seen = set(waiting)
        for above in waiting:
            found.setdefault(above, []).append(part)
            more = [name for name in parents.get(above, ()) if name not in seen]
            waiting += more
            seen.update(more)
    return found
