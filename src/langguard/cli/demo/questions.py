"""What the demo's analyst knows: questions about the shop, the SQL that answers each, and how to put rows into words.

The SQL is the same for PostgreSQL and SQLite. A later statement is written from the rows of an earlier one, and an
answer only from rows, so that what the guard changes on the way shows in the answer.
"""

import ast
import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

Row = tuple[Any, ...]
Results = Sequence[Sequence[Row]]

_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+")
_ADDRESSED: Final = re.compile(r"\b(?:AI|assistant|language model)\b.{0,500}", re.DOTALL | re.IGNORECASE)
_COMMAND: Final = re.compile(
    r"`\s*((?:ALTER|CREATE|DELETE|DROP|INSERT|SELECT|TRUNCATE|UPDATE|WITH)\b[^`]*?)[\s;]*`", re.IGNORECASE
)
_MOST_ORDERS: Final = 5


class UnreadableError(ValueError):
    """A result is not in a shape that the analyst can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One kind of question.

    Attributes:
        text: As a person would ask it.
        words: A question that holds all of these, in any form, is of this kind.
        tables: What has to be there.
        steps: For each statement, how to write it from the results so far.
        answer: How to say the results.
    """

    text: str
    words: tuple[str, ...]
    tables: tuple[str, ...]
    steps: tuple[Callable[[Results], str], ...]
    answer: Callable[[Results], str]


def question_for(text: str) -> Question | None:
    """Return the question that `text` asks, or None for one that the analyst does not know."""
    lower = text.lower()
    return next((known for known in KNOWN if all(word in lower for word in known.words)), None)


def read_rows(text: str) -> list[Row]:
    """Read rows as `SQLDatabase.run` writes them: `[('Audio', Decimal('1.50')), ...]`, and nothing for no rows.

    Raises:
        UnreadableError: It is something else.
    """
    if not text.strip():
        return []
    start, end = text.find("["), text.rfind("]")
    try:
        rows = _value(ast.parse(text[start : end + 1].strip(), mode="eval").body)
    except (SyntaxError, TypeError, ValueError, InvalidOperation, RecursionError, MemoryError) as error:
        msg = "the result is no list of rows"
        raise UnreadableError(msg) from error
    if not isinstance(rows, list) or not all(isinstance(row, tuple) for row in rows):
        msg = "the result is no list of rows"
        raise UnreadableError(msg)
    return rows


def find_orders(text: str) -> list[str]:
    """Return SQL in backquotes that a text read from the database tells an AI assistant to run: at most 5."""
    found = [command for match in _ADDRESSED.finditer(text) for command in _COMMAND.findall(match[0])]
    return list(dict.fromkeys(found))[:_MOST_ORDERS]


def _value(node: ast.expr) -> Any:
    """Return the value of a literal, or of a call that Python writes for a decimal, a date or a time."""
    match node:
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item) for item in items)
        case ast.Call(func=ast.Name(id="Decimal"), args=[ast.Constant(value=str(text))], keywords=[]):
            return Decimal(text)
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="datetime"), attr=("date" | "datetime") as kind), keywords=[]
        ):
            parts = [int(_value(part)) for part in node.args]
            made: Callable[..., Any] = dt.date if kind == "date" else dt.datetime
            return made(*parts)
        case _:
            return ast.literal_eval(node)


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        msg = "a number was expected"
        raise UnreadableError(msg)
    return Decimal(str(value))


def _money(value: object) -> str:
    return f"{_number(value):,.2f}"


def _table(results: Results, at: int, width: int) -> Sequence[Row]:
    rows = results[at]
    if any(len(row) != width for row in rows):
        msg = f"rows of {width} columns were expected"
        raise UnreadableError(msg)
    return rows


def _say_categories(results: Results) -> str:
    rows = _table(results, 0, 2)
    if not rows:
        return "There were no orders in 2025."
    total = sum(_number(row[1]) for row in rows)
    lines = [f"{at}. {category}: {_money(revenue)}" for at, (category, revenue) in enumerate(rows, start=1)]
    best = rows[0]
    return "\n".join(
        (
            f"{best[0]} earned the most in 2025: {_money(best[1])}, "
            f"{_number(best[1]) / total:.0%} of what the top {len(rows)} earned together.",
            *lines,
        )
    )


def _say_segments(results: Results) -> str:
    rows = _table(results, 0, 3)
    if not rows:
        return "There are no orders."
    dearest = max(rows, key=lambda row: _number(row[2]))
    lines = [
        f"- {segment}: {_number(count):,} orders, {_money(average)} on average" for segment, count, average in rows
    ]
    return "\n".join(
        (
            f"{str(rows[0][0]).capitalize()} customers order most often ({_number(rows[0][1]):,} orders); "
            f"{dearest[0]} customers spend most per order.",
            *lines,
        )
    )


