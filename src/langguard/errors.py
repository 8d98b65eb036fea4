"""What can go wrong, with a stable code each: the same codes the gateway answers and the docs list.

A message says what happened and what to do. It never holds a row, a credential or an unmasked value.
"""

from typing import ClassVar


class LangguardError(Exception):
    """Base of every error langguard raises on purpose.

    Attributes:
        code: Stable name of the kind of failure, listed in docs/reference/errors.md.
    """

    code: ClassVar[str] = "error"


class AccessDeniedError(LangguardError):
    """The call was judged and is not allowed. Nothing ran.

    Attributes:
        reason: Stable code of the reason, such as `no_grant`, `rule`, `sql_refused`.
        rule: Id of the policy rule that decided, if one did.
        call_id: The recorded call, to quote to an administrator.
    """

    code: ClassVar[str] = "denied"

    def __init__(self, message: str, *, reason: str, rule: str | None = None, call_id: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.rule = rule
        self.call_id = call_id


class ApprovalRequiredError(AccessDeniedError):
    """The call needs a person's approval. Nothing ran."""

    code: ClassVar[str] = "approval_required"


class NotNowError(AccessDeniedError):
    """The call can't be judged now (draining, overloaded, suspended); nothing ran.

    Attributes:
        retry_after: Seconds to wait before asking again.
    """

    code: ClassVar[str] = "not_now"

    def __init__(self, message: str, *, reason: str, retry_after: float, call_id: str | None = None) -> None:
        super().__init__(message, reason=reason, call_id=call_id)
        self.retry_after = retry_after


class TargetError(LangguardError):
    """The statement was allowed and the database refused or failed it; the text is already masked."""

    code: ClassVar[str] = "target_failed"


class GatewayUnavailableError(LangguardError):
    """The gateway can't be reached, did not answer in time, or its answer can't be read. No rows were released."""

    code: ClassVar[str] = "gateway_unavailable"


class ProtocolMismatchError(GatewayUnavailableError):
    """The gateway and this client speak no common protocol version. No rows were released."""

    code: ClassVar[str] = "protocol_mismatch"


class SessionEndedError(LangguardError):
    """The token is unknown, expired or revoked. Nothing ran, or its rows were discarded."""

    code: ClassVar[str] = "session_ended"


class OutcomeUnknownError(LangguardError):
    """A call may have run, but its outcome could not be recorded or fetched; its rows were discarded.

    Attributes:
        call_id: The call to look up before anything is tried again.
    """

    code: ClassVar[str] = "outcome_unknown"

    def __init__(self, message: str, *, call_id: str) -> None:
        super().__init__(message)
        self.call_id = call_id


class MaskingError(LangguardError):
    """The masking engine can't run, so no result was released."""

    code: ClassVar[str] = "masking_failed"


class LedgerError(LangguardError):
    """The ledger could not record, so the call did not go on."""

    code: ClassVar[str] = "not_recorded"


class VerificationError(LangguardError):
    """A record is not what was signed.

    Attributes:
        entry: Index of the first ledger entry found wrong, or None where no single entry is to blame.
    """

    code: ClassVar[str] = "not_verified"

    def __init__(self, message: str, *, entry: int | None = None) -> None:
        super().__init__(message)
        self.entry = entry


class ConfigError(LangguardError):
    """A configuration or policy document is wrong.

    Attributes:
        source: File or name of the document.
        line: 1-based line, or None.
        column: 1-based column, or None.
    """

    code: ClassVar[str] = "config_invalid"

    def __init__(self, message: str, *, source: str = "", line: int | None = None, column: int | None = None) -> None:
        place = ":".join(str(part) for part in (source, line, column) if part not in ("", None))
        super().__init__(f"{place}: {message}" if place else message)
        self.detail = message
        self.source = source
        self.line = line
        self.column = column


class PolicyError(ConfigError):
    """A policy document is wrong; the place is named."""

    code: ClassVar[str] = "policy_invalid"


class MissingExtraError(LangguardError):
    """An optional part is needed and not installed; the message says what to install."""

    code: ClassVar[str] = "missing_extra"
