"""From what a caller passes to `run` to the text and numbered binds that are asked for, without a database driver.

A str means what `sqlalchemy.text` makes of it; an Executable is compiled by SQLAlchemy's dialect with `$1`
placeholders. What is asked for is thus the statement itself, not a rendering that a driver would still change.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Executable, text
from sqlalchemy.dialects.mysql.base import MySQLDialect
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import InvalidRequestError, StatementError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import ClauseElement

from langguard.errors import ConfigError
from langguard.protocol import values


class _DuckDB(PGDialect):
    """DuckDB reads what SQLAlchemy writes for PostgreSQL; its own dialect would need the database itself here."""

    name = "duckdb"
    supports_statement_cache = False


_DIALECTS: Final[Mapping[str, type[Dialect]]] = {
    "postgres": PGDialect,
    "postgresql": PGDialect,
    "sqlite": SQLiteDialect,
    "duckdb": _DuckDB,
    "mysql": MySQLDialect,
    "mariadb": MySQLDialect,
}
DEFAULT_SCHEMA: Final[Mapping[str, str]] = {"postgresql": "public", "sqlite": "main", "duckdb": "main", "mysql": ""}


def dialect_for(name: str) -> Dialect:
    """Return SQLAlchemy's dialect, without a driver, for a connection's dialect.

    Raises:
        ConfigError: It is not one this version compiles for.
    """
    kind = _DIALECTS.get(name)
    if kind is None:
        msg = f"Databases of dialect {name!r} are not supported yet; there is {', '.join(sorted(DEFAULT_SCHEMA))}."
        raise ConfigError(msg)
    dialect = kind(paramstyle="numeric_dollar")  # type: ignore[call-arg]
    if dialect.name in {"postgresql", "duckdb"}:
        dialect.supports_native_decimal = True  # as their drivers do; else a Decimal would go out as a float
    return dialect


def compile_statement(
    command: object, parameters: Mapping[str, Any] | None, dialect: Dialect
) -> tuple[str, tuple[Any, ...]]:
    """Return the statement's text and its encoded binds.

    Args:
        command: A str or an Executable.
        parameters: Values by name, or None.
        dialect: As `dialect_for` made it.

    Raises:
        TypeError: It is neither.
        StatementError: A parameter has no value or one of the wrong shape, as SQLAlchemy says it.
        CompileError: SQLAlchemy can't express it in this dialect.
        ConfigError: It carries execution options, which could change what runs.
    """
    if isinstance(command, str):
        command = text(command)
    if not isinstance(command, Executable) or not isinstance(command, ClauseElement):
        msg = f"Query expression has unknown type: {type(command)}"
        raise TypeError(msg)
    if command.get_execution_options():
        msg = "The statement carries execution options, which could change what runs; pass it without."
        raise ConfigError(msg)
    given = dict(parameters or {})
    made: Any = command
    columns: Any = {"column_keys": sorted(given)} if given and isinstance(made, UpdateBase) else {}
    compiled = made.compile(dialect=dialect, **columns)
    if not isinstance(compiled, SQLCompiler):
        return str(compiled).strip(), ()
    try:
        state = compiled.construct_expanded_state(given or None)
    except InvalidRequestError as missing:
        raise StatementError(str(missing.args[0]), str(compiled), None, missing) from None
    names = state.positiontup or ()
    binds = []
    for name in names:
        value = state.parameters[name]
        bind = compiled.binds.get(name)
        process = state.processors.get(name) or (
            bind.type.dialect_impl(dialect).bind_processor(dialect) if bind is not None else None
        )
        try:
            binds.append(values.encode(process(value) if process is not None else value))
        except (TypeError, ValueError) as wrong:
            msg = f"the value of parameter {name!r} does not fit its type"
            raise StatementError(msg, state.statement, None, wrong) from None
    return state.statement, tuple(binds)
