"""From a reference to its secret."""

from collections.abc import Mapping
from typing import assert_never

from langguard.errors import ConfigError
from langguard.secrets import env, file
from langguard.secrets.base import Reference, Secret


def resolve(reference: Reference, environ: Mapping[str, str]) -> Secret:
    """Return the secret that a reference leads to.

    Args:
        reference: Where it is.
        environ: The environment's variables.

    Raises:
        ConfigError: It is not there or can't be read; the message names the place and never the value.
    """
    match reference.kind:
        case "env":
            return env.read(reference.name, environ)
        case "file":
            return file.read(reference.name)
        case "plain":
            if not reference.name:
                msg = "a credential is empty"
                raise ConfigError(msg)
            return Secret(reference.name)
        case _:
            assert_never(reference.kind)
