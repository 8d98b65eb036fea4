"""Facts: what a statement does, column by column."""

import pytest

from langguard.protocol import Facts, Refusal
from langguard.sql import LIMITS, Limits, analyze, lineage

P = "public."


def outputs(statement, catalog, dialect="postgres"):
    facts = analyze(statement, dialect, catalog)
    assert isinstance(facts, Facts), facts
    return [
        (o.name, {c.removeprefix(P) for c in o.columns}, "".join(("d" * o.direct, "c" * o.counted)))
        for o in facts.outputs
    ]


LINEAGE = [
    ("select email from customers", [("email", {"customers.email"}, "d")], "a plain column is direct"),
    ("select (email) as e from customers", [("e", {"customers.email"}, "d")], "brackets and aliases keep it direct"),
    ("select upper(email) from customers", [("upper", {"customers.email"}, "")], "a function does not"),
    ("select email::text from customers", [("email", {"customers.email"}, "")], "a cast does not"),
    ("select 1", [("?column?", set(), "")], "a literal derives from nothing"),
    ("select $1::text as x", [("x", set(), "")], "nor does a placeholder"),
    ("select x.e from (select email as e from customers) x", [("e", {"customers.email"}, "d")], "through a subquery"),
    (
        "with a as (select email from customers), b as (select * from a) select b.email from b",
        [("email", {"customers.email"}, "d")],
        "through named queries",
    ),
    ("with a(x, y) as (select id, email from customers) select y from a", [("y", {"customers.email"}, "d")], "renamed"),
    ("select y from customers as c(x, n, y)", [("y", {"customers.email"}, "d")], "renamed by position on a table"),
    (
        "select c.name from customers as c(id, email, name)",
        [("name", {"customers.email"}, "d")],
        "an alias list may lie about names",
    ),
    (
        "select name from customers union select note from orders",
        [("name", {"customers.name", "orders.note"}, "")],
        "a union carries both",
    ),
    (
        "select email from customers union all select email from customers",
        [("email", {"customers.email"}, "d")],
        "a union of one column stays direct",
    ),
    (
        "select email from customers except select 'x'",
        [("email", {"customers.email"}, "")],
        "an arm that is no column ends directness",
    ),
    (
        "select case when email like 'a%' then 1 else 0 end as x from customers",
        [("x", {"customers.email"}, "")],
        "the condition of a CASE shows in its value",
    ),
    (
        "select exists (select 1 from customers where email = 'x') as x",
        [("x", {"customers.email"}, "")],
        "EXISTS answers questions about what it reads",
    ),
    (
        "select (select 1 from customers where email = 'x') as x",
        [("x", {"customers.email"}, "")],
        "so does a scalar query",
    ),
    (
        "select id in (select customer_id from orders where note = 'x') as x from customers",
        [("x", {"customers.id", "orders.customer_id", "orders.note"}, "")],
        "and IN",
    ),
    ("select count(*) as n from customers", [("n", set(), "c")], "a count of rows"),
    ("select count(email) as n from customers", [("n", {"customers.email"}, "c")], "a count of values"),
    (
        "select n from (select count(distinct email) as n from customers) x",
        [("n", {"customers.email"}, "c")],
        "a count stays one through a subquery",
    ),
    (
        "select sum(n) from (select count(email) as n from customers) x",
        [("sum", {"customers.email"}, "")],
        "but not through an expression",
    ),
    (
        "select count(*) filter (where email = 'x') as n from customers",
        [("n", {"customers.email"}, "")],
        "a filtered count carries its filter, and tells of it",
    ),
    (
        "select count(*) over (order by email) as n from customers",
        [("n", {"customers.email"}, "")],
        "a running count shows the order of what it sorts by",
    ),
    (
        "select sum(total) over w as s from orders window w as (partition by note)",
        [("s", {"orders.total", "orders.note"}, "")],
        "a named window counts",
    ),
    (
        "select string_agg(name, ',' order by email) as s from customers",
        [("s", {"customers.name", "customers.email"}, "")],
        "the order inside an aggregate counts",
    ),
    (
        "with recursive r(x, y) as (select name, region from customers union all "
        "select r.y, c.email from r join customers c on true) select x from r",
        [("x", {"customers.name", "customers.region", "customers.email"}, "")],
        "recursion that moves columns is followed to its end",
    ),
    (
        "select l.x from customers c cross join lateral (select c.email || o.note as x from orders o) l",
        [("x", {"customers.email", "orders.note"}, "")],
        "a lateral query reads its neighbours",
    ),
    (
        "select t from orders, unnest(tags) t",
        [("t", {"orders.tags"}, "")],
        "a function in FROM carries its arguments",
    ),
    (
        "select e.value from orders o, jsonb_array_elements(o.doc) e",
        [("value", {"orders.doc"}, "")],
        "so does one over JSON",
    ),
    (
        "select row_to_json(x) as j from (select id, email from customers) x",
        [("j", {"customers.id", "customers.email"}, "")],
        "a whole row carries all of it",
    ),
    (
        "select id, name from customers join products using (id)",
        [("id", {"customers.id"}, "d"), ("name", {"customers.name"}, "d")],
        "USING takes the left one",
    ),
    (
        "select id from customers full join products using (id)",
        [("id", {"customers.id", "products.id"}, "")],
        "a full join takes both",
    ),
    ("select doc ->> 'k' as k from orders", [("k", {"orders.doc"}, "")], "part of a document"),
    (
        "select c.name, c.name from customers c",
        [("name", {"customers.name"}, "d"), ("name", {"customers.name"}, "d")],
        "names may repeat",
    ),
    ('select "Name" from hr."Staff"', [("Name", {"hr.Staff.Name"}, "d")], "case is kept where quoted"),
    ("select array(select email from customers) as a", [("a", {"customers.email"}, "")], "an array of a query"),
    ("table products", [(n, {f"products.{n}"}, "d") for n in ("id", "title", "category", "price")], "TABLE"),
    (
        "select * from customers c join orders o using (id)",
        [("id", {"customers.id"}, "d")]
        + [(n, {f"customers.{n}"}, "d") for n in ("name", "email", "region", "created")]
        + [(n, {f"orders.{n}"}, "d") for n in ("customer_id", "total", "placed", "note", "doc", "tags")],
        "* after USING: the merged column first",
    ),
]


