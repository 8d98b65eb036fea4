"""Reading one rule: its actions, where it holds, its condition and who may approve."""

from collections.abc import Iterable
from typing import Final

from langguard.policy import names
from langguard.policy.check import Known
from langguard.policy.conditions import Condition, ConditionError, compile_condition
from langguard.policy.environment import ACTIONS, KIND_ACTIONS
from langguard.policy.model import ANY, Approvers, Effect, Mention, Rule, Scope
from langguard.policy.reader import Reader
from langguard.policy.source import Node, Scalar

_EFFECTS: Final[tuple[Effect, ...]] = ("allow", "deny", "review")
_FIELDS: Final = ("id", *_EFFECTS, "on", "when", "approvers", "message")


def read_rule(reader: Reader, node: Node, known: Known, mentions: list[Mention]) -> tuple[Rule, Scalar]:
    """Return a rule, and where its id stands.

    Raises:
        ConfigError: Something in it is wrong.
    """
    fields = reader.mapping(node, "a rule", _FIELDS)
    word = reader.word(fields.need("id"), "`id`")
    rule_id = reader.identifier(word, "rule id")
    effects = [effect for effect in _EFFECTS if effect in fields]
    if len(effects) != 1:
        raise reader.fail(node, f"rule `{rule_id}` needs one of `allow`, `deny` or `review`, with its actions")
    effect = effects[0]
    on = read_scopes(reader, fields.nodes["on"], known, mentions) if "on" in fields else ()
    kinds = {kind for scope in on for kind in _kinds(scope, known)} if on else set(KIND_ACTIONS)
    when = None
    if "when" in fields:
        text = reader.word(fields.nodes["when"], "`when`")
        when = _condition(reader, text)
        _refuse_asserted(reader, text, when, effect, rule_id)
        connections = tuple(sorted({scope.connection for scope in on})) or (ANY,)
        mentions += _literals(reader, text, when, connections)
    if "approvers" in fields and effect != "review":
        raise reader.fail(fields.keys["approvers"], "`approvers` belongs to a `review` rule")
    rule = Rule(
        id=rule_id,
        effect=effect,
        actions=read_actions(reader, fields.nodes[effect], kinds, wildcard=effect != "allow"),
        on=on,
        when=when,
        approvers=_approvers(reader, fields.nodes["approvers"]) if "approvers" in fields else None,
        message=reader.text(fields.nodes["message"], "`message`").strip() if "message" in fields else "",
    )
    return rule, word


def read_actions(reader: Reader, node: Node, kinds: Iterable[str], *, wildcard: bool) -> tuple[str, ...]:
    """Return one or several actions, each an action of one of these kinds of connection.

    Args:
        reader: Of the document.
        node: One action or a list.
        kinds: Kinds of connection in question.
        wildcard: Take `*` for all: right for what forbids, never for what allows.

    Raises:
        ConfigError: An action does not exist there.
    """
    words = reader.one_or_many(node, "actions")
    wanted = set(kinds)
    valid = {action for kind in wanted for action in KIND_ACTIONS.get(kind, ())}
    for word in words:
        if word.text == ANY:
            if not wildcard:
                raise reader.fail(word, "`*` only forbids; name each action that is allowed")
            if len(words) > 1:
                raise reader.fail(word, "`*` already means every action")
        elif word.text not in ACTIONS:
            raise reader.fail(word, f"unknown action `{word.text}`{names.suggest(word.text, valid or ACTIONS)}")
        elif word.text not in valid:
            where = ", ".join(sorted(wanted)) or "this"
            hint = names.suggest("", valid)
            raise reader.fail(word, f"`{word.text}` is no action of {where} connections{hint}")
    return tuple(word.text for word in words)


def read_scopes(reader: Reader, node: Node, known: Known, mentions: list[Mention]) -> tuple[Scope, ...]:
    """Return where a rule or limit holds: one scope or a list.

    Raises:
        ConfigError: A connection, kind or table in it does not exist.
    """
    return tuple(_scope(reader, word, known, mentions) for word in reader.one_or_many(node, "`on`"))


def _scope(reader: Reader, word: Scalar, known: Known, mentions: list[Mention]) -> Scope:
    text = word.text
    if text.startswith("kind:"):
        kind = text.removeprefix("kind:")
        if kind not in KIND_ACTIONS:
            raise reader.fail(word, f"unknown kind `{kind}`{names.suggest(kind, KIND_ACTIONS)}")
        return Scope(text, kind=kind)
    connection, slash, rest = text.partition("/")
    if connection != ANY and connection not in known.connections:
        raise reader.fail(word, f"unknown connection `{connection}`{names.suggest(connection, known.connections)}")
    if not slash:
        return Scope(text, connection=connection)
    pattern = names.table_pattern(rest)
    if pattern is None:
        if names.column_parts(text):
            raise reader.fail(word, f"`on` names tables; for a column write `when: '\"{rest}\" in facts.touched'`")
        raise reader.fail(word, f"`{text}` names no table; write `connection/schema.table` or `connection/schema.*`")
    if connection != ANY and known.connections[connection] != "sql":
        raise reader.fail(word, f"connection `{connection}` has no tables")
    mentions.append(Mention(kind="table", text=rest, place=word.place, connections=(connection,)))
    return Scope(text, connection=connection, tables=pattern)


def _kinds(scope: Scope, known: Known) -> tuple[str, ...]:
    if scope.kind:
        return (scope.kind,)
    if scope.connection == ANY:
        return ("sql",) if scope.tables else tuple(KIND_ACTIONS)
    return (known.connections[scope.connection],)


def _condition(reader: Reader, word: Scalar) -> Condition:
    try:
        return compile_condition(word.text)
    except ConditionError as failed:
        place = reader.document.locate(word, failed.offset)
        fragment = word.text[failed.offset : failed.offset + 40].split("\n")[0]
        at = f" (at `{fragment}`)" if fragment and place == word.place and failed.offset else ""
        raise reader.fail(place, f"condition: {failed}{at}") from None


def _refuse_asserted(reader: Reader, word: Scalar, when: Condition, effect: Effect, rule_id: str) -> None:
    """Keep what the client says about itself out of what allows: a compromised agent could say anything."""
    if effect == "allow" and when.asserted:
        listed = ", ".join(f"`{path}`" for path in when.asserted)
        msg = (
            f"rule `{rule_id}` allows on {listed}, which the client asserts, so an agent could allow itself; "
            f"read it in a `deny` or `review` rule instead"
        )
        raise reader.fail(word, msg)


def _literals(reader: Reader, word: Scalar, when: Condition, connections: tuple[str, ...]) -> list[Mention]:
    return [
        Mention(
            kind="table literal" if literal.domain == "table" else "column literal",
            text=literal.text,
            place=reader.document.locate(word, literal.offset),
            connections=connections,
        )
        for literal in when.literals
    ]


def _approvers(reader: Reader, node: Node) -> Approvers:
    fields = reader.mapping(node, "`approvers`", ("groups", "needed", "expires", "justification"))
    words = reader.one_or_many(fields.need("groups"), "`groups`")
    defaults = Approvers(groups=())
    needed, expires, why = fields.get("needed"), fields.get("expires"), fields.get("justification")
    return Approvers(
        groups=tuple(reader.name(word, "group") for word in words),
        needed=defaults.needed if needed is None else reader.integer(needed, "`needed`", 1, 10),
        expires_us=defaults.expires_us
        if expires is None
        else reader.duration(expires, "`expires`", 1_000_000, 7 * 86_400_000_000),
        justification=why is not None and reader.choice(why, "`justification`", ("required", "optional")) == "required",
    )
