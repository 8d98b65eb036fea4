"""Where the ledger, its bodies and the gateway's state are kept."""

from langguard.stores.audit import audit
from langguard.stores.base import (
    Appended,
    Batch,
    Body,
    ConflictError,
    Document,
    Expect,
    Leaf,
    Put,
    Recorded,
    Store,
    Stored,
    StoreError,
)
from langguard.stores.sqlite import SqliteStore

__all__ = [
    "Appended",
    "Batch",
    "Body",
    "ConflictError",
    "Document",
    "Expect",
    "Leaf",
    "Put",
    "Recorded",
    "SqliteStore",
    "Store",
    "StoreError",
    "Stored",
    "audit",
]
