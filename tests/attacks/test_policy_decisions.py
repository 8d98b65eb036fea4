"""Ways round a decision: each row was tried, and denies."""

import pytest

from langguard.policy import Known, Request, evaluate, parse

KNOWN = Known(connections={"orders": "sql", "web": "http"})
TEXT = """\
version: 1
grants:
  - {group: support, connection: orders, actions: [read, metadata], tables: [public.*]}
  - {group: support, connection: orders, actions: [write, ddl], tables: [public.notes]}
rules:
  - {id: no-salaries, deny: "*", on: orders/hr.*}
  - {id: no-customers, deny: read, on: orders/public.customers}
  - {id: no-export, deny: read, when: "facts.functions.exists(f, f.startsWith('copy'))"}
  - {id: known-tools, deny: "*", when: "call.context.tool != null && call.context.tool.size() > 100"}
"""
POLICY = parse(TEXT, source="p", known=KNOWN)


def verdict(**given):
    base = {
        "principal_id": "p",
        "groups": ("support",),
        "connection": "orders",
        "actions": ("read",),
        "tables": ("public.notes",),
        "now": 0,
    }
    return evaluate(POLICY, Request(**(base | given)))


def test_what_is_meant_to_work_works():
    assert verdict().effect == "allow"
    assert verdict(actions=("read", "write"), facts={"written": ("public.notes",)}).effect == "allow"


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        pytest.param({"tables": ("public.notes", "public.customers")}, "no-customers", id="join the denied table"),
        pytest.param({"tables": ("public.notes", "hr.pay")}, "no-salaries", id="join another schema"),
        pytest.param({"tables": ("hr.a.b",)}, "no-salaries", id="a table's name with a dot, denied schema"),
        pytest.param({"tables": ("public.a.b",)}, None, id="schema `public.a` is not schema `public`"),
        pytest.param({"tables": ("Public.notes",)}, None, id="another case"),
        pytest.param({"tables": ("public.notes ",), "actions": ("write",)}, None, id="a space after"),
        pytest.param({"tables": ("public.nоtes",), "actions": ("write",)}, None, id="a look-alike table"),
        pytest.param({"tables": ("notes",)}, None, id="a name without its schema"),
        pytest.param({"tables": ("*",)}, None, id="a star as a table"),
        pytest.param({"tables": None}, "no-salaries", id="tables not known"),
        pytest.param({"tables": (), "actions": ("ddl",)}, None, id="ddl that names no table"),
        pytest.param({"tables": (), "actions": ("metadata",)}, None, id="the whole structure, with a grant on some"),
        pytest.param({"actions": ("write",), "tables": ("public.a",)}, None, id="write where only read is granted"),
        pytest.param(
            {"actions": ("write",), "tables": ("public.notes", "public.a"), "facts": {"written": ("public.a",)}},
            None,
            id="write one, hold a grant on the other",
        ),
        pytest.param(
            {
                "actions": ("read", "write"),
                "tables": ("public.customers", "public.notes"),
                "facts": {"written": ("public.notes",)},
            },
            "no-customers",
            id="copy a denied table into an allowed one",
        ),
        pytest.param({"actions": ("read", "exec")}, None, id="an action of another kind"),
        pytest.param({"actions": ("*",)}, None, id="a star as an action"),
        pytest.param({"actions": ()}, None, id="no action at all"),
        pytest.param({"groups": ("support ",)}, None, id="a group with a space"),
        pytest.param({"groups": ("suppоrt",)}, None, id="a look-alike group"),
        pytest.param({"groups": (), "principal_id": "support"}, None, id="a principal named like the group"),
        pytest.param({"connection": "Orders"}, None, id="a connection in another case"),
        pytest.param({"connection": "*"}, None, id="a star as a connection"),
        pytest.param({"facts": {"functions": ("copy_to",)}}, "no-export", id="a function"),
        pytest.param({"facts": {"functions": None}}, "no-export", id="a fact that is null"),
        pytest.param({"facts": {"functions": 7}}, "no-export", id="a fact of another type"),
        pytest.param({"context": {"tool": "x" * 101}}, "known-tools", id="a context value the rule is about"),
        pytest.param({"context": {"tool": "\ud800"}}, "no-export", id="a lone surrogate breaks the context: all deny"),
        pytest.param({"context": {"tool": object()}}, "no-export", id="a context value of no type"),
        pytest.param({"now": 10**30}, "no-export", id="a time that is none"),
    ],
)
def test_a_way_round_is_closed(given, rule):
    found = verdict(**given)
    assert found.effect == "deny"
    assert found.rule == rule
    assert found.message


def test_client_context_never_turns_a_deny_into_an_allow():
    """Whatever the client asserts, a policy without rules on it decides alike."""
    for context in ({}, {"provenance": "exact", "source": "state", "tool": "t", "thread_id": "t"}):
        for agent in ("", "trusted"):
            assert verdict(context=context, agent=agent).effect == "allow"
            assert verdict(context=context, agent=agent, tables=("public.customers",)).rule == "no-customers"
