"""Presidio's own recogniser objects, made safe to run here: offline, nothing downloaded, no value in a log.

This is the one module, with engine.py, that loads Presidio; it does so when an engine is built.
"""

import difflib
import importlib.util
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from langguard.detectors.secret_patterns import PATTERNS, SECRET
from langguard.detectors.settings import EngineSettings, RecognizerSpec
from langguard.errors import ConfigError, MaskingError

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer
    from presidio_analyzer.nlp_engine import NlpEngine

_REMOTE: Final = frozenset(
    {
        "AzureAILanguageRecognizer",
        "AzureHealthDeidRecognizer",
        "BasicLangExtractRecognizer",
        "AzureOpenAILangExtractRecognizer",
        "HuggingFaceNerRecognizer",
        "GLiNERRecognizer",
        "MedicalNERRecognizer",
    }
)
"""Recognisers that need a service or a model of their own; never built here."""
_NLP: Final = frozenset({"SpacyRecognizer", "StanzaRecognizer", "TransformersRecognizer"})
_MODEL_LABELS: Final = {
    "PER": "PERSON",
    "PERSON": "PERSON",
    "NORP": "NRP",
    "FAC": "LOCATION",
    "LOC": "LOCATION",
    "GPE": "LOCATION",
    "LOCATION": "LOCATION",
    "ORG": "ORGANIZATION",
    "DATE": "DATE_TIME",
    "TIME": "DATE_TIME",
}
"""A spaCy model's labels to Presidio's entities."""
_IGNORED_LABELS: Final = (
    "CARDINAL",
    "EVENT",
    "LANGUAGE",
    "LAW",
    "MONEY",
    "ORDINAL",
    "PERCENT",
    "PRODUCT",
    "QUANTITY",
    "WORK_OF_ART",
)


def nlp_engine(settings: EngineSettings) -> "NlpEngine":
    """Return Presidio's language engine: none but a stand-in without a model, else the installed model.

    Raises:
        MaskingError: The model named is not installed; it is never downloaded.
    """
    from presidio_analyzer.nlp_engine import NoOpNlpEngine  # noqa: PLC0415 - loads spaCy

    if settings.ner_model is None:
        engine = NoOpNlpEngine([{"lang_code": code, "model_name": "no_op"} for code in settings.languages])
        engine.load()
        return engine
    name = settings.ner_model
    if importlib.util.find_spec("spacy") is None or not (_is_package(name) or Path(name).is_dir()):
        msg = (
            f"The NER model {name!r} is not installed, and nothing is masked without it. Install it with "
            f"`python -m spacy download {name}`, or leave ner_model out to mask free text whole."
        )
        raise MaskingError(msg)
    from presidio_analyzer.nlp_engine import NlpEngineProvider  # noqa: PLC0415

    provider = NlpEngineProvider(
        nlp_configuration={
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": settings.languages[0], "model_name": name}],
            "ner_model_configuration": {
                "labels_to_ignore": list(_IGNORED_LABELS),
                "model_to_presidio_entity_mapping": dict(_MODEL_LABELS),
            },
        }
    )
    return provider.create_engine()


def _is_package(name: str) -> bool:
    import spacy.util  # noqa: PLC0415

    return bool(spacy.util.is_package(name))


def recognizers(settings: EngineSettings, nlp: "NlpEngine") -> "list[EntityRecognizer]":
    """Return the recogniser objects that `settings` ask for.

    Raises:
        ConfigError: An entity is unknown (the nearest is named) or a pattern can't be compiled.
    """
    from presidio_analyzer.recognizer_registry import RecognizerRegistryProvider  # noqa: PLC0415

    _quiet()
    provider = RecognizerRegistryProvider(registry_configuration={"supported_languages": list(settings.languages)})
    built = list(provider.create_recognizer_registry().recognizers)
    built = [recognizer for recognizer in built if type(recognizer).__name__ not in _NLP]
    built += _from_model(settings, nlp)
    built += _own(settings)
    if settings.entities is not None:
        built += _shipped_off(settings, {entity for recognizer in built for entity in recognizer.supported_entities})
        available = {entity for recognizer in built for entity in recognizer.supported_entities}
        for entity in settings.entities:
            require(entity, available)
        built = [recognizer for recognizer in built if set(recognizer.supported_entities) & set(settings.entities)]
    for recognizer in built:
        _offline(recognizer)
        _regions(recognizer, settings.phone_regions)
    return built


def require(entity: str, available: Iterable[str]) -> None:
    """Do nothing where `entity` can be found.

    Raises:
        ConfigError: It can't; the nearest name is given.
    """
    names = sorted(available)
    if entity in names:
        return
    near = difflib.get_close_matches(entity.upper(), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}."
    msg = f"No recogniser finds {entity!r}; {hint}"
    raise ConfigError(msg)


