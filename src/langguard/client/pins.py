"""The ledger's signed heads as this client has seen them: pinned, so that a rewritten ledger is noticed (P6)."""

import threading
from collections import OrderedDict
from typing import Final

from langguard.errors import LedgerError, VerificationError
from langguard.ledger.checkpoint import VerifierKey, open_checkpoint

_KEPT: Final = 4096
_LONGEST: Final = 1 << 16


class Pins:
    """Checks each checkpoint against those before it. One per client, across its sessions; safe from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: VerifierKey | None = None
        self._size = 0
        self._roots: OrderedDict[int, bytes] = OrderedDict()
        self._last = ""

    @property
    def size(self) -> int:
        """The largest ledger seen. A reply asked for from now on can't state a smaller one."""
        with self._lock:
            return self._size

    def trust(self, ledger_key: str) -> None:
        """Pin the ledger's public key: the first is taken on trust, and never exchanged for another.

        Raises:
            LedgerError: The text is no key, or not the one pinned.
        """
        try:
            key = VerifierKey.parse(ledger_key)
        except VerificationError:
            msg = "The gateway's ledger key can't be read; nothing it says about its ledger can be checked."
            raise LedgerError(msg) from None
        with self._lock:
            if self._key is not None and self._key != key:
                msg = f"The ledger was rewritten: its key was that of {self._key.name} and is now that of {key.name}."
                raise LedgerError(msg)
            self._key = key

    def check(self, note: str, *, floor: int) -> int:
        """Verify a checkpoint and pin it.

        Args:
            note: The signed note.
            floor: `size` as it was before the request went out.

        Returns:
            The ledger's size it states.

        Raises:
            LedgerError: Not signed by the pinned key, shrunk, or another root at a size seen before.
        """
        with self._lock:
            key = self._key
            if note == self._last and key is not None and self._size >= floor == self._size:
                return self._size
        if key is None or len(note) > _LONGEST:
            msg = "The gateway's checkpoint can't be checked: no ledger key is pinned, or it is too long."
            raise LedgerError(msg)
        try:
            head = open_checkpoint(note, key)
        except VerificationError as wrong:
            msg = f"The gateway's checkpoint is not signed by the ledger's key: {wrong}."
            raise LedgerError(msg) from None
        with self._lock:
            known = self._roots.setdefault(head.size, head.root)
            if head.size < floor or known != head.root:
                msg = (
                    f"The ledger was rewritten: it states {head.size} entries under another root than before."
                    if known != head.root
                    else f"The ledger was rewritten: it held {floor} entries and now states {head.size}."
                )
                raise LedgerError(msg)
            if head.size >= self._size:
                self._size, self._last = head.size, note
            while len(self._roots) > _KEPT:
                self._roots.popitem(last=False)
        return head.size
