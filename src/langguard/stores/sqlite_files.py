"""The SQLite store's files: who may read them, who may write, and what is in them.

data folder/  0700, refused if others may enter it
  ledger.db   0600 (with -wal and -shm beside it)
  ledger.lock held exclusively by the one process that writes
"""

import os
import sqlite3
import stat
from pathlib import Path
from typing import Final
from urllib.parse import quote

from langguard.stores.base import StoreError

DATABASE: Final = "ledger.db"
LOCK: Final = "ledger.lock"
APPLICATION: Final = 0x6C616E67
"""`PRAGMA application_id`: "lang"."""
VERSION: Final = 2
"""`PRAGMA user_version`: the version of the tables below."""
BUSY_SECONDS: Final = 0.25

TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, checkpoint TEXT NOT NULL);
CREATE TABLE entries (
    idx INTEGER PRIMARY KEY, session TEXT NOT NULL, seq INTEGER NOT NULL, leaf BLOB NOT NULL, hash BLOB NOT NULL,
    UNIQUE (session, seq));
CREATE TABLE nodes (
    level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, idx)) WITHOUT ROWID;
CREATE TABLE bodies (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, session TEXT NOT NULL, sealed BLOB NOT NULL);
CREATE INDEX bodies_of_session ON bodies (session, number);
CREATE TABLE documents (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, parent TEXT, state TEXT NOT NULL,
    value BLOB NOT NULL, UNIQUE (kind, id));
CREATE INDEX documents_of_parent ON documents (kind, parent, number);
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries never change'); END;
CREATE TRIGGER entries_last BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries never go'); END;
CREATE TRIGGER nodes_stay BEFORE UPDATE ON nodes BEGIN SELECT RAISE(ABORT, 'nodes never change'); END;
CREATE TRIGGER nodes_last BEFORE DELETE ON nodes BEGIN SELECT RAISE(ABORT, 'nodes never go'); END;
"""


def prepare_folder(folder: Path) -> None:
    """Make the data folder, or check that no one else can enter it.

    Raises:
        StoreError: It is open to others, or can't be made.
    """
    try:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
            folder.chmod(0o700)
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not folder.is_dir() or (os.name == "posix" and mode & 0o077):
            msg = f"The data folder {folder} must be a folder that only its owner can enter; run: chmod 700 {folder}"
            raise StoreError(msg)
    except OSError as failed:
        msg = f"The data folder {folder} can't be used: {failed.strerror}."
        raise StoreError(msg) from failed


def prepare_file(path: Path) -> None:
    """Make a file that only its owner can read, before SQLite would make it otherwise.

    Raises:
        StoreError: It can't be made.
    """
    try:
        if not path.exists():
            # Only ever opened before SQLite knows the file: closing any descriptor of a file drops all POSIX locks that
            # this process holds on it, SQLite's among them.
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        path.chmod(0o600)
        _sync_folder(path.parent)
    except OSError as failed:
        msg = f"The file {path} can't be used: {failed.strerror}."
        raise StoreError(msg) from failed


def _sync_folder(folder: Path) -> None:
    """Make the files' names durable too; SQLite does so for its own journals only."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock(folder: Path) -> sqlite3.Connection:
    """Become the only writer of the folder, until the connection is closed or the process ends.

    SQLite's own lock is used: it works on every platform, and a forked child does not inherit it.

    Raises:
        StoreError: Another process writes here.
    """
    path = folder / LOCK
    prepare_file(path)
    connection = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as failed:
        connection.close()
        msg = f"The data folder {folder} is in use by another gateway; stop that one, or use another folder."
        raise StoreError(msg) from failed
    return connection


def open_writer(path: Path) -> sqlite3.Connection:
    """Return a connection whose commits are durable when they return.

    Raises:
        sqlite3.Error: The file can't be opened, or is no database.
    """
    connection = _connect(path, "rw", BUSY_SECONDS)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's own cache too
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("PRAGMA secure_delete = ON")  # an erased session key leaves no copy in a free page
        connection.execute("PRAGMA trusted_schema = OFF")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that can't write.

    Raises:
        sqlite3.Error: The file can't be opened, or is no database.
    """
    connection = _connect(path, "ro", 5)
    try:
        connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _connect(path: Path, mode: str, timeout: float) -> sqlite3.Connection:
    # Never "rwc": a file that went missing while the gateway runs must be noticed, not made anew.
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=timeout, check_same_thread=False)
