"""Conditions are typed at load and run against one converted context."""

import dataclasses

import pytest

from langguard.policy.conditions import ConditionError, ConditionFailed, compile_condition, context_of
from langguard.policy.environment import ENVIRONMENT, FUNCTIONS, MACROS, METHODS, PROBED
from langguard.policy.evaluate import _variables
from langguard.policy.request import Request
from langguard.protocol import Context, Facts

NOW = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z, a Thursday


def variables(**facts):
    request = Request(
        principal_id="prn_1",
        principal_name="reporting",
        groups=("support", "ops"),
        session_id="ses_1",
        agent="helper",
        connection="orders",
        dialect="postgres",
        call_id="call_1",
        actions=("read",),
        tables=("public.customers",),
        facts={"touched": ("public.customers.id", "public.customers.email"), **facts},
        context={"tool": "sql_db_query"},
        now=NOW,
    )
    return _variables(request)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"public.customers" in facts.tables', True),
        ('"public.orders" in facts.tables', False),
        ("facts.tables.exists(t, t.startsWith('public.'))", True),
        ("facts.touched.all(c, c.endsWith('.id'))", False),
        ("facts.touched.exists_one(c, c.contains('email'))", True),
        ("size(facts.touched.filter(c, c.matches(r'\\.email$'))) == 1", True),
        ("facts.touched[0] == 'public.customers.id'", True),
        ("facts.touched.exists(c, facts.tables.exists(t, c.startsWith(t)))", True),
        ('"support" in principal.groups && principal.kind == "service"', True),
        ("connection.kind == 'sql' && connection.custody != 'agent'", True),
        ("connection.dialect in ['postgres', 'sqlite']", True),
        ("call.actions == ['read']", True),
        ("call.context.tool == 'sql_db_query'", True),
        ("call.context.tool != null && call.context.tool.startsWith('sql_')", True),
        ("call.context.thread_id == null", True),
        ("call.context.provenance == 'unknown'", True),
        ("session.agent == 'helper'", True),
        ("facts.limit == null || facts.limit > 100", True),
        ("facts.filtered == false", False),
        ("facts.precise ? false : true", False),
        ("!(facts.parameters > 0)", True),
        ("facts.parameters + 2 * 3 - 1 == 5 && 7 / 2 == 3 && 7 % 2 == 1", True),
        ("double(facts.parameters) + 0.5 < 1.0", True),
        ("-1 < facts.parameters", True),
        ("now.getDayOfWeek() == 4 && now.getHours() < 8", True),
        ("now > timestamp('2025-12-31T23:59:59Z')", True),
        ("now - timestamp('2025-12-31T00:00:00Z') >= duration('24h')", True),
        ("now + duration('1h') < timestamp('2026-01-01T00:30:00+00:00')", False),
        ('facts.shape == "a\\"b"', False),
        ("facts.outputs.size() == 0", True),
    ],
)
def test_a_condition_comes_to(text, value):
    assert compile_condition(text).holds(context_of(variables(), NOW)) is value


def test_outputs_are_read_by_field():
    held = context_of(variables(outputs=[{"name": "n", "columns": ["public.customers.email"], "direct": True}]), NOW)
    condition = compile_condition("facts.outputs.exists(o, o.direct && 'public.customers.email' in o.columns)")
    assert condition.holds(held) is True
    assert [(item.domain, item.text) for item in condition.literals] == [("column", "public.customers.email")]


