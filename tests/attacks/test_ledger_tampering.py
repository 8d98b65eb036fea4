"""Someone with the database file in hand changes history. Each row is one attempt, and who notices."""

import hashlib
import sqlite3

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from langguard.errors import LedgerError, VerificationError
from langguard.ledger import (
    Frontier,
    LogKey,
    OpenedBody,
    commitment,
    consistency_proof,
    draft,
    export_session,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify,
    verify_consistency,
    verify_inclusion,
)
from langguard.stores import Batch, Leaf, SqliteStore, StoreError, audit
from langguard.stores.sqlite_files import DATABASE

TREE = "shop/ledger"
KEY = LogKey(name=TREE, private=Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
THIEF = LogKey(name=TREE, private=Ed25519PrivateKey.from_private_bytes(b"\x66" * 32))
KINDS = ["session_opened", "intent", "outcome", "intent", "outcome", "intent", "session_ended"]


def entry(kind, number, session="sess_1", by="svc"):
    made = draft(tree=TREE, kind=kind, at=number, session=session, by=by, source="observed", data={"n": number})
    return Leaf(session=session, data=made)


def open_store(folder):
    return SqliteStore(folder / "data", tree=TREE, sign=KEY.sign, document_key=b"\x02" * 32)


@pytest.fixture
def recorded(tmp_path):
    """A closed store of seven entries, and the head that a client pinned."""
    with open_store(tmp_path) as store:
        for number, kind in enumerate(KINDS):
            store.append(Batch(leaves=(entry(kind, number),))).result(10)
        return tmp_path, store.head()


def tamper(folder, *statements):
    db = sqlite3.connect(folder / "data" / DATABASE, isolation_level=None)
    db.executescript(
        "DROP TRIGGER entries_stay; DROP TRIGGER entries_last; DROP TRIGGER nodes_stay; DROP TRIGGER nodes_last"
    )
    for statement, *values in statements:
        db.execute(statement, values)
    db.close()


def forged(number=3):
    return entry(KINDS[number], number, by="eve").data.leaf(number)


def exported(store, session="sess_1"):
    return list(
        export_session(
            session=session,
            checkpoint=store.head(),
            key=str(KEY.public),
            entries=store.entries(session),
            node=store.node,
            bodies={},
        )
    )


def test_nothing_changed_verifies(recorded):
    folder, pinned = recorded
    with open_store(folder) as store:
        assert verify(exported(store), trusted_key=str(KEY.public), checkpoint=pinned).entries == 7


def test_the_database_itself_refuses_careless_changes(recorded):
    folder, _ = recorded
    db = sqlite3.connect(folder / "data" / DATABASE, isolation_level=None)
    for statement in (
        "UPDATE entries SET seq = seq + 9",
        "DELETE FROM entries",
        "UPDATE nodes SET idx = 9",
        "DELETE FROM nodes",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            db.execute(statement)
    db.close()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        pytest.param(("UPDATE entries SET leaf = ? WHERE idx = 3", forged()), 3, id="a leaf changed"),
        pytest.param(
            ("UPDATE entries SET leaf = ?, hash = ? WHERE idx = 3", forged(), leaf_hash(forged())),
            2,  # the first whose proof passes through the changed hash
            id="a leaf and its hash changed",
        ),
        pytest.param(("UPDATE entries SET session = 'sess_2' WHERE idx = 3",), 4, id="an entry moved to a session"),
        pytest.param(("UPDATE entries SET seq = 30 WHERE idx = 3",), 4, id="an entry moved in its session"),
        pytest.param(("UPDATE entries SET leaf = X'7B7D' WHERE idx = 0",), 0, id="a leaf emptied"),
        pytest.param(("UPDATE nodes SET hash = ? WHERE level = 1 AND idx = 1", b"x" * 32), 0, id="a node changed"),
    ],
)
def test_a_changed_row_is_noticed_by_whoever_reads_it(recorded, statement, named):
    folder, _ = recorded
    tamper(folder, statement)
    with open_store(folder) as store:
        with pytest.raises(VerificationError) as failed:
            store.entries("sess_1")
        assert failed.value.entry == named
        assert store.entries("sess_3") == []


def test_a_removed_row_is_noticed_by_whoever_reads_it(recorded):
    folder, _ = recorded
    tamper(folder, ("DELETE FROM entries WHERE idx = 3",))
    with open_store(folder) as store:
        with pytest.raises(VerificationError, match="entry 3 is missing"):
            store.entry(3)
        with pytest.raises(StoreError, match="no node 3 at level 0"):
            store.entries("sess_1")


