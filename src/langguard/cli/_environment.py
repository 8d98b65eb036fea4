"""The command line's one look at the environment, handed on to whoever needs it."""

import os
from collections.abc import Mapping


def environ() -> Mapping[str, str]:
    """Return the environment's variables."""
    return dict(os.environ)
