"""Merkle trees of 32-byte values: OpenZeppelin's "standard tree" with the leaf encoding ("bytes32",).

The same as `StandardMerkleTree.of(values.map((v) => [v]), ["bytes32"])` of npm's @openzeppelin/merkle-tree
1.0, and its proofs are those that OpenZeppelin's MerkleProof.sol takes. A leaf is hashed twice, so that the
64 bytes below an inner node are never the preimage of a leaf; siblings are hashed in ascending order, so that
a proof needs no sides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak

SIZE = 32
"""Bytes of a value and of every node."""


class EmptyTree(VouchError):
    """A tree has at least one value."""

    def __init__(self) -> None:
        super().__init__("a Merkle tree of nothing has no root: put at least one value in")


class WrongNodeSize(VouchError):
    """A value or a step of a proof is not 32 bytes."""

    def __init__(self, received: int, expected: int = SIZE) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"values and nodes of a Merkle tree have {expected} bytes, not {received}")


class NotInTree(VouchError):
    """The tree was made without this value."""

    def __init__(self, value: bytes) -> None:
        self.value = value
        super().__init__(f"0x{value.hex()} is not in the tree: build it with this value, or prove another")


@dataclass(frozen=True, slots=True)
class MerkleTree:
    """All nodes, the root first; the children of node i are nodes 2i + 1 and 2i + 2."""

    nodes: tuple[bytes, ...]

    @classmethod
    def of(cls, values: Iterable[bytes]) -> Self:
        """The tree of these values, in any order; a value may come more than once.

        Raises:
            EmptyTree: there is none.
            WrongNodeSize: one has not 32 bytes.
        """
        leaves = sorted(map(leaf_of, values))
        if not leaves:
            raise EmptyTree
        inner = len(leaves) - 1
        nodes = [b""] * inner + leaves[::-1]
        for i in reversed(range(inner)):
            nodes[i] = parent_of(nodes[2 * i + 1], nodes[2 * i + 2])
        return cls(tuple(nodes))

    @property
    def root(self) -> bytes:
        return self.nodes[0]

    def proof(self, value: bytes) -> tuple[bytes, ...]:
        """The siblings from the value's leaf up to the root; empty in a tree of one value.

        Raises:
            NotInTree, WrongNodeSize
        """
        leaf = leaf_of(value)
        first = len(self.nodes) // 2
        try:
            i = self.nodes.index(leaf, first)
        except ValueError:
            raise NotInTree(value) from None
        steps = []
        while i:
            steps.append(self.nodes[i + 1 if i % 2 else i - 1])
            i = (i - 1) // 2
        return tuple(steps)


def leaf_of(value: bytes) -> bytes:
    """keccak256(keccak256(abi.encode(value))). Raises WrongNodeSize."""
    if len(value) != SIZE:
        raise WrongNodeSize(len(value))
    return keccak(keccak(value))


def parent_of(a: bytes, b: bytes) -> bytes:
    """keccak256 of two nodes, the smaller one first."""
    return keccak(a + b if a < b else b + a)


def root_of(value: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that a proof leads to: the value is in a tree if it is the tree's. Raises WrongNodeSize."""
    node = leaf_of(value)
    for sibling in proof:
        if len(sibling) != SIZE:
            raise WrongNodeSize(len(sibling))
        node = parent_of(node, sibling)
    return node
