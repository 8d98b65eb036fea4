"""Use installed wheels as a first reader would: a base install as the agent's, a full one as the gateway's.

Usage: quickstart.py BASE_BIN FULL_BIN, run by the full install. A gateway over a small SQLite shop; from the base
install, where no extra is: both custodies, a refusal, an export verified and one that was changed; and each missing
extra told in one sentence.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from langguard.cli._api import Api
from langguard.cli.demo import shop
from langguard.cli.demo.policy import gateway_file
from langguard.cli.demo.processes import gateway

_AGENT = """
import sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from sqlalchemy import create_engine
from langguard import AccessDeniedError, GuardedSQLDatabase

for db in (GuardedSQLDatabase.from_gateway("shop"), GuardedSQLDatabase(create_engine(sys.argv[1]))):
    shown = db.run("SELECT city, email FROM customers ORDER BY id LIMIT 3")
    assert "@" not in shown and shown.count("<") == 3, shown
    try:
        db.run("DROP TABLE customers")
    except AccessDeniedError as refused:
        assert refused.rule == "no-destruction", refused
    else:
        raise SystemExit("a DROP TABLE was not refused")
    print(type(db).__name__, shown)
"""


def main() -> None:
    base, full = (Path(argument) for argument in sys.argv[1:3])
    _extras(base)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "shop.db"
        shop.seed(str(database), "sqlite")
        url = f"sqlite:///{database}"
        config = folder / "langguard.yaml"
        config.write_text(
            gateway_file(dialect="sqlite", credential="{env: SHOP_DSN}", target=f"sqlite:///{database}"),
            encoding="utf-8",
        )
        with gateway(config, credentials={"SHOP_DSN": url}) as home:
            api = Api(home.address, home.administrator)
            admin = {"LANGGUARD_URL": home.address, "LANGGUARD_TOKEN": home.administrator}
            made = _say(full, "langguard", "key", "create", "reader", "--group", "analysts", **admin)
            token = re.search(r"lgk_[0-9a-f]+", made)[0]
            _say(full, "langguard", "connection", "add", "shop-direct", "--snapshot-from", url, **admin)
            agent = {"LANGGUARD_URL": home.address, "LANGGUARD_TOKEN": token}
            print(_say(base, "python", "-I", "-c", _AGENT, url, **agent).strip())
            session = api.ask("GET", "/v1/sessions")["sessions"][0]["id"]
            export = folder / "session.jsonl"
            export.write_bytes(api.fetch(f"/v1/sessions/{session}/export"))
            key = str(api.ask("GET", "/v1/checkpoint")["key"])
        print(_say(base, "langguard", "ledger", "verify", str(export), "--key", key).strip())
        changed = export.read_bytes().replace(b"customers", b"customerz", 1)
        export.write_bytes(changed)
        print(_say(base, "langguard", "ledger", "verify", str(export), code=1).strip())


def _extras(base: Path) -> None:
    """A base install says in one sentence what to install for the rest."""
    _say(base, "langguard", "--help")
    for command, extra in ((("gateway",), "gateway"), (("policy", "check", "x.yaml"), "gateway"), (("demo",), "demo")):
        told = _say(base, "langguard", *command, code=2).strip()
        if told.count("\n") or f"pip install 'langguard[{extra}]'" not in told:
            raise SystemExit(f"langguard {command[0]} without its extra says: {told}")
        print(f"base install, langguard {' '.join(command)}: {told}")


def _say(place: Path, command: str, *arguments: str, code: int = 0, **environment: str) -> str:
    """Run a command of an install and return what it said; it must end with `code`."""
    done = subprocess.run(
        [str(place / command), *arguments],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"], "LANG": "C.UTF-8", **environment},
        check=False,
    )
    if done.returncode != code:
        raise SystemExit(
            f"{command} {' '.join(arguments[:3])} ended with {done.returncode}: {done.stderr or done.stdout}"
        )
    return done.stdout + done.stderr


if __name__ == "__main__":
    main()
