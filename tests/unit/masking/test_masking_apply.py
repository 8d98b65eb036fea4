"""Masking a result: what stands in for each kind of value, and what happens when detection fails."""

import datetime as dt
import re
import uuid
from decimal import Decimal
from ipaddress import ip_address
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langguard.errors import MaskingError
from langguard.masking import UNREADABLE, Span, apply, mask_error, mask_text
from langguard.masking.operators import masked, stars, token
from langguard.masking.scan import CHUNK, LONGEST, OVERLAP
from langguard.masking.shadow import shadow
from langguard.masking.spans import cover
from langguard.protocol import ColumnPlan, EntityMask, MaskPlan, Operator
from langguard.protocol.values import decode

KEY = b"0123456789abcdef"
EMAIL = re.compile(r"[\w.]+@[\w.]+\w")
CARD = re.compile(r"(?<!\d)\d{13,19}(?!\d)")
PATTERNS = {"EMAIL_ADDRESS": EMAIL, "CREDIT_CARD": CARD}


class Finder:
    """A detector of two entities that remembers what it was asked."""

    def __init__(self):
        self.calls = []

    def __call__(self, texts, entities, context):
        self.calls.append((list(texts), tuple(entities), context))
        return [
            [
                Span(start=match.start(), end=match.end(), entity=entity)
                for entity in entities
                if entity in PATTERNS
                for match in PATTERNS[entity].finditer(text)
            ]
            for text in texts
        ]


def masks(*entities, operator="replace", **options):
    return (EntityMask(entities=entities or tuple(PATTERNS), operator=Operator(name=operator, **options)),)


def run(values, *, find=None, entities=None, key=KEY, **options):
    column = ColumnPlan(**{"action": "analyse", "label": "COL", "context": "col", **options})
    held = MaskPlan(columns=(column,), entities=masks() if entities is None else entities)
    result = apply(("c",), [(value,) for value in values], held, find=find or Finder(), key=key)
    return [decode(row[0]) for row in result.rows], result.masked


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("write ann@x.org now", "write <EMAIL_ADDRESS> now"),
        ("nothing", "nothing"),
        ("", ""),
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        (4111111111111111, "<CREDIT_CARD>"),
        (-4111111111111111, "<CREDIT_CARD>"),
        (4111111111111111.0, "<CREDIT_CARD>"),
        (4111111111111111.5, "<CREDIT_CARD>"),
        (Decimal(4111111111111111), "<CREDIT_CARD>"),
        (Decimal("4111111111111111.00"), "<CREDIT_CARD>"),
        (Decimal("4.111111111111111E15"), "<CREDIT_CARD>"),
        (Decimal("NaN"), Decimal("NaN")),
        (float("inf"), float("inf")),
        (Decimal("1E+99"), Decimal("1E+99")),
        (10**80, 10**80),
        (dt.datetime(2024, 1, 2, 3), dt.datetime(2024, 1, 2, 3)),
        (dt.timedelta(days=3), dt.timedelta(days=3)),
        (uuid.UUID(int=7), uuid.UUID(int=7)),
        (ip_address("10.0.0.1"), ip_address("10.0.0.1")),
        (b"ann@x.org", "<BINARY>"),
        (memoryview(b"ann"), "<BINARY>"),
        (["ann@x.org", 3, None], ["<EMAIL_ADDRESS>", 3, None]),
        (("a", ("ann@x.org",)), ("a", ("<EMAIL_ADDRESS>",))),
        ({"ann@x.org": 4111111111111111}, {"<EMAIL_ADDRESS>": "<CREDIT_CARD>"}),
        ({"a@x.org": 1, "b@x.org": 2}, {"<EMAIL_ADDRESS>": 1, "<EMAIL_ADDRESS>#2": 2}),
        ({1: {"deep": ["ann@x.org"]}}, {1: {"deep": ["<EMAIL_ADDRESS>"]}}),
        ({("ann@x.org",): 1}, {("<EMAIL_ADDRESS>",): 1}),
        ({"ann@x.org"}, ["<EMAIL_ADDRESS>"]),
        (range(3), "<COL>"),
        (object(), "<COL>"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_an_analysed_value_by_its_own_type(value, shown):
    got = run([value])[0][0]
    assert repr(got) == repr(shown)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("12.50", "12.50"),
        ("-1,234.5", "-1,234.5"),
        ("4111111111111111", "<CREDIT_CARD>"),
        ("+4111111111111111.0", "<CREDIT_CARD>"),
        ("4.111111111111111e15", "<CREDIT_CARD>"),
        ("2024-01-02 10:11:12", "2024-01-02 10:11:12"),
        ("2024-01-02T10:11:12+00:00", "2024-01-02T10:11:12+00:00"),
        ("Jan 2024", "Jan 2024"),
        ("2024-Q1", "2024-Q1"),
        ("10.0.0.1", "10.0.0.1"),
        ("00000000-0000-0000-0000-000000000007", "00000000-0000-0000-0000-000000000007"),
        ("true", "true"),
        ("Jane Miller", "<COL>"),
        ("Main Street 5", "<COL>"),
        ("ann@x.org", "<COL>"),
        ("4111 1111 1111 1111x", "<COL>"),
        ("", "<COL>"),
        ("May June", "May June"),
        ("1" * 65, "<COL>"),
        ("１２", "<COL>"),
        (b"x", "<BINARY>"),
        (7, 7),
    ],
)
def test_text_in_a_column_without_text_must_have_a_value_s_shape(value, shown):
    assert run([value], typed=True)[0] == [shown]


