"""The engine finds what stock Presidio finds, asks the network nothing, and fails closed."""

import subprocess
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langguard.detectors import Engine, EngineSettings, PatternSpec, RecognizerSpec
from langguard.errors import ConfigError, MaskingError
from langguard.masking import UNREADABLE

TEXTS = (
    "Call me at 212-555-0147 or ann.lee@example.com",
    "card 4111 1111 1111 1111, amex 371449635398431, 6304000000000000000",
    "4111111111111111",
    "SSN 536-22-1876 and ITIN 912-70-1234",
    "DE89370400440532013000 and GB29 NWBK 6016 1331 9268 19 IBAN",
    "https://example.com/a?b=c http://x.org www.test.co.uk",
    "10.0.0.1 ::1 2001:db8::8a2e:370:7334 999.1.1.1",
    "00:1B:44:11:3A:B7 00-00-00-00-00-00",
    "123e4567-e89b-12d3-a456-426614174000",
    "2024-01-02T10:11:12Z 01/02/2024 2024-01-02 JAN-2024 5/24",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
    "+44 20 7946 0958, 030 901820, +49 30 901820, (11) 91234-5678, 03-1234567",
    "401-023-2137 401 023 2137",
    "AB1234567 bank 945456787654",
    "DEA BB1388568",
    "john@localhost ann@mail.internal",
    "",
    " ",
    "a",
    "no data at all, just words and 12 numbers 34",
    "é 4111 1111 1111 1111 ñ ann@exämple.com",
    "ANN.LEE@EXAMPLE.COM",
    "x" * 3000 + " ann@example.com",
    "5555555555554444\n4012888888881881\t378282246310005",
    "A123456 H12234567890 license D1234567",
)
CONTEXTS = ("", "phone", "customer_card number", "license bank account", "ssn date passport")


@pytest.fixture(scope="session")
def stock():
    """Presidio's own analyzer over no language model, with its suffix list kept offline."""
    import tldextract.tldextract as tld
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NoOpNlpEngine

    before, tld.TLD_EXTRACTOR = tld.TLD_EXTRACTOR, tld.TLDExtract(suffix_list_urls=(), cache_dir=None)
    yield AnalyzerEngine(nlp_engine=NoOpNlpEngine([{"lang_code": "en", "model_name": "no_op"}]))
    tld.TLD_EXTRACTOR = before


@pytest.fixture(scope="session")
def plain():
    return Engine(EngineSettings(secrets=False, bare_emails=False))


def compare(plain, stock, text, context, entities=None):
    wanted = sorted(entities or plain.supported)
    expected = {
        (found.entity_type, found.start, found.end, round(found.score, 6))
        for found in stock.analyze(text, "en", entities=wanted, context=context.split() or None)
    }
    (spans,) = plain.find([text], wanted, context)
    assert {(span.entity, span.start, span.end, round(span.score, 6)) for span in spans} == expected


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:20])
def test_findings_equal_stock_presidio_s(plain, stock, text, context):
    compare(plain, stock, text, context)
    compare(plain, stock, text, context, ["PHONE_NUMBER", "US_SSN"])


PIECES = st.one_of(
    st.sampled_from(TEXTS[:16]).flatmap(lambda text: st.sampled_from(text.split() or [""])),
    st.text(alphabet="0123456789-. ()+/@:ABdx_é", max_size=14),
    st.text(max_size=4),
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(PIECES, max_size=5), st.sampled_from([" ", "", ",", "\n"]), st.sampled_from(CONTEXTS))
def test_findings_equal_stock_presidio_s_on_what_hypothesis_thinks_of(plain, stock, pieces, glue, context):
    compare(plain, stock, glue.join(pieces), context)


def test_supported_entities_equal_stock_presidio_s(plain, stock):
    assert plain.supported == set(stock.get_supported_entities("en"))


@pytest.mark.disable_socket
def test_nothing_is_looked_up_or_downloaded(monkeypatch, tmp_path):
    import spacy.cli

    monkeypatch.setenv("TLDEXTRACT_CACHE", str(tmp_path / "empty"))
    monkeypatch.setattr(spacy.cli, "download", lambda *_: pytest.fail("a download was tried"))
    fresh = Engine(EngineSettings(allow_list=("x",)))
    fresh.self_test()
    assert fresh.find(["ann.lee@example.co.uk"], ["EMAIL_ADDRESS"])[0]
    with pytest.raises(MaskingError, match="python -m spacy download en_core_web_none"):
        Engine(EngineSettings(ner_model="en_core_web_none"))
    assert not (tmp_path / "empty").exists()


