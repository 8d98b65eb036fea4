"""Whether the stored record is whole, and the API keys are those it says were made and not revoked.

Checked before the gateway serves; a long record is checked while it serves, and a difference ends it.
"""

import asyncio
import logging
import signal
from typing import Final

from langguard.errors import LangguardError, VerificationError
from langguard.gateway.services.api_keys import ApiKeys
from langguard.ledger import VerifierKey, parse_leaf
from langguard.stores.audit import audit
from langguard.stores.base import Store, StoreError

AT_ONCE: Final = 200_000
"""Entries that are checked before the gateway serves."""
_log = logging.getLogger("langguard.gateway")


async def check_at_start(store: Store, key: VerifierKey, api_keys: ApiKeys) -> bool:
    """Check a record of ordinary length; return whether it was checked.

    Raises:
        StoreError: It is not as it was written; the gateway must not serve.
    """
    if store.size() > AT_ONCE:
        _log.info("the record has %d entries: it is checked while the gateway serves", store.size())
        return False
    await asyncio.to_thread(_check, store, key, api_keys)
    return True


async def check_while_serving(store: Store, key: VerifierKey, api_keys: ApiKeys, *, checked: bool) -> None:
    """Check what was too long to be checked at start; end the process where it is not as it was written."""
    if checked:
        return
    try:
        await asyncio.to_thread(_check, store, key, api_keys)
    except Exception as failed:  # noqa: BLE001 - whatever keeps it from being checked, it is not known to be whole
        _log.critical("the gateway stops: %s", failed if isinstance(failed, LangguardError) else type(failed).__name__)
        signal.raise_signal(signal.SIGTERM)


def _check(store: Store, key: VerifierKey, api_keys: ApiKeys) -> None:
    try:
        checked = audit(store, key)
        _check_keys(store, api_keys)
    except VerificationError as failed:
        msg = f"The stored record is not as it was written: {failed}. Restore the data folder from a backup."
        raise StoreError(msg) from failed
    _log.info("the record is whole: %d entries checked", checked)


def _check_keys(store: Store, api_keys: ApiKeys) -> None:
    """Compare keys with the record: an older version of a document, put back, has a valid tag too."""
    recorded: dict[str, tuple[str, list[str], list[str], bool]] = {}
    for _, leaf in store.entries(None):
        entry = parse_leaf(leaf)
        data = entry.data
        if entry.kind == "key_created":
            recorded[data["key"]] = (data["name"], list(data["groups"]), list(data["scopes"]), False)
        elif entry.kind == "key_revoked" and data["key"] in recorded:
            recorded[data["key"]] = (*recorded[data["key"]][:3], True)
    held = {
        one.id: (one.principal.name, list(one.principal.groups), list(one.principal.scopes), one.revoked_at is not None)
        for one in api_keys.list()
    }
    for name in sorted(recorded.keys() | held.keys()):
        if recorded.get(name) != held.get(name):
            msg = f"the API key {name} is not what the ledger says of it"
            raise VerificationError(msg)
