"""Row filters: the condition an administrator wrote, held against the lists that statements are held against.

A condition sees one row of its own table: no other table, no subquery, no aggregate. The principal's attributes come in
as literals of the tree, never as text.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from langguard.protocol import Catalog, Refusal, RowFilter, Table, View
from langguard.sql.analyze import settled, unreadable
from langguard.sql.gate import LIMITS
from langguard.sql.names import key, quoted, stored
from langguard.sql.nodes import PLACEHOLDER
from langguard.sql.parse import canonical, parse, parse_condition
from langguard.sql.refusals import Refused, refuse, refused
from langguard.sql.tables import tables_of

ONE = ("id", "name", "kind")
MANY = "groups"
ATTRIBUTES = (*ONE, MANY)
"""Attributes of the principal that a condition may name."""
ALIAS = "filtered"
_NOT_ALLOWED = (exp.Query, exp.AggFunc, exp.Window, exp.Star, exp.Parameter, exp.Placeholder, exp.Exists)
_COMPARED = (exp.EQ, exp.NEQ, exp.In)
_SAME_TEXT = (exp.Lower, exp.Upper, exp.Paren)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A row filter on one table, or several of them.

    Attributes:
        touched: Base columns that it reads.
        columns: Names of the table's columns that it reads.
    """

    tree: exp.Expr
    touched: frozenset[str]
    columns: frozenset[str]

    def over(self, alias: str) -> exp.Expr:
        """Return the condition over the table under an alias."""
        tree = self.tree.copy()
        for column in tree.find_all(exp.Column):
            column.set("table", quoted(alias))
        return tree


def check_filter(where: str, table: str, catalog: Catalog) -> Refusal | None:
    """Return why a row filter can't hold on a table, or None.

    Args:
        where: As in `RowFilter`.
        table: `schema.table`; letter case does not count.
        catalog: The connection's structure.
    """
    values: dict[str, tuple[str, ...]] = dict.fromkeys(ATTRIBUTES, ("x",))
    try:
        relations: list[Table | View] = [*catalog.tables, *catalog.views]
        found = [t for t in relations if t.id.casefold() == table.casefold()]
        if not found:
            refuse("unknown_table", f"There is no table {table[:60]}.", table)
        for each in found:
            condition((RowFilter(table=table, where=where, values=values),), each, catalog)
    except Refused as error:
        return error.refusal
    except RecursionError:
        return refused("too_complex", "The condition is nested too deep.").refusal
    except Exception as error:  # noqa: BLE001 - whatever the parser raises, it is not understood
        return unreadable(error)
    return None


def check_filter_alone(where: str, dialect: str) -> Refusal | None:
    """Return why no table's row filter can be this, or None; its columns are not looked at."""
    try:
        tree = _read(where, dialect)
        for column in list(tree.find_all(exp.Column)):
            if _is_principal(column):
                _attribute(column)
    except Refused as error:
        return error.refusal
    except RecursionError:
        return refused("too_complex", "The condition is nested too deep.").refusal
    except Exception as error:  # noqa: BLE001 - as above
        return unreadable(error)
    return None


def condition(filters: tuple[RowFilter, ...], table: Table | View, catalog: Catalog) -> Condition:
    """Return the condition that several filters make on one table: all of them hold.

    Args:
        filters: At least one; those of tables that `table` is a part of among them.
        table: Whose columns they name.
        catalog: The connection's structure.

    Raises:
        Refused: One is not understood, or names what the table has not.
    """
    kinds = {key(c.name, catalog.dialect): c.kind for c in table.columns}
    whole: exp.Expr | None = None
    for row_filter in filters:
        tree = _read(row_filter.where, catalog.dialect)
        for column in list(tree.find_all(exp.Column)):
            if _is_principal(column):
                _put(column, row_filter, kinds, catalog.dialect)
            else:
                _qualify(column, table, catalog.dialect)
        whole = tree if whole is None else exp.And(this=whole, expression=tree)
    if whole is None:
        refuse("row_filter", "A table is filtered by no condition.", table.id)
    return _settled(whole, table, catalog)


