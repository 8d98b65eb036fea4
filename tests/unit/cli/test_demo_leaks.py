"""The search finds planted secrets however reshaped, stays silent on clean text, and never repeats a secret."""

import json

import pytest

from langguard.cli.demo.leaks import Leak, Secrets, find_leaks
from langguard.cli.demo.shop import POISONED_REVIEW_BODY, secrets

PLANTED = Secrets(
    names=(
        ("Łukasz", "Wójcik"),
        ("María José", "Núñez"),
        ("健太郎", "佐々木"),
        ("Ελένη", "Αλεξίου"),
        ("Denise", "O'Donnell"),
        ("Yui", "Abe"),
    ),
    emails=("lukasz.wojcik@example.net", "yui.abe@denshi.example.org"),
    phones=("+49 30 12345678", "(212) 555-0187", "601 234 567"),
    cards=("4111 1170 5607 5039", "371449072676174", "6304951234567890123"),
)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        pytest.param("name", "Regards, Łukasz Wójcik.", id="as it is"),
        pytest.param("name", "regards, ŁUKASZ WÓJCIK", id="upper case"),
        pytest.param("name", "Lukasz Wojcik", id="accents gone"),
        pytest.param("name", "Łukasz Wo\u0301jcik", id="accents as separate characters"),
        pytest.param("name", "Wójcik, Łukasz", id="family name first"),
        pytest.param("name", "('Łukasz', 'Wójcik')", id="in two columns"),
        pytest.param("name", "lukasz_wojcik", id="joined by an underscore"),
        pytest.param("name", "user LukaszWojcik wrote", id="joined"),
        pytest.param("name", "Łukasz\n  Wójcik", id="over a line break"),
        pytest.param("name", "Ł\u200bukasz Wój\u00adcik", id="invisible characters inside"),
        pytest.param("name", json.dumps("Łukasz Wójcik"), id="JSON escapes"),
        pytest.param("name", "?q=%C5%81ukasz%20W%C3%B3jcik", id="URL escapes"),
        pytest.param("name", "&#321;ukasz W&oacute;jcik", id="HTML escapes"),
        pytest.param("name", "María José Núñez", id="two given names"),
        pytest.param("name", "nunez maria jose", id="two given names, turned"),
        pytest.param("name", "担当は佐々木健太郎さんです", id="no spaces, inside a sentence"),
        pytest.param("name", "佐々木 健太郎", id="ideographs with a space"),
        pytest.param("name", "ΕΛΈΝΗ ΑΛΕΞΊΟΥ", id="Greek capitals"),
        pytest.param("name", "denise o\u2019donnell", id="another apostrophe"),
        pytest.param("name", "Yui Abe", id="a short name"),
        pytest.param("email", "lukasz.wojcik@example.net", id="address as it is"),
        pytest.param("email", "mailto:LUKASZ.WOJCIK@EXAMPLE.NET", id="address in capitals"),
        pytest.param("email", "lukasz.wojcik (at) example", id="part before the @"),
        pytest.param("email", "xlukasz.wojcik2", id="inside a longer word"),
        pytest.param("email", "yui.abe%40denshi.example.org", id="short address, escaped"),
        pytest.param("phone", "+49 30 12345678", id="phone as it is"),
        pytest.param("phone", "030/12345678", id="national form"),
        pytest.param("phone", "493012345678", id="digits only"),
        pytest.param("phone", "0049.30.12.34.56.78", id="other separators"),
        pytest.param("phone", "212-555-0187", id="other country"),
        pytest.param("phone", "６０１ ２３４ ５６７", id="full-width digits"),
        pytest.param("phone", "tel:601234567", id="as a link"),
        pytest.param("card", "4111117056075039", id="card without spaces"),
        pytest.param("card", "4111-1170-5607-5039", id="card with dashes"),
        pytest.param("card", "3714 490726 76174", id="15 digits in groups"),
        pytest.param("card", "6304 9512 3456 7890 123", id="19 digits in groups"),
        pytest.param("card", "(7, '4111 1170 5607 5039', 12)", id="between other numbers"),
    ],
)
def test_a_planted_secret_is_found(kind, text):
    found = find_leaks(["nothing here", text], PLANTED)
    assert kind in {leak.kind for leak in found}
    assert {leak.where for leak in found} == {1}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("Wójcik and Łukasz", id="both parts, not a name"),
        pytest.param("Łukasz ordered again. Then Wójcik did.", id="parts apart"),
        pytest.param("<PERSON> <EMAIL_ADDRESS> +49 ** ***5678 **** 5039", id="masked"),
        pytest.param("l***@example.net", id="masked address"),
        pytest.param("ending in 5039", id="last four digits"),
        pytest.param("[(1, 2, Decimal('4111.11')), (70, 56, 7503)]", id="numbers that are not one"),
        pytest.param("Yuia Beast", id="letters that run on"),
        pytest.param(POISONED_REVIEW_BODY, id="the poisoned review"),
    ],
)
def test_clean_text_is_clean(text):
    assert find_leaks([text], PLANTED) == []
    assert find_leaks([text], secrets()) == []


def test_a_leak_does_not_repeat_the_secret():
    found = find_leaks(["Łukasz Wójcik lukasz.wojcik@example.net 601 234 567 4111117056075039"], PLANTED)
    assert [leak.kind for leak in found] == ["card", "email", "name", "phone"]
    assert Leak(0, "card", "4…(16)") in found
    assert all(len(leak.hint) <= 6 for leak in found)
    assert "ukasz" not in repr(PLANTED)


def test_each_secret_counts_once_in_each_text():
    found = find_leaks(["Yui Abe, yui abe, ABE YUI", "Yui Abe"], PLANTED)
    assert [(leak.where, leak.kind) for leak in found] == [(0, "name"), (1, "name")]


def test_two_secrets_that_look_alike_are_two_leaks():
    alike = Secrets(names=(), emails=("anna.one@example.com", "anna.two@example.com"), phones=(), cards=())
    assert len(find_leaks(["anna.one@example.com anna.two@example.com"], alike)) == 2


def test_a_secret_too_short_to_look_for_is_an_error_and_not_a_miss():
    with pytest.raises(ValueError, match="too short"):
        find_leaks(["x"], Secrets(names=(), emails=(), phones=("1234",), cards=()))
