"""What every store promises (stores/base.py). A new store is a new row in STORES, and must pass all of it."""

import concurrent.futures
import itertools
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from langguard.errors import LedgerError
from langguard.ledger import (
    EMPTY_ROOT,
    LogKey,
    consistency_proof,
    draft,
    inclusion_proof,
    leaf_hash,
    parse_leaf,
    verify_consistency,
    verify_inclusion,
)
from langguard.stores import Batch, Body, ConflictError, Document, Expect, Leaf, Put, SqliteStore, audit

TREE = "shop/ledger"
KEY = LogKey(name=TREE, private=Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))


def sqlite_store(folder):
    return SqliteStore(folder / "data", tree=TREE, sign=KEY.sign, document_key=b"\x02" * 32)


STORES = [pytest.param(sqlite_store, id="sqlite")]


@pytest.fixture(params=STORES)
def reopen(request, tmp_path):
    """Open the same store again, as often as asked; the one before is closed."""
    opened = []

    def again():
        if opened:
            opened[-1].close()
        opened.append(request.param(tmp_path))
        return opened[-1]

    yield again
    for store in opened:
        store.close()


@pytest.fixture
def store(reopen):
    return reopen()


_at = itertools.count()


def leaf(session="sess_1", kind="intent", tree=TREE, **data):
    made = draft(tree=tree, kind=kind, at=next(_at), session=session, by="svc", source="observed", data=data)
    return Leaf(session=session, data=made)


def append(store, *leaves, **parts):
    return store.append(Batch(leaves=leaves, **parts)).result(timeout=10)


def put(name="a", state="open", value=b"1", expect=None, kind="session", parent=None):
    return Put(kind=kind, id=name, parent=parent, state=state, value=value, expect=expect)


def body(name="b1", session="sess_1", sealed=b"sealed"):
    return Body(id=name, session=session, sealed=sealed)


def check_whole(store):
    """Every entry is proven by the head, and numbered without gaps, in the ledger and in its session."""
    head = KEY.verify(store.head())
    assert head.size == store.size()
    counts = {}
    for index in range(head.size):
        text = store.entry(index)
        verify_inclusion(
            leaf_hash(text),
            index=index,
            size=head.size,
            proof=inclusion_proof(index, head.size, store.node),
            root=head.root,
        )
        found = parse_leaf(text)
        assert found.seq == counts.get(found.session, 0)
        counts[found.session] = found.seq + 1
    assert store.entry(head.size) is None
    return counts


def test_a_new_store_is_an_empty_signed_ledger(store):
    head = KEY.verify(store.head())
    assert (head.size, head.root, store.size()) == (0, EMPTY_ROOT, 0)
    assert store.entry(0) is None
    assert store.entries("sess_1") == []


def test_an_append_says_where_it_went_under_which_head(store):
    first, second = leaf(), leaf(kind="outcome")
    done = append(store, first, second)
    assert [item.entry for item in done.entries] == [0, 1]
    assert [item.leaf for item in done.entries] == [leaf_hash(first.data.leaf(0)), leaf_hash(second.data.leaf(1))]
    assert KEY.verify(done.checkpoint).size == 2
    assert done.checkpoint == store.head()
    assert store.entries("sess_1") == [(0, first.data.leaf(0)), (1, second.data.leaf(1))]
    check_whole(store)


def test_each_session_counts_for_itself_and_so_do_entries_of_none(store):
    append(store, leaf("a"), leaf("b"), leaf(None, "policy"), leaf("a"), leaf(None, "policy"), leaf("b"), leaf("a"))
    assert check_whole(store) == {"a": 3, "b": 2, None: 2}
    assert [index for index, _ in store.entries("a")] == [0, 3, 6]
    assert [index for index, _ in store.entries(None)] == [2, 4]


def test_everything_is_there_after_reopening(reopen):
    store = reopen()
    for number in range(21):
        done = append(store, leaf(number=number), puts=(put(f"d{number}"),), bodies=(body(f"b{number}"),))
    head = store.head()
    store = reopen()
    assert store.head() == head == done.checkpoint
    assert len(store.documents("session")) == len(store.bodies("sess_1")) == store.size() == 21
    append(store, leaf(number=21))
    assert check_whole(store) == {"sess_1": 22}


def test_later_heads_continue_earlier_ones(reopen):
    store = reopen()
    heads = [store.head()]
    heads += [append(store, *[leaf() for _ in range(number % 3 + 1)]).checkpoint for number in range(12)]
    store = reopen()
    opened = [KEY.verify(head) for head in heads]
    for earlier, later in itertools.combinations(opened, 2):
        verify_consistency(
            first=earlier.size,
            second=later.size,
            first_root=earlier.root,
            second_root=later.root,
            proof=consistency_proof(earlier.size, later.size, store.node),
        )


