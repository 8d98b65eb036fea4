"""Starting a gateway: what is wrong stops it with one sentence on stderr, exit code 2 and no traceback."""

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.support.gateway import (
    CARD,
    EMAIL,
    FILE,
    NAME,
    GatewayProcess,
    command,
    connection,
    free_port,
    sqlite_shop,
)

from langguard.cli import main

SHOP = connection("shop", "sqlite", credential="{value: ./shop.db}")


def trouble(done, *words: str) -> str:
    """Check that a command ended in trouble, in one line that says all of `words`."""
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("langguard: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    return done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sqlite_shop(tmp_path / "shop.db")
    return tmp_path


def write(folder: Path, *connections: str, port: int | None = None, change: tuple[str, str] = ("", "")) -> Path:
    text = FILE.format(port=port or free_port(), connections="\n".join(connections or (SHOP,)), timeout="5s", clear="")
    path = folder / "langguard.yaml"
    path.write_text(text.replace(*change) if change[0] else text)
    return path


def start(path: Path, env: dict[str, str] | None = None, *more: str):
    return command("gateway", "--config", str(path), *more, env=env, cwd=path.parent)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("grants:", "grant:"), ("langguard.yaml:7:1", "grant", "grants")),
        (("actions: [read, metadata]", "actions: [raed, metadata]"), ("langguard.yaml:8", "raed", "read")),
        (("dialect: sqlite", "dialect: sqllite"), ("langguard.yaml:6", "sqllite", "sqlite")),
        (("version: 1", "version: 2"), ("langguard.yaml:1",)),
        (("limits:", "limits: {rows: many}\nlimit:"), ("langguard.yaml",)),
        (("deny: write", "deny: wirte"), ("wirte", "write")),
        (("facts.filtered", "facts.filterd"), ("filterd", "filtered")),
        (("operator: hash", "operator: hsah"), ("hsah", "hash")),
        (("listen: ", "listen: nowhere #"), ("langguard.yaml:2", "listen")),
        (("sessions: {ttl: 8h, idle: 1h}", "sessions: {ttl: 8, idle: 1h}"), ("langguard.yaml:4",)),
        (("sessions: {ttl: 8h, idle: 1h}", "sessions: {ttl: 1h, idle: 2h}"), ("langguard.yaml:4", "idle")),
        (("version: 1", "version: 1\nversion: 1"), ("version",)),
        (("version: 1", "version: [1"), ("langguard.yaml",)),
    ],
)
def test_a_mistake_in_the_file_stops_the_start_and_names_the_place(folder, change, words, monkeypatch, capsys):
    """In this process, since nothing is started; the next test shows the same of a process of its own."""
    monkeypatch.setattr("sys.argv", ["langguard", "gateway", "--config", str(write(folder, change=change))])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    trouble(CompletedProcess([], ended.value.code, said.out, said.err), *words)
    assert not (folder / "data").exists()


def test_a_mistake_in_the_file_stops_a_process(folder: Path):
    trouble(start(write(folder, change=("grants:", "grant:"))), "langguard.yaml:7:1", "grant", "grants")


def test_an_entity_that_nothing_finds_stops_the_start(folder: Path):
    trouble(start(write(folder, change=("EMAIL_ADDRESS", "EMAIL_ADRESS"))), "EMAIL_ADRESS", "EMAIL_ADDRESS")


def test_a_column_that_is_not_there_stops_the_start(folder: Path):
    path = write(folder, change=("*/*.customers.email", "shop/main.customers.emial"))
    trouble(start(path), "emial", "email")


def test_no_file(tmp_path: Path):
    trouble(start(tmp_path / "none.yaml"), "none.yaml", "No such file")


def test_a_file_that_is_no_text(tmp_path: Path):
    (tmp_path / "langguard.yaml").write_bytes(b"version: 1\n\xff\xfe")
    trouble(start(tmp_path / "langguard.yaml"), "UTF-8")


def test_an_unknown_variable_stops_the_start(folder: Path):
    trouble(start(write(folder), {"LANGGUARD_LISTN": "127.0.0.1:1"}), "LANGGUARD_LISTN", "LANGGUARD_LISTEN")


def test_a_credential_that_is_not_set(folder: Path):
    path = write(folder, connection("pg", "postgres", credential="{env: NO_SUCH_DSN}"))
    trouble(start(path), "NO_SUCH_DSN")


