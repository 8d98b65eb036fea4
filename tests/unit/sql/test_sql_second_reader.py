"""PostgreSQL's own parser beside ours: what it hears, and that it never refuses what is plain."""

from dataclasses import replace
from importlib import import_module

import msgspec
import pytest

from langguard.protocol import Facts, Refusal, SqlObligations, View
from langguard.sql import LIMITS, analyze, rewrite, second_reader
from langguard.sql.second_tree import heard

TWO = replace(LIMITS, second_reader=True)


def listen(text):
    (statement,) = msgspec.json.decode(second_reader.reader()(text))["stmts"]
    return heard(statement["stmt"])


def test_it_says_which_it_is():
    assert second_reader.described().startswith("pglast 8.")
    assert "(PostgreSQL " in second_reader.described()


@pytest.mark.parametrize(
    ("text", "relations"),
    [
        ("with a as (select 1) select * from a", set()),
        ("with a as (select * from b), b as (select 1) select * from a", {("", "b")}),
        ("with recursive a as (select * from b), b as (select 1) select * from a", set()),
        ("with a as (select * from a) select * from a", {("", "a")}),
        ("with recursive a as (select 1 union select * from a) select * from a", set()),
        ("with a as (select 1) select * from s.a", {("s", "a")}),
        ("select * from (with a as (select 1) select * from a) x, a", {("", "a")}),
        ("with a as (select 1) select (select 1 from (select * from a) y)", set()),
        ("select 1 from t where exists (select 1 from u join v on true)", {("", "t"), ("", "u"), ("", "v")}),
        ('select * from "T"', {("", "T")}),
        ("select * from T", {("", "t")}),
        ("table t", {("", "t")}),
        ("select * from t, lateral (select * from u) x", {("", "t"), ("", "u")}),
        ("select 1 union select 1 from t union select 1 from u", {("", "t"), ("", "u")}),
    ],
)
def test_names_of_with_are_resolved_where_they_are_seen(text, relations):
    assert listen(text).relations == relations


@pytest.mark.parametrize(
    ("text", "functions"),
    [
        ("select count(*) filter (where abs(x) > 1) from t", {"count", "abs"}),
        ("select pg_catalog.upper('x'), s.f(1)", {"upper", "s.f"}),
        ("select * from generate_series(1, 2), rows from (unnest(array[1]), f(2)) x",
         {"generate_series", "unnest", "f"}),
        ("select trim(x), extract(year from y), substring(x from 1), x at time zone 'utc' from t",
         {"btrim", "extract", "substring", "timezone"}),
        ("select coalesce(a, b), greatest(a, b), least(a, b), nullif(a, b), grouping(a) from t group by a",
         {"coalesce", "greatest", "least", "nullif", "grouping"}),
        ("select xmlelement(name x), json_object('a': 1), json_arrayagg(x) from t",
         {"xmlelement", "json_object", "json_arrayagg"}),
        ("select 1 from t tablesample system (1)", {"tablesample"}),
    ],
)  # fmt: skip
def test_functions_are_found_wherever_they_stand(text, functions):
    assert listen(text).functions == functions


@pytest.mark.parametrize(
    "text",
    [
        "select 1 from t for update",
        "select * from (select 1 from t for share) x",
        "select 1 into x",
        "with x as (delete from t returning *) select * from x",
        "insert into t with x as (update t set a = 1 returning a) select * from x",
        "select * from other.public.t",
    ],
)
def test_what_no_sent_statement_has_is_odd(text):
    assert listen(text).odd


def test_a_write_is_heard_with_its_target():
    found = listen("with x as (select 1) insert into s.x select * from x on conflict do nothing returning a as b, c")
    assert (found.kind, found.target, found.relations) == ("INSERT", ("s", "x"), set())
    assert found.outputs == ("b", None)
    assert listen("update t set a = 1 where b").filtered
    assert not listen("delete from t").filtered
    assert listen("vacuum").kind == "VacuumStmt"


def test_limits_outputs_and_placeholders():
    found = listen("select a, b as c, $2 from t where x = $1 limit 5")
    assert (found.limit, found.outputs, found.parameters) == (5, (None, "c", None), {1, 2})
    assert listen("select 1 limit 0").limit == 0
    assert listen("select 1 limit all").limit is None
    assert listen("select 1 fetch first row only").limit == 1
    assert listen("select t.* from t").outputs is None
    assert listen("values (1, 2), (3, 4)").outputs == (None, None)
    assert listen("select 1, 2 union select 3, 4").outputs == (None, None)


