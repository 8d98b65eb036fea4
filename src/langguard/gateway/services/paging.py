"""Reading all documents of a kind, a page at a time."""

from collections.abc import Iterator

from langguard.stores.base import Document, Store

_PAGE = 1000


def all_documents(store: Store, kind: str) -> Iterator[Document]:
    """Yield every document of a kind, in the order they were first written."""
    after: str | None = None
    while True:
        page = store.documents(kind, limit=_PAGE, after=after)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].id
