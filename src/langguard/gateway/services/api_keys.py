"""API keys for services and for the first administrator: shown once, stored as a keyed hash, always with an end."""

import asyncio

import msgspec

from langguard.clock import Clock, new_id
from langguard.gateway.identity import tokens
from langguard.gateway.identity.principals import ApiKey, Principal
from langguard.gateway.problems import ProblemError
from langguard.gateway.services.paging import all_documents
from langguard.gateway.services.recorder import Draft, Recorder
from langguard.protocol import SCOPES, Scope
from langguard.stores.base import ConflictError, Expect, Put, Store

DAY = 86_400_000_000
LONGEST_DAYS = 366


class ApiKeys:
    """Makes, lists and revokes API keys; each act is an entry of the ledger."""

    def __init__(self, *, store: Store, recorder: Recorder, clock: Clock, token_key: bytes) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._token_key = token_key

    async def make(
        self,
        *,
        name: str,
        groups: tuple[str, ...],
        scopes: tuple[Scope, ...],
        days: int,
        by: str,
        caller: Expect | None = None,
    ) -> tuple[ApiKey, str]:
        """Make a key; return it and the secret, which is not kept.

        Args:
            name: Of the service, for people.
            groups: What grants are given to.
            scopes: What it may do at the gateway; an agent needs `call` and `observe`.
            days: Until it expires, 1 to 366.
            by: Who makes it.
            caller: What must hold when the key is made: that who asks for it is still in force.

        Raises:
            ProblemError: An argument is out of range, or the caller's key was revoked meanwhile.
            LedgerError: It could not be recorded.
        """
        if not 1 <= days <= LONGEST_DAYS:
            raise ProblemError("invalid_request", f"A key lives 1 to {LONGEST_DAYS} days.")
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not name.strip():
            raise ProblemError("invalid_request", f"A key needs a name, and scopes out of: {', '.join(SCOPES)}.")
        now = self._clock.now()
        secret = tokens.new_token(tokens.API_KEY)
        principal = Principal(id=f"service:{name}", name=name, kind="service", groups=groups, scopes=scopes)
        key = ApiKey(id=new_id("key"), principal=principal, made_at=now, expires_at=now + days * DAY)
        draft = Draft(
            kind="key_created",
            by=by,
            data={"key": key.id, "name": name, "groups": list(groups), "scopes": list(scopes), "days": days},
        )
        put = self._put(tokens.lookup(secret, self._token_key), key, expect="")
        await self._commit(draft, put, caller)
        return key, secret

    def list(self) -> list[ApiKey]:
        """Return all keys, oldest first, revoked ones too."""
        held = [msgspec.json.decode(doc.value, type=ApiKey) for doc in all_documents(self._store, "api_key")]
        return sorted(held, key=lambda key: key.made_at)

    async def revoke(self, key_id: str, *, by: str, caller: Expect | None = None) -> ApiKey:
        """Revoke a key by its public id.

        Args:
            key_id: Of the key to revoke.
            by: Who revokes it.
            caller: What must hold when it is revoked: that who asks for it is still in force. It may be the same key.

        Raises:
            ProblemError: There is no such key, or the caller's key was revoked meanwhile.
            LedgerError: It could not be recorded.
        """
        for doc in await asyncio.to_thread(lambda: list(all_documents(self._store, "api_key"))):
            key = msgspec.json.decode(doc.value, type=ApiKey)
            if key.id == key_id:
                revoked = msgspec.structs.replace(key, revoked_at=key.revoked_at or self._clock.now())
                draft = Draft(kind="key_revoked", by=by, data={"key": key_id})
                await self._commit(draft, self._put(doc.id, revoked, expect=None), caller)
                return revoked
        raise ProblemError("not_found", "There is no such key.")

    async def _commit(self, draft: Draft, put: Put, caller: Expect | None) -> None:
        """Record an act, in the same commit only if the key that asked for it is in force."""
        expects = () if caller is None else (caller,)
        try:
            await self._recorder.record([draft], puts=(put,), expects=expects)
        except ConflictError as conflict:
            if caller is None or (conflict.kind, conflict.id) != (caller.kind, caller.id):
                raise
            raise ProblemError("session_ended", "This key was revoked, or this session ended.") from None

    def _put(self, lookup: str, key: ApiKey, *, expect: str | None) -> Put:
        state = "revoked" if key.revoked_at else "active"
        return Put(kind="api_key", id=lookup, parent=None, state=state, value=msgspec.json.encode(key), expect=expect)