TOLD_WRONG = [
    ({"tables": ()}, "which tables"),
    ({"tables": ("public.customers", "public.orders")}, "which tables"),
    ({"functions": ("count",)}, "which functions"),
    ({"functions": ()}, "which functions"),
    ({"parameters": 0}, "its placeholders"),
    ({"limit": None}, "its row limit"),
    ({"limit": 6}, "its row limit"),
    ({"outputs": ()}, "its result columns"),
    ({"written": ("public.customers",)}, "what kind of statement"),
]


@pytest.mark.parametrize(("wrong", "about"), TOLD_WRONG)
def test_facts_that_do_not_fit_what_is_sent_are_refused(wrong, about, catalogs):
    text = "select upper(name) as n, count(*) from customers where id = $1 group by 1 limit 5"
    facts = analyze(text, "postgres", catalogs["postgres"])
    assert isinstance(facts, Facts)
    second_reader.agree(text, facts, catalogs["postgres"])
    with pytest.raises(Exception, match="readers_disagree") as caught:
        second_reader.agree(text, msgspec.structs.replace(facts, **wrong), catalogs["postgres"])
    assert about in caught.value.refusal.reason


@pytest.mark.parametrize(
    ("text", "wrong", "about"),
    [
        ("update customers set name = 'x' where id = 1", "update customers set name = 'x'", "WHERE"),
        ("delete from customers where id = 1", "delete from orders where id = 1", "tables"),
        ("insert into customers (id) values (1)", "delete from customers", "kind"),
    ],
)
def test_a_write_sent_otherwise_is_refused(text, wrong, about, catalogs):
    facts = analyze(text, "postgres", catalogs["postgres"])
    assert isinstance(facts, Facts)
    with pytest.raises(Exception, match="readers_disagree") as caught:
        second_reader.agree(text, msgspec.structs.replace(facts, statement=wrong), catalogs["postgres"])
    assert about in caught.value.refusal.reason


CAME_OTHERWISE = [
    # as if the canonical text had been made of another text: each differs in one thing only
    ("select id from customers where id > 1", "select id from customers where id > 2", "values"),
    ("select id from customers where name = 'x'", "select id from customers where name = 'X'", "values"),
    ("select id from customers where id > 1", "select id from customers where id < 1", "functions and operators"),
    ("select id from customers where id > 1", "select id from customers where not id > 1", "conditions"),
    ("select id from customers where id > 1 and id > 1",
     "select id from customers where id > 1 or id > 1", "conditions"),
    ("select id from customers where name is null", "select id from customers where name is not null", "conditions"),
    ("select id from customers where name like 'x'", "select id from customers where name not like 'x'", "conditions"),
    ("select id from customers where id in (1)", "select id from customers where id not in (1)", "conditions"),
    ("select id from customers where id > 1", "select id from customers", "kind"),
    ("select id from customers order by id", "select id from customers order by id desc", "conditions"),
    ("select id from customers", "select distinct id from customers", "conditions"),
    ("select c.id from customers c join orders o on o.id = c.id",
     "select c.id from customers c left join orders o on o.id = c.id", "conditions"),
    ("select id from customers union select id from orders",
     "select id from customers union all select id from orders", "conditions"),
    ("select sum(id) from customers", "select max(id) from customers", "functions"),
    ("select cast(id as text) from customers", "select cast(id as date) from customers", "types"),
    ("select id from customers", "select id from orders", "tables"),
    ("select id from customers", "select id, id from customers", "result columns"),
    ("select id as a from customers", "select id as b from customers", "result columns"),
    ("select id from customers limit 1", "select id from customers limit 2", "values"),
    ("select id from customers", "select name from customers", "columns"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "came", "about"), CAME_OTHERWISE)
def test_a_text_that_says_otherwise_than_the_one_sent_is_refused(sent, came, about, catalogs):
    facts = analyze(sent, "postgres", catalogs["postgres"])
    assert isinstance(facts, Facts)
    second_reader.agree(sent, facts, catalogs["postgres"])
    with pytest.raises(Exception, match="readers_disagree") as caught:
        second_reader.agree(came, facts, catalogs["postgres"])
    assert about in caught.value.refusal.reason


