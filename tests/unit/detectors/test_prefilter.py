"""The prefilter is sound: a text with a match always meets the pattern's needs."""

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from langguard.detectors.prefilter import Needs, digits_of, needs

PATTERNS = (
    r"\b\d{3}-\d{2}\b",
    r"a@b|c@d+",
    r"(?:x-)?[0-9]{2,}",
    r"(?<=-)1(?=@)",
    r"(a|b@)*@",
    r"[\d]{3}[^0-9]\d",
    r"(?i:q)@|@{2}",
    r"(\d)\1@",
    r"(?:(?:1|2)-){2,3}",
    r"\D\S?.",
    r"[0-9a]{4}",
    r"^$|-",
    r"(?>1+)-",
    r"1++@",
)
FLAGS = regex.IGNORECASE | regex.MULTILINE | regex.DOTALL


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="012ab@-x qQ\n", max_size=12))
def test_a_text_with_a_match_meets_the_needs(text):
    for pattern in PATTERNS:
        if regex.compile(pattern, FLAGS).search(text):
            assert needs(pattern).met(text, digits_of(text)), pattern


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        (r"\b\d{3}-\d{2}\b", Needs(length=6, digits=5, characters=frozenset("-"))),
        (r"\w+@\w+", Needs(length=3, characters=frozenset("@"))),
        (r"a|1", Needs(length=1)),
        (r"(?:x@)?", Needs()),
        (r"[0-9]{4}|[0-9]{2}", Needs(length=2, digits=2)),
    ],
)
def test_what_a_pattern_needs(pattern, wanted):
    assert needs(pattern) == wanted


@pytest.mark.parametrize(
    "pattern",
    [
        r"[[:digit:]]@",
        r"\p{Lu}@",
        r"(?:foo@){e<=1}",
        r"(?:foo@){1<=e<=2}",
        r"[]{@](?:a@){e}",
        r"(?|(a)|(@))",
        r"(",
        r"[[a-z]--[b]]",
        r"\m@",
        r"(?V1)@@",
    ],
)
def test_a_pattern_only_another_syntax_reads_has_no_needs(pattern):
    assert needs(pattern) == Needs()


def test_text_that_is_not_ascii_always_runs():
    assert Needs(length=99, digits=99).met("é", 0)


def test_most_stock_patterns_are_read():
    from presidio_analyzer.predefined_recognizers import (
        CreditCardRecognizer,
        EmailRecognizer,
        IpRecognizer,
        UsSsnRecognizer,
    )

    for kind in (CreditCardRecognizer, EmailRecognizer, IpRecognizer, UsSsnRecognizer):
        assert any(needs(pattern.regex) != Needs() for pattern in kind.PATTERNS), kind
