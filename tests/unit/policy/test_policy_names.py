"""Names: what is suggested, what can be taken for another, and what a pattern means."""

import pytest

from langguard.policy import names


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("grant", ["grants", "rules"], "; did you mean `grants`?"),
        ("EMAIL", ["EMAIL_ADDRESS", "US_SSN"], "; did you mean `EMAIL_ADDRESS`?"),
        ("Orders", ["orders"], "; did you mean `orders`?"),
        ("xyz", ["a", "b"], "; valid: a, b"),
        ("xyz", [], "; none are valid"),
        ("xyz", [f"n{number}" for number in range(30)], ""),
    ],
)
def test_a_suggestion(name, options, said):
    assert names.suggest(name, options) == said


@pytest.mark.parametrize(
    "name", ["support", "Équipe Paris", "営業Team", "カタカナ漢字", "Поддержка", "a b", "ops@example.com"]
)
def test_names_people_have(name):
    assert names.unreadable(name) == ""


@pytest.mark.parametrize("name", ["suppоrt", "ορs team x", " a", "a ", "a\tb", "ﬁnance", "сору", "e\u0301quipe"])
def test_names_that_read_as_another(name):
    assert names.unreadable(name)


@pytest.mark.parametrize(
    ("pattern", "table", "covers", "touches"),
    [
        ("public.customers", "public.customers", True, True),
        ("public.customers", "public.customers2", False, False),
        ("public.customers", "Public.customers", False, False),
        ("public.*", "public.a", True, True),
        ("public.*", "publicx.a", False, False),
        ("*.customers", "audit.customers", True, True),
        ("*.customers", "audit.xcustomers", False, False),
        ("*.*", "a.b.c", True, True),
        pytest.param("a.*", "a.b.c", False, True, id="two readings: a deny takes both, a grant neither"),
        pytest.param("*.c", "a.b.c", False, True, id="two readings at the end"),
        ('a."b.c"', "a.b.c", True, True),
        ('"a.b".c', "a.b.c", True, True),
    ],
)
def test_a_table_pattern(pattern, table, covers, touches):
    found = names.table_pattern(pattern)
    assert found is not None
    assert (found.covers(table), found.touches(table)) == (covers, touches)


@pytest.mark.parametrize("text", ["", "*", "a", "a.b.c", "a.", ".a", "a..b", "a.b*", "a/b.c", 'a."b', "a. b", "a.b\n"])
def test_what_is_no_table_pattern(text):
    assert names.table_pattern(text) is None


@pytest.mark.parametrize("text", ["a.b.c", "x/a.b", "/a.b.c", "x/a.b.c.d", "x/a.b.c*", "x/y/a.b.c"])
def test_what_is_no_column_pattern(text):
    assert names.column_parts(text) is None