def test_types_that_are_entities_are_masked_when_their_entity_is_in_force():
    entities = masks("DATE_TIME", "UUID", "IP_ADDRESS")
    values = [dt.date(2024, 1, 2), dt.time(3), dt.timedelta(1), uuid.UUID(int=1), ip_address("::1")]
    shown, counts = run(values, entities=entities)
    assert shown == ["<DATE_TIME>"] * 3 + ["<UUID>", "<IP_ADDRESS>"]
    assert counts == {"DATE_TIME": 3, "IP_ADDRESS": 1, "UUID": 1}
    assert run(["2024-01-02"], entities=entities, typed=True)[0] == ["<DATE_TIME>"]


@pytest.mark.parametrize(
    ("operator", "value", "shown"),
    [
        (Operator(name="redact"), "x", ""),
        (Operator(name="replace"), "x", "<L>"),
        (Operator(name="replace", text="gone"), "x", "gone"),
        (Operator(name="null"), "x", None),
        (Operator(name="keep"), "x", "x"),
        (Operator(name="mask", keep_last=4), "4111 1111 1111 1111", "**** **** **** 1111"),
        (Operator(name="mask", keep_last=4), "371449635398431", "***********8431"),
        (Operator(name="mask", keep_last=4), "6304000000000000000", "***************0000"),
        (Operator(name="mask", keep_last=4), 4111111111111111, "************1111"),
        (Operator(name="mask", keep_last=4), 4111111111111111.0, "************1111"),
        (Operator(name="mask", keep_last=4), Decimal("4111111111111111.00"), "************1111"),
        (Operator(name="mask", keep_last=4), "abcd", "**cd"),
        (Operator(name="mask", keep_last=4), "a", "*"),
        (Operator(name="mask", keep_last=99), "abcdef", "***def"),
        (Operator(name="mask", keep_last=-3), "abc", "***"),
        (Operator(name="mask"), "ann@x.org", "*********"),
        (Operator(name="mask", keep_last=4), b"secret", "<L>"),
        (Operator(name="mask", keep_last=4), ["a"], "<L>"),
        (Operator(name="mask", keep_last=4), dt.date(2024, 1, 2), "<L>"),
        (Operator(name="mask", keep_last=4), True, "<L>"),
    ],
)
def test_each_operator(operator, value, shown):
    assert masked(value, operator, "L", KEY) == shown


