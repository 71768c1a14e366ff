"""Many claims under one seal (`contracts/verifiers/BatchVerifier.sol`).

An operator signs (or proves) the root of a Merkle tree of its claims' digests once; every claim is then
settled, now or later, with an inclusion proof. That is worth what the root's own route is worth, which the
consumer names in its trust.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from vouch.protocol.claim import Claim
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak
from vouch.protocol.merkle import SIZE, EmptyTree, MerkleTree, root_of
from vouch.protocol.seal import Seal

BATCHED = b"BTCH"
"""Route of `BatchVerifier`; assurance "Batched"."""
BATCH = keccak(b"vouch.batch.v1")
"""The "model" of the claim that seals a root."""

_HEADER = 40


class NotABatchSeal(VouchError):
    """The bytes have another route or another form."""

    def __init__(self, route: bytes, length: int) -> None:
        self.route, self.length = route, length
        super().__init__(
            f"a batch seal starts with {BATCHED!r} and has {_HEADER} bytes and {SIZE} for each level, "
            f"not {length} bytes after {route!r}"
        )


class MixedOperators(VouchError):
    """One root is sealed for one operator."""

    def __init__(self, received: str, expected: str) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"a claim of {received} in a batch of {expected}: make one batch for each operator")


def root_claim(root: bytes, operator: str) -> Claim:
    """What seals a root: Claim(0, BATCH, 0, root, operator). No request has the id 0."""
    return Claim(bytes(32), BATCH, bytes(32), root, operator)


def trust_in(inner_route: bytes, inner_trust: bytes) -> bytes:
    """The 32 bytes of `trust` that admit roots sealed on a route (4 bytes) under a trust (32 bytes):
    innerRoute ‖ first 28 bytes of keccak256(abi.encode(bytes4 innerRoute, bytes32 innerTrust))."""
    return inner_route + keccak(inner_route.ljust(32, b"\0") + inner_trust)[:28]


@dataclass(frozen=True, slots=True)
class BatchSeal:
    """How the root was sealed, and the siblings (32 bytes each) from the claim's leaf up."""

    inner_route: bytes
    inner_trust: bytes
    proof: tuple[bytes, ...]

    @classmethod
    def parse(cls, seal: Seal) -> Self:
        """Raises NotABatchSeal."""
        rest = seal.proof[_HEADER - 4 :]
        if seal.route != BATCHED or len(seal.proof) < _HEADER - 4 or len(rest) % SIZE:
            raise NotABatchSeal(seal.route, 4 + len(seal.proof))
        steps = tuple(rest[i : i + SIZE] for i in range(0, len(rest), SIZE))
        return cls(seal.proof[:4], seal.proof[4 : _HEADER - 4], steps)

    @property
    def seal(self) -> Seal:
        return Seal(BATCHED, self.inner_route + self.inner_trust + b"".join(self.proof))

    @property
    def trust(self) -> bytes:
        """The trust that a request must have for this seal."""
        return trust_in(self.inner_route, self.inner_trust)

    def root(self, claim: Claim, chain_id: int, hub: str) -> bytes:
        """The root that must be sealed for the claim's operator, or the seal proves nothing."""
        return root_of(claim.digest(chain_id, hub), self.proof)


@dataclass(frozen=True, slots=True)
class Batch:
    """Claims of one operator on one hub, in a tree."""

    chain_id: int
    hub: str
    operator: str
    tree: MerkleTree

    @classmethod
    def of(cls, claims: Iterable[Claim], chain_id: int, hub: str) -> Self:
        """Raises EmptyTree, MixedOperators."""
        made = tuple(claims)
        if not made:
            raise EmptyTree
        operator = made[0].operator
        for claim in made:
            if claim.operator != operator:
                raise MixedOperators(claim.operator, operator)
        tree = MerkleTree.of(claim.digest(chain_id, hub) for claim in made)
        return cls(chain_id, hub, operator, tree)

    @property
    def claim(self) -> Claim:
        """What the operator has to prove, on whatever route."""
        return root_claim(self.tree.root, self.operator)

    def seal(self, claim: Claim, inner_route: bytes, inner_trust: bytes) -> Seal:
        """The seal of one of the claims, once the root is sealed like this. Raises NotInTree."""
        return BatchSeal(
            inner_route, inner_trust, self.tree.proof(claim.digest(self.chain_id, self.hub))
        ).seal
