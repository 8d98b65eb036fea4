"""Which allowed function a refused one was likely meant to be."""

import pytest

from langguard.protocol import Refusal
from langguard.sql import analyze
from langguard.sql.dialects import RULES
from langguard.sql.suggest import ELSEWHERE, likely_function


@pytest.mark.parametrize(
    ("dialect", "name", "meant"),
    [
        ("postgres", "lenght", "length"),
        ("postgres", "UPER", "upper"),
        ("postgres", "ifnull", "coalesce"),
        ("postgres", "nvl", "coalesce"),
        ("postgres", "group_concat", "string_agg"),
        ("postgres", "strftime", "to_char"),
        ("postgres", "getdate", "now"),
        ("sqlite", "to_char", "strftime"),
        ("sqlite", "strpos", "instr"),
        ("postgres", "pg_read_file", ""),
        ("postgres", "pg_sleep", ""),
        ("postgres", "nextval", ""),
        ("postgres", "dblink", ""),
        ("sqlite", "load_extension", ""),
        ("postgres", "x" * 5000, ""),
        ("postgres", "", ""),
    ],
)
def test_likely_function(dialect, name, meant):
    assert likely_function(name, RULES[dialect].functions) == meant


def test_only_what_is_allowed_is_suggested():
    assert likely_function("ifnull", frozenset({"length"})) == ""
    assert likely_function("length2", frozenset()) == ""


def test_nothing_is_suggested_for_itself():
    assert all(name not in meant for name, meant in ELSEWHERE.items())


def test_the_refusal_says_so(catalogs):
    found = analyze("select lenght(name) from customers", "postgres", catalogs["postgres"])
    assert isinstance(found, Refusal)
    assert found.reason == "`lenght` is not an allowed function here."
    assert found.hint == "Use length."
