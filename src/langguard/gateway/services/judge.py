"""Judging one call: what it does, whether policy allows it, and what an allow is bound to. Nothing here has an effect.

The gateway always redoes the analysis itself: what a client says about a statement is never an input.
"""

import copy
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from langguard.clock import Clock
from langguard.flow import Estimate, Permission, Probe
from langguard.gateway.services.analysis import UNCAPPED, Analysis
from langguard.gateway.services.connections import Connection, Connections
from langguard.gateway.services.hidden import Hidden, filters_of, masks_of
from langguard.gateway.services.refusals import may_know, sentence, told
from langguard.gateway.services.remembered import ANY_STATEMENT, NO_ROWS, Remembered, facts_of
from langguard.gateway.services.sessions import Live
from langguard.policy import Policy, Request, Verdict, evaluate
from langguard.protocol import (
    CallRequest,
    Catalog,
    ColumnPlan,
    Context,
    Decision,
    Facts,
    InnerMask,
    MaskPlan,
    Obligations,
    Refusal,
    SchemaCall,
    SqlCall,
    SqlObligations,
)

_READS = frozenset({"read", "metadata"})
_PLANS = 1024
_LONGEST = 16_384  # characters; the plan of a longer statement is made each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A call and everything its decision rests on.

    Attributes:
        at: The time the decision was made for, microseconds since 1970 UTC.
        tables: Resources, `schema.table`.
        statement: What may be sent (SQL), or a description (structure).
        bounds: What the text carries out: row cap, row filters, masks below filters.
        estimate: What the database expects of it, where that was asked for; not known in one that has no rows.
    """

    permission: Permission
    at: int
    actions: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    facts: Facts | None = None
    refusal: Refusal | None = None
    verdict: Verdict | None = None
    estimate: Estimate | None = None
    bounds: SqlObligations | None = None
    connection: Connection | None = field(default=None, repr=False)
    catalog: Catalog | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Hidden:
    """What masks mean for one statement; fields as in `Hidden`."""

    told: tuple[str, str] | None
    inner: tuple[InnerMask, ...]
    plan: MaskPlan


Renewed = Callable[[Connection, Catalog], Awaitable[bool]]
"""Says whether a connection's structure is another one than this, after looking where that was not done just now."""


def _names_unknown(judged: Judged) -> bool:
    if judged.refusal is not None:
        return judged.refusal.code in {"unknown_table", "unknown_column"}
    return judged.permission.decision.reason == "unknown_table"


class HasPolicy(Protocol):
    """Whatever says which policy decides."""

    @property
    def current(self) -> Policy:
        """The policy."""
        ...


@dataclass(frozen=True, slots=True)
class _Pinned:
    current: Policy


