"""Where the ledger, its bodies and the gateway's state are kept."""

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
]
