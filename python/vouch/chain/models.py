"""The typed view of the model registry, as in `vouch.chain.contracts`."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Self

from vouch.chain.transaction import Call
from vouch.chain.view import View
from vouch.protocol.packing import Packing
from vouch.protocol.zk import Circuit


@dataclass(frozen=True, slots=True)
class Model:
    """Who published a manifest first, and the block whose Published event carries it."""

    publisher: str
    published_at: int


@dataclass(frozen=True, slots=True)
class BoundCircuit:
    """Which contract checks a circuit's proofs, and the figures of `vouch.protocol.zk.Circuit`."""

    verifier: str
    batch: int
    secret: bool
    input_count: int
    input_bits: int
    output_count: int
    output_bits: int
    commitment: int

    @classmethod
    def of(cls, circuit: Circuit, verifier: str) -> Self:
        put, got = circuit.input, circuit.output
        secret = circuit.commitment != 0
        return cls(
            verifier, circuit.batch, secret, put.count, put.bits, got.count, got.bits, circuit.commitment
        )

    def circuit(self, code_hash: bytes) -> Circuit:
        """With the keccak-256 of the verifier's code, 32 bytes. Raises BadPacking."""
        put, got = Packing(self.input_count, self.input_bits), Packing(self.output_count, self.output_bits)
        return Circuit(code_hash, self.commitment, self.batch, put, got)


class ModelRegistry(View):
    """`IModelRegistry`."""

    ABI = "ModelRegistry"

    async def model_of(self, model_id: bytes) -> Model:
        """Reverts with UnknownModel."""
        return Model(*await self._read("modelOf", model_id))

    async def resolve(self, publisher: str, name: str) -> bytes:
        """Model id behind a publisher's name; reverts with UnknownName."""
        return bytes(await self._read("resolve", publisher, name))

    async def exists(self, model_id: bytes) -> bool:
        return bool(await self._read("exists", model_id))

    def publish(self, name: str, manifest: bytes) -> Call:
        return self._call("publish", name, manifest)

    async def circuit_of(self, model_id: bytes, circuit_id: bytes) -> BoundCircuit:
        """Reverts with UnknownCircuit."""
        return BoundCircuit(*await self._read("circuitOf", model_id, circuit_id))

    def bind_circuit(self, manifest: bytes, ids: Sequence[bytes], circuit: BoundCircuit) -> Call:
        return self._call("bindCircuit", manifest, list(ids), astuple(circuit))
