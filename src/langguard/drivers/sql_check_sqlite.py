"""The walls of an SQLite connection: the authorizer, the clock, and the file itself."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from langguard.drivers.sql_check_base import Excess, Target, Wall

_LONG: Final = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT max(i) FROM n"
)
_MANY: Final = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT i FROM n"
_REFUSED: Final = ("SQLITE_AUTH", "SQLITE_READONLY", "this call may only read")


def walls(target: Target) -> Iterator[Wall]:
    """Try each wall."""
    yield target.refused("a read can't make a table", "CREATE TABLE langguard_check (n INTEGER)", *_REFUSED)
    yield target.refused("a read can't make a temporary table", "CREATE TEMP TABLE langguard_check (n)", *_REFUSED)
    table = next((table for table in target.catalog.tables), None)
    if table is not None:
        name = '"' + table.name.replace('"', '""') + '"'
        text = f"DELETE FROM {name} WHERE 0"  # noqa: S608 - the name is quoted; it deletes nothing where it is let through
        yield target.refused("a read can't change rows", text, *_REFUSED)
    yield target.refused("a text is one statement", "SELECT 1; SELECT 2", "more than one statement")
    yield target.refused("no other file can be opened", "ATTACH DATABASE ':memory:' AS langguard_check", *_REFUSED)
    yield target.refused("no file can be read", "SELECT readfile('/dev/null')", "SQLITE_ERROR", *_REFUSED)
    yield target.refused(
        "no extension can be loaded", "SELECT load_extension('langguard_check')", "SQLITE_ERROR", *_REFUSED
    )
    yield target.refused("no setting can be changed", "PRAGMA query_only = OFF", *_REFUSED)
    yield target.timed(_LONG)
    yield target.cancelled(_LONG)
    yield target.capped(_MANY)
    yield target.sized("SELECT zeroblob(100000)")


def excess(target: Target) -> Iterator[Excess]:
    """Return what this process could do to the file beside the walls."""
    place = target.engine.url.database or ""
    if not place or place == ":memory:":
        return
    path = Path(place).absolute()
    if not target.writes and os.access(path, os.W_OK):
        yield Excess(
            what=f"the gateway's user may write to {path.name}",
            why="No one may write through this connection, so nothing but the walls keeps a write out.",
            mend="give the file to another user, readable by the gateway's: chmod 640, chown",
        )
    if path.stat().st_mode & 0o002:
        yield Excess(
            what=f"everyone on the machine may write to {path.name}",
            why="Rows can be changed without the gateway.",
            mend="chmod o-w on the file",
        )
    if path.stat().st_mode & 0o004:
        yield Excess(
            what=f"everyone on the machine may read {path.name}",
            why="Rows can be read without the gateway, and unmasked.",
            mend="chmod o-r on the file",
        )
