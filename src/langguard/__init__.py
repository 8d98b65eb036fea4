"""langguard: ask before acting. Policy, masking and a tamper-evident record for what LangChain agents do.

Names are imported when first used, so that `import langguard` costs nothing that a program does not need.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langguard.client import Guard
    from langguard.components.callbacks import GuardCallbackHandler
    from langguard.components.sql_database import GuardedSQLDatabase
    from langguard.errors import (
        AccessDeniedError,
        ApprovalRequiredError,
        ConfigError,
        GatewayUnavailableError,
        LangguardError,
        LedgerError,
        MaskingError,
        NotNowError,
        OutcomeUnknownError,
        SessionEndedError,
        TargetError,
    )

__version__ = "0.1.0"

__all__ = [
    "AccessDeniedError",
    "ApprovalRequiredError",
    "ConfigError",
    "GatewayUnavailableError",
    "Guard",
    "GuardCallbackHandler",
    "GuardedSQLDatabase",
    "LangguardError",
    "LedgerError",
    "MaskingError",
    "NotNowError",
    "OutcomeUnknownError",
    "SessionEndedError",
    "TargetError",
    "__version__",
]

_HOMES = {
    "Guard": "langguard.client",
    "GuardCallbackHandler": "langguard.components.callbacks",
    "GuardedSQLDatabase": "langguard.components.sql_database",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        msg = f"module 'langguard' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOMES.get(name, "langguard.errors")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
