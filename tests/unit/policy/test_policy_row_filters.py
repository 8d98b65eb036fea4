"""Row filters and inference in a policy: what is read, whom they hold for, and where a mistake is shown."""

import pytest

from langguard.errors import PolicyError
from langguard.gateway.services.row_filters import check_row_filters
from langguard.policy import Known, parse
from langguard.policy.filters import filters_for
from langguard.protocol import Catalog, Column, Table

CATALOG = Catalog(
    dialect="postgres",
    default_schemas=("public",),
    tables=(
        Table(
            schema="public",
            name="customers",
            columns=(
                Column(name="id", type="integer", kind="number"),
                Column(name="region", type="text", kind="text"),
                Column(name="team", type="text", kind="text"),
            ),
        ),
    ),
)
COLUMNS = {"orders": frozenset(f"public.customers.{c.name}" for c in CATALOG.tables[0].columns)}
KNOWN = Known(connections={"orders": "sql", "web": "http"}, columns=COLUMNS)


def policy(body):
    return parse("version: 1\n" + body, source="policy.yaml", known=KNOWN)


def filters(body, groups, name="ana"):
    values = {"id": (f"service:{name}",), "name": (name,), "kind": ("service",), "groups": tuple(groups)}
    return filters_for(policy(body).row_filters, principal=values, connection="orders")


TWO = """row_filters:
  - {table: orders/public.customers, where: "region = 'EU'", groups: [support]}
  - {table: [orders/public.customers], where: "team IN (principal.groups) or team = principal.id", except: [owners]}
"""


def test_whom_filters_hold_for():
    assert [f.where[:6] for f in filters(TWO, ["support"])] == ["region", "team I"]
    assert [f.where[:6] for f in filters(TWO, ["other"])] == ["team I"]
    assert [f.where[:6] for f in filters(TWO, ["support", "owners"])] == ["region"]
    assert filters(TWO, ["owners"]) == ()
    (held,) = filters(TWO, ["b", "a"])
    assert held.values == {"groups": ("b", "a"), "id": ("service:ana",)}


def test_the_version_covers_filters_and_inference():
    bodies = [
        "",
        TWO,
        TWO.replace("EU", "US"),
        TWO.replace("support", "sales"),
        TWO.replace("owners", "audit"),
        "masks: [{columns: orders/public.customers.team, operator: 'null'}]",
        "masks: [{columns: orders/public.customers.team, operator: 'null', inference: mask}]",
        "masks: [{columns: orders/public.customers.team, operator: 'null', groups: [a]}]",
    ]
    assert len({policy(body).version_id for body in bodies}) == len(bodies)
    assert policy(TWO).version_id == policy("\n# note\n" + TWO).version_id


WRONG = [
    ("row_filters:\n  - {where: 'a = 1'}", 3, 5, "`table` is missing"),
    ("row_filters:\n  - {table: orders/public.customers}", 3, 5, "`where` is missing"),
    ("row_filters:\n  - {table: ordres/public.customers, where: x}", 3, 13, "did you mean `orders`"),
    ("row_filters:\n  - {table: orders/public.custmers, where: x}", 3, 13, "did you mean `public.customers`"),
    ("row_filters:\n  - {table: orders/public.*, where: x}", 3, 13, "without `*`"),
    ("row_filters:\n  - {table: '*/public.customers', where: x}", 3, 13, "unknown connection"),
    ("row_filters:\n  - {table: web/a.b, where: x}", 3, 13, "has no tables"),
    ("row_filters:\n  - {table: orders/public.customers, were: x}", 3, 38, "did you mean `where`"),
    ("row_filters:\n  - {table: orders/public.customers, where: 'team = principal.team'}", 3, 45, "has no `team`"),
    ("row_filters:\n  - {table: orders/public.customers, where: x, groups: []}", 3, 56, "must not be empty"),
    (
        "masks: [{columns: orders/public.customers.team, operator: hash, inference: mask}]",
        2,
        76,
        "`null` and `replace`",
    ),
    ("masks: [{columns: orders/public.customers.team, operator: hash, inference: alow}]", 2, 76, "mean `allow`"),
    ("masks: [{columns: orders/public.customers.team, operator: keep, inference: deny}]", 2, 65, "`keep` shows"),
    ("masks: [{entities: [PERSON], operator: hash, everywhere: true, inference: deny}]", 2, 64, "a mask on `columns`"),
]


@pytest.mark.parametrize(("body", "line", "column", "why"), WRONG)
def test_a_mistake_is_shown_where_it_stands(body, line, column, why):
    with pytest.raises(PolicyError) as told:
        policy(body)
    assert why in str(told.value)
    assert (told.value.line, told.value.column) == (line, column)


CONDITIONS = [
    ("regoin = 'EU'", "Columns with a name like it: region"),
    ("region = 'EU' and", "not understood"),
    ("id in (select 1)", "one row"),
    ("id = principal.id", "text"),
    ("pg_sleep(1) is null", "pg_sleep"),
]


@pytest.mark.parametrize(("where", "why"), CONDITIONS)
def test_a_condition_is_held_against_its_table(where, why):
    held = policy(f'row_filters:\n  - {{table: orders/public.customers, where: "{where}"}}')
    (found,) = check_row_filters(held, {"orders": "postgres"}, {"orders": CATALOG})
    assert why.lower() in str(found).lower()
    assert (found.line, found.column) == (3, 45)


def test_what_can_be_told_without_the_structure_is_told():
    held = policy('row_filters:\n  - {table: orders/public.customers, where: "regoin = 1 and"}')
    assert len(check_row_filters(held, {"orders": "postgres"}, {})) == 1
    held = policy('row_filters:\n  - {table: orders/public.customers, where: "regoin = 1"}')
    assert check_row_filters(held, {"orders": "postgres"}, {}) == ()
    assert check_row_filters(policy(TWO), {"orders": "postgres"}, {"orders": CATALOG}) == ()


def test_a_column_masked_for_a_group_may_be_clear_for_others():
    mask = "masks: [{columns: orders/public.customers.team, operator: hash%s}]\nclear: [orders/public.customers.team]"
    assert policy(mask % ", groups: [support]").masks.columns[0].groups == ("support",)
    with pytest.raises(PolicyError, match="both masked and clear"):
        policy(mask % "")