@given(st.text(min_size=1), st.integers(-5, 50))
def test_stars_never_leave_more_than_half(text, keep):
    shown = stars(text, keep)
    assert len(shown) == len(text)
    left = sum(a == b and a.isalnum() for a, b in zip(shown, text, strict=True))
    assert left <= sum(map(str.isalnum, text)) / 2


def test_tokens_agree_for_equal_values_only():
    assert token("Ann@X.org ", "EMAIL", KEY) == token("ann@x.org", "EMAIL", KEY)
    assert re.fullmatch(r"<EMAIL_[0-9a-f]{12}>", token("a", "EMAIL", KEY))
    different = [
        token("ann@x.org", "EMAIL", KEY),
        token("ann@x.org", "PHONE", KEY),
        token("ann@x.org", "EMAIL", KEY[::-1]),
        token("bob@x.org", "EMAIL", KEY),
        token(b"ann@x.org", "EMAIL", KEY),
    ]
    assert len(set(different)) == 5
    assert (
        token(4111, "N", KEY)
        == token("4111", "N", KEY)
        == token(4111.0, "N", KEY)
        == token(Decimal("4111.0"), "N", KEY)
    )
    assert token("\ud800", "N", KEY)


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 65])
def test_hash_without_a_proper_key_releases_nothing(key):
    with pytest.raises(MaskingError, match="key of 16 to 64"):
        run(["ann@x.org"], entities=masks(operator="hash"), key=key)
    assert run(["fine"], entities=masks(operator="hash"), key=key)[0] == ["fine"]


def test_a_column_masked_whole_keeps_nulls_and_counts_by_label():
    column = ColumnPlan(
        action="mask", operator=Operator(name="replace"), label="EMAIL", why="rule people.email: replace"
    )
    result = apply(("e",), [("a",), (None,), (b"x",), (7,)], MaskPlan(columns=(column,)), find=Finder(), key=b"")
    assert result.rows == (("<EMAIL>",), (None,), ("<EMAIL>",), ("<EMAIL>",))
    assert result.masked == {"EMAIL": 3}
    assert result.columns[0].masked == "masked: rule people.email: replace"


def test_a_mask_without_operator_replaces():
    result = apply(("e",), [("a",)], MaskPlan(columns=(ColumnPlan(action="mask"),)), find=Finder(), key=b"")
    assert result.rows == (("<MASKED>",),)


def test_a_passed_column_is_not_looked_at():
    find = Finder()
    result = apply(("e",), [("ann@x.org",)], MaskPlan(columns=(ColumnPlan(action="pass"),)), find=find, key=b"")
    assert (result.rows, result.masked, find.calls, result.columns[0].masked) == ((("ann@x.org",),), {}, [], "")


def test_each_distinct_value_is_analysed_once_in_one_call():
    find = Finder()
    run(["ann@x.org", "b", "ann@x.org", "b"] * 50, find=find)
    assert [call[0] for call in find.calls] == [["ann@x.org", "b"]]


def test_a_key_names_the_value_under_it_for_the_detector():
    find = Finder()
    run([{"Phone": "x"}], find=find, context="extra")
    assert ("extra phone", ["x"]) in [(call[2], call[0]) for call in find.calls]


@pytest.mark.parametrize("rows", [[("a",)], [("a", "b"), ("a",)], [("a", "b", "c")]])
def test_a_result_that_does_not_fit_its_plan_is_not_released(rows):
    held = MaskPlan(columns=(ColumnPlan(action="pass"), ColumnPlan(action="pass")))
    with pytest.raises(MaskingError):
        apply(("a", "b"), rows, held, find=Finder(), key=b"")
    with pytest.raises(MaskingError):
        apply(("a",), [], held, find=Finder(), key=b"")


