"""The decision: grants, rules, their order and their failures; limits; what a person is told."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langguard.policy import Known, Request, evaluate, explain, parse

KNOWN = Known(connections={"orders": "sql", "web": "http"})
NOW = 1_767_225_600_000_000


def policy(text: str):
    return parse("version: 1\n" + text, source="p", known=KNOWN)


def ask(**given):
    base = {
        "principal_id": "prn_1",
        "groups": ("support",),
        "connection": "orders",
        "actions": ("read",),
        "tables": ("public.customers",),
        "now": NOW,
    }
    return Request(**(base | given))


READ = "grants:\n  - {group: support, connection: orders, actions: [read, metadata]}\n"
BROKEN = "when: 1 / facts.parameters == 1"


@pytest.mark.parametrize(
    ("text", "given", "effect", "reason", "rule"),
    [
        pytest.param("", {}, "deny", "no_grant", None, id="deny by default"),
        pytest.param(READ, {}, "allow", "granted", None, id="a grant allows"),
        pytest.param(READ, {"actions": ()}, "deny", "no_grant", None, id="a call without actions is denied"),
        pytest.param(READ, {"groups": ("sales",)}, "deny", "no_grant", None, id="a grant is for its group"),
        pytest.param(READ, {"groups": ("Support",)}, "deny", "no_grant", None, id="groups are compared exactly"),
        pytest.param(READ, {"connection": "web"}, "deny", "no_grant", None, id="a grant is for its connection"),
        pytest.param(READ, {"actions": ("read", "write")}, "deny", "no_grant", None, id="each action needs a grant"),
        pytest.param(
            "grants: [{principal: prn_1, connection: '*', actions: read}]", {}, "allow", "granted", None, id="by id"
        ),
        pytest.param(
            "grants: [{principal: ann, connection: '*', actions: read}]",
            {"principal_name": "ann", "groups": ("ann",)},
            "deny",
            "no_grant",
            None,
            id="a principal's grant goes by id, not by name or group",
        ),
        # grants limited to tables
        pytest.param(
            "grants: [{group: support, connection: orders, actions: read, tables: public.orders}]",
            {},
            "deny",
            "no_grant",
            None,
            id="another table",
        ),
        pytest.param(
            "grants: [{group: support, connection: orders, actions: read, tables: public.*}]",
            {"tables": ("public.a", "audit.b")},
            "deny",
            "no_grant",
            None,
            id="every table of a join needs a grant",
        ),
        pytest.param(
            "grants:\n- {group: support, connection: orders, actions: read, tables: public.a}\n"
            "- {group: support, connection: orders, actions: read, tables: audit.b}",
            {"tables": ("public.a", "audit.b")},
            "allow",
            "granted",
            None,
            id="grants add up over tables",
        ),
        pytest.param(
            "grants: [{group: support, connection: orders, actions: read, tables: public.a}]",
            {"tables": ()},
            "allow",
            "granted",
            None,
            id="SELECT 1 reads no table",
        ),
        pytest.param(
            "grants: [{group: support, connection: orders, actions: [ddl, metadata], tables: public.a}]",
            {"tables": (), "actions": ("ddl",)},
            "deny",
            "no_grant",
            None,
            id="other actions without a table need a grant on the whole connection",
        ),
        pytest.param(
            "grants: [{group: support, connection: orders, actions: read, tables: public.a}]",
            {"tables": None},
            "deny",
            "no_grant",
            None,
            id="unknown tables are not covered by a table's grant",
        ),
        pytest.param(
            "grants:\n- {group: support, connection: orders, actions: read}\n"
            "- {group: support, connection: orders, actions: write, tables: public.log}",
            {
                "actions": ("read", "write"),
                "tables": ("public.customers", "public.log"),
                "facts": {"written": ["public.log"]},
            },
            "allow",
            "granted",
            None,
            id="a write concerns the table written",
        ),
        pytest.param(
            "grants:\n- {group: support, connection: orders, actions: read}\n"
            "- {group: support, connection: orders, actions: write, tables: public.log}",
            {"actions": ("read", "write"), "tables": ("public.customers", "public.log")},
            "deny",
            "no_grant",
            None,
            id="a write whose target is not known concerns them all",
        ),
        # rules
        pytest.param(READ + "rules: [{id: d, deny: read}]", {}, "deny", "rule", "d", id="deny beats a grant"),
        pytest.param(READ + "rules: [{id: d, deny: '*'}]", {}, "deny", "rule", "d", id="* denies everything"),
        pytest.param(READ + "rules: [{id: d, deny: write}]", {}, "allow", "granted", None, id="another action"),
        pytest.param(READ + "rules: [{id: r, review: read}]", {}, "review", "rule", "r", id="review holds back"),
        pytest.param(
            READ + "rules: [{id: r, review: read}, {id: d, deny: read}]",
            {},
            "deny",
            "rule",
            "d",
            id="deny beats review",
        ),
        pytest.param(
            READ + "rules: [{id: a, allow: read}, {id: d, deny: read}]", {}, "deny", "rule", "d", id="deny beats allow"
        ),
        pytest.param(
            "rules: [{id: a, allow: read}, {id: r, review: read}]", {}, "review", "rule", "r", id="review beats allow"
        ),
        pytest.param("rules: [{id: r, review: read}]", {}, "deny", "no_grant", None, id="review does not grant"),
        pytest.param(
            "rules: [{id: d, deny: read}]", {}, "deny", "rule", "d", id="a deny is named before a missing grant"
        ),
        pytest.param("rules: [{id: a, allow: read}]", {}, "allow", "granted", None, id="an allow rule grants"),
        pytest.param(
            "rules: [{id: a, allow: read, on: orders/public.customers}]",
            {"tables": ("public.customers", "public.orders")},
            "deny",
            "no_grant",
            None,
            id="an allow rule covers its tables only",
        ),
        pytest.param(
            "rules: [{id: a, allow: read}]",
            {"actions": ("read", "write")},
            "deny",
            "no_grant",
            None,
            id="and its actions",
        ),
        pytest.param(
            READ + "rules: [{id: d, deny: read, on: orders/public.customers}]",
            {"tables": ("public.orders", "public.customers")},
            "deny",
            "rule",
            "d",
            id="a deny on one table of a join denies",
        ),
        pytest.param(
            READ + "rules: [{id: d, deny: read, on: orders/audit.*}]", {}, "allow", "granted", None, id="another schema"
        ),
        pytest.param(
            READ + "rules: [{id: d, deny: read, on: [web, 'kind:sql'] }]",
            {},
            "deny",
            "rule",
            "d",
            id="any scope of a list",
        ),
        pytest.param(
            READ + "rules: [{id: d, deny: '*', on: 'kind:http'}]", {}, "allow", "granted", None, id="another kind"
        ),
        pytest.param(
            READ + "rules: [{id: d, deny: read, on: '*/*.customers'}]", {}, "deny", "rule", "d", id="a table anywhere"
        ),
        pytest.param(
            READ + "rules: [{id: d, deny: read, on: orders/public.a}]",
            {"tables": None},
            "deny",
            "rule",
            "d",
            id="unknown tables may be the denied one",
        ),
        pytest.param(
            READ + "rules: [{id: d, deny: read, on: orders/public.a}]",
            {"tables": ()},
            "allow",
            "granted",
            None,
            id="none",
        ),
        pytest.param(READ + "rules: [{id: d, deny: read, when: 'false'}]", {}, "allow", "granted", None, id="false"),
        # rules that fail
        pytest.param(
            READ + f"rules: [{{id: d, deny: read, {BROKEN}}}]", {}, "deny", "rule_failed", "d", id="deny raises"
        ),
        pytest.param(READ + f"rules: [{{id: d, review: read, {BROKEN}}}]", {}, "deny", "rule_failed", "d", id="review"),
        pytest.param(READ + f"rules: [{{id: d, allow: read, {BROKEN}}}]", {}, "deny", "rule_failed", "d", id="allow"),
        pytest.param(
            READ + f"rules: [{{id: d, deny: write, {BROKEN}}}]", {}, "allow", "granted", None, id="not about this call"
        ),
        pytest.param(
            READ + f"rules: [{{id: b, deny: read, {BROKEN}}}, {{id: d, deny: read}}]",
            {},
            "deny",
            "rule",
            "d",
            id="a rule that denies is named before one that failed",
        ),
        pytest.param(
            READ + "rules: [{id: d, deny: read, when: facts.precise}]",
            {"facts": {"precise": "no"}},
            "deny",
            "rule_failed",
            "d",
            id="a value that is no truth value",
        ),
        pytest.param(
            READ + "rules: [{id: d, deny: read, when: facts.precise}]",
            {"facts": {"outputs": [object()]}},
            "deny",
            "rule_failed",
            "d",
            id="a context that can't be made",
        ),
    ],
)
def test_the_decision(text, given, effect, reason, rule):
    verdict = evaluate(policy(text), ask(**given))
    assert (verdict.effect, verdict.reason, verdict.rule) == (effect, reason, rule)


def test_a_denied_call_is_told_what_is_granted():
    text = READ + "  - {group: support, connection: orders, actions: write, tables: public.notes}"
    verdict = evaluate(policy(text), ask(actions=("write",)))
    assert verdict.message == (
        "Not granted: write of public.customers on orders. "
        "Granted to you here: metadata, read; write (only on public.notes)."
    )
    assert "no grant on this connection" in evaluate(policy(READ), ask(groups=())).message


def test_a_rule_speaks_in_the_administrators_words():
    verdict = evaluate(policy(READ + "rules: [{id: d, deny: read, message: Ask the owner.}]"), ask())
    assert verdict.message == "Denied: read on orders (rule d). Ask the owner."


def test_a_review_carries_its_approvers():
    text = READ + "rules: [{id: r, review: read, approvers: {groups: owners, needed: 2}}]"
    verdict = evaluate(policy(text), ask())
    assert verdict.approvers is not None
    assert (verdict.approvers.groups, verdict.approvers.needed) == (("owners",), 2)
    assert "Held for review: read on orders (rule r)." in verdict.message


def test_the_trace_names_everything_considered():
    text = READ + (
        "rules:\n  - {id: d, deny: write}\n  - {id: r, review: read, when: session.agent == 'x'}\n"
        f"  - {{id: b, deny: read, {BROKEN}}}\n"
    )
    trace = explain(evaluate(policy(text), ask()))
    assert trace.splitlines() == [
        "deny  (rule_failed by rule b)",
        "  Denied: read on orders. Rule b could not be evaluated, so it denies; tell an administrator.",
        "  + grant 1 (group support): covers read of public.customers",
        "  - deny rule d: is not about this call",
        "  - review rule r: its condition is false for read of public.customers  [reads what the client asserts]",
        "  + deny rule b: its condition failed (ZeroDivisionError), so it denies",
        "  bounds: 500 rows, 10000 ms, 5000000 bytes of values",
    ]
    assert "no grants and no rules" in explain(evaluate(policy(""), ask()))


LIMITS = """\
limits:
  - {rows: 500, statement_timeout: 10s, result_bytes: 9000}
  - {on: kind:sql, rows: 400}
  - {on: orders, rows: 300}
  - {on: orders/public.*, rows: 200}
  - {on: orders/public.customers, rows: 20, statement_timeout: 2s}
  - {on: orders/public.countries, rows: 5000}