def test_importing_the_room_loads_neither_presidio_nor_spacy():
    code = (
        "import sys, langguard.detectors, langguard.detectors.worker, langguard.detectors.classify\n"
        "heavy = ('presidio_analyzer', 'spacy', 'regex', 'phonenumbers', 'numpy')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_entity_names_the_nearest(engine):
    with pytest.raises(ConfigError, match="did you mean EMAIL_ADDRESS"):
        engine.check(["EMAIL_ADRESS"])
    with pytest.raises(ConfigError, match="did you mean CREDIT_CARD"):
        Engine(EngineSettings(entities=("CREDITCARD",)))
    with pytest.raises(MaskingError, match="PERSON"):
        engine.find(["x"], ["PERSON"])
    engine.check(["CREDIT_CARD", "SECRET"])


def test_entities_named_are_all_that_is_found_shipped_off_ones_included():
    built = Engine(EngineSettings(entities=("UK_NINO", "CREDIT_CARD")))
    assert built.supported == {"UK_NINO", "CREDIT_CARD"}
    assert [span.entity for span in built.find(["AB 12 34 56 C"], ["UK_NINO"])[0]] == ["UK_NINO"]
    built.self_test()


def test_own_patterns_words_and_allow_list():
    built = Engine(
        EngineSettings(
            recognizers=(
                RecognizerSpec(
                    entity="STAFF", patterns=(PatternSpec(regex=r"\bS-\d{4}\b", score=0.3),), context=("staff",)
                ),
                RecognizerSpec(entity="PROJECT", deny_list=("Blue Moon",)),
                RecognizerSpec(entity="OTHER", deny_list=("x",), languages=("de",)),
            ),
            allow_list=("ann@example.com",),
        )
    )
    assert {"STAFF", "PROJECT"} <= built.supported
    assert "OTHER" not in built.supported
    entities = ["STAFF", "PROJECT", "EMAIL_ADDRESS"]
    (spans,) = built.find(["S-1234 on blue moon by ann@example.com and bob@example.com"], entities)
    assert {(span.entity, span.start, span.score) for span in spans} == {
        ("STAFF", 0, 0.3),
        ("PROJECT", 10, 1.0),
        ("EMAIL_ADDRESS", 43, 1.0),
    }
    assert built.find(["S-1234"], ["STAFF"], "staff number")[0][0].score == pytest.approx(0.65)


@pytest.mark.parametrize(
    "spec",
    [
        RecognizerSpec(entity="X"),
        RecognizerSpec(entity="", deny_list=("a",)),
        RecognizerSpec(entity="X", patterns=(PatternSpec(regex="("),)),
    ],
)
def test_a_recogniser_that_can_t_work_stops_the_start(spec):
    with pytest.raises(ConfigError):
        Engine(EngineSettings(recognizers=(spec,)))


def test_a_phone_region_that_is_none_stops_the_start():
    with pytest.raises(ConfigError, match="XX"):
        Engine(EngineSettings(phone_regions=("XX",)))


def test_phone_regions_decide_whose_formats_are_read():
    polish = Engine(EngineSettings(phone_regions=("PL",)))
    assert polish.find(["601 234 567"], ["PHONE_NUMBER"])[0]
    assert not Engine(EngineSettings(phone_regions=("US",))).find(["601 234 567"], ["PHONE_NUMBER"])[0]


def test_addresses_without_a_public_suffix_are_found(engine):
    for text in ("ann@mail.internal", "ann@localhost", "ann.lee+x@corp"):
        (spans,) = engine.find([f"to {text}."], ["EMAIL_ADDRESS"])
        assert any((span.start, span.end) == (3, 3 + len(text)) for span in spans), text


def test_a_pattern_that_never_ends_makes_its_text_unreadable(monkeypatch):
    from langguard.detectors import steps

    monkeypatch.setattr(steps, "PATTERN_SECONDS", 0.05)
    evil = RecognizerSpec(entity="EVIL", patterns=(PatternSpec(regex=r"(a|aa)+$"),))
    built = Engine(EngineSettings(recognizers=(evil,)))
    bad, good = built.find(["a" * 60 + "b", "fine"], ["EVIL"])
    assert [span.entity for span in bad] == [UNREADABLE]
    assert good == []


def test_a_recogniser_that_raises_makes_its_text_unreadable_and_is_not_remembered():
    built = Engine()
    step = next(step for step in built._steps if "IBAN_CODE" in step.entities)
    real = step.recognizer.analyze
    step.recognizer.analyze = lambda **_: (_ for _ in ()).throw(KeyError("secret"))
    text = "DE89370400440532013000"
    assert [span.entity for span in built.find([text], ["IBAN_CODE"])[0]] == [UNREADABLE]
    step.recognizer.analyze = real
    assert [span.entity for span in built.find([text], ["IBAN_CODE"])[0]] == ["IBAN_CODE"]


def test_the_self_test_notices_a_blind_engine():
    built = Engine()
    built._steps = [step for step in built._steps if "EMAIL_ADDRESS" not in step.entities]
    with pytest.raises(MaskingError, match="EMAIL_ADDRESS"):
        built.self_test()


def test_memory_is_bounded_and_holds_no_text(monkeypatch):
    from langguard.detectors import engine as module

    monkeypatch.setattr(module, "_REMEMBERED", 10)
    built = Engine()
    built.find([f"ann{number}@example.com" for number in range(50)], ["EMAIL_ADDRESS"])
    assert len(built._memory) == 10
    assert "example" not in repr(list(built._memory.keys()))


def test_memory_tells_entities_and_contexts_apart(engine):
    assert engine.find(["ann@example.com"], ["EMAIL_ADDRESS"])[0]
    assert engine.find(["ann@example.com"], ["CREDIT_CARD"])[0] == []
    low = engine.find(["D1234567"], ["US_DRIVER_LICENSE"], "x")[0][0].score
    high = engine.find(["D1234567"], ["US_DRIVER_LICENSE"], "driver license")[0][0].score
    assert low < 0.4 <= high


def test_threads_may_share_an_engine(engine):
    wrong = []

    def work(start):
        for number in range(start, start + 60):
            text = f"x{number}@example.com"
            if not engine.find([text], ["EMAIL_ADDRESS"])[0]:
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 10, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_no_value_is_logged(caplog, engine):
    caplog.set_level("DEBUG")
    engine.find(["GB29 NWBK 6016 1331 9268 19 DE89370400440532013é00 ann@example.com"], sorted(engine.supported))
    assert "NWBK" not in caplog.text
    assert "ann@" not in caplog.text


def test_the_description_says_what_stays_clear(engine):
    assert "free text is masked whole" in engine.describe()
    assert not engine.ner


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A spaCy pipeline on disk that knows two names: enough to test the way a model is used."""
    import spacy

    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Jane Miller"}, {"label": "GPE", "pattern": "Oslo"}])
    folder = tmp_path_factory.mktemp("model")
    nlp.to_disk(folder)
    return str(folder)


def test_with_a_model_names_and_places_are_found(model):
    built = Engine(EngineSettings(ner_model=model))
    built.self_test()
    assert built.ner
    assert {"PERSON", "LOCATION"} <= built.supported
    text = "Jane Miller of Oslo, card 4111 1111 1111 1111"
    (spans,) = built.find([text], ["PERSON", "LOCATION", "CREDIT_CARD"])
    assert {(span.entity, text[span.start : span.end]) for span in spans} == {
        ("PERSON", "Jane Miller"),
        ("LOCATION", "Oslo"),
        ("CREDIT_CARD", "4111 1111 1111 1111"),
    }
    assert "the model misses" in built.describe()


def test_with_a_model_findings_equal_stock_presidio_s(model, stock):
    from presidio_analyzer import AnalyzerEngine

    built = Engine(EngineSettings(ner_model=model, secrets=False, bare_emails=False))
    full = AnalyzerEngine(nlp_engine=built._nlp)
    for text in (*TEXTS, "Jane Miller phone 212-555-0147", "her license D1234567 Jane Miller"):
        for context in ("", "bank account"):
            compare(built, full, text, context)
