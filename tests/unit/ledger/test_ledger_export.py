"""The export of a session and its offline verification: what it proves, and what it refuses."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from langguard.errors import LedgerError, VerificationError
from langguard.ledger import (
    Checkpoint,
    Frontier,
    LogKey,
    OpenedBody,
    add_signature,
    canonical,
    commitment,
    draft,
    export_session,
    leaf_hash,
    root,
    sign_note,
    verify,
)

TREE = "shop/ledger"
KEY = LogKey(name=TREE, private=Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
OTHER = LogKey(name=TREE, private=Ed25519PrivateKey.from_private_bytes(b"\x02" * 32))
WITNESS = LogKey(name="witness.example", private=Ed25519PrivateKey.from_private_bytes(b"\x03" * 32))
PUBLIC = str(KEY.public)
TEXT = "How many orders has «Ada»?\n"
BODIES = {commitment(b"s" * 32, TEXT.encode()): OpenedBody(salt=b"s" * 32, text=TEXT.encode())}
COMMITTED = next(iter(BODIES))


class Log:
    """A ledger in memory."""

    def __init__(self, key=KEY):
        self.key = key
        self.frontier = Frontier()
        self.nodes = {}
        self.leaves = []
        self.counts = {}

    def add(self, kind, session="sess_1", *, seq=None, tree=TREE, bodies=None):
        made = draft(
            tree=tree,
            kind=kind,
            at=len(self.leaves),
            session=session,
            by="svc",
            source="observed",
            data={},
            bodies=bodies,
        )
        leaf = made.leaf(self.counts.get(session, 0) if seq is None else seq)
        self.counts[session] = self.counts.get(session, 0) + 1
        self.leaves.append((session, leaf))
        self.frontier, nodes = self.frontier.append(leaf_hash(leaf))
        self.nodes.update({(level, index): value for level, index, value in nodes})
        return self

    def node(self, level, index):
        return self.nodes[level, index]

    def head(self, size=None):
        size = self.frontier.size if size is None else size
        return self.key.sign(size, root(size, self.node))

    def of(self, session):
        return [(index, leaf) for index, (whose, leaf) in enumerate(self.leaves) if whose == session]

    def export(self, session="sess_1", **changed):
        given = {
            "session": session,
            "checkpoint": self.head(),
            "key": str(self.key.public),
            "entries": self.of(session),
            "node": self.node,
            "bodies": BODIES,
        }
        return list(export_session(**given | changed))


def log():
    made = Log().add("gateway_started", None).add("session_opened").add("session_opened", "sess_2")
    made.add("intent", bodies={"prompt": COMMITTED, "statement": "b" * 64}).add("intent", "sess_2")
    return made.add("outcome").add("session_ended").add("session_ended", "sess_2")


def edited(lines, number, change):
    """Rewrite one line as whoever holds no key could: canonical again, so only the content gives it away."""
    value = json.loads(lines[number - 1])
    change(value)
    return [*lines[: number - 1], canonical(value) + b"\n", *lines[number:]]


def test_an_export_verifies():
    report = verify(log().export(), trusted_key=PUBLIC, checkpoint=log().head())
    assert (report.entries, report.size, report.bodies, report.withheld) == (4, 8, 1, 1)
    assert (report.tree, report.session, report.ended) == (TREE, "sess_1", True)
    assert (report.root, report.key, report.key_id) == (
        log().frontier.root().hex(),
        PUBLIC,
        PUBLIC.split("+")[1],
    )
    assert (report.key_trusted, report.anchored) == (True, True)
    assert report.notes == ("1 bodies are not in the file; their commitments are.",)


def test_the_whole_file_and_its_lines_are_the_same():
    lines = log().export()
    assert verify(b"".join(lines)) == verify(iter(lines))


def test_an_export_alone_is_unanchored():
    report = verify(log().export())
    assert not report.anchored
    assert not report.key_trusted
    assert any("Unanchored" in note for note in report.notes)
    assert verify(log().export(), trusted_key=PUBLIC).anchored is False


def test_an_open_session_is_said_to_be_open():
    report = verify(Log().add("session_opened").add("intent").export())
    assert not report.ended
    assert any("later ones may exist" in note for note in report.notes)


def test_an_earlier_checkpoint_anchors():
    ledger = log()
    earlier = ledger.head(3)
    lines = ledger.export(earlier=earlier)
    assert verify(lines, checkpoint=earlier).anchored
    assert verify(lines, checkpoint=ledger.head()).anchored
    assert verify(lines, checkpoint=add_signature(earlier, WITNESS)).anchored
    with pytest.raises(VerificationError, match=r"line 1.*export again"):
        verify(lines, checkpoint=ledger.head(4))
    with pytest.raises(VerificationError, match=r"line 1.*export again"):
        verify(ledger.export(), checkpoint=earlier)


def test_a_rewritten_history_is_caught_by_an_earlier_checkpoint():
    kept = log().head()
    rewritten = Log().add("gateway_started", None).add("session_opened")
    for _ in range(5):
        rewritten.add("intent")
    rewritten.add("session_ended")
    assert verify(rewritten.export(), trusted_key=PUBLIC).entries == 7
    with pytest.raises(VerificationError, match="history was rewritten"):
        verify(rewritten.export(), trusted_key=PUBLIC, checkpoint=kept)
    longer = rewritten.add("gateway_stopped", None)
    with pytest.raises(VerificationError, match="does not continue"):
        verify(longer.export(earlier=kept), checkpoint=kept)


def test_an_empty_ledgers_checkpoint_anchors_nothing():
    with pytest.raises(VerificationError, match="anchors nothing"):
        verify(log().export(earlier=log().head(0)), checkpoint=log().head(0))


def test_another_key_is_refused():
    lines = Log(OTHER).add("session_opened").export()
    assert verify(lines).entries == 1
    with pytest.raises(VerificationError, match="not the trusted one"):
        verify(lines, trusted_key=PUBLIC)
    with pytest.raises(VerificationError, match="not signed by the expected key"):
        verify(lines, checkpoint=Log().add("session_opened").head())


def head_of(size, root=b"r" * 32, key=KEY, origin=TREE):
    return sign_note(Checkpoint(origin=origin, size=size, root=root).text(), [key])


def change(**values):
    return lambda line: line.update(values)


@pytest.mark.parametrize(
    ("number", "alter", "said", "entry"),
    [
        pytest.param(1, change(schema="langguard.export/2"), "schema", None, id="another schema"),
        pytest.param(1, change(tree="shop/other"), "another ledger", None, id="another tree"),
        pytest.param(1, change(session="sess_2"), "another session", 1, id="another session"),
        pytest.param(1, change(key=str(OTHER.public)), "expected key|carries a signature", None, id="another key"),
        pytest.param(1, change(checkpoint=head_of(8)), "not in the signed tree", 1, id="another root"),
        pytest.param(1, change(checkpoint=head_of(8, key=OTHER)), "can't be checked", None, id="signed by another"),
        pytest.param(
            1, change(checkpoint=head_of(8, origin="shop/other")), "signed by the key of", None, id="another origin"
        ),
        pytest.param(
            1, change(checkpoint=add_signature(log().head(), WITNESS)), "can't be checked", None, id="unknown cosigner"
        ),
        pytest.param(1, change(entries=3, last_seq=2), "line 5 is not the last line", None, id="fewer counted"),
        pytest.param(1, change(entries=5, last_seq=4), "line 6 is not the entry", None, id="more counted"),
        pytest.param(1, change(entries=0, last_seq=-1), "counts", None, id="none counted"),
        pytest.param(1, change(last_seq=4), "counts", None, id="another last seq"),
        pytest.param(1, change(extra=1), "other fields", None, id="a field more"),
        pytest.param(1, change(entries="4"), "other fields", None, id="a field of another type"),
        pytest.param(1, lambda line: line.pop("key"), "other fields", None, id="a field less"),
        pytest.param(
            1,
            change(consistency={"checkpoint": log().head(3), "proof": ["a" * 64]}),
            "does not continue",
            None,
            id="a false consistency proof",
        ),
        pytest.param(
            1,
            change(consistency={"checkpoint": head_of(3, key=OTHER), "proof": []}),
            "can't be checked",
            None,
            id="an earlier checkpoint by another key",
        ),
        pytest.param(3, change(index=4), "not in the signed tree", 4, id="another index"),
        pytest.param(3, change(index=1), "does not follow", 1, id="an index twice"),
        pytest.param(3, change(index=99), "not in the signed tree", 99, id="an index past the end"),
        pytest.param(3, change(index=-1), "does not follow", -1, id="a negative index"),
        pytest.param(3, change(proof=[]), "not in the signed tree", 3, id="no proof"),
        pytest.param(3, change(proof=["A" * 64]), "proof is malformed", 3, id="upper-case proof"),
        pytest.param(3, change(proof=["a" * 64] * 65), "proof is malformed", 3, id="an endless proof"),
        pytest.param(
            3,
            lambda line: line.update(leaf=line["leaf"].replace('"svc"', '"eve"')),
            "not in the signed tree",
            3,
            id="a changed leaf",
        ),
        pytest.param(
            3,
            lambda line: line.update(leaf=line["leaf"].replace('"at":', '"at": ')),
            "canonical",
            3,
            id="a leaf with a space",
        ),
        pytest.param(3, change(leaf="{}"), "not a leaf", 3, id="a leaf of nothing"),
        pytest.param(
            3,
            lambda line: line.update(leaf=line["leaf"].replace('"intent"', '"session_opened"')),
            "its opening",
            3,
            id="opened again",
        ),
        pytest.param(
            2,
            lambda line: line.update(leaf=line["leaf"].replace('"session_opened"', '"intent"')),
            "its opening",
            1,
            id="never opened",
        ),
        pytest.param(
            3,
            lambda line: line.update(leaf=line["leaf"].replace(TREE, "shop/other")),
            "another ledger",
            3,
            id="a leaf of another ledger",
        ),
        pytest.param(3, lambda line: line["bodies"]["prompt"].update(text="Hi"), "committed", 3, id="another body"),
        pytest.param(3, lambda line: line["bodies"]["prompt"].update(salt="a" * 64), "committed", 3, id="another salt"),
        pytest.param(3, lambda line: line["bodies"]["prompt"].update(salt="7" * 63), "salt", 3, id="a short salt"),
        pytest.param(
            3,
            lambda line: line["bodies"].update(answer=line["bodies"].pop("prompt")),
            "names no body 'answer'",
            3,
            id="a body under another name",
        ),
        pytest.param(
            3,
            lambda line: line["bodies"].update(statement=line["bodies"]["prompt"]),
            "committed",
            3,
            id="a body in another's place",
        ),
        pytest.param(6, change(end=False), "last line counts", None, id="an end that is none"),
        pytest.param(6, change(entries=5), "last line counts 5", None, id="another count at the end"),
    ],
)
def test_a_forged_line_is_named(number, alter, said, entry):
    with pytest.raises(VerificationError, match=said) as failed:
        verify(edited(log().export(), number, alter))
    assert failed.value.entry == entry
    assert "line" in str(failed.value)


@pytest.mark.parametrize(
    ("rearrange", "said"),
    [
        pytest.param(lambda lines: [], "line 1", id="nothing"),
        pytest.param(lambda lines: lines[1:], "line 1", id="no header"),
        pytest.param(lambda lines: [lines[0], *lines[2:]], "line 2, entry 3.*missing", id="first entry removed"),
        pytest.param(lambda lines: [*lines[:2], *lines[3:]], "line 3, entry 5.*missing", id="an entry removed"),
        pytest.param(lambda lines: [*lines[:4], lines[5]], "line 5 is not the entry", id="last entry removed"),
        pytest.param(lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "out of order", id="swapped"),
        pytest.param(lambda lines: [*lines[:3], lines[2], *lines[3:]], "out of order", id="an entry twice"),
        pytest.param(lambda lines: lines[:-1], "without its last line", id="no last line"),
        pytest.param(lambda lines: [*lines, lines[-1]], "line 7: the file goes on", id="last line twice"),
        pytest.param(lambda lines: [*lines, b"\n"], "line 7: the file goes on", id="an empty line more"),
        pytest.param(lambda lines: [*lines[:-1], lines[-1][:-1]], "cut off", id="no final newline"),
        pytest.param(lambda lines: [lines[0][:-1] + b"\r\n", *lines[1:]], "line 1", id="carriage return"),
        pytest.param(lambda lines: [b"\xef\xbb\xbf" + lines[0], *lines[1:]], "line 1", id="byte order mark"),
    ],
)
def test_lines_removed_added_or_moved_are_noticed(rearrange, said):
    lines = rearrange(log().export())
    with pytest.raises(VerificationError, match=said):
        verify(lines)
    with pytest.raises(VerificationError, match=r"line|after"):
        verify(b"".join(lines))


def test_a_shortened_export_can_only_pose_as_an_open_session():
    lines = log().export()
    shorter = edited([*lines[:4], lines[5]], 1, change(entries=3, last_seq=2))
    report = verify(edited(shorter, 5, change(entries=3)))
    assert not report.ended
    assert any("later ones may exist" in note for note in report.notes)


def test_a_session_can_not_borrow_from_another():
    ledger = log()
    mixed = [*ledger.of("sess_1")[:1], *ledger.of("sess_2")[1:]]
    with pytest.raises(VerificationError, match="another session"):
        verify(ledger.export(entries=mixed))


FILE = b"".join(log().export(earlier=log().head(3)))


@given(place=st.integers(0, len(FILE) - 1), value=st.integers(0, 255))
def test_no_byte_can_change_unnoticed(place, value):
    changed = FILE[:place] + bytes([value]) + FILE[place + 1 :]
    if changed == FILE:
        verify(changed)
        return
    with pytest.raises(VerificationError, match=r"line|after"):
        verify(changed)


def test_every_single_byte_flipped_is_noticed():
    for place in range(len(FILE)):
        changed = bytearray(FILE)
        changed[place] ^= 0x20 if place % 2 else 0x01
        with pytest.raises(VerificationError):
            verify(bytes(changed))


@given(place=st.integers(0, len(FILE) - 1), value=st.binary(max_size=1))
def test_no_byte_can_be_removed_or_added_unnoticed(place, value):
    changed = (
        FILE[:place] + value + FILE[place + len(value) ^ 1 :] if not value else FILE[:place] + value + FILE[place:]
    )
    if changed != FILE:
        with pytest.raises(VerificationError):
            verify(changed)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        pytest.param({"entries": []}, LedgerError, id="no entries"),
        pytest.param({"checkpoint": log().head(5)}, LedgerError, id="a head before its entries"),
        pytest.param({"earlier": log().add("intent").head()}, LedgerError, id="an earlier head of a longer ledger"),
        pytest.param({"earlier": head_of(3, key=OTHER)}, VerificationError, id="an earlier head by another key"),
        pytest.param({"checkpoint": head_of(8, key=OTHER)}, VerificationError, id="a head by another key"),
        pytest.param({"key": "x"}, VerificationError, id="no key"),
        pytest.param({"entries": [(1, b"{}")]}, VerificationError, id="no leaf"),
        pytest.param({"bodies": {COMMITTED: OpenedBody(salt=b"s" * 32, text=b"\xff")}}, LedgerError, id="no text"),
    ],
)
def test_what_could_not_verify_is_not_exported(changed, error):
    with pytest.raises(error):
        log().export(**changed)