def _from_model(settings: EngineSettings, nlp: "NlpEngine") -> "list[EntityRecognizer]":
    if settings.ner_model is None:
        return []
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer  # noqa: PLC0415

    return [
        SpacyRecognizer(supported_language=code, supported_entities=nlp.get_supported_entities())
        for code in nlp.get_supported_languages()
    ]


def _own(settings: EngineSettings) -> "list[EntityRecognizer]":
    """Return the recognisers that Presidio lacks, and the user's."""
    specs = list(settings.recognizers)
    built: list[EntityRecognizer] = []
    for language in settings.languages:
        if settings.secrets:
            built.append(_pattern_recognizer("LangguardSecrets", SECRET, PATTERNS, language, cased=True))
        if settings.bare_emails:
            built.append(
                _pattern_recognizer(
                    "LangguardBareEmail",
                    "EMAIL_ADDRESS",
                    (("no public suffix", r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}(?!\w)", 0.5),),
                    language,
                )
            )
        for number, spec in enumerate(specs):
            if not spec.languages or language in spec.languages:
                built.append(_custom(spec, number, language))
    return built


def _custom(spec: RecognizerSpec, number: int, language: str) -> "EntityRecognizer":
    import regex  # type: ignore[import-untyped]  # noqa: PLC0415

    if not spec.entity or not (spec.patterns or spec.deny_list):
        msg = f"Recogniser {number} ({spec.entity or 'without entity'}) has neither patterns nor a deny_list."
        raise ConfigError(msg)
    for pattern in spec.patterns:
        try:
            regex.compile(pattern.regex)
        except regex.error as failed:
            msg = f"Recogniser {number} ({spec.entity}): {pattern.regex!r} is no regular expression: {failed}."
            raise ConfigError(msg) from failed
    return _pattern_recognizer(
        f"Own{number}",
        spec.entity,
        tuple((pattern.name, pattern.regex, pattern.score) for pattern in spec.patterns),
        language,
        deny_list=spec.deny_list,
        context=spec.context,
    )


def _pattern_recognizer(
    name: str,
    entity: str,
    patterns: tuple[tuple[str, str, float], ...],
    language: str,
    *,
    deny_list: tuple[str, ...] = (),
    context: tuple[str, ...] = (),
    cased: bool = False,
) -> "EntityRecognizer":
    import regex  # noqa: PLC0415
    from presidio_analyzer import Pattern, PatternRecognizer  # noqa: PLC0415

    flags = regex.DOTALL | regex.MULTILINE
    return PatternRecognizer(
        supported_entity=entity,
        name=name,
        supported_language=language,
        patterns=[Pattern(name=title, regex=text, score=score) for title, text, score in patterns],
        deny_list=list(deny_list),
        context=list(context),
        global_regex_flags=flags if cased else flags | regex.IGNORECASE,
    )


def _shipped_off(settings: EngineSettings, have: set[str]) -> "list[EntityRecognizer]":
    """Return Presidio's recognisers that are off by default and find an entity that was asked for by name."""
    from presidio_analyzer import PatternRecognizer, predefined_recognizers  # noqa: PLC0415

    missing = set(settings.entities or ()) - have
    if not missing:
        return []
    built: list[EntityRecognizer] = []
    for name in sorted(predefined_recognizers.__all__):
        kind = getattr(predefined_recognizers, name, None)
        if name in _REMOTE or not isinstance(kind, type) or not issubclass(kind, PatternRecognizer):
            continue
        recognizer = cast("Any", kind)()
        if recognizer.supported_language in settings.languages and missing & set(recognizer.supported_entities):
            built.append(recognizer)
    return built


def _offline(recognizer: Any) -> None:
    """Have the e-mail recogniser use the suffix list it came with: it would fetch a new one from the network."""
    from presidio_analyzer.predefined_recognizers import EmailRecognizer  # noqa: PLC0415

    if isinstance(recognizer, EmailRecognizer) and type(recognizer).validate_result is EmailRecognizer.validate_result:
        vars(recognizer)["validate_result"] = _suffix_check()


def _suffix_check() -> Callable[[str], bool]:
    import tldextract  # noqa: PLC0415

    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    return lambda text: bool(extract(text).fqdn)


def _regions(recognizer: Any, regions: tuple[str, ...]) -> None:
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer  # noqa: PLC0415

    if type(recognizer) is PhoneRecognizer:
        for region in regions:
            if region not in SUPPORTED_REGIONS:
                msg = f"{region!r} is no phone region; give two letters such as DE."
                raise ConfigError(msg)
        recognizer.supported_regions = tuple(regions)


class _NoValues(logging.Filter):
    """Drops the one record in which Presidio writes the text it looks at, and its notes on languages not asked for."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record may be written."""
        return not str(record.msg).startswith(("Failed to validate text", "Recognizer not added to registry because"))


def _quiet() -> None:
    logger: Any = logging.getLogger("presidio-analyzer")
    if not any(isinstance(held, _NoValues) for held in logger.filters):
        logger.addFilter(_NoValues())
