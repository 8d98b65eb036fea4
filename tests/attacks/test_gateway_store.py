"""What can be done to the gateway's state from beside it: an act of a revoked key, and a file changed from outside."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from langguard.gateway.app import Ground, open_ground
from langguard.gateway.identity import tokens
from langguard.gateway.identity.principals import ApiKey
from langguard.gateway.problems import ProblemError
from langguard.gateway.services.api_keys import ApiKeys
from langguard.ledger import parse_leaf


async def _made(keys: ApiKeys, name: str, caller: str | None = None) -> tuple[ApiKey, str]:
    return await keys.make(name=name, groups=(), scopes=("admin",), days=1, by="tests", caller=caller)


def _kinds(ground: Ground) -> list[str]:
    return [parse_leaf(leaf).kind for _, leaf in ground.store.entries(None)]


def test_an_administrators_key_revoked_meanwhile_makes_and_revokes_nothing(tmp_path: Path) -> None:
    ground = open_ground(tmp_path / "data")
    keys = ground.api_keys()

    async def play() -> None:
        old, secret = await _made(keys, "old")
        kept, _ = await _made(keys, "kept")
        caller = tokens.lookup(secret, ground.keys.token)
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
