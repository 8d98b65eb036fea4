"""DuckDB's errors by class: one sentence each, and never a word of the database's own text, which quotes values."""

from typing import Final

_BINDING: Final = "The statement does not fit the database's tables, types or functions; look at the schema."
_FAILED: Final = "The database failed."
_SENTENCES: Final = {
    "BinderException": _BINDING,
    "CatalogException": _BINDING,
    "ConnectionException": "The database file is open with other settings in this process.",
    "ConstraintException": "The change breaks a constraint.",
    "ConversionException": "A value could not be read as the type it was cast to; TRY_CAST gives NULL instead.",
    "DependencyException": "Something else in the database depends on this.",
    "FatalException": _FAILED,
    "HTTPException": "The statement may not leave the database.",
    "IOException": "The database file can't be read, or another process holds it.",
    "InternalException": _FAILED,
    "InterruptException": "The statement took too long, or was cancelled; ask for less.",
    "InvalidInputException": "An argument of a function is not one that it takes, or the database only reads.",
    "InvalidTypeException": "Types do not fit each other; add a cast.",
    "NotImplementedException": "The database does not support a feature that the statement uses.",
    "OutOfMemoryException": "The statement needs more memory than it may have; ask for less.",
    "OutOfRangeException": "A number is out of the range of its type.",
    "ParserException": "The database can't read the statement.",
    "PermissionException": "The statement may not leave the database.",
    "SequenceException": "A sequence is at its end or has not been used yet.",
    "SerializationException": _FAILED,
    "SyntaxException": "The database can't read the statement.",
    "TransactionException": "The transaction met another one, or may only read.",
    "TypeMismatchException": "Types do not fit each other; add a cast.",
}
_NO_EFFECT: Final = frozenset({"ConstraintException", "TransactionException"})
BROKEN: Final = frozenset({"FatalException", "InternalException"})
"""After these an open database answers nothing more: it has to be opened anew."""


def sentence(origin: BaseException) -> str | None:
    """Return what may be said of an error of DuckDB's; None where it is not one."""
    return _SENTENCES.get(type(origin).__name__) if is_ours(origin) else None


def refused(origin: BaseException) -> bool:
    """Say whether a commit that failed with this error is known to have had no effect."""
    return is_ours(origin) and type(origin).__name__ in _NO_EFFECT


def is_ours(origin: BaseException) -> bool:
    """Say whether an error is DuckDB's."""
    return type(origin).__module__ in {"duckdb", "_duckdb"}
