"""The text sent gives what the text asked gives: same names, types and rows, for every query of the corpus.

And its facts are exact. On PostgreSQL the text asked runs as a role that may read the columns touched, and fails
as soon as one of them is taken away; on SQLite its authorizer names the columns touched and no other.
"""

import contextlib
import sqlite3
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlglot import exp, parse_one
from tests.support.corpus import ENGINES, fill, queries, refused

from langguard.drivers.sql import open_engine
from langguard.drivers.sql_catalog import snapshot
from langguard.protocol import Catalog, Facts, Refusal, SqlObligations
from langguard.sql import LIMITS, analyze, rewrite

DATABASES = ("shop", "supply")
MANY = SqlObligations(rows=100_000)
TWO = replace(LIMITS, second_reader=True)
"""PostgreSQL's own parser reads each query too: it must never refuse one of these."""
CORPUS = {engine: queries(engine) for engine in ENGINES}
POSTGRES_DIFFERS = {}
"""Queries whose types differ, with the reason. Told in docs/reference/sql.md."""
SQLITE_READS_MORE = {"joins/bracketed-joins"}
"""SQLite takes a bracketed join for a query of all its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One database of the corpus: a connection of its driver, and its catalogue."""

    link: Any
    catalog: Catalog


def _catalog(url, dialect):
    engine = open_engine(url)
    try:
        return snapshot(engine, dialect=dialect)
    finally:
        engine.dispose()


@pytest.fixture(scope="module")
def on_postgres(postgres):
    opened = {}
    with contextlib.ExitStack() as stack:
        for database in DATABASES:
            with psycopg.connect(postgres.dsn, autocommit=True) as owner:
                owner.execute(f"create database corpus_{database}")
            address = postgres.admin_address(f"corpus_{database}")
            link = stack.enter_context(psycopg.connect(address.dsn))

            def run(text, rows=None, cursor=link.cursor()):  # noqa: B008 - the cursor of this turn
                if rows is None:
                    cursor.execute(text)
                else:
                    cursor.executemany(text, [[Jsonb(v) if isinstance(v, dict) else v for v in r] for r in rows])

            fill(run, database, "postgres")
            link.execute("create role corpus_nobody; analyze" if database == "shop" else "analyze")
            for view in ("monthly_sales", "good_customers") if database == "shop" else ():
                link.execute(f"grant select on {view} to corpus_nobody")
            link.commit()
            opened[database] = Opened(link=link, catalog=_catalog(address.url, "postgres"))
        yield opened
    with psycopg.connect(postgres.dsn, autocommit=True) as owner:
        for database in DATABASES:
            owner.execute(f"drop database corpus_{database} with (force)")
        owner.execute("drop role corpus_nobody")


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory):
    opened = {}
    for database in DATABASES:
        path = tmp_path_factory.mktemp("corpus") / f"{database}.db"
        link = sqlite3.connect(path)
        fill(lambda t, rows=None, at=link: at.executemany(t, rows) if rows else at.execute(t), database, "sqlite")
        link.commit()
        opened[database] = Opened(link=link, catalog=_catalog(f"sqlite:///{path}", "sqlite"))
    yield opened
    for held in opened.values():
        held.link.close()


@pytest.fixture(scope="module")
def on_mysql(mariadb):
    opened = {}
    with contextlib.ExitStack() as stack:
        for database in DATABASES:
            with mariadb.connect() as owner, owner.cursor() as cursor:
                cursor.execute(f"create database corpus_{database} character set utf8mb4")
            link = stack.enter_context(mariadb.connect(f"corpus_{database}"))
            cursor = stack.enter_context(link.cursor())
            fill(lambda t, rows=None, at=cursor: at.executemany(t, rows) if rows else at.execute(t), database, "mysql")
            opened[database] = Opened(link=link, catalog=_catalog(mariadb.url(f"corpus_{database}"), "mysql"))
        yield opened