@pytest.mark.parametrize(("statement", "wanted"), [pytest.param(s, w, id=why) for s, w, why in LINEAGE])
def test_lineage(statement, wanted, catalogs):
    assert outputs(statement, catalogs["postgres"]) == wanted


TOUCHED = [
    ("select name from customers where email = 'x'", {"name", "email"}),
    ("select name from customers order by email", {"name", "email"}),
    ("select count(*) from customers group by region having max(email) > 'a'", {"region", "email"}),
    (
        "select name from customers c where exists (select 1 from customers d where d.email = c.region)",
        {"name", "email", "region"},
    ),
    ("select name as email from customers order by email", {"name"}),
    ("select distinct on (region) name from customers", {"region", "name"}),
    ("select name from customers limit (select max(id) from customers)", {"name", "id"}),
    ("select 1 from customers window w as (order by email)", {"email"}),
]


@pytest.mark.parametrize(("statement", "wanted"), TOUCHED)
def test_every_column_read_is_touched(statement, wanted, catalogs):
    facts = analyze(statement, "postgres", catalogs["postgres"])
    assert isinstance(facts, Facts), facts
    assert {c.removeprefix("public.customers.") for c in facts.touched} == wanted


WRITES = [
    ("insert into orders (id, total) values (1, 2)", ("write",), None, set(), 0),
    ("insert into orders values (1, 2)", ("write",), None, set(), 0),
    (
        "insert into orders (id) select id from customers where email = 'x'",
        ("read", "write"),
        None,
        {"customers.id", "customers.email"},
        0,
    ),
    (
        "insert into orders (id) values ($1) returning id, total",
        ("read", "write"),
        None,
        {"orders.id", "orders.total"},
        2,
    ),
    (
        "insert into orders (id, total) values (1, 2) on conflict (id) do update set total = excluded.total",
        ("write",),
        None,
        set(),
        0,
    ),
    ("insert into orders (id, total) values (1, 2) on conflict (id) do nothing", ("write",), None, set(), 0),
    ("update orders set total = 0", ("write",), False, set(), 0),
    ("update orders set total = total + 1 where id = 1", ("read", "write"), True, {"orders.total", "orders.id"}, 0),
    (
        "update orders o set note = c.email from customers c where c.id = o.customer_id",
        ("read", "write"),
        True,
        {"customers.email", "customers.id", "orders.customer_id"},
        0,
    ),
    ("delete from orders", ("write",), False, set(), 0),
    (
        "delete from orders o using customers c where c.id = o.customer_id returning o.id",
        ("read", "write"),
        True,
        {"customers.id", "orders.customer_id", "orders.id"},
        1,
    ),
    (
        "with x as (select id from customers) delete from orders where id in (select id from x)",
        ("read", "write"),
        True,
        {"customers.id", "orders.id"},
        0,
    ),
]


@pytest.mark.parametrize(("statement", "actions", "filtered", "touched", "width"), WRITES)
def test_writes(statement, actions, filtered, touched, width, catalogs):
    facts = analyze(statement, "postgres", catalogs["postgres"])
    assert isinstance(facts, Facts), facts
    assert facts.actions == actions
    assert facts.written == ("public.orders",)
    assert facts.filtered is filtered
    assert {c.removeprefix(P) for c in facts.touched} == touched
    assert len(facts.outputs) == width


