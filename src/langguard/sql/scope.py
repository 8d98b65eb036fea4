"""What names mean at one place of a statement: the relations in reach, their columns, and what each column carries."""

from dataclasses import dataclass, field

from sqlglot import exp

from langguard.sql.names import key, quoted, rename_identifier, stored, unknown_column
from langguard.sql.refusals import refuse, refused

MANY = 2_000
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What an expression carries.

    Attributes:
        columns: Ids of the base columns it derives from.
        direct: It is one base column, unchanged.
        counted: It is a count.
        copied: Those of the columns that stand in it as they are, or in other letter case: none of them computed with,
            and none of them what decides which value it is.
    """

    columns: frozenset[str] = NOTHING
    direct: bool = False
    counted: bool = False
    copied: frozenset[str] = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a relation or of a query's result."""

    name: str
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """One item of a FROM clause.

    Attributes:
        alias: The name that qualifies its columns in the canonical text; no other relation of the statement has it.
        called: The name the statement gives it, where that is another one.
        base: The id of the base table, or empty.
        renamed: The statement gave it an alias of its own, so its table's name does not reach it.
    """

    alias: str
    fields: tuple[Field, ...]
    base: str = ""
    renamed: bool = False
    called: str = ""
    index: dict[str, list[Field]] = field(default_factory=dict, compare=False, repr=False)

    def fields_named(self, name: str, dialect: str) -> list[Field]:
        """Return the columns that answer to a name."""
        if not self.index:
            for held in self.fields:
                self.index.setdefault(key(held.name, dialect), []).append(held)
        return self.index.get(key(name, dialect), [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """A column that can be named without its relation. `alias` is None for one merged by USING."""

    field: Field
    alias: str | None


@dataclass(slots=True, kw_only=True)
class Scope:
    """The names of one SELECT, growing as its FROM clause is read.

    Attributes:
        relations: By the name the statement calls them.
        written: By the name they have in the canonical text: a column that was written back is found again.
        aliases: The SELECT's own output names, where they may be used; None where they may not.
        inlined: Outputs that have a name in the statement, where that name stands for their expression: by key. None
            for a name that two of them have.
        aliases_first: They come before columns of the same name, or the engine chooses by rules of its own: the name
            is written as it came, and carries what either would.
        windows: Named windows, by key.
        comma: Where the columns after the last comma of FROM start in `visible`.
    """

    dialect: str
    parent: "Scope | None" = None
    relations: dict[str, Relation] = field(default_factory=dict)
    written: dict[str, Relation] = field(default_factory=dict)
    visible: list[Visible] = field(default_factory=list)
    aliases: dict[str, Value] | None = None
    inlined: "dict[str, tuple[exp.Expr, Value] | None]" = field(default_factory=dict)
    aliases_first: bool = False
    windows: dict[str, frozenset[str]] = field(default_factory=dict)
    comma: int = 0
    _index: dict[str, list[Visible]] = field(default_factory=dict, repr=False)
    _indexed: int = -1
    _of: list[Visible] | None = field(default=None, repr=False)

    def key(self, name: str) -> str:
        """Return what spellings of a name have in common."""
        return key(name, self.dialect)

    def add(self, relation: Relation, position: int | None = None) -> None:
        """Add an item of the FROM clause. Raises Refused when its name is taken."""
        called = relation.called or relation.alias
        name = self.key(called)
        if name in self.relations:
            refuse(
                "ambiguous_table",
                f"The name {called[:60]} stands for two tables.",
                called,
                position=position,
                hint="Give each table an alias of its own.",
            )
        self.relations[name] = relation
        self.written[self.key(relation.alias)] = relation
        self.visible.extend(Visible(field=f, alias=relation.alias) for f in relation.fields)

    def absorb(self, inner: "Scope") -> None:
        """Add all of a bracketed join."""
        for name, relation in inner.relations.items():
            if name in self.relations:
                called = relation.called or relation.alias
                refuse("ambiguous_table", f"The name {called[:60]} stands for two tables.", called)
            self.relations[name] = relation
        self.written.update(inner.written)
        self.visible.extend(inner.visible)

    def named(self, name: str) -> list[Visible]:
        """Return the columns of this very scope that answer to a bare name."""
        if self._indexed != len(self.visible) or self._of is not self.visible:
            self._index = {}
            for held in self.visible:
                self._index.setdefault(self.key(held.field.name), []).append(held)
            self._indexed, self._of = len(self.visible), self.visible
        return self._index.get(self.key(name), [])

    def relation(self, node: exp.Column) -> Relation | None:
        """Return the relation that a column's qualifier names, from the nearest scope that has one."""
        table = node.args["table"]
        db = node.args.get("db")
        wanted = self.key(stored(table, self.dialect))
        scope: Scope | None = self
        while scope is not None:
            found = scope.relations.get(wanted) or scope.written.get(wanted)
            if found is not None:
                if db is None:
                    return found
                schema = scope.key(stored(db, self.dialect))
                base = scope.key(found.base)
                return found if not found.renamed and base == f"{schema}.{wanted}" else None
            scope = scope.parent
        return None

    def known(self) -> list[str]:
        """Return the names of the columns in reach, for a hint."""
        names: list[str] = []
        scope: Scope | None = self
        while scope is not None and len(names) < MANY:
            names += [v.field.name for v in scope.visible]
            scope = scope.parent
        return names


def resolve(node: exp.Column, scope: Scope) -> Value | None:
    """Find what a column names and write it back in full.

    Returns:
        What it carries; None when nothing of that name is a column (it may still be a whole row).

    Raises:
        Refused: The name is ambiguous, or its qualifier has no such column.
    """
    identifier = node.this
    name = stored(identifier, scope.dialect)
    position = identifier.meta.get("start")
    if node.args.get("table") is not None:
        relation = scope.relation(node)
        if relation is None:
            refuse(
                "unknown_table",
                f"The name {node.table[:60]} is no table of this part of the statement.",
                f"{node.table}.{name}",
                position=node.args["table"].meta.get("start"),
                hint="Use the alias given in FROM.",
            )
        found = relation.fields_named(name, scope.dialect)
        if not found:
            raise unknown_column(name, (f.name for f in relation.fields), position)
        if len(found) > 1:
            raise ambiguous(name, position)
        _write(node, found[0].name, relation.alias)
        return found[0].value
    return _bare(node, name, scope, position)


def _bare(node: exp.Column, name: str, scope: Scope, position: int | None) -> Value | None:
    at: Scope | None = scope
    while at is not None:
        found = at.named(name)
        if at.aliases_first and at.aliases is not None and (value := at.aliases.get(at.key(name))) is not None:
            _write(node, name, None)
            either = value.columns.union(*(held.field.value.columns for held in found))
            return value if either == value.columns else Value(columns=either)
        if len(found) > 1:
            raise ambiguous(name, position)
        if found:
            _write(node, found[0].field.name, found[0].alias)
            return found[0].field.value
        if at.aliases is not None and (value := at.aliases.get(at.key(name))) is not None:
            _write(node, name, None)
            return value
        at = at.parent
    return None


def ambiguous(name: str, position: int | None) -> Exception:
    """Return the refusal of a name that two tables have."""
    return refused(
        "ambiguous_column",
        f"The column {name[:60]} is in more than one table.",
        name,
        position=position,
        hint="Write it as table.column.",
    )


def _write(node: exp.Column, name: str, alias: str | None) -> None:
    rename_identifier(node.this, name)
    held = node.args.get("table")
    if held is not None and alias is not None:
        rename_identifier(held, alias)
    else:
        node.set("table", quoted(alias) if alias is not None else None)
    if "db" in node.args:
        node.set("db", None)


def merge(left: tuple[Field, ...], right: tuple[Field, ...]) -> tuple[Field, ...]:
    """Return the result of a set operation: names of the first query, what both carry.

    Raises:
        Refused: They differ in their number of columns.
    """
    if len(left) != len(right):
        refuse("not_parsed", "The queries of a set operation differ in their number of columns.")
    return tuple(Field(name=a.name, value=either(a.value, b.value)) for a, b in zip(left, right, strict=True))


def either(one: Value, other: Value) -> Value:
    """Return what is carried by a value that is one of two."""
    computed = (one.columns - one.copied) | (other.columns - other.copied)
    return Value(
        columns=one.columns | other.columns,
        direct=one.direct and other.direct and one.columns == other.columns,
        counted=one.counted and other.counted,
        copied=(one.copied | other.copied) - computed,
    )


def rename(fields: tuple[Field, ...], names: list[str]) -> tuple[Field, ...]:
    """Return the fields under an alias list; those beyond it keep their names."""
    if len(names) > len(fields):
        refuse("not_parsed", "An alias list has more names than the table has columns.", ", ".join(names))
    return (
        *(Field(name=n, value=f.value) for n, f in zip(names, fields, strict=False)),
        *fields[len(names) :],
    )
