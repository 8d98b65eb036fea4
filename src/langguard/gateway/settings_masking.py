"""The `masking` section of the configuration: what the detection engine is built from."""

import re
from typing import Final

from langguard.detectors.settings import EngineSettings, PatternSpec, RecognizerSpec
from langguard.policy.reader import Reader
from langguard.policy.source import Node

_SECTION: Final = (
    "languages",
    "ner_model",
    "phone_regions",
    "recognizers",
    "deny_lists",
    "allow_list",
    "secrets",
    "bare_emails",
)
_RECOGNIZER: Final = ("entity", "name", "pattern", "score", "context")
_LANGUAGE: Final = re.compile(r"[a-z]{2}", re.ASCII)
_REGION: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_ENTITY: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)


def read_masking(reader: Reader, node: Node) -> EngineSettings:
    """Return the engine's settings; what is left out has EngineSettings' own default.

    Raises:
        ConfigError: Something in it is wrong.
    """
    fields = reader.mapping(node, "`masking`", _SECTION)
    default = EngineSettings()
    model = fields.get("ner_model")
    none = model is None or (getattr(model, "value", "") is None)
    specs = [_recognizer(reader, item) for item in reader.items(fields.get("recognizers"), "`recognizers`")]
    specs += [_deny_list(reader, item) for item in reader.items(fields.get("deny_lists"), "`deny_lists`")]
    secrets, emails = fields.get("secrets"), fields.get("bare_emails")
    return EngineSettings(
        languages=_codes(reader, fields.get("languages"), _LANGUAGE, "a language is two letters, such as `en`")
        or default.languages,
        ner_model=None if model is None or none else reader.text(model, "`ner_model`"),
        recognizers=tuple(specs),
        allow_list=_texts(reader, fields.get("allow_list"), "`allow_list`"),
        phone_regions=_codes(reader, fields.get("phone_regions"), _REGION, "a region is two capitals, such as `DE`")
        or default.phone_regions,
        secrets=default.secrets if secrets is None else reader.boolean(secrets, "`secrets`"),
        bare_emails=default.bare_emails if emails is None else reader.boolean(emails, "`bare_emails`"),
    )


def _texts(reader: Reader, node: Node | None, what: str) -> tuple[str, ...]:
    return () if node is None else tuple(word.text for word in reader.one_or_many(node, what))


def _codes(reader: Reader, node: Node | None, form: re.Pattern[str], wrong: str) -> tuple[str, ...]:
    if node is None:
        return ()
    words = reader.one_or_many(node, "codes")
    for word in words:
        if not form.fullmatch(word.text):
            raise reader.fail(word, f"{wrong}, not `{word.text}`")
    return tuple(word.text for word in words)


def _entity(reader: Reader, node: Node) -> str:
    text = reader.text(node, "`entity`")
    if not _ENTITY.fullmatch(text):
        raise reader.fail(node, f"an entity is written like `EMPLOYEE_NUMBER`, not `{text}`")
    return text


def _recognizer(reader: Reader, node: Node) -> RecognizerSpec:
    fields = reader.mapping(node, "a recognizer", _RECOGNIZER)
    score = fields.get("score")
    spec = PatternSpec(
        regex=reader.text(fields.need("pattern"), "`pattern`"),
        score=PatternSpec(regex="x").score if score is None else reader.number(score, "`score`", 0.0, 1.0),
        name=reader.text(fields.nodes["name"], "`name`") if "name" in fields else "pattern",
    )
    return RecognizerSpec(
        entity=_entity(reader, fields.need("entity")),
        patterns=(spec,),
        context=_texts(reader, fields.get("context"), "`context`"),
    )


def _deny_list(reader: Reader, node: Node) -> RecognizerSpec:
    fields = reader.mapping(node, "a deny list", ("entity", "words"))
    return RecognizerSpec(
        entity=_entity(reader, fields.need("entity")),
        deny_list=_texts(reader, fields.need("words"), "`words`"),
    )