def test_rows_without_columns_stay_rows():
    assert apply((), [(), ()], MaskPlan(columns=()), find=Finder(), key=b"").rows == ((), ())


def test_null_in_a_text_makes_the_whole_value_null():
    assert run(["x ann@x.org y", "z"], entities=masks(operator="null"))[0] == [None, "z"]


def test_keep_leaves_an_entity_but_not_what_overlaps_it():
    entities = (*masks("EMAIL_ADDRESS", operator="keep"), *masks("CREDIT_CARD"))
    assert run(["ann@x.org 4111111111111111"], entities=entities)[0] == ["ann@x.org <CREDIT_CARD>"]


def test_of_two_masks_on_one_entity_the_strictest_wins():
    entities = (*masks(operator="mask", keep_last=4), *masks(operator="redact"))
    assert run(["x 4111111111111111"], entities=entities)[0] == ["x "]


def spans(*held):
    return lambda texts, entities, context: [
        [Span(start=a, end=b, entity=e, score=s) for a, b, e, s in held] for _ in texts
    ]


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        pytest.param([(0, 4, "A", 0.5), (2, 6, "B", 0.9)], "<B>6789", id="overlapping stretches become one"),
        pytest.param([(0, 4, "A", 0.5), (4, 6, "B", 0.9)], "<A><B>6789", id="neighbours stay two"),
        pytest.param([(0, 8, "A", 0.5), (2, 4, "B", 0.9)], "<B>89", id="the outer stretch is covered whole"),
        pytest.param([(0, 4, "A", 0.39)], "0123456789", id="below the least score"),
        pytest.param([(0, 4, "A", 0.4)], "<A>456789", id="at the least score"),
        pytest.param([(0, 4, "C", 0.9)], "0123456789", id="an entity not in force"),
        pytest.param([(0, 11, "A", 0.9)], "<UNREADABLE>", id="a stretch past the end"),
        pytest.param([(-1, 3, "A", 0.9)], "<UNREADABLE>", id="a stretch before the start"),
        pytest.param([(3, 3, "A", 0.9)], "<UNREADABLE>", id="an empty stretch"),
        pytest.param([(0, 1, UNREADABLE, 0.0)], "<UNREADABLE>", id="told that it could not be read"),
    ],
)
def test_stretches(held, shown):
    assert run(["0123456789"], find=spans(*held), entities=masks("A", "B"))[0] == [shown]


def test_an_operator_that_leaves_characters_does_not_show_another_entity_s():
    entities = (*masks("A", operator="mask", keep_last=4), *masks("B"))
    find = spans((0, 6, "A", 0.9), (4, 10, "B", 0.5))
    assert run(["0123456789"], find=find, entities=entities)[0] == ["<A>"]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.sampled_from("AB"), st.floats(0, 1))))
def test_every_covered_character_is_covered_once(held):
    found = [Span(start=a, end=b, entity=e, score=s) for a, b, e, s in held]
    covers = cover(found)
    inside = {i for span in found for i in range(span.start, span.end)}
    assert inside == {i for one in covers for i in range(one.start, one.end)}
    assert all(a.end <= b.start for a, b in pairwise(covers))


class Broken(Finder):
    def __call__(self, texts, entities, context):
        if any("boom" in text for text in texts):
            raise KeyError("ann@x.org")
        return super().__call__(texts, entities, context)


def test_a_text_that_breaks_the_detector_is_masked_whole_and_alone():
    shown, counts = run(["ann@x.org", "boom", "fine", {"k": "boom"}], find=Broken())
    assert shown == ["<EMAIL_ADDRESS>", "<UNREADABLE>", "fine", {"k": "<UNREADABLE>"}]
    assert counts == {"EMAIL_ADDRESS": 1, UNREADABLE: 2}


def dead(texts, entities, context):
    raise MaskingError("dead")


def test_a_dead_engine_releases_nothing():
    with pytest.raises(MaskingError, match="dead"):
        run(["a"], find=dead)


