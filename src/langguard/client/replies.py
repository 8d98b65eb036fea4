"""What a gateway's reply means: a model, or one of our errors in one sentence. What can't be read is no reply."""

from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from langguard.client.http import Reply
from langguard.errors import (
    AccessDeniedError,
    GatewayUnavailableError,
    LangguardError,
    LedgerError,
    MaskingError,
    NotNowError,
    OutcomeUnknownError,
    ProtocolMismatchError,
    SessionEndedError,
)
from langguard.protocol import Problem

T = TypeVar("T")

_LONGEST_DETAIL: Final = 500
_DEFAULT_RETRY: Final = 1.0
_LONGEST_RETRY: Final = 3600.0
_NOT_NOW: Final = frozenset({"overloaded", "draining", "not_now", "rate_limited"})
_STILL_RUNNING: Final = frozenset({"call_in_flight"})


class UnknownBodiesError(LangguardError):
    """The gateway has not been sent these bodies in this session (it was restarted, or forgot them)."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__("The gateway does not hold all texts the call refers to.")
        self.missing = missing


class Accepted:
    """Stands for a model where the status alone says what matters: it was taken."""


class StillRunningError(LangguardError):
    """The call is known and its outcome is not: ask for it again."""


class NotFoundError(LangguardError):
    """The gateway holds no such thing."""


def read(reply: Reply, kind: type[T], *, secret: str, call_id: str = "") -> T:
    """Return the reply's model.

    Args:
        reply: As received.
        kind: The wire model due with a 2xx status.
        secret: The credential; it is cut out of any text that is shown.
        call_id: The call it is about, to name in errors.

    Raises:
        LangguardError: What the gateway's problem says; GatewayUnavailableError for a reply that can't be read.
    """
    if 200 <= reply.status < 300:
        return kind() if kind is Accepted else _decode(reply, kind)
    if 300 <= reply.status < 400:
        msg = f"The gateway answered with a redirect ({reply.status}), which is not followed: check its address."
        raise GatewayUnavailableError(msg)
    problem = _decode(reply, Problem)
    detail = _clean(problem.detail or problem.title, secret)
    raise _error(problem, detail, reply, call_id)


def _decode(reply: Reply, kind: type[T]) -> T:
    if reply.content_type not in ("application/json", "application/problem+json"):
        what = f"not JSON (status {reply.status}): is this the gateway's address?"
    else:
        try:
            return msgspec.json.decode(reply.body, type=kind)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            what = f"no {kind.__name__} this client can read (status {reply.status}): are their versions compatible?"
    msg = f"The gateway's answer is {what}"
    raise GatewayUnavailableError(msg)


def _clean(text: str, secret: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in text)
    return shown.replace(secret, "***")[:_LONGEST_DETAIL]


def _error(problem: Problem, detail: str, reply: Reply, call_id: str) -> LangguardError:  # noqa: PLR0911 - a table
    code = problem.code
    if code == "unknown_bodies":
        return UnknownBodiesError(problem.missing)
    if code in _STILL_RUNNING:
        return StillRunningError(detail)
    if code == "protocol_mismatch" or reply.status == 426:
        return ProtocolMismatchError(f"The gateway speaks no protocol version this client does: {detail}")
    if reply.status == 401:
        return SessionEndedError(f"The gateway does not accept the credential: {detail}")
    if code in _NOT_NOW or reply.status == 429:
        return NotNowError(detail, reason=code, retry_after=_retry_after(reply.retry_after), call_id=call_id or None)
    if reply.status == 403:
        return AccessDeniedError(detail, reason=code, call_id=call_id or None)
    if reply.status == 404:
        return NotFoundError(detail)
    if code == "call_unknown":
        return OutcomeUnknownError(detail, call_id=call_id)
    kinds: Mapping[str, type[LangguardError]] = {"not_recorded": LedgerError, "masking_failed": MaskingError}
    if code in kinds:
        return kinds[code](detail)
    if reply.status >= 500:
        return GatewayUnavailableError(f"The gateway failed ({code}): {detail}")
    return GatewayUnavailableError(f"The gateway refused the request ({code}): {detail}")


def _retry_after(header: str) -> float:
    try:
        seconds = float(header)
    except ValueError:
        return _DEFAULT_RETRY
    return min(max(seconds, 0.0), _LONGEST_RETRY) if seconds == seconds else _DEFAULT_RETRY  # noqa: PLR0124 - not a NaN