@pytest.mark.parametrize(
    ("text", "offset", "words"),
    [
        ("", 0, "a value is expected"),
        ("facts", 0, "is not a value"),
        ("facts.tables", 0, "true or false; this is a list"),
        ("1", 0, "true or false"),
        ("'true'", 0, "true or false"),
        ("bogus == 1", 0, "unknown name `bogus`"),
        ("fact.precise", 0, "did you mean `facts`?"),
        ("facts.precis", 6, "did you mean `precise`?"),
        ("call.context.tol == 'x'", 13, "did you mean `tool`?"),
        ("principal.name.first == 'x'", 15, "has no fields"),
        ("facts['precise']", 6, "read a field as `.name`"),
        ("facts.tables['a'] == 'x'", 13, "whole number"),
        ("'pii' in session.labels", 17, "not supplied"),
        ("risk.reasons.size() > 0", 5, "not supplied"),
        ("call.url.host == 'x'", 9, "not supplied"),
        ("call.context.prompt.contains('x')", 13, "not supplied"),
        ("session.started_at < now", 8, "not supplied"),
        ("facts.limit > 5", 0, "may be null"),
        ("!facts.filtered", 1, "may be null"),
        ("call.context.tool.startsWith('x')", 0, "may be null"),
        ("facts.limit == null ? facts.limit > 1 : facts.filtered", 0, "may be null"),
        ("facts.precise == null", 0, "never null"),
        ("facts.tables == 'public.customers'", 13, "never equal"),
        ("facts.tables in ['public.customers']", 13, "never in a list of"),
        ("1 in facts.tables", 2, "never in a list of"),
        ("'read' in call", 10, "is not a value"),
        ("'raed' in call.actions", 0, "did you mean `read`?"),
        ("connection.kind == 'SQL'", 19, "did you mean `sql`?"),
        ("connection.kind in ['sql', 'htp']", 27, "did you mean `http`?"),
        ("call.actions == ['reed']", 17, "did you mean `read`?"),
        ("principal.kind == (facts.precise ? 'person' : 'robot')", 46, "unknown value `robot`"),
        ("facts.tables < 'x'", 13, "no order"),
        ("facts.precise < true", 14, "no order"),
        ("facts.precise && 1", 17, "both sides of `&&`"),
        ("facts.parameters || true", 0, "both sides of `||`"),
        ("1 + 0.5 > 1", 2, "`double(...)` converts"),
        ("'a' + 'b' == 'ab'", 4, "two whole numbers"),
        ("-'a' == 'a'", 0, "takes a number"),
        ("!1 == 1", 1, "true or false"),
        ("1 < 2 == true", 6, "do not chain"),
        ("1 == 2 in [1]", 7, "do not chain"),
        ("!!true", 1, "a value is expected"),
        ("facts.precise ? 1 : 'a'", 20, "one type"),
        ("[] == facts.tables", 0, "the list is empty"),
        ("[1, 'a'] == [1]", 4, "one type"),
        ("[null] == [1]", 1, "one type"),
        ("{'a': 1}.a == 1", 0, "no place in a condition"),
        ("facts{precise: true}", 5, "no place in a condition"),
        (".facts.precise", 0, "a value is expected"),
        ("facts.?precise", 6, "a field's name"),
        ("facts.`precise`", 6, "no place in a condition"),
        ("b'a' == b'a'", 1, "is not expected"),
        ('"""a""" == "a"', 2, "is not expected"),
        ("facts.precise // comment", 15, "a value is expected"),
        ("facts.precise and true", 14, "not expected"),
        ("facts.precise & true", 14, "write `&&`"),
        ("facts.parameters = 1", 17, "`==`"),
        ("facts.shape == 'a", 15, "not closed"),
        ("facts.shape == '\\u0061'", 15, "escape"),
        ("facts.shape == r'a\\'", 16, "not closed"),
        ("facts.parameters == 0x10", 20, "a number is written"),
        ("facts.parameters == 1u", 20, "a number is written"),
        ("facts.parameters == 1e3", 20, "a number is written"),
        ("facts.parameters == 9223372036854775808", 20, "2^63"),
        ("while == 1", 0, "reserved"),
        ("upper(facts.shape) == 'A'", 0, "unknown function"),
        ("facts.shape.startswith('a')", 12, "did you mean `startsWith`?"),
        ("dyn(facts).precise", 0, "unknown function"),
        ("type(facts.shape) == 'text'", 0, "unknown function"),
        ("has(facts.precise)", 0, "unknown function"),
        ("facts.tables.map(t, t) == facts.tables", 13, "unknown function"),
        ("facts.shape.startsWith()", 12, "takes 2 values"),
        ("facts.shape.startsWith(1)", 23, "takes a text"),
        ("size(facts.parameters) == 1", 0, "one text or list"),
        ("facts.shape.matches('(')", 20, "does not accept"),
        ("facts.shape.matches(facts.shape)", 20, "written out"),
        ("now > timestamp('tomorrow')", 16, "a time here is written"),
        ("now > timestamp('2026-13-01T00:00:00Z')", 16, "does not accept"),
        ("now > now - duration('99999999999h')", 21, "a duration here"),
        ("now > now - duration('1d')", 21, "a duration here"),
        ("facts.tables.exists(facts, true)", 20, "already names"),
        ("facts.tables.exists(t, facts.touched.exists(t, true))", 44, "already names"),
        ("facts.tables.exists('t', true)", 13, "takes a name"),
        ("facts.tables.exists(t, 1)", 23, "takes a condition"),
        ("facts.shape.exists(t, true)", 12, "takes a list"),
        ("t == 'x' || facts.tables.exists(t, true)", 0, "unknown name `t`"),
        (
            "facts.tables.exists(a, facts.tables.exists(b, facts.tables.exists(c, a == b && b == c)))",
            59,
            "at most 2 deep",
        ),
        ("(" * 17 + "true" + ")" * 17, 16, "deeper"),
        ("true || " * 300 + "true", 0, "2000 characters"),
        ("(true", 5, "`)` is expected"),
        ("facts.tables[0", 14, "`]` is expected"),
        ("'сontractors' in principal.groups", 0, "U+0441"),
    ],
)
def test_what_is_not_understood_stops_the_load(text, offset, words):
    with pytest.raises(ConditionError) as caught:
        compile_condition(text)
    if words:
        assert words in str(caught.value)
        assert caught.value.offset == offset


