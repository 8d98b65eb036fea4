"""What the detection engine is built from. Light: nothing here loads Presidio."""

import hashlib

import msgspec

from langguard.protocol import Wire

PHONE_REGIONS = ("US", "GB", "DE", "FR", "IL", "IN", "CA", "BR")
"""The regions whose national formats Presidio reads by default; international numbers (+...) are read everywhere."""


class PatternSpec(Wire, frozen=True, kw_only=True):
    """One regular expression of a recogniser of your own, in the syntax of the `regex` package.

    Attributes:
        score: 0 to 1; findings below the policy's `min_score` are ignored.
    """

    regex: str
    score: float = 0.6
    name: str = "pattern"


class RecognizerSpec(Wire, frozen=True, kw_only=True):
    """A recogniser of your own: patterns, a list of words, or both.

    Attributes:
        entity: The name it finds, such as `EMPLOYEE_NUMBER`.
        deny_list: Words and phrases that are always findings.
        context: Words that, in the column's name, make a finding more certain.
    """

    entity: str
    patterns: tuple[PatternSpec, ...] = ()
    deny_list: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


class EngineSettings(Wire, frozen=True, kw_only=True):
    """What to find, in which languages.

    Attributes:
        languages: Two-letter codes; the first is the one names are recognised in.
        entities: Exactly what to find, shipped-off recognisers included; None means Presidio's defaults.
        ner_model: A spaCy model's package name or folder, for names and places in prose; None means patterns only.
        recognizers: Your own.
        allow_list: Texts that are never findings, compared exactly.
        phone_regions: Whose national phone formats are read, such as `DE`.
        secrets: Find keys, tokens and private keys as SECRET, which Presidio lacks.
        bare_emails: Find addresses whose domain has no public suffix (`ann@mail.internal`), which Presidio drops.
    """

    languages: tuple[str, ...] = ("en",)
    entities: tuple[str, ...] | None = None
    ner_model: str | None = None
    recognizers: tuple[RecognizerSpec, ...] = ()
    allow_list: tuple[str, ...] = ()
    phone_regions: tuple[str, ...] = PHONE_REGIONS
    secrets: bool = True
    bare_emails: bool = True

    def digest(self) -> str:
        """Return a hex SHA-256 that differs where any setting does."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()