REFUSED = [
    ("", "empty", None, ()),
    ("  -- nothing\n /* here */ ;", "empty", None, ()),
    ("select 1; select 2", "several_statements", 10, ()),
    ("select name from custmers", "unknown_table", 17, ()),
    ("select emial from customers", "unknown_column", 7, ()),
    ("select id from customers, orders", "ambiguous_column", 7, ()),
    ("select customers.id from customers c", "unknown_table", 7, ()),
    ("select * from customers, customers", "ambiguous_table", None, ()),
    ("select c.x from customers c", "unknown_column", None, ()),
    ("drop table customers", "statement_not_allowed", 0, ("ddl",)),
    ("create role x superuser", "statement_not_allowed", 0, ("ddl", "privilege")),
    ("truncate orders", "statement_not_allowed", 0, ("ddl", "write")),
    ("grant select on orders to x", "statement_not_allowed", 0, ("privilege",)),
    ("copy orders to stdout", "statement_not_allowed", 0, ("file", "read")),
    ("call p()", "statement_not_allowed", 0, ("procedure",)),
    ("begin", "statement_not_allowed", 0, ("transaction",)),
    ("set role x", "statement_not_allowed", 0, ("session",)),
    ("vacuum", "statement_not_allowed", 0, ("admin",)),
    ("select * from pg_class", "catalogue_not_allowed", 14, ("metadata",)),
    ("select * into x from customers", "construct_not_allowed", None, ("ddl", "read")),
    ("select id from customers for update", "construct_not_allowed", None, ("read", "transaction")),
    ("select pg_sleep(1)", "function_not_allowed", 7, ()),
    ("select from from", "not_parsed", None, ()),
    ("selec id from customers", "not_parsed", 0, ()),
    ("select 'open", "not_parsed", None, ()),
    ("hello, how are you?", "not_parsed", 0, ()),
    ("select \x00", "control_character", 7, ()),
    ("select " + "(" * 200 + "1" + ")" * 200, "too_complex", None, ()),
    ("select " + "int(" * 22 + "1" + ")" * 22, "too_complex", None, ()),
    ("select 1" + " union select 1" * 100, "too_complex", None, ()),
    ("select 1 where " + " and ".join(["true"] * 600), "too_complex", None, ()),
    ("select " + ", ".join(["1"] * 3000), "too_complex", 0, ()),
    ("select '" + "x" * 1_000_000 + "'", "too_long", None, ()),
    ("insert into orders (id) values (1, 2)", "not_parsed", None, ("write",)),
    ("insert into orders (nope) values (1)", "unknown_column", None, ("write",)),
    ("update orders set nope = 1", "unknown_column", None, ("write",)),
    ("select date_trunc(note, placed) from orders", None, None, ()),
    ("select x from (select 1 as x) a, (select x) b", "unknown_column", None, ()),
    ("select 1 from customers where ssn = 1", "unknown_column", None, ()),
    ("select name, name2 from customers order by nothing", "unknown_column", None, ()),
]


@pytest.mark.parametrize(("statement", "code", "position", "actions"), [r for r in REFUSED if r[1]])
def test_refusal_says_what_and_where(statement, code, position, actions, catalogs):
    found = analyze(statement, "postgres", catalogs["postgres"])
    assert isinstance(found, Refusal), found
    assert found.code == code, found
    assert found.actions == actions
    assert found.reason
    if position is not None:
        assert found.position == position


def test_hints_name_the_nearest(catalogs):
    table = analyze("select 1 from custmers", "postgres", catalogs["postgres"])
    assert isinstance(table, Refusal)
    assert table.candidates == ("public.customers",)
    assert "customers" not in table.hint, "who may know of it is not known here"
    column = analyze("select emial from customers", "postgres", catalogs["postgres"])
    assert isinstance(column, Refusal)
    assert "email" in column.hint
    ddl = analyze("drop table customers", "postgres", catalogs["postgres"])
    assert isinstance(ddl, Refusal)
    assert "DDL" in ddl.reason


@pytest.mark.parametrize("call", ["date_trunc(note, placed)", "date_part(note, placed)", "to_char(placed, note)"])
def test_a_name_in_place_of_a_date_part_reads_the_column(catalogs, call):
    """The parser alone would make it a literal, the word NOTE."""
    facts = analyze(f"select {call} as d from orders", "postgres", catalogs["postgres"])
    assert isinstance(facts, Facts), facts
    assert facts.touched == facts.outputs[0].columns == ("public.orders.note", "public.orders.placed")