class Judge:
    """Analyses a call and evaluates the policy on it."""

    def __init__(
        self,
        *,
        connections: Connections,
        analysis: Analysis,
        policies: HasPolicy,
        clock: Clock,
        ner: bool,
        remembered: Remembered,
        renewed: Renewed | None = None,
    ) -> None:
        self._connections = connections
        self._analysis = analysis
        self._policies = policies
        self._clock = clock
        self._ner = ner
        self._remembered = remembered
        self._renewed = renewed
        self._plans: OrderedDict[tuple[str, str, str, str, tuple[int, ...]], _Hidden] = OrderedDict()

    async def judge(self, live: Live, request: CallRequest, estimate: Estimate | None = None) -> Judged:
        """Return the decision on a call; a call that can't be understood is denied with what to do instead.

        Where a rule goes by what the database expects and nothing is known of that, the denial carries a probe.
        One version of the policy decides all of it, whatever is put in force while a worker analyses the statement.
        What names a table or column that is not known is judged once more if the database has another structure now.
        """
        pinned = copy.copy(self)
        pinned._policies = _Pinned(self._policies.current)  # noqa: SLF001 - its own twin
        judged = await pinned._judge(live, request, estimate)  # noqa: SLF001
        connection, catalog = judged.connection, judged.catalog
        if self._renewed is None or connection is None or catalog is None or not _names_unknown(judged):
            return judged
        if not await self._renewed(connection, catalog):
            return judged
        return await pinned._judge(live, request, estimate)  # noqa: SLF001

    async def _judge(self, live: Live, request: CallRequest, estimate: Estimate | None) -> Judged:
        at = self._clock.now()
        call = request.call
        connection = self._connections.get(call.connection)
        if connection is None or not self._may_use(live, connection):
            return self._deny(at, "unknown_connection", self._no_connection(live, call.connection))
        catalog = connection.catalog
        if catalog is None:
            message = (
                f"The structure of connection {connection.name} is not known to the gateway, so nothing on it can be "
                f"judged. An administrator pins it with: langguard connection add {connection.name} "
                f"--snapshot-from URI"
            )
            return self._deny(at, "no_catalogue", message, connection=connection)
        if isinstance(call, SchemaCall):
            return self._schema(live, request, call, connection, catalog, at)
        return await self._sql(live, request, call, connection, catalog, at, estimate)

    def _may_use(self, live: Live, connection: Connection) -> bool:
        return self._policies.current.may_use(
            principal=live.principal.id, groups=live.principal.groups, connection=connection.name
        )

    def usable(self, live: Live) -> list[Connection]:
        """Return the connections a session's principal has any grant on."""
        return [connection for connection in self._connections if self._may_use(live, connection)]

    def _no_connection(self, live: Live, name: str) -> str:
        names = [connection.name for connection in self.usable(live)]
        have = f"Connections you may use: {', '.join(names)}." if names else "You have no grant on any connection."
        return f"There is no connection {name!r} for {live.principal.name}. {have}"

    def _verdict(
        self,
        live: Live,
        connection: Connection,
        context: Context,
        actions: tuple[str, ...],
        tables: tuple[str, ...] | None,
        facts: Facts | Refusal | None,
        at: int,
        call_id: str,
        estimate: Estimate | None = None,
    ) -> Verdict:
        request = Request(
            principal_id=live.principal.id,
            principal_name=live.principal.name,
            principal_kind=live.principal.kind,
            groups=live.principal.groups,
            session_id=live.id,
            agent=live.stored.agent,
            connection=connection.name,
            kind="sql",
            dialect=connection.settings.dialect,
            custody=connection.settings.custody,
            call_id=call_id,
            actions=actions,
            tables=tables,
            facts=_told(facts),
            estimates=facts_of(estimate),
            context=msgspec.to_builtins(context),
            now=at,
        )
        return evaluate(self._policies.current, request)

    def _deny(self, at: int, reason: str, message: str, *, rule: str | None = None, **known: Any) -> Judged:
        decision = Decision(
            effect="deny",
            reason=reason,
            message=message,
            rule=rule,
            policy_version=self._policies.current.version_id,
        )
        return Judged(permission=Permission(decision=decision), at=at, **known)

    def _decision(self, verdict: Verdict, why: str = "") -> Decision:
        message = f"{verdict.message} {why}" if verdict.wants and why else verdict.message
        if verdict.effect == "review":
            message = f"{message} It needs a person's approval, and approvals are not enabled on this gateway."
        return Decision(
            effect=verdict.effect,
            reason=verdict.reason,
            message=message,
            rule=verdict.rule,
            policy_version=self._policies.current.version_id,
        )

    def _schema(
        self, live: Live, request: CallRequest, call: SchemaCall, connection: Connection, catalog: Catalog, at: int
    ) -> Judged:
        named = {table.id: table.id for table in catalog.tables}
        for schema in reversed(catalog.default_schemas):
            named |= {table.name: table.id for table in catalog.tables if table.schema == schema}
        known: dict[str, Any] = {"actions": ("metadata",), "connection": connection, "catalog": catalog}
        if call.tables is None:
            seen = tuple(
                table.id
                for table in catalog.tables
                if self._verdict(
                    live, connection, request.context, ("metadata",), (table.id,), None, at, request.id, NO_ROWS
                ).effect
                == "allow"
            )
        else:
            missing = [name for name in call.tables if name not in named]
            if missing:
                message = f"There is no table {', '.join(missing)} on connection {connection.name}."
                return self._deny(at, "unknown_table", message, **known)
            seen = tuple(sorted({named[name] for name in call.tables}))
        verdict = self._verdict(live, connection, request.context, ("metadata",), seen, None, at, request.id, NO_ROWS)
        decision = self._decision(verdict)
        known |= {"tables": seen, "verdict": verdict}
        if decision.effect != "allow":
            return Judged(permission=Permission(decision=decision), at=at, **known)
        plan = MaskPlan(columns=tuple(ColumnPlan(action="pass", why="structure") for _ in range(6)))
        obligations = Obligations(
            rows=100_000,
            timeout_ms=verdict.timeout_ms,
            result_bytes=verdict.result_bytes,
            read_only=True,
            mask=plan,
        )
        permission = Permission(
            decision=decision,
            statement="structure of " + (", ".join(seen) or "no table"),
            schemas=catalog.default_schemas,
            obligations=obligations,
        )
        return Judged(permission=permission, at=at, **known)

    async def _sql(
        self,
        live: Live,
        request: CallRequest,
        call: SqlCall,
        connection: Connection,
        catalog: Catalog,
        at: int,
        estimate: Estimate | None,
    ) -> Judged:
        facts = await self._analysis.analyze(call.statement, catalog, owner=live.principal.id)
        known: dict[str, Any] = {"connection": connection, "catalog": catalog}
        if isinstance(facts, Refusal):
            return self._refused(live, request, facts, connection, known, at)
        if facts.parameters != len(call.binds):
            message = f"The statement has {facts.parameters} placeholders and {len(call.binds)} values were given."
            return self._deny(at, "wrong_parameters", message, facts=facts, **known)
        known |= {"actions": facts.actions, "tables": facts.tables, "facts": facts}
        verdict = self._verdict(live, connection, request.context, facts.actions, facts.tables, facts, at, request.id)
        decision = self._decision(verdict)
        known["verdict"] = verdict
        if decision.effect != "allow" and not verdict.wants:
            return Judged(permission=Permission(decision=decision), at=at, **known)
        hidden = self._hidden(facts, catalog, connection, live.principal.groups)
        if hidden.told is not None:
            return self._deny(at, *hidden.told, **known)
        filters = filters_of(self._policies.current, live.principal, connection.name, facts, catalog)
        bounds = known["bounds"] = SqlObligations(rows=verdict.rows, filters=filters, masks=hidden.inner)
        owner = live.principal.id
        text = await self._analysis.rewrite(facts, bounds, catalog, owner=owner)
        if isinstance(text, Refusal):
            return self._refused(live, request, text, connection, known, at)
        schemas = catalog.default_schemas if catalog.dialect in {"postgres", "duckdb"} else ()
        if verdict.wants or self._remembered.always:
            uncapped = msgspec.structs.replace(bounds, rows=UNCAPPED)
            whole = await self._analysis.rewrite(facts, uncapped, catalog, owner=owner)
            if isinstance(whole, Refusal):
                return self._refused(live, request, whole, connection, known, at)
            probe = Probe(statement=whole, binds=call.binds, schemas=schemas)
            if estimate is None or estimate.statement not in {ANY_STATEMENT, probe.statement}:
                estimate = self._remembered.find(connection, catalog, probe)
            if estimate is None:
                if not verdict.wants:
                    later = "The database is asked first how many rows to expect."
                    decision = self._deny(at, "estimate_unknown", later).permission.decision
                return Judged(permission=Permission(decision=decision, probe=probe), at=at, **known)
            known["estimate"] = estimate
            if verdict.wants:
                args = (live, connection, request.context, facts.actions, facts.tables, facts, at, request.id)
                verdict = known["verdict"] = self._verdict(*args, estimate)
                decision = self._decision(verdict, estimate.why)
            if decision.effect != "allow":
                return Judged(permission=Permission(decision=decision), at=at, **known)
        obligations = Obligations(
            rows=verdict.rows,
            timeout_ms=verdict.timeout_ms,
            result_bytes=verdict.result_bytes,
            read_only=set(facts.actions) <= _READS,
            mask=hidden.plan,
        )
        permission = Permission(
            decision=decision,
            statement=text,
            binds=call.binds,
            schemas=schemas,
            obligations=obligations,
        )
        return Judged(permission=permission, at=at, **known)

    def _hidden(self, facts: Facts, catalog: Catalog, connection: Connection, groups: tuple[str, ...]) -> "_Hidden":
        """Return what masks mean for a statement: remembered by everything it depends on."""
        policy = self._policies.current
        masks, left = masks_of(policy, groups)
        key = (facts.statement, catalog.version, policy.version_id, connection.name, left)
        held = self._plans.get(key)
        if held is None:
            found = Hidden(
                facts=facts,
                catalog=catalog,
                masks=masks,
                everyones=policy.masks,
                connection=connection.name,
                ner=self._ner,
            )
            held = _Hidden(told=found.told_otherwise(), inner=found.inner, plan=found.plan())
            if len(facts.statement) <= _LONGEST:
                self._plans[key] = held
            while len(self._plans) > _PLANS:
                self._plans.popitem(last=False)
        return held

    def _refused(
        self,
        live: Live,
        request: CallRequest,
        refusal: Refusal,
        connection: Connection,
        known: dict[str, Any],
        at: int,
    ) -> Judged:
        """Deny, naming the rule that forbids such a statement too, where the statement's kind is known.

        A statement that names a table which the principal may not know of is denied as if it were plain, so that its
        refusal tells nothing of that table.
        """

        def ask(action: str, *tables: str) -> Verdict:
            return self._verdict(live, connection, request.context, (action,), tables, None, at, request.id, NO_ROWS)

        hidden = tuple(table for table in refusal.tables if not may_know(ask, table))
        if hidden:
            verdict = ask("read", *hidden)
            known = {**known, "actions": ("read",), "tables": hidden, "verdict": verdict}
            return Judged(permission=Permission(decision=self._decision(verdict)), at=at, **known)
        refusal = told(refusal, connection.name, lambda table: may_know(ask, table))
        rule = None
        if refusal.actions:
            verdict = self._verdict(live, connection, request.context, refusal.actions, None, refusal, at, request.id)
            rule = verdict.rule if verdict.effect == "deny" and not verdict.wants else None
        known = {**known, "actions": tuple(refusal.actions), "refusal": refusal}
        return self._deny(at, "rule" if rule else "sql_refused", sentence(refusal), rule=rule, **known)


def _told(facts: Facts | Refusal | None) -> dict[str, Any]:
    """Return what policy may know of a statement: of a refused one, what its words tell."""
    if isinstance(facts, Refusal):
        return {"kind": facts.kind, "targets": facts.targets}
    held: dict[str, Any] = {} if facts is None else msgspec.to_builtins(facts)
    return held
