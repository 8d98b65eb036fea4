"""What a write sets, what becomes of rows, and whether its WHERE tells rows apart."""

import pytest

from langguard.protocol import Facts, Refusal, View
from langguard.sql import analyze

P = "public."
TRIVIAL = [
    "1=1",
    "TRUE",
    "true",
    "id = id",
    "'a'='a'",
    "name IS NULL OR name IS NOT NULL",
    "NOT FALSE",
    "1",
    "2>1",
    "id = id OR name='x'",
    "TRUE OR id = 5",
    "id=5 OR 1=1",
    "id=5 OR NOT (1=2)",
    "id <> 5 OR id = 5",
    "id < 5 OR id >= 5",
    "id > 3 OR id < 10",
    "id BETWEEN 1 AND 5 OR id NOT BETWEEN 1 AND 5",
    "name LIKE '%'",
    "name LIKE '%%'",
    "name = name AND 1=1",
    "coalesce(id,0)=coalesce(id,0)",
    "length(name) >= 0",
    "name || '' = name",
    "id + 0 = id",
    "id*1=id",
    "abs(id) >= 0",
    "id IN (SELECT id FROM customers)",
    "EXISTS (SELECT 1)",
    "EXISTS (SELECT 1 FROM customers c WHERE c.id = customers.id)",
    "EXISTS (SELECT 1 FROM customers)",
    "(SELECT count(*) FROM orders) > 5",
    "$1 = 1",
    "id = $1 OR $1 IS NULL",
    "id = $1 OR $2",
    "now() > '2020-01-01'",
    "CASE WHEN id = 1 THEN TRUE ELSE TRUE END",
    "CASE WHEN $1 = 1 THEN TRUE ELSE id = 5 END",
    "id IN (id)",
    "id IN (1, id)",
    "NOT (id = 5 AND id = 6)",
    "NOT (id <> id)",
    "id IS NOT DISTINCT FROM id",
    "upper(name) = upper(name)",
    "md5(name) = md5(name)",
    "id IN (SELECT id FROM (SELECT id FROM customers) q)",
    "id = ANY (SELECT id FROM customers)",
    "id IN (SELECT DISTINCT id FROM customers WHERE 1=1)",
    "id IN (SELECT id FROM customers UNION SELECT 5)",
    "(id = 5) IS NOT NULL OR (id = 5) IS NULL",
    "name >= ''",
    "((1=1))",
    "'x' <> 'y'",
    "1 IN (1,2)",
    "NULL IS NULL",
    "5 BETWEEN 1 AND 10",
    "id::text = id::text",
    "cast(1 as boolean)",
    "'t'::boolean",
    "name IS DISTINCT FROM 'a' OR name IS NOT DISTINCT FROM 'a'",
    "random() < 2",
    "sqrt(4) = 2",
    "row(1) = row(1)",
    "id % 1 = 0",
    "(id = 1) = (id = 1)",
    "coalesce(id = 1 OR TRUE, FALSE)",
    "id = CASE WHEN 1=1 THEN id ELSE 0 END",
    "current_date is not null",
    "name similar to '%'",
    "name ~ '.*'",
    "NOT EXISTS (SELECT 1 WHERE FALSE)",
    "id - id = 0",
    "nullif(1,2) = 1",
    "id IN (SELECT c.id FROM customers c WHERE c.name = c.name)",
]
CONDITIONS = [
    "id = 5",
    "id > 0",
    "id IS NOT NULL",
    "name LIKE 'a%'",
    "id <> 5",
    "id NOT IN (1,2)",
    "1=2",
    "FALSE",
    "NULL",
    "id = $1",
    "id IN (SELECT customer_id FROM orders)",
    "EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = customers.id)",
    "id = 5 AND 1=1",
    "id < 5 OR id > 5",
    "id = 5 OR name = 'x'",
    "id <> 5 OR name <> 'x'",
    "id <> 1 OR name <> 'x' OR region <> 'y'",
    "name IS NOT NULL AND TRUE",
    "length(name) > 3",
    "id IN (SELECT id FROM customers WHERE region = 'north')",
    "id IN (SELECT id FROM customers LIMIT 5)",
    "id = (SELECT max(id) FROM customers)",
    "id % 2 = 0",
    "created < now()",
    "id = $1 AND ($2 IS NULL OR name = $2)",
    "not exists (select 1 from orders o where o.customer_id = customers.id)",
    "id not in (select id from customers)",
    "name ilike '%smith%'",
    "id >= $1",
    "id in ($1, $2)",
    "lower(email) = 'x'",
    "substr(name,1,1) = 'a'",
    "name ~ 'a'",
    "id between 5 and 10",
    "region in ('north','south') or region is null",
    "coalesce(region,'') = ''",
    "id+1 = 2",
    "created >= '2024-01-01' and created < '2024-02-01'",
    "(id, name) = (1, 'x')",
    "1=0 OR id=3",
    "email is null",
    "id = any(array[1,2,3])",
]