def test_conditions_say_what_they_read_and_what_the_client_asserts():
    condition = compile_condition(
        "facts.precise && session.agent == 'a' && now.getHours() > call.context.tool.size() "
        "&& call.context.tool != null"
    )
    assert condition.reads == ("call.context.tool", "facts.precise", "now", "session.agent")
    assert condition.asserted == ("call.context.tool", "session.agent")


def test_a_failure_never_quotes_a_value():
    condition = compile_condition("facts.touched[5] == 'x' || 1 / facts.parameters == 1")
    with pytest.raises(ConditionFailed) as caught:
        condition.holds(context_of(variables(), NOW))
    assert str(caught.value) in {"IndexError", "ZeroDivisionError"}
    assert caught.value.__cause__ is None


def test_a_value_that_is_no_truth_value_fails():
    condition = compile_condition("facts.precise")
    for odd in ("true", 1, None, [True]):
        with pytest.raises(ConditionFailed):
            condition.holds(context_of({"facts": {"precise": odd}}, NOW))


def paths(kind, prefix=""):
    for name, item in kind.fields.items():
        path = f"{prefix}{name}"
        if item.type.name == "object":
            yield from paths(item.type, f"{path}.")
        elif item.supplied and not item.probed:
            yield path


@pytest.mark.parametrize("path", sorted(paths(ENVIRONMENT)))
def test_each_field_called_supplied_is_supplied(path):
    value = {**variables(), "now": NOW}
    for part in path.split("."):
        value = value[part]


def test_each_fact_and_context_field_has_its_default():
    bare = _variables(Request(principal_id="p", connection="c", actions=("read",), now=NOW))
    facts, context = Facts(statement="", actions=("read",)), Context()
    made = {"kind": "", "targets": (), "operation": None, "assigned": [], "assigned_columns": []}
    for name in ENVIRONMENT.fields["facts"].type.fields:
        if f"facts.{name}" not in PROBED and name not in {"actions", "tables"}:
            default = made[name] if name in made else getattr(facts, name)
            assert bare["facts"][name] == ([] if name == "outputs" else default), name
    for name, value in bare["call"]["context"].items():
        assert value == getattr(context, name)


def write_facts():
    return {
        "statement": "UPDATE t SET a = b",
        "operation": "update",
        "changes": ("update",),
        "where": "trivial",
        "filtered": False,
        "written": ("public.t",),
        "assigned": [{"column": "public.t.a", "shown": ("public.t.a",), "columns": ("public.t.b",)}],
    }


