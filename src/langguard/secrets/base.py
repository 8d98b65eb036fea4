"""A secret that does not show itself, and a reference to one that may be shown."""

from dataclasses import dataclass
from typing import Literal, NoReturn


class Secret:
    """A credential: `reveal` is the only way to it; it can't be printed, formatted, compared, copied or pickled."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the credential, for the one place that uses it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __reduce__(self) -> NoReturn:
        msg = "a secret can't be pickled or copied"
        raise TypeError(msg)


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