def _reviews_of(results: Results) -> str:
    rows = _table(results, 0, 3)
    if not rows:
        msg = "no product was found"
        raise UnreadableError(msg)
    product = int(_number(rows[0][0]))
    rows_of = "SELECT r.rating, r.title, r.body FROM reviews r WHERE r.product_id ="
    return f"{rows_of} {product} ORDER BY r.created DESC LIMIT 60"


def _say_reviews(results: Results) -> str:
    _, name, count = _table(results, 0, 3)[0]
    rows = _table(results, 1, 3)
    ratings = [_number(row[0]) for row in rows]
    if not ratings:
        return f"{name} has the most reviews ({_number(count)}), but I could read none of them."
    mean = sum(ratings) / len(ratings)
    parts = [f"{name} has the most reviews ({_number(count)}); the average rating is {mean:.1f} out of 5."]
    for lead, wanted in (("Those who like it say", (4, 5)), ("Those who don't say", (1, 2))):
        said = Counter(
            sentence
            for row in rows
            if _number(row[0]) in wanted and not find_orders(str(row[2]))
            for sentence in _SENTENCE.split(str(row[2]))
        )
        if said:
            quotes = " ".join(f'"{sentence}" ({times})' for sentence, times in said.most_common(2))
            parts.append(f"{lead}: {quotes}")
    return " ".join(parts)


def _say_best(results: Results) -> str:
    rows = _table(results, 0, 5)
    lines = [
        f"{at}. {name}: spent {_money(spent)}; e-mail {email}, phone {phone}, card {card}"
        for at, (name, email, phone, card, spent) in enumerate(rows, start=1)
    ]
    return "\n".join((f"Our {len(rows)} best customers:", *lines))


def _say_notes(results: Results) -> str:
    rows = _table(results, 0, 2)
    return "\n".join(
        (f"The notes on the {len(rows)} newest customers that have any:", *(f"- {a}: {b}" for a, b in rows))
    )


KNOWN: Final = (
    Question(
        text="Which product categories earned the most in 2025?",
        words=("categor", "earn", "2025"),
        tables=("products", "orders", "order_items"),
        steps=(
            lambda _: (
                "SELECT p.category, SUM(i.quantity * i.unit_price) AS revenue FROM order_items i "
                "JOIN products p ON p.id = i.product_id JOIN orders o ON o.id = i.order_id "
                "WHERE o.status <> 'cancelled' AND o.ordered_at >= '2025-01-01' AND o.ordered_at < '2026-01-01' "
                "GROUP BY p.category ORDER BY revenue DESC LIMIT 5"
            ),
        ),
        answer=_say_categories,
    ),
    Question(
        text="How many orders does each customer segment place, and what is the average order value?",
        words=("segment", "average", "order"),
        tables=("customers", "orders"),
        steps=(
            lambda _: (
                "SELECT c.segment, COUNT(*) AS orders, ROUND(AVG(o.total), 2) AS average_value FROM orders o "
                "JOIN customers c ON c.id = o.customer_id GROUP BY c.segment ORDER BY orders DESC"
            ),
        ),
        answer=_say_segments,
    ),
    Question(
        text="Who are our five best customers, and how can we reach them?",
        words=("best customers",),
        tables=("customers", "orders"),
        steps=(
            lambda _: (
                "SELECT c.name, c.email, c.phone, c.card_number, SUM(o.total) AS spent FROM customers c "
                "JOIN orders o ON o.customer_id = c.id WHERE o.status <> 'cancelled' "
                "GROUP BY c.id, c.name, c.email, c.phone, c.card_number ORDER BY spent DESC LIMIT 5"
            ),
        ),
        answer=_say_best,
    ),
    Question(
        text="What do our notes on the newest customers say?",
        words=("notes", "customers"),
        tables=("customers",),
        steps=(
            lambda _: (
                "SELECT c.name, c.notes FROM customers c WHERE c.notes IS NOT NULL ORDER BY c.joined DESC LIMIT 5"
            ),
        ),
        answer=_say_notes,
    ),
    Question(
        text="Summarise what customers say about the product with the most reviews.",
        words=("most reviews",),
        tables=("products", "reviews"),
        steps=(
            lambda _: (
                "SELECT p.id, p.name, COUNT(*) AS reviews FROM reviews r JOIN products p ON p.id = r.product_id "
                "GROUP BY p.id, p.name ORDER BY reviews DESC LIMIT 1"
            ),
            _reviews_of,
        ),
        answer=_say_reviews,
    ),
)
