"""The SQLite store by itself: its files, its one writer, its failures, and what a crash leaves behind."""

import contextlib
import os
import pathlib
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from langguard.errors import LedgerError
from langguard.ledger import LogKey, draft, inclusion_proof, leaf_hash, verify_inclusion
from langguard.stores import Batch, Leaf, Put, SqliteStore, StoreError
from langguard.stores import sqlite as sqlite_store
from langguard.stores import sqlite_files as files

TREE = "shop/ledger"
KEY = LogKey(name=TREE, private=Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))

# What the child processes share with this file.
PRELUDE = """
import pathlib, resource, sys, threading
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from langguard.errors import LedgerError
from langguard.ledger import LogKey, draft
from langguard.stores import Batch, Leaf, SqliteStore

key = LogKey(name="shop/ledger", private=Ed25519PrivateKey.from_private_bytes(b"\\x01" * 32))

def batch(session, number, size=10):
    made = draft(tree="shop/ledger", kind="intent", at=number, session=session, by="svc", source="observed",
                 data={"text": "x" * size})
    return Batch(leaves=(Leaf(session=session, data=made),))

def open_store():
    return SqliteStore(pathlib.Path(sys.argv[1]), tree="shop/ledger", sign=key.sign, document_key=b"\2" * 32)
"""


def batch(session="sess_1", number=0, **parts):
    made = draft(tree=TREE, kind="intent", at=number, session=session, by="svc", source="observed", data={})
    return Batch(leaves=(Leaf(session=session, data=made),), **parts)


def child(code, folder, **options):
    program = PRELUDE + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def check_whole(store):
    head = KEY.verify(store.head())
    assert head.size == store.size()
    for index in range(head.size):
        proof = inclusion_proof(index, head.size, store.node)
        verify_inclusion(leaf_hash(store.entry(index)), index=index, size=head.size, proof=proof, root=head.root)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def open_store(folder):
    opened = []

    def again(**changed):
        store = SqliteStore(folder, **{"tree": TREE, "sign": KEY.sign, "document_key": b"\x02" * 32} | changed)
        opened.append(store)
        return store

    yield again
    for store in opened:
        store.close()


def test_only_the_owner_can_read_the_files(open_store, folder):
    old = os.umask(0)
    try:
        open_store().append(batch()).result(10)
    finally:
        os.umask(old)
    names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert set(names) >= {"ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.lock"}
    assert set(names.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701, 0o770, 0o777])
def test_a_folder_that_others_can_enter_is_refused(open_store, folder, mode):
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(StoreError, match="chmod 700"):
        open_store()
    assert list(folder.iterdir()) == []


def test_a_folder_that_can_not_be_made_is_refused(open_store, folder):
    folder.parent.joinpath("data").write_text("a file")
    with pytest.raises(StoreError, match="must be a folder"):
        open_store()
    with pytest.raises(StoreError, match="can't be used"):
        SqliteStore(folder / "below a file", tree=TREE, sign=KEY.sign, document_key=b"\x02" * 32)


def test_a_second_writer_is_refused(open_store, folder):
    store = open_store()
    with pytest.raises(StoreError, match="in use by another gateway"):
        open_store()
    other = child("open_store()", folder)
    _, error = other.communicate(timeout=30)
    assert other.returncode == 1
    assert "in use by another gateway" in error
    store.append(batch()).result(10)
    store.close()
    assert open_store().size() == 1


