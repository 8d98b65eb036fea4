"""Each function that may be called, called with columns: none of them is read without being in the facts."""

import pytest
from sqlglot import TokenType, tokenize

from langguard.protocol import Catalog, Column, Facts, Table
from langguard.sql import analyze
from langguard.sql.dialects import RULES

NAMES = ("zc0", "zc1", "zc2", "zc3")
TABLE = Table(schema="main", name="zt", columns=tuple(Column(name=n, type="timestamp", kind="time") for n in NAMES))
GRAMMAR = {"extract", "timestampadd", "timestampdiff", "normalize", "xmlelement"}
"""Calls in whose grammar a bare word stands that is no column: a unit, a form, an element's name."""


@pytest.mark.parametrize("dialect", sorted(name for name, rules in RULES.items() if rules.runs))
def test_no_argument_is_read_that_the_facts_lack(dialect):
    catalog = Catalog(dialect=dialect, default_schemas=("main",), tables=(TABLE,))
    understood = 0
    for function in sorted(RULES[dialect].functions - GRAMMAR):
        for width in (2, 3):
            found = analyze(f"select {function}({', '.join(NAMES[:width])}) as o from zt", dialect, catalog)
            if not isinstance(found, Facts):
                continue
            understood += 1
            bare = {t.text.lower() for t in tokenize(found.statement, read=dialect) if t.token_type == TokenType.VAR}
            assert not bare & set(NAMES), found.statement
            assert set(found.touched) == set(found.outputs[0].columns), found.statement
    assert understood > 20


@pytest.mark.parametrize(
    ("dialect", "call"),
    [
        ("duckdb", "time_bucket(zc0, zc1, zc2)"),
        ("duckdb", "date_trunc(zc2, zc1)"),
        ("duckdb", "date_diff(zc2, zc1, zc0)"),
        ("duckdb", "last_day(zc2)"),
        ("postgres", "date_bin(zc0, zc1, zc2)"),
        ("postgres", "date_trunc(zc2, zc1)"),
        ("postgres", "date_part(zc2, zc1)"),
    ],
)
def test_a_column_where_the_parser_expects_a_word_is_a_column(dialect, call):
    catalog = Catalog(dialect=dialect, default_schemas=("main",), tables=(TABLE,))
    found = analyze(f"select {call} as o from zt", dialect, catalog)
    assert isinstance(found, Facts), found
    assert "main.zt.zc2" in found.touched
    assert "main.zt.zc2" in found.outputs[0].columns
