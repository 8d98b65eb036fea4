"""Leaves: the canonical form, its limits, and the frozen format."""

import math
import string

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from langguard.errors import LedgerError, VerificationError
from langguard.ledger.encode import KINDS, MAX_INTEGER, canonical, draft, parse, parse_leaf, recordable

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text(st.characters(codec="ascii"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
FIELDS = {
    "tree": "shop/ledger-1",
    "kind": "intent",
    "at": 1_760_000_000_000_000,
    "session": "sess_1",
    "by": "agent-service",
    "source": "observed",
    "data": {"rows": 3, "why": "gränted"},
    "bodies": {"prompt": "a" * 64},
}


@given(VALUES)
def test_canonical_bytes_are_those_of_an_independent_rfc8785_encoder(value):
    assert canonical(value) == rfc8785.dumps(value)
    assert parse(canonical(value)) == value


@pytest.mark.parametrize("code", [*range(0x20), 0x7F, 0x80, 0xFF, 0x2028, 0x2029, 0xFEFF, 0xFFFF, 0x1F600])
def test_every_awkward_character_is_written_as_rfc8785_writes_it(code):
    assert canonical({"k": chr(code)}) == rfc8785.dumps({"k": chr(code)})


class Sub(str):
    __slots__ = ()


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(1.0, id="float"),
        pytest.param(math.nan, id="nan"),
        pytest.param(b"x", id="bytes"),
        pytest.param(2**53, id="integer at 2^53"),
        pytest.param(-(2**53), id="integer at -2^53"),
        pytest.param({"é": 1}, id="key not ASCII"),
        pytest.param({1: 1}, id="key not text"),
        pytest.param({None: 1}, id="key None"),
        pytest.param({Sub("k"): 1}, id="key of a subclass"),
        pytest.param(Sub("v"), id="text of a subclass"),
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param({1, 2}, id="set"),
        pytest.param(nested(33), id="too deep"),
        pytest.param({"a": [{"b": 0.5}]}, id="float inside"),
    ],
)
def test_what_has_no_exact_form_is_refused(value):
    with pytest.raises(LedgerError):
        canonical(value)


def test_limits_are_reached_before_they_refuse():
    assert canonical([MAX_INTEGER, -MAX_INTEGER]) == b"[9007199254740991,-9007199254740991]"
    assert canonical(nested(32)).startswith(b"[[[")
    assert canonical((1, "a")) == b'[1,"a"]'


def test_recordable_writes_inexact_numbers_as_text():
    value = {"score": 0.4, "big": 2**60, "rows": 3, "flag": True, "list": (1.5, None)}
    assert recordable(value) == {"score": "0.4", "big": str(2**60), "rows": 3, "flag": True, "list": ["1.5", None]}
    canonical(recordable(value))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'{"b":1,"a":2}', id="keys out of order"),
        pytest.param(b'{"a":1,"a":1}', id="a key twice"),
        pytest.param(b'{"a": 1}', id="space"),
        pytest.param(b'{"a":1}\n', id="newline"),
        pytest.param(b'"\\u0041"', id="needless escape"),
        pytest.param(b'"\\u000A"', id="long escape"),
        pytest.param(b"1.0", id="float"),
        pytest.param(b"1e2", id="exponent"),
        pytest.param(b"-0", id="minus zero"),
        pytest.param(b"9007199254740992", id="too large"),
        pytest.param(b'{"\xc3\xa9":1}', id="key not ASCII"),
        pytest.param(b'"\xff"', id="not UTF-8"),
        pytest.param(b'"\\ud800"', id="lone surrogate"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param(b"[" * 100_000, id="very deep"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"{} {}", id="two values"),
        pytest.param(b"NaN", id="nan"),
    ],
)
def test_only_the_canonical_form_is_read(text):
    with pytest.raises(VerificationError):
        parse(text)


@given(seq=st.integers(0, MAX_INTEGER), data=st.dictionaries(KEYS, VALUES, max_size=4))
def test_a_drafts_leaf_is_canonical_and_reads_back(seq, data):
    leaf = draft(**FIELDS | {"data": data}).leaf(seq)
    whole = FIELDS | {"data": data, "seq": seq, "schema": "langguard.entry/1"}
    assert leaf == rfc8785.dumps(whole)
    read = parse_leaf(leaf)
    assert (read.seq, read.data, read.kind, read.tree) == (seq, data, "intent", "shop/ledger-1")


