"""What PostgreSQL's own parser says of a text: its JSON tree, walked with the scopes of WITH.

Only what the comparison needs is kept. The walk keeps its own stack, so that a deep tree can't exhaust Python's.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Node = dict[str, Any]
Names = frozenset[str]

ROOTS: Final = {
    "SelectStmt": "read",
    "InsertStmt": "INSERT",
    "UpdateStmt": "UPDATE",
    "DeleteStmt": "DELETE",
    "MergeStmt": "MERGE",
}
KINDS: Final = frozenset(ROOTS.values())
_INNER: Final = {"larg": "SelectStmt", "rarg": "SelectStmt", "relation": "RangeVar", "typeName": "TypeName"}
"""Fields whose node comes without its name, since it can be of one kind only."""
_XML: Final = {
    "IS_XMLCONCAT": "xmlconcat",
    "IS_XMLELEMENT": "xmlelement",
    "IS_XMLFOREST": "xmlforest",
    "IS_XMLPARSE": "xmlparse",
    "IS_XMLPI": "xmlpi",
    "IS_XMLROOT": "xmlroot",
    "IS_DOCUMENT": "is_document",
}
_CALLS: Final = {
    "CoalesceExpr": "coalesce",
    "GroupingFunc": "grouping",
    "XmlSerialize": "xmlserialize",
    "JsonObjectConstructor": "json_object",
    "JsonArrayConstructor": "json_array",
    "JsonArrayQueryConstructor": "json_array",
    "JsonObjectAgg": "json_objectagg",
    "JsonArrayAgg": "json_arrayagg",
    "JsonParseExpr": "json",
    "JsonScalarExpr": "json_scalar",
    "JsonSerializeExpr": "json_serialize",
    "JsonFuncExpr": "json_query",
    "JsonTable": "json_table",
    "RangeTableFunc": "xmltable",
    "RangeTableSample": "tablesample",
    "CurrentOfExpr": "current of",
    "MergeSupportFunc": "merge_action",
}
_LIKE: Final = {
    "AEXPR_IN": "=",
    "AEXPR_LIKE": "~~",
    "AEXPR_ILIKE": "~~*",
    "AEXPR_SIMILAR": "~",
    "AEXPR_BETWEEN": "between",
    "AEXPR_NOT_BETWEEN": "between",
    "AEXPR_BETWEEN_SYM": "between symmetric",
    "AEXPR_NOT_BETWEEN_SYM": "between symmetric",
    "AEXPR_DISTINCT": "is distinct",
    "AEXPR_NOT_DISTINCT": "is distinct",
}
"""Operators that can be written with NOT before or inside: one word for both."""


@dataclass(slots=True, kw_only=True)
class Heard:
    """One statement as PostgreSQL reads it.

    Attributes:
        kind: A value of `ROOTS`, or the parser's name of any other statement.
        target: Of a write: schema (empty where none is named) and table.
        relations: Every other table read, the same way; names of WITH are resolved and left out.
        functions: Names called; of the engine's schema by their last part, of any other as `schema.name`.
        operators: Symbols, and words for those that can hold a NOT.
        types: Names of the types cast to.
        values: Functions without brackets, such as `current_date`.
        strings: With how often each stands there; bit strings too.
        numbers: The same, without their signs; those that belong to a type's name left out.
        columns: The last part of every column reference.
        parts: How often each part of a statement stands there: negations, joins by kind, clauses...
        parameters: Numbers of the placeholders.
        odd: Locks, INTO, statements inside that change rows: what a statement that may be sent never has.
        outputs: Explicit name of each result column or None; None as a whole where a star hides how many there are.
        limit: The statement's own row limit when it is a plain number.
        filtered: The statement itself has a WHERE clause.
    """

    kind: str
    target: tuple[str, str] | None = None
    relations: set[tuple[str, str]] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    operators: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    strings: Counter[str] = field(default_factory=Counter)
    numbers: Counter[str] = field(default_factory=Counter)
    columns: set[str] = field(default_factory=set)
    parts: Counter[str] = field(default_factory=Counter)
    parameters: set[int] = field(default_factory=set)
    odd: set[str] = field(default_factory=set)
    outputs: tuple[str | None, ...] | None = ()
    limit: int | None = None
    filtered: bool = False


def heard(statement: Node) -> Heard:
    """Return what one statement of the parser's JSON says."""
    ((kind, root),) = statement.items()
    found = Heard(kind=ROOTS.get(kind, kind))
    relation = root.get("relation")
    if kind in ROOTS and isinstance(relation, dict):
        found.target = (relation.get("schemaname", ""), relation.get("relname", ""))
        if "catalogname" in relation:
            found.odd.add("another database")
    found.outputs = _outputs(root)
    found.filtered = "whereClause" in root
    limit = root.get("limitCount", {}).get("A_Const", {})
    if "ival" in limit:
        found.limit = int(limit["ival"].get("ival", 0))
    stack: list[tuple[str, Node, Names]] = [(kind, root, frozenset())]
    while stack:
        name, node, scope = stack.pop()
        _note(name, node, scope, found, is_root=node is root)
        stack.extend(_children(node, scope, is_target=node is root and kind != "SelectStmt"))
    return found


