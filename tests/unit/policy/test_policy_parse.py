"""Every mistake stops the load, at its line and column, with the nearest valid name."""

import pytest

from langguard.errors import PolicyError
from langguard.policy import Known, check, parse
from langguard.protocol import ColumnMask, EntityMask, Operator

KNOWN = Known(connections={"orders": "sql", "web": "http", "shell": "tool"})
COLUMNS = frozenset({"public.customers.id", "public.customers.email", "public.orders.total", "audit.log.line"})
FULL = Known(
    connections=KNOWN.connections,
    entities=frozenset({"EMAIL_ADDRESS", "CREDIT_CARD"}),
    columns={"orders": COLUMNS},
)

WHOLE = """\
version: 1
grants:
  - {group: support, connection: orders, actions: [read, metadata]}
  - {principal: prn_1, connection: "*", actions: read, tables: [public.orders, audit.*]}
rules:
  - id: no-destruction
    deny: [ddl, privilege, file, procedure, admin]
    message: Ask a database administrator.
  - id: bulk
    review: read
    on: orders/public.customers
    when: facts.limit == null || facts.limit > 1000
    approvers: {groups: [data-owners], needed: 2, expires: 15m, justification: required}
  - id: office
    allow: [fetch, read]
    on: [kind:http, orders/public.*]
    when: '"ops" in principal.groups'
  - {id: nothing-on-http, deny: "*", on: kind:http}
masks:
  - {columns: orders/public.customers.email, operator: hash}
  - {columns: [orders/public.*.id, "*/audit.log.line"], operator: {name: mask, keep_last: 4}}
  - {entities: [CREDIT_CARD, EMAIL_ADDRESS], operator: {name: replace, text: gone}, everywhere: true}
  - {entities: CREDIT_CARD, operator: null, connections: [orders]}
clear: [orders/public.orders.total]
structured: []
min_score: 0.5
limits:
  - {rows: 500, statement_timeout: 10s}
  - {on: orders/public.customers, rows: 20}
"""


def test_a_whole_policy_is_read():
    policy = parse(WHOLE, source="p", known=FULL)
    assert [grant.to for grant in policy.grants] == ["group support", "principal prn_1"]
    assert policy.grants[1].actions == ("read",)
    bulk = policy.rules[1]
    assert bulk.approvers is not None
    assert (bulk.approvers.needed, bulk.approvers.expires_us, bulk.approvers.justification) == (2, 900_000_000, True)
    assert bulk.when is not None
    assert bulk.when.reads == ("facts.limit",)
    assert [scope.text for scope in policy.rules[2].on] == ["kind:http", "orders/public.*"]
    assert policy.masks.columns == (
        ColumnMask(columns=("orders/public.customers.email",), operator=Operator(name="hash")),
        ColumnMask(columns=("orders/public.*.id", "*/audit.log.line"), operator=Operator(name="mask", keep_last=4)),
    )
    assert policy.masks.entities == (
        EntityMask(entities=("CREDIT_CARD", "EMAIL_ADDRESS"), operator=Operator(name="replace", text="gone")),
        EntityMask(entities=("CREDIT_CARD",), operator=Operator(name="null"), connections=("orders",)),
    )
    assert policy.masks.clear == ("orders/public.orders.total",)
    assert policy.masks.min_score == 0.5
    assert [limit.rows for limit in policy.limits] == [500, 20]


def test_the_least_policy_denies_everything_and_has_bounds():
    policy = parse("version: 1", source="p", known=KNOWN)
    assert (policy.grants, policy.rules) == ((), ())
    assert policy.limits[0].rows == 500