def facts_of(statement, catalog, dialect="postgres"):
    found = analyze(statement, dialect, catalog)
    assert isinstance(found, Facts), found
    return found


@pytest.mark.parametrize("where", TRIVIAL)
def test_a_condition_that_leaves_out_no_row_is_none(catalogs, where):
    for statement in (f"update customers set name = 'x' where {where}", f"delete from customers where {where}"):
        found = facts_of(statement, catalogs["postgres"])
        assert (found.where, found.filtered) == ("trivial", False)


@pytest.mark.parametrize("where", CONDITIONS)
def test_a_condition_that_leaves_out_rows_is_one(catalogs, where):
    found = facts_of(f"update customers set name = 'x' where {where}", catalogs["postgres"])
    assert (found.where, found.filtered) == ("condition", True)


WHERE = [
    ("update customers set name = 'x'", "none", "no WHERE"),
    ("update customers c set name = 'x' from customers c2 where c2.id = c.id", "trivial", "a row meets itself"),
    (
        "update customers c set name = 'x' from (select * from customers) s where s.id = c.id",
        "trivial",
        "in a subquery",
    ),
    (
        "update customers c set name = 'x' from customers d where d.id = c.id and d.region = 'n'",
        "condition",
        "but not all",
    ),
    ("update customers set name = 'x' from orders o where o.customer_id = customers.id", "condition", "a real join"),
    ("delete from customers using orders o where o.id = 5", "trivial", "about another table alone"),
    ("with a as (select id from customers) delete from customers where id in (select id from a)", "trivial", "by WITH"),
    (
        "with a as (select id from customers where id < 5) delete from customers where id in (select id from a)",
        "condition",
        ".",
    ),
    ("insert into customers (id) values (1) on conflict (id) do update set name = 'x'", None, "rows that were given"),
    (
        "insert into customers (id) select id from customers on conflict (id) do update set name = 'x'",
        "none",
        "all rows",
    ),
    (
        "insert into customers (id) select g from generate_series(1, 99) g on conflict (id) do update set name = 'x'",
        "none",
        "as many as wanted",
    ),
    (
        "insert into customers (id) select id from customers where id = 5 on conflict (id) do update set name = 'x'",
        "condition",
        "few rows",
    ),
    (
        "insert into customers (id) select id from customers where true on conflict (id) do update set name = 'x' "
        "where customers.region = 'n'",
        "condition",
        "few that change",
    ),
    ("insert into customers (id) select id from orders", None, "nothing there changes"),
    ("merge into orders o using customers c on true when matched then delete", "trivial", "ON is the condition"),
    ("merge into orders o using customers c on o.customer_id = c.id when matched then delete", "condition", "joined"),
    ("merge into orders o using customers c on o.id = c.id when not matched by source then delete", "none", "the rest"),
    (
        "merge into orders o using customers c on true when matched and o.id = 5 then delete",
        "condition",
        "a branch's own condition",
    ),
    (
        "merge into orders o using customers c on o.id = c.id when matched then update set note = 'x' "
        "when not matched by source then delete",
        "none",
        "the widest branch counts",
    ),
    ("merge into orders o using customers c on o.id = c.id when not matched then insert (id) values (1)", None, "adds"),
    ("select 1", None, "no write"),
]


@pytest.mark.parametrize(("statement", "where", "why"), WHERE)
def test_what_limits_the_rows(catalogs, statement, where, why):
    found = facts_of(statement, catalogs["postgres"])
    assert (found.where, found.filtered) == (where, None if where is None else where == "condition"), why


def test_a_column_that_is_never_null(make_catalog):
    import msgspec

    bare = make_catalog("postgres")
    tables = tuple(
        msgspec.structs.replace(t, columns=tuple(msgspec.structs.replace(c, nullable=False) for c in t.columns))
        for t in bare.tables
    )
    filled = msgspec.structs.replace(bare, tables=tables)
    statement = "delete from customers where id is not null"
    assert facts_of(statement, bare).where == "condition"
    assert facts_of(statement, filled).where == "trivial"


@pytest.mark.parametrize(
    "where",
    [
        " or ".join(f"id = {n}" for n in range(400)),
        " or ".join(f"id <> {n}" for n in range(400)),
        " and ".join(f"id <> {n}" for n in range(400)),
        " or ".join(f"({a} <> 1 or {a} = 1)" for a in ("id", "name", "email", "region") * 20),
        "name like '" + "%a" * 2000 + "%'",
        "id in (" + ", ".join(map(str, range(3000))) + ")",
        "9" * 300 + " * " + "9" * 300 + " > id",
        "repeat(name, 1000000) || repeat(name, 1000000) = name",
        "(" * 20 + "id = id" + ")" * 20,
    ],
)
def test_no_condition_takes_long(catalogs, where):
    import time

    started = time.perf_counter()
    found = analyze(f"delete from customers where {where}", "postgres", catalogs["postgres"])
    assert isinstance(found, Facts | Refusal)
    assert time.perf_counter() - started < 2  # a loaded machine; alone some 50 ms


