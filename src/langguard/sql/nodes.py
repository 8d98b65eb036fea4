"""A tree held against the allow-list: whatever is not listed is refused, by name."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from sqlglot import exp

from langguard.protocol import Action
from langguard.sql.allowed import KNOWN, MODIFIERS, QUERIES, WRITES
from langguard.sql.dialects import RULES, Rules
from langguard.sql.refusals import Refused, refuse, refused
from langguard.sql.suggest import likely_function

PLACEHOLDER = re.compile(r"\$[1-9][0-9]{0,3}")


@dataclass(slots=True)
class Tree:
    """A parsed statement whose every node is listed, and those of its nodes that are asked for again.

    Attributes:
        root: The statement.
        parameters: Numbers of the placeholders $1, $2...
        listed: Lower-case names that the statement follows with a list of columns or a bracket: `t(a, b)`, `w AS (`.
        names: Lower-case names of all identifiers.
        types: Every type named.
        rules: Of its dialect.
    """

    root: exp.Expr
    rules: Rules
    parameters: set[int] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    types: list[exp.DataType] = field(default_factory=list)


def check(root: exp.Expr, dialect: str, functions: frozenset[str]) -> Tree:
    """Refuse a tree that holds a node, argument, type or placeholder beyond the lists.

    Args:
        root: One parsed statement.
        dialect: Whose lists hold.
        functions: Lower-case names that may be called by nodes without a class of their own.

    Raises:
        Refused: Names the first offending part.
    """
    if not isinstance(root, (*QUERIES, *WRITES)):
        raise _node(root)
    tree = Tree(root, RULES[dialect])
    rules = _by_class(dialect)
    nodes: list[exp.Expr] = [root]
    for node in nodes:  # grows: each node appends its children, so it is read level by level
        kind = type(node)
        rule = rules.get(kind)
        if rule is None:
            rule = rules[kind] = _rule(kind, tree.rules)
        if rule is NOT_LISTED:
            raise _node(node)
        if kind in _WRITE_KINDS and node is not root and not _is_branch(node):
            refuse(
                "write_inside_read",
                "A statement that changes rows may not stand inside another one.",
                _text(node),
                hint="Send the INSERT, UPDATE or DELETE on its own.",
                actions=("read", "write"),
            )
        for key, value in node.args.items():
            if not value:
                continue
            if rule is not ANY_ARGUMENT and key not in rule:
                raise _modifier(node, key)
            of = type(value)
            if of is str or of is bool:
                continue
            if of is list:
                nodes += [child for child in value if isinstance(child, exp.Expr)]
            elif isinstance(value, exp.Expr):
                nodes.append(value)
        look = _LOOKS.get(kind)
        if look is not None:
            look(node, tree, functions)
    return tree


def _is_branch(node: exp.Expr) -> bool:
    """Whether a write is what a MERGE does in one of its cases."""
    return isinstance(node.parent, exp.When) and node.arg_key == "then" and not isinstance(node, exp.Merge)


def same_tree(one: exp.Expr, other: exp.Expr) -> bool:
    """Whether two trees are equal node for node, so that they are written as the same text.

    Trees that differ in nothing but an absent argument and an empty one are equal; where parsers leave other traces
    the answer is False.
    """
    pairs: list[tuple[exp.Expr, exp.Expr]] = [(one, other)]
    for left, right in pairs:
        if type(left) is not type(right):
            return False
        if type(left) is exp.Anonymous and _called_alike(left, right):
            pairs.extend(zip(left.expressions, right.expressions, strict=True))
            continue
        mine, theirs = left.args, right.args
        for key in mine if len(mine) >= len(theirs) and mine.keys() >= theirs.keys() else {**mine, **theirs}:
            a, b = mine.get(key), theirs.get(key)
            if a is b:
                continue  # strings and numbers of one spelling, True, None
            if isinstance(a, exp.Expr) and isinstance(b, exp.Expr):
                pairs.append((a, b))
            elif isinstance(a, list) and isinstance(b, list):
                if len(a) != len(b):
                    return False
                for x, y in zip(a, b, strict=True):
                    if isinstance(x, exp.Expr) and isinstance(y, exp.Expr):
                        pairs.append((x, y))
                    elif x != y or isinstance(x, exp.Expr) or isinstance(y, exp.Expr):
                        return False
            elif (
                isinstance(a, exp.Expr)
                or isinstance(b, exp.Expr)
                or (None if a == [] else a) != (None if b == [] else b)
            ):
                return False
    return True


def _called_alike(left: exp.Expr, right: exp.Expr) -> bool:
    """Whether two plain calls are of one function, in whatever case, with as many arguments."""
    one, other = left.this, right.this
    return (
        isinstance(one, str)
        and isinstance(other, str)
        and one.lower() == other.lower()
        and len(left.expressions) == len(right.expressions)
        and left.args.keys() <= {"this", "expressions"}
        and right.args.keys() <= {"this", "expressions"}
    )


ANY_ARGUMENT: frozenset[str] = frozenset({"*"})
NOT_LISTED: frozenset[str] = frozenset({"!"})
_FOUND: dict[str, dict[type, frozenset[str]]] = {}


def _by_class(dialect: str) -> dict[type, frozenset[str]]:
    """Return what was found out about a dialect's node classes so far; it is filled as they occur."""
    return _FOUND.setdefault(dialect, {})


def _rule(kind: type, rules: Rules) -> frozenset[str]:
    """Return the arguments a node class may have, ANY_ARGUMENT, or NOT_LISTED."""
    rule = rules.nodes.get(kind.__name__, NOT_LISTED)
    return ANY_ARGUMENT if rule is None else rule


def _call(node: exp.Expr, _tree: Tree, functions: frozenset[str]) -> None:
    if not isinstance(node.this, str) or node.this.lower() not in functions:
        raise function_refused(str(getattr(node.this, "name", node.this)), node.meta.get("start"), functions)


