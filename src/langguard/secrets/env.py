"""A credential in an environment variable."""

from collections.abc import Mapping

from langguard.errors import ConfigError
from langguard.secrets.base import Secret


def read(name: str, environ: Mapping[str, str]) -> Secret:
    """Return the variable's value.

    Raises:
        ConfigError: It is not set, or empty.
    """
    value = environ.get(name, "")
    if not value.strip():
        msg = f"the environment variable {name} holds the credential and is not set"
        raise ConfigError(msg)
    return Secret(value.strip())
