"""Row filters and masks below filters: what is put in, what is refused, and what the proof does not let through."""

import msgspec
import pytest
from sqlglot import parse_one

from langguard.protocol import Catalog, Column, Facts, InnerMask, Refusal, RowFilter, SqlObligations, Table
from langguard.sql import analyze, check_filter, check_filter_alone, rewrite
from langguard.sql.holds import Holds
from langguard.sql.proof import kept, verify
from langguard.sql.views import Definition, with_views

WHERE = "region = 'EU'"
EU = '"_g1"."region" = \'EU\''


def filtered(catalog, *more, where=WHERE, masks=(), rows=9, **values):
    home = catalog.default_schemas[0]
    first = RowFilter(table=f"{home}.customers", where=where, values={k: tuple(v) for k, v in values.items()})
    return SqlObligations(
        rows=rows, filters=(first, *more), masks=tuple(InnerMask(column=f"{home}.{m}") for m in masks)
    )


def sent(statement, catalog, bound):
    facts = analyze(statement, catalog.dialect, catalog)
    assert isinstance(facts, Facts), facts
    return rewrite(facts, bound, catalog)


@pytest.mark.parametrize("dialect", ["postgres", "sqlite"])
def test_a_table_is_replaced_under_its_name(dialect, catalogs):
    held = catalogs[dialect]
    home = held.default_schemas[0]
    text = sent("select c.id from customers c", held, filtered(held))
    assert f'FROM (SELECT "_g1"."id" AS "id" FROM "{home}"."customers" AS "_g1" WHERE ({EU})) AS "c"' in text
    assert text.endswith("LIMIT 10")
    assert sent("select id from orders", held, filtered(held)).count("SELECT") == 1


CONDITIONS = [
    ("region = 'EU' or 1 = 1", None, "whatever it says, it is one condition"),
    ("lower(region) like 'e%' and created is not null", None, "listed functions"),
    ("customers.region = 'EU'", None, "the table's own name before a column"),
    ("name = principal.id", None, "the principal's id"),
    ("principal.name <> lower(name)", None, "on either side"),
    ("region in (principal.groups)", None, "groups in a list"),
    ("region not in ('x', principal.groups)", None, "and values beside them"),
    ("1 = 1) union select 1 from orders where (1 = 1", "not", "text that closes the bracket"),
    ("1 = 1; drop table customers", "", "a second statement"),
    ("1 = 1 -- x", None, "a comment is dropped"),
    ("id in (select customer_id from orders)", "one row", "a subquery"),
    ("exists (select 1 from orders)", "one row", "EXISTS"),
    ("count(*) > 1", "one row", "an aggregate"),
    ("row_number() over () = 1", "one row", "a window"),
    ("name = $1", "one row", "a placeholder"),
    ("orders.id = 1", "only", "another table"),
    ("regoin = 'EU'", "no column regoin", "a misspelt column"),
    ("\"regoin\" = 'EU'", "no column regoin", "a misspelt column in quotes, which SQLite would take for a text"),
    ("pg_sleep(1) is null", "allowed function", "a function that is not listed"),
    ("principal.email = name", "has no email", "an attribute there is not"),
    ("name = principal.groups", "in a list", "groups without IN"),
    ("id = principal.id", "text", "a number compared with a text: an engine may convert either"),
    ("name || principal.id = 'x'", "no other way", "an attribute inside an expression"),
    ("length(principal.id) = 1", "no other way", "or a function"),
    ("name like principal.id", "no other way", "or a pattern"),
    ("region = 'EU' as x", "", "an alias"),
    ("region = 'EU' limit 1", "", "more than a condition"),
    ("", "", "nothing"),
    ("*", "", "a star"),
]


@pytest.mark.parametrize("dialect", ["postgres", "sqlite"])
@pytest.mark.parametrize(("where", "why"), [pytest.param(w, y, id=note) for w, y, note in CONDITIONS])
def test_conditions(where, why, dialect, catalogs):
    held = catalogs[dialect]
    found = check_filter(where, f"{held.default_schemas[0]}.customers", held)
    bound = filtered(held, where=where, id=["x"], name=["x"], kind=["service"], groups=["EU", "a') or ('1' = '1"])
    text = sent("select name from customers", held, bound)
    if why is None:
        assert found is None
        assert check_filter_alone(where, dialect) is None
        assert isinstance(text, str), text
        again = analyze(text, dialect, held)
        assert set(again.tables) == {f"{held.default_schemas[0]}.customers"}
    else:
        assert isinstance(found, Refusal)
        assert why in f"{found.reason} {found.hint}"
        assert isinstance(text, Refusal)