def test_documents_are_read_back_and_replaced(store):
    append(store, puts=(put("a", "open", b"1", parent="p"),))
    assert store.document("session", "a") == Document(kind="session", id="a", parent="p", state="open", value=b"1")
    append(store, puts=(put("a", "ended", b"2"),))
    assert store.document("session", "a") == Document(kind="session", id="a", parent=None, state="ended", value=b"2")
    assert store.document("key", "a") is None
    assert store.document("session", "A") is None


def test_documents_are_listed_in_the_order_they_were_first_written(store):
    for name in "cab":
        append(store, puts=(put(name, parent="p" if name != "a" else "q"),))
    append(store, puts=(put("c", "ended", parent="p"), put("c", kind="key")))
    assert [item.id for item in store.documents("session")] == ["c", "a", "b"]
    assert [item.id for item in store.documents("session", parent="p")] == ["c", "b"]
    assert [item.id for item in store.documents("session", state="open")] == ["a", "b"]
    assert [item.id for item in store.documents("session", limit=2)] == ["c", "a"]
    assert [item.id for item in store.documents("session", limit=2, after="a")] == ["b"]
    assert store.documents("session", after="b") == store.documents("session", after="unknown") == []
    assert store.documents("session", limit=0) == []


def test_bodies_are_read_back(store):
    append(store, leaf(), bodies=(body("b2", sealed=b"\x00\xff"), body("b1"), body("b3", "sess_2")))
    assert store.body("b2") == b"\x00\xff"
    assert store.body("b9") is None
    assert [item.id for item in store.bodies("sess_1")] == ["b2", "b1"]
    assert store.bodies("sess_1")[0] == body("b2", sealed=b"\x00\xff")


def test_the_whole_ledger_can_be_audited(store):
    for number in range(25):
        append(store, leaf(f"s{number % 3}", number=number), leaf(None, "policy"))
    assert audit(store, KEY.public) == 50
    stored = store.scan(3, 4)
    assert [row.entry for row in stored] == [3, 4, 5, 6]
    assert [(row.session, row.seq) for row in stored] == [(None, 1), ("s2", 0), (None, 2), ("s0", 1)]
    assert all(row.leaf == store.entry(row.entry) for row in stored)
    assert store.scan(50, 10) == store.scan(0, 0) == []


def test_an_audit_may_run_while_the_store_records(store):
    stop, begun = threading.Event(), threading.Event()

    def record():
        while not stop.is_set():
            append(store, leaf(), leaf(None, "policy"))
            begun.set()

    thread = threading.Thread(target=record)
    thread.start()
    try:
        assert begun.wait(10)
        seen = [audit(store, KEY.public) for _ in range(20)]
    finally:
        stop.set()
        thread.join()
    assert seen == sorted(seen)
    assert seen[-1] > 0


def test_a_batch_of_no_leaves_makes_no_new_head(store):
    append(store, leaf())
    head = store.head()
    assert append(store, puts=(put(),)).checkpoint == head == store.head()
    assert append(store).entries == ()


@pytest.mark.parametrize(
    ("present", "expect", "goes"),
    [
        pytest.param(None, None, True, id="absent, any will do"),
        pytest.param(None, "", True, id="absent, as expected"),
        pytest.param(None, "open", False, id="absent, though expected open"),
        pytest.param("open", None, True, id="open, any will do"),
        pytest.param("open", "", False, id="open, though expected absent"),
        pytest.param("open", "open", True, id="open, as expected"),
        pytest.param("open", "ended", False, id="open, though expected ended"),
        pytest.param("open", "OPEN", False, id="states are exact"),
        pytest.param("", "", False, id="an empty state is not absent"),
    ],
)
@pytest.mark.parametrize("way", ["put", "expect"])
def test_expectations(store, present, expect, goes, way):
    if present is not None:
        append(store, puts=(put(state=present, value=b"before"),))
    before = store.document("session", "a")
    if way == "put":
        parts = {"puts": (put("other"), put(state="next", value=b"after", expect=expect))}
    else:
        expects = () if expect is None else (Expect(kind="session", id="a", state=expect),)
        parts = {"puts": (put("other"),), "expects": expects}
    waiting = store.append(Batch(leaves=(leaf(),), bodies=(body(),), **parts))
    if goes:
        waiting.result(timeout=10)
        assert store.document("session", "other") is not None
        assert store.size() == 1
        if way == "put":
            assert store.document("session", "a").value == b"after"
        return
    with pytest.raises(ConflictError) as refused:
        waiting.result(timeout=10)
    assert (refused.value.kind, refused.value.id) == ("session", "a")
    assert store.document("session", "a") == before
    assert store.document("session", "other") is None
    assert (store.size(), store.body("b1"), store.entries("sess_1")) == (0, None, [])


