"""Every code block of the README, the docs and the examples runs, as its reader would run it.

Console transcripts are run and compared loosely (ids, times and `...` apart), Python runs, YAML is checked as a
configuration, JSON is read, both sides of a diff run. What does not run is listed here with its reason.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.blocks import Block, Page, read
from tests.docs.pages import check_yaml, prelude, sides
from tests.docs.shell import ROOT, Shell, commands, compare
from tests.support.gateway import GatewayProcess, free_port

pytestmark = pytest.mark.timeout(180)
TUTORIAL = ROOT / "docs/tutorial/first-guarded-agent.md"
SAME_AS = {"make demo": "langguard demo"}
"""What a command of the Makefile does after it has installed what it needs."""

NOT_RUN = {
    (
        "README.md",
        "pip install .                        # the client: GuardedSQLDatabase, Guard",
    ): "installs from the network",
    ("docs/tutorial/first-guarded-agent.md", "python3 -m venv .venv"): "installs from the network",
    (
        "docs/how-to/swap-an-existing-agent.md",
        "export LANGGUARD_URL=http://127.0.0.1:8421 LANGGUARD_TOKEN=$ADMIN_KEY",
    ): "needs a PostgreSQL of that address; the fixture pins a connection with the same command",
    (
        "docs/how-to/let-workloads-sign-in.md",
        "export LANGGUARD_URL=https://langguard.internal LANGGUARD_TOKEN_FILE=/var/run/secrets/langguard/token",
    ): "needs a provider; tests/integration/test_gateway_identity.py does this with a real one",
    ("docs/how-to/let-workloads-sign-in.md", "spec:"): "a Kubernetes manifest",
    (
        "docs/how-to/let-people-sign-in.md",
        "export LANGGUARD_URL=https://langguard.internal",
    ): "needs a browser; tests/integration/test_gateway_sign_in.py does this with a real provider",
    ("docs/how-to/let-people-sign-in.md", "langguard login --manage"): "as above",
}
"""(page, first line) of each block that does not run, and why."""

PAGES = sorted(
    path
    for path in (ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md"))
    if path.exists()
)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """The tutorial's gateway, with its database twice: as `shop`, and as `sales` in custody `agent`."""
    folder = tmp_path_factory.mktemp("docs")
    saved = {b.how.removeprefix("save="): b.text for b in read(TUTORIAL).blocks if b.how.startswith("save=")}
    (folder / "make_shop.py").write_text(saved["make_shop.py"], encoding="utf-8")
    subprocess.run([sys.executable, "make_shop.py"], cwd=folder, check=True)
    shutil.copy(folder / "shop.db", folder / "sales.db")
    agent = f"  - {{name: sales, dialect: sqlite, custody: agent, target: 'sqlite:///{folder / 'sales.db'}'}}\n"
    text = saved["langguard.yaml"].replace("connections:\n", "listen: 127.0.0.1:{port}\nconnections:\n" + agent)
    text = text.replace("grants:\n", "grants:\n  - {group: analysts, connection: sales, actions: [read, metadata]}\n")
    text = text.replace("masks:\n", "masks:\n  - {columns: sales/main.customers.*, operator: replace}\n")
    running = GatewayProcess(folder, text=text)
    with running:
        pinned = running.command("connection", "add", "sales", "--snapshot-from", f"sqlite:///{folder / 'sales.db'}")
        assert pinned.returncode == 0, pinned
        yield running


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_block_runs(path: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    page = read(path)
    shell = _shell(page, tmp_path, request)
    try:
        for block in page.blocks:
            _run(page, block, shell)
    finally:
        shell.close()


def test_what_does_not_run_is_listed() -> None:
    marked = {
        (name_of(path), block.text.splitlines()[0].removeprefix("$ "))
        for path in PAGES
        for block in read(path).blocks
        if block.how == "no"
    }
    assert marked == set(NOT_RUN)


def _shell(page: Page, folder: Path, request: pytest.FixtureRequest) -> Shell:
    if page.path == ROOT / "README.md":  # says nothing of a gateway of its own: the swap is that of the how-to
        gateway = request.getfixturevalue("shop")
        key = gateway.key("readme", "analysts")
        return Shell(gateway.folder, {"LANGGUARD_URL": gateway.url, "LANGGUARD_TOKEN": key})
    if not page.needs:
        listen = f"127.0.0.1:{free_port()}"
        if page.path.parent.parent == ROOT / "examples":
            folder = Path(shutil.copytree(page.path.parent, folder / page.path.parent.name))
        return Shell(folder, {"LANGGUARD_LISTEN": listen}, listen=listen)
    gateway: GatewayProcess = request.getfixturevalue("shop")
    assert page.needs in {"gateway administrator", "gateway agent"}, page.needs
    key = gateway.key("my-agent", "analysts")
    token = gateway.administrator if page.needs.endswith("administrator") else key
    held = {
        "LANGGUARD_URL": gateway.url,
        "LANGGUARD_TOKEN": token,
        "ADMIN_KEY": gateway.administrator,
        "AGENT_KEY": key,
    }
    (gateway.folder / ".exports").unlink(missing_ok=True)
    return Shell(gateway.folder, held, listen=f"127.0.0.1:{gateway.port}")


def _run(page: Page, block: Block, shell: Shell) -> None:
    place = f"{name_of(page.path)}:{block.line}"
    if block.how == "no":
        return
    if block.how.startswith("save="):
        (shell.folder / block.how.removeprefix("save=")).write_text(block.text, encoding="utf-8")
        return
    match block.language:
        case "console":
            _console(block, shell, place)
        case "python":
            _python(prelude(block.how, shell.folder) + block.text, shell, place)
        case "diff":
            for side in sides(block.text):
                _python(prelude(block.how, shell.folder) + side, shell, place)
        case "yaml":
            check_yaml(block.text, place)
        case "json":
            json.loads(block.text)
        case _:
            assert not any(line.startswith("$ ") for line in block.text.splitlines()), f"{place}: a transcript as text"


def _console(block: Block, shell: Shell, place: str) -> None:
    for command, expected in commands(block.text):
        if block.how == "background":
            shell.start(command, expected[0])
            continue
        code, printed = shell.run(SAME_AS.get(command, command))
        told = [line for line in expected if line.strip()]
        fine = code == 0 or (code == 1 and told) or any(line.startswith("langguard: ") for line in told)
        assert fine, f"{place}: `{command}` ended with {code}:\n{printed}"
        compare(expected, printed, f"{place}: `{command}`")


def _python(text: str, shell: Shell, place: str) -> None:
    (shell.folder / "block.py").write_text(text, encoding="utf-8")
    code, printed = shell.run("python block.py")
    assert code == 0, f"{place}:\n{printed}"
