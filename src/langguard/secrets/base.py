"""A secret that does not show itself, and a reference to one that may be shown."""

from dataclasses import dataclass
from typing import Literal

from langguard.protocol.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Where a credential is.

    Attributes:
        kind: `env` (a variable), `file` (a file that holds it), `plain` (the text itself: a database that needs no
            credential, such as an SQLite file).
        name: The variable, the file's absolute path, or the text.
    """

    kind: Literal["env", "file", "plain"]
    name: str


__all__ = ["Reference", "Secret"]