@pytest.fixture(scope="module")
def on_duckdb(tmp_path_factory):
    opened = {}
    for database in DATABASES:
        path = tmp_path_factory.mktemp("corpus") / f"{database}.duckdb"
        with duckdb.connect(str(path)) as link:

            def run(text, rows=None, link=link):
                if rows is None:
                    link.execute(text)
                    return
                head, marks = text.split(" values ")
                for at in range(0, len(rows), 500):
                    some = rows[at : at + 500]
                    values = [value for row in some for value in row]
                    link.execute(f"{head} values {', '.join([marks] * len(some))}", values)

            fill(run, database, "duckdb")
        catalog = _catalog(f"duckdb:///{path}", "duckdb")
        opened[database] = Opened(link=duckdb.connect(str(path), read_only=True), catalog=catalog)
    yield opened
    for held in opened.values():
        held.link.close()


def _understood(asked, dialect, catalog):
    """Return the facts of a query, which must be a read traced in full, and the text to send for it."""
    facts = analyze(asked.text, dialect, catalog, limits=TWO)
    assert isinstance(facts, Facts), facts
    assert facts.actions == ("read",)
    assert facts.precise
    named = [
        t for t in parse_one(facts.statement, read=dialect).find_all(exp.Table) if isinstance(t.this, exp.Identifier)
    ]
    assert facts.tables or not named or asked.text.lower().startswith("with ")
    assert all(not o.direct or len(o.columns) == 1 for o in facts.outputs)
    sent = rewrite(facts, MANY, catalog, limits=TWO)
    assert isinstance(sent, str), sent
    return facts, sent


def _result(cursor):
    """Return names, types and rows; floating-point numbers to twelve digits, as a plan's order of adding may vary."""
    rows = [tuple(_plain(value) for value in row) for row in cursor.fetchall()]
    return [d[0] for d in cursor.description], [d[1] for d in cursor.description], rows


def _plain(value):
    if isinstance(value, float):
        return float(f"{value:.12g}")
    return [_plain(v) for v in value] if isinstance(value, list) else value


def _same_rows(asked, sent, dialect, text):
    if parse_one(text, read=dialect).args.get("order") is None:
        assert Counter(map(repr, sent)) == Counter(map(repr, asked))
    else:
        assert list(map(repr, sent)) == list(map(repr, asked))


@pytest.mark.parametrize("engine", ENGINES)
def test_corpus_has_over_300_different_queries_for_each_engine(engine):
    assert len({" ".join(q.text.lower().split()) for q in CORPUS[engine]}) > 300


@pytest.mark.parametrize("asked", CORPUS["postgres"], ids=lambda q: f"{q.database}/{q.name}")
def test_postgres(asked, on_postgres):
    held = on_postgres[asked.database]
    facts, sent = _understood(asked, "postgres", held.catalog)
    try:
        names, types, rows = _result(held.link.execute(asked.text))
        again = _result(held.link.execute(sent))
        held.link.rollback()
        assert again[0] == names == [o.name for o in facts.outputs]
        differs = POSTGRES_DIFFERS.get(asked.name)
        assert (again[1] == types) != bool(differs), differs
        if not differs:
            _same_rows(rows, again[2], "postgres", facts.statement)
        _only_touched_may_be_read(held.link, asked.text, facts, held.catalog)
    finally:
        held.link.rollback()


def _only_touched_may_be_read(link, text, facts, catalog):
    """The columns touched are all that is needed, and each of them is needed."""
    columns = {}
    for column in facts.touched:
        schema, table, name = column.split(".", 2)
        columns.setdefault(f"{schema}.{table}", []).append(name)
    views = {view.id for view in catalog.views}
    for table in set(facts.tables) - views:
        schema, name = table.split(".", 1)
        # A table of which only rows are counted asks for a privilege on any one column.
        free = columns.get(table) or [next(t.columns[0].name for t in catalog.tables if t.id == table)]
        link.execute(f'grant select ({", ".join(_quoted(c) for c in free)}) on {schema}."{name}" to corpus_nobody')
    link.execute("savepoint granted")
    assert _may(link, text) == "", facts.touched
    for column in facts.touched:
        schema, table, name = column.split(".", 2)
        link.execute(f'revoke select ({_quoted(name)}) on {schema}."{table}" from corpus_nobody')
        if len(columns[f"{schema}.{table}"]) == 1:  # else any privilege on the table would be missing
            other = next(
                c.name for t in catalog.tables if t.id == f"{schema}.{table}" for c in t.columns if c.name != name
            )
            link.execute(f'grant select ({_quoted(other)}) on {schema}."{table}" to corpus_nobody')
        assert _may(link, text) == "42501", column
        link.execute("rollback to granted")


