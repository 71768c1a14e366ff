"""The zk route: what a proof is about (`contracts/verifiers/ZkVerifier.sol`, with the seals' layout).

A *circuit* is a model as a proof system sees it. Its public inputs are, inference by inference, the packed
inputs and the packed outputs, then the commitment to secret weights if there is one, then the context: the
claim's digest as a field element. The chain builds all of them from the claim; a prover chooses none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from vouch.protocol.batch import root_claim
from vouch.protocol.claim import Claim
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak
from vouch.protocol.merkle import MerkleTree, leaf_of
from vouch.protocol.packing import Packing, split
from vouch.protocol.seal import Seal

ZK = b"ZKUH"
"""Route of `ZkVerifier` over UltraHonk's verifiers; assurance "Proven"."""
FIELD: Final = 21888242871839275222246405745257275088548364400416034343698204186575808495617
"""Order r of BN254's scalar field (EIP-197)."""
MAX_BATCH: Final = 255

_WORD = 32


class NotAZkSeal(VouchError):
    """The bytes have another route, or are too short for the circuit's public inputs."""

    def __init__(self, route: bytes, length: int, least: int) -> None:
        self.route, self.length, self.least = route, length, least
        super().__init__(
            f"a zk seal of this circuit starts with {ZK!r} and has {least} bytes before the proof, "
            f"not {length} bytes after {route!r}"
        )


class WrongBatch(VouchError):
    """A circuit proves a fixed number of inferences at once."""

    def __init__(self, received: int, expected: int) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"{received} inferences, the circuit proves {expected} at once")


@dataclass(frozen=True, slots=True)
class Circuit:
    """What is proven, as the model registry keeps it.

    code_hash: keccak-256 of the runtime code of the verifier contract, which holds the verifying key.
    commitment: Poseidon2 hash of secret weights, a field element; 0: the weights are in the verifying key.
    batch: inferences that one proof is about.
    """

    code_hash: bytes
    commitment: int
    batch: int
    input: Packing
    output: Packing

    @property
    def id(self) -> bytes:
        """What a request names as its trust, 32 bytes: keccak256(abi.encode(code hash, commitment, batch,
        input count, input bits, output count, output bits))."""
        numbers = (
            self.commitment,
            self.batch,
            self.input.count,
            self.input.bits,
            self.output.count,
            self.output.bits,
        )
        return keccak(self.code_hash + b"".join(number.to_bytes(_WORD, "big") for number in numbers))

    @property
    def row_fields(self) -> int:
        """Public inputs of one inference."""
        return self.input.fields + self.output.fields

    def public_inputs(self, rows: Sequence["Row"], context: int) -> tuple[int, ...]:
        """Everything the proof is about, in the circuit's order. Raises WrongBatch."""
        if len(rows) != self.batch:
            raise WrongBatch(len(rows), self.batch)
        packed = [field for row in rows for field in (*row.input, *row.output)]
        return (*packed, *([self.commitment] if self.commitment else []), context)

    def row(self, input_: bytes, output: bytes) -> "Row":
        """One inference from codec bytes. Raises WrongCount, ValueOutOfRange."""
        return Row(self.input.words(input_), self.output.words(output))


@dataclass(frozen=True, slots=True)
class Row:
    """Packed input and output of one inference, field elements."""

    input: tuple[int, ...]
    output: tuple[int, ...]

    def __bytes__(self) -> bytes:
        return b"".join(field.to_bytes(_WORD, "big") for field in (*self.input, *self.output))


def context(digest: bytes) -> int:
    """A claim's digest (32 bytes) as the public input that ties the proof to it."""
    return int.from_bytes(digest, "big") % FIELD


@dataclass(frozen=True, slots=True)
class ZkSeal:
    """The seal of one claim: route ‖ packed inputs ‖ packed outputs ‖ proof."""

    row: Row
    proof: bytes

    @classmethod
    def parse(cls, seal: Seal, circuit: Circuit) -> Self:
        """Raises NotAZkSeal."""
        (row,), proof = _rows(seal, circuit, 1, 0)
        return cls(row, proof)

    @property
    def seal(self) -> Seal:
        return Seal(ZK, bytes(self.row) + self.proof)


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One inference of a batch, of the request it answers."""

    request_id: bytes
    row: Row


@dataclass(frozen=True, slots=True)
class ZkBatch:
    """Inferences of one model that one proof seals as a Merkle root (see `vouch.protocol.batch`).

    The items are in the order of the tree's leaves; a batch that is not full repeats its last item.
    """

    circuit: Circuit
    model_id: bytes
    operator: str
    items: tuple[BatchItem, ...]
    root: bytes

    @classmethod
    def of(
        cls,
        circuit: Circuit,
        model_id: bytes,
        operator: str,
        items: Iterable[BatchItem],
        chain_id: int,
        hub: str,
    ) -> Self:
        """Raises WrongBatch (none, or more than the circuit proves), NotCanonical."""
        given = list(items)
        if not 1 <= len(given) <= circuit.batch:
            raise WrongBatch(len(given), circuit.batch)
        given += [given[-1]] * (circuit.batch - len(given))
        digests = [_claim(circuit, model_id, operator, item).digest(chain_id, hub) for item in given]
        ranked = sorted(zip(digests, given, strict=True), key=lambda pair: leaf_of(pair[0]), reverse=True)
        tree = MerkleTree.of(digests)
        return cls(circuit, model_id, operator, tuple(item for _, item in ranked), tree.root)

    @property
    def claim(self) -> Claim:
        """What the proof's context is the digest of."""
        return root_claim(self.root, self.operator)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Whose digests are the leaves."""
        return tuple(_claim(self.circuit, self.model_id, self.operator, item) for item in self.items)

    @property
    def rows(self) -> tuple[Row, ...]:
        return tuple(item.row for item in self.items)

    def seal(self, proof: bytes) -> Seal:
        """Seals the root: route ‖ model id ‖ request ids ‖ packed inputs and outputs ‖ proof."""
        ids = b"".join(item.request_id for item in self.items)
        return Seal(ZK, self.model_id + ids + b"".join(map(bytes, self.rows)) + proof)


def parse_batch(seal: Seal, circuit: Circuit) -> tuple[bytes, tuple[BatchItem, ...], bytes]:
    """Model id, items and proof of a root's seal. Raises NotAZkSeal."""
    rows, proof = _rows(seal, circuit, circuit.batch, _WORD * (1 + circuit.batch))
    ids = split(seal.proof[_WORD : _WORD * (1 + circuit.batch)])
    items = tuple(BatchItem(request, row) for request, row in zip(ids, rows, strict=True))
    return seal.proof[:_WORD], items, proof


def _claim(circuit: Circuit, model_id: bytes, operator: str, item: BatchItem) -> Claim:
    input_hash = keccak(circuit.input.data(item.row.input))
    output_hash = keccak(circuit.output.data(item.row.output))
    return Claim(item.request_id, model_id, input_hash, output_hash, operator)


def _rows(seal: Seal, circuit: Circuit, count: int, header: int) -> tuple[tuple[Row, ...], bytes]:
    size = circuit.row_fields * _WORD
    end = header + count * size
    if seal.route != ZK or len(seal.proof) < end:
        raise NotAZkSeal(seal.route, 4 + len(seal.proof), 4 + end)
    fields = [int.from_bytes(word, "big") for word in split(seal.proof[header:end])]
    rows = (fields[i : i + circuit.row_fields] for i in range(0, len(fields), circuit.row_fields))
    inputs = circuit.input.fields
    return tuple(Row(tuple(row[:inputs]), tuple(row[inputs:])) for row in rows), seal.proof[end:]
