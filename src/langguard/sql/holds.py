"""Which row filters and masks hold for which tables and views."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from langguard.protocol import Catalog, RowFilter, SqlObligations, Table, View
from langguard.sql.conditions import Condition, condition
from langguard.sql.refusals import Refused, refuse
from langguard.sql.tables import Tables, tables_of


@dataclass(slots=True)
class Holds:
    """The row filters and masks of one call, over the tables of one catalogue."""

    obligations: SqlObligations
    catalog: Catalog
    _conditions: dict[str, Condition | None] = field(default_factory=dict)
    _concerned: dict[str, bool] = field(default_factory=dict)

    @property
    def tables(self) -> Tables:
        """Where names are looked up."""
        return tables_of(self.catalog)

    @property
    def masked(self) -> frozenset[str]:
        """Ids of the columns that no text may read."""
        return frozenset(mask.column for mask in self.obligations.masks)

    def hold_for(self, names: Iterable[str]) -> bool:
        """Whether a filter or mask holds for one of some tables, `schema.table`, or may."""
        return any(self.concerns(found) for name in names if (found := self._named(name)) is not None)

    def _named(self, name: str) -> Table | View | None:
        return self.tables.relative(name) or next((v for v in self.catalog.views if v.id == name), None)

    def concerns(self, table: Table | View) -> bool:
        """Whether reading a table or view as it is would show what a filter or mask hides."""
        if table.id not in self._concerned:
            own = bool(self.filters(table) or self.masks(table) or self._parts_filtered(table))
            self._concerned[table.id] = own or (isinstance(table, View) and self.inside(table))
        return self._concerned[table.id]

    def inside(self, view: View) -> bool:
        """Whether a view's definition reads something that is filtered or masked, in the catalogue or not."""
        names = {name.casefold() for name in view.tables}
        if any(f.table.casefold() in names for f in self.obligations.filters) or self.masked & set(view.touched):
            return True
        return any(self.concerns(held) for name in view.tables if (held := self._named(name)) is not None)

    def filters(self, table: Table | View) -> tuple[RowFilter, ...]:
        """Return the filters of a table: its own, and those of the tables it is a part of."""
        names = {table.id.casefold()}
        if isinstance(table, Table):
            names |= {name.casefold() for name in self.tables.ancestors(table)}
        return tuple(f for f in self.obligations.filters if f.table.casefold() in names)

    def _parts_filtered(self, table: Table | View) -> tuple[str, ...]:
        """Return the parts of a table that have a filter which the table itself has not."""
        if isinstance(table, View):
            return ()
        own = {f.table.casefold() for f in self.filters(table)}
        wanted = {f.table.casefold() for f in self.obligations.filters} - own
        return tuple(name for name in self.tables.descendants(table) if name.casefold() in wanted)

    def masks(self, table: Table | View) -> dict[str, str | None]:
        """Return a table's masked columns with what each is read as: its own, its parents' and its parts'."""
        if isinstance(table, View) or not self.obligations.masks:
            return {}
        held = {mask.column: mask.value for mask in self.obligations.masks}
        family = (table.id, *self.tables.ancestors(table), *self.tables.descendants(table))
        found: dict[str, str | None] = {}
        for column in table.columns:
            ids = [f"{name}.{column.name}" for name in family if f"{name}.{column.name}" in held]
            if ids:
                found[column.name] = held[ids[0]]
        return found

    def condition(self, table: Table | View) -> Condition | None:
        """Return what must be true of a table's row for it to show, or None.

        Raises:
            Refused: A filter is not understood, or a part of the table has one of its own.
        """
        if table.id not in self._conditions:
            parts = self._parts_filtered(table)
            if parts:
                refuse(
                    "row_filter",
                    f"{table.id} may not be read or written: {parts[0]} is a part of it and has a row filter that "
                    f"{table.id} has not.",
                    table.name,
                    hint=f"Use {parts[0]} itself.",
                )
            filters = self.filters(table)
            try:
                self._conditions[table.id] = condition(filters, table, self.catalog) if filters else None
            except Refused as error:
                refuse(
                    "row_filter",
                    f"The row filter of {table.id} can't hold: {error.refusal.reason}",
                    table.name,
                    hint="Tell an administrator; the policy is wrong here, not the statement.",
                )
        return self._conditions[table.id]
