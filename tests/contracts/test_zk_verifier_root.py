# verify, of Claim(0, BATCH, inputHash, root, operator)
# ├── the seal has no model id ................................. NotAZkSeal
# ├── no circuit of that model has the id `trust` .............. UnknownCircuit
# ├── the circuit proves one inference ......................... WrongBatch
# ├── the seal is shorter than ids and packed values ........... NotAZkSeal
# ├── packed bits that stand for nothing ....................... NotCanonical
# ├── the inferences make another tree ......................... RootMismatch
# ├── the verifier does not say true ........................... ProofRejected
# └── otherwise ................................................ returns nothing: BatchVerifier keeps the root

from dataclasses import replace

import pytest

from tests.contracts.batches import check as check_leaf
from tests.contracts.circuits import Proven, proven
from tests.support.world import World, refused
from vouch.chain.batch_verifier import BatchVerifier
from vouch.protocol.batch import BATCH, BatchSeal, trust_in
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.merkle import MerkleTree
from vouch.protocol.seal import Seal
from vouch.protocol.zk import FIELD, ZK, BatchItem, ZkBatch


def seal_of(made: Proven, batch: ZkBatch) -> Seal:
    return batch.seal(made.proof(batch.rows, batch.claim))


@pytest.mark.parametrize(("size", "count"), [(2, 2), (3, 3), (5, 2), (16, 16), (17, 1)])
async def test_roots(world: World, size: int, count: int) -> None:
    made = await proven(world, batch=size)
    batch = made.batch(count)
    await made.check(seal_of(made, batch), batch.claim)


async def test_what_follows_the_values_is_the_verifiers_alone(world: World) -> None:
    """Words that could not be packed values."""
    made = await proven(world, batch=2, credulous=True)
    batch = made.batch(2)
    await made.check(batch.seal(b"\xff" * 320), batch.claim)


async def test_a_claim_under_a_proven_root(world: World) -> None:
    """Sealed once, by anybody; then every claim of it counts on the batch route, and only there."""
    made = await proven(world, batch=4)
    batch = made.batch(3)
    roots = BatchVerifier(world.rpc, world.deployment.verifiers["BTCH"])
    call = roots.seal_root(batch.root, batch.operator, made.trust, seal_of(made, batch))
    await world.send(call, world.stranger)
    tree = MerkleTree.of(made.digest(claim) for claim in batch.claims)
    for claim in batch.claims:
        seal = BatchSeal(ZK, made.trust, tree.proof(made.digest(claim))).seal
        await check_leaf(world, seal, claim, trust_in(ZK, made.trust))
        await refused(made.check(seal_of(made, batch), claim), "WrongBatch", received=1, expected=4)


async def test_a_circuit_for_one(world: World) -> None:
    made = await proven(world)
    claim = Claim(bytes(32), BATCH, bytes(32), bytes(32), world.operator.address)
    seal = Seal(ZK, made.model_id + bytes(200))
    await refused(made.check(seal, claim), "WrongBatch", received=2, expected=1)


@pytest.mark.parametrize("request_id", [keccak(b"any"), (1).to_bytes(32, "big")])
async def test_the_batch_is_no_model(world: World, request_id: bytes) -> None:
    """A request for the "model" BATCH cannot be answered with a root."""
    made = await proven(world, batch=2)
    batch = made.batch(2)
    claim = replace(batch.claim, request_id=request_id)
    await refused(
        made.check(seal_of(made, batch), claim), "UnknownCircuit", modelId=BATCH, circuitId=made.trust
    )


@pytest.mark.parametrize(("size", "least"), [(4, 36), (35, 36), (36, 228), (99, 228), (100, 228), (227, 228)])
async def test_short_seals(world: World, size: int, least: int) -> None:
    made = await proven(world, batch=2)
    batch = made.batch(2)
    seal = bytes(seal_of(made, batch))[:size]
    await refused(made.check(seal, batch.claim), "NotAZkSeal", length=size, least=least)


async def test_another_model(world: World) -> None:
    """Seal and leaves name the model: another one with the same circuit has another root."""
    made = await proven(world, batch=2)
    batch = made.batch(2)
    for model in (bytes(32), keccak(b"other")):
        forged = bytes(seal_of(made, batch)).replace(made.model_id, model, 1)
        await refused(made.check(forged, batch.claim), "UnknownCircuit", modelId=model, circuitId=made.trust)
    twin = await proven(world, batch=2, name="twin")
    forged = bytes(seal_of(made, batch)).replace(made.model_id, twin.model_id, 1)
    mine = replace(batch, model_id=twin.model_id)
    root = _root_as_given(twin, mine)
    await refused(twin.check(forged, batch.claim), "RootMismatch", received=root, expected=batch.root)


async def test_other_inferences(world: World) -> None:
    """Another request, input, output, operator or order is another root."""
    made = await proven(world, batch=2)
    batch = made.batch(2)
    first, second = batch.items
    other_id = replace(first, request_id=keccak(b"other"))
    other_row = BatchItem(first.request_id, made.row([9, 9, 9], [0]))
    other_out = BatchItem(first.request_id, made.row([0, 0, 0], [9]))
    for items in ((other_id, second), (other_row, second), (other_out, second), (first, first)):
        forged = replace(batch, items=items)
        root = _root_as_given(made, forged)
        assert root != batch.root
        await refused(
            made.check(seal_of(made, forged), batch.claim), "RootMismatch", received=root, expected=batch.root
        )
    swapped = replace(batch, items=(second, first))
    await refused(
        made.check(seal_of(made, batch), replace(batch.claim, operator=world.rival.address)),
        "RootMismatch",
        received=_root_as_given(made, replace(batch, operator=world.rival.address)),
        expected=batch.root,
    )
    # two leaves hash to one root in either order: the proof then has to be of that order
    await made.check(seal_of(made, swapped), batch.claim)


def _root_as_given(made: Proven, batch: ZkBatch) -> bytes:
    return MerkleTree.of(made.digest(claim) for claim in batch.claims).root


async def test_the_context_is_the_roots(world: World) -> None:
    made = await proven(world, batch=2)
    batch = made.batch(2)
    for claim in (batch.claims[0], replace(batch.claim, operator=world.rival.address)):
        seal = batch.seal(made.proof(batch.rows, claim))
        await refused(made.check(seal, batch.claim), "ProofRejected", verifier=made.verifier.address)


async def test_aliases(world: World) -> None:
    made = await proven(world, batch=2)
    batch = made.batch(2)
    seal = bytes(seal_of(made, batch))
    for start in range(100, 228, 32):
        alias = int.from_bytes(seal[start : start + 32], "big") + FIELD
        forged = seal[:start] + alias.to_bytes(32, "big") + seal[start + 32 :]
        await refused(made.check(forged, batch.claim), "NotCanonical", element=alias)
