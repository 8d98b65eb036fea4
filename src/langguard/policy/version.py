"""A policy's version: SHA-256 over its canonical form, so that comments, layout and file names do not count."""

import dataclasses
import hashlib
import json
from typing import Any

import msgspec

from langguard.policy.conditions import Condition
from langguard.policy.model import Policy

_LEFT_OUT = frozenset({"version_id", "source", "reads", "mentions", "place"})


def version_of(policy: Policy) -> str:
    """Return the hex SHA-256 of what decides: grants, rules, masks, row filters and limits, in order."""
    form = json.dumps(_plain(policy), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(form.encode("ascii")).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Condition):
        return value.text
    if isinstance(value, msgspec.Struct):
        return _plain(msgspec.to_builtins(value))
    if dataclasses.is_dataclass(value):
        return {
            item.name: _plain(getattr(value, item.name))
            for item in dataclasses.fields(value)
            if item.name not in _LEFT_OUT
        }
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value