def test_the_version_is_of_what_decides():
    first = parse(WHOLE, source="a", known=KNOWN)
    spaced = parse(
        "# a comment\n" + WHOLE.replace("  - {group: support,", "  - {  group:   support,"), source="b", known=FULL
    )
    other = parse(WHOLE.replace("rows: 20", "rows: 21"), source="a", known=KNOWN)
    reworded = parse(WHOLE.replace("> 1000", "> 1001"), source="a", known=KNOWN)
    assert first.version_id == spaced.version_id
    assert len({first.version_id, other.version_id, reworded.version_id}) == 3
    assert len(first.version_id) == 64


def rule(text: str) -> str:
    return "version: 1\nrules:\n  - " + text


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        # fields
        ("version: 2", 1, 10, "`version` must be 1"),
        ("grants: []", 1, 1, "`version` is missing"),
        ("version: 1\ngrant: []", 2, 1, "unknown field `grant` in the policy; did you mean `grants`?"),
        ("version: 1\ngrants: {}", 2, 9, "`grants` must be a list"),
        ("- 1", 1, 1, "the policy must be a mapping"),
        ("version: 1\ngrants:\n  - {grop: a, connection: orders, actions: read}", 3, 6, "did you mean `group`?"),
        ("version: 1\ngrants:\n  - {connection: orders, actions: read}", 3, 5, "a `group` or a `principal`"),
        (
            "version: 1\ngrants:\n  - {group: a, principal: b, connection: orders, actions: read}",
            3,
            5,
            "a `group` or a `principal`",
        ),
        ("version: 1\ngrants:\n  - {group: a, connection: ordrs, actions: read}", 3, 28, "did you mean `orders`?"),
        ("version: 1\ngrants:\n  - {group: a, connection: orders, actions: [raed]}", 3, 46, "did you mean `read`?"),
        ("version: 1\ngrants:\n  - {group: a, connection: orders, actions: [fetch]}", 3, 46, "is no action of sql"),
        ("version: 1\ngrants:\n  - {group: a, connection: orders, actions: ['*']}", 3, 46, "name each action"),
        ("version: 1\ngrants:\n  - {group: a, connection: orders, actions: []}", 3, 45, "must not be empty"),
        ("version: 1\ngrants:\n  - {group: a, connection: orders, actions: [read, read]}", 3, 52, "listed twice"),
        ("version: 1\ngrants:\n  - {group: 12, connection: orders, actions: read}", 3, 13, "quote it"),
        ("version: 1\ngrants:\n  - {group: '*', connection: orders, actions: read}", 3, 13, "name each one"),
        (
            "version: 1\ngrants:\n  - {group: a, connection: orders, actions: read, tables: customers}",
            3,
            59,
            "write `schema.table`",
        ),
        (
            "version: 1\ngrants:\n  - {group: a, connection: orders, actions: read, tables: public.cust*}",
            3,
            59,
            "names no table",
        ),
        (
            "version: 1\ngrants:\n  - {group: a, connection: orders, actions: read, tables: public.custmers}",
            3,
            59,
            "did you mean `public.customers`?",
        ),
        (
            "version: 1\ngrants:\n  - {group: a, connection: web, actions: fetch, tables: a.b}",
            3,
            57,
            "has no tables",
        ),
        # rules
        (rule("{deny: ddl}"), 3, 5, "`id` is missing"),
        (rule("{id: a}"), 3, 5, "one of `allow`, `deny` or `review`"),
        (rule("{id: a, deny: ddl, allow: read}"), 3, 5, "one of `allow`, `deny` or `review`"),
        (rule("{id: a b, deny: ddl}"), 3, 10, "ASCII letters"),
        (rule("{id: a, denny: ddl}"), 3, 13, "did you mean `deny`?"),
        (rule("{id: a, deny: dll}"), 3, 19, "unknown action `dll`; did you mean `ddl`?"),
        (rule("{id: a, deny: read, on: 'kind:sq'}"), 3, 29, "did you mean `sql`?"),
        (rule("{id: a, deny: read, on: orders/public.custmers}"), 3, 29, "did you mean `public.customers`?"),
        (rule("{id: a, deny: read, on: order}"), 3, 29, "did you mean `orders`?"),
        (rule("{id: a, deny: read, on: orders/customers}"), 3, 29, "names no table"),
        (rule("{id: a, deny: read, on: orders/public.customers.email}"), 3, 29, "facts.touched"),
        (rule("{id: a, deny: read, on: web}"), 3, 19, "`read` is no action of http connections; valid: fetch, send"),
        (rule("{id: a, deny: fetch, on: web/a.b}"), 3, 30, "has no tables"),
        (rule("{id: a, deny: ['*', read]}"), 3, 20, "already means every action"),
        (rule("{id: a, allow: '*'}"), 3, 20, "name each action"),
        (rule("{id: a, deny: read, approvers: {groups: x}}"), 3, 25, "belongs to a `review` rule"),
        (rule("{id: a, review: read, approvers: {groups: x, needed: 0}}"), 3, 58, "1 to 10"),
        (rule("{id: a, review: read, approvers: {groups: x, expires: 15min}}"), 3, 59, "a duration such as"),
        (rule("{id: a, review: read, approvers: {groups: x, justification: requred}}"), 3, 65, "`required`?"),
        (rule("{id: a, deny: ddl}\n  - {id: A, deny: read}"), 4, 10, "given twice; first at line 3, column 10"),
        # conditions
        (rule("{id: a, deny: read, when: facts.tabels.size() > 1}"), 3, 37, "unknown field `facts.tabels`; did you"),
        (rule("{id: a, deny: read, when: 'risk.score > 1'}"), 3, 37, "not supplied in this version"),
        (rule("id: a\n    deny: read\n    when: |\n      facts.precise &&\n      facts.bogus"), 7, 13, "facts.bogus"),
        (rule("{id: a, deny: read, when: 5}"), 3, 31, "quote it"),
        (rule("id: a\n    deny: read\n    when: !facts.precise"), 5, 11, "quote a text that starts with `!`"),
        (
            rule("{id: a, deny: read, when: '\"public.custmers\" in facts.tables'}"),
            3,
            32,
            "did you mean `public.customers`",
        ),
        (rule("{id: a, deny: read, when: '\"public.customers.emial\" in facts.touched'}"), 3, 32, "customers.email`?"),
        # masks
        ("version: 1\nmasks:\n  - {operator: hash}", 3, 5, "names `columns` or `entities`"),
        ("version: 1\nmasks:\n  - {columns: orders/public.customers.email}", 3, 5, "`operator` is missing"),
        ("version: 1\nmasks:\n  - {columns: public.customers.email, operator: hash}", 3, 15, "names no column"),
        ("version: 1\nmasks:\n  - {columns: orders/customers.email, operator: hash}", 3, 15, "names no column"),
        (
            "version: 1\nmasks:\n  - {columns: orders/public.customers.emial, operator: hash}",
            3,
            15,
            "did you mean `orders/public.customers.email`?",
        ),
        ("version: 1\nmasks:\n  - {columns: ordes/public.a.b, operator: hash}", 3, 15, "did you mean `orders`?"),
        ("version: 1\nmasks:\n  - {columns: orders/public.*.nothing, operator: hash}", 3, 15, "unknown column"),
        ("version: 1\nmasks:\n  - {columns: orders/*.*.id, operator: hsh}", 3, 40, "did you mean `hash`?"),
        ("version: 1\nmasks:\n  - {columns: orders/*.*.id, operator: }", 3, 39, "operator"),
        (
            "version: 1\nmasks:\n  - {columns: orders/*.*.id, operator: {name: hash, keep_last: 4}}",
            3,
            53,
            "belongs to the operator `mask`",
        ),
        ("version: 1\nmasks:\n  - {columns: orders/*.*.id, operator: hash, everywhere: true}", 3, 5, "in each column"),
        ("version: 1\nmasks:\n  - {entities: EMAIL, operator: hash, everywhere: true}", 3, 16, "`EMAIL_ADDRESS`?"),
        ("version: 1\nmasks:\n  - {entities: email, operator: hash, everywhere: true}", 3, 16, "written like"),
        ("version: 1\nmasks:\n  - {entities: CREDIT_CARD, operator: hash}", 3, 5, "`everywhere: true`"),
        ("version: 1\nmasks:\n  - {entities: CREDIT_CARD, operator: hash, everywhere: false}", 3, 5, "everywhere"),
        ("version: 1\nmasks:\n  - {entities: CREDIT_CARD, operator: hash, everywhere: yes}", 3, 57, "true` or `false"),
        ("version: 1\nclear: orders/public.customers.phone", 2, 8, "unknown column"),
        (
            "version: 1\nclear: [orders/public.orders.total]\nstructured: [orders/public.orders.total]",
            3,
            14,
            "both clear and structured",
        ),
        (
            "version: 1\nclear: [orders/public.customers.id]\nmasks:\n"
            "  - {columns: orders/public.customers.id, operator: hash}",
            2,
            9,
            "both masked and clear",
        ),
        ("version: 1\nmin_score: 2", 2, 12, "0 to 1"),
        # limits
        ("version: 1\nlimits: {rows: 0}", 2, 16, "1 to 100000"),
        ("version: 1\nlimits: {row: 5}", 2, 10, "did you mean `rows`?"),
        ("version: 1\nlimits: {statement_timeout: 10}", 2, 29, "a duration such as"),
        ("version: 1\nlimits: {statement_timeout: 0s}", 2, 29, "1ms to 1h"),
        ("version: 1\nlimits: {rows: true}", 2, 16, "whole number"),
        ("version: 1\nlimits: {}", 2, 9, "bounds one of"),
        ("version: 1\nlimits: [{rows: 5}, {rows: 6}]", 2, 21, "twice"),
        ("version: 1\nlimits: [{on: nowhere, rows: 5}]", 2, 15, "unknown connection"),
    ],
)
def test_a_mistake_stops_the_load(text, line, column, words):
    with pytest.raises(PolicyError) as caught:
        parse(text, source="policy.yaml", known=FULL)
    assert words in caught.value.detail
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).startswith(f"policy.yaml:{line}:{column}: ")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        (rule("{id: a, deny: read, on: orders/public.custmers}"), 3, 29),
        (rule("{id: a, deny: read, when: '\"public.custmers\" in facts.tables'}"), 3, 32),
        ("version: 1\nclear: [orders/public.customers.id, orders/public.customers.phone]", 2, 37),
        ("version: 1\nmasks:\n  - {entities: EMAIL, operator: hash, everywhere: true}", 3, 16),
    ],
)
def test_names_are_checked_again_when_catalogues_are_there(text, line, column):
    policy = parse(text, source="p", known=KNOWN)
    assert check(policy, KNOWN) == ()
    (problem,) = check(policy, FULL)
    assert (problem.source, problem.line, problem.column) == ("p", line, column)


def test_check_lists_every_problem():
    text = "version: 1\nclear: [orders/public.a.b, orders/public.customers.id, orders/public.c.d]"
    assert [item.column for item in check(parse(text, source="p", known=KNOWN), FULL)] == [9, 56]


def test_a_connection_whose_catalogue_is_not_known_is_not_checked():
    policy = parse("version: 1\nclear: [orders/public.a.b]", source="p", known=KNOWN)
    assert check(policy, Known(connections=KNOWN.connections, columns={})) == ()


def test_a_name_with_a_dot_is_quoted():
    known = Known(connections={"orders": "sql"}, columns={"orders": frozenset({"public.a.b.c"})})
    policy = parse("version: 1\nclear: ['orders/public.\"a.b\".c']", source="p", known=known)
    assert policy.masks.clear == ('orders/public."a.b".c',)
