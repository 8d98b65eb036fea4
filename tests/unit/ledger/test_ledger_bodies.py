"""Bodies and keys: what opens, and everything that must not."""

import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from langguard.errors import VerificationError
from langguard.ledger import canonical
from langguard.ledger.bodies import OpenedBody, check_body, commitment, open_body, seal, unwrap_key, wrap_key

SALT, NONCE, KEY, MASTER = b"s" * 32, b"n" * 12, b"k" * 32, b"m" * 32
PLACE = {"session": "sess_1", "tree": "shop/ledger"}


def sealed(body=b"select 1"):
    return seal(body, salt=SALT, nonce=NONCE, key=KEY, **PLACE)


def test_a_commitment_is_the_hash_of_salt_and_body():
    assert commitment(SALT, b"body") == hashlib.sha256(SALT + b"body").hexdigest()


@given(st.binary(max_size=200))
def test_what_was_sealed_opens(body):
    opened = open_body(sealed(body), key=KEY, commitment=commitment(SALT, body), **PLACE)
    assert opened == OpenedBody(salt=SALT, text=body)
    assert repr(body)[2:-1] not in repr(opened) or len(body) < 12


def test_the_sealed_form_shows_no_body():
    assert b"select" not in sealed()
    assert sealed() == b"\x01" + NONCE + sealed()[13:]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"key": b"x" * 32}, id="another key"),
        pytest.param({"session": "sess_2"}, id="another session"),
        pytest.param({"tree": "shop/other"}, id="another ledger"),
        pytest.param({"commitment": commitment(SALT, b"select 2")}, id="another commitment"),
    ],
)
def test_a_body_opens_only_in_its_place(changed):
    good = {"key": KEY, "commitment": commitment(SALT, b"select 1"), **PLACE}
    open_body(sealed(), **good)
    with pytest.raises(VerificationError):
        open_body(sealed(), **good | changed)


def test_every_changed_byte_of_a_sealed_body_fails():
    good = sealed()
    for place in range(len(good)):
        changed = bytearray(good)
        changed[place] ^= 1
        with pytest.raises(VerificationError):
            open_body(bytes(changed), key=KEY, commitment=commitment(SALT, b"select 1"), **PLACE)
    for length in range(len(good)):
        with pytest.raises(VerificationError):
            open_body(good[:length], key=KEY, commitment=commitment(SALT, b"select 1"), **PLACE)


@pytest.mark.parametrize(
    ("salt", "body", "expected"),
    [
        pytest.param(SALT, b"other", commitment(SALT, b"body"), id="another body"),
        pytest.param(b"t" * 32, b"body", commitment(SALT, b"body"), id="another salt"),
        pytest.param(SALT[:-1], SALT[-1:] + b"body", commitment(SALT, b"body"), id="a salt that lends a byte"),
        pytest.param(b"", b"", hashlib.sha256(b"").hexdigest(), id="no salt"),
    ],
)
def test_a_body_is_what_was_committed_to(salt, body, expected):
    with pytest.raises(VerificationError):
        check_body(salt, body, expected)


def test_a_wrapped_key_opens_only_in_its_place():
    wrapped = wrap_key(KEY, master=MASTER, nonce=NONCE, **PLACE)
    assert KEY not in wrapped
    assert unwrap_key(wrapped, master=MASTER, **PLACE) == KEY
    for wrong in ({"session": "sess_2"}, {"tree": "shop/other"}, {"master": b"x" * 32}):
        with pytest.raises(VerificationError):
            unwrap_key(wrapped, **{"master": MASTER, **PLACE} | wrong)
    for gone in (b"", wrapped[:-1], wrapped[1:], bytes(len(wrapped))):
        with pytest.raises(VerificationError, match="erased"):
            unwrap_key(gone, master=MASTER, **PLACE)


def test_a_body_sealed_under_a_false_commitment_is_refused():
    """Whoever holds the session's key can bind any body to any commitment; it still is not what was committed to."""
    claimed = commitment(SALT, b"select 1")
    context = canonical(["langguard.body/1", "shop/ledger", "sess_1", claimed])
    lie = b"\x01" + NONCE + AESGCM(KEY).encrypt(NONCE, SALT + b"select 2", context)
    with pytest.raises(VerificationError, match="committed"):
        open_body(lie, key=KEY, commitment=claimed, **PLACE)


def test_a_wrapped_key_of_another_length_is_refused():
    context = canonical(["langguard.key/1", "shop/ledger", "sess_1"])
    short = b"\x01" + NONCE + AESGCM(MASTER).encrypt(NONCE, b"k" * 16, context)
    with pytest.raises(VerificationError, match="length"):
        unwrap_key(short, master=MASTER, **PLACE)


def test_a_body_does_not_pass_for_a_key():
    body = seal(b"", salt=KEY, nonce=NONCE, key=MASTER, **PLACE)
    with pytest.raises(VerificationError):
        unwrap_key(body, master=MASTER, **PLACE)


@pytest.mark.parametrize("wrong", [{"salt": b"s"}, {"nonce": b"n"}, {"key": b"k"}, {"nonce": b"n" * 16}])
def test_material_of_another_length_is_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        seal(b"x", **{"salt": SALT, "nonce": NONCE, "key": KEY, **PLACE} | wrong)


def test_keys_of_another_length_are_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        wrap_key(b"k" * 16, master=MASTER, nonce=NONCE, **PLACE)
    with pytest.raises(ValueError, match="32 bytes"):
        unwrap_key(b"", master=b"m" * 16, **PLACE)
