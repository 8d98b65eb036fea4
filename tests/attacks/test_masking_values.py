"""Attacks on masking by content: what stored values, encodings and shapes hide a card or an address in.

Each row is a value that must not come through. A bypass found becomes a permanent row.
"""

import json
from decimal import Decimal

import pytest
from pytest_socket import disable_socket, enable_socket

from langguard.detectors import Engine, EngineSettings
from langguard.masking import apply, mask_text
from langguard.protocol import ColumnPlan, EntityMask, MaskPlan, Operator
from langguard.protocol.values import decode

ENTITIES = ("EMAIL_ADDRESS", "CREDIT_CARD", "US_SSN", "PHONE_NUMBER", "IBAN_CODE", "SECRET")
CARD = "4111 1111 1111 1111"
BARE = "4111111111111111"
EMAIL = "maria.lopez@example.com"
SSN = "536-22-1876"
IBAN = "DE89370400440532013000"
FULL_WIDTH = {code: code + 0xFEE0 for code in range(33, 127)}
HOMOGLYPHS = str.maketrans("aeopcxyMK", "аеорсхуМК")


@pytest.fixture(scope="module")
def engine():
    disable_socket()
    try:
        built = Engine(EngineSettings())
        built.self_test()
    finally:
        enable_socket()
    return built


def show(engine, value, operator="replace", **plan):
    column = ColumnPlan(**{"action": "analyse", "label": "COL", **plan})
    held = MaskPlan(columns=(column,), entities=(EntityMask(entities=ENTITIES, operator=Operator(name=operator)),))
    result = apply(("c",), [(value,)], held, find=engine.find, key=b"k" * 16)
    return decode(result.rows[0][0]), result.masked


def weave(text, mark):
    return mark.join(text)


