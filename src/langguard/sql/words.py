"""Lists of words, written as text."""


def words(text: str) -> frozenset[str]:
    """Return the words of a text that whitespace parts."""
    return frozenset(text.split())
