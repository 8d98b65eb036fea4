"""One sentence when an optional part is missing."""

from importlib.util import find_spec

from langguard.errors import MissingExtraError


def need(extra: str, *modules: str) -> None:
    """Check that an extra is installed.

    Raises:
        MissingExtraError: It is not; the sentence says what to install.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        msg = f"This needs {', '.join(missing)}, which is not installed: pip install 'langguard[{extra}]'"
        raise MissingExtraError(msg)
