"""A credential in memory: nothing shows it by accident."""

from typing import NoReturn


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
