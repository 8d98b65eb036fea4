"""Workloads that sign in with tokens of a real OpenID provider."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.gateway import GatewayProcess, connection, sqlite_shop
from tests.support.openid import Certified, installed

from langguard import Guard, GuardedSQLDatabase
from langguard.errors import ConfigError, LangguardError

pytestmark = pytest.mark.skipif(bool(installed()), reason=installed())


@pytest.fixture(scope="module")
def provider() -> Iterator[Certified]:
    with Certified() as held:
        yield held


@pytest.fixture(scope="module")
def guarded(provider: Certified, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("identity")
    shop = sqlite_shop(folder / "shop.db")
    gateway = GatewayProcess(folder, connection("shop", "sqlite", credential=f"{{value: {shop}}}"))
    text = gateway.config.read_text().replace("group: analysts", "group: support")
    gateway.config.write_text(
        f"{text}identity: {{providers: [{{name: corp, issuer: '{provider.issuer}', audience: langguard}}]}}\n"
    )
    with gateway:
        yield gateway


def test_a_workloads_own_token_is_all_its_agent_needs(guarded: GatewayProcess, provider: Certified) -> None:
    with Guard(guarded.url, provider.token()) as guard:
        info = guard.session
    assert (info.principal, info.groups) == ("Nightly report", ("support",))
    assert [one.name for one in info.connections] == ["shop"]


def test_a_token_for_another_service_opens_nothing(guarded: GatewayProcess, provider: Certified) -> None:
    with Guard(guarded.url, provider.token("payroll")) as guard, pytest.raises(LangguardError, match="audience"):
        _ = guard.session


def test_a_token_file_is_read_again_for_each_session(
    guarded: GatewayProcess, provider: Certified, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text(provider.token() + "\n")
    monkeypatch.setenv("LANGGUARD_TOKEN_FILE", str(file))
    monkeypatch.delenv("LANGGUARD_TOKEN", raising=False)
    with Guard(guarded.url) as guard:
        database = GuardedSQLDatabase.from_gateway("shop", guard=guard)
        first = guard.session.id
        guarded.ask("DELETE", f"/v1/sessions/{first}")
        file.write_text(provider.token())
        assert "ended" in database.run_no_throw("SELECT COUNT(*) AS n FROM orders")
        assert database.run("SELECT COUNT(*) AS n FROM orders") == "[(3,)]"
        assert guard.session.id != first
        file.write_text("nothing")
        guarded.ask("DELETE", f"/v1/sessions/{guard.session.id}")
        database.run_no_throw("SELECT COUNT(*) AS n FROM orders")
        with pytest.raises(ConfigError, match="credential"):
            database.run("SELECT COUNT(*) AS n FROM orders")


def test_a_file_without_a_token_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANGGUARD_TOKEN", raising=False)
    monkeypatch.setenv("LANGGUARD_TOKEN_FILE", str(tmp_path / "missing"))
    with pytest.raises(ConfigError, match="LANGGUARD_TOKEN_FILE"):
        Guard("http://127.0.0.1:1")
