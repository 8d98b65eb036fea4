"""How a statement is refused: raised inside this room, returned as data at its edge."""

import difflib
from collections.abc import Iterable
from typing import NoReturn

import msgspec

from langguard.protocol import Action, Refusal

FRAGMENT = 80
"""Most characters of a statement that a refusal quotes."""
COMPARED = 400
"""Most names a misspelt one is compared with: each comparison takes tens of microseconds."""


class Refused(Exception):  # noqa: N818 - control flow inside this room, never seen outside it
    """Carries a refusal to the edge of the room."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def refused(
    code: str,
    reason: str,
    fragment: str = "",
    *,
    position: int | None = None,
    hint: str = "",
    actions: Iterable[Action] = (),
    tables: tuple[str, ...] = (),
    candidates: tuple[str, ...] = (),
) -> Refused:
    """Return the exception to raise; fields as in `Refusal`."""
    return Refused(
        Refusal(
            code=code,
            reason=reason,
            fragment=" ".join(fragment.split())[:FRAGMENT],
            position=position,
            hint=hint,
            actions=tuple(sorted(actions)),
            tables=tables,
            candidates=candidates,
        )
    )


def refuse(
    code: str,
    reason: str,
    fragment: str = "",
    *,
    position: int | None = None,
    hint: str = "",
    actions: Iterable[Action] = (),
    tables: tuple[str, ...] = (),
) -> NoReturn:
    """Raise `Refused`; fields as in `Refusal`."""
    raise refused(code, reason, fragment, position=position, hint=hint, actions=actions, tables=tables)


def naming(error: Refused, tables: Iterable[str]) -> Refused:
    """Return a refusal that says too which tables the statement names."""
    named = tuple(sorted({*error.refusal.tables, *tables}))
    return Refused(msgspec.structs.replace(error.refusal, tables=named))


def placed(refusal: Refusal, text: str) -> Refused:
    """Return a refusal of a statement's canonical text with its position in the text that came, where that is plain."""
    found = text.find(refusal.fragment) if refusal.fragment else -1
    alone = found >= 0 and text.find(refusal.fragment, found + 1) < 0
    return Refused(msgspec.structs.replace(refusal, position=found if alone else None))


def nearest(name: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Return up to `most` known names, the likeliest meant first."""
    by_lower = {k.lower()[:FRAGMENT]: k for k in sorted(known)[:COMPARED]}
    found = difflib.get_close_matches(name.lower()[:FRAGMENT], by_lower, n=most, cutoff=0.5)
    return [by_lower[f] for f in found]
