"""Sessions: opened with an API key or a provider's token, checked at every call, ended at once.

A session lives in the store (its token only as a keyed hash) and, while in use, in memory with what is running in it.
Its state is `open` until it is ended; an outcome commits only while it is open.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final, Self

import msgspec

from langguard.clock import Clock, new_id, random_bytes
from langguard.drivers.sql import Cancel
from langguard.gateway.identity import tokens
from langguard.gateway.identity.principals import ApiKey, Principal
from langguard.gateway.problems import ProblemError
from langguard.gateway.services.paging import all_documents
from langguard.gateway.services.recorder import Draft, Recorder
from langguard.ledger import parse_leaf
from langguard.protocol import Scope, Wire
from langguard.stores.base import ConflictError, Expect, Put, Store, StoreError

OPEN: Final = "open"
ENDED: Final = "ended"
_HELD: Final = 20_000
_AGENT_SCOPES: tuple[Scope, ...] = ("call", "observe")


class StoredSession(Wire, frozen=True, kw_only=True):
    """A session at rest.

    Attributes:
        principal: As it was when the session opened, with the scopes the session's own token has.
        key_id: The API key it was opened with; empty for one opened with a provider's token.
        provider: The OpenID provider whose token opened it; empty for one opened with an API key.
        opened_at: Microseconds since 1970 UTC; `expires_at` and `ended_at` too.
    """

    id: str
    principal: Principal
    key_id: str
    protocol: int
    client: str
    agent: str
    thread_id: str | None
    opened_at: int
    expires_at: int
    ended_at: int | None = None
    ended_why: str = ""
    provider: str = ""


@dataclass(slots=True)
class Live:
    """A session in use.

    Attributes:
        known: Digests of texts received, so that a client sends each once.
        running: What to cancel when the session ends.
        used_at: When it was last used, microseconds since 1970 UTC.
    """

    stored: StoredSession
    known: set[str] = field(default_factory=set)
    running: set[Cancel] = field(default_factory=set)
    used_at: int = 0

    @property
    def id(self) -> str:
        """The session's id."""
        return self.stored.id

    @property
    def principal(self) -> Principal:
        """Who it acts for."""
        return self.stored.principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a session is opened with: an API key, or a token of an OpenID provider.

    Attributes:
        until: No session opened with it lasts longer, microseconds since 1970 UTC.
        key_id: The API key's public id, as `principal_of_key` found it; empty for a provider's token.
        secret: The API key itself: the session commits only if it has not been revoked meanwhile.
        provider: The provider's name; empty for an API key.
        manages: The session is a person's who looks after the gateway: it makes no calls.
        once: A document that must not exist yet: what the session is opened with counts once.
    """

    principal: Principal
    until: int
    key_id: str = ""
    secret: str = field(default="", repr=False)
    provider: str = ""
    manages: bool = False
    once: Put | None = None

    @classmethod
    def of_key(cls, key: ApiKey, secret: str) -> Self:
        """Return an API key, as `principal_of_key` found it, with the key itself."""
        return cls(principal=key.principal, until=key.expires_at, key_id=key.id, secret=secret)


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(
        self, *, store: Store, recorder: Recorder, clock: Clock, token_key: bytes, ttl_us: int, idle_us: int
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._token_key = token_key
        self._ttl_us = ttl_us
        self._idle_us = idle_us
        self._live: dict[str, Live] = {}
        self._by_token: dict[str, str] = {}
        self._ended: dict[str, StoredSession] = {}

    async def principal_of_key(self, token: str) -> ApiKey:
        """Return the API key a token is.

        Raises:
            ProblemError: It is none of ours, revoked or expired.
        """
        found = await asyncio.to_thread(self._store.document, "api_key", tokens.lookup(token, self._token_key))
        if found is None:
            raise ProblemError("session_ended", "This API key is not known here.")
        key = msgspec.json.decode(found.value, type=ApiKey)
        if key.revoked_at is not None:
            raise ProblemError("session_ended", "This API key was revoked.")
        if key.expires_at <= self._clock.now():
            raise ProblemError("session_ended", "This API key has expired; ask an administrator for a new one.")
        return key

    async def open(
        self, by: "Credential", *, protocol: int, client: str, agent: str, thread_id: str | None
    ) -> tuple[Live, str]:
        """Open a session for whoever a credential speaks for; return it and its token, which is not kept.

        Args:
            by: What it is opened with.
            protocol: The version both sides speak.
            client: What the client calls itself.
            agent: What it calls its agent.
            thread_id: The agent's thread, if it named one.

        Raises:
            ProblemError: The key was revoked meanwhile.
            LedgerError: It could not be recorded.
        """
        now = self._clock.now()
        token = tokens.new_token(tokens.SESSION)
        scopes = tuple(scope for scope in by.principal.scopes if by.manages is not (scope in _AGENT_SCOPES))
        stored = StoredSession(
            id=new_id("ses"),
            principal=msgspec.structs.replace(by.principal, scopes=scopes),
            key_id=by.key_id,
            protocol=protocol,
            client=client,
            agent=agent,
            thread_id=thread_id,
            opened_at=now,
            expires_at=min(now + self._ttl_us, by.until),
            provider=by.provider,
        )
        opened = Draft(
            kind="session_opened",
            session=stored.id,
            by=stored.principal.id,
            data={
                "principal": stored.principal.name,
                "groups": list(stored.principal.groups),
                **({"key": by.key_id} if by.key_id else {"provider": by.provider}),
                "client": client,
                "agent": agent,
                "protocol": protocol,
                "expires_at": stored.expires_at,
            },
        )
        puts = (
            self._put(stored, OPEN, expect=""),
            Put(
                kind="token",
                id=tokens.lookup(token, self._token_key),
                parent=stored.id,
                state="active",
                value=stored.id.encode(),
                expect="",
            ),
            self._recorder.new_session_key(stored.id, random_bytes(32)),
            *((by.once,) if by.once is not None else ()),
        )
        unrevoked = Expect(kind="api_key", id=tokens.lookup(by.secret, self._token_key), state="active")
        try:
            await self._recorder.record([opened], puts=puts, expects=(unrevoked,) if by.key_id else ())
        except ConflictError:
            why = "This API key was revoked." if by.key_id else "This sign-in was used already."
            raise ProblemError("session_ended", why) from None
        live = Live(stored, used_at=now)
        self._live[stored.id] = live
        self._remember(tokens.lookup(token, self._token_key), live)
        return live, token

    async def find(self, token: str) -> Live:
        """Return the open session a token belongs to.

        Raises:
            ProblemError: Unknown, expired or ended.
        """
        lookup = tokens.lookup(token, self._token_key)
        live = self._live.get(self._by_token.get(lookup, ""))
        if live is None:
            live = await self._load(lookup)
        self.check(live)
        live.used_at = self._clock.now()
        return live

    async def _load(self, lookup: str) -> Live:
        """Bring a session into memory: after a restart, or when it was not used for long."""
        found = await asyncio.to_thread(self._store.document, "token", lookup)
        stored = None if found is None else await self.stored(found.parent or "")
        if stored is None:
            raise ProblemError("session_ended", "This session token is not known here.")
        recorded = stored.ended_at is None and await asyncio.to_thread(self._ended_in_record, stored.id)
        ended = self._ended.get(stored.id)
        if ended is not None:  # it was ended while it was being read
            return Live(ended)
        if recorded:
            msg = "A stored session is open, and the ledger says that it was ended: it was changed from outside."
            raise StoreError(msg)
        if stored.ended_at is not None:
            return Live(stored)
        live = self._live.setdefault(stored.id, Live(stored, used_at=self._clock.now()))
        self._remember(lookup, live)
        return live

    def _ended_in_record(self, session: str) -> bool:
        """Say what the ledger says: an older version of a document, put back, is as valid as it was."""
        return any(parse_leaf(leaf).kind == "session_ended" for _, leaf in self._store.entries(session))

    def _remember(self, lookup: str, live: Live) -> None:
        self._by_token[lookup] = live.id
        if len(self._by_token) > _HELD:
            now = self._clock.now()
            kept = {key: held for key, held in self._live.items() if held.stored.expires_at > now or held.running}
            self._live = kept
            self._by_token = {key: session for key, session in self._by_token.items() if session in kept}

    def check(self, live: Live) -> None:
        """Raise ProblemError unless the session is open now.

        Raises:
            ProblemError: It was ended or has expired.
        """
        if live.stored.ended_at is not None:
            raise ProblemError("session_ended", f"This session was ended ({live.stored.ended_why}).")
        if live.stored.expires_at <= self._clock.now():
            raise ProblemError("session_ended", "This session has expired; open a new one.")
        if live.used_at + self._idle_us <= self._clock.now():
            raise ProblemError("session_ended", "This session was unused for too long; open a new one.")

    async def stored(self, session_id: str) -> StoredSession | None:
        """Return a session at rest, open or ended."""
        found = await asyncio.to_thread(self._store.document, "session", session_id)
        return None if found is None else msgspec.json.decode(found.value, type=StoredSession)

    def list(self, *, limit: int) -> list[StoredSession]:
        """Return sessions, newest first.

        Args:
            limit: At most so many, 1 to 1000.
        """
        held = [msgspec.json.decode(doc.value, type=StoredSession) for doc in all_documents(self._store, "session")]
        held.sort(key=lambda session: session.opened_at, reverse=True)
        return held[:limit]

    async def end(self, session_id: str, *, by: str, why: str) -> StoredSession:
        """End a session: no further call, what runs is cancelled, its outcomes no longer commit.

        Raises:
            ProblemError: There is no such session.
            LedgerError: The end could not be recorded; it is in force here all the same.
        """
        stored = await self.stored(session_id)
        if stored is None:
            raise ProblemError("not_found", "There is no such session.")
        if stored.ended_at is not None:
            return stored
        ended = msgspec.structs.replace(stored, ended_at=self._clock.now(), ended_why=why)
        live = self._live.setdefault(session_id, Live(ended))
        live.stored = ended
        self._ended[session_id] = ended
        while len(self._ended) > _HELD:
            del self._ended[next(iter(self._ended))]
        # Off the loop, since a database may be slow to take it; one that can't be reached must not keep the end from
        # being recorded. The end is queued first, so no outcome of what is cancelled commits before it.
        cancels = [asyncio.to_thread(cancel.fire) for cancel in tuple(live.running)]
        cancelling = asyncio.gather(*cancels, return_exceptions=True)
        draft = Draft(kind="session_ended", session=session_id, by=by, data={"why": why})
        await self._recorder.record([draft], puts=(self._put(ended, ENDED, expect=None),))
        await cancelling
        self._live.pop(session_id, None)  # the store says from now on that it has ended
        return ended

    def still_open(self, live: Live) -> Expect:
        """Return the condition that makes a batch commit only while the session is open."""
        return Expect(kind="session", id=live.id, state=OPEN)

    def _put(self, stored: StoredSession, state: str, *, expect: str | None) -> Put:
        return Put(
            kind="session",
            id=stored.id,
            parent=None,
            state=state,
            value=msgspec.json.encode(stored),
            expect=expect,
        )

    async def end_by_key(self, key_id: str, *, by: str) -> int:
        """End every open session that was opened with a key; return how many."""
        held = await asyncio.to_thread(self.list, limit=100_000)
        open_now = [s for s in held if s.key_id == key_id and s.ended_at is None]
        for session in open_now:
            await self.end(session.id, by=by, why="its API key was revoked")
        return len(open_now)
