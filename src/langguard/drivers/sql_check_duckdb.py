"""The walls of a DuckDB connection: one file, opened without files, network, extensions or Python around it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from langguard.drivers.sql_check_base import Excess, Target, Wall

_LONG: Final = "SELECT max(a.range * b.range) FROM range(10000000) a, range(10000000) b"
_KIND: Final = ("one statement of the kind",)
_OUTSIDE: Final = ("PermissionException", "disabled", "external access", "may not")


def walls(target: Target) -> Iterator[Wall]:
    """Try each wall."""
    yield target.refused("a read can't make a table", "CREATE TEMP TABLE langguard_check (n INTEGER)", *_KIND)
    table = next((table for table in target.catalog.tables), None)
    if table is not None:
        name = ".".join('"' + part.replace('"', '""') + '"' for part in (table.schema, table.name))
        text = f"DELETE FROM {name} WHERE false"  # noqa: S608 - quoted; it deletes nothing where it is let through
        yield target.refused("a read can't change rows", text, *_KIND)
    yield target.refused("a text is one statement", "SELECT 1; SELECT 2", "more than one statement")
    yield target.refused("no file can be read", "SELECT count(*) FROM read_text('/etc/hosts')", *_OUTSIDE)
    yield target.refused("no file can be named as a table", "SELECT count(*) FROM '/etc/hosts.csv'", *_OUTSIDE)
    yield target.refused("no other file can be opened", "ATTACH ':memory:' AS langguard_check", *_KIND)
    yield target.refused("nothing can be copied out", "COPY (SELECT 1) TO '/dev/null'", *_KIND)
    yield target.refused("no extension can be loaded", "LOAD httpfs", *_KIND)
    yield target.refused("no setting can be changed", "SET enable_external_access = true", *_KIND)
    yield target.timed(_LONG)
    yield target.cancelled(_LONG)
    yield target.capped("SELECT range FROM range(100)")
    yield target.sized("SELECT repeat('x', 100000)")


def excess(target: Target) -> Iterator[Excess]:
    """Return what this process could do to the file beside the walls."""
    path = Path(target.engine.url.database or "").absolute()
    if not target.writes and os.access(path, os.W_OK):
        yield Excess(
            what=f"the gateway's user may write to {path.name}",
            why="No one may write through this connection, so nothing but the walls keeps a write out.",
            mend="give the file to another user, readable by the gateway's: chmod 640, chown",
        )
    mode = path.stat().st_mode
    for bit, act in ((0o002, "write to"), (0o004, "read")):
        if mode & bit:
            yield Excess(
                what=f"everyone on the machine may {act} {path.name}",
                why="That goes past the gateway, its masks and its record.",
                mend=f"chmod o-{'w' if bit == 0o002 else 'r'} on the file",
            )
