"""The composition root: from settings to a running gateway. Everything is made here and handed down."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

import langguard
from langguard.clock import Clock, SystemClock
from langguard.gateway import keys as key_files
from langguard.gateway.identity.oidc import Providers
from langguard.gateway.identity.principals import ApiKey
from langguard.gateway.keys import Keys
from langguard.gateway.problems import respond
from langguard.gateway.routes import admin, calls, health, sessions, sign_in
from langguard.gateway.routes._common import Incoming
from langguard.gateway.services.analysis import WARM, Analysis
from langguard.gateway.services.api_keys import ApiKeys
from langguard.gateway.services.call_store import CallStore
from langguard.gateway.services.calls import Calls
from langguard.gateway.services.catalogues import Catalogues
from langguard.gateway.services.checks import Checks
from langguard.gateway.services.connections import Connections
from langguard.gateway.services.estimates import Estimates
from langguard.gateway.services.evidence import Evidence
from langguard.gateway.services.judge import Judge
from langguard.gateway.services.masker import WARM as MASKER_WARM
from langguard.gateway.services.masker import Masker
from langguard.gateway.services.policies import Policies
from langguard.gateway.services.recorder import Draft, Recorder
from langguard.gateway.services.remembered import Remembered
from langguard.gateway.services.row_filters import check_row_filters
from langguard.gateway.services.sessions import Sessions
from langguard.gateway.services.sign_ins import SignIns
from langguard.gateway.services.soundness import check_at_start, check_while_serving
from langguard.gateway.settings import Settings
from langguard.ledger.checkpoint import LogKey
from langguard.policy import Known, Policy
from langguard.policy import check as check_policy
from langguard.secrets import resolve
from langguard.stores.base import Store
from langguard.stores.sqlite import SqliteStore
from langguard.workers import WorkerPool

_log = logging.getLogger("langguard.gateway")
_WATCH_SECONDS = 1.0
_ANALYSIS_SECONDS = 5.0
_MASK_SECONDS = 30.0
_FOR_WORKERS = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TMPDIR",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
)


@dataclass(slots=True, kw_only=True)
class Gateway:
    """Everything a route may use."""

    settings: Settings
    keys: Keys
    log_key: LogKey
    clock: Clock
    store: Store
    recorder: Recorder
    providers: Providers
    sign_ins: SignIns
    sessions: Sessions
    api_keys: ApiKeys
    connections: Connections
    policies: Policies
    judge: Judge
    calls: Calls
    evidence: Evidence
    checks: Checks
    catalogues: Catalogues
    masking_mode: str
    analysis: Analysis


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What there is before anything listens: keys, clock and the opened store."""

    keys: Keys
    log_key: LogKey
    clock: Clock
    store: SqliteStore
    recorder: Recorder

    def api_keys(self) -> ApiKeys:
        """Return the maker of API keys."""
        return ApiKeys(store=self.store, recorder=self.recorder, clock=self.clock, token_key=self.keys.token)


def open_ground(data: Path) -> Ground:
    """Open (or make) a data folder.

    Raises:
        ConfigError: Its key file is damaged or readable by others.
        LedgerError: The store is damaged, or in use by another gateway.
    """
    clock = SystemClock()
    keys = key_files.load_or_make(data)
    log_key = LogKey(name=keys.tree, private=keys.signer())
    store = SqliteStore(data, tree=keys.tree, sign=log_key.sign, document_key=keys.document_key())
    return Ground(
        keys=keys,
        log_key=log_key,
        clock=clock,
        store=store,
        recorder=Recorder(store=store, keys=keys, clock=clock),
    )