@pytest.mark.parametrize("value", ["it's", "''", "\\", "\\' or 1=1 --", "a\nb", '"', "$1", "ünï", "x" * 300])
@pytest.mark.parametrize("dialect", ["postgres", "sqlite"])
def test_a_principal_s_values_stay_values(value, dialect, catalogs):
    held = catalogs[dialect]
    text = sent("select id from customers", held, filtered(held, where="name = principal.id", id=[value]))
    assert isinstance(text, str), text
    literals = [
        node.this for node in parse_one(text, dialect=dialect).find_all(type(parse_one("'x'"))) if node.is_string
    ]
    assert literals == [value]


def test_no_groups_is_no_row(catalogs):
    text = sent(
        "select id from customers",
        catalogs["postgres"],
        filtered(catalogs["postgres"], where="region in (principal.groups)", groups=[]),
    )
    assert "WHERE (FALSE)" in text


def test_a_value_that_is_missing_refuses(catalogs):
    held = catalogs["postgres"]
    found = sent("select id from customers", held, filtered(held, where="name = principal.id"))
    assert isinstance(found, Refusal)
    assert found.code == "row_filter"


def test_letter_case_of_the_table_does_not_open_it(catalogs):
    held = catalogs["sqlite"]
    bound = SqlObligations(rows=1, filters=(RowFilter(table="MAIN.Customers", where=WHERE),))
    assert EU in sent("select id from CUSTOMERS", held, bound)


ATTACKS = [
    "with customers as (select id from customers) select id from customers",
    'select "customers"."id" from "public"."customers" as "customers"',
    "select public.customers.id from public.customers",
    "select o.id from orders as customers join customers as o on true",
    "select id from orders where id in (select id from customers where region = 'US')",
    "select o.id from orders o join products p on exists (select 1 from customers c where c.id = o.id)",
    "select id from orders order by (select max(id) from customers)",
    "select id from orders limit (select count(*) from customers)",
    "select 1 union select id from customers order by 1",
    "select (select name from customers limit 1)",
    "select x.id from orders o, lateral (select id from customers where id = o.id) x",
    "select count(*) filter (where exists (select 1 from customers)) from orders",
    "values ((select max(name) from customers))",
    "select _g1.id from customers as _g1",
    "select g1._g1 from (select id as _g1 from customers) as g1",
    "insert into orders (id) select id from customers returning id",
    "insert into orders (id) values ((select max(id) from customers))",
    "update orders set note = (select max(name) from customers)",
    "update orders set note = c.name from customers c where c.id = orders.id returning c.region",
    "delete from orders using customers c where c.id = orders.id",
    "delete from customers where id = 1 or 1 = 1 returning name",
    "update customers c set name = 'x' from customers d where c.id = d.id",
]


@pytest.mark.parametrize("statement", ATTACKS)
def test_no_shape_reaches_the_bare_table(statement, catalogs):
    held = catalogs["postgres"]
    text = sent(statement, held, filtered(held))
    assert isinstance(text, str), text
    bare = text.count('"public"."customers"')
    assert bare
    assert text.count("\"region\" = 'EU'") == bare


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("update customers set region = 'EU' where id = 1", "row_filter"),
        ("update customers set (id, region) = (1, 'EU')", None),
        (
            "insert into customers (id, region) values (1, 'EU') on conflict (id) do update set region = 'EU'",
            "row_filter",
        ),
        ("update customers set name = 'x' where email = 'y'", "row_filter"),
        ("update customers set name = email", "row_filter"),
        ("delete from customers returning email", "row_filter"),
        ("select customers from customers", None),
    ],
)
def test_writes_that_would_move_rows_or_read_a_masked_column_are_refused(statement, code, catalogs):
    held = catalogs["postgres"]
    facts = analyze(statement, "postgres", held)
    found = facts if isinstance(facts, Refusal) else rewrite(facts, filtered(held, masks=["customers.email"]), held)
    assert isinstance(found, Refusal)
    assert code is None or found.code == code


LOG = (Column(name="id", type="integer", kind="number"), Column(name="region", type="text", kind="text"))


def parted() -> Catalog:
    return Catalog(
        dialect="postgres",
        default_schemas=("public",),
        tables=(
            Table(schema="public", name="logs", columns=LOG),
            Table(schema="public", name="logs_1", columns=LOG, parents=("public.logs",)),
            Table(schema="public", name="logs_1a", columns=LOG, parents=("public.logs_1",)),
        ),
    )


