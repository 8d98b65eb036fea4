"""A refusal tells no one of tables they have no grant on, and nothing of what a statement holds to anyone else."""

import re
import uuid
from pathlib import Path

import pytest
from tests.support.gateway import GatewayProcess, connection, postgres_shop

MARK = "Zyxkuv-4711-marker"
WORD = "zyxkuv_marker"
HIDDEN = ("salaries", "bonus_secret", "payroll_view")
SCHEMA = (
    "CREATE TABLE salaries (id INTEGER PRIMARY KEY, bonus_secret INTEGER)",
    "CREATE VIEW payroll_view AS SELECT id, bonus_secret FROM salaries",
    "CREATE VIEW sleeping_secret AS SELECT pg_sleep(0)::text AS bonus_secret",
    "CREATE FUNCTION apart(text, text) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE OPERATOR <-> (LEFTARG = text, RIGHTARG = text, FUNCTION = apart)",
)
FILE = """\
version: 1
listen: 127.0.0.1:{port}
store: {path: ./data}
sql: {limits: {tokens: 120}, second_reader: required}
connections:
  CONNECTION
grants:
  - {group: analysts, connection: shop, actions: [read, metadata]}
  - {group: limited, connection: shop, actions: [read], tables: [public.orders]}
  - {group: clerks, connection: shop, actions: [write], tables: [public.orders]}
rules:
  - {id: needs-facts, deny: read, when: "size(facts.outputs) > 900"}
  - {id: nobody-counts, deny: "*", on: shop/public.counters}
masks: []
"""


@pytest.fixture(scope="module")
def made(postgres, tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("refusals")
    text = FILE.replace("CONNECTION", connection("shop", "postgres", credential="{env: SHOP_DSN}").strip())
    env = {"SHOP_DSN": postgres_shop(postgres, "refusals", *SCHEMA)}
    with GatewayProcess(folder, text=text, env=env) as running:
        yield running


@pytest.fixture(scope="module")
def tokens(made):
    return {group: made.session(made.key(group, group))["token"] for group in ("analysts", "limited", "clerks")}


def asked(made, token, statement, **more):
    return made.sql(token, statement, "shop", call=f"call-{uuid.uuid4().hex}", **more).body


GUESSES = [
    "select * from salarie",
    "select * from salariess",
    "select * from payroll_vew",
    "select * from nosuch",
    "select nosuch from salaries",
    "select s.bonus_secre from salaries s",
    "select bonus_secret, nosuch from salaries",
    "select nosuch from payroll_view",
    "select * from orders join salaries using (nosuch)",
    "select nosuch from orders, salaries",
    "select id from orders, salaries",
    "select * from orders where id in (select nosuch from salaries)",
    "with x as (select nosuch from salaries) select * from x",
    "insert into salaries (nosuch) values (1)",
    "insert into salaries values (1, 2, 3)",
    "update salaries set nosuch = 1 where id = 1",
    "delete from salaries where nosuch = 1",
    "update payroll_view set id = 1 where id = 1",
    "select bonus_secret from sleeping_secret",
    "select id from salaries order by nosuch",
]


@pytest.mark.parametrize("statement", GUESSES)
@pytest.mark.parametrize("group", ["limited", "clerks"])
def test_a_refusal_tells_nothing_of_a_table_without_a_grant(made, tokens, group, statement):
    """Not its name where the statement does not say it, not its columns, and not why its definition is refused."""
    answer = asked(made, tokens[group], statement)
    assert answer["decision"]["effect"] == "deny"
    held = str(answer)
    for name in (*HIDDEN, "pg_sleep", "customers", "counters"):
        if name not in statement and "payroll_view" not in statement:  # a view's denial names what is under it
            assert name not in held, held
    if re.search(r"\b(salaries|payroll_view|sleeping_secret)\b", statement):
        assert answer["decision"]["reason"] in {"no_grant", "rule"}
        assert "refusal" not in answer


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("select bonus_secret from salaries", "select nosuch from salaries"),
        ("select id from salaries where bonus_secret = 1", "select id from salaries where nosuch = 1"),
        ("select id from salaries order by bonus_secret", "select id from salaries order by nosuch"),
    ],
)
def test_whether_a_column_exists_is_not_told_of_a_table_without_a_grant(made, tokens, right, wrong):
    answers = [asked(made, tokens["limited"], text) for text in (right, wrong)]
    told = [(answer["decision"]["reason"], answer["decision"]["message"], answer.get("refusal")) for answer in answers]
    assert told[0] == told[1]


def test_who_has_a_grant_is_told_what_was_likely_meant(made, tokens):
    answer = asked(made, tokens["analysts"], "select * from salarie")
    assert "public.salaries" in answer["decision"]["message"]
    assert "There is no table salarie on connection shop." in answer["decision"]["message"]
    answer = asked(made, tokens["analysts"], "select bonus_secre from salaries")
    assert "bonus_secret" in answer["decision"]["message"], "a rule that needs facts does not hide a granted table"
    answer = asked(made, tokens["limited"], "select * from ordrs")
    assert "public.orders" in answer["decision"]["message"]
    assert "public.orders" in asked(made, tokens["clerks"], "select * from ordrs")["decision"]["message"]
    assert "payroll_view" in asked(made, tokens["analysts"], "select * from payroll_vew")["decision"]["message"]
    assert "counters" not in str(asked(made, tokens["analysts"], "select * from counter")), "a rule hides it"


def test_no_answer_tells_what_candidates_there_were(made, tokens):
    for statement in GUESSES:
        for token in tokens.values():
            refusal = asked(made, token, statement).get("refusal") or {}
            assert not {"candidates", "tables"} & refusal.keys()


