"""A credential in a file, as container platforms mount them."""

import stat
from pathlib import Path
from typing import Final

from langguard.errors import ConfigError
from langguard.secrets.base import Secret

_LARGEST: Final = 65_536


def read(path: str) -> Secret:
    """Return the file's text without surrounding white space.

    Raises:
        ConfigError: It can't be read, is empty or larger than 64 KiB, is no regular file, or anyone may write it.
    """
    file = Path(path)
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode):
            msg = f"the credential file {path} is not a regular file"
            raise ConfigError(msg)
        if status.st_mode & stat.S_IWOTH:
            msg = f"the credential file {path} can be written by anyone; run: chmod o-w {path}"
            raise ConfigError(msg)
        with file.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
    except OSError as failed:
        msg = f"the credential file {path} can't be read ({failed.strerror})"
        raise ConfigError(msg) from None
    if len(data) > _LARGEST:
        msg = f"the credential file {path} is larger than {_LARGEST} bytes"
        raise ConfigError(msg)
    try:
        value = data.decode().strip()
    except UnicodeDecodeError:
        msg = f"the credential file {path} is not text"
        raise ConfigError(msg) from None
    if not value:
        msg = f"the credential file {path} is empty"
        raise ConfigError(msg)
    return Secret(value)