PLAIN = [
    "select ceiling(total), mod(id, 2), id ^ 2, |/ total, variance(total), char_length(note) from orders group by 1, 2",
    "select date_trunc('day', placed), date_part('year', placed), extract(month from placed) from orders",
    "select now(), current_date, localtimestamp, interval '1' day, interval '3 mons', now() - interval '30 min'",
    "select substr(name, 2), substring(name from 2 for 3), substring(name for 3), strpos(name, 'x') from customers",
    "select name from customers where name !~* 'x' and name not ilike 'y' and id not between 1 and 2",
    "select name from customers where (id > 1) is not true or (id > 1) is unknown",
    "select distinct on (region) region, name from customers order by region, id desc nulls last",
    "select * from customers c natural join (select id from orders) o",
    "select * from orders o join customers i using (id) cross join lateral (select 1 as one) l",
    "select o.doc ->> 'a', o.doc #>> '{a,b}', o.tags[1], o.tags && array['x'] from orders o",
    "select row_number() over w, sum(total) over (order by id rows 2 preceding) from orders window w as (order by id)",
    "select string_agg(name, ', ' order by name), percentile_cont(0.5) within group (order by id) from customers",
    "select region, count(*) from customers group by grouping sets ((region), ()) having count(*) > .5",
    "with recursive t(n) as (values (1) union all select n + 1 from t where n < 5) select sum(n) from t",
    "select id from customers fetch first row only",
    "select id from customers order by id fetch first 2 rows with ties",
    "values (1, 'a'), (2, 'b')",
    "select -id, +id, - -id from customers",
    "select d::date from generate_series('2024-02-20'::date, '2024-03-05'::date, '1 day') d",
    "select round(1.5e0, 1)",
    "table customers",
    "select 1 where $1 = 1 and $2 = 'x'",
    "select exists (select 1), array(select id from customers), 1 = any(array[1, 2]), (1, 2) in (select 1, 2)",
    "select cast('1' as numeric(10, 2)), '2024-01-01'::date, timestamp '2024-01-01', 1::bigint",
    "select trim(both 'x' from name), overlay(name placing 'y' from 1), name collate \"C\" from customers",
    "select placed at time zone 'utc', (placed, placed) overlaps (placed, placed), note similar to 'x' from orders",
    'select "Name" from hr."Staff" s where s.salary <> 1 and s.salary != 2',
    "insert into customers (id, name) select 1, 'y' on conflict (id) do update set name = 'x' returning id",
    "update customers c set name = upper(c.name) from orders o where o.customer_id = c.id returning c.id as changed",
    "merge into customers c using orders o on c.id = o.customer_id when matched then update set name = o.note "
    "when not matched then insert (id, name) values (1, 'x')",
    "delete from customers using orders o where o.customer_id = customers.id",
]  # fmt: skip


@pytest.mark.parametrize("text", PLAIN)
def test_plain_statements_are_heard_alike(text, catalogs):
    facts = analyze(text, "postgres", catalogs["postgres"], limits=TWO)
    assert isinstance(facts, Facts), facts
    sent = rewrite(facts, SqlObligations(rows=10), catalogs["postgres"], limits=TWO)
    assert isinstance(sent, str), sent


def test_a_view_counts_as_the_tables_under_it(make_catalog):
    plain = make_catalog("postgres")
    made = analyze("select id, name from customers", "postgres", plain)
    view = View(
        schema="public",
        name="people",
        columns=plain.tables[0].columns[:2],
        outputs=made.outputs,
        touched=made.touched,
        tables=made.tables,
    )
    held = msgspec.structs.replace(plain, views=(view,))
    assert isinstance(analyze("select name from people", "postgres", held, limits=TWO), Facts)


def test_without_the_package_one_reader_reads(catalogs, monkeypatch):
    def missing(name):
        if name.startswith("pglast"):
            raise ImportError(name)
        return import_module(name)

    monkeypatch.setattr(second_reader, "import_module", missing)
    second_reader.reader.cache_clear()
    second_reader.described.cache_clear()
    try:
        assert second_reader.described() == ""
        assert isinstance(analyze("select id from customers", "postgres", catalogs["postgres"], limits=TWO), Facts)
    finally:
        second_reader.reader.cache_clear()
        second_reader.described.cache_clear()


def test_it_is_asked_about_postgresql_only_and_only_where_wanted(catalogs, monkeypatch):
    asked = []
    monkeypatch.setattr(second_reader, "reader", lambda: lambda text: asked.append(text) or '{"stmts": []}')
    assert isinstance(analyze("select id from customers", "sqlite", catalogs["sqlite"], limits=TWO), Facts)
    assert isinstance(analyze("select id from customers", "postgres", catalogs["postgres"]), Facts)
    assert asked == []
    found = analyze("select id from customers", "postgres", catalogs["postgres"], limits=TWO)
    assert isinstance(found, Refusal)
    assert found.code == "readers_disagree"


def test_a_deep_tree_is_refused_and_not_a_crash(catalogs):
    text = "select " + " || ".join(["name"] * 499) + " from customers"
    found = analyze(text, "postgres", catalogs["postgres"], limits=TWO)
    assert isinstance(found, Facts) or found.code == "too_complex"


def test_a_reader_that_fails_refuses(catalogs, monkeypatch):
    def broken(text):
        raise ValueError(text)

    monkeypatch.setattr(second_reader, "reader", lambda: broken)
    found = analyze("select id from customers where name = 'zebra'", "postgres", catalogs["postgres"], limits=TWO)
    assert isinstance(found, Refusal)
    assert "zebra" not in repr(found)
