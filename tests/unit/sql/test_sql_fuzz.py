"""Random and mangled texts: analysis never raises, and what it lets through is stable."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langguard.protocol import Facts, Refusal, SqlObligations
from langguard.sql import actions, analyze, rewrite

VOCABULARY = r"""
select from where customers orders c o id name email total region note as , , ( ) * = < > || -> ->> :: ; 'x' "id" 1
2.5 $1 $2 and or not in exists case when then else end join left on using group by order limit offset union all with
recursive values insert into update set delete returning count sum max over partition window filter distinct null true
is like between interval date cast text integer [ ] . c.id o.total /* x */ -- U& E'\n' $$a$$ lateral for share
tablesample natural only fetch first rows ties pg_sleep nextval upper generate_series unnest row_number
"""
WORDS = st.sampled_from(VOCABULARY.split())
STARTS = st.sampled_from(
    [
        "select * from customers ",
        "select c.id, count(*) from customers c ",
        "with x as (select id from orders) select * from x ",
        "update orders set total = 1 ",
        "insert into orders (id) ",
        "delete from orders ",
        "values (1, 2) ",
        "",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=200),
    st.binary(max_size=100).map(lambda b: b.decode("latin-1")),
    st.tuples(STARTS, st.lists(WORDS, max_size=25).map(" ".join)).map("".join),
)
SETTINGS = settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("dialect", ["postgres", "sqlite"])
def test_analysis_never_raises_and_is_stable(dialect, catalogs):
    catalog = catalogs[dialect]

    @SETTINGS
    @given(TEXTS)
    def check(text):
        found = analyze(text, dialect, catalog)
        assert isinstance(found, Facts | Refusal)
        assert isinstance(actions(text, dialect), set)
        if isinstance(found, Facts):
            again = analyze(found.statement, dialect, catalog)
            assert again == found
            sent = rewrite(found, SqlObligations(rows=3), catalog)
            assert isinstance(sent, str | Refusal)

    check()


HOSTILE = {
    "nested brackets": "select " + "(" * 5000 + "1" + ")" * 5000,
    "nested functions": "select " + "upper(" * 23 + "'x'" + ")" * 23,
    "nested types": "select " + "cast(" * 20 + "1" + " as int)" * 20,
    "type constructors": "select " + "date(int(" * 11 + "1" + "))" * 11,
    "arrays": "select " + "array[" * 23 + "1" + "]" * 23,
    "case in case": "select " + "case when true then " * 23 + "1" + " end" * 23,
    "not not": "select " + "not " * 2000 + "true",
    "minus minus": "select " + "- " * 2000 + "1",
    "and": "select 1 where " + " and ".join(["1 = 1"] * 499),
    "plus": "select " + " + ".join(["1"] * 2000),
    "concat": "select " + " || ".join(["'a'"] * 2000),
    "in list": "select 1 where 1 in (" + ", ".join(["1"] * 2400) + ")",
    "subscripts": "select a" + "[1]" * 1500,
    "casts": "select 1" + "::int" * 1500,
    "arrows": "select '{}'::jsonb" + " -> 'a'" * 1500,
    "unions": "select 1" + " union all select 1" * 60,
    "subqueries": "select * from (" * 20 + "select 1" + ") x" * 20,
    "joins": "select 1 from customers c0" + "".join(f" join customers c{i} on true" for i in range(1, 200)),
    "commas": "select " + "," * 4000,
    "quotes": "select " + "'" * 4001,
    "dollars": "select " + "$" * 4000,
    "comment": "select 1 /*" + "x" * 60000,
    "nested comments": "select 1 " + "/*" * 4000,
    "semicolons": ";" * 5000,
    "between": "select " + " between ".join(["1"] * 1000),
    "like": "select " + " like ".join(["'1'"] * 1000),
    "collate": "select 'a'" + ' collate "C"' * 1000,
    "ctes": "with " + ", ".join(f"a{i} as (select 1 as x)" for i in range(300)) + " select * from a299",
    "doubling": "with "
    + "a0 as (select 1 as x), "
    + ", ".join(f"a{i} as (select p.x, q.x as y{i} from a{i - 1} p, a{i - 1} q)" for i in range(1, 40))
    + " select * from a39",
    "doubling stars": "with a0 as (select 1 as x, 2 as y), "
    + ", ".join(f"a{i} as (select p.*, q.* from a{i - 1} p, a{i - 1} q)" for i in range(1, 30))
    + " select * from a29",
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("dialect", ["postgres", "sqlite"])
def test_hostile_shapes_end_soon(name, dialect, catalogs):
    assert isinstance(analyze(HOSTILE[name], dialect, catalogs[dialect]), Facts | Refusal)
    assert isinstance(actions(HOSTILE[name], dialect), set)