TEXTS = {
    "plain card": (CARD, BARE),
    "dashed card": (CARD.replace(" ", "-"), BARE),
    "card in prose": (f"card {CARD}, thanks", BARE),
    "zero-width space in a card": (weave(BARE, "\u200b"), BARE),
    "zero-width joiner in an address": (weave(EMAIL, "\u200d"), EMAIL),
    "byte order mark": (weave(BARE, "\ufeff"), BARE),
    "word joiner": (weave(SSN, "\u2060"), SSN),
    "soft hyphen": (EMAIL[:4] + "\u00ad" + EMAIL[4:], EMAIL),
    "combining grapheme joiner": (weave(BARE, "\u034f"), BARE),
    "combining strokes": (weave(BARE, "\u0336"), BARE),
    "variation selectors": (weave(BARE, "\ufe0f"), BARE),
    "tag characters": (weave(BARE, "\U000e0041"), BARE),
    "hangul filler": (weave(BARE, "\u3164"), BARE),
    "mongolian vowel separator": (weave(BARE, "\u180e"), BARE),
    "control characters": (weave(BARE, "\x01"), BARE),
    "nul": (weave(BARE, "\x00"), BARE),
    "delete": (weave(BARE, "\x7f"), BARE),
    "bidi override": ("\u202e" + EMAIL + "\u202c", EMAIL),
    "full-width digits": (BARE.translate(FULL_WIDTH), BARE),
    "full-width address": (EMAIL.translate(FULL_WIDTH), EMAIL),
    "half full-width": (BARE[:8] + BARE[8:].translate(FULL_WIDTH), BARE),
    "arabic-indic digits": (BARE.translate({48 + i: 0x660 + i for i in range(10)}), BARE),
    "devanagari digits": (SSN.translate({48 + i: 0x966 + i for i in range(10)}), SSN),
    "mathematical digits": (BARE.translate({48 + i: 0x1D7CE + i for i in range(10)}), BARE),
    "superscript digits": (BARE.translate(dict(zip(map(ord, "0123456789"), "⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True))), BARE),
    "circled digits": (BARE.translate({49 + i: 0x2460 + i for i in range(9)}), BARE),
    "cyrillic look-alikes": (EMAIL.translate(HOMOGLYPHS), EMAIL),
    "no-break spaces": (CARD.replace(" ", "\u00a0"), BARE),
    "figure spaces": (CARD.replace(" ", "\u2007"), BARE),
    "no-break hyphens": (SSN.replace("-", "\u2011"), SSN),
    "minus signs": (SSN.replace("-", "\u2212"), SSN),
    "en dashes": (CARD.replace(" ", "\u2013"), BARE),
    "small commercial at": (EMAIL.replace("@", "\ufe6b"), EMAIL),
    "ideographic full stop": (EMAIL.replace(".", "\u3002"), EMAIL),
    "percent encoding": (EMAIL.replace("@", "%40"), EMAIL),
    "percent encoding of everything": ("".join(f"%{ord(c):02X}" for c in EMAIL), EMAIL),
    "html references": ("".join(f"&#{ord(c)};" for c in EMAIL), EMAIL),
    "html hex references": ("".join(f"&#x{ord(c):x};" for c in EMAIL), EMAIL),
    "html named reference": (EMAIL.replace("@", "&commat;"), EMAIL),
    "json escapes": ("".join(f"\\u{ord(c):04x}" for c in EMAIL), EMAIL),
    "one json escape": (EMAIL.replace("@", "\\u0040"), EMAIL),
    "hex escapes": ("".join(f"\\x{ord(c):02x}" for c in EMAIL), EMAIL),
    "zero-width and full-width": (weave(BARE.translate(FULL_WIDTH), "\u200b"), BARE),
    "upper case": (EMAIL.upper(), EMAIL.upper()),
    "in json text": (json.dumps({"contact": {"mail": EMAIL}}), EMAIL),
    "in json text, as a key": (json.dumps({EMAIL: 1}), EMAIL),
    "in an array literal": ("{" + EMAIL + ",x}", EMAIL),
    "in csv": (f'1,"{EMAIL}",2', EMAIL),
    "in xml": (f"<c>{EMAIL}</c>", EMAIL),
    "in a link": (f"https://x.org/?to={EMAIL}&y=1", EMAIL),
    "after a new line": (f"a\n{SSN}\nb", SSN),
    "far into a long text": ("word " * 20_000 + EMAIL, EMAIL),
    "far into a long full-width text": ("語 " * 20_000 + EMAIL.translate(FULL_WIDTH), EMAIL),
    "iban": (f"pay {IBAN} now", IBAN),
    "address without public suffix": ("ann@mail.internal", "ann@mail.internal"),
    "a secret": ("token ghp_" + "Ab3" * 12, "ghp_"),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("operator", ["replace", "hash"])
def test_a_text_does_not_carry_it_through(engine, name, operator):
    text, held = TEXTS[name]
    shown, counts = show(engine, text, operator)
    assert counts
    assert text not in shown
    assert readable(held) not in readable(shown)


def readable(text):
    """What a person makes of a text, by another way than the code under test: letters and digits alone, folded."""
    import html
    import unicodedata
    from urllib.parse import unquote

    text = unquote(html.unescape(text))
    if "\\u" in text or "\\x" in text:
        text = text.encode("ascii", "ignore").decode("unicode_escape")
    text = unicodedata.normalize(
        "NFKC", text.translate({ord(b): a for a, b in zip("aeopcxyMK", "аеорсхуМК", strict=True)})
    )
    return "".join(str(unicodedata.digit(c, c)) for c in text if c.isalnum()).casefold()


VALUES = {
    "integer": int(BARE),
    "negative integer": -int(BARE),
    "float": float(BARE),
    "decimal": Decimal(BARE),
    "decimal with zeros": Decimal(BARE + ".00"),
    "decimal with an exponent": Decimal("4.111111111111111E+15"),
    "fraction added": Decimal(BARE + ".5"),
    "social security number as a number": 536221876,
    "json object": {"a": {"b": [EMAIL]}},
    "json key": {EMAIL: None},
    "json number": {"pan": int(BARE)},
    "array": ["x", EMAIL],
    "nested array": [[[CARD]]],
    "tuple": (1, EMAIL),
    "set": {EMAIL},
    "tuple key": {(EMAIL,): 1},
    "bytes": EMAIL.encode(),
    "bytearray": bytearray(EMAIL.encode()),
    "memoryview": memoryview(EMAIL.encode()),
    "bytes in json": {"a": EMAIL.encode()},
    "number as a json key": {int(BARE): 1},
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_does_not_carry_it_through(engine, name):
    shown, counts = show(engine, VALUES[name], context="ssn" if "social" in name else "")
    assert counts
    told = repr(shown)
    for held in (EMAIL, BARE, CARD, "536221876", "4111111111111111"):
        assert held not in told


TYPED = {
    "name in a number column": "Jane Miller",
    "address in a number column": EMAIL,
    "card in a number column": BARE,
    "signed card": "-" + BARE,
    "card with a fraction": BARE + ".5",
    "card with an exponent": "4.111111111111111e15",
    "card with thousands": "4,111,111,111,111,111",
    "card in groups": CARD,
    "card with zeros before it": "000" + BARE,
    "card with slashes": CARD.replace(" ", "/"),
    "card with points": CARD.replace(" ", "."),
    "card with commas": CARD.replace(" ", ","),
    "card written as a date and a time": "4111-1111 11:11:11:11",
    "card with dashes": CARD.replace(" ", "-"),
    "words that begin like months": "Mary Mayfield",
    "full-width card": BARE.translate(FULL_WIDTH),
    "blob": EMAIL.encode(),
}


@pytest.mark.parametrize("name", TYPED)
def test_text_smuggled_into_a_column_without_text_does_not_come_through(engine, name):
    shown, counts = show(engine, TYPED[name], typed=True)
    assert counts
    assert shown.startswith("<")
    assert shown.endswith(">")


def test_text_smuggled_into_a_list_of_numbers_does_not_come_through(engine):
    shown, _ = show(engine, [1, "Jane Miller", {"a": "Jane Miller"}, CARD.replace(" ", ".")], typed=True)
    assert shown == [1, "<COL>", {"a": "<COL>"}, "<CREDIT_CARD>"]


@pytest.mark.parametrize(
    "value", [12, 1.5, True, None, "2024-01-02", "12:30:00", Decimal("19.99"), "true", "Jan 2024", "19.99"]
)
def test_ordinary_values_of_columns_without_text_stay(engine, value):
    assert show(engine, value, typed=True) == (value, {})


@pytest.mark.parametrize("text", ["ORD-A7", "blue", "size 42", "Grüße aus Köln", "日本語", "a%20b", "x\u00a0y", "100%"])
def test_ordinary_texts_stay_as_they_are(engine, text):
    assert show(engine, text) == (text, {})


def test_what_stands_around_a_hidden_finding_stays(engine):
    shown, _ = show(engine, "Grüße an " + EMAIL.translate(FULL_WIDTH) + " — bis bald")
    assert shown == "Grüße an <EMAIL_ADDRESS> — bis bald"


def test_a_recogniser_that_raises_masks_the_cell_and_the_rest_goes_on():
    built = Engine()
    step = next(step for step in built._steps if "CREDIT_CARD" in step.entities)

    def broken(text):
        raise RuntimeError(text)

    step.recognizer.validate_result = broken
    masks = (EntityMask(entities=ENTITIES, operator=Operator(name="replace")),)
    assert mask_text(f"card {CARD}", masks, find=built.find, key=b"") == ("<UNREADABLE>", {"UNREADABLE": 1})
    assert mask_text(f"mail {EMAIL}", masks, find=built.find, key=b"")[0] == "mail <EMAIL_ADDRESS>"


def test_a_text_that_takes_for_ever_is_masked(engine, monkeypatch):
    from langguard.detectors import steps

    monkeypatch.setattr(steps, "PATTERN_SECONDS", 0.01)
    hard = "a." * 8_000 + "@"
    assert show(engine, hard)[0] in {"<UNREADABLE>", hard}
    assert EMAIL not in show(engine, hard + " " + EMAIL)[0]
