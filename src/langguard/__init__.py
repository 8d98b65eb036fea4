"""langguard: ask before acting. Policy, masking and a tamper-evident record for what LangChain agents do.

Names are imported when first used, so that `import langguard` costs nothing that a program does not need. Their
types stand in __init__.pyi.
"""

from importlib import import_module
from typing import Any

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
