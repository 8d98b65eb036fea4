"""DuckDB: a file that this process holds, walled off from files, the network and Python, and a clock of our own.

DuckDB runs inside the process that asks. So the settings that decide what a statement could reach are given when the
file is opened, locked, and read back; each statement has a session of its own, which nothing before it has touched;
and a thread ends what takes too long, since interrupting is all that DuckDB offers.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from langguard.drivers.failures_duckdb import BROKEN
from langguard.drivers.sql_base import Cancel, Driver, Terms
from langguard.errors import TargetError

_WALLS: Final = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_unsigned_extensions": "false",
    "allow_persistent_secrets": "false",
    "python_enable_replacements": "false",
    "python_scan_all_frames": "false",
}
"""What keeps a statement inside the database: given when it is opened."""
_READINGS: Final = {
    "dialect_compatibility_mode": ("NONE",),
    "current_dialect": ("", "None"),
    "active_grammar_extensions": ("[]",),
    "allow_parser_override_extension": ("DEFAULT",),
    "integer_division": ("false",),
    "default_collation": ("",),
    "default_order": ("ASCENDING", "ASC"),
    "preserve_identifier_case": ("preserve_case", "true"),
}
"""What gives a text its meaning: left as shipped, and looked at. A version without one of them has one meaning."""
_LIMITS: Final = {"memory_limit": "1GB", "threads": "2", "temp_directory": "", "max_temp_directory_size": "1GB"}
"""What may be set otherwise after `?` in the URL, and what holds if it is not. With no folder nothing is spilt."""
_ACCESS: Final = {"read_only": True, "read_write": False}
_KINDS: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE_INTO"})
_ASKED: Final = "EXPLAIN (FORMAT json) "
_AGAIN: Final = 0.02
"""Seconds between interrupts: one that comes between two steps of a statement is lost."""


class _Link:
    """A session of its own in an open database, in the shape that SQLAlchemy's dialect takes for a connection."""

    notices: Sequence[str] = ()
    autocommit = None
    closed = False

    def __init__(self, session: Any, broken: Callable[[], None]) -> None:
        self.session = session
        self.broken = broken
        self.read_only = True

    def cursor(self) -> "_Cursor":
        """Return a cursor."""
        return _Cursor(self)

    def begin(self) -> None:
        """Begin a transaction that only reads, unless the call writes."""
        self.session.execute(f"BEGIN TRANSACTION READ {'ONLY' if self.read_only else 'WRITE'}")

    def close(self) -> None:
        """End the session."""
        self.closed = True
        self.session.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)


class _Cursor:
    """Hands one statement to a session: exactly one, and of a kind that the call is for."""

    def __init__(self, link: _Link) -> None:
        self._link = link
        self._counted = -1

    def execute(self, statement: str, parameters: Any = None, _context: Any = None) -> None:
        """Run one statement.

        Raises:
            TargetError: It is none, several, or of another kind.
        """
        found = self._link.session.extract_statements(statement)
        kinds = [getattr(each.type, "name", "") for each in found]
        kept = _KINDS if not self._link.read_only else {"SELECT"}
        asked = kinds == ["EXPLAIN"] and statement.startswith(_ASKED)  # a plan: nothing runs
        if len(kinds) != 1 or not (asked or kinds[0] in kept):
            msg = "The database's own parser does not take this for one statement of the kind that was allowed."
            raise TargetError(msg)
        try:
            self._link.session.execute(found[0], parameters or None)
        except Exception as failed:
            if type(failed).__name__ in BROKEN:
                self._link.broken()
            raise
        self._counted = int(self._link.session.rowcount)

    @property
    def connection(self) -> _Link:
        """The connection it is of."""
        return self._link

    @property
    def description(self) -> Any:
        """The result's columns; none for a write that returns only a count."""
        return self._link.session.description if self._counted < 0 else None

    @property
    def rowcount(self) -> int:
        """How many rows a write changed; -1 for a result."""
        return self._counted

    def fetchone(self) -> Any:
        """Return the next row."""
        return self._link.session.fetchone()

    def fetchmany(self, size: int = 1) -> list[Any]:
        """Return the next rows."""
        return list(self._link.session.fetchmany(size))

    def fetchall(self) -> list[Any]:
        """Return all rows left."""
        return list(self._link.session.fetchall())

    def close(self) -> None:
        """The session is closed with its connection."""


class _File:
    """One database file, opened when it is first asked for and held until the engine is disposed of."""

    def __init__(self, path: str, *, read_only: bool, limits: dict[str, str]) -> None:
        self._path = path
        self._read_only = read_only
        self._limits = limits
        self._lock = threading.Lock()
        self._held: Any = None

    def session(self) -> _Link:
        """Return a new session.

        Raises:
            TargetError: The file is not there, or its settings do not hold.
        """
        with self._lock:
            if self._held is None:
                self._held = self._open()
            return _Link(self._held.cursor(), self.close)

    def _open(self) -> Any:
        import duckdb  # noqa: PLC0415 - an extra

        if not Path(self._path).is_file():
            msg = "The connection's DuckDB file is not there."
            raise TargetError(msg)
        held = duckdb.connect(self._path, read_only=self._read_only, config={**_WALLS, **self._limits})
        try:
            # The time zone's module is not there yet while a file is opened, so the lock comes after.
            if _settings(held, ["TimeZone"]).get("TimeZone") != "UTC":
                held.execute("SET TimeZone = 'UTC'")
            if _settings(held, ["lock_configuration"]).get("lock_configuration") != "true":
                held.execute("SET lock_configuration = true")
            wrong = check(held, read_only=self._read_only)
        except BaseException:
            held.close()
            raise
        if wrong:
            held.close()
            msg = f"DuckDB did not keep the setting {wrong[0]}, so nothing is run on it."
            raise TargetError(msg)
        return held

    def close(self, *_: object) -> None:
        """Let go of the file once the sessions in use have ended."""
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            held.close()