def _settled(whole: exp.Expr, table: Table | View, catalog: Catalog) -> Condition:
    dialect = catalog.dialect
    query = exp.Select(
        expressions=[exp.Alias(this=exp.Literal.number(1), alias=quoted("one"))],
        from_=exp.From(
            this=exp.Table(this=quoted(table.name), db=quoted(table.schema), alias=exp.TableAlias(this=quoted(ALIAS)))
        ),
        where=exp.Where(this=whole),
    )
    before = [str(node.this) for node in whole.find_all(exp.Literal)]
    facts = settled(canonical(query, dialect), dialect, catalog, LIMITS.wide())
    again, _ = parse(facts.statement, dialect, LIMITS.wide(), is_canonical=True)
    where = again.args.get("where")
    if (
        not isinstance(again, exp.Select)
        or where is None
        or facts.actions != ("read",)
        or set(facts.tables) != set(tables_of(catalog).reads(table))
        or facts.parameters
        or any(column.table != ALIAS for column in again.find_all(exp.Column))
        or [str(node.this) for node in where.find_all(exp.Literal)] != before
    ):
        refuse("row_filter", f"The row filter of {table.id} does not keep its meaning when it is written out.")
    tree = where.this.pop()
    own = frozenset() if isinstance(table, Table) else frozenset(table.touched)
    names = frozenset(column.name for column in tree.find_all(exp.Column))
    return Condition(tree=tree, touched=frozenset(facts.touched) - own | _carried(table, names, catalog), columns=names)


def _carried(table: Table | View, names: frozenset[str], catalog: Catalog) -> frozenset[str]:
    fields = tables_of(catalog).fields(table)
    return frozenset[str]().union(*(f.value.columns for f in fields if f.name in names))


def _read(where: str, dialect: str) -> exp.Expr:
    """Return the tree of a condition's text, with nothing in it that could reach beyond one row."""
    tree = exp.Paren(this=parse_condition(where, dialect))  # so that the whole of it can be replaced
    for node in tree.walk():
        if isinstance(node, _NOT_ALLOWED) or (isinstance(node, exp.Var) and PLACEHOLDER.fullmatch(node.name)):
            refuse(
                "row_filter",
                "A row filter sees one row of its table: no subquery, aggregate, window or placeholder.",
                node.sql(dialect, comments=False),
                hint="Compare the table's own columns with values, or with principal.id, .name, .kind and .groups.",
            )
    return tree


def _is_principal(column: exp.Column) -> bool:
    table = column.args.get("table")
    return (
        isinstance(table, exp.Identifier)
        and not table.args.get("quoted")
        and table.name.lower() == "principal"
        and column.args.get("db") is None
    )


def _attribute(column: exp.Column) -> str:
    """Return which attribute a column stands for, in a place where it may stand."""
    name = column.name
    if name not in ATTRIBUTES:
        refuse(
            "row_filter",
            f"A principal has no {name[:60]}.",
            column.sql(),
            hint=f"There are {', '.join(f'principal.{each}' for each in ATTRIBUTES)}.",
        )
    parent = column.parent
    if name == MANY and not (isinstance(parent, exp.In) and any(column is e for e in parent.expressions)):
        refuse("row_filter", "principal.groups stands in a list: team IN (principal.groups).", column.sql())
    if not isinstance(parent, _COMPARED):
        refuse(
            "row_filter",
            f"principal.{name} is compared with a column by =, <> or IN, and used in no other way.",
            parent.sql() if parent is not None else column.sql(),
        )
    return name


def _put(column: exp.Column, row_filter: RowFilter, kinds: Mapping[str, str], dialect: str) -> None:
    """Put the principal's values in a column's place: beside a column of text only, so that nothing is converted."""
    name = _attribute(column)
    parent = column.parent
    assert parent is not None  # noqa: S101 - `_attribute` looked
    other = parent.this if column is not parent.this else parent.args.get("expression")
    while isinstance(other, _SAME_TEXT):
        other = other.this
    kind = kinds.get(key(stored(other.this, dialect), dialect)) if isinstance(other, exp.Column) else None
    if kind not in {"text", "uuid"}:
        refuse(
            "row_filter",
            f"principal.{name} is a text, so it is compared with a column of text.",
            parent.sql(dialect, comments=False),
        )
    values = row_filter.values.get(name)
    if values is None or (name != MANY and len(values) != 1):
        refuse("row_filter", f"The value of principal.{name} is not known.", row_filter.table)
    literals = [exp.Literal.string(value) for value in values]
    if isinstance(parent, exp.In):
        rest = [e for e in parent.expressions if e is not column]
        if not rest and not literals:
            parent.replace(exp.Boolean(this=False))
            return
        parent.set("expressions", [*rest, *literals])
    else:
        column.replace(literals[0])


def _qualify(column: exp.Column, table: Table | View, dialect: str) -> None:
    """Give a column the table's alias, so that no engine can take a misspelt name for a text."""
    if not isinstance(column.this, exp.Identifier):
        refuse("row_filter", "A row filter names single columns.", column.sql())
    qualifier = column.args.get("table")
    named = None if qualifier is None else key(stored(qualifier, dialect), dialect)
    if column.args.get("db") is not None or named not in {None, key(table.name, dialect)}:
        refuse(
            "row_filter",
            f"A row filter names columns of {table.id} only.",
            column.sql(),
            hint="Write the column's bare name.",
        )
    column.set("table", quoted(ALIAS))