def _type(node: exp.Expr, tree: Tree, _functions: frozenset[str]) -> None:
    if not isinstance(node, exp.DataType) or not _listed_type(node, tree.rules):
        refuse(
            "type_not_allowed",
            "This type is not allowed.",
            _text(node),
            hint="Use a built-in type such as text, integer, numeric, date or timestamp.",
        )
    tree.types.append(node)


def _parameter(node: exp.Expr, tree: Tree, _functions: frozenset[str]) -> None:
    number = node.this
    if not (isinstance(number, exp.Literal) and not number.is_string and str(number.this).isdigit()):
        raise _node(exp.Placeholder())
    tree.parameters.add(int(number.this))


_WORDS = frozenset(
    {
        *(("Extract", "this"), ("Collate", "expression"), ("Normalize", "form")),
        ("Anonymous", "expressions"),  # the parser makes columns of these; a dialect's own rules make units of some
    }
)
"""Where in a call a bare word may stand beside the unit of time: by the grammar. Elsewhere it could be a column."""


def _var(node: exp.Expr, tree: Tree, _functions: frozenset[str]) -> None:
    if PLACEHOLDER.fullmatch(node.name):
        tree.parameters.add(int(node.name[1:]))
    elif (
        isinstance(node.parent, exp.Func)
        and node.arg_key != "unit"
        and (type(node.parent).__name__, node.arg_key) not in _WORDS
    ):
        refuse(
            "construct_not_allowed", "This word in a call is not understood.", node.name, hint="Use another function."
        )


def _identifier(node: exp.Expr, tree: Tree, _functions: frozenset[str]) -> None:
    if not isinstance(node.this, str) or not node.this or "\x00" in node.this:
        raise _node(node)
    tree.names.add(node.this.lower())


def _alias_list(node: exp.Expr, tree: Tree, _functions: frozenset[str]) -> None:
    if node.args.get("columns"):
        tree.listed.add(node.name.lower())


def _inserted(node: exp.Expr, tree: Tree, _functions: frozenset[str]) -> None:
    if isinstance(node.this, exp.Table):
        tree.listed |= {node.this.name.lower(), node.this.alias.lower()}


def _windows(node: exp.Expr, tree: Tree, _functions: frozenset[str]) -> None:
    tree.listed.update(window.name.lower() for window in node.args.get("windows") or ())


def _cte(node: exp.Expr, tree: Tree, _functions: frozenset[str]) -> None:
    tree.listed.add(node.alias.lower())


_WRITE_KINDS = frozenset(WRITES)
_LOOKS: dict[type, Callable[[exp.Expr, Tree, frozenset[str]], None]] = {
    exp.Anonymous: _call,
    exp.DataType: _type,
    exp.Parameter: _parameter,
    exp.Var: _var,
    exp.Identifier: _identifier,
    exp.TableAlias: _alias_list,
    exp.Schema: _inserted,
    exp.Select: _windows,
    exp.CTE: _cte,
}


def _listed_type(node: exp.DataType, rules: Rules) -> bool:
    """Whether a type is the engine's own. Some of those have no class at the parser and come by name."""
    kind = node.args.get("kind")
    if kind is None:
        return getattr(node.this, "value", "") in rules.types
    return isinstance(kind, (exp.Identifier, exp.Var)) and kind.name.lower() in rules.named_types


def function_refused(name: str, position: int | None = None, allowed: Collection[str] = ()) -> Refused:
    """Return the refusal of a call to a function that is not listed; `allowed` are those that are."""
    meant = likely_function(name, allowed)
    hint = "Use plain SQL and the usual functions for text, numbers, dates and aggregates."
    return refused(
        "function_not_allowed",
        f"`{name[:60]}` is not an allowed function here.",
        name,
        position=position,
        hint=f"Use {meant}." if meant else hint,
    )


def _modifier(node: exp.Expr, key: str) -> Refused:
    value = node.args[key]
    held = value[0] if isinstance(value, list) else value
    at = _start(held if isinstance(held, exp.Expr) else node)
    if key in MODIFIERS:
        return _known(MODIFIERS[key], _text(node), at)
    return refused(
        "construct_not_allowed",
        f"This form of {type(node).__name__.upper()} ({key.strip('_').replace('_', ' ')}) is not allowed.",
        _text(node),
        position=at,
        hint="Write it in plain, standard SQL.",
    )


def _node(node: exp.Expr) -> Refused:
    name = type(node).__name__
    if name in KNOWN:
        return _known(KNOWN[name], _text(node), _start(node))
    if isinstance(node, exp.Func):
        return function_refused(node.sql_name().lower() if name != "Anonymous" else node.name, node.meta.get("start"))
    return refused(
        "construct_not_allowed",
        f"{name} is not allowed.",
        _text(node),
        position=_start(node),
        hint="Write it in plain, standard SQL.",
    )


def _start(node: exp.Expr) -> int | None:
    """Return where in the text the first word of a node that the parser noted stands."""
    starts = [n.meta["start"] for n in node.walk() if isinstance(n.meta.get("start"), int)]
    return min(starts, default=None)


def _known(known: tuple[str, str, tuple[Action, ...]], fragment: str, position: int | None) -> Refused:
    what, hint, actions = known
    verb = "" if what.endswith((" are", " is")) else " and is" if not what.endswith("and") else " is"
    return refused(
        "construct_not_allowed", f"{what}{verb} not allowed.", fragment, position=position, hint=hint, actions=actions
    )


def _text(node: exp.Expr) -> str:
    """Return the statement's own words for a node, for a refusal; the tree is small by the gate's limits."""
    try:
        return node.sql(comments=False)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return type(node).__name__