@pytest.mark.parametrize(
    ("dialect", "text", "sent"),
    [
        pytest.param("postgres", "date_part('Month', placed)", "DATE_PART('Month', ", id="not EXTRACT: another type"),
        pytest.param("postgres", "date_trunc('month', placed)", "DATE_TRUNC('month', ", id="the unit stays as it is"),
        pytest.param(
            "postgres", "to_char(placed, 'YYYY a.d.')", 'TO_CHAR("orders"."placed", \'YYYY a.d.\')', id="pattern"
        ),
        pytest.param("postgres", "regexp_like(note, 'x', 'i')", "'x', 'i')", id="flags"),
        pytest.param("postgres", "to_hex(id)", "TO_HEX(", id="not HEX, which PostgreSQL lacks"),
        pytest.param("sqlite", "mod(id, 2)", "MOD(", id="not %, which counts in integers"),
        pytest.param("sqlite", "cast(total as decimal(9, 2))", "NUMERIC(9, 2)", id="not REAL: 5 stays 5"),
        pytest.param("sqlite", "cast(total as boolean)", "AS NUMERIC)", id="not INTEGER: 2.5 stays 2.5"),
    ],
)
def test_what_the_parser_would_write_otherwise_is_kept(catalogs, dialect, text, sent):
    facts = analyze(f"select {text} as x from orders", dialect, catalogs[dialect])
    assert isinstance(facts, Facts), facts
    assert sent in facts.statement


@pytest.mark.parametrize("name", ["date_part\x01", "pg_read_file", "date_part__", "opaque"])
def test_only_listed_calls_pass_as_plain_calls(catalogs, name):
    assert not isinstance(
        analyze(f"select {name}('month', placed) from orders", "postgres", catalogs["postgres"]), Facts
    )


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("select ID, Count( * ), max(id)+1 from orders group by id", ["id", "Count( * )", "max(id)+1"]),
        ("select (TOTAL), orders.NOTE from orders", ["total", "note"]),
        (
            "select distinct id, 'a, b', case when id then 1 end from orders",
            ["id", "'a, b'", "case when id then 1 end"],
        ),
        ("with x as (select id, count(*) from orders) select *, 1 from x", ["id", "count(*)", "1"]),
        ('select id /* key */, "nothing" from orders union select 1, 2', ["id", '"nothing"']),
        ("select count(*) from orders order by 1", ["count(*)"]),
        ("select * from (select id, max( id ) from orders group by id) where id in (select 1+1)", ["id", "max( id )"]),
    ],
)
def test_sqlite_names_outputs_as_the_statement_writes_them(catalogs, sqlite_shop, text, names):
    facts = analyze(text, "sqlite", catalogs["sqlite"])
    assert isinstance(facts, Facts), facts
    assert [o.name for o in facts.outputs] == [d[0] for d in sqlite_shop.execute(text).description]
    assert [o.name for o in facts.outputs] == names


def test_wrong_dialect_or_text_is_refused(catalogs):
    for text, dialect in [
        ("select 1", "mysql"),
        ("select 1", ""),
        ("select 1", "sqlite"),
        (b"select 1", "postgres"),
        (None, "postgres"),
    ]:
        assert isinstance(analyze(text, dialect, catalogs["postgres"]), Refusal)


def test_shape_ignores_literals_and_nothing_else(catalogs):
    def shape(text):
        facts = analyze(text, "postgres", catalogs["postgres"])
        assert isinstance(facts, Facts), facts
        return facts.shape

    one = shape("select name from customers where id = 1 and region = 'x'")
    assert one == shape("SELECT name FROM customers WHERE id=22 AND region='other'  -- c")
    assert one != shape("select name from customers where id = 1 and email = 'x'")
    assert len(one) == 64


def test_limits_are_settings(catalogs):
    tight = Limits(tokens=3)
    assert isinstance(analyze("select 1 + 1", "postgres", catalogs["postgres"], limits=tight), Refusal)
    assert LIMITS.tokens == 5000
    assert LIMITS.depth == 24


def test_lineage_needs_no_catalogue():
    schema = {"a": ["id", "ssn"], "b": ["id"]}
    assert lineage("select ssn from a join b using (id)", "postgres", schema) == (
        [{"a.ssn"}],
        {"a.id", "a.ssn", "b.id"},
    )
    assert lineage("select nope from a", "postgres", schema) is None
    assert lineage("select 1", "oracle", schema) is None


def test_nothing_of_a_statement_reaches_a_log(catalogs, caplog, capfd):
    for text in (
        "create policy secret_1",
        "select '{}'::json -> '$.[secret_2'",
        "explain secret_3",
        "select j -> '$[' from x",
    ):
        analyze(text, "postgres", catalogs["postgres"])
        analyze(text, "sqlite", catalogs["sqlite"])
    assert caplog.text == ""
    assert "secret" not in "".join(capfd.readouterr())
