"""Our errors as SQLAlchemy errors too, which is what LangChain's SQL tools turn into a message for the model.

`run_no_throw` and the tools built on it catch `SQLAlchemyError` only: a denial of any other class would end the
agent's run. Each error keeps its own class for `except AccessDeniedError`, its attributes, and a text that is just its
sentence.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from sqlalchemy.exc import SQLAlchemyError

from langguard.errors import LangguardError


class SQLGuardError(LangguardError, SQLAlchemyError):  # type: ignore[misc] # both have a `code`; ours is meant
    """Any langguard error on the path of a statement."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        return _revive, (_own(type(self)), self.args, dict(self.__dict__))


class NotReachableError(LangguardError, AttributeError):
    """A part of SQLDatabase through which the database could be reached past the gateway. There is none here."""

    code: ClassVar[str] = "not_reachable"


def unreachable(part: str) -> str:
    """Return the sentence for a part that is not there."""
    return f"A guarded database has no {part}: use run(), get_table_info() or get_usable_table_names()."


def _own(kind: type[BaseException]) -> type[LangguardError]:
    """Return the class of ours that `kind` was made from."""
    return next(
        base for base in kind.__mro__ if issubclass(base, LangguardError) and not issubclass(base, SQLGuardError)
    )


_twins: dict[type[LangguardError], type[SQLGuardError]] = {}


def _twin(kind: type[LangguardError]) -> type[SQLGuardError]:
    if issubclass(kind, SQLGuardError):
        return kind
    return _twins.setdefault(kind, _made(kind)) if kind not in _twins else _twins[kind]


def _made(kind: type[LangguardError]) -> type[SQLGuardError]:
    return type(kind.__name__, (SQLGuardError, kind), {"__doc__": kind.__doc__, "__module__": kind.__module__})


def _revive(kind: type[LangguardError], args: tuple[Any, ...], facts: dict[str, Any]) -> SQLGuardError:
    twin = _twin(kind)
    error = twin.__new__(twin, *args)
    error.__dict__.update(facts)
    return error


def as_sql_error(error: LangguardError) -> SQLGuardError:
    """Return the same error as one that is a SQLAlchemyError too."""
    return _revive(type(error), error.args, dict(error.__dict__))


@contextmanager
def sql_errors() -> Iterator[None]:
    """Turn each error of ours that leaves the block into its SQLAlchemy twin."""
    try:
        yield
    except SQLGuardError:
        raise
    except LangguardError as failed:
        problem = as_sql_error(failed)
    else:
        return
    raise problem
