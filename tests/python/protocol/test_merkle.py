import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.strategies import hashes
from vouch.protocol.keccak import keccak
from vouch.protocol.merkle import EmptyTree, MerkleTree, NotInTree, WrongNodeSize, leaf_of, parent_of, root_of

A, B, C = sorted((bytes([i]) * 32 for i in (1, 2, 3)), key=leaf_of)


def test_by_hand() -> None:
    """Leaves are hashed twice and sorted; the tree fills up from the last leaf."""
    a, b, c = (keccak(keccak(value)) for value in (A, B, C))
    assert MerkleTree.of([A]).root == a
    assert MerkleTree.of([A]).proof(A) == ()
    assert MerkleTree.of([B, A]).root == keccak(a + b)
    last_two = keccak(a + b)
    root = keccak(min(last_two, c) + max(last_two, c))
    tree = MerkleTree.of([C, A, B])
    assert tree.nodes == (root, last_two, c, b, a)
    assert tree.root == root


@given(values=st.lists(hashes, min_size=1, max_size=40), stranger=hashes)
def test_every_value_and_no_other_is_proven(values: list[bytes], stranger: bytes) -> None:
    tree = MerkleTree.of(values)
    assert MerkleTree.of(values[::-1]) == tree
    for value in values:
        assert root_of(value, tree.proof(value)) == tree.root
    assume(stranger not in values)
    with pytest.raises(NotInTree) as caught:
        tree.proof(stranger)
    assert caught.value.value == stranger
    assert all(root_of(stranger, tree.proof(value)) != tree.root for value in values)


@given(values=st.lists(hashes, min_size=2, max_size=20, unique=True))
def test_nodes_are_no_values(values: list[bytes]) -> None:
    """Neither a leaf nor an inner node can be given for a value with the rest of its way as the proof."""
    tree = MerkleTree.of(values)
    for node in tree.nodes:
        with pytest.raises(NotInTree):
            tree.proof(node)
    for value in values:
        proof = tree.proof(value)
        inner = parent_of(leaf_of(value), proof[0])
        assert root_of(inner, proof[1:]) != tree.root
        assert root_of(leaf_of(value), proof) != tree.root


def test_bad_values() -> None:
    with pytest.raises(EmptyTree, match="at least one"):
        MerkleTree.of([])
    for act in (
        lambda: MerkleTree.of([A, b"short"]),
        lambda: root_of(A, [b"short"]),
        lambda: root_of(b"short", []),
    ):
        with pytest.raises(WrongNodeSize) as caught:
            act()
        assert (caught.value.received, caught.value.expected) == (5, 32)