"""


@pytest.mark.parametrize(
    ("given", "rows", "timeout"),
    [
        pytest.param({}, 20, 2000, id="a table's own limit"),
        pytest.param({"tables": ("public.countries",)}, 5000, 10000, id="which may be wider"),
        pytest.param({"tables": ("public.countries", "public.customers")}, 20, 2000, id="the least over tables"),
        pytest.param({"tables": ("public.x",)}, 200, 10000, id="a schema's limit"),
        pytest.param({"tables": ("audit.x",)}, 300, 10000, id="the connection's"),
        pytest.param({"tables": ()}, 300, 10000, id="no table: the connection's"),
        pytest.param({"tables": None}, 20, 2000, id="unknown tables: the least of all"),
        pytest.param({"connection": "other"}, 400, 10000, id="the kind's"),
        pytest.param({"connection": "web", "kind": "http", "tables": ()}, 500, 10000, id="everywhere"),
    ],
)
def test_the_narrowest_limit_holds(given, rows, timeout):
    verdict = evaluate(policy(LIMITS), ask(**given))
    assert (verdict.rows, verdict.timeout_ms, verdict.result_bytes) == (rows, timeout, 9000)


def test_a_principal_may_know_connections_it_has_a_grant_on():
    held = policy(READ)
    assert held.may_use(principal="x", groups=("support",), connection="orders")
    assert not held.may_use(principal="x", groups=("support",), connection="web")
    assert not held.may_use(principal="support", groups=(), connection="orders")


# properties

ACTIONS = ("read", "write", "ddl")
TABLES = ("public.a", "public.b", "audit.a")
SCOPES = ("", "on: orders,", "on: kind:sql,", "on: orders/public.*,", "on: orders/public.a,", "on: web,")
CONDITIONS = (
    "",
    "when: facts.precise,",
    "when: 'false',",
    "when: 1 / facts.parameters == 1,",
    "when: facts.parameters == 0,",
)


@st.composite
def rules(draw, effects=("allow", "deny", "review")):
    effect = draw(st.sampled_from(effects))
    scope = draw(st.sampled_from(SCOPES))
    action = "fetch" if "web" in scope else draw(st.sampled_from(ACTIONS))
    return f"{scope} {draw(st.sampled_from(CONDITIONS))} {effect}: {action}"


GRANTS = st.lists(
    st.builds(
        lambda action, tables: f"{{group: support, connection: orders, actions: {action}{tables}}}",
        st.sampled_from(ACTIONS),
        st.sampled_from(("", ", tables: public.*", ", tables: public.a")),
    ),
    max_size=4,
)
REQUESTS = st.builds(
    lambda actions, tables, parameters, precise: ask(
        actions=tuple(actions), tables=tuple(tables), facts={"parameters": parameters, "precise": precise}
    ),
    st.sets(st.sampled_from(ACTIONS), min_size=1),
    st.sets(st.sampled_from(TABLES)),
    st.integers(0, 1),
    st.booleans(),
)


def made(grants, written):
    lines = [f"  - {{id: r{number}, {text}}}" for number, text in enumerate(written)]
    return policy("grants: [" + ", ".join(grants) + "]\nrules:\n" + "\n".join(lines))


@settings(max_examples=150, deadline=None)
@given(GRANTS, st.lists(rules(), max_size=4), rules(effects=("deny", "review")), REQUESTS)
def test_adding_a_deny_or_review_never_loosens(grants, written, extra, request):
    order = {"allow": 0, "review": 1, "deny": 2}
    before = evaluate(made(grants, written), request)
    after = evaluate(made(grants, [*written, extra]), request)
    assert order[after.effect] >= order[before.effect]


@settings(max_examples=60, deadline=None)
@given(GRANTS, st.lists(rules(), max_size=3), REQUESTS)
def test_order_does_not_matter_and_the_same_gives_the_same(grants, written, request):
    verdicts = [evaluate(made(grants, shuffled), request) for shuffled in itertools.permutations(written)]
    assert {(item.effect, item.reason, item.rows) for item in verdicts} == {
        (verdicts[0].effect, verdicts[0].reason, verdicts[0].rows)
    }
    assert evaluate(made(grants, written), request) == evaluate(made(grants, written), request)


@settings(max_examples=60, deadline=None)
@given(GRANTS, st.lists(rules(), max_size=4), REQUESTS, st.data())
def test_fewer_grants_never_loosen(grants, written, request, data):
    order = {"allow": 0, "review": 1, "deny": 2}
    kept = [grant for grant in grants if data.draw(st.booleans())]
    assert (
        order[evaluate(made(kept, written), request).effect] >= order[evaluate(made(grants, written), request).effect]
    )


BULK = "rules: [{id: bulk, deny: read, when: %s}]"


@pytest.mark.parametrize(
    ("rules", "given", "effect", "reason", "wants"),
    [
        pytest.param(
            BULK % "facts.estimated_rows > 1000",
            {},
            "deny",
            "estimate_unknown",
            ("facts.estimated_rows",),
            id="a rule that goes by it denies until it is known",
        ),
        pytest.param(BULK % "facts.estimated_rows > 1000", {"estimated_rows": 1001}, "deny", "rule", (), id="holds"),
        pytest.param(BULK % "facts.estimated_rows > 1000", {"estimated_rows": 1000}, "allow", "granted", (), id="no"),
        pytest.param(
            BULK % "facts.estimated_rows > 1000",
            {"scanned_rows": 5},
            "deny",
            "estimate_unknown",
            ("facts.estimated_rows",),
            id="another estimate is no answer",
        ),
        pytest.param(
            BULK % "'facts.estimated_rows > 1000 && !facts.precise'", {}, "allow", "granted", (), id="not reached"
        ),
        pytest.param(
            BULK % "'facts.estimated_rows > 1000 || facts.precise'", {}, "deny", "rule", (), id="decided by the rest"
        ),
        pytest.param(
            "rules:\n- {id: bulk, deny: read, when: facts.estimated_rows > 1000}\n- {id: all, deny: read}",
            {},
            "deny",
            "rule",
            (),
            id="a rule that denies anyway is the answer, and nobody is asked",
        ),
        pytest.param(
            "rules:\n- {id: bulk, deny: read, when: facts.estimated_rows > 1000}\n- {id: broken, deny: read, "
            "when: 1 / facts.parameters == 1}",
            {},
            "deny",
            "rule_failed",
            (),
            id="so is one that fails",
        ),
        pytest.param(
            "rules: [{id: bulk, deny: write, when: facts.estimated_rows > 1000}]",
            {},
            "allow",
            "granted",
            (),
            id="a rule about something else wants nothing",
        ),
        pytest.param(
            "rules: [{id: bulk, review: read, when: facts.scanned_rows > 9}]",
            {},
            "deny",
            "estimate_unknown",
            ("facts.scanned_rows",),
            id="a review",
        ),
    ],
)
def test_a_rule_that_goes_by_an_estimate(rules, given, effect, reason, wants):
    verdict = evaluate(policy(READ + rules), ask(estimates=given))
    assert (verdict.effect, verdict.reason, verdict.wants) == (effect, reason, wants)


def test_an_estimate_can_open_only_where_an_allow_rule_goes_by_it():
    few = "rules: [{id: few, allow: read, when: facts.estimated_rows < 10}]"
    assert evaluate(policy(few), ask()).reason == "estimate_unknown"
    assert evaluate(policy(few), ask(estimates={"estimated_rows": 9})).effect == "allow"
    assert evaluate(policy(few), ask(estimates={"estimated_rows": 10})).reason == "no_grant"
    assert evaluate(policy(few), ask(actions=("read", "write"))).reason == "no_grant", "whatever it would be"


def test_the_denial_of_an_unknown_estimate_names_the_rule_and_no_number():
    verdict = evaluate(policy(READ + BULK % "facts.estimated_rows > 1000"), ask())
    assert "bulk" in verdict.message
    assert "1000" not in verdict.message
