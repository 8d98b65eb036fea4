"""What a column is read as where a mask stands below the filters: NULL or a constant, of the column's own type."""

from sqlglot import exp
from sqlglot.errors import SqlglotError

from langguard.protocol import Column
from langguard.sql.dialects import RULES

_BY_KIND = {
    "text": "TEXT",
    "number": "DECIMAL",
    "boolean": "BOOLEAN",
    "time": "TIMESTAMP",
    "uuid": "UUID",
    "json": "JSON",
}


def masked_value(column: Column, text: str | None, dialect: str) -> exp.Expr:
    """Return the expression a masked column is read as.

    Args:
        column: Its type is kept where the dialect would otherwise take NULL for another one.
        text: A constant; None for NULL. A column that holds no text is read as NULL.
        dialect: The parser's name.
    """
    value: exp.Expr = exp.Null() if text is None or column.kind != "text" else exp.Literal.string(text)
    rules = RULES[dialect]
    if not rules.typed_null:
        return value
    if isinstance(value, exp.Literal):
        return exp.Cast(this=value, to=exp.DataType.build("TEXT"))
    kind = _type(column.type, dialect)
    if kind is None or getattr(kind.this, "value", "") not in rules.types:
        name = _BY_KIND.get(column.kind)
        if name is None:
            return value
        kind = exp.DataType.build(name)
    return exp.Cast(this=value, to=kind)


def _type(text: str, dialect: str) -> exp.DataType | None:
    try:
        return exp.DataType.build(text, dialect=dialect)
    except (SqlglotError, ValueError):
        return None