@pytest.mark.parametrize(
    ("facts", "text", "holds"),
    [
        (write_facts(), 'facts.operation == "update" && facts.kind == "update"', True),
        (write_facts(), 'facts.where == "none" || facts.where == "trivial"', True),
        (write_facts(), 'facts.where == "condition"', False),
        (write_facts(), '"public.t.a" in facts.assigned_columns && size(facts.assigned_columns) == 1', True),
        (write_facts(), "facts.assigned.exists(a, a.direct || a.counted || size(a.copied) > 0)", False),
        (write_facts(), 'facts.assigned.exists(a, "public.t.b" in a.columns)', True),
        (write_facts(), '"delete" in facts.changes', False),
        (write_facts(), 'facts.targets == facts.written && "public.t" in facts.targets', True),
        ({"statement": "SELECT 1"}, 'facts.operation == "select" && facts.kind == "select"', True),
        ({"statement": "SELECT 1"}, "facts.where == null", True),
        ({"kind": "drop_table", "targets": ("t",)}, 'facts.kind == "drop_table" && "t" in facts.targets', True),
        ({"kind": "drop_table", "targets": ("t",)}, "facts.operation == null", True),
        ({}, 'facts.kind == "" && facts.operation == null && size(facts.assigned_columns) == 0', True),
    ],
)
def test_what_a_write_does_can_be_asked_for(facts, text, holds):
    request = Request(principal_id="p", connection="c", actions=("write",), facts=facts, now=NOW)
    assert compile_condition(text).holds(context_of(_variables(request), NOW)) is holds


@pytest.mark.parametrize(
    "text",
    [
        'facts.where == "some"',
        'facts.operation == "drop"',
        '"upsert" in facts.changes',
        "facts.assigned.exists(a, a.x)",
    ],
)
def test_a_word_that_can_never_hold_is_refused(text):
    with pytest.raises(ConditionError):
        compile_condition(text)


def test_the_library_knows_each_function_we_allow():
    samples = {"text": '"2026-01-01T00:00:00Z"', "int": "1", "time": "now"}
    for name, function in {**METHODS, **FUNCTIONS}.items():
        values = ['"1h"'] if name == "duration" else [samples[kind.name] for kind in function.takes]
        call = f"{values[0]}.{name}({', '.join(values[1:])})" if name in METHODS else f"{name}({values[0]})"
        compile_condition(f"{call} == {call}").holds(context_of({}, NOW))
    for name in MACROS:
        compile_condition(f"facts.tables.{name}(t, true){'.size() > 0' if name == 'filter' else ''}")


def test_the_library_must_read_a_condition_as_we_do(monkeypatch):
    """The library is the second reader: where it names other fields or functions, or refuses, the load stops."""

    class Reader:
        def __init__(self, variables, functions):
            self.variables = lambda: variables
            self.functions = lambda: functions

    for variables, functions in ((["facts", "risk"], []), ([], []), (["facts"], ["size"])):
        monkeypatch.setattr("cel.compile", lambda text, v=variables, f=functions: Reader(v, f))
        with pytest.raises(ConditionError, match="otherwise than it is checked"):
            compile_condition("facts.precise")

    class Panic(BaseException):
        pass

    def panic(text):
        raise Panic

    monkeypatch.setattr("cel.compile", panic)
    with pytest.raises(ConditionError, match=r"does not accept this condition \(Panic\)"):
        compile_condition("facts.precise")


def test_a_panic_in_the_library_is_a_failure_and_an_interrupt_is_not():
    class Program:
        def __init__(self, error):
            self.error = error

        def execute(self, context):
            raise self.error

    class Panic(BaseException):
        pass

    condition = compile_condition("facts.precise")
    with pytest.raises(ConditionFailed, match="Panic"):
        dataclasses.replace(condition, program=Program(Panic())).holds(None)
    for stop in (KeyboardInterrupt(), SystemExit()):
        with pytest.raises(type(stop)):
            dataclasses.replace(condition, program=Program(stop)).holds(None)
