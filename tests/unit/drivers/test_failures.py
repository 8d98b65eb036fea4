"""A database's error quotes values; what is said of it holds none that the statement did not hold already."""

import pytest

from langguard.drivers.failures import describe


class DriverError(Exception):
    def __init__(self, message: str, state: str) -> None:
        super().__init__(message)
        self.sqlstate = state


@pytest.mark.parametrize(
    ("state", "message", "statement", "said", "unsaid"),
    [
        ("22P02", 'invalid input syntax for type integer: "anna@example.org"', "SELECT 1", "invalid input", "anna"),
        ("22P02", 'invalid input syntax for type integer: "Bo "anna" Li"', "SELECT 1", "invalid input", "anna"),
        ("22P02", 'invalid input syntax for type integer: "id" anna "id"', "SELECT id", "invalid input", "anna"),
        ("22P02", 'invalid input syntax for type integer: "id"', "SELECT id", 'integer: "..."', '"id"'),
        ("22P02", 'invalid input syntax for type integer: "anna\nlee"', "SELECT id", "integer: ", "anna"),
        ("22007", "can't read: (anna) (lee)", "SELECT 1", "can", "anna"),
        ("23505", "duplicate key\nDETAIL:  Key (email)=(anna@example.org) already exists.", "", "duplicate", "anna"),
        ("42703", 'column "nope" does not exist', 'SELECT "nope"', 'column "nope" does not exist', "..."),
        ("42703", 'column "nope" does not exist', "SELECT 1", 'column "..." does not exist', "nope"),
        ("42883", "function f(text, integer) does not exist", "SELECT 1", "function f(...)", "integer"),
        ("22003", "value 4111111111111111 is out of range", "SELECT 1", "is out of range", "4111"),
        ("22003", "value 'it''s anna' is bad", "SELECT 1", "is bad", "anna"),
        ("22003", "value 'anna", "SELECT 1", "value '...'", "anna"),
        ("P0001", "anna is not to be billed", "SELECT 1", "not shown", "anna"),
        ("", "Could not decode to UTF-8 column 'a' with text 'O'Brien anna'", "SELECT a", "Could not decode", "anna"),
        ("", "no such column: nope", "SELECT nope", "no such column: nope", "..."),
    ],
)
def test_values_are_left_out(state, message, statement, said, unsaid):
    text = describe(DriverError(message, state), statement)
    assert said in text
    assert unsaid not in text.removeprefix("The database refused the statement: DriverError")
    assert state in text


def test_an_empty_message_is_still_a_sentence():
    assert describe(ValueError(""), "") == "The database refused the statement: ValueError: "