def _children(node: Node, scope: Names, *, is_target: bool) -> Iterator[tuple[str, Node, Names]]:
    clause = node.get("withClause")
    if isinstance(clause, dict):
        queries = [item["CommonTableExpr"] for item in clause.get("ctes", ())]
        names = frozenset(query["ctename"] for query in queries)
        seen = scope | names if clause.get("recursive") else scope
        for query in queries:
            yield "CommonTableExpr", query, seen
            seen |= {query["ctename"]}
        scope |= names
    for key, value in node.items():
        if key not in {"withClause", "typmods"} and not (is_target and key == "relation"):
            yield from _found(key, value, scope)


def _found(key: str, value: Any, scope: Names) -> Iterator[tuple[str, Node, Names]]:
    """Yield the nodes that a field holds, each with its kind; a field of one kind only is called by the field."""
    if isinstance(value, list):
        for item in value:
            yield from _found(key, item, scope)
    elif isinstance(value, dict):
        if len(value) == 1:
            ((name, inner),) = value.items()
            if name[:1].isupper() and isinstance(inner, dict):
                yield name, inner, scope
                return
        yield _INNER.get(key, key), value, scope


def _note(name: str, node: Node, scope: Names, found: Heard, *, is_root: bool) -> None:
    look = _LOOKS.get(name)
    if name == "RangeVar":
        _table(node, scope, found)
    elif look is not None:
        look(node, found)
    elif name in _CALLS:
        found.functions.add(_CALLS[name])
    elif name.endswith("Stmt") and not is_root:
        found.odd.add("a statement inside another one")


def _table(node: Node, scope: Names, found: Heard) -> None:
    schema, table = node.get("schemaname", ""), node.get("relname", "")
    if "catalogname" in node:
        found.odd.add("another database")
    if schema or table not in scope:
        found.relations.add((schema, table))


def _call(node: Node, found: Heard) -> None:
    found.functions.add(_name(node["funcname"]))


def _operator(node: Node, found: Heard) -> None:
    kind, word = node["kind"], _name(node.get("name", ()))
    if word != "+" or "lexpr" in node:  # a sign that says nothing
        found.operators.add(_LIKE.get(kind) or word.removeprefix("!"))
    found.parts["not"] += "_NOT_" in kind or word[:1] == "!" or (kind == "AEXPR_IN" and word == "<>")
    if kind == "AEXPR_NULLIF":
        found.functions.add("nullif")


def _condition(node: Node, found: Heard) -> None:
    word = node["boolop"].removesuffix("_EXPR").lower()
    found.parts[word] += max(len(node["args"]) - 1, 1)