async def first_administrator(ground: Ground) -> tuple[ApiKey, str] | None:
    """Make an administrator's key if none is in force; it is shown once. Who can write to the data folder may do so."""
    api_keys = ground.api_keys()
    now = ground.clock.now()
    if any("admin" in k.principal.scopes and k.revoked_at is None and k.expires_at > now for k in api_keys.list()):
        return None
    return await api_keys.make(
        name="administrator", groups=("administrators",), scopes=("admin", "respond"), days=366, by="langguard gateway"
    )


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Gateway]:
    """Start a gateway; yield it while it runs; end it in order.

    Raises:
        ConfigError: A connection can't be reached, or the policy names what does not exist.
        MaskingError: The masking engine does not work.
        LedgerError: The store can't be used.
    """
    ground = open_ground(settings.data)
    # Two of each, so that one statement that is stuck, or one long result, does not hold up everyone else's.
    # They read what agents and databases send, so they are not given the variables that hold credentials.
    safe = {name: settings.environ[name] for name in _FOR_WORKERS if name in settings.environ}
    analysis_pool = WorkerPool(2, initializer=WARM, environment=safe)
    masking_pool = WorkerPool(2, initializer=MASKER_WARM, payload=settings.masking, environment=safe)
    connections: Connections | None = None
    providers: Providers | None = None
    try:
        providers = Providers(settings.identity, settings.environ, clock=ground.clock)
        secrets = {
            item.name: resolve(item.credential, settings.environ)
            for item in settings.connections
            if item.custody == "gateway" and item.credential is not None
        }
        connections = Connections(settings.connections, secrets, ground.store)
        analysis = Analysis(analysis_pool, timeout=_ANALYSIS_SECONDS, settings=settings.sql)
        masker = Masker(masking_pool, settings.masking, timeout=_MASK_SECONDS)
        mode, _, _ = await asyncio.gather(masker.start(), analysis.start(), connections.load())
        entities = await masker.supported()
        held = connections

        def load_policy() -> Policy:
            known = Known(
                connections={item.name: "sql" for item in settings.connections},
                entities=entities,
                columns=held.columns(),
            )
            policy = settings.load_policy()
            problems = check_policy(policy, known) or check_row_filters(policy, *held.structures())
            if problems:
                raise problems[0]
            return policy

        policies = Policies(recorder=ground.recorder, load=load_policy)
        sessions_service = Sessions(
            store=ground.store,
            recorder=ground.recorder,
            clock=ground.clock,
            token_key=ground.keys.token,
            ttl_us=settings.session_ttl_us,
            idle_us=settings.session_idle_us,
        )
        remembered = Remembered(settings.estimates, ground.clock)
        catalogues = Catalogues(
            connections=connections, recorder=ground.recorder, policies=policies, clock=ground.clock
        )
        judge = Judge(
            connections=connections,
            analysis=analysis,
            policies=policies,
            clock=ground.clock,
            ner=settings.masking.ner_model is not None,
            remembered=remembered,
            renewed=catalogues.renewed,
        )
        stored = CallStore(ground.store, ground.recorder)
        calls_service = Calls(
            stored=stored,
            recorder=ground.recorder,
            sessions=sessions_service,
            judge=judge,
            estimates=Estimates(
                settings.estimates,
                remembered=remembered,
                recorder=ground.recorder,
                stored=stored,
                sessions=sessions_service,
            ),
            masker=masker,
            keys=ground.keys,
            clock=ground.clock,
        )
        home = Gateway(
            settings=settings,
            keys=ground.keys,
            log_key=ground.log_key,
            clock=ground.clock,
            store=ground.store,
            recorder=ground.recorder,
            providers=providers,
            sign_ins=SignIns(
                settings.identity,
                providers.people,
                key=ground.keys.sign_in_key(),
                clock=ground.clock,
                ttl_us=settings.session_ttl_us,
            ),
            sessions=sessions_service,
            api_keys=ground.api_keys(),
            connections=connections,
            policies=policies,
            judge=judge,
            calls=calls_service,
            evidence=Evidence(store=ground.store, recorder=ground.recorder, keys=ground.keys, log_key=ground.log_key),
            checks=Checks(recorder=ground.recorder, policies=policies),
            catalogues=catalogues,
            masking_mode=mode,
            analysis=analysis,
        )
        whole = await check_at_start(ground.store, ground.log_key.public, ground.api_keys())
        await ground.recorder.record(
            [
                Draft(
                    kind="gateway_started",
                    by="langguard gateway",
                    data={
                        "version": langguard.__version__,
                        "masking": mode[:500],
                        "second_reader": analysis.second_reader,
                    },
                )
            ]
        )
        await policies.activate("policy file")
        watches = [
            asyncio.create_task(_watch(policies)),
            asyncio.create_task(catalogues.watch()),
            asyncio.create_task(
                check_while_serving(ground.store, ground.log_key.public, ground.api_keys(), checked=whole)
            ),
        ]
        try:
            yield home
        finally:
            for watch in watches:
                watch.cancel()
            calls_service.close()
            await ground.recorder.record([Draft(kind="gateway_stopped", by="langguard gateway", data={})])
    finally:
        analysis_pool.close()
        masking_pool.close()
        if connections is not None:
            connections.close()
        if providers is not None:
            await providers.close()
        ground.store.close()


async def _watch(policies: Policies) -> None:
    """Put a changed policy file in force; keep the old one where the new one is wrong, and say so once."""
    said = ""
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        try:
            if await policies.reload():
                _log.info("policy %s is in force", policies.current.version_id[:12])
        except Exception as failed:  # noqa: BLE001 - the watch must outlive one failure; the old policy stays in force
            _log.error("the policy file could not be looked at: %s", type(failed).__name__)
        if policies.drift and policies.drift != said:
            _log.error("the policy file has an error, the last good version stays in force: %s", policies.drift)
        said = policies.drift


def make_app(home: Gateway) -> Starlette:
    """Return the ASGI application of a gateway that was started with `running`."""

    async def missing(_: Request, __: Exception) -> Response:
        return respond("not_found", "There is no such route; see /openapi.json.")

    async def wrong_method(_: Request, __: Exception) -> Response:
        return respond("method_not_allowed", "See /openapi.json.")

    app = Starlette(
        routes=[*calls.ROUTES, *sessions.ROUTES, *admin.ROUTES, *health.ROUTES, *sign_in.ROUTES],
        exception_handlers={404: missing, 405: wrong_method},
    )
    app.state.gateway = home
    app.state.incoming = Incoming()
    return app
