from langguard.client import Guard as Guard
from langguard.components.callbacks import GuardCallbackHandler as GuardCallbackHandler
from langguard.components.sql_database import GuardedSQLDatabase as GuardedSQLDatabase
from langguard.errors import (
    AccessDeniedError as AccessDeniedError,
)
from langguard.errors import (
    ApprovalRequiredError as ApprovalRequiredError,
)
from langguard.errors import (
    ConfigError as ConfigError,
)
from langguard.errors import (
    GatewayUnavailableError as GatewayUnavailableError,
)
from langguard.errors import (
    LangguardError as LangguardError,
)
from langguard.errors import (
    LedgerError as LedgerError,
)
from langguard.errors import (
    MaskingError as MaskingError,
)
from langguard.errors import (
    NotNowError as NotNowError,
)
from langguard.errors import (
    OutcomeUnknownError as OutcomeUnknownError,
)
from langguard.errors import (
    SessionEndedError as SessionEndedError,
)
from langguard.errors import (
    TargetError as TargetError,
)

__version__: str
