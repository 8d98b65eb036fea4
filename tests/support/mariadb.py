"""A throwaway MariaDB server from the machine's own binaries, private to one test run.

It listens on a Unix socket in a folder of its own and on a loopback port, each login needs a password, and it ends with
this process, SIGKILL included: a small shell beside it reads a pipe that only this process holds open.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pymysql

_SECONDS = 30
_FOLDERS = ("/usr/sbin", "/usr/bin", "/usr/libexec", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin")
# $1: the folder; $2: mariadbd; the rest: its options. The pipe becomes readable when the run says stop, or is gone.
_KEEPER = """
umask 077
folder=$1
server=$2
shift 2
exec 3<&0 </dev/null
mkdir "$folder/tmp"
mariadb-install-db --no-defaults --datadir="$folder/data" --auth-root-authentication-method=normal --skip-test-db \
    3<&- || exit
"$server" --no-defaults --datadir="$folder/data" --tmpdir="$folder/tmp" "$@" 3<&- &
running=$!
(
    read -r _ <&3
    while kill -KILL "$running"; do sleep 0.1; done
) 2>/dev/null &
watcher=$!
exec 3<&-
wait "$running"
kill "$watcher" 2>/dev/null
rm -rf "$folder"/*
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MariaDB:
    """A server that is there for the whole run; `root` may do everything."""

    socket: Path
    port: int
    password: str = field(repr=False)

    def url(self, database: str = "", *, user: str = "root", password: str = "", tcp: bool = False) -> str:
        """Return SQLAlchemy's URL of a database for a login; without one, root's."""
        login = f"{quote(user, safe='')}:{quote(password or self.password, safe='')}"
        if tcp:
            return f"mysql+pymysql://{login}@127.0.0.1:{self.port}/{database}"
        return f"mysql+pymysql://{login}@localhost/{database}?unix_socket={quote(str(self.socket), safe='/')}"

    def connect(self, database: str | None = None, **options: object) -> pymysql.Connection:
        """Return a connection of the driver itself: root's, with autocommit, unless the options say otherwise."""
        given: dict[str, object] = {
            "unix_socket": str(self.socket),
            "user": "root",
            "password": self.password,
            "database": database,
            "autocommit": True,
            "charset": "utf8mb4",
        }
        return pymysql.connect(**(given | options))  # type: ignore[call-overload,no-any-return]


def find_server() -> str | None:
    """Return the path of `mariadbd` where its installer is there too."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *_FOLDERS])
    server = shutil.which("mariadbd", path=path)
    return server if server and shutil.which("mariadb-install-db", path=path) else None


@contextmanager
def start_mariadb(server: str) -> Iterator[MariaDB]:
    """Start a new, empty server and wait until it takes logins: about two seconds."""
    folder = Path(tempfile.mkdtemp(prefix="lgm-")).resolve()
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    if account is not None:  # as root it refuses to run
        os.chown(folder, account.pw_uid, account.pw_gid)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    place = folder / "s"
    options = [
        f"--socket={place}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--pid-file={folder}/pid",
        "--skip-name-resolve",
        "--skip-log-bin",
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=32M",
        "--innodb-log-file-size=8M",
        "--performance-schema=ON",
        "--plugin-maturity=stable",
    ]
    log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the server
    keeper = subprocess.Popen(
        ["/bin/sh", "-c", _KEEPER, "langguard-test", str(folder), server, *options],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={"LC_ALL": "C", "PATH": os.pathsep.join(["/bin", *_FOLDERS]), "TZ": "UTC"},
        start_new_session=True,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )
    try:
        password = secrets.token_hex(12)
        _wait(place, keeper, log, password)
        yield MariaDB(socket=place, port=port, password=password)
    finally:
        if keeper.stdin is not None:
            keeper.stdin.close()
        keeper.wait(_SECONDS)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(place: Path, keeper: subprocess.Popen[bytes], log: object, password: str) -> None:
    for _ in range(_SECONDS * 50):
        if keeper.poll() is not None:
            break
        if place.exists():
            try:
                with pymysql.connect(unix_socket=str(place), user="root", autocommit=True) as link:
                    cursor = link.cursor()
                    cursor.execute(f"SET PASSWORD FOR root@localhost = PASSWORD('{password}')")
                    cursor.execute(
                        "DELETE FROM mysql.global_priv WHERE User NOT IN ('root', 'mariadb.sys') OR Host <> 'localhost'"
                    )
                    cursor.execute("FLUSH PRIVILEGES")
                    cursor.execute(f"CREATE USER root@'127.0.0.1' IDENTIFIED BY '{password}'")
                    cursor.execute("GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION")
                    return
            except pymysql.OperationalError:
                pass
        time.sleep(0.02)
    log.seek(0)  # type: ignore[attr-defined]
    said = log.read().decode(errors="replace")[-2000:]  # type: ignore[attr-defined]
    msg = f"MariaDB did not start: {said}"
    raise RuntimeError(msg)
