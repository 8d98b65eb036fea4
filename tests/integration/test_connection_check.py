"""Each wall is tried on a real database, one that is missing is seen, what a role could do too much is told."""

import hashlib
import json
import sqlite3

import psycopg
import pytest
from tests.support.gateway import GatewayProcess, command, sqlite_shop

from langguard.drivers import sql_duckdb, sql_mysql, sql_postgres, sql_sqlite
from langguard.drivers.sql import dialect_of, open_engine
from langguard.drivers.sql_catalog import snapshot
from langguard.drivers.sql_check import CHECKS, Target, check
from langguard.errors import TargetError


def checked(url, *, writes=False):
    engine = open_engine(url)
    try:
        return check(Target(engine=engine, catalog=snapshot(engine, dialect=dialect_of(engine)), writes=writes))
    finally:
        engine.dispose()


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def duck(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "shop.duckdb"
    link = duckdb.connect(str(path))
    link.execute("CREATE TABLE t AS SELECT range AS n FROM range(10)")
    link.close()
    return path


@pytest.fixture
def role(postgres_database):
    """A login with a role of least privilege on a database of its own, and the owner's way in."""
    with psycopg.connect(postgres_database.dsn, autocommit=True) as link:
        (name,) = link.execute("SELECT current_database()").fetchone()
        login = f"{name}_reader"
        link.execute(f"CREATE ROLE {login} LOGIN PASSWORD 'word'")
        link.execute(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
        link.execute("CREATE TABLE t (n INTEGER)")
        link.execute("INSERT INTO t SELECT generate_series(1, 10)")
        link.execute("CREATE TABLE other (n INTEGER)")
        link.execute(f"GRANT SELECT ON t TO {login}")
    yield login
    with psycopg.connect(postgres_database.dsn, autocommit=True) as link:
        link.execute(f"REASSIGN OWNED BY {login} TO CURRENT_USER")
        link.execute(f"DROP OWNED BY {login}")
        link.execute(f"DROP ROLE {login}")


@pytest.fixture
def weak(postgres, postgres_database, role):
    return postgres.address(user=role, password="word", database=role.removesuffix("_reader"))


def test_there_is_a_check_for_every_driver():
    from langguard.drivers.sql import DRIVERS

    assert set(CHECKS) == set(DRIVERS)


def test_on_sqlite_every_wall_holds_and_the_file_stays_as_it_is(tmp_path):
    path = sqlite_shop(tmp_path / "shop.db")
    path.chmod(0o600)
    before = digest(path)
    found = checked(f"sqlite:///{path}", writes=True)
    assert found.failed == ()
    assert len(found.walls) == 12
    assert found.excess == ()
    assert digest(path) == before
    path.chmod(0o606)
    told = [held.what for held in checked(f"sqlite:///{path}").excess]
    assert told == [
        "the gateway's user may write to shop.db",
        "everyone on the machine may write to shop.db",
        "everyone on the machine may read shop.db",
    ]


def test_on_duckdb_every_wall_holds_and_the_file_stays_as_it_is(duck):
    duck.chmod(0o600)
    before = digest(duck)
    found = checked(f"duckdb:///{duck}", writes=True)
    assert found.failed == ()
    assert found.excess == ()
    assert digest(duck) == before
    duck.chmod(0o644)
    assert "everyone on the machine may read shop.duckdb" in [held.what for held in checked(f"duckdb:///{duck}").excess]


def everything(link):
    tables = "SELECT schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables ORDER BY 1, 2"
    return {
        "rows": link.execute("SELECT ctid, xmin, n FROM t ORDER BY 1").fetchall(),
        "relations": link.execute("SELECT oid, relname, relacl FROM pg_class ORDER BY 1").fetchall(),
        "functions": link.execute("SELECT count(*) FROM pg_proc").fetchall(),
        "large objects": link.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchall(),
        "settings": link.execute("SELECT * FROM pg_db_role_setting").fetchall(),
        "shop": [row for row in link.execute(tables).fetchall() if row[0] == "public"],
    }


def test_on_postgresql_a_least_privileged_role_passes_and_nothing_has_changed(postgres_database, weak):
    with psycopg.connect(postgres_database.dsn) as link:
        before = everything(link)
    found = checked(weak.url)
    assert found.failed == (), found
    assert found.excess == ()
    with psycopg.connect(postgres_database.dsn) as link:
        assert everything(link) == before


def test_a_superuser_is_told_and_gets_through_to_files(postgres_database):
    with psycopg.connect(postgres_database.dsn) as link:
        link.execute("CREATE TABLE t (n INTEGER)")
        link.commit()
        before = everything(link)
    found = checked(postgres_database.url)
    assert set(found.failed) == {"no file can be read", "no folder can be listed"}
    assert [held.what for held in found.excess] == ["SUPERUSER", "CREATEDB", "CREATEROLE", "REPLICATION", "BYPASSRLS"]
    with psycopg.connect(postgres_database.dsn) as link:
        assert everything(link) == before


@pytest.mark.parametrize(
    ("given", "what", "mend"),
    [
        ("ALTER ROLE {role} CREATEDB", "CREATEDB", 'ALTER ROLE "{role}" NOCREATEDB;'),
        ("ALTER ROLE {role} CREATEROLE", "CREATEROLE", 'ALTER ROLE "{role}" NOCREATEROLE;'),
        ("ALTER ROLE {role} REPLICATION", "REPLICATION", 'ALTER ROLE "{role}" NOREPLICATION;'),
        ("ALTER ROLE {role} BYPASSRLS", "BYPASSRLS", 'ALTER ROLE "{role}" NOBYPASSRLS;'),
        (
            "GRANT pg_read_server_files TO {role}",
            "member of pg_read_server_files",
            'REVOKE "pg_read_server_files" FROM "{role}";',
        ),
        (
            "GRANT pg_execute_server_program TO {role}",
            "member of pg_execute_server_program",
            'REVOKE "pg_execute_server_program" FROM "{role}";',
        ),
        (
            "GRANT CREATE ON SCHEMA public TO {role}",
            "CREATE on schema public",
            'REVOKE CREATE ON SCHEMA "public" FROM "{role}";',
        ),
        (
            "GRANT CREATE ON SCHEMA public TO PUBLIC",
            "CREATE on schema public (as everyone)",
            'REVOKE CREATE ON SCHEMA "public" FROM PUBLIC;',
        ),
        (
            "GRANT UPDATE ON t TO {role}",
            "UPDATE on tables of schema public",
            'REVOKE UPDATE ON ALL TABLES IN SCHEMA "public" FROM "{role}";',
        ),
        (
            "GRANT UPDATE (n) ON t TO {role}",
            "UPDATE on tables of schema public",
            'REVOKE UPDATE ON ALL TABLES IN SCHEMA "public" FROM "{role}";',
        ),
        (
            "GRANT TRUNCATE ON t TO PUBLIC",
            "TRUNCATE on tables of schema public (as everyone)",
            'REVOKE TRUNCATE ON ALL TABLES IN SCHEMA "public" FROM PUBLIC;',
        ),
        (
            "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {role}",
            "EXECUTE on pg_catalog.pg_read_file(text)",
            'REVOKE EXECUTE ON FUNCTION "pg_catalog"."pg_read_file"(text) FROM "{role}";',
        ),
        (
            "CREATE FUNCTION public.handy() RETURNS INTEGER LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
            "EXECUTE on public.handy() (as everyone)",
            'REVOKE EXECUTE ON FUNCTION "public"."handy"() FROM PUBLIC;',
        ),
    ],
)
def test_what_a_role_could_do_too_much_is_told_and_the_line_that_mends_it_works(
    postgres_database, role, weak, given, what, mend
):
    line = mend.format(role=role)
    with psycopg.connect(postgres_database.dsn, autocommit=True) as link:
        link.execute(given.format(role=role))
        found = [(held.what, held.mend) for held in checked(weak.url).excess]
        assert (what, line) in found
        link.execute(line)
        assert what not in [held.what for held in checked(weak.url).excess]


def test_tables_of_its_own_are_told(postgres_database, role, weak):
    with psycopg.connect(postgres_database.dsn, autocommit=True) as link:
        link.execute(f"ALTER TABLE t OWNER TO {role}")
    assert any(held.what.startswith("owns 1 tables") and "public.t" in held.what for held in checked(weak.url).excess)


def test_privileges_to_write_are_no_excess_where_writing_is_meant(postgres_database, role, weak):
    with psycopg.connect(postgres_database.dsn, autocommit=True) as link:
        link.execute(f"GRANT INSERT, UPDATE ON t TO {role}")
    assert checked(weak.url, writes=True).excess == ()


def test_on_mariadb_a_least_privileged_login_passes_and_root_is_told(mariadb, mariadb_database):
    with mariadb.connect() as link, link.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {mariadb_database}.t (n INTEGER)")
        cursor.execute(f"INSERT INTO {mariadb_database}.t VALUES (1), (2)")
        cursor.execute("CREATE OR REPLACE USER checked@'localhost' IDENTIFIED BY 'word'")
        cursor.execute(f"GRANT SELECT ON {mariadb_database}.* TO checked@'localhost'")
    url = mariadb.url(mariadb_database, user="checked", password="word")
    found = checked(url)
    assert found.failed == (), found
    assert found.excess == ()
    with mariadb.connect() as link, link.cursor() as cursor:
        cursor.execute(f"GRANT DELETE, CREATE ON {mariadb_database}.* TO checked@'localhost'")
        cursor.execute("GRANT FILE ON *.* TO checked@'localhost'")
    more = {held.what: held.mend for held in checked(url).excess}
    assert more[f"CREATE, DELETE in database {mariadb_database}"].startswith("REVOKE CREATE, DELETE ON `")
    assert more["FILE on the whole server"] == "REVOKE FILE ON *.* FROM 'checked'@'localhost';"
    with mariadb.connect() as link, link.cursor() as cursor:
        for mend in more.values():
            if mend.startswith("REVOKE"):
                cursor.execute(mend)
        cursor.execute(f"SELECT COUNT(*) FROM {mariadb_database}.t")
        assert cursor.fetchone()[0] == 2
    assert [held.what for held in checked(url).excess] == []
    with mariadb.connect() as link, link.cursor() as cursor:
        cursor.execute("DROP USER checked@'localhost'")


# ---- a wall that is missing is seen: the check is only worth what it can find


def missing(monkeypatch, module, **broken):
    for name, value in broken.items():
        monkeypatch.setattr(module, name, value)


def test_a_read_that_could_write_is_seen_on_sqlite_and_still_changes_nothing(tmp_path, monkeypatch):
    path = sqlite_shop(tmp_path / "shop.db")
    before = digest(path)
    every = frozenset(range(100))
    missing(monkeypatch, sql_sqlite, _READS=every)
    failed = checked(f"sqlite:///{path}").failed
    assert "no other file can be opened" in failed
    assert "a read can't change rows" not in failed, "the other wall, query_only, still stands"
    assert digest(path) == before


def test_a_setting_that_is_not_pinned_is_seen_on_postgresql(weak, monkeypatch):
    from langguard.drivers import sql_check_postgres

    missing(monkeypatch, sql_check_postgres, PINS={**sql_postgres.PINS, "TimeZone": "Asia/Tokyo"})
    assert checked(weak.url).failed == ("settings that give a text its meaning are pinned",)


def test_a_read_that_could_write_is_seen_on_postgresql_and_still_changes_nothing(
    postgres_database, role, weak, monkeypatch
):
    with psycopg.connect(postgres_database.dsn, autocommit=True) as link:
        (name,) = link.execute("SELECT current_database()").fetchone()
        link.execute(f"GRANT TEMPORARY ON DATABASE {name} TO {role}")
        link.execute(f"GRANT ALL ON t TO {role}")
        before = everything(link)
    original = sql_postgres._pin
    monkeypatch.setattr(
        sql_postgres,
        "_pin",
        lambda connection, terms: original(connection, type(terms)(**{**fields(terms), "read_only": False})),
    )
    failed = checked(weak.url).failed
    assert {"a read can't make a table", "a read can't change rows"} <= set(failed)
    with psycopg.connect(postgres_database.dsn) as link:
        assert everything(link) == before


def fields(terms):
    return {name: getattr(terms, name) for name in terms.__dataclass_fields__}


@pytest.mark.parametrize("module", [sql_duckdb, sql_mysql, sql_postgres, sql_sqlite])
def test_every_driver_is_one_that_is_checked(module):
    assert module.DRIVER.backends


def test_a_database_that_is_not_there_is_no_finding(tmp_path):
    engine = open_engine(f"sqlite:///{sqlite_shop(tmp_path / 'shop.db')}")
    catalog = snapshot(engine, dialect="sqlite")
    engine.dispose()
    gone = open_engine(f"sqlite:///{tmp_path / 'no' / 'shop.db'}")
    with pytest.raises(TargetError):
        check(Target(engine=gone, catalog=catalog))
    gone.dispose()


# ---- through the gateway


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("check")
    path = sqlite_shop(folder / "shop.db")
    path.chmod(0o600)
    text = f"""\
version: 1
listen: 127.0.0.1:{{port}}
connections:
  - {{name: shop, dialect: sqlite, credential: {{value: ./shop.db}}}}
  - {{name: direct, dialect: sqlite, custody: agent, target: "sqlite:///{path}"}}
grants: [{{group: analysts, connection: "*", actions: [read, write]}}]
"""
    with GatewayProcess(folder, text=text) as running:
        yield running


def test_an_administrator_checks_a_connection_and_that_is_on_the_record(home):
    told = home.command("connection", "check", "shop")
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.count("holds") == 12
    assert "nothing more than it should" in told.stdout
    held = json.loads(home.command("connection", "check", "shop", "--json").stdout)
    assert held["holds"] is True
    assert {wall["name"] for wall in held["walls"]} >= {"a text is one statement", "no file can be read"}
    leaves = recorded(home)
    assert [leaf["data"]["state"] for leaf in leaves] == ["started", "finished"] * 2
    assert leaves[1]["data"]["failed"] == []
    assert {leaf["data"]["connection"] for leaf in leaves} == {"shop"}
    assert all(leaf["by"] for leaf in leaves)


def recorded(home):
    with sqlite3.connect(f"file:{next(home.folder.glob('data/*.db'))}?mode=ro", uri=True) as link:
        found = [json.loads(row[0]) for row in link.execute("SELECT leaf FROM entries ORDER BY idx")]
    return [leaf for leaf in found if leaf["kind"] == "administration"]


def test_nobody_else_may_check(home):
    for scopes in (("call", "observe"), ("respond",)):
        reply = home.ask("POST", "/v1/connections/shop/check", token=home.key("x", scopes=scopes))
        assert (reply.status, reply.code) == (403, "not_allowed")
    assert home.ask("POST", "/v1/connections/shop/check", token="").code == "not_authenticated"
    assert home.ask("POST", "/v1/connections/nothing/check").code == "not_found"


def test_in_custody_agent_the_check_runs_where_the_credential_is(home, tmp_path):
    refused = home.ask("POST", "/v1/connections/direct/check")
    assert refused.code == "invalid_request"
    assert "--uri" in refused.body["detail"]
    path = sqlite_shop(tmp_path / "direct.db")
    path.chmod(0o604)
    told = command("connection", "check", "direct", "--uri", f"sqlite:///{path}", "--writes", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert "chmod o-r" in told.stdout
    strict = command("connection", "check", "direct", "--uri", f"sqlite:///{path}", "--strict", cwd=tmp_path)
    assert strict.returncode == 1
