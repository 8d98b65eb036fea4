"""A database's error quotes values; what is said of it holds none that the statement did not hold already."""

import pytest

from langguard.drivers.failures import describe


class DriverError(Exception):
    sqlstate = "22P02"


@pytest.mark.parametrize(
    ("message", "statement", "said", "unsaid"),
    [
        ('invalid input syntax for type integer: "anna@example.org"', "SELECT 1", "invalid input syntax", "anna"),
        ("duplicate key\nDETAIL:  Key (email)=(anna@example.org) already exists.", "", "duplicate key", "anna"),
        ('column "nope" does not exist', 'SELECT "nope"', 'column "nope" does not exist', "..."),
        ("value 4111111111111111 is out of range", "SELECT 1", "is out of range", "4111"),
        ("value 'it''s anna' is bad", "SELECT 1", "is bad", "anna"),
        ("function f(text, integer) does not exist", "SELECT 1", "function f(...)", "integer"),
    ],
)
def test_values_are_left_out(message, statement, said, unsaid):
    text = describe(DriverError(message), statement)
    assert said in text
    assert unsaid not in text
    assert "22P02" in text


def test_an_empty_message_is_still_a_sentence():
    assert describe(ValueError(""), "") == "The database refused the statement: ValueError: "