@pytest.mark.parametrize(
    ("statements", "said", "named"),
    [
        pytest.param([], None, None, id="nothing changed"),
        pytest.param([("DELETE FROM entries WHERE idx = 3",)], "missing", 3, id="an entry removed"),
        pytest.param(
            [("UPDATE entries SET leaf = ? WHERE idx = 3", forged())], "not those that were", None, id="changed"
        ),
        pytest.param([("UPDATE entries SET leaf = X'7B7D' WHERE idx = 3",)], "can't be read", 3, id="emptied"),
        pytest.param([("UPDATE entries SET session = 'sess_2' WHERE idx = 3",)], "filed under", 3, id="moved away"),
        pytest.param([("UPDATE entries SET seq = 9 WHERE idx = 3",)], "filed under", 3, id="moved in its session"),
        pytest.param(
            [("UPDATE entries SET seq = 20, leaf = ? WHERE idx = 3", entry("intent", 3).data.leaf(20))],
            "does not follow",
            3,
            id="renumbered",
        ),
    ],
)
def test_an_audit_finds_what_no_reader_came_across(recorded, statements, said, named):
    folder, _ = recorded
    tamper(folder, *statements)
    with open_store(folder) as store:
        if said is None:
            assert audit(store, KEY.public) == 7
            return
        with pytest.raises(VerificationError, match=said) as failed:
            audit(store, KEY.public)
    assert failed.value.entry == named


def test_an_audit_finds_an_end_cut_off_under_a_running_store(recorded):
    folder, _ = recorded
    with open_store(folder) as store:
        tamper(folder, ("DELETE FROM entries WHERE idx = 6",))
        with pytest.raises(VerificationError, match="entry 6 is missing"):
            audit(store, KEY.public)


def test_an_audit_asks_for_the_key(recorded):
    folder, _ = recorded
    with open_store(folder) as store, pytest.raises(VerificationError, match="expected key"):
        audit(store, THIEF.public)


def test_an_audit_finds_a_tree_that_is_not_the_signed_one(recorded, monkeypatch):
    folder, _ = recorded
    with open_store(folder) as store:
        monkeypatch.setattr(store, "node", lambda level, index: b"x" * 32)
        with pytest.raises(VerificationError, match="stored tree"):
            audit(store, KEY.public)


def test_a_changed_leaf_does_not_verify_even_if_the_store_let_it_pass(recorded, monkeypatch):
    folder, _ = recorded
    tamper(folder, ("UPDATE entries SET leaf = ?, hash = ? WHERE idx = 3", forged(), leaf_hash(forged())))
    monkeypatch.setattr("langguard.stores.sqlite.prove", lambda *given: None)
    with open_store(folder) as store, pytest.raises(VerificationError, match="line 4, entry 2"):
        verify(exported(store))


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(("UPDATE nodes SET hash = ? WHERE level = 2 AND idx = 0", b"x" * 32), id="a peak changed"),
        pytest.param(("UPDATE nodes SET hash = ? WHERE level = 1 AND idx = 2", b"x" * 32), id="another peak changed"),
        pytest.param(("DELETE FROM nodes WHERE level = 2",), id="a peak removed"),
        pytest.param(("UPDATE entries SET hash = ? WHERE idx = 6", b"x" * 32), id="the last hash changed"),
        pytest.param(("DELETE FROM entries WHERE idx = 6",), id="the last entry removed"),
        pytest.param(("DELETE FROM entries",), id="all entries removed"),
        pytest.param(
            ("INSERT INTO entries VALUES (7, 'sess_1', 7, ?, ?)", forged(), leaf_hash(forged())), id="an entry added"
        ),
        pytest.param(("UPDATE head SET size = 6",), id="the size changed"),
        pytest.param(("UPDATE head SET checkpoint = ?", KEY.sign(6, b"x" * 32)), id="another head of the same key"),
        pytest.param(("UPDATE head SET checkpoint = ''",), id="no head"),
    ],
)
def test_the_store_does_not_open_on_what_does_not_add_up(recorded, statement):
    folder, _ = recorded
    tamper(folder, statement)
    with pytest.raises(StoreError):
        open_store(folder)


def test_a_changed_inner_node_does_not_verify(recorded):
    folder, _ = recorded
    tamper(folder, ("UPDATE nodes SET hash = ? WHERE level = 1 AND idx = 0", b"x" * 32))
    with open_store(folder) as store, pytest.raises(VerificationError, match="not in the signed tree"):
        verify(exported(store))