ASSIGNED = [
    ("update customers set email = lower(email)", {"email": ("customers.email", "customers.email", "")}),
    (
        "update customers set name = email, region = 'x'",
        {"name": ("customers.email", "customers.email", "d"), "region": ("", "", "")},
    ),
    ("update customers set name = coalesce(upper(email), '-')", {"name": ("customers.email", "customers.email", "")}),
    ("update customers set name = email || ''", {"name": ("customers.email", "", "")}),
    ("update customers set name = trim(email)", {"name": ("customers.email", "", "")}),
    ("update customers set name = email::text", {"name": ("customers.email", "", "")}),
    (
        "update orders set note = (select email from customers c where c.id = orders.customer_id)",
        {"note": ("customers.email customers.id orders.customer_id", "customers.email", "")},
    ),
    (
        "update orders set note = (select c.email from customers c where c.email = 'x')",
        {"note": ("customers.email", "", "")},
    ),
    ("update orders set note = (select max(c.email) from customers c)", {"note": ("customers.email", "", "")}),
    (
        "update orders set note = (select v.x from (select 'y' as x) v, customers c where c.email like 'a%')",
        {"note": ("customers.email", "", "")},
    ),
    (
        "update orders set (note, total) = (select c.email, c.id from customers c where c.region = 'x')",
        {
            "note": ("customers.email customers.region", "customers.email", ""),
            "total": ("customers.id customers.region", "customers.id", ""),
        },
    ),
    ("update orders set (note, total) = ('x', total + 1)", {"note": ("", "", ""), "total": ("orders.total", "", "")}),
    (
        "update orders set (note, total) = row('x', total)",
        {"note": ("orders.total", "", ""), "total": ("orders.total", "", "")},
    ),
    ("update orders set note = default, total = $1", {"note": ("", "", ""), "total": ("", "", "")}),
    (
        "update orders set note = s.e from (select email as e, id from customers) s where s.id = orders.customer_id",
        {"note": ("customers.email", "customers.email", "d")},
    ),
    (
        "insert into products (title, id) select email, id from customers",
        {"title": ("customers.email", "customers.email", "d"), "id": ("customers.id", "customers.id", "d")},
    ),
    (
        "insert into products select id, email from customers",
        {"id": ("customers.id", "customers.id", "d"), "title": ("customers.email", "customers.email", "d")},
    ),
    (
        "insert into products (id, title) select count(email), name from customers group by name",
        {"id": ("customers.email", "", "c"), "title": ("customers.name", "customers.name", "d")},
    ),
    (
        "insert into products (id, title) values (1, 'x'), (2, (select email from customers limit 1))",
        {"id": ("", "", ""), "title": ("customers.email", "customers.email", "")},
    ),
    (
        "insert into products (id, title) select id, name from customers union select id, email from customers",
        {"id": ("customers.id", "customers.id", "d"), "title": ("customers.email customers.name",) * 2 + ("",)},
    ),
    (
        "insert into products (id, title) select id, email from customers on conflict (id) "
        "do update set category = excluded.title, title = products.title || excluded.title",
        {
            "id": ("customers.id", "customers.id", "d"),
            "category": ("customers.email", "customers.email", "d"),
            "title": ("customers.email products.title", "", ""),
        },
    ),
    (
        "merge into orders o using customers c on o.id = c.id when matched then update set note = c.email "
        "when not matched then insert (id, note) values (c.id, upper(c.name) || '')",
        {
            "id": ("customers.id", "customers.id", "d"),
            "note": ("customers.email customers.name", "customers.email", ""),
        },
    ),
    ("delete from orders", {}),
]


@pytest.mark.parametrize(("statement", "sets"), ASSIGNED)
def test_what_each_column_is_set_to(catalogs, statement, sets):
    found = facts_of(statement, catalogs["postgres"])
    (table,) = found.written
    assert {
        each.column.removeprefix(f"{table}."): (
            " ".join(c.removeprefix(P) for c in each.columns),
            " ".join(c.removeprefix(P) for c in each.copied),
            "".join(("d" * each.direct, "c" * each.counted)),
        )
        for each in found.assigned
    } == sets
    assert all(each.shown == (each.column,) for each in found.assigned)


