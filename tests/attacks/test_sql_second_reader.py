"""Statements that our parser and PostgreSQL read differently: one of the two readers refuses each of them."""

from dataclasses import replace

import pytest

from langguard.protocol import Catalog, Column, Facts, Refusal, SqlObligations, Table
from langguard.sql import LIMITS, analyze, rewrite

TWO = replace(LIMITS, second_reader=True)
KINDS = {"id": "number", "placed": "time", "j": "json", "at": "other", "ok": "boolean"}
COLUMNS = tuple(
    Column(name=name, type=KINDS.get(name, "text"), kind=KINDS.get(name, "text"))
    for name in ("id", "name", "ssn", "unit", "placed", "j", "at", "ok", "interval")
)
CATALOG = Catalog(
    dialect="postgres",
    default_schemas=("public",),
    tables=tuple(Table(schema="public", name=name, columns=COLUMNS) for name in ("people", "audit")),
)

DIFFERENT = [
    pytest.param('select U&"\\0073sn" from people', id="a column spelt in escapes"),
    pytest.param("select id from people where name = U&'\\0041'", id="a text spelt in escapes"),
    pytest.param("select !!'a'::tsquery from people", id="an operator read as NOT NOT"),
    pytest.param("select @ id from people", id="the absolute value read as a parameter"),
    pytest.param("select id from people where name @@@ ssn", id="an operator read as two"),
    pytest.param("select j -> '' from people", id="an access dropped with its key"),
    pytest.param("select j ->> '' from people", id="an access as text dropped with its key"),
    pytest.param("select id from people where at ?- at", id="a run of symbols split"),
    pytest.param("select id from people where at ?- -at", id="a run of symbols split before a sign"),
    pytest.param("select '<a/>' is document from people", id="a test for XML read as a name"),
    pytest.param("select id from people where name like 'a' like 'b'", id="a chain that PostgreSQL does not have"),
    pytest.param("select id, from people", id="a comma too many"),
    pytest.param("select id from people limit 1, 2", id="another engine's LIMIT"),
    pytest.param("select id from people where id == 1", id="another engine's equals"),
    pytest.param("select `id` from people", id="another engine's quotes"),
    pytest.param("select id from people where name regexp 'x'", id="another engine's word"),
    pytest.param("select if(ok, id, 0) from people", id="another engine's function"),
    pytest.param("select id from people qualify row_number() over () = 1", id="another engine's clause"),
    pytest.param("select top 1 id from people", id="another engine's limit in front"),
    pytest.param("select id div 2 from people", id="another engine's division"),
    pytest.param("select * exclude (ssn) from people", id="a star with an exception"),
    pytest.param("select id from people group by all", id="another engine's GROUP BY"),
    pytest.param("select id::int4::regclass from people", id="a cast that looks a table up"),
    pytest.param("select id from people for update", id="a lock"),
    pytest.param("select id from only (people)", id="a form only one of them has"),
    pytest.param('select "upper"(name) from people', id="a quoted function's quotes dropped"),
    pytest.param("select public.upper(name) from people", id="a function of another schema"),
    pytest.param("select people.upper from people", id="a call in the form of a column"),
    pytest.param("select current_user from people", id="a call without brackets"),
    pytest.param("select name from people where current_schema = name", id="a call without brackets in a filter"),
    pytest.param("with people as (delete from audit returning *) select id from people", id="a write in WITH"),
]


@pytest.mark.parametrize("text", DIFFERENT)
def test_one_of_two_readers_refuses_what_they_read_differently(text):
    found = analyze(text, "postgres", CATALOG, limits=TWO)
    if isinstance(found, Facts):
        found = rewrite(found, SqlObligations(rows=10), CATALOG, limits=TWO)
    assert isinstance(found, Refusal), found


ONLY_THE_SECOND = [
    "select id from people where at ?- at",
    "select id from people where at ?- -at",
]


@pytest.mark.parametrize("text", ONLY_THE_SECOND)
def test_some_of_them_only_the_second_reader_sees(text):
    """What it is for: should our own reading learn to refuse one of these, the row may go."""
    assert isinstance(analyze(text, "postgres", CATALOG), Facts)
    found = analyze(text, "postgres", CATALOG, limits=TWO)
    assert isinstance(found, Refusal)
    assert found.code == "readers_disagree"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("select date_trunc(ssn, placed) from people", 'DATE_TRUNC("people"."ssn", "people"."placed")'),
        ("select to_char(placed, 'YYYY a.d.') from people", "'YYYY a.d.'"),
        ("select interval '3 mons'", "mons"),
    ],
)
def test_what_a_parser_would_change_is_sent_as_it_came(text, kept):
    found = analyze(text, "postgres", CATALOG, limits=TWO)
    assert isinstance(found, Facts), found
    assert kept.lower() in found.statement.lower()
    assert ("ssn" in text) == ("public.people.ssn" in found.touched)
