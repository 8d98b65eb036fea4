"""A remembered masking plan is given again only for the same statement, structure, policy and connection."""

from types import SimpleNamespace

import pytest

from langguard.gateway.services.judge import Judge
from langguard.protocol import Catalog, Column, ColumnMask, Facts, MaskPolicy, Operator, Output, Table


def catalog(version: str = "1", kind: str = "text") -> Catalog:
    table = Table(schema="public", name="people", columns=(Column(name="mail", type=kind, kind=kind),))
    return Catalog(dialect="postgres", default_schemas=("public",), tables=(table,), version=version)


def policy(version: str, operator: str) -> SimpleNamespace:
    mask = ColumnMask(columns=("shop/public.people.mail",), operator=Operator(name=operator))
    return SimpleNamespace(version_id=version, masks=MaskPolicy(columns=(mask,)))


FACTS = Facts(
    statement='SELECT "mail" FROM "public"."people"',
    actions=("read",),
    outputs=(Output(name="mail", columns=("public.people.mail",), direct=True),),
)
SHOP, OTHER = SimpleNamespace(name="shop"), SimpleNamespace(name="other")


@pytest.fixture
def policies() -> SimpleNamespace:
    return SimpleNamespace(current=policy("a", "replace"))


@pytest.fixture
def judge(policies) -> Judge:
    return Judge(connections=None, analysis=None, policies=policies, clock=None, ner=False, remembered=None)


def operator_of(judge: Judge, held: Catalog, connection: SimpleNamespace) -> str | None:
    (step,) = judge._hidden(FACTS, held, connection, ()).plan.columns
    return None if step.operator is None else step.operator.name


def test_the_same_again_is_remembered(judge):
    assert judge._hidden(FACTS, catalog(), SHOP, ()) is judge._hidden(FACTS, catalog(), SHOP, ())


def test_a_changed_policy_masks_from_its_first_call(judge, policies):
    assert operator_of(judge, catalog(), SHOP) == "replace"
    policies.current = policy("b", "null")
    assert operator_of(judge, catalog(), SHOP) == "null"


def test_a_mask_for_some_groups_is_planned_for_these(judge, policies):
    mask = ColumnMask(columns=("shop/public.people.mail",), operator=Operator(name="null"), groups=("support",))
    policies.current = SimpleNamespace(version_id="c", masks=MaskPolicy(columns=(mask,)))
    shown = judge._hidden(FACTS, catalog(), SHOP, ("audit",))
    assert judge._hidden(FACTS, catalog(), SHOP, ("support",)).plan.columns[0].operator.name == "null"
    assert shown.plan.columns[0].action == "pass"
    assert judge._hidden(FACTS, catalog(), SHOP, ("audit", "x")) is shown


def test_another_connection_has_its_own_plan(judge):
    assert operator_of(judge, catalog(), SHOP) == "replace"
    assert operator_of(judge, catalog(), OTHER) is None


def test_a_changed_structure_is_planned_anew(judge):
    first = judge._hidden(FACTS, catalog(), SHOP, ())
    assert judge._hidden(FACTS, catalog("2"), SHOP, ()) is not first
