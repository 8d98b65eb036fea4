"""Where a table's name leads, and what its columns carry."""

from sqlglot import exp

from langguard.protocol import Catalog, Table, View
from langguard.sql.dialects import RULES
from langguard.sql.names import SCHEMA_TOOL, key, no_system_table, stored
from langguard.sql.refusals import nearest, refuse, refused
from langguard.sql.scope import NOTHING, Field, Value


class Tables:
    """Looks tables up in one catalogue."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._fields: dict[str, tuple[Field, ...]] = {}
        self._dialect = catalog.dialect
        self._schemas = catalog.default_schemas
        self._by_key: dict[tuple[str, str], Table | View] = {}
        for view in catalog.views:
            self._by_key[self._key(view.schema), self._key(view.name)] = view
        for table in catalog.tables:
            self._by_key[self._key(table.schema), self._key(table.name)] = table
        self._by_id = {t.id: t for t in catalog.tables}
        self._below: dict[str, list[str]] = {}
        self.functions = RULES[catalog.dialect].functions | {name.lower() for name in catalog.allowed_functions}

    def fields(self, table: Table | View) -> tuple[Field, ...]:
        """Return a table's columns, each carrying itself, or a view's, each carrying what it is made from.

        A column of a partition or of an inheriting table carries its parent's too: it holds the parent's rows.
        """
        found = self._fields.get(table.id)
        if found is not None:
            return found
        if isinstance(table, View):
            found = tuple(
                Field(
                    name=column.name,
                    value=Value(
                        columns=frozenset(made.columns),
                        direct=made.direct,
                        counted=made.counted,
                        copied=frozenset(made.columns) if made.direct else NOTHING,
                    ),
                )
                for column, made in zip(table.columns, table.outputs, strict=True)
            )
        else:
            above = [self._by_id[p] for p in self.ancestors(table) if p in self._by_id]
            found = tuple(
                Field(
                    name=c.name,
                    value=_own(
                        (f"{table.id}.{c.name}", *(f"{p.id}.{c.name}" for p in above if _has(p, c.name))),
                        tuple(f"{table.id}.{name}" for name in _makings(table, c.made_of)),
                    ),
                )
                for c in table.columns
            )
        self._fields[table.id] = found
        return found

    def ancestors(self, table: Table) -> tuple[str, ...]:
        """Return the ids of the tables that a table is a part of, near and far."""
        found: dict[str, None] = dict.fromkeys(table.parents)
        waiting = list(found)
        for parent in waiting:
            held = self._by_id.get(parent)
            for above in held.parents if held is not None else ():
                if above not in found:
                    found[above] = None
                    waiting.append(above)
        return tuple(found)

    def descendants(self, table: Table) -> tuple[str, ...]:
        """Return the ids of the tables that are a part of a table, near and far: reading it reads their rows."""
        if not self._below:
            for held in self._by_id.values():
                for above in self.ancestors(held):
                    self._below.setdefault(above, []).append(held.id)
        return tuple(self._below.get(table.id, ()))

    def relative(self, table_id: str) -> Table | None:
        """Return the table of an id, or None where the catalogue has none."""
        return self._by_id.get(table_id)

    def reads(self, table: Table | View) -> tuple[str, ...]:
        """Return the ids of all tables that reading one reads."""
        return (table.id, *(table.tables if isinstance(table, View) else self.ancestors(table)))

    def _key(self, name: str) -> str:
        return key(name, self._dialect)

    def at(self, schema: str, name: str) -> Table | View | None:
        """Return what stands under a stored name; without a schema, the first on the search path."""
        for where in (schema,) if schema else self._schemas:
            found = self._by_key.get((self._key(where), self._key(name)))
            if found is not None:
                return found
        return None

    def find(self, node: exp.Table) -> Table | View:
        """Return the table or view that a node names.

        Raises:
            Refused: There is none, or the name leads into the engine's own catalogue.
        """
        no_system_table(node, self._dialect)
        if not isinstance(node.this, exp.Identifier):
            refuse("construct_not_allowed", "This is not the name of a table.", str(node.name))
        name = self._key(stored(node.this, self._dialect))
        db = node.args.get("db")
        schemas = [stored(db, self._dialect)] if isinstance(db, exp.Identifier) else list(self._schemas)
        for schema in schemas:
            found = self._by_key.get((self._key(schema), name))
            if found is not None and found.refused:
                refuse(
                    "table_not_allowed",
                    f"{found.id} may not be read: {found.refused}",
                    found.name,
                    position=node.this.meta.get("start"),
                    hint="Read its base tables instead." if isinstance(found, View) else "",
                    tables=(found.id,),
                )
            if found is not None:
                return found
        raise self._unknown(node)

    def _unknown(self, node: exp.Table) -> Exception:
        wanted = ".".join(filter(None, (node.db, node.name)))
        by_name: dict[str, list[str]] = {}
        for held in self._by_key.values():
            by_name.setdefault(held.name, []).append(held.id)
        alike = nearest(node.name, by_name, most=_CANDIDATES)
        if not alike and len(by_name) <= _CANDIDATES:
            alike = sorted(by_name)
        return refused(
            "unknown_table",
            f"There is no table {wanted[:60]} here.",
            wanted,
            position=node.this.meta.get("start"),
            hint=SCHEMA_TOOL,
            candidates=tuple(held for name in alike for held in sorted(by_name[name]))[:_CANDIDATES],
        )


_HELD: list[Tables] = []
_MOST_HELD = 8
_CANDIDATES = 12
"""Most tables that one unknown is taken for."""


def tables_of(catalog: Catalog) -> Tables:
    """Return the look-up of a catalogue, made once for each catalogue object and remembered for the latest few.

    It is found by the object's identity, and holds the object, so that no other can take its place.
    """
    for held in tuple(_HELD):
        if held.catalog is catalog:
            return held
    made = Tables(catalog)
    _HELD.insert(0, made)
    del _HELD[_MOST_HELD:]
    return made


def _makings(table: Table, made_of: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a generated column is made of, through other generated columns too."""
    found = dict.fromkeys(made_of)
    if found:
        of = {column.name: column.made_of for column in table.columns}
        waiting = list(found)
        for name in waiting:
            more = [m for m in of.get(name, ()) if m not in found]
            found.update(dict.fromkeys(more))
            waiting += more
    return tuple(found)


def _own(columns: tuple[str, ...], made_of: tuple[str, ...]) -> Value:
    """Return what a base column carries: itself and the same column of the tables it is a part of, and its makings."""
    held = frozenset(columns)
    return Value(columns=held | set(made_of), direct=True, copied=held.difference(made_of))


def _has(table: Table, name: str) -> bool:
    return any(column.name == name for column in table.columns)
