"""LangChain's SQLDatabase, guarded: every statement, schema text and sample row goes through the gateway.

It is a true subclass that never runs SQLDatabase's own constructor, so there is no engine, inspector or reflected
metadata in it to reach around the guard by. This is the one module that imports langchain-community.
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NoReturn

from langchain_community.utilities.sql_database import SQLDatabase, truncate_word
from sqlalchemy import Engine, Executable, MetaData, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.engine import Result as SQLResult
from sqlalchemy.exc import SQLAlchemyError

from langguard.client import Guard, default_guard
from langguard.components import provenance
from langguard.components.sql_access import Schema, SqlAccess, connection_of
from langguard.components.sql_errors import NotReachableError, sql_errors, unreachable
from langguard.components.sql_results import CompileOnly, as_cursor, as_dicts
from langguard.components.statements import compile_statement, dialect_for
from langguard.errors import ConfigError
from langguard.protocol import Result

Fetch = Literal["all", "one", "cursor"]
_LIST_TOOL = "sql_db_list_tables"
_log = logging.getLogger("langguard.components")


class GuardedSQLDatabase(SQLDatabase):
    """A SQLDatabase whose every access is judged, masked and recorded by the gateway.

    `from_gateway(name)` needs no address and no driver of the database (custody `gateway`). The other constructors are
    SQLDatabase's own: they keep the caller's engine privately and run with it only what the gateway sent back (custody
    `agent`, which a hostile process can bypass).
    """

    def __init__(
        self,
        engine: Engine,
        schema: str | None = None,
        metadata: MetaData | None = None,
        ignore_tables: list[str] | None = None,
        include_tables: list[str] | None = None,
        sample_rows_in_table_info: int = 3,
        indexes_in_table_info: bool = False,
        custom_table_info: dict[str, str] | None = None,
        view_support: bool = False,
        max_string_length: int = 300,
        lazy_table_reflection: bool = False,
        *,
        connection: str | None = None,
        guard: Guard | None = None,
    ) -> None:
        """Guard an engine of one's own.

        Args:
            engine: Runs what the gateway sends back, and nothing else.
            schema: Accepted where it is the connection's default schema.
            metadata: Accepted and not used: nothing is reflected.
            ignore_tables: Not described; they can still be queried where policy allows.
            include_tables: Described, others not.
            sample_rows_in_table_info: Rows of each table to show in its description, read like any other.
            indexes_in_table_info: Accepted; the gateway does not tell indexes.
            custom_table_info: Table name to the text to describe it by.
            view_support: Accepted; what is listed is the gateway's choice.
            max_string_length: Longer texts are cut at a word in `run`.
            lazy_table_reflection: Accepted; nothing is ever reflected.
            connection: The gateway's name of this database; else found by where the engine leads.
            guard: The client; else the process's own, from the environment.

        Raises:
            ConfigError: No connection or several lead to this database; the sentence says how to name it.
            ValueError: `include_tables` or `ignore_tables` name tables that are not there.
            LangguardError: The gateway can't be reached or does not accept the credential.
        """
        del metadata, lazy_table_reflection, view_support
        made: Any = engine
        if not isinstance(made, Engine):
            msg = f"GuardedSQLDatabase needs a SQLAlchemy Engine, not {type(made).__name__}; or use from_gateway(name)."
            raise TypeError(msg)
        with sql_errors():
            client = guard or default_guard()
            found = client.connection(connection) if connection is not None else connection_of(client, engine)
            if found.custody != "agent":
                msg = (
                    f"Connection {found.name!r} is run by the gateway: use GuardedSQLDatabase.from_gateway("
                    f"{found.name!r}), which needs no engine."
                )
                raise ConfigError(msg)
            if dialect_for(found.dialect).name != dialect_for(engine.dialect.name).name:
                msg = f"Connection {found.name!r} is {found.dialect}, and the engine is {engine.dialect.name}."
                raise ConfigError(msg)
            access = SqlAccess(client, found, engine)
        self._set_up(
            access,
            schema=schema,
            ignore_tables=ignore_tables,
            include_tables=include_tables,
            sample_rows_in_table_info=sample_rows_in_table_info,
            indexes_in_table_info=indexes_in_table_info,
            custom_table_info=custom_table_info,
            max_string_length=max_string_length,
        )

    def _set_up(
        self,
        access: SqlAccess,
        *,
        schema: str | None = None,
        ignore_tables: Any = None,
        include_tables: Any = None,
        sample_rows_in_table_info: Any = 3,
        indexes_in_table_info: bool = False,
        custom_table_info: Any = None,
        max_string_length: int = 300,
    ) -> None:
        if include_tables and ignore_tables:
            msg = "Cannot specify both include_tables and ignore_tables"
            raise ValueError(msg)
        if not isinstance(sample_rows_in_table_info, int):
            msg = "sample_rows_in_table_info must be an integer"
            raise TypeError(msg)
        if custom_table_info is not None and not isinstance(custom_table_info, dict):
            msg = "table_info must be a dictionary with table names as keys and the desired table info as values"
            raise TypeError(msg)
        self._access = access
        self._max_string_length = max_string_length
        self._tables = Schema(
            access,
            include=include_tables or (),
            ignore=ignore_tables or (),
            samples=sample_rows_in_table_info,
            indexes=indexes_in_table_info,
            custom=custom_table_info,
        )
        provenance.install()
        if schema is not None or include_tables or ignore_tables:
            with sql_errors():
                self._tables.check(schema)

    @classmethod
    def from_gateway(
        cls,
        connection: str,
        *,
        guard: Guard | None = None,
        ignore_tables: list[str] | None = None,
        include_tables: list[str] | None = None,
        sample_rows_in_table_info: int = 3,
        indexes_in_table_info: bool = False,
        custom_table_info: dict[str, str] | None = None,
        max_string_length: int = 300,
    ) -> "GuardedSQLDatabase":
        """Use a database the gateway holds the credential of: no DSN and no driver here.

        Args:
            connection: The gateway's name of the database.
            guard: The client; else the process's own, from the environment.
            ignore_tables: As in SQLDatabase.
            include_tables: As in SQLDatabase.
            sample_rows_in_table_info: As in SQLDatabase; 0 for none.
            indexes_in_table_info: Accepted; the gateway does not tell indexes.
            custom_table_info: As in SQLDatabase.
            max_string_length: As in SQLDatabase.

        Raises:
            ConfigError: There is no such connection, or its credential is not the gateway's.
            LangguardError: The gateway can't be reached or does not accept the credential.
        """
        with sql_errors():
            client = guard or default_guard()
            found = client.connection(connection)
            if found.custody != "gateway":
                msg = f"The gateway holds no credential of connection {connection!r}: use from_uri or an engine."
                raise ConfigError(msg)
            access = SqlAccess(client, found, None)
        database = cls.__new__(cls)
        database._set_up(  # noqa: SLF001 - a constructor of this class
            access,
            ignore_tables=ignore_tables,
            include_tables=include_tables,
            sample_rows_in_table_info=sample_rows_in_table_info,
            indexes_in_table_info=indexes_in_table_info,
            custom_table_info=custom_table_info,
            max_string_length=max_string_length,
        )
        return database

    @classmethod
    def from_uri(
        cls, database_uri: str | URL, engine_args: dict[str, Any] | None = None, **kwargs: Any
    ) -> "GuardedSQLDatabase":
        """Make an engine from a URI and guard it; keywords as in the constructor."""
        return cls(create_engine(database_uri, **(engine_args or {})), **kwargs)

    @classmethod
    def from_databricks(cls, *args: Any, **kwargs: Any) -> SQLDatabase:
        """As in SQLDatabase, by way of `from_uri`."""
        return super().from_databricks(*args, **kwargs)

    @classmethod
    def from_cnosdb(cls, *args: Any, **kwargs: Any) -> SQLDatabase:
        """As in SQLDatabase, by way of `from_uri`."""
        return super().from_cnosdb(*args, **kwargs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(connection={self._access.name!r})"

    def __reduce__(self) -> NoReturn:
        msg = "A GuardedSQLDatabase holds a session and can't be pickled or copied; make one where it is needed."
        raise TypeError(msg)

    def __deepcopy__(self, memo: dict[int, Any]) -> NoReturn:
        self.__reduce__()

    # -- what would reach around the guard

    @property
    def _engine(self) -> Any:  # type: ignore[override]
        """What code that only compiles needs of an engine: its dialect. Anything else of it is refused."""
        return CompileOnly(self._access.dialect)

    @property
    def _inspector(self) -> Any:  # type: ignore[override]
        raise NotReachableError(unreachable("_inspector"))

    @property
    def _metadata(self) -> Any:  # type: ignore[override]
        raise NotReachableError(unreachable("_metadata"))

    @property
    def _all_tables(self) -> set[str]:  # type: ignore[override]
        with sql_errors():
            return self._tables.all()

    @property
    def _usable_tables(self) -> set[str]:  # type: ignore[override]
        return set(self.get_usable_table_names())

    # -- the schema

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of the database's dialect."""
        return self._access.dialect.name

    def get_usable_table_names(self) -> Iterable[str]:
        """Return the names of the tables this principal may see, asked for anew each time.

        LangChain's listing tool hands what it gets to the model and has no handling of errors, so within a run of that
        tool a refusal is returned as its one line.

        Raises:
            LangguardError: It is not allowed, or there is no answer.
        """
        try:
            with sql_errors():
                return self._tables.names()
        except SQLAlchemyError as refused:
            if provenance.innermost_tool() == _LIST_TOOL:
                return [f"Error: {refused}"]
            raise

    def get_table_names(self) -> Iterable[str]:
        """Return what `get_usable_table_names` does."""
        return self.get_usable_table_names()

    @property
    def table_info(self) -> str:
        """The description of all tables."""
        return self.get_table_info()

    def get_table_info(self, table_names: list[str] | None = None, get_col_comments: bool = False) -> str:
        """Describe tables as CREATE TABLE statements, with masked sample rows.

        Args:
            table_names: Those to describe; None for all.
            get_col_comments: Accepted; the gateway does not tell comments.

        Raises:
            ValueError: A name is not among the usable tables.
            LangguardError: It is not allowed, or there is no answer.
        """
        del get_col_comments
        with sql_errors():
            return self._tables.describe(table_names)

    def get_table_info_no_throw(self, table_names: list[str] | None = None) -> str:
        """Describe tables; what goes wrong is returned as `Error: ...`, for the model to read."""
        try:
            return self.get_table_info(table_names)
        except (ValueError, SQLAlchemyError) as failed:
            return f"Error: {failed}"

    def get_context(self) -> dict[str, Any]:
        """Return the description and the names of all tables, for a prompt.

        Raises:
            LangguardError: The names may not be listed, or there is no answer.
        """
        names = ", ".join(self.get_usable_table_names())
        return {"table_info": self.get_table_info_no_throw(), "table_names": names}

    def _get_table_indexes(self, table: Any) -> str:  # noqa: ARG002 - upstream's signature
        return "Table Indexes:\nnot told by the gateway"

    def _get_sample_rows(self, table: Any) -> str:
        with sql_errors():
            return self._tables.sample(str(getattr(table, "name", table)))

    # -- statements

    def run(
        self,
        command: str | Executable,
        fetch: Fetch = "all",
        include_columns: bool = False,
        *,
        parameters: dict[str, Any] | None = None,
        execution_options: dict[str, Any] | None = None,
    ) -> str | Sequence[dict[str, Any]] | SQLResult[Any]:
        """Run one statement and return its masked rows as text, or with `fetch="cursor"` as a SQLAlchemy result.

        Where policy's row limit cut the result, the text ends in a Python comment that says so.

        Args:
            command: Text, or a SQLAlchemy statement.
            fetch: `all`, `one` or `cursor`.
            include_columns: Show each row as a dict.
            parameters: Values for the statement's named placeholders.
            execution_options: None or empty: others could change what runs.

        Raises:
            AccessDeniedError: It is not allowed; nothing ran.
            TargetError: The database refused or failed it.
            LangguardError: There is no result to release. All of them are SQLAlchemyErrors too.
            ValueError: `fetch` is something else.
        """
        result = self._answer(command, fetch, parameters, execution_options)
        if fetch == "cursor":
            return as_cursor(result)
        rows: list[Any] = [
            {name: truncate_word(value, length=self._max_string_length) for name, value in row.items()}
            for row in as_dicts(result, fetch)
        ]
        if not include_columns:
            rows = [tuple(row.values()) for row in rows]
        text = str(rows) if rows else ""
        if result.truncated and fetch == "all":
            _log.info("call on %s was cut at %d rows by policy", self._access.name, len(result.rows))
            text += f"  # only the first {len(result.rows)} rows were released; there are more"
        return text

    def run_no_throw(
        self,
        command: str,
        fetch: Literal["all", "one"] = "all",
        include_columns: bool = False,
        *,
        parameters: dict[str, Any] | None = None,
        execution_options: dict[str, Any] | None = None,
    ) -> str | Sequence[dict[str, Any]] | SQLResult[Any]:
        """Run one statement as `run` does; a refusal or failure is returned as `Error: ...`, for the model to read."""
        try:
            return self.run(
                command,
                fetch,
                include_columns,
                parameters=parameters,
                execution_options=execution_options,
            )
        except SQLAlchemyError as failed:
            return f"Error: {failed}"

    def _execute(
        self,
        command: str | Executable,
        fetch: Fetch = "all",
        *,
        parameters: dict[str, Any] | None = None,
        execution_options: dict[str, Any] | None = None,
    ) -> Sequence[dict[str, Any]] | SQLResult[Any]:
        result = self._answer(command, fetch, parameters, execution_options)
        return as_cursor(result) if fetch == "cursor" else as_dicts(result, fetch)

    def _answer(
        self, command: object, fetch: str, parameters: dict[str, Any] | None, options: dict[str, Any] | None
    ) -> Result:
        if fetch not in ("all", "one", "cursor"):
            msg = "Fetch parameter must be either 'one', 'all', or 'cursor'"
            raise ValueError(msg)
        with sql_errors():
            if options:
                msg = "execution_options could change what runs and are not supported; leave them out."
                raise ConfigError(msg)
            return self._access.query(*compile_statement(command, parameters, self._access.dialect))
