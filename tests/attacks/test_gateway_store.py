"""What can be done to the gateway's state from beside it: an act of a revoked key, and a file changed from outside."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from langguard.gateway.app import Ground, open_ground
from langguard.gateway.identity import tokens
from langguard.gateway.identity.principals import ApiKey
from langguard.gateway.problems import ProblemError
from langguard.gateway.services.api_keys import DAY, ApiKeys
from langguard.gateway.services.sessions import Credential, Sessions
from langguard.gateway.services.soundness import check_at_start, check_while_serving
from langguard.ledger import parse_leaf
from langguard.stores.base import Batch, Expect, StoreError


async def _made(keys: ApiKeys, name: str, caller: Expect | None = None) -> tuple[ApiKey, str]:
    return await keys.make(name=name, groups=(), scopes=("admin",), days=1, by="tests", caller=caller)


def _kinds(ground: Ground) -> list[str]:
    return [parse_leaf(leaf).kind for _, leaf in ground.store.entries(None)]


def test_an_administrators_key_revoked_meanwhile_makes_and_revokes_nothing(tmp_path: Path) -> None:
    ground = open_ground(tmp_path / "data")
    keys = ground.api_keys()

    async def play() -> None:
        old, secret = await _made(keys, "old")
        kept, _ = await _made(keys, "kept")
        caller = Expect(kind="api_key", id=tokens.lookup(secret, ground.keys.token), state="active")
        await _made(keys, "while in force", caller)
        await keys.revoke(old.id, by="tests", caller=caller)  # its own: the last thing it may do
        for act in (_made(keys, "too late", caller), keys.revoke(kept.id, by="tests", caller=caller)):
            with pytest.raises(ProblemError) as refused:
                await act
            assert refused.value.problem_code == "session_ended"

    try:
        asyncio.run(play())
        assert [(key.principal.name, key.revoked_at is None) for key in keys.list()] == [
            ("old", False),
            ("kept", True),
            ("while in force", True),
        ]
        assert _kinds(ground).count("key_created") == 3
        assert _kinds(ground).count("key_revoked") == 1
    finally:
        ground.store.close()


def _alter(folder: Path, text: str, *values: object) -> None:
    with contextlib.closing(sqlite3.connect(folder / "ledger.db")) as db:
        db.create_function("scoped", 1, lambda value: value.replace(b'"call"', b'"admin"'))
        assert db.execute(text, values).rowcount == 1
        db.commit()


def _row(folder: Path, kind: str) -> tuple[str, bytes]:
    with contextlib.closing(sqlite3.connect(folder / "ledger.db")) as db:
        return db.execute("SELECT state, value FROM documents WHERE kind = ?", (kind,)).fetchone()


def _replay(folder: Path, kind: str, row: tuple[str, bytes]) -> None:
    _alter(folder, "UPDATE documents SET state = ?, value = ? WHERE kind = ?", *row, kind)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[Ground]:
    ground = open_ground(folder)
    try:
        yield ground
    finally:
        ground.store.close()


def _sessions(ground: Ground) -> Sessions:
    return Sessions(
        store=ground.store,
        recorder=ground.recorder,
        clock=ground.clock,
        token_key=ground.keys.token,
        ttl_us=DAY,
        idle_us=DAY,
    )


@pytest.fixture
def used(tmp_path: Path) -> tuple[Path, str, str]:
    """A data folder that a gateway has used: the folder, an API key and a session's token."""
    folder = tmp_path / "data"

    async def play(ground: Ground) -> tuple[str, str]:
        keys = ground.api_keys()
        key, secret = await keys.make(name="agent", groups=("analysts",), scopes=("call",), days=1, by="tests")
        _, token = await _sessions(ground).open(
            Credential.of_key(key, secret), protocol=1, client="t", agent="", thread_id=None
        )
        return secret, token

    with _opened(folder) as ground:
        return folder, *asyncio.run(play(ground))