def _may(link, text):
    """Return the error's code, or nothing, when the role with the grants asks for a plan: it checks its privileges."""
    link.execute("savepoint asked")
    link.execute("set local role corpus_nobody")
    try:
        link.execute("explain " + text)
    except psycopg.Error as failed:
        return failed.sqlstate
    finally:
        link.execute("rollback to asked")
    return ""


def _quoted(name):
    return '"' + name.replace('"', '""') + '"'


@pytest.mark.parametrize("asked", CORPUS["sqlite"], ids=lambda q: f"{q.database}/{q.name}")
def test_sqlite(asked, on_sqlite):
    held = on_sqlite[asked.database]
    facts, sent = _understood(asked, "sqlite", held.catalog)
    names, _, rows = _result(held.link.execute(asked.text))
    again = _result(held.link.execute(sent))
    assert again[0] == names == [o.name for o in facts.outputs]
    _same_rows(rows, again[2], "sqlite", facts.statement)
    read = _read(held.link, asked.text, held.catalog)
    if asked.name in SQLITE_READS_MORE:
        assert read > set(facts.touched)
    elif " using (" in sent.lower():  # it tells of one of the two columns only
        assert read <= set(facts.touched)
    else:
        assert read == set(facts.touched)


def _read(link, text, catalog):
    """Return the columns of base tables that SQLite says a statement reads."""
    tables = {table.name.lower(): table for table in catalog.tables}
    seen = set()

    def note(code, table, column, database, _inner):
        # No database is named where a WITH query is read, which may be called like a table.
        if code == sqlite3.SQLITE_READ and column and database is not None and table.lower() in tables:
            seen.add(f"main.{tables[table.lower()].name}.{column}")
        return sqlite3.SQLITE_OK

    link.set_authorizer(note)
    try:
        link.execute("explain " + text).fetchall()
    finally:
        link.set_authorizer(None)
    return seen


@pytest.mark.parametrize("asked", CORPUS["mysql"], ids=lambda q: f"{q.database}/{q.name}")
def test_mariadb(asked, on_mysql):
    held = on_mysql[asked.database]
    facts, sent = _understood(asked, "mysql", held.catalog)
    with held.link.cursor() as cursor:
        cursor.execute(asked.text)
        names, types, rows = _result(cursor)
        cursor.execute(sent)
        again = _result(cursor)
    assert again[0] == names == [o.name for o in facts.outputs]
    assert again[1] == types
    _same_rows(rows, again[2], "mysql", facts.statement)


@pytest.mark.parametrize("asked", CORPUS["duckdb"], ids=lambda q: f"{q.database}/{q.name}")
def test_duckdb(asked, on_duckdb):
    held = on_duckdb[asked.database]
    facts, sent = _understood(asked, "duckdb", held.catalog)
    names, types, rows = _result(held.link.execute(asked.text))
    again = _result(held.link.execute(sent))
    assert again[0] == names == [o.name for o in facts.outputs]
    assert again[1] == types
    _same_rows(rows, again[2], "duckdb", facts.statement)


CODES = {"construct_not_allowed", "function_not_allowed", "operator_not_allowed", "catalogue_not_allowed"}
CODES |= {"statement_not_allowed", "not_parsed", "quoting_not_allowed", "type_not_allowed"}


@pytest.mark.parametrize(
    ("engine", "asked"),
    [pytest.param(engine, asked, id=f"{engine}/{asked.name}") for engine in ENGINES for asked in refused(engine)],
)
def test_what_is_refused_on_purpose_says_what_and_what_instead(engine, asked, request):
    catalog = request.getfixturevalue(f"on_{engine}")["supply"].catalog
    found = analyze(asked.text, engine, catalog)
    assert isinstance(found, Refusal), found
    assert found.code in CODES, found
    assert found.fragment, found
    assert found.hint, found
