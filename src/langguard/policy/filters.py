"""Row filters: reading them, and which hold for a principal. What a condition means is judged by the SQL room."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from langguard.policy import names
from langguard.policy.check import Known
from langguard.policy.model import Filter, Mention
from langguard.policy.reader import Reader
from langguard.policy.source import Node
from langguard.protocol import RowFilter

ATTRIBUTES: Final = ("id", "name", "kind", "groups")
"""Attributes of the principal that a condition may name."""
_FIELDS: Final = ("table", "where", "groups", "except")
_QUOTED: Final = re.compile(r"""'[^']*'|"[^"]*\"""")
_NAMED: Final = re.compile(r"\bprincipal\s*\.\s*(\w+)", re.IGNORECASE)


def read_filter(reader: Reader, node: Node, known: Known, mentions: list[Mention]) -> Filter:
    """Return one row filter.

    Raises:
        ConfigError: Something in it is wrong.
    """
    fields = reader.mapping(node, "a row filter", _FIELDS)
    connection = ""
    tables: list[str] = []
    for word in reader.one_or_many(fields.need("table"), "`table`"):
        named, slash, rest = word.text.partition("/")
        if named not in known.connections:
            raise reader.fail(word, f"unknown connection `{named}`{names.suggest(named, known.connections)}")
        pattern = names.table_pattern(rest)
        if not slash or pattern is None or pattern.schema is None or pattern.table is None:
            raise reader.fail(word, f"`{word.text}` names no table; write `connection/schema.table`, without `*`")
        if known.connections[named] != "sql":
            raise reader.fail(word, f"connection `{named}` has no tables")
        if connection not in {"", named}:
            raise reader.fail(word, "a row filter is about tables of one connection")
        connection = named
        tables.append(f"{pattern.schema}.{pattern.table}")
        mentions.append(Mention(kind="table", text=rest, place=word.place, connections=(named,)))
    where = reader.word(fields.need("where"), "`where`")
    named_here = {found.lower() for found in _NAMED.findall(_QUOTED.sub("", where.text))}
    for name in sorted(named_here - set(ATTRIBUTES)):
        raise reader.fail(where, f"a principal has no `{name}`{names.suggest(name, ATTRIBUTES)}")
    groups = reader.one_or_many(fields.nodes["groups"], "`groups`") if "groups" in fields else ()
    exempt = reader.one_or_many(fields.nodes["except"], "`except`") if "except" in fields else ()
    return Filter(
        connection=connection,
        tables=tuple(tables),
        where=where.text.strip(),
        attributes=tuple(sorted(named_here)),
        groups=tuple(reader.name(word, "group") for word in groups),
        exempt=tuple(reader.name(word, "group") for word in exempt),
        place=where.place,
    )


def filters_for(
    filters: Sequence[Filter], *, principal: Mapping[str, tuple[str, ...]], connection: str
) -> tuple[RowFilter, ...]:
    """Return the row filters that hold for a principal on a connection, one for each table.

    Args:
        filters: The policy's.
        principal: The values of each of `ATTRIBUTES`.
        connection: Its name.
    """
    return tuple(
        RowFilter(table=table, where=held.where, values={name: principal[name] for name in held.attributes})
        for held in filters
        if held.holds_for(principal["groups"], connection)
        for table in held.tables
    )
