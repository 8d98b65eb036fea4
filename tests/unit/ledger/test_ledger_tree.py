"""The Merkle tree: published roots and proofs, and properties over all small trees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langguard.errors import VerificationError
from langguard.ledger.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves that Certificate Transparency implementations test with, and their published roots.
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


class Tree:
    """The stored nodes, and a count of how many were read."""

    def __init__(self, leaves):
        self.frontier = Frontier()
        self.nodes = {}
        self.read = 0
        for leaf in leaves:
            self.frontier, made = self.frontier.append(leaf_hash(leaf))
            self.nodes.update({(level, index): value for level, index, value in made})

    def node(self, level, index):
        self.read += 1
        return self.nodes[level, index]


def leaves(count):
    return [b"leaf %d" % number for number in range(count)]


def plain_root(hashes):
    """RFC 6962 section 2.1, by its own recursion."""
    if not hashes:
        return EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    k = 1 << ((len(hashes) - 1).bit_length() - 1)
    return node_hash(plain_root(hashes[:k]), plain_root(hashes[k:]))


def test_published_roots():
    tree = Tree([])
    assert tree.frontier.root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for size, expected in enumerate(ROOTS, start=1):
        tree = Tree(bytes.fromhex(leaf) for leaf in LEAVES[:size])
        assert tree.frontier.root().hex() == expected
        assert root(size, tree.node).hex() == expected


def test_published_consistency_proofs():
    tree = Tree(bytes.fromhex(leaf) for leaf in LEAVES)
    assert [item.hex() for item in consistency_proof(6, 8, tree.node)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [item.hex() for item in consistency_proof(2, 5, tree.node)] == [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ]


def test_all_small_trees_agree_with_the_recursion_and_prove_themselves():
    all_leaves = leaves(33)
    tree = Tree(all_leaves)
    hashes = [leaf_hash(leaf) for leaf in all_leaves]
    roots = [plain_root(hashes[:size]) for size in range(34)]
    for size in range(34):
        assert root(size, tree.node) == roots[size]
        for index in range(size):
            proof = inclusion_proof(index, size, tree.node)
            verify_inclusion(hashes[index], index=index, size=size, proof=proof, root=roots[size])
        for first in range(size + 1):
            proof = consistency_proof(first, size, tree.node)
            verify_consistency(first=first, second=size, first_root=roots[first], second_root=roots[size], proof=proof)


def test_proofs_read_few_nodes():
    tree = Tree(leaves(5000))
    for index in (0, 1, 2048, 4095, 4096, 4999):
        tree.read = 0
        inclusion_proof(index, 5000, tree.node)
        assert tree.read <= 26
    tree.read = 0
    consistency_proof(4097, 5000, tree.node)
    assert tree.read <= 26


@given(st.data())
def test_no_proof_shows_a_leaf_at_another_index(data):
    size = data.draw(st.integers(2, 40))
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size + 1).filter(lambda n: n != index))
    tree = Tree(leaves(size))
    proof = inclusion_proof(index, size, tree.node)
    leaf = leaf_hash(leaves(size)[index])
    with pytest.raises(VerificationError) as failed:
        verify_inclusion(leaf, index=other, size=size, proof=proof, root=tree.frontier.root())
    assert failed.value.entry == other


def flip(value, bit):
    changed = bytearray(value)
    changed[bit // 8 % len(value)] ^= 1 << bit % 8
    return bytes(changed)


@given(st.data())
def test_every_changed_bit_of_an_inclusion_proof_fails(data):
    size = data.draw(st.integers(1, 40))
    index = data.draw(st.integers(0, size - 1))
    bit = data.draw(st.integers(0, 255))
    tree = Tree(leaves(size))
    proof = inclusion_proof(index, size, tree.node)
    parts = [leaf_hash(leaves(size)[index]), tree.frontier.root(), *proof]
    verify_inclusion(parts[0], index=index, size=size, proof=parts[2:], root=parts[1])
    for place, part in enumerate(parts):
        wrong = [*parts]
        wrong[place] = flip(part, bit)
        with pytest.raises(VerificationError):
            verify_inclusion(wrong[0], index=index, size=size, proof=wrong[2:], root=wrong[1])


@given(st.data())
def test_every_changed_bit_of_a_consistency_proof_fails(data):
    second = data.draw(st.integers(1, 40))
    first = data.draw(st.integers(1, second))
    bit = data.draw(st.integers(0, 255))
    tree = Tree(leaves(second))
    parts = [root(first, tree.node), tree.frontier.root(), *consistency_proof(first, second, tree.node)]
    for place, part in enumerate(parts):
        wrong = [*parts]
        wrong[place] = flip(part, bit)
        with pytest.raises(VerificationError):
            verify_consistency(first=first, second=second, first_root=wrong[0], second_root=wrong[1], proof=wrong[2:])


@given(st.integers(1, 40), st.data())
def test_a_proof_of_another_length_fails(size, data):
    index = data.draw(st.integers(0, size - 1))
    tree = Tree(leaves(size))
    proof = inclusion_proof(index, size, tree.node)
    leaf, top = leaf_hash(leaves(size)[index]), tree.frontier.root()
    for wrong in ([*proof, top], proof[:-1] if proof else [leaf], [*proof[:1], *proof] if proof else [top]):
        with pytest.raises(VerificationError):
            verify_inclusion(leaf, index=index, size=size, proof=wrong, root=top)


def test_hashes_of_another_length_are_no_hashes():
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    top = node_hash(left, right)
    with pytest.raises(VerificationError):
        verify_inclusion(left, index=0, size=2, proof=[right + b"\x00"], root=top)
    with pytest.raises(VerificationError):
        verify_consistency(first=1, second=2, first_root=left[:-1], second_root=top, proof=[right])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (3, 3)])
def test_no_proof_of_what_is_not_there(index, size):
    tree = Tree(leaves(3))
    with pytest.raises(ValueError, match="no entry"):
        inclusion_proof(index, size, tree.node)
    with pytest.raises(VerificationError):
        verify_inclusion(leaf_hash(b"leaf 0"), index=index, size=size, proof=[], root=EMPTY_ROOT)


@pytest.mark.parametrize(("first", "second"), [(-1, 2), (3, 2)])
def test_no_consistency_backwards(first, second):
    tree = Tree(leaves(3))
    with pytest.raises(ValueError, match="can't follow"):
        consistency_proof(first, second, tree.node)
    with pytest.raises(VerificationError):
        verify_consistency(first=first, second=second, first_root=EMPTY_ROOT, second_root=EMPTY_ROOT, proof=[])


@pytest.mark.parametrize(
    ("first", "second", "proof"),
    [
        pytest.param(0, 3, ["x"], id="a proof where none is due"),
        pytest.param(3, 3, ["x"], id="a proof between equals"),
        pytest.param(3, 5, [], id="no proof where one is due"),
        pytest.param(3, 5, ["x"] * 8, id="a proof without end"),
        pytest.param(2, 3, [], id="no proof after a complete tree"),
    ],
)
def test_consistency_proofs_of_the_wrong_kind_fail(first, second, proof):
    tree = Tree(leaves(5))
    proof = [leaf_hash(item.encode()) for item in proof]
    with pytest.raises(VerificationError):
        verify_consistency(
            first=first,
            second=second,
            first_root=root(first, tree.node),
            second_root=root(second, tree.node),
            proof=proof,
        )


def test_the_empty_tree_has_one_root():
    with pytest.raises(VerificationError):
        verify_consistency(first=0, second=0, first_root=EMPTY_ROOT, second_root=leaf_hash(b""), proof=[])
    with pytest.raises(VerificationError):
        verify_consistency(first=0, second=3, first_root=leaf_hash(b""), second_root=leaf_hash(b""), proof=[])
