"""The explicit client: opens a session, asks before acting, reports what came of it; never two asks for one act."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, NoReturn, Self, TypeVar
from urllib.parse import quote

import msgspec

from langguard import clock
from langguard.client import replies, session, settings
from langguard.client.http import Endpoint, NoReplyError, Transport
from langguard.client.pins import Pins
from langguard.client.session import Session
from langguard.errors import (
    AccessDeniedError,
    GatewayUnavailableError,
    LangguardError,
    OutcomeUnknownError,
    ProtocolMismatchError,
    SessionEndedError,
)
from langguard.protocol import (
    PROTOCOL,
    SUPPORTED,
    Answer,
    CallRequest,
    ConnectionInfo,
    Observation,
    OpenSession,
    OutcomeReceipt,
    OutcomeReport,
    SessionInfo,
)
from langguard.protocol.secret import Secret

T = TypeVar("T")

_CLIENT: Final = "langguard-python/0.1.0"
_LOOK_UP_AFTER: Final = (0.0, 0.2, 0.5, 1.0, 1.5)  # seconds to wait before each look at a call whose reply broke
_LOOK_UP_TIMEOUT: Final = 3.0
_END_TIMEOUT: Final = 2.0
_MOST_ASKED: Final = 10_000
_log = logging.getLogger("langguard.client")


class Guard:
    """A client of one gateway, for one principal. Thread-safe; connects when first needed.

    With an API key, or a token of the company's OpenID provider, it opens a session of its own, and another one at the
    next call after that ended. A session token is used as it is.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        agent: str = "",
        timeout: float | None = None,
        plain_http: bool | None = None,
        clock: clock.Clock | None = None,
    ) -> None:
        """Make a client; nothing is sent yet.

        Args:
            url: The gateway's address; else `LANGGUARD_URL`.
            token: API key, session token or signed token of an OpenID provider; else `LANGGUARD_TOKEN`, else the file
                that `LANGGUARD_TOKEN_FILE` names, which is read again for each new session.
            agent: A name for the agent, for the record.
            timeout: Seconds an answer may take; else `LANGGUARD_TIMEOUT`, else 30.
            plain_http: Let the token travel unencrypted to another machine.
            clock: The source of time.

        Raises:
            ConfigError: Address or credential are missing or wrong.
        """
        known = settings.load(url, token, timeout, plain_http=plain_http)
        self._endpoint = Endpoint.parse(known.url, plain_http=known.plain_http)
        self._transport = Transport(self._endpoint, timeout=known.timeout)
        self._credential = known.token
        self._token_file = known.token_file
        self._agent = agent
        self._clock = clock or _system_clock()
        self._pins = Pins()
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._closed = False
        self._asked: OrderedDict[str, Session] = OrderedDict()  # calls whose outcome this client has yet to report
        self._pause = threading.Event()  # never set: waiting on it is a pause

    def __repr__(self) -> str:
        return f"Guard({self._endpoint})"

    def __reduce__(self) -> NoReturn:
        msg = "A Guard holds a credential and connections and can't be pickled or copied; make one where it is needed."
        raise TypeError(msg)

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        self.__reduce__()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def session(self) -> SessionInfo:
        """The session, opened now if there is none.

        Raises:
            GatewayUnavailableError: The gateway can't be reached or read.
            SessionEndedError: The credential is not accepted.
        """
        return self._current().info

    def connection(self, name: str) -> ConnectionInfo:
        """Return the connection called `name`.

        Raises:
            ConfigError: There is none this principal may use.
        """
        return session.named(self.session.connections, name)

    def find_connection(self, dialect: str, host: str | None, port: int | None, database: str | None) -> ConnectionInfo:
        """Return the one connection in custody `agent` that leads to this database.

        Raises:
            ConfigError: None or several do; the sentence says how to name it.
        """
        return session.found(self.session.connections, dialect=dialect, host=host, port=port, database=database)

    def call(self, request: CallRequest) -> Answer:
        """Ask for one call. A denial is an answer, not an error.

        After a reply that broke off or came too late the stored answer is fetched; the call is never asked for under a
        second id.

        Raises:
            GatewayUnavailableError: No answer, and nothing ran.
            OutcomeUnknownError: No answer, and it may have run at the gateway.
            SessionEndedError: The session is over; the next call may open another.
            LedgerError: The call could not be recorded, or the ledger was rewritten.
            AccessDeniedError: The gateway refused the request itself.
        """
        held = self._current()
        floor = self._pins.size
        try:
            answer = self._ask_with_bodies(held, request)
        except (NoReplyError, replies.StillRunningError) as broken:
            answer = self._look_up(held, request, broken)
        if answer.call_id != request.id:
            msg = "The gateway answered about another call than the one asked for."
            raise GatewayUnavailableError(msg)
        self._pins.check(answer.checkpoint, floor=floor)
        if answer.statement is not None:
            with self._lock:
                self._asked[request.id] = held
                while len(self._asked) > _MOST_ASKED:
                    self._asked.popitem(last=False)
        return answer

    def mask_key(self, call_id: str) -> bytes:
        """Return the key for keyed masks of an allowed call in custody `agent`: that of the session it was asked in.

        Raises:
            GatewayUnavailableError: The call is not such a call, or its session came without a readable key.
        """
        with self._lock:
            held = self._asked.get(call_id)
        try:
            if held is not None:
                return bytes.fromhex(held.info.mask_key)
        except ValueError:
            held = None
        msg = f"There is no key to mask the result of call {call_id} with; nothing ran."
        raise GatewayUnavailableError(msg)

    def report(self, call_id: str, report: OutcomeReport) -> OutcomeReceipt:
        """Report what came of a call in custody `agent`. Rows may be released only once this has returned.

        Raises:
            LangguardError: There is no receipt: the rows must be discarded.
        """
        with self._lock:
            held = self._asked.pop(call_id, None)
        if held is None:
            msg = f"Call {call_id} is not one this client may report: it was not allowed here, or is reported already."
            raise SessionEndedError(msg)
        floor = self._pins.size
        path = f"/v1/calls/{quote(call_id, safe='')}/outcome"
        try:
            receipt = self._send(held, "POST", path, report, OutcomeReceipt, call_id=call_id, repeatable=True)
        except NoReplyError as broken:
            answer = self._recorded(held, call_id, lambda found: found.outcome is not None)
            if answer is None or answer.outcome is None:
                raise broken from None
            receipt = OutcomeReceipt(call_id=call_id, outcome=answer.outcome, checkpoint=answer.checkpoint)
        if receipt.call_id != call_id:
            msg = "The gateway's receipt is for another call."
            raise GatewayUnavailableError(msg)
        self._pins.check(receipt.checkpoint, floor=floor)
        return receipt

    def observe(self, observation: Observation) -> None:
        """Record something seen in the agent that is no call.

        Raises:
            LangguardError: It is not known to be recorded.
        """
        self._send(self._current(), "POST", "/v1/observations", observation, replies.Accepted)

    def close(self) -> None:
        """End the session, if this client opened it, and close all connections. Nothing can be asked afterwards."""
        with self._lock:
            held, self._session, self._closed = self._session, None, True
        if held is not None and held.owned:
            path = f"/v1/sessions/{quote(held.info.id, safe='')}"
            try:
                reply = self._transport.exchange("DELETE", path, token=held.token.reveal(), timeout=_END_TIMEOUT)
                ended = 200 <= reply.status < 300 or reply.status in (401, 404)
            except GatewayUnavailableError:
                ended = False
            if not ended:
                _log.warning("session %s could not be ended at the gateway; it ends when it expires", held.info.id)
        self._transport.close()

    def _current(self) -> Session:
        with self._lock:
            if self._closed:
                msg = "This Guard was closed; make another one."
                raise SessionEndedError(msg)
            held = self._session
            if held is not None and self._renewable and self._clock.now() >= held.info.expires_at:
                held = None
            if held is None:
                held = self._session = self._open()
            return held

    @property
    def _renewable(self) -> bool:
        return settings.opens_sessions(self._credential.reveal())

    def _open(self) -> Session:
        floor = self._pins.size
        if self._token_file:
            self._credential = Secret(settings.of_file(self._token_file))
        if self._renewable:
            wanted = OpenSession(protocols=SUPPORTED, client=_CLIENT, agent=self._agent)
            info = self._exchange(self._credential, "POST", "/v1/sessions", wanted, SessionInfo)
            token = Secret(info.token)
            if not info.token.startswith(settings.SESSION_TOKEN) or not info.token.isascii():
                msg = "The gateway opened a session without a token."
                raise GatewayUnavailableError(msg)
        else:
            info = self._exchange(self._credential, "GET", "/v1/session", None, SessionInfo, repeatable=True)
            token = self._credential
        if info.protocol not in SUPPORTED:
            msg = f"The gateway chose protocol {info.protocol}; this client speaks {PROTOCOL}. Update the older one."
            raise ProtocolMismatchError(msg)
        self._pins.trust(info.ledger_key)
        self._pins.check(info.checkpoint, floor=floor)
        return Session(msgspec.structs.replace(info, token=""), token, owned=self._renewable)

    def _ask_with_bodies(self, held: Session, request: CallRequest) -> Answer:
        bodies = request.bodies
        for last in (False, True):
            sent = held.unsent(bodies)
            asked = msgspec.structs.replace(request, bodies=sent)
            try:
                answer = self._send(held, "POST", "/v1/calls", asked, Answer, call_id=request.id, repeatable=True)
            except replies.UnknownBodiesError as problem:
                held.forgotten(problem.missing)
                if last or not bodies.keys() >= set(problem.missing):
                    msg = "The gateway asks for texts this call does not refer to; nothing ran."
                    raise GatewayUnavailableError(msg) from None
                continue
            held.acknowledged(sent)
            return answer
        raise AssertionError  # the second round returns or raises

    def _look_up(self, held: Session, request: CallRequest, broken: LangguardError) -> Answer:
        answer = self._recorded(held, request.id, lambda _: True)
        if answer is not None:
            return answer
        connection = next((one for one in held.info.connections if one.name == request.call.connection), None)
        if connection is not None and connection.custody == "agent":
            msg = f"{broken} Nothing ran (call {request.id})."
            raise GatewayUnavailableError(msg) from None
        msg = (
            f"{broken} Whether call {request.id} ran at the gateway is not known; "
            "look it up there before trying it again."
        )
        raise OutcomeUnknownError(msg, call_id=request.id) from None

    def _recorded(self, held: Session, call_id: str, enough: Callable[[Answer], bool]) -> Answer | None:
        """Return what the gateway stored about a call, waiting a few seconds for it, or None."""
        path = f"/v1/calls/{quote(call_id, safe='')}"
        for seconds in _LOOK_UP_AFTER:
            self._pause.wait(seconds)
            try:
                answer = self._send(
                    held, "GET", path, None, Answer, call_id=call_id, repeatable=True, timeout=_LOOK_UP_TIMEOUT
                )
            except (SessionEndedError, OutcomeUnknownError):
                raise
            except LangguardError:
                continue
            if enough(answer):
                return answer
        return None

    def _send(self, held: Session, method: str, path: str, model: Any, kind: type[T], **options: Any) -> T:
        try:
            return self._exchange(held.token, method, path, model, kind, **options)
        except SessionEndedError:
            if self._renewable:
                with self._lock:
                    if self._session is held:
                        self._session = None  # the next call may open another; this one is over
            raise

    def _exchange(
        self,
        credential: Secret,
        method: str,
        path: str,
        model: Any,
        kind: type[T],
        *,
        call_id: str = "",
        repeatable: bool = False,
        timeout: float | None = None,
    ) -> T:
        body = None if model is None else _encode(model, call_id)
        reply = self._transport.exchange(
            method, path, token=credential.reveal(), body=body, repeatable=repeatable, timeout=timeout
        )
        try:
            return replies.read(reply, kind, secret=credential.reveal(), call_id=call_id)
        except replies.NotFoundError as missing:
            msg = f"The gateway does not know what was asked for: {missing}"
        raise GatewayUnavailableError(msg)


def _encode(model: Any, call_id: str) -> bytes:
    try:
        return msgspec.json.encode(model)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        msg = "The call holds text or values that can't be written as Unicode JSON, so it can't be judged; nothing ran."
        problem = AccessDeniedError(msg, reason="not_encodable", call_id=call_id or None)
    raise problem


def _system_clock() -> clock.Clock:
    return clock.SystemClock()
