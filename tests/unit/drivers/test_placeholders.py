"""`$n` in canonical text becomes the driver's own placeholder, and nothing else in the text changes."""

import contextlib
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langguard.drivers.placeholders import render
from langguard.errors import TargetError

TEXT = """SELECT "a%", '$1 is 50% of ''it''', $2, "odd""$1" FROM "t" WHERE "x" = $1 AND "y" = $2"""


@pytest.mark.parametrize(
    ("style", "text", "parameters"),
    [
        (
            "qmark",
            """SELECT "a%", '$1 is 50% of ''it''', ?, "odd""$1" FROM "t" WHERE "x" = ? AND "y" = ?""",
            ("two", "one", "two"),
        ),
        (
            "format",
            """SELECT "a%%", '$1 is 50%% of ''it''', %s, "odd""$1" FROM "t" WHERE "x" = %s AND "y" = %s""",
            ("two", "one", "two"),
        ),
        (
            "pyformat",
            """SELECT "a%%", '$1 is 50%% of ''it''', %(p2)s, "odd""$1" FROM "t" WHERE "x" = %(p1)s AND "y" = %(p2)s""",
            {"p1": "one", "p2": "two"},
        ),
        ("numeric_dollar", TEXT, ("one", "two")),
    ],
)
def test_each_style(style, text, parameters):
    assert render(TEXT, ["one", "two"], style) == (text, parameters)


def test_without_values_the_text_goes_verbatim():
    assert render("SELECT '100%', $1", [], "pyformat") == ("SELECT '100%', $1", None)


@pytest.mark.parametrize(("text", "style"), [("SELECT $3", "qmark"), ("SELECT $0", "qmark"), ("SELECT $1", "odd")])
def test_what_has_no_value_or_no_style_is_refused(text, style):
    with pytest.raises(TargetError):
        render(text, ["one", "two"], style)


@given(st.text(alphabet="'\"$%1?:a ", max_size=30))
def test_a_literal_is_never_touched(inside):
    literal = "'" + inside.replace("'", "''") + "'"
    text, parameters = render(f"SELECT {literal}, $1", ["bound"], "qmark")
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        assert db.execute(text, parameters).fetchone() == (inside, "bound")
