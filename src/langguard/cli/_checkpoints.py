"""Reading back what `langguard ledger head` printed."""

from pathlib import Path

from langguard.errors import ConfigError


def read_checkpoint(path: Path) -> str:
    """Return the signed checkpoint in a file, without the line that tells the key.

    Raises:
        ConfigError: The file can't be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as failed:
        msg = f"can't read {path}: {getattr(failed, 'strerror', None) or 'it is no text'}"
        raise ConfigError(msg) from None
    kept = [line for line in lines if not line.startswith("key: ")]
    return "\n".join(kept).strip("\n") + "\n"
