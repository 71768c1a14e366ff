"""Putting a circuit folder on a chain: verifier contracts, manifest, and which contract checks which circuit.

Every step looks first whether it is done, so a run that was cut short goes on where it stopped.
"""

from dataclasses import dataclass
from typing import Final

from eth_utils.address import to_canonical_address

from vouch.chain.contracts import BoundCircuit, ModelRegistry
from vouch.chain.deployment import Deployment
from vouch.chain.hexes import checksum, to_bytes
from vouch.chain.reverts import Reverted
from vouch.chain.rpc import Rpc
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Call
from vouch.protocol.keccak import keccak
from vouch.prover.errors import InsecureCircuit, WrongCode
from vouch.prover.files import Built, CircuitFiles
from vouch.prover.lock import Progress, silent
from vouch.prover.srs import DEV

DEV_NAME: Final = "dev"
"""In the name of every deployment that takes circuits over the development string."""
FACTORY: Final = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""Puts the same code at the same address on every chain that has it (Arachnid's deterministic deployment
proxy): calldata is a salt of 32 bytes and the creation code."""


@dataclass(frozen=True, slots=True)
class Published:
    """A circuit that can be asked for: its id is the trust to name, `batch` how many one proof is about."""

    circuit_id: bytes
    batch: int
    verifier: str


async def publish(
    rpc: Rpc,
    sender: TxSender,
    deployment: Deployment,
    files: CircuitFiles,
    *,
    name: str | None = None,
    progress: Progress = silent,
) -> tuple[Published, ...]:
    """Verifiers, manifest (as `name` of the sender, default: its own) and bindings; what is there stays.

    Raises:
        InsecureCircuit: over the development string, and the deployment is for real.
        WrongCode: the chain keeps other code than was sent.
        Others as TxSender.transact.
    """
    if files.srs == DEV and DEV_NAME not in deployment.name:
        raise InsecureCircuit(deployment.name)
    models, name = ModelRegistry(rpc, deployment.models), name or files.manifest.name
    manifest = bytes(files.manifest)
    if await _named(models, sender.address, name) != files.model_id:
        progress(f"publishing the manifest as {name!r}")
        await sender.transact(models.publish(name, manifest))
    made = []
    for batch, built in sorted(files.circuits.items()):
        verifier = await bound_verifier(rpc, models, files.model_id, built)
        if verifier is None:
            verifier = await _verifier(rpc, sender, built, progress)
            progress(f"binding the circuit for {batch} at once to its verifier {verifier}")
            circuit = BoundCircuit.of(built.circuit, verifier)
            await sender.transact(models.bind_circuit(manifest, files.manifest.zk, circuit))
        made.append(Published(built.circuit.id, batch, verifier))
    return tuple(made)


async def bound_verifier(rpc: Rpc, models: ModelRegistry, model_id: bytes, built: Built) -> str | None:
    """The contract that checks the circuit's proofs, if it is bound and still has the code."""
    try:
        bound = await models.circuit_of(model_id, built.circuit.id)
    except Reverted as refused:
        if refused.error.name != "UnknownCircuit":
            raise
        return None
    return bound.verifier if await _code(rpc, bound.verifier) == built.verifier.runtime else None


def verifier_address(creation: bytes) -> str:
    """Where FACTORY puts this creation code, with a salt of zeros (EIP-1014)."""
    return checksum(keccak(b"\xff" + to_canonical_address(FACTORY) + bytes(32) + keccak(creation))[12:])


async def _verifier(rpc: Rpc, sender: TxSender, built: Built, progress: Progress) -> str:
    """The address of the verifier's code: where it lies already, or where it is put now."""
    creation = built.verifier.creation
    address = verifier_address(creation)
    if await _code(rpc, address) == built.verifier.runtime:
        return address
    size = len(built.verifier.runtime)
    progress(f"deploying the verifier contract ({size:,} bytes of code)")
    if await _code(rpc, FACTORY):
        await sender.transact(Call(FACTORY, bytes(32) + creation))
    else:
        receipt = await sender.transact(Call(None, creation))
        assert receipt.contract is not None, "a successful creation has an address"
        address = receipt.contract
    if await _code(rpc, address) != built.verifier.runtime:
        raise WrongCode(address)
    return address


async def _named(models: ModelRegistry, publisher: str, name: str) -> bytes | None:
    try:
        return await models.resolve(publisher, name)
    except Reverted as refused:
        if refused.error.name != "UnknownName":
            raise
        return None


async def _code(rpc: Rpc, address: str) -> bytes:
    return to_bytes(await rpc.call("eth_getCode", address, "latest"))
