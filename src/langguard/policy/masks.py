"""Reading the masking part of a policy: masks, `clear`, `structured` and `min_score`, as protocol.MaskPolicy."""

import re
from typing import Final, get_args

import msgspec

from langguard.policy import names
from langguard.policy.check import Known
from langguard.policy.model import ANY, Mention
from langguard.policy.reader import Fields, Reader
from langguard.policy.source import Items, Node, Scalar
from langguard.protocol import ColumnMask, EntityMask, Inference, MaskPolicy, Operator, OperatorName

_ENTITY: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)
_FIELDS: Final = ("columns", "entities", "operator", "everywhere", "connections", "inference", "groups")
_INFERENCES: Final[tuple[Inference, ...]] = get_args(Inference)
_OPERATORS: Final[tuple[OperatorName, ...]] = get_args(OperatorName)


def read_masks(fields: Fields, known: Known, mentions: list[Mention]) -> MaskPolicy:
    """Return the masking rules of a policy's fields.

    Raises:
        ConfigError: A mask is wrong, or a column is both masked and clear.
    """
    reader = fields.reader
    columns: list[ColumnMask] = []
    entities: list[EntityMask] = []
    masked: set[str] = set()
    for node in reader.items(fields.get("masks"), "`masks`"):
        mask = reader.mapping(node, "a mask", _FIELDS)
        if ("columns" in mask) == ("entities" in mask):
            raise reader.fail(node, "a mask names `columns` or `entities`, one of the two")
        operator = _operator(reader, mask.need("operator"))
        if "entities" in mask:
            for key in ("inference", "groups"):
                if key in mask:
                    raise reader.fail(mask.keys[key], f"`{key}` belongs to a mask on `columns`")
            entities.append(_entities(mask, operator, known, mentions))
            continue
        if "everywhere" in mask or "connections" in mask:
            raise reader.fail(
                node, "a mask on columns names the connection in each column: `connection/schema.table.column`"
            )
        found = _patterns(reader, mask.nodes["columns"], known, mentions)
        groups = reader.one_or_many(mask.nodes["groups"], "`groups`") if "groups" in mask else ()
        columns.append(
            ColumnMask(
                columns=tuple(word.text for word in found),
                operator=operator,
                inference=_inference(mask, operator),
                groups=tuple(reader.name(word, "group") for word in groups),
            )
        )
        masked.update(word.text for word in found if operator.name != "keep" and not groups)
    clear = _patterns(reader, fields.nodes["clear"], known, mentions) if "clear" in fields else ()
    structured = _patterns(reader, fields.nodes["structured"], known, mentions) if "structured" in fields else ()
    for word in clear:
        if word.text in masked:
            raise reader.fail(word, f"`{word.text}` is both masked and clear; decide which")
    for word in structured:
        if word.text in {other.text for other in clear}:
            raise reader.fail(word, f"`{word.text}` is both clear and structured; decide which")
    score = fields.get("min_score")
    policy = MaskPolicy(
        columns=tuple(columns),
        entities=tuple(entities),
        clear=tuple(word.text for word in clear),
        structured=tuple(word.text for word in structured),
    )
    if score is None:
        return policy
    return msgspec.structs.replace(policy, min_score=reader.number(score, "`min_score`", 0.0, 1.0))


def _inference(mask: Fields, operator: Operator) -> Inference:
    if "inference" not in mask:
        return "deny"
    reader, node = mask.reader, mask.nodes["inference"]
    word = reader.choice(node, "inference", _INFERENCES)
    if operator.name == "keep":
        raise reader.fail(mask.keys["inference"], "`inference` belongs to a mask that hides; `keep` shows the value")
    if word == "mask" and operator.name not in {"null", "replace"}:
        msg = (
            f"`inference: mask` puts the mask into the statement, where only `null` and `replace` can stand, not "
            f"`{operator.name}`; use one of them, or `inference: deny`"
        )
        raise reader.fail(node, msg)
    return next(each for each in _INFERENCES if each == word)


def _entities(mask: Fields, operator: Operator, known: Known, mentions: list[Mention]) -> EntityMask:
    reader = mask.reader
    words = reader.one_or_many(mask.nodes["entities"], "`entities`")
    for word in words:
        if not _ENTITY.fullmatch(word.text):
            raise reader.fail(word, f"an entity is written like `EMAIL_ADDRESS`, not `{word.text}`")
        mentions.append(Mention(kind="entity", text=word.text, place=word.place))
    everywhere = "everywhere" in mask and reader.boolean(mask.nodes["everywhere"], "`everywhere`")
    if everywhere == ("connections" in mask):
        raise reader.fail(mask.place, "a mask on entities holds `everywhere: true` or on named `connections`")
    named: tuple[Scalar, ...] = ()
    if "connections" in mask:
        named = reader.one_or_many(mask.nodes["connections"], "`connections`")
        for word in named:
            reader.choice(word, "connection", known.connections)
    return EntityMask(
        entities=tuple(word.text for word in words), operator=operator, connections=tuple(word.text for word in named)
    )


def _patterns(reader: Reader, node: Node, known: Known, mentions: list[Mention]) -> tuple[Scalar, ...]:
    if (isinstance(node, Scalar) and node.value is None) or (isinstance(node, Items) and not node.nodes):
        return ()
    words = reader.one_or_many(node, "columns")
    for word in words:
        found = names.column_parts(word.text)
        if found is None:
            raise reader.fail(word, f"`{word.text}` names no column; write `connection/schema.table.column`")
        connection = found[0]
        if connection != ANY and connection not in known.connections:
            near = names.suggest(connection, known.connections)
            raise reader.fail(word, f"unknown connection `{connection}`{near}")
        mentions.append(Mention(kind="column", text=word.text, place=word.place))
    return words


def _operator(reader: Reader, node: Node) -> Operator:
    if isinstance(node, Scalar):
        return Operator(name=_name(reader, node))
    fields = reader.mapping(node, "`operator`", ("name", "keep_last", "text"))
    name = _name(reader, fields.need("name"))
    for key, owner in (("keep_last", "mask"), ("text", "replace")):
        if key in fields and name != owner:
            raise reader.fail(fields.keys[key], f"`{key}` belongs to the operator `{owner}`, not `{name}`")
    return Operator(
        name=name,
        keep_last=reader.integer(fields.nodes["keep_last"], "`keep_last`", 0, 16) if "keep_last" in fields else 0,
        text=reader.text(fields.nodes["text"], "`text`") if "text" in fields else "",
    )


def _name(reader: Reader, node: Node) -> OperatorName:
    word = reader.word(node, "operator") if not _is_null(node) else None
    for operator in _OPERATORS:
        if word is None and operator == "null":
            return operator
        if word is not None and word.text == operator:
            return operator
    text = "" if word is None else word.text
    raise reader.fail(node, f"unknown operator `{text}`{names.suggest(text, _OPERATORS)}")


def _is_null(node: Node) -> bool:
    """Return whether `null` was written out, which names the operator here; an empty value does not."""
    return isinstance(node, Scalar) and node.value is None and node.text == "null"