def test_a_function_is_refused_by_name_and_connection(made, tokens):
    answer = asked(made, tokens["analysts"], f"select pg_read_file('{MARK}')")
    assert answer["decision"]["message"].startswith("`pg_read_file` is not an allowed function on connection shop.")
    assert MARK not in answer["decision"]["message"]
    assert "Use length." in asked(made, tokens["analysts"], "select lenght('x')")["decision"]["message"]
    assert "Use coalesce." in asked(made, tokens["analysts"], "select ifnull(1, 2)")["decision"]["message"]


LONG = " + ".join(["1"] * 80)
BY_CODE = {
    "ambiguous_column": f"select id from orders a, orders b where '{MARK}' = '{MARK}'",
    "ambiguous_table": f"select 1 from orders {WORD}, orders {WORD} where '{MARK}' = ''",
    "catalogue_not_allowed": f"select * from pg_authid where rolname = '{MARK}'",
    "changed_by_rewriting": f"select '{MARK}' from orders where status -> '' = ''",
    "construct_not_allowed": f"select '{MARK}' as {WORD} into {WORD} from orders",
    "control_character": f"select '{MARK}\x01'",
    "empty": f"-- {MARK}",
    "function_not_allowed": f"select {WORD}('{MARK}')",
    "hint_comment": f"select /*+ {MARK} */ '{MARK}'",
    "not_parsed": f"select '{MARK}' '{MARK}' frm {WORD} ((",
    "odd_space": f"select\u00a0'{MARK}'",
    "operator_not_allowed": f"select id from orders where status <-> '{MARK}' = 1",
    "placeholder_not_allowed": f"select $2, '{MARK}'",
    "quoting_not_allowed": f"select U&'{MARK}'",
    "readers_disagree": f"select id from orders where '{MARK}' ?- -id",
    "several_statements": f"select 1; select '{MARK}'",
    "statement_not_allowed": f"drop table {WORD}; -- {MARK}",
    "table_not_allowed": f"select * from sleeping_secret where '{MARK}' = ''",
    "too_complex": f"select '{MARK}', {LONG}",
    "too_long": f"select '{MARK * 20_000}'",
    "type_not_allowed": f"select '{MARK}'::{WORD}",
    "unknown_column": f"select {WORD} from orders where status = '{MARK}'",
    "unknown_table": f"select * from {WORD} where x = '{MARK}'",
    "write_inside_read": f"with x as (delete from orders where status = '{MARK}' returning id) select * from x",
}
ELSEWHERE = {
    # codes that no statement to this gateway comes to, and why
    "not_text": "a call's statement is text",
    "dialect_not_supported": "a connection has one of those supported",
    "row_cap": "the cap is the policy's",
    "row_filter": "the filter is the policy's",
    "cast_not_allowed": "needs a cast of the database's own; it is raised where types are, as type_not_allowed",
    "not_analysed": "the analyser failed; its sentence is fixed",
}


def test_there_is_a_statement_for_each_code():
    page = (Path(__file__).parents[2] / "docs/reference/sql.md").read_text(encoding="utf-8")
    table = page.split("## What is refused")[1].split("\n## ")[0]
    codes = {code for line in table.splitlines() if line.startswith("| `") for code in
             re.findall(r"`([a-z_]+)`", line.split("|")[1])}  # fmt: skip
    assert codes - ELSEWHERE.keys() == BY_CODE.keys()


def entries(made, session):
    return [(entry["data"], entry["texts"]) for entry in made.timeline(session)]


def test_nothing_of_a_refused_statement_is_seen_by_others(made):
    """Not in logs, not in the ledger's clear part, not in any file, not in what another principal is answered."""
    mine = made.session(made.key("writer-of-marks", "analysts"))
    other = made.session(made.key("someone-else", "analysts"))["token"]
    got = {}
    for code, statement in BY_CODE.items():
        answer = asked(made, mine["token"], statement)
        got[code] = answer.get("refusal", {}).get("code", answer["decision"]["reason"])
        assert answer["decision"]["effect"] == "deny"
        again = asked(made, other, "select id from orders where id = 1")
        assert MARK not in str(again)
        assert WORD not in str(again)
    assert got == {code: code for code in BY_CODE}
    for path in ("/readyz", "/v1/sessions", "/v1/connections", "/v1/keys", "/v1/checkpoint"):
        assert MARK not in str(made.ask("GET", path).body)
    clear = [data for data, _ in entries(made, mine["session"] if "session" in mine else mine["id"])]
    assert len(clear) > len(BY_CODE)
    assert MARK not in str(clear)
    assert WORD not in str(clear)
    said = made.log.read_text(encoding="utf-8") + made.said
    assert "Two readers of this statement disagree" in said
    files = b"".join(file.read_bytes() for file in (made.folder / "data").iterdir())
    for word in (MARK, WORD):
        assert word not in said
        assert word.encode() not in files
    assert "Traceback" not in said


def test_disagreements_are_counted_and_the_start_says_who_reads(made, tokens):
    before = made.ask("GET", "/readyz", token="").body
    assert before["second_reader"].startswith("pglast ")
    asked(made, tokens["analysts"], BY_CODE["readers_disagree"])
    assert made.ask("GET", "/readyz", token="").body["readers_disagreed"] == before["readers_disagreed"] + 1
    assert "second reader of PostgreSQL statements: pglast" in made.log.read_text(encoding="utf-8")


def test_a_limit_of_the_settings_is_named_where_it_is_passed(made, tokens):
    message = asked(made, tokens["analysts"], BY_CODE["too_complex"])["decision"]["message"]
    assert "more than 120 tokens (sql.limits.tokens)" in message
