"""A database's error quotes values in any form; what is said of it holds none."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langguard.drivers.failures import describe


class Diagnosis:
    def __init__(self, message):
        self.message_primary = message


def postgres(state, message):
    error = type("DriverError", (Exception,), {"sqlstate": state, "diag": Diagnosis(message)})
    return error(message)


@pytest.mark.parametrize(
    ("state", "message", "said"),
    [
        ("22P02", 'invalid input syntax for type integer: ""Anna anna@example.org', "could not be read as the type"),
        ("22P02", 'invalid input syntax for type integer: "Ann"', "could not be read as the type"),
        ("22021", 'invalid byte sequence for encoding "UTF8": 0xf0 0x41 0x6e 0x6e', "does not fit"),
        ("22008", "date field value out of range: 65-110-110", "out of range"),
        ("2202E", "index 65 out of valid range, 0..0", "does not fit"),
        ("23505", "duplicate key value: Key (email)=(anna@example.org) already exists.", "exists already"),
        ("P0001", "Anna", "no reason"),
        ("42883", "function anna(text) does not exist; Anna", "No function or operator"),
        ("42883", "operator does not exist: text > 'Anna'", "No function or operator"),
        ("42703", 'column "Anna" does not exist', "A column does not exist"),
    ],
)
def test_no_value_is_passed_on(state, message, said):
    text = describe(postgres(state, message))
    assert said in text
    assert f"[{state}]" in text
    for part in ("nna", "65", "0x", "anna@"):
        assert part not in text


@pytest.mark.parametrize(
    "message",
    [
        "operator does not exist: text > integer",
        "operator does not exist: timestamp without time zone + integer",
        "function lower(integer) does not exist",
        "function round(double precision, integer) does not exist",
    ],
)
def test_what_a_model_can_correct_itself_by_is_passed_on(message):
    assert message in describe(postgres("42883", message))


def test_a_column_missing_from_group_by_is_named():
    message = 'column "o.total" must appear in the GROUP BY clause or be used in an aggregate function'
    assert message in describe(postgres("42803", message))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT abs(-9223372036854775808)", "out of the range"),
        ("SELECT json('{Anna')", "as JSON"),
        ("SELECT CAST(x'ff' || 'Anna' AS TEXT)", "can't be reached: OperationalError"),
        ("SELECT json_extract('{}', 'Anna')", "no reason"),
    ],
)
def test_sqlite(statement, said):
    with closing(sqlite3.connect(":memory:")) as link, pytest.raises(sqlite3.Error) as caught:
        link.execute(statement).fetchall()
    text = describe(caught.value)
    assert said in text
    assert "Anna" not in text


@given(st.text(max_size=80), st.sampled_from(["22P02", "42883", "42803", "XX000", "", "nonsense"]))
def test_only_whole_sentences_of_names_come_through(message, state):
    text = describe(postgres(state, message))
    if len(message) > 3 and message not in describe(postgres(state, "")):
        assert message not in text or "does not exist" in message or "must appear" in message


def test_an_empty_message_is_still_a_sentence():
    assert describe(ValueError("")) == (
        "The database refused the statement: ValueError: It gave no reason that can be passed on."
    )
