"""How every command speaks: the answer on stdout, trouble on stderr, `--json` for machines, colour on a terminal only.

Exit codes: 0 yes, 1 no, 2 trouble.
"""

import json
import sys
from typing import Any, Final

_CODES: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def colour(text: str, name: str, *, on: bool | None = None) -> str:
    """Return `text` in a colour or weight where stdout is a terminal, else as it is.

    Args:
        text: What to show.
        name: `bold`, `dim`, `red`, `green`, `yellow` or `cyan`.
        on: Force it; None asks the terminal.
    """
    wanted = sys.stdout.isatty() if on is None else on
    return f"\x1b[{_CODES[name]}m{text}\x1b[0m" if wanted else text


def show(text: str = "") -> None:
    """Print a line of the answer, with control characters made visible: a recorded text must not drive a terminal."""
    kept = "".join(c if c.isprintable() or c in "\n\t\x1b" else "\ufffd" for c in text)
    print(kept, flush=True)


def plain(text: str) -> str:
    """Return recorded text with every control character made visible, escape included."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)


def show_json(value: Any) -> None:
    """Print the answer as one JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2), flush=True)


def trouble(text: str) -> None:
    """Print a sentence on stderr."""
    print(f"langguard: {plain(text)}", file=sys.stderr, flush=True)