def test_a_filter_holds_for_parts_and_keeps_the_whole_shut():
    held = parted()
    whole = SqlObligations(rows=1, filters=(RowFilter(table="public.logs", where=WHERE),))
    for name in ("logs", "logs_1", "logs_1a"):
        assert EU in sent(f"select id from {name}", held, whole)
    part = SqlObligations(rows=1, filters=(RowFilter(table="public.logs_1a", where=WHERE),))
    assert EU in sent("select id from logs_1a", held, part)
    for statement in ("select id from logs", "select 1 from logs_1", "delete from logs", "select id from only logs"):
        found = sent(statement, held, part)
        assert isinstance(found, Refusal)
        assert found.code == "row_filter"
    mask = SqlObligations(rows=1, masks=(InnerMask(column="public.logs_1.region"),))
    for name in ("logs", "logs_1", "logs_1a"):
        assert "NULL" in sent(f"select region from {name}", held, mask)


def test_a_view_is_read_through_its_definition_or_not_at_all(catalogs):
    columns = (Column(name="who", type="text", kind="text"),)
    query = "select name as who from public.customers"
    held = with_views(catalogs["postgres"], (Definition(schema="public", name="people", columns=columns, query=query),))
    assert EU.replace("_g1", "_g2") in sent("select who from people", held, filtered(held))
    lost = msgspec.structs.replace(held, views=tuple(msgspec.structs.replace(v, query="") for v in held.views))
    assert isinstance(sent("select who from people", lost, filtered(lost)), Refusal)
    hidden = msgspec.structs.replace(held, tables=tuple(t for t in held.tables if t.name != "customers"))
    assert isinstance(sent("select who from people", hidden, filtered(hidden)), Refusal)
    own = RowFilter(table="public.people", where="who <> 'x'")
    assert "'x'" in sent("select who from people", held, SqlObligations(rows=1, filters=(own,)))
    assert isinstance(sent("select who from people", held, filtered(held, own)), Refusal)


TABLE = '"public"."customers"'
GUARD = f"SELECT c.id AS id FROM (SELECT %s FROM {TABLE} AS g %s) AS c"
BROKEN = [
    f"SELECT c.id AS id FROM {TABLE} AS c",
    GUARD % ("g.id AS id", ""),
    GUARD % ("g.id AS id", "WHERE (g.region = 'US')"),
    GUARD % ("g.id AS id", "WHERE (g.region = 'EU') OR TRUE"),
    GUARD % ("g.id AS id", "WHERE g.id = 1 AND (g.region = 'EU')"),
    GUARD % ("g.email AS id", "WHERE (g.region = 'EU')"),
    GUARD % ("UPPER(g.email) AS id", "WHERE (g.region = 'EU')"),
    GUARD % ("(SELECT 1) AS id", "WHERE (g.region = 'EU')"),
    GUARD % ("g.id AS id", "JOIN orders AS o ON TRUE WHERE (g.region = 'EU')"),
    GUARD % ("g.id AS id", "WHERE (g.region = 'EU') GROUP BY g.id"),
    f"SELECT c.id AS id FROM {TABLE} AS c WHERE (c.region = 'EU')",
    f"DELETE FROM {TABLE} AS c WHERE c.id = 1",
    f"DELETE FROM {TABLE} AS c WHERE c.id = 1 OR (c.region = 'EU')",
    f"DELETE FROM {TABLE} AS c WHERE c.id = 1 OR c.id = 2 AND (c.region = 'EU')",
    f"UPDATE {TABLE} AS c SET name = c.email WHERE (c.region = 'EU')",
    f"UPDATE {TABLE} AS c SET region = 'x' WHERE (c.region = 'EU')",
]


@pytest.mark.parametrize("text", BROKEN)
def test_the_proof_sees_what_is_not_guarded(text, catalogs):
    held = catalogs["postgres"]
    tree = parse_one(parse_one(text, dialect="postgres").sql("postgres", identify=True), dialect="postgres")
    assert not verify(tree, Holds(filtered(held, masks=["customers.email"]), held))


def test_the_proof_takes_what_is_guarded(catalogs):
    held = catalogs["postgres"]
    holds = Holds(filtered(held), held)
    for text in (
        GUARD % ("g.id AS id", "WHERE (g.region = 'EU')"),
        f"DELETE FROM {TABLE} AS c WHERE (c.id = 1 OR c.id = 2) AND ((c.region = 'EU'))",
    ):
        tree = parse_one(parse_one(text, dialect="postgres").sql("postgres", identify=True), dialect="postgres")
        assert verify(tree, holds)


def test_the_proof_sees_a_text_that_reads_more(catalogs):
    held = catalogs["postgres"]
    holds = Holds(filtered(held, masks=["customers.email"]), held)
    one = analyze("select id from customers", "postgres", held)
    nothing = {"filtering": (), "added": (), "views": ()}
    assert kept(one, one, holds, **nothing)
    for more in (
        "select c.id from customers c, orders",
        "select name as id from customers",
        "select id, id from customers",
    ):
        assert not kept(one, analyze(more, "postgres", held), holds, **nothing)
    mail = analyze("select id from customers where email = 'x'", "postgres", held)
    assert not kept(mail, mail, holds, **nothing)