def test_of_many_who_expect_the_same_state_one_gets_it(store):
    append(store, puts=(put(),))
    start = threading.Barrier(16)

    def attempt(number):
        start.wait()
        try:
            append(store, leaf(number=number), puts=(put(state="used", expect="open"),))
        except ConflictError:
            return 0
        return 1

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(attempt, range(16))) == 1
    assert store.size() == 1
    check_whole(store)


def test_a_refused_batch_leaves_its_neighbours_alone(store):
    append(store, puts=(put(),))
    waiting = [
        store.append(Batch(leaves=(leaf(number=number),), puts=(put(f"n{number}", expect="" if number % 3 else "x"),)))
        for number in range(60)
    ]
    done = concurrent.futures.wait(waiting, timeout=20).done
    refused = [number for number, item in enumerate(waiting) if item.exception() is not None]
    assert len(done) == 60
    assert refused == list(range(0, 60, 3))
    assert {type(waiting[number].exception()) for number in refused} == {ConflictError}
    assert sorted(item.result().entries[0].entry for item in waiting if item.exception() is None) == list(range(40))
    assert check_whole(store) == {"sess_1": 40}


def test_a_body_is_never_replaced(store):
    append(store, bodies=(body(),))
    with pytest.raises(ConflictError) as refused:
        append(store, leaf(), bodies=(body(sealed=b"another"),))
    assert (refused.value.kind, refused.value.id) == ("body", "b1")
    assert store.body("b1") == b"sealed"
    assert store.size() == 0


@pytest.mark.parametrize(
    "batch",
    [
        pytest.param(Batch(leaves=(leaf(tree="shop/other"),)), id="another ledger's entry"),
        pytest.param(Batch(leaves=(Leaf(session="sess_2", data=leaf().data),)), id="another session's entry"),
        pytest.param(Batch(puts=(put(name="\ud800"),)), id="text that can't be stored"),
        pytest.param(Batch(puts=(put(value=None),)), id="no value"),
        pytest.param(Batch(puts=(put(state=None),)), id="no state"),
    ],
)
def test_a_malformed_batch_is_refused_alone(store, batch):
    waiting = [store.append(item) for item in (Batch(leaves=(leaf(),)), batch, Batch(leaves=(leaf(),)))]
    assert waiting[0].result(timeout=10)
    with pytest.raises(LedgerError, match="could not record"):
        waiting[1].result(timeout=10)
    assert waiting[2].result(timeout=10).entries[0].entry == 1
    assert check_whole(store) == {"sess_1": 2}


def test_concurrent_appends_are_ordered_without_gaps(store):
    def run(who):
        return [append(store, leaf(f"s{who}"), leaf(None, "policy")).entries for _ in range(20)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        batches = [entries for worker in pool.map(run, range(8)) for entries in worker]
    assert all(second.entry == first.entry + 1 for first, second in batches)
    assert sorted(item.entry for entries in batches for item in entries) == list(range(320))
    assert check_whole(store) == {None: 160} | {f"s{who}": 20 for who in range(8)}


def test_what_was_acknowledged_is_seen_by_every_reader_at_once(store):
    for number in range(50):
        done = append(store, leaf(number=number), puts=(put(value=b"%d" % number),))
        assert store.size() == number + 1
        assert store.document("session", "a").value == b"%d" % number
        assert leaf_hash(store.entry(number)) == done.entries[0].leaf == store.node(0, number)


def test_closing_records_what_was_accepted_and_refuses_the_rest(reopen):
    store = reopen()
    waiting = [store.append(Batch(leaves=(leaf(),))) for _ in range(200)]
    store.close()
    store.close()
    assert sorted(item.result(timeout=0).entries[0].entry for item in waiting) == list(range(200))
    with pytest.raises(LedgerError, match="closed"):
        store.append(Batch(leaves=(leaf(),))).result(timeout=1)
    with pytest.raises(LedgerError, match="closed"):
        store.document("session", "a")
    assert reopen().size() == 200


def test_a_batch_given_up_before_it_was_begun_is_not_recorded_later(store):
    waiting = [store.append(Batch(leaves=(leaf(),))) for _ in range(200)]
    given_up = [item.cancel() for item in waiting]
    concurrent.futures.wait(waiting, timeout=20)
    append(store, leaf())
    assert store.size() == given_up.count(False) + 1
    check_whole(store)


def test_a_store_closes_itself(reopen):
    with reopen() as store:
        append(store, leaf())
    with pytest.raises(LedgerError, match="closed"):
        append(store, leaf())


def test_entries_are_searched_within_their_session(store):
    for session, call in (("a", "c1"), ("b", "c1"), ("a", "c10"), ("a", "c1")):
        append(store, leaf(session, call=call))
    assert store.search("a", b'"call":"c1"') == [0, 3]
    assert store.search("b", b'"call":"c1"') == [1]
    assert store.search("a", b'"call":"c2"') == store.search("", b'"call":"c1"') == []