_SCOPE = "UPDATE documents SET value = scoped(value)"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        pytest.param(_SCOPE, "api_key", id="a scope"),
        pytest.param("UPDATE documents SET state = 'open '", "session", id="a state"),
        pytest.param("UPDATE documents SET parent = 'ses_other'", "token", id="a token's session"),
        pytest.param("UPDATE documents SET id = id || '0'", "api_key", id="an id"),
        pytest.param("UPDATE documents SET value = X''", "session_key", id="nothing"),
    ],
)
def test_a_document_changed_from_outside_is_not_believed(used: tuple[Path, str, str], change: str, kind: str) -> None:
    folder, _, _ = used
    _alter(folder, f"{change} WHERE kind = ?", kind)
    with _opened(folder) as ground, pytest.raises(StoreError, match="changed from outside") as refused:
        ground.store.documents(kind)
    assert str(folder) not in str(refused.value)


def test_a_scope_added_from_outside_gives_no_rights(used: tuple[Path, str, str]) -> None:
    folder, secret, _ = used
    _alter(folder, f"{_SCOPE} WHERE kind = ?", "api_key")
    with _opened(folder) as ground, pytest.raises(StoreError):
        asyncio.run(_sessions(ground).principal_of_key(secret))


def test_a_batch_that_relies_on_a_changed_document_is_refused(used: tuple[Path, str, str]) -> None:
    folder, _, _ = used
    _alter(folder, "UPDATE documents SET state = 'made up' WHERE kind = 'session'")
    with _opened(folder) as ground:
        session = ground.store.documents("token")[0].parent
        batch = Batch(expects=(Expect(kind="session", id=session or "", state="made up"),))
        with pytest.raises(StoreError):
            ground.store.append(batch).result(5)


def test_a_key_put_back_as_it_was_before_its_revocation_keeps_the_gateway_from_starting(
    used: tuple[Path, str, str],
) -> None:
    folder, _, _ = used
    before = _row(folder, "api_key")
    with _opened(folder) as ground:
        keys = ground.api_keys()
        assert asyncio.run(check_at_start(ground.store, ground.log_key.public, keys))
        asyncio.run(keys.revoke(keys.list()[0].id, by="tests"))
        assert asyncio.run(check_at_start(ground.store, ground.log_key.public, keys))
    _replay(folder, "api_key", before)
    with _opened(folder) as ground, pytest.raises(StoreError, match="the API key key_"):
        asyncio.run(check_at_start(ground.store, ground.log_key.public, ground.api_keys()))


def test_a_session_put_back_as_it_was_before_its_end_is_not_open(used: tuple[Path, str, str]) -> None:
    folder, _, token = used
    before = _row(folder, "session")
    with _opened(folder) as ground:
        sessions = _sessions(ground)
        live = asyncio.run(sessions.find(token))
        asyncio.run(sessions.end(live.id, by="tests", why="over"))
    _replay(folder, "session", before)
    with _opened(folder) as ground, pytest.raises(StoreError, match="says that it was ended"):
        asyncio.run(_sessions(ground).find(token))


def _change_an_entry(folder: Path) -> None:
    with contextlib.closing(sqlite3.connect(folder / "ledger.db")) as db:
        db.execute("DROP TRIGGER entries_stay")
        db.execute("UPDATE entries SET leaf = replace(leaf, 'agent', 'agenT') WHERE idx = 0")
        db.commit()


def test_a_changed_entry_keeps_the_gateway_from_starting(used: tuple[Path, str, str]) -> None:
    folder, _, _ = used
    _change_an_entry(folder)
    with _opened(folder) as ground, pytest.raises(StoreError, match="not as it was written"):
        asyncio.run(check_at_start(ground.store, ground.log_key.public, ground.api_keys()))


def test_a_long_record_is_checked_while_the_gateway_serves_and_a_difference_ends_it(
    used: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _, _ = used
    ended = []
    monkeypatch.setattr("langguard.gateway.services.soundness.AT_ONCE", 1)
    monkeypatch.setattr("signal.raise_signal", ended.append)

    async def play(ground: Ground) -> None:
        arguments = (ground.store, ground.log_key.public, ground.api_keys())
        checked = await check_at_start(*arguments)
        assert not checked
        await check_while_serving(*arguments, checked=checked)

    with _opened(folder) as ground:
        asyncio.run(play(ground))
    assert ended == []
    _change_an_entry(folder)
    with _opened(folder) as ground:
        asyncio.run(play(ground))
    assert ended == [signal.SIGTERM]
