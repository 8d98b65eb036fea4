"""The name a result column has when the statement gives it none, as the engine would choose it.

PostgreSQL: FigureColname in its parser. SQLite: the text of the expression. The name is then written out, so it holds
whatever the engine would have chosen.
"""

import re

from sqlglot import exp

from langguard.sql.dialects import RULES
from langguard.sql.names import stored

_CALL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FIXED: dict[type[exp.Expr], str] = {
    exp.Exists: "exists",
    exp.Array: "array",
    exp.AtTimeZone: "timezone",
    exp.Trim: "btrim",
    exp.GroupConcat: "string_agg",
    exp.Extract: "extract",
    exp.Cast: "",
    exp.Case: "case",
    exp.Coalesce: "coalesce",
    exp.CurrentTimestamp: "current_timestamp",
    exp.CurrentDate: "current_date",
    exp.CurrentTime: "current_time",
    exp.StrPosition: "position",
    exp.Pow: "power",
}
_TYPE_NAMES = {
    "INT": "int4",
    "BIGINT": "int8",
    "SMALLINT": "int2",
    "DECIMAL": "numeric",
    "DOUBLE": "float8",
    "FLOAT": "float4",
    "BOOLEAN": "bool",
    "CHAR": "bpchar",
}


def implied_name(node: exp.Expr, dialect: str, text: str) -> str:
    """Return the name of an output that has no alias.

    Args:
        node: The expression, before its names are resolved.
        dialect: Whose rule.
        text: The statement it was parsed from.
    """
    if RULES[dialect].output_names == "text":
        return str(node.name) if isinstance(node, exp.Column) else node.sql(dialect, comments=False)
    return _postgres(node, text) or "?column?"


def _postgres(node: exp.Expr, text: str) -> str:
    match node:
        case exp.Column():
            return stored(node.this, "postgres") if isinstance(node.this, exp.Identifier) else ""
        case exp.Cast():
            kind = node.to.this.value
            return _postgres(node.this, text) or _TYPE_NAMES.get(kind, kind.lower())
        case exp.Case():
            default = node.args.get("default")
            return (_postgres(default, text) if isinstance(default, exp.Column) else "") or "case"
        case exp.Paren() | exp.Collate() | exp.Bracket() | exp.Window() | exp.Filter() | exp.WithinGroup():
            return _postgres(node.this, text)
        case exp.Subquery():
            first = node.this.selects[:1] if isinstance(node.this, exp.Query) else []
            if not first:
                return ""
            return (
                stored(first[0].args["alias"], "postgres")
                if isinstance(first[0], exp.Alias)
                else _postgres(first[0], text)
            )
        case exp.Binary() if not node.meta.get("start"):
            return ""
        case _ if type(node) in _FIXED and not _spelled(node, text):
            return _FIXED[type(node)]
        case exp.Func():
            return _spelled(node, text) or node.sql_name().lower()
        case _:
            return ""


def _spelled(node: exp.Expr, text: str) -> str:
    """Return a function's name as the statement spells it."""
    start = node.meta.get("start")
    found = _CALL.match(text, start) if isinstance(start, int) else None
    return found.group().lower() if found is not None else ""
