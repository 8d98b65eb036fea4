"""Masking as a function for a worker process: one engine a process and settings, built once."""

import threading
from collections.abc import Sequence
from typing import Any

from langguard.detectors.engine import Engine
from langguard.detectors.settings import EngineSettings
from langguard.masking import apply, mask_error, mask_text
from langguard.protocol import EntityMask, MaskPlan, Result

_engines: dict[str, Engine] = {}
_building = threading.Lock()

Payload = tuple[tuple[str, ...], Sequence[tuple[Any, ...]], MaskPlan, bytes, EngineSettings]
TextPayload = tuple[str, tuple[EntityMask, ...], float, bytes, EngineSettings]


def engine(settings: EngineSettings) -> Engine:
    """Return this process's engine for `settings`, built and self-tested on first use (about a second).

    Raises:
        ConfigError: A setting is wrong.
        MaskingError: The engine can't be built or does not find what it must.
    """
    digest = settings.digest()
    held = _engines.get(digest)
    if held is None:
        with _building:
            held = _engines.get(digest)
            if held is None:
                held = Engine(settings)
                held.self_test()
                _engines[digest] = held
    return held


def warm(settings: EngineSettings) -> str:
    """Build the engine ahead of the first result, and return what it says of itself."""
    return engine(settings).describe()


def supported(settings: EngineSettings) -> tuple[str, ...]:
    """Return the entities that an engine with `settings` finds, sorted."""
    return tuple(sorted(engine(settings).supported))


def mask(payload: Payload) -> Result:
    """Return the masked result of (columns, rows, plan, key, settings).

    Raises:
        MaskingError: Nothing may be released.
    """
    columns, rows, plan, key, settings = payload
    return apply(columns, rows, plan, find=engine(settings).find, key=key)


def text(payload: TextPayload) -> tuple[str, dict[str, int]]:
    """Return the masked text of (text, entity masks, min_score, key, settings), and the counts."""
    held, entities, min_score, key, settings = payload
    return mask_text(held, entities, find=engine(settings).find, key=key, min_score=min_score)


def error(payload: TextPayload) -> tuple[str, dict[str, int]]:
    """Return what may be said of a database's error, for (text, entity masks, min_score, key, settings)."""
    held, entities, min_score, key, settings = payload
    return mask_error(held, entities, find=engine(settings).find, key=key, min_score=min_score)
