"""Models with circuits, and what ZkVerifier says to their seals; the proofs are PublicInputsVerifier's."""

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.abi import encode

from tests.support.artefacts import compiled
from tests.support.contract import Contract
from tests.support.world import World
from vouch.chain.contracts import BoundCircuit
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.manifest import Artefact, Limits, Manifest, TensorSpec
from vouch.protocol.packing import Packing
from vouch.protocol.seal import Seal
from vouch.protocol.zk import BatchItem, Circuit, Row, ZkBatch, ZkSeal, context

FIELDS = ("request_id", "model_id", "input_hash", "output_hash", "operator")


def words(values: Sequence[int]) -> bytes:
    """Tensor bytes."""
    return encode(["int256"] * len(values), list(values))


def manifest_of(*circuits: bytes, name: str = "proven") -> Manifest:
    return Manifest(
        name=name,
        kind="tensor",
        artefact=Artefact("circuit", "ab" * 32, 100),
        limits=Limits(1024),
        inputs=(TensorSpec("x", "FP32", (1, 3), 3),),
        outputs=(TensorSpec("y", "FP32", (1, 1), 3),),
        zk=circuits,
    )


@dataclass(frozen=True)
class Proven:
    """A published model with one circuit, bound to a verifier."""

    world: World
    circuit: Circuit
    manifest: Manifest
    verifier: Contract

    @property
    def model_id(self) -> bytes:
        return self.manifest.model_id

    @property
    def trust(self) -> bytes:
        return self.circuit.id

    def claim(self, inputs: Sequence[int], outputs: Sequence[int], number: int = 1) -> Claim:
        return Claim(
            keccak(b"%d" % number),
            self.model_id,
            keccak(words(inputs)),
            keccak(words(outputs)),
            self.world.operator.address,
        )

    def row(self, inputs: Sequence[int], outputs: Sequence[int]) -> Row:
        return self.circuit.row(words(inputs), words(outputs))

    def digest(self, claim: Claim) -> bytes:
        return claim.digest(self.world.deployment.chain_id, self.world.hub.address)

    def proof(self, rows: Sequence[Row], claim: Claim) -> bytes:
        """The public inputs, which are what PublicInputsVerifier takes."""
        public = self.circuit.public_inputs(rows, context(self.digest(claim)))
        return b"".join(value.to_bytes(32, "big") for value in public)

    def seal(self, inputs: Sequence[int], outputs: Sequence[int], claim: Claim) -> Seal:
        row = self.row(inputs, outputs)
        return ZkSeal(row, self.proof([row], claim)).seal

    def batch(self, count: int) -> ZkBatch:
        """`count` inferences, in a batch as large as the circuit."""
        rows = [self.row([i, -i, i], [i]) for i in range(count)]
        items = [BatchItem(keccak(b"%d" % i), row) for i, row in enumerate(rows)]
        place = self.world.deployment.chain_id, self.world.hub.address
        return ZkBatch.of(self.circuit, self.model_id, self.world.operator.address, items, *place)

    async def check(self, seal: Seal | bytes, claim: Claim, trust: bytes | None = None) -> None:
        verifier = Contract(self.world.rpc, "ZkVerifier", self.world.deployment.verifiers["ZKUH"])
        told = tuple(getattr(claim, name) for name in FIELDS)
        call = verifier.call("verify", bytes(seal), self.trust if trust is None else trust, told)
        assert await self.world.try_at(await self.world.now() + 1, call) == b""


CODE_HASH = keccak(compiled("PublicInputsVerifier").deployed)
CREDULOUS = bytes.fromhex("600160005260206000f3")
"""Code that says true, whatever it is asked."""


async def proven(
    world: World,
    *,
    batch: int = 1,
    commitment: int = 0,
    input_: Packing = Packing(3, 16),
    output: Packing = Packing(1, 20),
    name: str = "proven",
    credulous: bool = False,
) -> Proven:
    """Published, its verifier deployed, the circuit bound; by the stranger, since anybody may."""
    circuit = Circuit(keccak(CREDULOUS) if credulous else CODE_HASH, commitment, batch, input_, output)
    manifest = manifest_of(circuit.id, name=name)
    verifier = await world.create("PublicInputsVerifier")
    if credulous:
        await world.rpc.call("anvil_setCode", verifier.address, "0x" + CREDULOUS.hex())
    await world.send(world.models.publish(name, bytes(manifest)))
    bound = BoundCircuit.of(circuit, verifier.address)
    await world.send(world.models.bind_circuit(bytes(manifest), manifest.zk, bound), world.stranger)
    return Proven(world, circuit, manifest, verifier)