def rewritten_rows(leaves):
    frontier, rows = Frontier(), [("DELETE FROM entries",), ("DELETE FROM nodes",)]
    for index, leaf in enumerate(leaves):
        rows.append(("INSERT INTO entries VALUES (?, 'sess_1', ?, ?, ?)", index, index, leaf, leaf_hash(leaf)))
        frontier, made = frontier.append(leaf_hash(leaf))
        rows += [("INSERT INTO nodes VALUES (?, ?, ?)", *node) for node in made[1:]]
    return frontier, rows


def rewritten(folder, key):
    """The whole ledger made anew, entry 3 another, everything adding up."""
    leaves = [entry(kind, number).data.leaf(number) for number, kind in enumerate(KINDS)]
    leaves[3] = forged()
    frontier, rows = rewritten_rows(leaves)
    head = key.sign(frontier.size, frontier.root())
    tamper(folder, *rows, ("UPDATE head SET checkpoint = ?", head))
    return head


def test_a_ledger_made_anew_without_the_key_is_not_opened_and_so_never_signed_over(recorded):
    folder, _ = recorded
    rewritten(folder, THIEF)
    with pytest.raises(StoreError, match="another key"):
        open_store(folder)


def test_a_ledger_made_anew_with_the_key_is_caught_by_a_pinned_checkpoint(recorded):
    folder, pinned = recorded
    rewritten(folder, KEY)
    with open_store(folder) as store:
        lines = exported(store)
        assert verify(lines, trusted_key=str(KEY.public)).anchored is False
        with pytest.raises(VerificationError, match="history was rewritten"):
            verify(lines, trusted_key=str(KEY.public), checkpoint=pinned)
        store.append(Batch(leaves=(entry("intent", 8, "sess_2"),))).result(10)
        kept, head = KEY.verify(pinned), KEY.verify(store.head())
        with pytest.raises(VerificationError, match="does not continue"):
            verify_consistency(
                first=kept.size,
                second=head.size,
                first_root=kept.root,
                second_root=head.root,
                proof=consistency_proof(kept.size, head.size, store.node),
            )


def test_rows_slipped_in_while_the_store_runs_stop_it(tmp_path):
    with open_store(tmp_path) as store:
        store.append(Batch(leaves=(entry("session_opened", 0),))).result(10)
        db = sqlite3.connect(tmp_path / "data" / DATABASE, isolation_level=None)
        db.execute("INSERT INTO entries VALUES (1, 'sess_1', 1, ?, ?)", (forged(1), leaf_hash(forged(1))))
        db.close()
        for _ in range(2):
            with pytest.raises(LedgerError, match="could not record"):
                store.append(Batch(leaves=(entry("intent", 1),))).result(10)
        assert KEY.verify(store.head()).size == 1
    with pytest.raises(StoreError, match="holds 2 entries"):
        open_store(tmp_path)


# ---- confusions of the tree and of commitments, known from other logs


def test_an_inner_node_does_not_pass_for_a_leaf():
    """Second preimage: without the 0x00 and 0x01 prefixes, two hashes side by side would be a leaf."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    top = node_hash(left, right)
    with pytest.raises(VerificationError):
        verify_inclusion(leaf_hash(left + right), index=0, size=1, proof=[], root=top)
    assert hashlib.sha256(left + right).digest() != top


def test_a_proof_for_a_smaller_tree_does_not_serve_a_larger():
    frontier, nodes = Frontier(), {}
    for number in range(7):
        frontier, made = frontier.append(leaf_hash(b"%d" % number))
        nodes.update({(level, index): value for level, index, value in made})
    proof = inclusion_proof(6, 7, lambda level, index: nodes[level, index])
    for size in (6, 8, 9, 64):
        with pytest.raises(VerificationError):
            verify_inclusion(leaf_hash(b"6"), index=6, size=size, proof=proof, root=frontier.root())


def test_salt_and_body_can_not_lend_each_other_bytes():
    digest = commitment(b"s" * 32, b"body")
    with pytest.raises(ValueError, match="32 bytes"):
        commitment(b"s" * 31, b"sbody")
    assert commitment(b"s" * 31 + b"b", b"sody") != digest
    assert OpenedBody(salt=b"s" * 32, text=b"body") != OpenedBody(salt=b"s" * 32, text=b"bod")
