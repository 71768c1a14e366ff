# verify
# ├── seal is not 40 + 32 k bytes .................. NotABatchSeal
# ├── trust is not inner route ‖ hash of it and inner trust
# │   ............................................. WrongPolicy
# ├── the proof leads to no sealed root of the operator
# │   under that route and trust ................... RootNotSealed
# ├── the inner route was tombstoned since ......... RouteIsTombstoned
# └── otherwise .................................... returns nothing

from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.batches import (
    ANYONE,
    FIELDS,
    TRUST,
    batch_of,
    check,
    claims_of,
    sealed,
    sealing,
    unsealed,
    view,
)
from tests.support.world import FEE, OUTPUT, World, refused
from vouch.chain.contracts import Fulfilment
from vouch.chain.events import SettledLog
from vouch.protocol.batch import BATCHED, Batch, BatchSeal, root_claim, trust_in
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Status


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 33])
async def test_every_claim_of_a_batch(world: World, count: int) -> None:
    batch, claims = await sealed(world, count)
    for claim in claims:
        await check(world, batch.seal(claim, SIGNED, ANYONE), claim)


@pytest.mark.parametrize("size", [0, 4, 8, 39, 41, 71, 73, 103])
async def test_length(world: World, size: int) -> None:
    batch, claims = await sealed(world)
    seal = (bytes(batch.seal(claims[0], SIGNED, ANYONE)) + bytes(64))[:size]
    await refused(check(world, seal, claims[0]), "NotABatchSeal", length=size)


async def test_the_consumer_chooses_route_and_trust(world: World) -> None:
    """The inner route and trust in the seal are the sealer's word, the terms' trust is the consumer's."""
    batch, (claim, *_) = await sealed(world)
    seal = batch.seal(claim, SIGNED, ANYONE)
    for trust in (
        bytes(32),
        trust_in(QUORUM, ANYONE),
        trust_in(SIGNED, keccak(b"me")),
        SIGNED.ljust(32, b"\0"),
    ):
        await refused(check(world, seal, claim, trust), "WrongPolicy", received=TRUST, expected=trust)
    for route, inner in ((QUORUM, ANYONE), (SIGNED, keccak(b"me"))):
        await unsealed(world, batch.seal(claim, route, inner), claim, trust_in(route, inner))


@pytest.mark.parametrize("field", FIELDS)
async def test_another_claim(world: World, field: str) -> None:
    batch, (claim, *_) = await sealed(world)
    value: Any = world.rival.address if field == "operator" else keccak(b"other")
    await unsealed(world, batch.seal(claim, SIGNED, ANYONE), replace(claim, **{field: value}))


@pytest.mark.parametrize(("chain_id", "other_hub"), [(1, False), (31337, True)])
async def test_leaves_of_another_chain_or_hub(world: World, chain_id: int, other_hub: bool) -> None:
    """Even under a root that was sealed here."""
    claims = claims_of(world, 4)
    foreign = Batch.of(claims, chain_id, world.rival.address if other_hub else world.hub.address)
    seal = world.operator.sign_claim(foreign.claim, world.deployment.chain_id, world.hub.address)
    await world.send(view(world).seal_root(foreign.tree.root, foreign.operator, ANYONE, seal))
    await unsealed(world, foreign.seal(claims[0], SIGNED, ANYONE), claims[0])


async def test_forged_proofs(world: World) -> None:
    batch, claims = await sealed(world, 8)
    claim = claims[3]
    steps = batch.tree.proof(claim.digest(world.deployment.chain_id, world.hub.address))
    assert len(steps) == 3
    forged = [
        steps[:-1],
        steps[1:],
        (*steps, batch.tree.root),
        (*steps, bytes(32)),
        steps[::-1],
        (),
        *((*steps[:i], bytes([steps[i][0] ^ 1]) + steps[i][1:], *steps[i + 1 :]) for i in range(3)),
    ]
    for proof in forged:
        await unsealed(world, BatchSeal(SIGNED, ANYONE, proof).seal, claim)
    await check(world, BatchSeal(SIGNED, ANYONE, steps).seal, claim)


