"""`langguard sql explain`: what a person is shown, for a statement that is understood and for one that is not."""

import json
import sqlite3

import pytest
from typer.testing import CliRunner

from langguard.cli import app

SCHEMA = {"customers": ["id", "name", "email"], "orders": ["id", "customer_id", "total"]}


@pytest.fixture
def schema(tmp_path):
    path = tmp_path / "schema.json"
    path.write_text(json.dumps(SCHEMA))
    return str(path)


def explain(*arguments):
    return CliRunner().invoke(app, ["sql", "explain", *arguments])


def test_says_what_a_read_does(schema):
    said = explain("--schema", schema, "select name, count(*) from customers where email > 'a' group by name")
    assert said.exit_code == 0
    assert "output     name <- public.customers.name unchanged" in said.stdout
    assert "touched    public.customers.email, public.customers.name" in said.stdout
    assert 'FROM "public"."customers"' in said.stdout
    assert "LIMIT 1001" in said.stdout


def test_a_write_without_where_says_so(schema):
    said = explain("--schema", schema, "delete from orders")
    assert said.exit_code == 0
    assert "every row: no WHERE" in said.stdout


@pytest.mark.parametrize(
    ("statement", "under"),
    [
        ("select pg_read_file('/etc/passwd')", "pg_read_file"),
        ("select id,\n  emial from customers", "emial"),
        ("select 1; drop table orders", "drop table orders"),
        ("select id from customers where id = 1 and nonesuch(id)", "nonesuch"),
    ],
)
def test_puts_a_caret_under_what_was_refused(schema, statement, under):
    said = explain("--schema", schema, statement)
    assert said.exit_code == 1
    lines = said.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if set(line.strip()) == {"^"})
    start, width = lines[at].index("^"), lines[at].count("^")
    assert lines[at - 1][start : start + width] == under
    assert any(line.startswith("  instead: ") for line in lines)


def test_is_one_document_for_machines(schema):
    held = json.loads(explain("--json", "--schema", schema, "select id from orders").stdout)
    assert held["understood"] is True
    assert held["sent"].endswith("LIMIT 1001")
    refused = explain("--json", "--schema", schema, "select * from nonesuch")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["refusal"]["code"] == "unknown_table"


def test_without_a_catalogue_says_what_is_not_checked():
    said = explain("select a from b")
    assert said.exit_code == 0
    assert "No catalogue" in said.stdout


def test_reads_the_structure_of_a_connection(tmp_path):
    with sqlite3.connect(tmp_path / "shop.db") as held:
        held.execute("create table customers (id integer primary key, email text)")
    held.close()
    config = tmp_path / "langguard.yaml"
    config.write_text(
        "version: 1\nconnections:\n  - name: shop\n    dialect: sqlite\n    credential: {value: shop.db}\n"
    )
    said = explain("--config", str(config), "-c", "shop", "select email from customers")
    assert said.exit_code == 0, said.output
    assert "main.customers.email unchanged" in said.stdout


def test_a_terminal_is_not_driven_by_a_statement(schema):
    said = explain("--schema", schema, "select '\u200b\x1b[2J' from customers")
    assert said.exit_code == 1
    assert "\x1b" not in said.stdout


def test_a_write_says_what_it_sets_and_a_trivial_where(schema):
    said = explain("--schema", schema, "update orders set total = customer_id, id = 5 where 1 = 1 or id = 3")
    assert "written    public.orders  update  every row: the WHERE tells no rows apart" in said.stdout
    assert "sets       public.orders.id <- values given" in said.stdout
    assert "sets       public.orders.total <- public.orders.customer_id unchanged" in said.stdout
    held = json.loads(explain("--json", "--schema", schema, "update orders set id = 5").stdout)
    assert (held["operation"], held["where"], held["assigned"][0]["column"]) == ("update", "none", "public.orders.id")


def test_a_refused_statement_says_its_kind_and_targets(schema):
    said = explain("--schema", schema, "drop table orders, customers")
    assert "it would: drop table: ddl (orders, customers)" in said.stdout
    held = json.loads(explain("--json", "drop table orders").stdout)["refusal"]
    assert (held["kind"], held["targets"]) == ("drop_table", ["orders"])


@pytest.mark.parametrize(
    ("dialect", "title", "cap"),
    [
        ("tsql", "T-SQL", " TOP 11 "),
        ("snowflake", "Snowflake", " LIMIT 11"),
        ("bigquery", "BigQuery", " LIMIT 11"),
    ],
)
def test_a_dialect_that_is_only_analysed_says_so(tmp_path, dialect, title, cap):
    names = ["id", "name"]
    schema = {"CUSTOMERS": ["ID", "NAME"]} if dialect == "snowflake" else {"customers": names}
    place = tmp_path / "schema.json"
    place.write_text(json.dumps(schema))
    said = explain("--dialect", dialect, "--schema", str(place), "--rows", "10", "select name from customers")
    assert said.exit_code == 0, said.output
    note = f"{title} is read with the strictest lists; the gateway does not run statements on it."
    assert note in said.stdout
    assert cap in said.stdout
    held = json.loads(explain("--json", "--dialect", dialect, "select name from customers").stdout)
    assert note in held["notes"]
