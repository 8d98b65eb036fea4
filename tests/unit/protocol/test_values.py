"""Values that JSON has no word for survive the wire exactly, and no data can pose as a tag."""

import datetime as dt
import decimal
import ipaddress
import math
import uuid

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langguard.protocol.values import decode, encode

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.decimals(allow_nan=False),
    st.binary(),
    st.datetimes(timezones=st.one_of(st.none(), st.just(dt.UTC))),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.uuids(),
    st.ip_addresses(),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner), max_leaves=10
)


@given(VALUES)
def test_a_round_trip_changes_nothing(value):
    sent = msgspec.json.decode(msgspec.json.encode(encode(value)))
    back = decode(sent)
    assert back == value
    assert type(back) is type(value)


def test_nan_and_infinity():
    assert math.isnan(decode(encode(math.nan)))
    assert decode(encode(-math.inf)) == -math.inf
    assert decode(encode(decimal.Decimal("NaN"))).is_nan()


@pytest.mark.parametrize("pose", [{"$": "bytes", "v": "AAAA"}, {"$": "nonsense"}, {"v": 1}])
def test_a_dict_that_looks_like_a_tag_stays_a_dict(pose):
    assert decode(encode(pose)) == pose


def test_a_type_not_known_here_becomes_its_text():
    class Range:
        def __str__(self):
            return "[1,5)"

    assert decode(encode(Range())) == "[1,5)"
    assert decode(encode(ipaddress.ip_network("10.0.0.0/8"))) == ipaddress.ip_network("10.0.0.0/8")
    assert decode(encode(frozenset({1}))) == [1]
    assert decode(encode(uuid.UUID(int=1))) == uuid.UUID(int=1)


@pytest.mark.parametrize("wrong", [{"$": "rows", "v": 1}, {}, {"$": None}])
def test_an_unknown_tag_is_refused(wrong):
    with pytest.raises(ValueError, match="unknown value tag"):
        decode(wrong)
