"""Placeholders that stand close together are placeholders."""

import pytest

from langguard.protocol import Facts, Refusal
from langguard.sql import analyze, catalog_of

TABLES = {"people": ["id", "name"]}
DIALECTS = ("postgres", "duckdb", "sqlite", "mysql")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("SELECT name FROM people WHERE id IN ($1,$2)", 2),
        ("SELECT name FROM people WHERE id IN ($1,$2,$1,$2,$3)", 3),
        ("SELECT name FROM people WHERE (id=$1)or(name=$2)", 2),
        ("SELECT name FROM people WHERE name='$1,$2' AND id IN ($1,$2)", 2),
        ("SELECT name FROM people /* $1,$2 */ WHERE id IN ($1,$2)", 2),
        ("SELECT name FROM people WHERE id IN ($10,$9,$8,$7,$6,$5,$4,$3,$2,$1)", 10),
    ],
)
def test_placeholders_need_no_space(dialect: str, text: str, count: int) -> None:
    found = analyze(text, dialect, catalog_of(TABLES, dialect))
    assert isinstance(found, Facts), found
    assert found.parameters == count
    if "'" in text:
        assert "'$1,$2'" in found.statement


@pytest.mark.parametrize("dialect", ["postgres", "duckdb"])
def test_a_dollar_quoted_string_stays_one(dialect: str) -> None:
    text = "SELECT name FROM people WHERE name = $q$a,$1,$2,b$q$ AND id IN ($1,$2)"
    found = analyze(text, dialect, catalog_of(TABLES, dialect))
    assert isinstance(found, Facts), found
    assert "'a,$1,$2,b'" in found.statement
    assert found.parameters == 2


def test_a_refusal_points_at_the_text_that_came() -> None:
    text = "SELECT name FROM people WHERE id IN ($1,$2,$3) AND nam = 1"
    found = analyze(text, "postgres", catalog_of(TABLES, "postgres"))
    assert isinstance(found, Refusal)
    assert found.position is not None
    assert text[found.position :].startswith("nam ")
