"""What a write comes to: which rows it can change, and what each column is set to."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from langguard.protocol import Assigned, Change, Table, Where
from langguard.sql.scope import Field, Value, either
from langguard.sql.trivial import Row

_HARDEST: tuple[Where, ...] = ("condition", "trivial", "none")


@dataclass(slots=True, kw_only=True)
class Written:
    """What a write comes to.

    Attributes:
        table: What is written.
        alias: What its columns are qualified with in the canonical text.
        changes: What can become of rows.
        where: What limits the rows it updates or deletes; None where it does neither.
        values: By name of a column: what it is set to.
        outputs: Of RETURNING.
    """

    table: Table
    alias: str
    changes: set[Change] = field(default_factory=set)
    where: Where | None = None
    values: dict[str, Value] = field(default_factory=dict)
    outputs: tuple[Field, ...] = ()

    def limited(self, where: Where) -> None:
        """Note what limits one of the changes: the widest counts."""
        self.where = where if self.where is None else max(where, self.where, key=_HARDEST.index)

    def set(self, column: str, value: Value) -> None:
        """Note one of the values a column is set to."""
        held = self.values.get(column)
        self.values[column] = value if held is None else either(held, value)

    def row(self) -> Row:
        """Return what a WHERE clause picks from."""
        table = self.table
        filled = frozenset(c.name for c in table.columns if not c.nullable)
        return Row(alias=self.alias, schema=table.schema, name=table.name, filled=filled)


def tightest(limits: Iterable[Where]) -> Where:
    """Return what several conditions that must all hold come to."""
    return min(limits, key=_HARDEST.index)


def assigned(written: Written, fields: tuple[Field, ...]) -> tuple[Assigned, ...]:
    """Return what each column is set to. What is made of it in generated columns carries it, wherever it is read.

    Args:
        written: The write.
        fields: The columns of its table.
    """
    shown = {f.name: f.value.copied for f in fields}
    return tuple(
        Assigned(
            column=f"{written.table.id}.{name}",
            shown=tuple(sorted(shown[name])),
            columns=tuple(sorted(value.columns)),
            copied=tuple(sorted(value.copied)),
            direct=value.direct and bool(value.columns),
            counted=value.counted,
        )
        for name, value in sorted(written.values.items())
    )
