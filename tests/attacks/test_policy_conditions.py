"""Conditions that would never fire, always fire, or let an agent speak for itself."""

import pytest

from langguard.errors import PolicyError
from langguard.policy import Known, Request, evaluate, parse
from langguard.policy.conditions import ConditionError, compile_condition

KNOWN = Known(connections={"orders": "sql"})
GRANT = "version: 1\ngrants: [{group: support, connection: orders, actions: [read, write]}]\n"


def rule(effect: str, when: str) -> str:
    return GRANT + f"rules:\n  - id: r\n    {effect}: read\n    when: |-\n      {when}\n"


def verdict(text: str, **given):
    base = {
        "principal_id": "p",
        "groups": ("support",),
        "connection": "orders",
        "actions": ("read",),
        "tables": ("public.customers",),
        "now": 0,
    }
    return evaluate(parse(text, source="p", known=KNOWN), Request(**(base | given)))


@pytest.mark.parametrize(
    "when",
    [
        "call.context.provenance == 'exact'",
        "call.context.tool == 'trusted'",
        "call.context.thread_id == null",
        "call.context.source == 'callbacks'",
        "session.agent == 'trusted'",
        "call.id.startsWith('ok')",
        "true || call.context.tool == null",
        "[call.id].exists(x, x == 'ok')",
        "facts.precise ? true : session.agent.size() > 1",
    ],
)
def test_what_the_client_asserts_never_allows(when):
    with pytest.raises(PolicyError) as caught:
        parse(rule("allow", when), source="p", known=KNOWN)
    assert "the client asserts" in caught.value.detail
    assert (caught.value.line, caught.value.column) == (6, 11)
    for effect in ("deny", "review"):
        parse(rule(effect, when), source="p", known=KNOWN)


@pytest.mark.parametrize(
    "when",
    [
        "1 / facts.parameters == 1",
        "1 % facts.parameters == 1",
        "facts.touched[0] == 'x'",
        "-9223372036854775807 - 2 < facts.parameters",
        "9223372036854775807 + 1 > facts.parameters",
        "facts.tables.exists(t, 1 / facts.parameters == 1)",
        "facts.limit != null || facts.limit > 1",
    ],
)
@pytest.mark.parametrize("effect", ["allow", "deny", "review"])
def test_a_rule_that_raises_denies(when, effect):
    found = verdict(rule(effect, when))
    assert (found.effect, found.reason, found.rule) == ("deny", "rule_failed", "r")


@pytest.mark.parametrize("odd", ["true", 1, 1.0, None, [], {}, b"\x01"])
@pytest.mark.parametrize("effect", ["allow", "deny", "review"])
def test_a_rule_that_is_no_truth_value_denies(odd, effect):
    found = verdict(rule(effect, "facts.precise"), facts={"precise": odd})
    assert (found.effect, found.reason, found.rule) == ("deny", "rule_failed", "r")


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"tables": ("public.customers",)}, id="a tuple"),
        pytest.param({"tables": ["public.customers"]}, id="a list"),
        pytest.param({"tables": frozenset({"public.customers"})}, id="a set"),
        pytest.param({}, id="left out: the request's own"),
    ],
)
def test_a_deny_by_membership_fires_whatever_the_sequence(facts):
    assert verdict(rule("deny", "'public.customers' in facts.tables"), facts=facts).rule == "r"


@pytest.mark.parametrize(
    "when",
    [
        pytest.param("facts.tables == 'public.customers'", id="a list is never a text"),
        pytest.param("'publc' == 1", id="a text is never a number"),
        pytest.param("facts.tables in 'public.customers'", id="the wrong way round"),
        pytest.param("'Read' in facts.actions", id="an action in the wrong case"),
        pytest.param("'drop' in facts.actions", id="an action that does not exist"),
        pytest.param("connection.custody == 'agents'", id="a custody that does not exist"),
        pytest.param("connection.dialect == 'postgresql'", id="a dialect by another name"),
        pytest.param("principal.kind == 'human'", id="a kind by another name"),
        pytest.param("call.context.provenance != 'guess'", id="a provenance that does not exist"),
        pytest.param("facts.precise == null", id="never null"),
        pytest.param("facts['written'].size() > 0", id="a field by index"),
        pytest.param("facts[call.id].size() > 0", id="a field chosen by the client"),
        pytest.param("call.url.host == 'x'", id="a value not supplied yet"),
        pytest.param("has(facts.writen)", id="has() of a typo is false"),
        pytest.param("now - duration('2562048h') > now", id="time that wraps round"),
        pytest.param("// facts.precise\ntrue", id="a comment"),
    ],
)
def test_a_rule_that_could_never_fire_as_meant_stops_the_load(when):
    with pytest.raises(ConditionError):
        compile_condition(when)


@pytest.mark.parametrize(
    "when",
    [
        "(" * 500 + "true" + ")" * 500,
        "!" * 500 + "true",
        "[" * 500 + "]" * 500,
        "true ? true : " * 140 + "true",
        "facts." * 300 + "x",
        "-" * 500 + "1 < 1",
    ],
)
def test_depth_does_not_crash_the_process(when):
    with pytest.raises(ConditionError):
        compile_condition(when)


def test_the_longest_walk_is_bounded():
    """Three hundred columns, walked in each other: the deepest walk a policy may ask for."""
    many = [f"public.t.c{number}" for number in range(300)]
    text = rule("deny", "facts.touched.all(a, facts.touched.exists(b, a == b && a.matches('c[0-9]+$')))")
    assert verdict(text, facts={"touched": many}).rule == "r"