@pytest.mark.parametrize("answer", [[], [[], []]])
def test_an_answer_for_other_texts_releases_nothing(answer):
    with pytest.raises(MaskingError, match="answered for"):
        run(["a"], find=lambda *_: answer)


class Unspeakable:
    def __str__(self):
        raise RuntimeError("ann@x.org")

    __repr__ = __str__
    __hash__ = None


class Liar(str):
    __slots__ = ()

    def __str__(self):
        return "harmless"

    def __len__(self):
        return 0


class Wrong(int):
    def __str__(self):
        return "harmless"


def test_values_that_fight_back_are_masked():
    assert run([Unspeakable()])[0] == ["<COL>"]
    assert run([Liar("ann@x.org")])[0] == ["<EMAIL_ADDRESS>"]
    assert run([Wrong(4111111111111111)])[0] == ["<CREDIT_CARD>"]
    assert run([{"a": Unspeakable()}])[0] == [{"a": "<COL>"}]
    passed = apply(("c",), [(Unspeakable(),)], MaskPlan(columns=(ColumnPlan(action="pass"),)), find=Finder(), key=b"")
    assert (passed.rows, passed.masked) == ((("<UNREADABLE>",),), {UNREADABLE: 1})
    hashed = ColumnPlan(action="mask", operator=Operator(name="hash"), label="L")
    result = apply(("c",), [(Unspeakable(),)], MaskPlan(columns=(hashed,)), find=Finder(), key=KEY)
    assert result.rows == (("<UNREADABLE>",),)


def test_a_value_nested_too_deep_is_masked_whole():
    deep = "ann@x.org"
    for _ in range(200):
        deep = [deep]
    assert "ann" not in repr(run([deep])[0])
    loop = []
    loop.append(loop)
    assert "<UNREADABLE>" in repr(run([loop])[0])


def test_a_long_text_is_analysed_in_pieces_that_overlap():
    find = Finder()
    for place in (0, CHUNK - 5, CHUNK, CHUNK - OVERLAP, 2 * CHUNK - OVERLAP - 5, 3 * CHUNK):
        text = "-" * place + " ann@x.org " + "-" * (3 * CHUNK - place)
        assert "ann" not in run([text], find=find)[0][0]
    assert max(len(text) for call in find.calls for text in call[0]) <= CHUNK


def test_a_huge_text_is_masked_whole_without_a_look():
    find = Finder()
    assert run(["a" * (LONGEST + 1)], find=find)[0] == ["<UNREADABLE>"]
    assert find.calls == []


@given(st.text(max_size=60))
def test_a_shadow_leads_back_into_its_text(text):
    held = shadow(text)
    if held is None:
        return
    assert len(held.starts) == len(held.ends) == len(held.text)
    for i in range(len(held.text)):
        start, end = held.origin(i, i + 1)
        assert 0 <= start < end <= len(text)
    assert held.origin(0, 0) is None
    assert held.origin(0, len(held.text) + 1) is None


@given(st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=40))
def test_plain_text_without_references_has_no_shadow(text):
    if not any(sign in text for sign in "%&\\"):
        assert shadow(text) is None