def test_the_format_is_frozen():
    leaf = draft(**FIELDS).leaf(7)
    assert leaf.decode() == (
        '{"at":1760000000000000,"bodies":{"prompt":"' + "a" * 64 + '"},"by":"agent-service",'
        '"data":{"rows":3,"why":"gränted"},"kind":"intent","schema":"langguard.entry/1","seq":7,'
        '"session":"sess_1","source":"observed","tree":"shop/ledger-1"}'
    )


def test_a_draft_holds_what_it_was_given_then():
    data = {"rows": 1}
    made = draft(**FIELDS | {"data": data})
    data["rows"] = 2
    assert parse_leaf(made.leaf(0)).data == {"rows": 1}


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"kind": "Intent"}, id="kind unknown"),
        pytest.param({"kind": "something_new"}, id="kind not of this build"),
        pytest.param({"tree": ""}, id="tree empty"),
        pytest.param({"tree": "a b"}, id="tree with space"),
        pytest.param({"tree": "a+b"}, id="tree with plus"),
        pytest.param({"tree": "a\nb"}, id="tree with newline"),
        pytest.param({"tree": "a\n"}, id="tree with final newline"),
        pytest.param({"at": -1}, id="time negative"),
        pytest.param({"at": 1.5}, id="time fractional"),
        pytest.param({"at": True}, id="time boolean"),
        pytest.param({"session": ""}, id="session empty"),
        pytest.param({"session": "a b"}, id="session with space"),
        pytest.param({"session": 3}, id="session a number"),
        pytest.param({"by": ""}, id="by nobody"),
        pytest.param({"by": "x" * 513}, id="by too long"),
        pytest.param({"source": "guessed"}, id="source unknown"),
        pytest.param({"bodies": {"Prompt": "a" * 64}}, id="body name"),
        pytest.param({"bodies": {"prompt": "A" * 64}}, id="commitment upper case"),
        pytest.param({"bodies": {"prompt": "a" * 63}}, id="commitment short"),
        pytest.param({"bodies": {"prompt": b"a" * 64}}, id="commitment bytes"),
        pytest.param({"data": {"x": 0.1}}, id="data float"),
        pytest.param({"data": {"x": "y" * (1 << 20)}}, id="too long"),
    ],
)
def test_a_wrong_field_is_refused(changed):
    with pytest.raises(LedgerError):
        draft(**FIELDS | changed)


@pytest.mark.parametrize("seq", [-1, 2**53, 1.0, True, "1"])
def test_a_wrong_seq_is_refused(seq):
    with pytest.raises(LedgerError):
        draft(**FIELDS).leaf(seq)


def test_kinds_have_the_shape_that_verifiers_accept():
    allowed = set(string.ascii_lowercase + "_")
    assert all(set(kind) <= allowed for kind in KINDS)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"schema":"langguard.entry/1"', b'"schema":"langguard.entry/2"'),
        (b'"source":"observed"', b'"source":"imagined"'),
        (b'"seq":7', b'"seq":"7"'),
        (b'"data":{"rows":3,"why":"gr\xc3\xa4nted"}', b'"data":[]'),
        (b'"by":"agent-service",', b""),
        (b'"at":', b'"an":1,"at":'),
        (b'"kind":"intent"', b'"kind":"IN"'),
    ],
)
def test_a_leaf_of_another_shape_is_not_read(old, new):
    leaf = draft(**FIELDS).leaf(7)
    assert old in leaf
    with pytest.raises(VerificationError):
        parse_leaf(leaf.replace(old, new))


def test_a_kind_of_a_newer_build_is_read():
    leaf = draft(**FIELDS).leaf(7).replace(b'"kind":"intent"', b'"kind":"invented_later"')
    assert parse_leaf(leaf).kind == "invented_later"


def test_a_leaf_beyond_the_limit_is_not_read():
    leaf = draft(**FIELDS).leaf(7).replace(b"agent-service", b"a" * (1 << 20))
    with pytest.raises(VerificationError, match="longer"):
        parse_leaf(leaf)
