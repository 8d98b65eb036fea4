"""The row cap, in text and in what a database then returns."""

import pytest

from langguard.protocol import Facts, Refusal, SqlObligations
from langguard.sql import analyze, rewrite

CAPS = [
    ("select id from customers", 4, "the cap and one row more"),
    ("select id from customers limit 2", 2, "a smaller limit stays"),
    ("select id from customers limit 1000", 4, "a larger one is cut"),
    ("select id from customers limit 1000 offset 28", 2, "an offset stays"),
    ("select id from customers limit 0", 0, "none stays none"),
    ("select id from customers limit -1", 4, "SQLite's -1 means no limit"),
    ("select id from customers limit 1 + 1", 2, "an expression is kept and capped"),
    ("select id from customers limit $1", 4, "a placeholder too"),
    ("select id from customers limit 10, 20", 4, "offset, limit"),
    ("select id from customers union all select id from orders", 4, "a union is capped as a whole"),
    ("select id from customers union all select id from orders limit 2", 2, "a union's own limit stays"),
    ("values (1), (2), (3), (4), (5), (6)", 4, "VALUES"),
    ("select id, id from customers", 4, "names that repeat"),
    ("with x as (select id from customers limit 100) select * from x", 4, "a limit inside is not the limit"),
    ("select * from (select id from customers limit 2) x", 2, "an inner limit holds"),
    ("select count(*) from customers", 1, "one row"),
    ("select id from customers order by id desc limit $1", 4, "order is kept"),
]


@pytest.mark.parametrize(("statement", "rows"), [pytest.param(s, n, id=why) for s, n, why in CAPS])
def test_cap_holds_in_sqlite(statement, rows, catalogs, sqlite_shop):
    facts = analyze(statement, "sqlite", catalogs["sqlite"])
    assert isinstance(facts, Facts), facts
    sent = rewrite(facts, SqlObligations(rows=3), catalogs["sqlite"])
    assert isinstance(sent, str), sent
    binds = {"1": 1000} if facts.parameters else {}
    got = sqlite_shop.execute(sent, binds).fetchall()
    assert len(got) == rows
    assert got == sqlite_shop.execute(statement, binds).fetchmany(rows)
    again = analyze(sent, "sqlite", catalogs["sqlite"])
    assert isinstance(again, Facts)
    assert again.statement == sent
    assert again.outputs == facts.outputs


@pytest.mark.parametrize(("own", "cap", "limit"), [(None, 10, 11), (5, 10, 5), (11, 10, 11), (12, 10, 11), (7, 0, 1)])
def test_limit_is_the_smaller(own, cap, limit, catalogs):
    text = "select id from customers" + ("" if own is None else f" limit {own}")
    facts = analyze(text, "postgres", catalogs["postgres"])
    assert isinstance(facts, Facts)
    assert facts.limit == own
    sent = rewrite(facts, SqlObligations(rows=cap), catalogs["postgres"])
    assert isinstance(sent, str)
    assert sent.endswith(f" LIMIT {limit}")


@pytest.mark.parametrize(
    "statement",
    ["update orders set total = 1 where id = 2", "delete from orders", "insert into orders (id) values (1)"],
)
def test_writes_are_not_capped(statement, catalogs):
    facts = analyze(statement, "postgres", catalogs["postgres"])
    assert isinstance(facts, Facts)
    assert rewrite(facts, SqlObligations(rows=1), catalogs["postgres"]) == facts.statement


def test_facts_that_do_not_fit_their_text_are_refused(catalogs):
    """`rewrite` trusts no facts: it analyses the text it returns."""
    one = analyze("select id from customers", "postgres", catalogs["postgres"])
    other = analyze("select email from customers", "postgres", catalogs["postgres"])
    assert isinstance(one, Facts)
    assert isinstance(other, Facts)
    forged = Facts(
        statement=other.statement, actions=one.actions, tables=one.tables, touched=one.touched, outputs=one.outputs
    )
    assert isinstance(rewrite(forged, SqlObligations(rows=1), catalogs["postgres"]), Refusal)
    drop = Facts(statement="drop table customers", actions=("read",))
    assert isinstance(rewrite(drop, SqlObligations(rows=1), catalogs["postgres"]), Refusal)
    write = Facts(statement="delete from orders", actions=("read",), tables=("public.orders",))
    assert isinstance(rewrite(write, SqlObligations(rows=1), catalogs["postgres"]), Refusal)
    assert isinstance(rewrite(one, SqlObligations(rows=-1), catalogs["postgres"]), Refusal)
    assert isinstance(rewrite(one, SqlObligations(rows=1), catalogs["sqlite"]), Refusal)


@pytest.mark.parametrize("name", ['a"b', "a'b", "a;b", "--", "/*", "$1", "x) from orders --", "\u00fc", "select"])
def test_names_are_quoted_whole(name, catalogs, sqlite_shop):
    spelled = name.replace('"', '""')
    for dialect in ("postgres", "sqlite"):
        facts = analyze(f'select id as "{spelled}" from customers as "{spelled}"', dialect, catalogs[dialect])
        assert isinstance(facts, Facts), facts
        assert [o.name for o in facts.outputs] == [name]
        assert len(facts.tables) == 1
    sent = rewrite(facts, SqlObligations(rows=1), catalogs["sqlite"])
    assert isinstance(sent, str)
    assert sqlite_shop.execute(sent).description[0][0] == name


def test_literals_survive(catalogs, sqlite_shop):
    for text in ["it''s", "a\\b", "-- x", "/* y */", '"q"', "$1", "%s", "ünï", "a\nb", "''''", "\u00a0"]:
        facts = analyze(f"select '{text}' as x", "sqlite", catalogs["sqlite"])
        assert isinstance(facts, Facts), facts
        sent = rewrite(facts, SqlObligations(rows=1), catalogs["sqlite"])
        assert isinstance(sent, str)
        assert sqlite_shop.execute(sent).fetchone() == (text.replace("''", "'"),)
