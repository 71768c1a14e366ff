"""Batches of claims, and what BatchVerifier says to them."""

from tests.support.contract import Contract
from tests.support.world import World, refused
from vouch.chain.account import LocalKey
from vouch.chain.batch_verifier import BatchVerifier
from vouch.chain.transaction import Call
from vouch.protocol.batch import Batch, BatchSeal, trust_in
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import SIGNED, Seal

FIELDS = ("request_id", "model_id", "input_hash", "output_hash", "operator")
ANYONE = bytes(32)
TRUST = trust_in(SIGNED, ANYONE)


def claims_of(world: World, count: int) -> list[Claim]:
    word = keccak(b"any")
    return [Claim(keccak(b"%d" % i), word, word, word, world.operator.address) for i in range(count)]


def batch_of(world: World, claims: list[Claim]) -> Batch:
    return Batch.of(claims, world.deployment.chain_id, world.hub.address)


def view(world: World) -> BatchVerifier:
    return BatchVerifier(world.rpc, world.deployment.verifiers["BTCH"])


def sealing(world: World, batch: Batch, key: LocalKey | None = None, trust: bytes = ANYONE) -> Call:
    """The transaction that seals a root by the operator's signature."""
    seal = (key or world.operator).sign_claim(batch.claim, world.deployment.chain_id, world.hub.address)
    return view(world).seal_root(batch.tree.root, batch.operator, trust, seal)


async def sealed(world: World, count: int = 5) -> tuple[Batch, list[Claim]]:
    claims = claims_of(world, count)
    batch = batch_of(world, claims)
    await world.send(sealing(world, batch), world.stranger)
    return batch, claims


async def check(world: World, seal: Seal | bytes, claim: Claim, trust: bytes = TRUST) -> None:
    contract = Contract(world.rpc, "BatchVerifier", world.deployment.verifiers["BTCH"])
    call = contract.call("verify", bytes(seal), trust, tuple(getattr(claim, name) for name in FIELDS))
    assert await world.try_at(await world.now() + 1, call) == b""


async def unsealed(world: World, seal: Seal, claim: Claim, trust: bytes = TRUST) -> None:
    """The proof is in order, and leads to a root that nobody sealed."""
    root = BatchSeal.parse(seal).root(claim, world.deployment.chain_id, world.hub.address)
    await refused(
        check(world, seal, claim, trust), "RootNotSealed", root=root, operator=claim.operator, policy=trust
    )