def test_a_credential_file_that_can_not_be_read(folder: Path):
    trouble(start(write(folder, connection("pg", "postgres", credential="{file: ./none.dsn}"))), "none.dsn")


def test_a_secret_in_the_file_is_refused_and_not_quoted(folder: Path):
    path = write(folder, connection("pg", "postgres", credential='"postgresql://u:Kiln-word@127.0.0.1/x"'))
    assert "Kiln" not in trouble(start(path), "langguard.yaml:6")


@pytest.mark.parametrize(
    "dsn", ["postgresql://u:Kiln-word@127.0.0.1:1/x", "not a dsn Kiln-word", "nodriver://Kiln-word@h/x"]
)
def test_a_database_that_can_not_be_reached_is_named_and_its_address_is_not(folder: Path, dsn: str):
    path = write(folder, connection("pg", "postgres", credential="{env: SHOP_DSN}"))
    said = trouble(start(path, {"SHOP_DSN": dsn}), "pg")
    assert "Kiln" not in said


def test_a_port_in_use(folder: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        trouble(start(write(folder, port=port)), f"127.0.0.1:{port}", "--listen")


def test_a_data_folder_others_can_enter(folder: Path):
    (folder / "data").mkdir(mode=0o755)
    trouble(start(write(folder)), "chmod 700")


def test_a_key_file_others_can_read(folder: Path):
    (folder / "data").mkdir(mode=0o700)
    (folder / "data" / "keys.json").write_text("{}")
    (folder / "data" / "keys.json").chmod(0o644)
    trouble(start(write(folder)), "chmod 600")


def test_a_damaged_key_file(folder: Path):
    (folder / "data").mkdir(mode=0o700)
    (folder / "data" / "keys.json").write_text("{}")
    (folder / "data" / "keys.json").chmod(0o600)
    trouble(start(write(folder)), "keys.json", "backup")


def test_a_masking_model_that_is_not_installed(folder: Path):
    path = write(folder, change=("sessions:", "masking: {ner_model: xx_no_such_model}\nsessions:"))
    trouble(start(path), "xx_no_such_model")


class TestRunning:
    @pytest.fixture(scope="class")
    @classmethod
    def running(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
        folder = tmp_path_factory.mktemp("running")
        sqlite_shop(folder / "shop.db")
        with GatewayProcess(folder, SHOP) as made:
            yield made

    def test_a_second_gateway_on_the_same_folder_is_refused(self, running: GatewayProcess):
        done = command(
            "gateway",
            "--config",
            str(running.config),
            "--listen",
            f"127.0.0.1:{free_port()}",
            env={},
            cwd=running.folder,
        )
        trouble(done, "in use by another gateway")
        assert running.ask("GET", "/healthz").status == 200

    def test_files_are_the_owners_alone(self, running: GatewayProcess):
        data = running.folder / "data"
        assert data.stat().st_mode & 0o777 == 0o700
        for file in data.iterdir():
            assert file.stat().st_mode & 0o077 == 0, file

    def test_it_ends_by_sigint_and_says_so_on_the_record(self, running: GatewayProcess):
        assert running.end(signal.SIGINT) in (0, 130, -signal.SIGINT)
        assert "Traceback" not in running.log.read_text()
        running.start()
        assert running.ask("GET", "/healthz").status == 200


class TestInit:
    def test_it_writes_a_file_that_starts_and_a_key_that_works(self, tmp_path: Path):
        port = free_port()
        made = command("gateway", "init", "--config", "my.yaml", cwd=tmp_path)
        assert (made.returncode, made.stderr) == (0, "")
        key = next(word for word in made.stdout.split() if word.startswith("lgk_"))
        gateway = GatewayProcess(tmp_path, text=(tmp_path / "my.yaml").read_text())
        gateway.environment["LANGGUARD_LISTEN"] = f"127.0.0.1:{port}"
        gateway.port, gateway.administrator = port, key
        with gateway as running:
            assert running.administrator == key  # no second one was made
            assert running.ask("GET", "/v1/keys").status == 200

    def test_it_does_not_overwrite(self, tmp_path: Path):
        (tmp_path / "langguard.yaml").write_text("mine")
        trouble(command("gateway", "init", cwd=tmp_path), "not overwritten")
        assert (tmp_path / "langguard.yaml").read_text() == "mine"

    def test_it_says_that_a_folder_is_missing(self, tmp_path: Path):
        trouble(command("gateway", "init", "--config", "none/x.yaml", cwd=tmp_path), "can't write")


class TestPolicyCheck:
    def test_good(self, folder: Path):
        done = command("policy", "check", str(write(folder)), "--connect", "--json", cwd=folder)
        assert (done.returncode, json.loads(done.stdout)["ok"]) == (0, True)

    def test_a_column_is_checked_with_connect(self, folder: Path):
        path = write(folder, change=("*/*.customers.email", "shop/main.customers.emial"))
        done = command("policy", "check", str(path), "--connect", cwd=folder)
        assert (done.returncode, "emial" in done.stdout) == (1, True)

    def test_wrong(self, folder: Path):
        path = write(folder, change=("actions: [read, metadata]", "actions: [raed]"))
        done = command("policy", "check", str(path), cwd=folder)
        assert (done.returncode, done.stderr) == (1, "")
        assert "langguard.yaml:8" in done.stdout

    def test_wrong_for_machines(self, folder: Path):
        path = write(folder, change=("actions: [read, metadata]", "actions: [raed]"))
        done = command("policy", "check", str(path), "--json", cwd=folder)
        machine = json.loads(done.stdout)
        assert (done.returncode, machine["ok"], machine["line"]) == (1, False, 8)


class TestClassify:
    def test_it_proposes_masks_and_shows_no_value(self, folder: Path):
        path = write(folder)
        done = command("connection", "classify", "shop", "--config", str(path), cwd=folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert "customers.email" in done.stdout
        for value in (NAME, EMAIL, CARD):
            assert value not in done.stdout

    def test_an_unknown_connection_is_trouble(self, folder: Path):
        trouble(command("connection", "classify", "shp", "--config", str(write(folder)), cwd=folder), "shp", "shop")


class TestAgentsConnection:
    def test_pinning_lets_calls_be_judged(self, folder: Path):
        target = f"sqlite:///{folder}/shop.db"
        with GatewayProcess(folder, connection("direct", "sqlite", target=target)) as running:
            token = running.session(running.key())["token"]
            before = running.sql(token, "SELECT id FROM orders", "direct", call="a").body["decision"]
            assert before["reason"] == "no_catalogue"
            assert "langguard connection add" in before["message"]
            assert "structure not known" in running.command("connection", "list").stdout
            done = running.command("connection", "add", "direct", "--snapshot-from", target)
            assert done.returncode == 0, done
            assert "5 tables" in done.stdout
            after = running.sql(token, "SELECT id FROM orders", "direct", call="b").body
            assert after["decision"]["effect"] == "allow"
            trouble(running.command("connection", "add", "none", "--snapshot-from", target), "no such connection")
            bad = running.command("connection", "add", "direct", "--snapshot-from", "nodriver://u:Kiln-word@h/x")
            assert "Kiln" not in trouble(bad)


def test_an_installation_without_a_valid_administrator_gets_one_at_its_next_start(tmp_path):
    with GatewayProcess(tmp_path, text="version: 1\nlisten: 127.0.0.1:{port}\n") as running:
        first = running.administrator
        keys = running.ask("GET", "/v1/keys").body["keys"]
        assert running.ask("DELETE", f"/v1/keys/{keys[0]['id']}").status == 200
        assert running.ask("GET", "/v1/keys").status == 401
        running.end()
        running.start()
        assert running.administrator != first
        assert running.ask("GET", "/v1/keys").status == 200


def test_an_export_continues_a_head_that_was_kept(tmp_path):
    with GatewayProcess(tmp_path, text="version: 1\nlisten: 127.0.0.1:{port}\n") as running:
        head = running.command("ledger", "head")
        assert head.returncode == 0
        (tmp_path / "head.txt").write_text(head.stdout)
        running.session(running.key())
        done = running.command("session", "export", "last", "-o", "x.jsonl", "--checkpoint", "head.txt")
        assert done.returncode == 0, done.stderr
        told = running.command("ledger", "verify", "x.jsonl", "--checkpoint", "head.txt")
        assert told.returncode == 0, told.stdout + told.stderr
        assert "Unanchored" not in told.stdout
        (tmp_path / "other.txt").write_text(head.stdout.replace("tree_", "tree_0", 1))
        assert running.command("session", "export", "last", "--checkpoint", "other.txt").returncode == 2