def test_many_appends_share_commits(open_store):
    commits = []
    signed = threading.Lock()

    def sign(size, root):
        with signed:
            commits.append(size)
        return KEY.sign(size, root)

    store = open_store(sign=sign)
    before = len(commits)
    start = threading.Barrier(64)

    def run(who):
        start.wait()
        for number in range(10):
            store.append(batch(f"s{who}", number)).result(30)

    threads = [threading.Thread(target=run, args=(who,)) for who in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert store.size() == 640
    assert 10 <= len(commits) - before < 320
    check_whole(store)


def test_what_was_acknowledged_survives_a_kill(open_store, folder):
    running = child(
        """
        store = open_store()
        lock = threading.Lock()
        def run(who):
            number = 0
            while True:
                done = store.append(batch(f"s{who}", number, 500)).result()
                with lock:
                    print(done.entries[0].entry, done.entries[0].leaf.hex(), flush=True)
                number += 1
        for who in range(8):
            threading.Thread(target=run, args=(who,)).start()
        """,
        folder,
    )
    lines = [running.stdout.readline() for _ in range(400)]
    running.send_signal(signal.SIGKILL)
    lines += running.stdout.readlines()
    running.communicate(timeout=30)
    acknowledged = dict(line.split() for line in lines if line.endswith("\n"))
    assert len(acknowledged) >= 400
    store = open_store()
    check_whole(store)
    for index, hashed in acknowledged.items():
        assert leaf_hash(store.entry(int(index))).hex() == hashed
    after = store.append(batch()).result(10)
    assert after.entries[0].entry == store.size() - 1
    check_whole(store)


def test_a_full_disk_refuses_and_a_freed_one_goes_on(open_store, folder):
    running = child(
        """
        store = open_store()
        number = 0
        def append(size):
            global number
            number += 1
            return store.append(batch("s", number, size)).result(20).entries[0].entry
        for _ in range(3):
            append(1000)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        written = refused = 0
        for _ in range(30):
            try:
                append(20_000)
                written += 1
            except LedgerError as error:
                assert "could not record" in str(error), error
                refused += 1
        size = store.size()
        assert size == 3 + written, (size, written)
        assert refused > 20
        assert len(store.entries("s")) == size
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert [append(20_000) for _ in range(5)] == list(range(size, size + 5))
        assert key.verify(store.head()).size == size + 5
        store.close()
        print("ok", size + 5)
        """,
        folder,
    )
    out, error = running.communicate(timeout=60)
    assert (running.returncode, error) == (0, "")
    store = open_store()
    assert out.split() == ["ok", str(store.size())]
    check_whole(store)


def test_a_locked_database_refuses_promptly_and_then_goes_on(open_store, folder):
    store = open_store()
    store.append(batch()).result(10)
    other = sqlite3.connect(folder / files.DATABASE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = [store.append(batch()) for _ in range(5)]
    for item in waiting:
        with pytest.raises(LedgerError, match=r"could not record.*locked"):
            item.result(5)
    other.execute("ROLLBACK")
    other.close()
    assert store.append(batch()).result(10).entries[0].entry == 1
    check_whole(store)


def test_a_signer_that_fails_or_signs_something_else_records_nothing(open_store):
    def fail(size, root):
        raise OSError

    signer = {"sign": KEY.sign}
    store = open_store(sign=lambda size, root: signer["sign"](size, root))
    other = LogKey(name="shop/other", private=KEY.private)
    wrong = [
        fail,
        other.sign,
        lambda size, root: KEY.sign(size + 1, root),
        lambda size, root: KEY.sign(size, b"r" * 32),
    ]
    for number, signs in enumerate(wrong):
        signer["sign"] = KEY.sign
        assert store.append(batch()).result(10).entries[0].entry == number
        signer["sign"] = signs
        with pytest.raises(LedgerError, match="could not record" if signs is fail else "another head"):
            store.append(batch()).result(10)
    signer["sign"] = KEY.sign
    assert store.append(batch()).result(10).entries[0].entry == len(wrong)
    check_whole(store)


def test_a_failure_after_the_commit_is_read_back(open_store, monkeypatch):
    """The disk may say no when the commit is there already: then memory follows it, and no index is used twice."""
    store = open_store()
    store.append(batch()).result(10)
    transact = SqliteStore._transact

    def committed_and_failed(self, db, batches):
        transact(self, db, batches)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(SqliteStore, "_transact", committed_and_failed)
    with pytest.raises(LedgerError, match="disk I/O error"):
        store.append(batch()).result(10)
    monkeypatch.undo()
    assert store.append(batch()).result(10).entries[0].entry == 2
    assert store.size() == 3
    check_whole(store)


def test_a_database_that_vanishes_is_noticed_and_not_made_anew(open_store, folder):
    store = open_store()
    store.append(batch()).result(10)
    store._db.close()
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (folder / name).unlink(missing_ok=True)
    for _ in range(2):
        with pytest.raises(LedgerError, match="could not record"):
            store.append(batch()).result(10)
    assert not (folder / "ledger.db").exists()


def test_the_log_is_copied_back_while_the_store_runs(open_store, folder, monkeypatch):
    monkeypatch.setattr(sqlite_store, "CHECKPOINT_SECONDS", 0.001)
    store = open_store()
    before = (folder / files.DATABASE).stat().st_size
    for number in range(200):
        store.append(batch(puts=(Put(kind="k", id=str(number), parent=None, state="s", value=bytes(2000)),))).result(10)
    for _ in range(100):
        if (folder / files.DATABASE).stat().st_size > before + 200 * 2000:
            break
        threading.Event().wait(0.02)
    assert (folder / files.DATABASE).stat().st_size > before + 200 * 2000


def test_a_long_log_is_shortened_by_the_writer(open_store, folder, monkeypatch):
    monkeypatch.setattr(sqlite_store, "LONG_LOG_PAGES", 50)
    monkeypatch.setattr(sqlite_store, "CHECKPOINT_SECONDS", 0.001)
    store = open_store()
    for number in range(600):
        store.append(batch(number=number)).result(10)
    assert (folder / "ledger.db-wal").stat().st_size < 600 * 6 * 4096 / 2
    check_whole(store)


def test_a_first_start_that_was_cut_short_starts_again(open_store, folder):
    folder.mkdir(mode=0o700)
    (folder / files.DATABASE).touch(mode=0o600)
    half = files.open_writer(folder / files.DATABASE)
    half.close()
    assert (folder / files.DATABASE).stat().st_size > 0
    assert open_store().size() == 0


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        pytest.param("PRAGMA application_id = 7", "not a langguard ledger", id="another application"),
        pytest.param("PRAGMA user_version = 1", "version 1", id="another version"),
        pytest.param("UPDATE meta SET value = 'shop/other'", "the ledger shop/other", id="another ledger"),
        pytest.param("DROP TABLE head", "no such table", id="a table gone"),
        pytest.param("DELETE FROM head", "changed from outside", id="no head"),
    ],
)
def test_a_file_that_is_not_this_ledger_is_refused(open_store, folder, statement, said):
    store = open_store()
    store.append(batch()).result(10)
    store.close()
    db = sqlite3.connect(folder / files.DATABASE, isolation_level=None)
    db.execute(statement)
    db.close()
    with pytest.raises(StoreError, match=said):
        open_store()
    with pytest.raises(StoreError, match=said):
        open_store()  # and it is not left locked


