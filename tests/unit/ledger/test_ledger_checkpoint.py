"""Signed notes and checkpoints: the published example, and what is refused."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from langguard.errors import VerificationError
from langguard.ledger.checkpoint import (
    Checkpoint,
    LogKey,
    VerifierKey,
    add_signature,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    sign_note,
    verified_text,
)

# The example of the signed-note format (C2SP, golang.org/x/mod/sumdb/note).
PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = (
    TEXT + "\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def key(name="shop/ledger", seed=1):
    return LogKey(name=name, private=Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def test_the_published_example_verifies_and_is_reproduced():
    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(SECRET)[1:])
    signer = LogKey(name="PeterNeumann", private=private)
    assert str(signer.public) == PUBLIC
    assert signer.public.id.hex() == "c74f20a3"
    assert sign_note(TEXT, [signer]) == NOTE
    assert verified_text(NOTE, [VerifierKey.parse(PUBLIC)], only=True) == TEXT


def test_a_checkpoint_reads_back():
    note = key().sign(412, b"r" * 32)
    assert note.startswith(f"shop/ledger\n412\n{base64.b64encode(b'r' * 32).decode()}\n\n— shop/ledger ")
    assert key().verify(note) == Checkpoint(origin="shop/ledger", size=412, root=b"r" * 32)


def test_a_key_shows_no_secret():
    assert "private" not in repr(key())
    assert VerifierKey.parse(str(key().public)) == key().public


def test_several_signatures_on_one_note():
    log, witness = key(), key("witness.example", 2)
    note = add_signature(log.sign(3, b"r" * 32), witness)
    assert verified_text(note, [log.public, witness.public], only=True)
    assert open_checkpoint(note, log.public).size == 3
    with pytest.raises(VerificationError, match=r"witness\.example"):
        open_checkpoint(note, log.public, only=True)
    with pytest.raises(VerificationError, match="not signed by the expected"):
        verified_text(log.sign(3, b"r" * 32), [log.public, witness.public])


def test_an_unknown_signature_is_ignored_and_a_wrong_one_is_not():
    log, witness, impostor = key(), key("witness.example", 2), key("witness.example", 3)
    note = add_signature(log.sign(3, b"r" * 32), impostor)
    assert verified_text(note, [log.public])
    with pytest.raises(VerificationError, match="expected key"):
        verified_text(note, [log.public, witness.public])
    lines = add_signature(log.sign(3, b"r" * 32), witness).splitlines(keepends=True)
    other = add_signature(log.sign(4, b"r" * 32), witness).splitlines(keepends=True)
    with pytest.raises(VerificationError, match=r"witness\.example is wrong"):
        verified_text("".join([*lines[:-1], other[-1]]), [log.public, witness.public])


def test_the_same_signature_twice_is_refused():
    note = key().sign(3, b"r" * 32)
    with pytest.raises(VerificationError, match="two signatures"):
        verified_text(note + note.splitlines(keepends=True)[-1], [key().public])


def test_nobody_to_trust_means_nothing_is_trusted():
    with pytest.raises(VerificationError):
        verified_text(NOTE, [])


def test_every_changed_byte_of_a_signed_checkpoint_fails():
    note = key().sign(3, bytes(range(32))).encode()
    for place in range(len(note)):
        for bit in (0x01, 0x20):
            changed = bytearray(note)
            changed[place] ^= bit
            try:
                text = changed.decode()
            except UnicodeDecodeError:
                continue
            with pytest.raises(VerificationError):
                open_checkpoint(text, key().public, only=True)


LINE = NOTE.splitlines(keepends=True)[-1]


@pytest.mark.parametrize(
    "note",
    [
        pytest.param("", id="nothing"),
        pytest.param(TEXT, id="no signature"),
        pytest.param(TEXT + "\n", id="no signature line"),
        pytest.param(TEXT + "\n\n", id="empty signature line"),
        pytest.param("\n\n" + LINE, id="no text"),
        pytest.param(TEXT + LINE, id="no blank line"),
        pytest.param(NOTE[:-1], id="no final newline"),
        pytest.param(NOTE + "\n", id="newline after"),
        pytest.param(NOTE + "more\n", id="text after"),
        pytest.param(TEXT + "\n" + LINE.replace("— ", "- "), id="hyphen"),
        pytest.param(TEXT + "\n" + LINE.replace("— ", "—"), id="no space"),
        pytest.param(TEXT + "\n" + LINE.replace("PeterNeumann", "Peter+Neumann"), id="plus in name"),
        pytest.param(TEXT + "\n— PeterNeumann\n", id="no base64"),
        pytest.param(TEXT + "\n— PeterNeumann x08gow==\n", id="key id only"),
        pytest.param(TEXT + "\n" + LINE.replace("=", ""), id="base64 unpadded"),
        pytest.param(TEXT + "\n" + LINE.replace("AM=", "AN="), id="base64 with stray bits"),
        pytest.param("a\tb\n\n" + LINE, id="tab in text"),
        pytest.param("a\rb\n\n" + LINE, id="carriage return in text"),
        pytest.param("\ud800\n\n" + LINE, id="surrogate in text"),
        pytest.param(TEXT + "\n" + LINE * 17, id="too many signatures"),
        pytest.param("x" * 70_000 + "\n\n" + LINE, id="too long"),
    ],
)
def test_malformed_notes_are_refused(note):
    with pytest.raises(VerificationError):
        parse_note(note)
    with pytest.raises(VerificationError):
        verified_text(note, [VerifierKey.parse(PUBLIC)])


ROOT = base64.b64encode(b"r" * 32).decode()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"log\n1\n{ROOT}", id="no final newline"),
        pytest.param(f"log\n01\n{ROOT}\n", id="leading zero"),
        pytest.param(f"log\n-1\n{ROOT}\n", id="negative"),
        pytest.param(f"log\n+1\n{ROOT}\n", id="sign"),
        pytest.param(f"log\n1 \n{ROOT}\n", id="space"),
        pytest.param(f"log\n١\n{ROOT}\n", id="another script's digit"),
        pytest.param(f"\n1\n{ROOT}\n", id="no origin"),
        pytest.param(f"a b\n1\n{ROOT}\n", id="origin with space"),
        pytest.param(f"log\n1\n{ROOT[:-4]}\n", id="short root"),
        pytest.param(f"log\n1\n{ROOT}\nmore\n", id="another line"),
        pytest.param(f"log\n1\n{ROOT}\n\n", id="blank line"),
        pytest.param("log\n", id="origin only"),
        pytest.param("", id="nothing"),
    ],
)
def test_malformed_checkpoints_are_refused(text):
    with pytest.raises(VerificationError):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PUBLIC.replace("c74f20a3", "c74f20a4"), id="another id"),
        pytest.param(PUBLIC.replace("c74f20a3", "C74F20A3"), id="upper-case id"),
        pytest.param(PUBLIC.replace("Peter", "Pete"), id="another name"),
        pytest.param(PUBLIC.replace("+ARpc", "+Ahpc"), id="another algorithm"),
        pytest.param(PUBLIC[:-4], id="short key"),
        pytest.param(PUBLIC + "\n", id="newline"),
        pytest.param("", id="nothing"),
        pytest.param("\ud800+c74f20a3+" + PUBLIC.split("+")[2], id="surrogate"),
    ],
)
def test_malformed_keys_are_refused(text):
    with pytest.raises(VerificationError):
        VerifierKey.parse(text)


def test_a_checkpoint_of_another_tree_is_refused():
    note = sign_note(Checkpoint(origin="other", size=1, root=b"r" * 32).text(), [key()])
    with pytest.raises(VerificationError, match="other"):
        key().verify(note)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "x" * 256])
def test_a_key_needs_a_name_that_notes_can_hold(name):
    with pytest.raises(ValueError, match="name"):
        key(name)


@pytest.mark.parametrize("text", ["", "\n", "no newline", "bell\x07\n", "\ud800\n"])
def test_what_can_not_be_a_note_is_not_signed(text):
    with pytest.raises(ValueError, match="note"):
        sign_note(text, [key()])


def test_nobody_signs_nothing():
    with pytest.raises(ValueError, match="at least one"):
        sign_note("text\n", [])