def check(session: Any, *, read_only: bool) -> list[str]:
    """Return the names of settings that are not as they must be, as the database itself tells them."""
    wanted: dict[str, tuple[str, ...]] = {name: (value,) for name, value in _WALLS.items()}
    wanted |= {
        "lock_configuration": ("true",),
        "TimeZone": ("UTC",),
        "access_mode": ("read_only",) if read_only else ("read_write", "automatic"),
    }
    given = _settings(session, [*wanted, *_READINGS])
    wrong = [name for name, values in wanted.items() if given.get(name, "").lower() not in {v.lower() for v in values}]
    return wrong + _misread(given)


def _misread(given: dict[str, str]) -> list[str]:
    return [name for name, values in _READINGS.items() if name in given and given[name] not in values]


def _settings(session: Any, names: Sequence[str]) -> dict[str, str]:
    marks = ", ".join(f"'{name}'" for name in names)
    rows = session.execute(f"SELECT name, value FROM duckdb_settings() WHERE name IN ({marks})").fetchall()  # noqa: S608 - names of ours
    return {name: str(value) for name, value in rows}


def _open(url: URL) -> Engine:
    import duckdb_engine  # noqa: F401, PLC0415 - an extra; its absence is told by the caller

    place = url.database or ""
    if not place or ":" in place or url.host:
        msg = "A DuckDB connection names one database file on this machine: duckdb:////folder/file.duckdb"
        raise TargetError(msg)
    given = {name: str(value) for name, value in url.query.items()}
    access = given.pop("access_mode", "read_only").lower()
    if access not in _ACCESS or not given.keys() <= _LIMITS.keys():
        msg = f"After the path of a DuckDB file may stand access_mode, {', '.join(_LIMITS)} and nothing else."
        raise TargetError(msg)
    file = _File(place, read_only=_ACCESS[access], limits={**_LIMITS, **given})
    engine = create_engine(url.set(query={}), hide_parameters=True, creator=file.session, poolclass=NullPool)
    event.listen(engine, "engine_disposed", file.close)
    return engine


@contextmanager
def _guarded(connection: Connection, terms: Terms, handle: Cancel) -> Iterator[None]:
    raw: Any = connection.connection.driver_connection
    session = raw.session if isinstance(raw, _Link) else raw
    _begin(connection, raw, session, terms)
    before = session.execute("SELECT current_setting('search_path')").fetchone()[0].replace("'", "''")
    session.execute(_search_path(session, terms))
    try:
        with _clock(session, terms) as stop, handle.armed(stop):
            yield
    except BaseException:
        if session is raw:
            session.rollback()  # a failed transaction takes no further statement
        raise
    finally:
        if session is raw:  # the caller's own, who goes on using it
            session.execute(f"SET search_path = '{before}'")


def _begin(connection: Connection, raw: Any, session: Any, terms: Terms) -> None:
    """Begin the call's transaction: a session of ours knows how, in one of the caller's own it is begun anew."""
    if isinstance(raw, _Link):
        raw.read_only = terms.read_only
        connection.begin()
        return
    wrong = _misread(_settings(session, list(_READINGS)))
    if wrong:
        msg = f"The DuckDB setting {wrong[0]} gives statements another meaning; open the database without it."
        raise TargetError(msg)
    connection.begin()
    connection.exec_driver_sql("SELECT 1").close()
    session.rollback()
    session.execute(f"BEGIN TRANSACTION READ {'ONLY' if terms.read_only else 'WRITE'}")


def _search_path(session: Any, terms: Terms) -> str:
    """Return the statement that puts the engine's own functions before any macro of the same name."""
    database = session.execute("SELECT current_database()").fetchone()[0]
    names = [f"{_quoted(database)}.{_quoted(schema)}" for schema in (terms.schemas or ("main",))]
    path = ",".join(["system.main", *names]).replace("'", "''")
    return f"SET search_path = '{path}'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _clock(session: Any, terms: Terms) -> Iterator[Callable[[], None]]:
    """Interrupt what runs in a session when its time is over, or when the function given is called.

    Raises:
        TargetError: It took too long.
    """
    over, stopped = threading.Event(), threading.Event()
    late = threading.Event()

    def watch() -> None:
        if not stopped.wait(terms.timeout_ms / 1000) and not over.is_set():
            late.set()
        while not over.wait(_AGAIN):
            with contextlib.suppress(Exception):  # the session may just have been closed
                session.interrupt()

    thread = threading.Thread(target=watch, name="langguard-duckdb-clock", daemon=True)
    thread.start()
    try:
        yield stopped.set
    except Exception:
        if late.is_set():
            msg = f"The statement took longer than {terms.timeout_ms} ms and was stopped; ask for less."
            raise TargetError(msg) from None
        raise
    finally:
        over.set()
        stopped.set()
        thread.join()


_NEEDED: Final = "DuckDB needs duckdb and duckdb-engine, which are not installed: pip install 'langguard[duckdb]'"
DRIVER = Driver(
    backends=("duckdb",),
    open=_open,
    guarded=_guarded,
    needs={"duckdb": _NEEDED, "duckdb_engine": _NEEDED, "_duckdb": _NEEDED},
)