def test_a_file_that_is_no_database_is_refused(open_store, folder):
    folder.mkdir(mode=0o700)
    (folder / files.DATABASE).write_bytes(b"nothing of the kind" * 1000)
    with pytest.raises(StoreError, match="not a database"):
        open_store()


def test_another_key_is_refused(open_store):
    open_store().close()
    other = LogKey(name=TREE, private=Ed25519PrivateKey.from_private_bytes(b"\x02" * 32))
    with pytest.raises(StoreError, match="another key"):
        open_store(sign=other.sign)


def test_an_erased_value_leaves_no_copy_in_the_database(open_store, folder):
    store = open_store()
    secret = b"wrapped key that must go" * 20
    store.append(Batch(puts=(Put(kind="session_key", id="s", parent=None, state="held", value=secret),))).result(10)
    store.append(Batch(puts=(Put(kind="session_key", id="s", parent=None, state="erased", value=b""),))).result(10)
    store.close()
    assert b"must go" not in b"".join(path.read_bytes() for path in pathlib.Path(folder).iterdir())


def test_a_database_that_can_not_be_read_says_so_and_is_read_again(open_store, folder):
    store = open_store()
    store.append(batch()).result(10)
    moved = folder / "elsewhere"
    (folder / files.DATABASE).rename(moved)
    with pytest.raises(StoreError, match="can't be read"):
        store.entries("sess_1")
    moved.rename(folder / files.DATABASE)
    assert len(store.entries("sess_1")) == 1


def test_a_reader_that_outlives_the_store_is_closed(open_store):
    store = open_store()
    with store._reader() as reader:
        store.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        reader.execute("SELECT 1")


def test_a_reader_of_what_is_no_database_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"nothing of the kind" * 1000)
    reader = files.open_reader(tmp_path / "x")
    with contextlib.closing(reader), pytest.raises(sqlite3.DatabaseError, match="not a database"):
        reader.execute("SELECT * FROM head")


def test_a_file_that_can_not_be_made_is_refused(tmp_path):
    with pytest.raises(StoreError, match="can't be used"):
        files.prepare_file(tmp_path / "no folder" / "x")


def test_a_signer_that_fails_at_the_start_leaves_nothing_locked(open_store):
    def fail(size, root):
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        open_store(sign=fail)
    assert open_store().size() == 0


def test_copying_back_that_fails_is_tried_again(open_store, folder, monkeypatch):
    monkeypatch.setattr(sqlite_store, "CHECKPOINT_SECONDS", 0.001)
    store = open_store()
    failed = threading.Event()
    open_writer = files.open_writer

    def fail(path):
        failed.set()
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(files, "open_writer", fail)
    store.append(batch()).result(10)
    assert failed.wait(5)
    before = (folder / files.DATABASE).stat().st_size
    monkeypatch.setattr(files, "open_writer", open_writer)
    puts = tuple(Put(kind="k", id=str(number), parent=None, state="s", value=bytes(4000)) for number in range(50))
    store.append(batch(puts=puts)).result(10)
    for _ in range(200):
        if (folder / files.DATABASE).stat().st_size > before + 100_000:
            break
        threading.Event().wait(0.02)
    assert (folder / files.DATABASE).stat().st_size > before + 100_000


def test_what_is_not_announced_yet_is_not_shown(open_store):
    """Between the commit and its announcement, readers see the head before it, and exactly the entries under it."""
    store = open_store()
    store.append(batch()).result(10)
    before = store._state
    store.append(batch()).result(10)
    store._state = before
    assert store.size() == len(store.entries("sess_1")) == len(store.scan(0, 10)) == 1
    assert store.entry(1) is None


def test_readers_can_not_write(open_store, folder):
    open_store()
    reader = files.open_reader(folder / files.DATABASE)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM head")
    reader.close()


def test_commits_wait_for_the_disk(open_store):
    """A killed process would not show the difference; a power cut would."""
    db = open_store()._db
    assert [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")] == ["wal", 2]
    assert [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("fullfsync", "wal_autocheckpoint")] == [1, 0]
