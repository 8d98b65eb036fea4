"""The name a result column has when the statement gives it none, as the engine would choose it.

PostgreSQL: FigureColname in its parser. SQLite: the text of the expression as the statement has it, and a column's name
as its table declares it. DuckDB: its own way to write it. The name is then written out, so it holds whatever the engine
would have chosen.
"""

import re

from sqlglot import Token, TokenType, exp

from langguard.sql.dialects import RULES
from langguard.sql.names import stored

SHORT = 64
"""Characters that MySQL takes in the name of a column of a subquery."""
MANY_OPERATIONS = 64
_NO_WORD = re.compile(r"[^A-Za-z0-9]+")
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


WRITTEN = "written"
"""Where an output of a SELECT keeps the statement's own words for it."""
_OPENS = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET})
_CLOSES = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET})
_ENDS = frozenset(
    {
        *(TokenType.FROM, TokenType.WHERE, TokenType.GROUP_BY, TokenType.HAVING, TokenType.WINDOW, TokenType.ORDER_BY),
        *(TokenType.LIMIT, TokenType.OFFSET, TokenType.FETCH, TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT),
    }
)
Spans = list[tuple[int, int]]


def note_words(root: exp.Expr, tokens: list[Token], text: str) -> None:
    """Note on each output of each SELECT how the statement writes it.

    Where the words can't be told apart with certainty nothing is noted. They are nothing but names.
    """
    written = _written(tokens)
    selects = [root] if len(written) == 1 and isinstance(root, exp.Select) else _selects(root)
    if [len(s.expressions) for s in selects] != [len(w) for w in written]:
        return
    for select, spans in zip(selects, written, strict=True):
        for projection, (start, end) in zip(select.expressions, spans, strict=True):
            projection.meta[WRITTEN] = text[start : end + 1]


def _selects(root: exp.Expr) -> list[exp.Select]:
    """Return all SELECTs in the order of their words: the parser keeps it, but for WITH, which it puts last."""
    found: list[exp.Select] = []
    stack: list[tuple[exp.Expr, bool]] = [(root, False)]
    while stack:
        node, is_entered = stack.pop()
        if is_entered:
            found.append(node)  # type: ignore[arg-type]  # only SELECTs come back
            continue
        clause = node.args.get("with_")
        stack += [(child, False) for child in node.iter_expressions(reverse=True) if child is not clause]
        if isinstance(node, exp.Select):
            stack.append((node, True))
        if clause is not None:
            stack.append((clause, False))
    return found


def _written(tokens: list[Token]) -> list[Spans]:
    """Return for each SELECT the first and last character of each item of its list."""
    found: list[Spans] = []
    open_: list[Spans | None] = [None]  # by depth of brackets: the list that is being read there
    firsts: list[Token | None] = [None]
    last = tokens[0]
    for token in tokens:
        kind = token.token_type
        if kind in _CLOSES and len(open_) > 1:
            if (spans := open_.pop()) is not None and (first := firsts[-1]) is not None:
                spans.append((first.start, last.end))
            firsts.pop()
        spans, first = open_[-1], firsts[-1]
        if kind == TokenType.SELECT:
            found.append([])
            open_[-1], firsts[-1] = found[-1], None
        elif spans is not None and not (first is None and kind in {TokenType.DISTINCT, TokenType.ALL}):
            if kind == TokenType.COMMA or kind in _ENDS:
                if first is not None:
                    spans.append((first.start, last.end))
                firsts[-1] = None
                if kind in _ENDS:
                    open_[-1] = None
            elif first is None:
                firsts[-1] = token
        if kind in _OPENS:
            open_.append(None)
            firsts.append(None)
        last = token
    if open_[0] is not None and firsts[0] is not None:
        open_[0].append((firsts[0].start, last.end))
    return found


def implied_name(node: exp.Expr, dialect: str, text: str) -> str:
    """Return the name of an output that has no alias.

    Args:
        node: The expression, before its names are resolved.
        dialect: Whose rule.
        text: The statement it was parsed from.
    """
    how = RULES[dialect].output_names
    if how == "duckdb":
        return _duckdb(node)
    if how != "postgres":
        bare = node
        while isinstance(bare, exp.Paren):
            bare = bare.this
        if isinstance(bare, exp.Column):
            name = stored(bare.this, dialect)
        elif how == "word":
            name = "f_" + _NO_WORD.sub("_", _words(node, dialect)).strip("_")
        else:
            name = _words(node, dialect)
        return name if how == "text" else name[:SHORT].rstrip() or "?"
    return _postgres(node, text) or "?column?"


def _words(node: exp.Expr, dialect: str) -> str:
    return str(node.meta.get(WRITTEN) or node.sql(dialect, comments=False))


def declared_name(node: exp.Expr, resolved: exp.Expr, implied: str, dialect: str) -> str:
    """Return the name of an output without an alias where the engine names columns as their tables declare them.

    Args:
        node: The expression, its names resolved: a column's is written as it is declared.
        resolved: What stands in its place: a string where a name in double quotes was no column.
        implied: What `implied_name` made of it.
        dialect: Whose rule.
    """
    bare = resolved
    while isinstance(bare, exp.Paren):
        bare = bare.this
    if isinstance(bare, exp.Column):
        return stored(bare.this, dialect)
    replaced = isinstance(node, exp.Column) and RULES[dialect].literal_in_double_quotes
    return _words(node, dialect) if replaced else implied


def _duckdb(node: exp.Expr) -> str:
    while isinstance(node, exp.Paren):
        node = node.this
    match node:
        case exp.Column():
            return str(node.name)
        case exp.Count(this=exp.Star()):
            return "count_star()"
        case exp.Literal(is_string=False):
            return str(node.this)
        case exp.Binary() if not isinstance(node, exp.Func):
            return f"({_plain(node)})"
        case _:
            return _plain(node)


def _plain(node: exp.Expr) -> str:
    """Return an expression as DuckDB names it: every operation inside it in brackets, and no other.

    A chain of very many keeps none: its name is cut by nobody, and brackets that deep can't be written.
    """
    top = exp.Paren(this=node.copy())
    for inner in list(top.this.find_all(exp.Paren)):
        inner.replace(inner.this)
    operations = list(top.this.find_all(exp.Binary))
    for inner in operations if len(operations) <= MANY_OPERATIONS else ():
        if inner.parent is not top and not isinstance(inner, (exp.Func, exp.Dot)):
            around = exp.Paren()
            inner.replace(around)
            around.set("this", inner)
    text = top.this.sql("duckdb", comments=False, normalize_functions="lower")
    return re.sub(r"\blistagg\(", "string_agg(", text)


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
