"""One database behind the gateway, as the components use it: statements and structure, each a call with its context."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.engine import Dialect

from langguard.client import Guard
from langguard.client.run import decoded, read_schema, run_at_gateway, run_with_engine
from langguard.clock import new_id
from langguard.components import provenance, schema_text
from langguard.components.schema_text import TableText
from langguard.components.statements import DEFAULT_SCHEMA, dialect_for
from langguard.errors import AccessDeniedError, ConfigError, TargetError
from langguard.protocol import CallRequest, ConnectionInfo, Result, SchemaCall, SqlCall

if TYPE_CHECKING:
    from sqlalchemy import Engine

UNKNOWN_TABLE: Final = "unknown_table"
"""The gateway's reason where a table that was named is not there."""


class SqlAccess:
    """Asks for calls on one connection. Its repr shows the connection's name and nothing else.

    Attributes:
        name: The connection's.
        dialect: SQLAlchemy's dialect without a driver.
    """

    def __init__(self, guard: Guard, connection: ConnectionInfo, engine: "Engine | None") -> None:
        self.name = connection.name
        self.dialect: Dialect = dialect_for(connection.dialect)
        self._kind = connection.dialect
        self._guard = guard
        self.__engine = engine  # handed to run_with_engine and to nothing else

    def __repr__(self) -> str:
        return f"SqlAccess({self.name!r})"

    def query(self, statement: str, binds: Sequence[Any] = ()) -> Result:
        """Return the masked, recorded result of one statement.

        Raises:
            LangguardError: It is not allowed, failed, or there is no result to trust.
        """
        call = SqlCall(connection=self.name, statement=statement, binds=tuple(binds))
        request = _request(call, statement)
        if self.__engine is None:
            return run_at_gateway(self._guard, request)
        return run_with_engine(self._guard, request, self.__engine, self._kind)

    def tables(self, names: Iterable[str] | None) -> tuple[list[TableText], tuple[str, ...]]:
        """Return the tables asked for that the principal may see (None: all), and the default schemas.

        Raises:
            LangguardError: It is not allowed, or there is no answer to trust.
        """
        asked = SchemaCall(connection=self.name, tables=tuple(names) if names is not None else None)
        result, defaults = read_schema(self._guard, _request(asked, ""))
        return schema_text.read_tables(result, decoded(result)), defaults or (DEFAULT_SCHEMA[self.dialect.name],)


class Schema:
    """What a component shows of a database: some tables, described for a model. Asked for anew each time."""

    def __init__(
        self,
        access: SqlAccess,
        *,
        include: Iterable[str] = (),
        ignore: Iterable[str] = (),
        samples: int = 3,
        indexes: bool = False,
        custom: dict[str, str] | None = None,
    ) -> None:
        self._access = access
        self._include = frozenset(include)
        self._ignore = frozenset(ignore)
        self._samples = samples
        self._indexes = indexes
        self._custom = custom or {}

    def check(self, schema: str | None) -> None:
        """Do nothing where the names given at construction are there.

        Raises:
            ConfigError: `schema` is not where unqualified names are looked up.
            ValueError: Tables to include or ignore are not there.
        """
        tables, defaults = self._access.tables(None)
        if schema is not None and schema not in defaults:
            msg = (
                f"Unqualified names of connection {self._access.name!r} are looked up in {', '.join(defaults)}, "
                f"not in {schema!r}: leave out schema=, and write {schema}.table in statements."
            )
            raise ConfigError(msg)
        known = {name for table in tables for name in (table.shown(defaults), f"{table.schema}.{table.name}")}
        for argument, names in (("include_tables", self._include), ("ignore_tables", self._ignore)):
            if missing := set(names - known):
                msg = f"{argument} {missing} not found in database"
                raise ValueError(msg)

    def all(self) -> set[str]:
        """Return the names of all tables the principal may see."""
        tables, defaults = self._access.tables(None)
        return {table.shown(defaults) for table in tables}

    def names(self) -> list[str]:
        """Return the names of the usable tables, sorted."""
        return list(self._shown(None)[0])

    def describe(self, names: Sequence[str] | None) -> str:
        """Return CREATE TABLE statements with sample rows, of all usable tables or of those named.

        Raises:
            ValueError: A name is not among the usable tables.
            LangguardError: It is not allowed, or there is no answer to trust.
        """
        tables, defaults = self._shown(names)
        return "\n\n".join(sorted(self._describe(name, table, defaults) for name, table in tables.items()))

    def sample(self, name: str) -> str:
        """Return the sample rows of one table, or why they are not shown."""
        tables, defaults = self._shown([name])
        ((shown, table),) = tables.items()
        return self._sample(shown, table, defaults)

    def _shown(self, names: Sequence[str] | None) -> tuple[dict[str, TableText], tuple[str, ...]]:
        wanted = None if names is None else list(dict.fromkeys(names))
        tables, defaults = self._named(wanted if wanted is not None else sorted(self._include) or None)
        usable = schema_text.chosen(tables, defaults, include=self._include, ignore=self._ignore)
        if wanted is None:
            return usable, defaults
        by_name = usable | {f"{table.schema}.{table.name}": table for table in usable.values()}
        if missing := {name for name in wanted if name not in by_name}:
            msg = f"table_names {missing} not found in database"
            raise ValueError(msg)
        return {by_name[name].shown(defaults): by_name[name] for name in wanted}, defaults

    def _named(self, names: Sequence[str] | None) -> tuple[list[TableText], tuple[str, ...]]:
        """Return the tables named; where the gateway says that one of them is not there, all of them."""
        try:
            return self._access.tables(names)
        except AccessDeniedError as refused:
            if names is None or refused.reason != UNKNOWN_TABLE:
                raise
        return self._access.tables(None)

    def _describe(self, name: str, table: TableText, defaults: Sequence[str]) -> str:
        if name in self._custom:
            return self._custom[name]
        extra = []
        if self._indexes:
            extra.append("\nTable Indexes:\nnot told by the gateway\n")
        if self._samples:
            extra.append(f"\n{self._sample(name, table, defaults)}\n")
        text = schema_text.create_table(table, self._access.dialect, defaults).rstrip()
        return text + ("\n\n/*" + "".join(extra) + "*/" if extra else "")

    def _sample(self, name: str, table: TableText, defaults: Sequence[str]) -> str:
        statement = schema_text.sample_statement(table, self._access.dialect, defaults, self._samples)
        try:
            result = self._access.query(statement)
        except (AccessDeniedError, TargetError) as refused:
            return f"Sample rows of {name} are not shown: {schema_text.one_line(str(refused))}"
        names = [column.name for column in result.columns]
        return schema_text.sample_text(table.name, self._samples, names, decoded(result))


def connection_of(guard: Guard, engine: "Engine") -> ConnectionInfo:
    """Return the connection that leads where an engine leads.

    Raises:
        ConfigError: None or several do; the sentence says how to name it.
    """
    url = engine.url
    database = url.database
    if engine.dialect.name in {"sqlite", "duckdb"} and database and not database.startswith((":", "file:")):
        database = str(Path(database).resolve())
    return guard.find_connection(engine.dialect.name, url.host, url.port, database)


def _request(call: SqlCall | SchemaCall, hint: str) -> CallRequest:
    context, bodies = provenance.capture(hint)
    return CallRequest(id=new_id("call"), call=call, context=context, bodies=bodies)