DECIDED = [
    ("insert into orders (id) select id from customers where email = 'x'", "customers.email"),
    ("insert into orders (id) select id from customers order by email limit 1", "customers.email"),
    ("insert into orders (id) select 1 from customers group by email", "customers.email"),
    ("insert into orders (id, note) select distinct 1, email from customers", "customers.email"),
    ("insert into orders (id, note) select id, email from customers order by 2 limit 1", "customers.email"),
    ("insert into orders (note) select name from customers except select email from customers", "customers.email"),
    ("insert into orders (id) select o.id from orders o join customers c on c.email = o.note", "customers.email"),
    ("insert into orders (note) select email from customers on conflict do nothing", "customers.email"),
    ("update orders set note = 'x' where exists (select 1 from customers c where c.email = note)", "customers.email"),
    ("merge into orders o using customers c on c.email = o.note when matched then delete", "customers.email"),
    ("merge into orders o using customers c on true when matched and c.email = 'x' then delete", "customers.email"),
]


@pytest.mark.parametrize(("statement", "column"), DECIDED)
def test_what_decides_about_rows_is_known(catalogs, statement, column):
    assert P + column in facts_of(statement, catalogs["postgres"]).decided


def test_values_alone_decide_nothing(catalogs):
    found = facts_of("insert into orders (id, note) select id, email from customers", catalogs["postgres"])
    assert found.decided == ()


@pytest.mark.parametrize("decided", [None, ("public.customers.email",), ()])
def test_what_decides_which_rows_a_view_has_decides_a_write(make_catalog, decided):
    from langguard.protocol import Output

    base = make_catalog("postgres")
    id_ = base.tables[0].columns[0]
    view = View(
        schema="public",
        name="v",
        columns=(id_,),
        outputs=(Output(name="id", columns=("public.customers.id",), direct=True),),
        touched=("public.customers.email", "public.customers.id"),
        decided=decided,
        tables=("public.customers",),
        query='SELECT "id" FROM "public"."customers"',
    )
    found = facts_of("insert into orders (id) select id from v", make_catalog("postgres", views=(view,)))
    assert ("public.customers.email" in found.decided) is (decided != ())
    assert found.operation == "insert"


CHANGES = [
    ("select 1", "select", ()),
    ("insert into orders (id) values (1)", "insert", ("insert",)),
    ("insert into orders (id) values (1) on conflict do nothing", "insert", ("insert",)),
    ("insert into orders (id) values (1) on conflict (id) do update set note = 'x'", "insert", ("insert", "update")),
    ("update orders set note = 'x'", "update", ("update",)),
    ("delete from orders", "delete", ("delete",)),
    (
        "merge into orders o using customers c on o.id = c.id when matched and c.id = 1 then delete "
        "when matched then update set note = 'x' when not matched then insert (id) values (c.id)",
        "merge",
        ("delete", "insert", "update"),
    ),
    ("merge into orders o using customers c on o.id = c.id when matched then do nothing", "merge", ()),
]


@pytest.mark.parametrize(("statement", "operation", "changes"), CHANGES)
def test_what_becomes_of_rows(catalogs, statement, operation, changes):
    found = facts_of(statement, catalogs["postgres"])
    assert (found.operation, found.changes) == (operation, changes)
    assert ("write" in found.actions) == (operation != "select")


REFUSED = [
    "merge into orders o using customers c on o.id = c.id when matched then insert (id) values (1)",
    "merge into orders o using customers c on o.id = c.id when not matched then update set note = 'x'",
    "merge into orders o using customers c on o.id = c.id when not matched then delete",
    "merge into orders o using customers c on o.id = c.id when not matched then insert default values",
    "merge into orders o using customers c on o.id = c.id when not matched then insert (id) values (1, 2)",
    "merge into orders o using customers c on o.id = c.id when not matched then insert (id, id) values (1, 2)",
    "merge into orders o using customers c on o.id = c.id when matched then update set nope = 1",
    "merge into orders o using (delete from customers returning *) c on o.id = c.id when matched then delete",
    "with x as (merge into orders o using customers c on o.id = c.id when matched then delete) select 1",
    "merge into nope o using customers c on o.id = c.id when matched then delete",
    "insert into orders (id, id) values (1, 2)",
    "insert into orders (id) values (default, default)",
    "update orders set (note, total) = (select 1)",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_other_forms_are_refused_and_known_as_writes(catalogs, statement):
    found = analyze(statement, "postgres", catalogs["postgres"])
    assert isinstance(found, Refusal), found
    assert "write" in found.actions


def test_sqlite_has_no_merge(catalogs):
    found = analyze(
        "merge into orders o using customers c on o.id = c.id when matched then delete", "sqlite", catalogs["sqlite"]
    )
    assert isinstance(found, Refusal)
    assert (found.kind, found.targets) == ("merge", ("orders",))
