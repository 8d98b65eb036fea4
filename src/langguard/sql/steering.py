"""What decides which rows come back: a value can be read out of a count, a join or a limit as well as out of a column.

A column may decide as it is: compared with fixed values (=, <, IN, LIKE, BETWEEN, IS NULL) or, for equality, with
another column. That tells one yes or no for each question asked. A computed form of it (`ascii(substr(name, 1, 1))`)
next to a series of numbers tells whole columns at once; such columns are noted as steering, for policy to judge.
"""

from sqlglot import exp

from langguard.sql.scope import NOTHING, Scope, resolve

_SPLIT = (exp.And, exp.Or, exp.Not, exp.Paren, exp.Where, exp.Having)
_EQUAL = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ, exp.In)
_FIXED = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.Between, exp.Is)
_SAME_TEXT = (exp.Lower, exp.Upper, exp.Trim, exp.Collate, exp.Paren)
_SAME_LETTERS = (exp.Lower, exp.Upper, exp.Collate, exp.Paren)
_LOOKS = (exp.Column, exp.Query, exp.Subquery)


def leaves(root: exp.Expr) -> list[exp.Expr]:
    """Return the single tests of a condition."""
    found: list[exp.Expr] = []
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, _SPLIT):
            stack.extend(child for child in (node.this, node.args.get("expression")) if isinstance(child, exp.Expr))
        else:
            found.append(node)
    return found


def is_plain(test: exp.Expr, scope: Scope, direct: dict[int, bool]) -> bool:
    """Return whether a test, its columns resolved, compares columns only as they are.

    Args:
        test: From `leaves`.
        scope: Where its columns are found.
        direct: By the id of a query inside it: whether all its columns are base columns, unchanged.
    """
    if isinstance(test, exp.Exists):
        return True  # its own conditions were looked at where they stand
    if isinstance(test, _EQUAL):
        return all(_is_column(part, scope) or _is_fixed(part) or _is_query(part, direct) for part in _operands(test))
    if isinstance(test, _FIXED):
        first, *rest = _operands(test)
        if _is_fixed(first):
            return all(_is_column(part, scope) or _is_fixed(part) for part in rest) and len(rest) == 1
        return _is_column(first, scope) and all(_is_fixed(part) for part in rest)
    return _is_column(test, scope) or _is_fixed(test)


def copied_in(node: exp.Expr, scope: Scope) -> frozenset[str]:
    """Return the base columns that an expression gives as they are, in other letter case, or a fixed value instead.

    Args:
        node: Its columns resolved.
        scope: Where they are found.
    """
    while isinstance(node, _SAME_LETTERS):
        node = node.this
    if isinstance(node, exp.Coalesce) and all(_is_fixed(part) for part in node.expressions):
        return copied_in(node.this, scope)
    value = resolve(node, scope) if type(node) is exp.Column else None
    return NOTHING if value is None else value.copied


def _operands(test: exp.Expr) -> list[exp.Expr]:
    return [
        part
        for value in test.args.values()
        for part in (value if isinstance(value, list) else [value])
        if isinstance(part, exp.Expr)
    ]


def _is_fixed(node: exp.Expr) -> bool:
    return node.find(*_LOOKS) is None


def _is_query(node: exp.Expr, direct: dict[int, bool]) -> bool:
    query = node
    while isinstance(query, exp.Paren) or (isinstance(query, exp.Subquery) and id(query) not in direct):
        query = query.this
    return direct.get(id(query), False)


def _is_column(node: exp.Expr, scope: Scope) -> bool:
    while isinstance(node, _SAME_TEXT):
        if any(isinstance(part, exp.Expr) and part.find(*_LOOKS) for key, part in node.args.items() if key != "this"):
            return False
        node = node.this
    if isinstance(node, exp.Coalesce) and all(_is_fixed(part) for part in node.expressions):
        node = node.this
    if type(node) is not exp.Column:
        return False
    value = resolve(node, scope)
    return value is not None and (value.direct or not value.columns)
