# sealRoot
# ├── the inner route is unknown or tombstoned ..... UnknownRoute, RouteIsTombstoned
# ├── the inner verifier refuses the seal .......... its error
# ├── sealed before ................................ nothing changes
# └── otherwise .................................... sealedAt = now, RootSealed

from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.batches import ANYONE, FIELDS, batch_of, check, claims_of, sealing, unsealed, view
from tests.support.contract import Contract, member
from tests.support.world import World, refused
from vouch.chain.account import LocalKey
from vouch.chain.codec import Event
from vouch.protocol.batch import BATCH, trust_in
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.seal import SIGNED, recover_signer


async def test_sealing(world: World) -> None:
    batch = batch_of(world, claims_of(world, 3))
    assert await view(world).sealed_at(batch.tree.root, batch.operator, SIGNED, ANYONE) is None
    time = await world.now() + 7
    receipt = await world.send_at(time, sealing(world, batch), world.stranger)
    (log,) = receipt.logs
    assert log.address == view(world).address
    assert Event("BatchVerifier", member("BatchVerifier", "event", "RootSealed")).decode(log) == {
        "root": batch.tree.root,
        "operator": world.operator.address,
        "innerRoute": SIGNED,
        "innerTrust": ANYONE,
    }
    assert await view(world).sealed_at(batch.tree.root, batch.operator, SIGNED, ANYONE) == time
    again = await world.send_at(time + 50, sealing(world, batch), world.owner)
    assert again.logs == ()
    assert await view(world).sealed_at(batch.tree.root, batch.operator, SIGNED, ANYONE) == time


async def test_the_contract_knows_its_hub(world: World) -> None:
    contract = Contract(world.rpc, "BatchVerifier", world.deployment.verifiers["BTCH"])
    assert await contract.read("HUB") == world.hub.address
    assert await contract.read("ROUTER") == world.router.address
    assert await contract.read("BATCH") == BATCH


async def test_a_root_that_another_key_signed(world: World) -> None:
    batch = batch_of(world, claims_of(world, 3))
    await refused(
        world.send(sealing(world, batch, world.rival)),
        "WrongSigner",
        recovered=world.rival.address,
        operator=world.operator.address,
    )


@pytest.mark.parametrize("field", FIELDS[:4])
async def test_another_claim_does_not_seal_a_root(world: World, field: str) -> None:
    """An answer's claim with the root as its output, for example, is not enough."""
    batch = batch_of(world, claims_of(world, 3))
    value: Any = keccak(b"other")
    other = replace(batch.claim, **{field: value})
    seal = world.operator.sign_claim(other, world.deployment.chain_id, world.hub.address)
    recovered = recover_signer(seal, batch.claim, world.deployment.chain_id, world.hub.address)
    await refused(
        world.send(view(world).seal_root(batch.tree.root, batch.operator, ANYONE, seal)),
        "WrongSigner",
        recovered=recovered,
        operator=world.operator.address,
    )


async def test_a_seal_that_names_no_live_route(world: World) -> None:
    root, operator = keccak(b"root"), world.operator.address
    contract = Contract(world.rpc, "BatchVerifier", world.deployment.verifiers["BTCH"])
    for seal, error, args in (
        (b"SIG", "SealTooShort", {"length": 3}),
        (b"NONE" + bytes(65), "UnknownRoute", {"route": b"NONE"}),
    ):
        await refused(world.send(contract.call("sealRoot", root, operator, ANYONE, seal)), error, **args)
    await world.send(world.router.tombstone(SIGNED))
    batch = batch_of(world, claims_of(world, 2))
    await refused(world.send(sealing(world, batch)), "RouteIsTombstoned", route=SIGNED)


async def test_inner_trust_is_the_inner_verifiers(world: World) -> None:
    batch = batch_of(world, claims_of(world, 2))
    rival = bytes(12) + bytes.fromhex(world.rival.address[2:])
    await refused(
        world.send(sealing(world, batch, trust=rival)),
        "UntrustedOperator",
        operator=world.operator.address,
        trust=rival,
    )
    named = bytes(12) + bytes.fromhex(world.operator.address[2:])
    await world.send(sealing(world, batch, trust=named))
    claim = claims_of(world, 2)[1]
    await check(world, batch.seal(claim, SIGNED, named), claim, trust_in(SIGNED, named))
    # Sealed for those who trust this operator, not (yet) for those who take any.
    await unsealed(world, batch.seal(claim, SIGNED, ANYONE), claim)


async def test_a_root_counts_for_its_operator_only(world: World) -> None:
    """Somebody seals, in its own name, a root over claims that name the operator."""
    claims = claims_of(world, 4)
    batch = batch_of(world, claims)
    stolen = replace(batch, operator=world.rival.address)
    await world.send(sealing(world, stolen, world.rival))
    await unsealed(world, batch.seal(claims[0], SIGNED, ANYONE), claims[0])


async def test_a_root_of_a_quorum(world: World, accounts: tuple[LocalKey, ...]) -> None:
    """Two of three sign the root, and with it every leaf, at the price of one signature each."""
    policy = Policy.of(2, (key.address for key in accounts[4:7]))
    claims = claims_of(world, 6)
    batch = batch_of(world, claims)
    chain_id, hub = world.deployment.chain_id, world.hub.address
    signed = [key.sign_claim(batch.claim, chain_id, hub) for key in accounts[4:6]]
    inner = QuorumSeal.collect(policy, batch.claim, chain_id, hub, signed).seal
    await world.send(view(world).seal_root(batch.tree.root, batch.operator, policy.trust, inner))
    await check(world, batch.seal(claims[5], QUORUM, policy.trust), claims[5], trust_in(QUORUM, policy.trust))
    await unsealed(world, batch.seal(claims[5], SIGNED, ANYONE), claims[5])
