"""One call is decided by one policy, even if another is put in force while its statement is analysed."""

import asyncio
from types import SimpleNamespace

from langguard.clock import SystemClock
from langguard.gateway.identity.principals import Principal
from langguard.gateway.services.judge import Judge
from langguard.gateway.services.remembered import Remembered
from langguard.gateway.settings_estimates import EstimateSettings
from langguard.policy import Known, parse
from langguard.protocol import CallRequest, Catalog, Column, SqlCall, Table
from langguard.sql import analyze, rewrite

OPEN = "version: 1\ngrants: [{group: g, connection: shop, actions: [read]}]\nclear: [shop/main.t.a]\n"
MASKED = (
    "version: 1\ngrants: [{group: g, connection: shop, actions: [read]}]\n"
    "masks: [{columns: shop/main.t.a, operator: redact}]\n"
)
CATALOG = Catalog(
    dialect="sqlite",
    default_schemas=("main",),
    tables=(Table(schema="main", name="t", columns=(Column(name="a", type="TEXT", kind="text"),)),),
    version="1",
)


def policy(text):
    return parse(text, source="policy.yaml", known=Known(connections={"shop": "sql"}))


class Slow:
    """Lets the policy change while it analyses."""

    def __init__(self, policies):
        self.policies = policies

    async def analyze(self, text, catalog, *, owner):
        self.policies.current = policy(OPEN)
        return analyze(text, "sqlite", catalog)

    async def rewrite(self, facts, obligations, catalog, *, owner):
        return rewrite(facts, obligations, catalog)


def test_a_policy_put_in_force_meanwhile_decides_the_next_call():
    policies = SimpleNamespace(current=policy(MASKED))
    settings = SimpleNamespace(name="shop", dialect="sqlite", custody="gateway")
    connection = SimpleNamespace(name="shop", settings=settings, catalog=CATALOG)
    who = Principal(id="p", name="p", kind="service", groups=("g",), scopes=("call",))
    live = SimpleNamespace(id="s", principal=who, stored=SimpleNamespace(agent=""))
    judge = Judge(
        connections={"shop": connection},
        analysis=Slow(policies),
        policies=policies,
        clock=SystemClock(),
        ner=False,
        remembered=Remembered(EstimateSettings(), SystemClock()),
    )
    request = CallRequest(id="c", call=SqlCall(connection="shop", statement="SELECT a FROM t"))
    first = asyncio.run(judge.judge(live, request))
    assert first.permission.decision.policy_version == policy(MASKED).version_id
    assert [step.action for step in first.permission.obligations.mask.columns] == ["mask"]
    second = asyncio.run(judge.judge(live, request))
    assert second.permission.decision.policy_version == policy(OPEN).version_id
    assert [step.action for step in second.permission.obligations.mask.columns] == ["pass"]