def test_mask_text_masks_and_counts():
    assert mask_text("to ann@x.org", masks(), find=Finder(), key=KEY) == ("to <EMAIL_ADDRESS>", {"EMAIL_ADDRESS": 1})
    assert mask_text("to ann@x.org", masks(operator="null"), find=Finder(), key=KEY)[0] == ""
    assert mask_text("boom", masks(), find=Broken(), key=KEY) == ("<UNREADABLE>", {UNREADABLE: 1})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('relation "nope" does not exist\nLINE 1: select * from nope', 'relation "nope" does not exist'),
        ('ERROR:  column "x" does not exist at character 8', "column […]"),
        (
            'UniqueViolation: duplicate key value violates unique constraint "c_key"\nDETAIL:  Key (email)=(a@b.c)',
            'UniqueViolation: duplicate key value violates unique constraint "c_key"',
        ),
        ('invalid input syntax for type integer: "Jane Miller"', "invalid input syntax for type integer […]"),
        ('invalid input syntax for type integer: "a" Jane "b"', "invalid input syntax for type integer […]"),
        (
            "(psycopg.errors.DivisionByZero) division by zero\n[SQL: SELECT 1/0]",
            "psycopg.errors.DivisionByZero: division by zero",
        ),
        ("Failing row contains (1, Jane).", "Failing row contains […]"),
        ("first. Jane Miller", "first"),
        ("oops DETAIL: Jane", "oops"),
        ("oops [SQL: insert Jane]", "oops"),
        ("Key (email)=(Jane) exists", "Key […]"),
        ("no such column: emial", "no such column: emial"),
        ("no such column: a b Jane", "no such column: a b Jane"),
        ("UNIQUE constraint failed: customers.email", "UNIQUE constraint failed: customers.email"),
        ("22P02: bad 'Jane'", "22P02: bad […]"),
        ("mail ann@x.org bounced", "mail <EMAIL_ADDRESS> bounced"),
        ("P0001: no account for Jane Miller", "P0001"),
        ("psycopg.errors.RaiseException: no account for Jane Miller", "psycopg.errors.RaiseException"),
        ("(psycopg.errors.RaiseException) no account for Jane Miller", "psycopg.errors.RaiseException"),
        ("", ""),
        ("\n\n", ""),
    ],
)
def test_an_error_keeps_its_class_and_what_quotes_nothing(text, shown):
    assert mask_error(text, masks(), find=Finder(), key=KEY)[0] == shown


@given(st.text(max_size=30))
def test_nothing_quoted_by_an_error_is_told(value):
    secret = "Zq" + value.replace("\n", " ") + "Qz"
    for form in (f'bad value "{secret}" in row', f"bad value '{secret}'", f"bad ({secret}) row", f"Key (a)=({secret})"):
        assert "Zq" not in mask_error(form, masks(), find=Finder(), key=KEY)[0]


class Locked(dict):
    __slots__ = ()

    def items(self):
        raise RuntimeError


def test_a_container_that_can_t_be_read_is_masked_whole():
    assert run([Locked(a="ann@x.org"), "fine"])[0] == ["<UNREADABLE>", "fine"]


def test_keep_on_a_column_leaves_it_uncounted():
    column = ColumnPlan(action="mask", operator=Operator(name="keep"), label="L")
    result = apply(("c",), [("a",)], MaskPlan(columns=(column,)), find=Finder(), key=b"")
    assert (result.rows, result.masked) == ((("a",),), {})


def test_a_fraction_is_hashed_and_starred_by_its_digits():
    assert masked(12.75, Operator(name="mask", keep_last=2), "L", KEY) == "***75"
    assert token(12.5, "L", KEY) == token(Decimal("12.5"), "L", KEY)
    assert token(["a"], "L", KEY) != token(("a",), "L", KEY)


def test_numbers_that_can_t_be_read_are_masked():
    def blind(texts, entities, context):
        return [[Span(start=0, end=0, entity=UNREADABLE)] for _ in texts]

    assert run([4111111111111111, "4111111111111111"], find=blind)[0] == ["<UNREADABLE>"] * 2
    assert run(["4111111111111111"], find=blind, typed=True)[0] == ["<UNREADABLE>"]


def test_a_finding_longer_than_the_overlap_that_meets_a_piece_s_end_masks_all():
    def greedy(texts, entities, context):
        return [[Span(start=0, end=len(text), entity="A")] for text in texts]

    assert run(["x" * (2 * CHUNK)], find=greedy, entities=masks("A"))[0] == ["<UNREADABLE>"]
    assert run(
        ["x" * CHUNK], find=lambda t, e, c: [[Span(start=1, end=9, entity="A")] for _ in t], entities=masks("A")
    )[0][0].startswith("x<A>x")