def _test(node: Node, found: Heard) -> None:
    test = node.get("nulltesttype") or node["booltesttype"]
    found.parts["not"] += "_NOT_" in test
    test = test.replace("_NOT_", "_")
    found.parts["IS_NULL" if test == "IS_UNKNOWN" else test] += 1


def _subquery(node: Node, found: Heard) -> None:
    found.parts[node["subLinkType"]] += 1
    if node.get("operName"):
        found.operators.add(_name(node["operName"]))


def _query(node: Node, found: Heard) -> None:
    if node["op"] != "SETOP_NONE":
        found.parts[node["op"] + (" ALL" if node.get("all") else "")] += 1
    for part in ("distinctClause", "whereClause", "havingClause", "limitCount", "limitOffset"):
        found.parts[part] += part in node
    found.parts["groups"] += len(node.get("groupClause", ()))


def _column(node: Node, found: Heard) -> None:
    last = node["fields"][-1].get("String")
    if last is not None:
        found.columns.add(last["sval"])


def _literal(node: Node, found: Heard) -> None:
    if "sval" in node:
        found.strings[node["sval"].get("sval", "")] += 1
    elif "ival" in node:
        found.numbers[str(abs(node["ival"].get("ival", 0)))] += 1
    elif "fval" in node:
        number = node["fval"].get("fval", "").lstrip("-").casefold()
        found.numbers[f"0{number}" if number.startswith(".") else number] += 1
    elif "bsval" in node:
        found.strings[node["bsval"].get("bsval", "").casefold()] += 1


_LOOKS: Final[Mapping[str, Callable[[Node, Heard], object]]] = {
    "FuncCall": _call,
    "A_Expr": _operator,
    "BoolExpr": _condition,
    "NullTest": _test,
    "BooleanTest": _test,
    "SubLink": _subquery,
    "SelectStmt": _query,
    "ColumnRef": _column,
    "A_Const": _literal,
    "JoinExpr": lambda node, found: found.parts.update([node["jointype"]]),
    "SortBy": lambda node, found: found.parts.update(["sort " + node["sortby_dir"]]),
    "CaseWhen": lambda _, found: found.parts.update(["when"]),
    "TypeName": lambda node, found: found.types.add(_name(node.get("names", ()))),
    "SQLValueFunction": lambda node, found: found.values.add(
        node["op"].removeprefix("SVFOP_").removesuffix("_N").lower()
    ),
    "MinMaxExpr": lambda node, found: found.functions.add(node["op"].removeprefix("IS_").lower()),
    "XmlExpr": lambda node, found: found.functions.add(_XML.get(node["op"], node["op"].lower())),
    "ParamRef": lambda node, found: found.parameters.add(int(node.get("number", 0))),
    "intoClause": lambda _, found: found.odd.add("INTO"),
    "LockingClause": lambda _, found: found.odd.add("row locks"),
}


def _name(parts: Iterable[Mapping[str, Any]]) -> str:
    words = [part["String"]["sval"] for part in parts if "String" in part]
    if len(words) > 1 and words[0] == "pg_catalog":
        words = words[1:]
    return ".".join(words)


def _outputs(root: Node) -> tuple[str | None, ...] | None:
    """Return the names that the top query gives its result columns."""
    node = root
    while "larg" in node:
        node = node["larg"]
    if "valuesLists" in node:
        return tuple(None for _ in node["valuesLists"][0]["List"]["items"])
    listed = node.get("targetList", ()) if "op" in node else root.get("returningClause", {}).get("exprs", ())
    names: list[str | None] = []
    for item in listed:
        target = item["ResTarget"]
        fields = target.get("val", {}).get("ColumnRef", {}).get("fields", ())
        steps = target.get("val", {}).get("A_Indirection", {}).get("indirection", ())
        if any("A_Star" in part for part in (*fields, *steps)):
            return None
        names.append(target.get("name"))
    return tuple(names)