async def test_an_inner_node_is_no_leaf(world: World) -> None:
    """A tree over bare digests or over digests hashed once, where a node could pass as a leaf, is refused."""
    claims = claims_of(world, 4)
    chain_id, hub = world.deployment.chain_id, world.hub.address
    digests = [claim.digest(chain_id, hub) for claim in claims]
    for leaves in (digests, [keccak(digest) for digest in digests]):
        a, b = sorted(leaves[:2])
        once = keccak(a + b)
        seal = world.operator.sign_claim(root_claim(once, world.operator.address), chain_id, hub)
        await world.send(view(world).seal_root(once, world.operator.address, ANYONE, seal))
        for claim in claims[:2]:
            for sibling in leaves[:2]:
                await unsealed(world, BatchSeal(SIGNED, ANYONE, (sibling,)).seal, claim)


async def test_the_inner_route_is_tombstoned_later(world: World) -> None:
    batch, (claim, *_) = await sealed(world)
    seal = batch.seal(claim, SIGNED, ANYONE)
    await check(world, seal, claim)
    await world.send(world.router.tombstone(SIGNED))
    await refused(check(world, seal, claim), "RouteIsTombstoned", route=SIGNED)


async def test_a_fork_of_the_chain(world: World) -> None:
    """The root stays sealed on the fork, its leaves do not belong there."""
    batch, (claim, *_) = await sealed(world)
    seal = batch.seal(claim, SIGNED, ANYONE)
    await world.rpc.call("anvil_setChainId", 999)
    try:
        root = BatchSeal.parse(seal).root(claim, 999, world.hub.address)
        await refused(
            check(world, seal, claim), "RootNotSealed", root=root, operator=claim.operator, policy=TRUST
        )
    finally:
        await world.rpc.call("anvil_setChainId", world.deployment.chain_id)


async def test_questions_and_their_answers(world: World) -> None:
    """Through the hub: one root for four results; one is settled alone, the rest in one transaction."""
    consumer = await world.create("WordKeeper", world.hub.address)
    asked = []
    for salt in range(1, 5):
        terms = await world.terms(
            consumer=consumer.address, route=BATCHED, trust=TRUST, callback_gas=60_000, salt=salt
        )
        await world.ask(terms, consumer)
        asked.append(terms)
    outputs = [OUTPUT + bytes([salt]) for salt in range(1, 5)]
    claims = [world.claim(terms, output) for terms, output in zip(asked, outputs, strict=True)]
    batch = batch_of(world, claims)
    items = [
        Fulfilment(terms, batch.operator, output, bytes(batch.seal(claim, SIGNED, ANYONE)))
        for terms, output, claim in zip(asked, outputs, claims, strict=True)
    ]
    first = world.hub.fulfil(items[0].request, items[0].operator, items[0].output, items[0].seal)
    await refused(
        world.send(first),
        "RootNotSealed",
        root=batch.tree.root,
        operator=world.operator.address,
        policy=TRUST,
    )
    await world.send(sealing(world, batch), world.stranger)
    await world.send(first, world.stranger)
    receipt = await world.send(world.hub.fulfil_many(items), world.stranger)
    assert [type(log) for log in world.logs(receipt)] == [SettledLog] * 3
    for terms, output in zip(asked, outputs, strict=True):
        assert await consumer.read("words", terms.salt) == output.ljust(32, b"\0")
        assurance = await world.hub.assurance_of(world.id(terms))
        assert (assurance.status, assurance.route) == (Status.SETTLED, BATCHED)
    assert await world.credit(world.operator) == 4 * FEE
    assert await world.router.name_of(BATCHED) == "Batched"


async def test_an_answer_of_another_request_of_the_batch(world: World) -> None:
    """Of two equal questions the leaf of one does not settle the other, nor does it prove another output."""
    terms = [await world.terms(route=BATCHED, trust=TRUST, salt=salt) for salt in (1, 2)]
    for one in terms:
        await world.ask(one)
    claims = [world.claim(one) for one in terms]
    batch = batch_of(world, claims)
    await world.send(sealing(world, batch), world.stranger)
    seals = [batch.seal(claim, SIGNED, ANYONE) for claim in claims]
    for one, output, seal in ((terms[0], OUTPUT, seals[1]), (terms[0], b"another", seals[0])):
        root = BatchSeal.parse(seal).root(
            world.claim(one, output), world.deployment.chain_id, world.hub.address
        )
        await refused(
            world.send(world.hub.fulfil(one, world.operator.address, output, bytes(seal))),
            "RootNotSealed",
            root=root,
            operator=world.operator.address,
            policy=TRUST,
        )
