"""A policy document to a Policy, or the place where it is wrong and the nearest valid name."""

import dataclasses
from typing import Final

from langguard.errors import PolicyError
from langguard.policy import names
from langguard.policy import source as yaml_source
from langguard.policy.check import Known, check
from langguard.policy.filters import read_filter
from langguard.policy.masks import read_masks
from langguard.policy.model import ANY, DEFAULT_LIMIT, Grant, Limit, Mention, Policy, Rule, Scope
from langguard.policy.reader import Fields, Reader
from langguard.policy.rules import read_actions, read_rule, read_scopes
from langguard.policy.source import Items, Node, Scalar
from langguard.policy.version import version_of

SECTIONS: Final = ("grants", "rules", "masks", "clear", "structured", "min_score", "row_filters", "limits")
"""What a policy is made of, in a document of its own or inside the gateway's file."""

_BOUNDS: Final = ("rows", "statement_timeout", "result_bytes")


def parse(text: str, *, source: str, known: Known) -> Policy:
    """Return the policy that a YAML document spells.

    Args:
        text: The document.
        source: Its name, for messages.
        known: What exists. Names are checked as far as it tells; `check` looks again when more is known.

    Raises:
        PolicyError: The document is wrong; source, line and column are named, and the nearest valid name.
    """
    document = yaml_source.read(text, source=source, error=PolicyError)
    reader = Reader(document)
    fields = reader.mapping(document.root, "the policy", ("version", *SECTIONS))
    read_version(fields)
    return build(fields, known)


def read_version(fields: Fields) -> int:
    """Return the document's format version, which must be 1.

    Raises:
        ConfigError: It is missing or not 1.
    """
    return fields.reader.integer(fields.need("version"), "`version`", 1, 1)


def build(fields: Fields, known: Known) -> Policy:
    """Return the policy of a mapping that holds its sections.

    Raises:
        ConfigError: A section is wrong.
    """
    reader = fields.reader
    mentions: list[Mention] = []
    grants = tuple(_grant(reader, node, known, mentions) for node in reader.items(fields.get("grants"), "`grants`"))
    rules = _rules(reader, fields.get("rules"), known, mentions)
    policy = Policy(
        version=1,
        grants=grants,
        rules=rules,
        masks=read_masks(fields, known, mentions),
        row_filters=tuple(
            read_filter(reader, node, known, mentions)
            for node in reader.items(fields.get("row_filters"), "`row_filters`")
        ),
        limits=_limits(reader, fields.get("limits"), known, mentions),
        source=reader.document.source,
        reads=tuple(sorted({path for rule in rules if rule.when for path in rule.when.reads})),
        mentions=tuple(mentions),
    )
    if problems := check(policy, known):
        raise problems[0]
    return dataclasses.replace(policy, version_id=version_of(policy))


def _grant(reader: Reader, node: Node, known: Known, mentions: list[Mention]) -> Grant:
    fields = reader.mapping(node, "a grant", ("group", "principal", "connection", "actions", "tables"))
    if ("group" in fields) == ("principal" in fields):
        raise reader.fail(node, "a grant names a `group` or a `principal`, one of the two")
    connection = _connection(reader, fields.need("connection"), known)
    kinds = tuple(known.connections.values()) if connection == ANY else (known.connections[connection],)
    tables = []
    for item in reader.one_or_many(fields.nodes["tables"], "`tables`") if "tables" in fields else ():
        pattern = names.table_pattern(item.text)
        if pattern is None:
            raise reader.fail(item, f"`{item.text}` names no table; write `schema.table` or `schema.*`")
        if "sql" not in kinds:
            raise reader.fail(item, f"connection `{connection}` has no tables")
        tables.append(pattern)
        mentions.append(Mention(kind="table", text=item.text, place=item.place, connections=(connection,)))
    return Grant(
        group=reader.name(fields.nodes["group"], "group") if "group" in fields else "",
        principal=reader.name(fields.nodes["principal"], "principal") if "principal" in fields else "",
        connection=connection,
        actions=read_actions(reader, fields.need("actions"), kinds, wildcard=False),
        tables=tuple(tables),
    )


def _connection(reader: Reader, node: Node, known: Known) -> str:
    text = reader.text(node, "connection")
    return text if text == ANY else reader.choice(node, "connection", known.connections)


def _rules(reader: Reader, node: Node | None, known: Known, mentions: list[Mention]) -> tuple[Rule, ...]:
    seen: dict[str, Scalar] = {}
    found: list[Rule] = []
    for item in reader.items(node, "`rules`"):
        rule, word = read_rule(reader, item, known, mentions)
        folded = rule.id.casefold()
        if folded in seen:
            first = seen[folded].place
            msg = f"rule `{rule.id}` is given twice; first at line {first.line}, column {first.column}"
            raise reader.fail(word, msg)
        seen[folded] = word
        found.append(rule)
    return tuple(found)


def _limits(reader: Reader, node: Node | None, known: Known, mentions: list[Mention]) -> tuple[Limit, ...]:
    if node is None:
        return (DEFAULT_LIMIT,)
    if not isinstance(node, Items):
        return (_whole(_limit(reader, reader.mapping(node, "`limits`", _BOUNDS), None)),)
    everywhere: Limit | None = None
    scoped: list[Limit] = []
    for item in node.nodes:
        fields = reader.mapping(item, "a limit", ("on", *_BOUNDS))
        if "on" in fields:
            scopes = read_scopes(reader, fields.nodes["on"], known, mentions)
            scoped += [_limit(reader, fields, scope) for scope in scopes]
        elif everywhere is not None:
            raise reader.fail(item, "a limit without `on` is given twice")
        else:
            everywhere = _limit(reader, fields, None)
    return (_whole(everywhere or DEFAULT_LIMIT), *scoped)


def _limit(reader: Reader, fields: Fields, on: Scope | None) -> Limit:
    rows, timeout, size = (fields.get(bound) for bound in _BOUNDS)
    if rows is timeout is size is None:
        raise reader.fail(fields.place, f"a limit bounds one of {', '.join(_BOUNDS)}")
    return Limit(
        on=on,
        rows=None if rows is None else reader.integer(rows, "`rows`", 1, 100_000),
        timeout_ms=None
        if timeout is None
        else reader.duration(timeout, "`statement_timeout`", 1_000, 3_600_000_000) // 1_000,
        result_bytes=None if size is None else reader.integer(size, "`result_bytes`", 1_000, 1_000_000_000),
    )


def _whole(limit: Limit) -> Limit:
    """Return the limit with what it leaves open filled in, so that there always is a bound."""
    return Limit(
        rows=limit.rows or DEFAULT_LIMIT.rows,
        timeout_ms=limit.timeout_ms or DEFAULT_LIMIT.timeout_ms,
        result_bytes=limit.result_bytes or DEFAULT_LIMIT.result_bytes,
    )
