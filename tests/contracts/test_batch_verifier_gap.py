# a request whose trust rests on another route (BTCH on SIGN), and that route withdrawn
# ├── estimate, deliver ............ RouteIsTombstoned, as for the route itself
# ├── expire ....................... at once
# ├── settle, reject ............... RouteIsTombstoned: nobody is slashed for what cannot be proven
# ├── expireDelivered .............. fee and bond back, stake free
# └── an inner route never added ... the same, with UnknownRoute
# sealRoot by the batch route itself . BatchOfBatches

from typing import Any

import pytest

from tests.contracts.batches import ANYONE, TRUST, batch_of, claims_of, sealing, view
from tests.contracts.gaps import BOND, EXPOSURE, Open, asked, books, challenged, delivered
from tests.support.world import FEE, MANIFEST, OUTPUT, World, refused
from vouch.protocol.batch import BATCHED, trust_in
from vouch.protocol.quorum import QUORUM
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Status

BATCH: dict[str, Any] = {"route": BATCHED, "trust": TRUST}
FREED = {"operator's exposed": -(EXPOSURE + BOND)}


async def test_the_router_looks_through_a_batch(world: World) -> None:
    router, unknown = world.router, trust_in(b"NONE", ANYONE)
    assert TRUST[:4] == SIGNED
    assert await router.verifier_for(BATCHED, TRUST) == world.deployment.verifiers["BTCH"]
    assert await router.can_verify(BATCHED, TRUST)
    await refused(router.verifier_for(BATCHED, unknown), "UnknownRoute", route=b"NONE")
    assert not await router.can_verify(BATCHED, unknown)
    await refused(router.verifier_for(b"NONE", TRUST), "UnknownRoute", route=b"NONE")
    assert not await router.can_verify(b"NONE", TRUST)
    # On any other route the trust is no route's name.
    assert await router.can_verify(SIGNED, unknown)
    await world.send(router.tombstone(SIGNED))
    await refused(router.verifier_for(BATCHED, TRUST), "RouteIsTombstoned", route=SIGNED)
    assert not await router.can_verify(BATCHED, TRUST)
    assert await router.can_verify(BATCHED, trust_in(QUORUM, ANYONE))
    assert await router.is_live(BATCHED)
    await world.send(router.tombstone(BATCHED))
    await refused(router.verifier_for(BATCHED, trust_in(QUORUM, ANYONE)), "RouteIsTombstoned", route=BATCHED)
    assert not await router.can_verify(BATCHED, trust_in(QUORUM, ANYONE))


@pytest.mark.parametrize(("inner", "fault"), [(SIGNED, "RouteIsTombstoned"), (b"NONE", "UnknownRoute")])
async def test_nothing_is_delivered_that_cannot_be_proven(world: World, inner: bytes, fault: str) -> None:
    await world.send(world.models.publish("m", MANIFEST))
    terms = await asked(world, route=BATCHED, trust=trust_in(inner, ANYONE))
    if inner == SIGNED:
        await world.hub.estimate(terms)
        await world.send(world.router.tombstone(SIGNED))
    await refused(world.hub.estimate(terms), fault, route=inner)
    await refused(world.send(world.delivery(terms)), fault, route=inner)
    before = await books(world)
    await world.send(world.hub.expire(terms), world.stranger)
    assert await before.moved() == {"owner": FEE}


async def test_while_the_inner_route_lives_nothing_is_expired_early(world: World) -> None:
    await world.send(world.models.publish("m", MANIFEST))
    terms = await asked(world, **BATCH)
    now = await world.now() + 1
    attempt = world.try_at(now, world.hub.expire(terms))
    await refused(attempt, "DeliverByNotPassed", deliverBy=terms.deliver_by, now_=now)


async def proven(world: World, gap: Open) -> bytes:
    """A seal under a root that was sealed in time."""
    claim = world.claim(gap.terms)
    batch = batch_of(world, [claim, *claims_of(world, 3)])
    await world.send(sealing(world, batch), world.stranger)
    return bytes(batch.seal(claim, SIGNED, ANYONE))


@pytest.mark.parametrize("is_challenged", [False, True])
async def test_nobody_is_slashed(world: World, is_challenged: bool) -> None:
    gap = await challenged(world, **BATCH) if is_challenged else await delivered(world, window=0, **BATCH)
    seal, result = await proven(world, gap), world.result(gap.terms)
    attempt = world.try_at(gap.prove_by + 1, world.hub.expire_delivered(*result))
    await refused(attempt, "RouteIsLive", route=BATCHED)
    await world.try_at(gap.prove_by + 1, world.hub.reject(*result))
    await world.send(world.router.tombstone(SIGNED))
    settling = world.hub.settle(gap.terms, world.operator.address, OUTPUT, seal)
    await refused(world.try_at(gap.prove_by, settling), "RouteIsTombstoned", route=SIGNED)
    attempt = world.try_at(gap.prove_by + 1, world.hub.reject(*result))
    await refused(attempt, "RouteIsTombstoned", route=SIGNED)
    before = await books(world)
    await world.send_at(gap.prove_by + 1, world.hub.expire_delivered(*result), world.stranger)
    back = {"rival": BOND} if is_challenged else {}
    assert await before.moved() == {"owner": FEE, **back, **FREED}
    assert await world.hub.status_of(world.id(gap.terms)) is Status.EXPIRED


async def test_in_time_it_settles(world: World) -> None:
    gap = await delivered(world, window=0, **BATCH)
    seal = await proven(world, gap)
    await world.send(world.hub.settle(gap.terms, world.operator.address, OUTPUT, seal), world.stranger)
    assert (await world.hub.assurance_of(world.id(gap.terms))).proven


async def test_a_batch_of_batches(world: World) -> None:
    """Its trust would show the outer of two inner routes only."""
    roots = batch_of(world, claims_of(world, 2))
    outer = batch_of(world, [roots.claim, *claims_of(world, 1)])
    await world.send(sealing(world, outer), world.stranger)
    seal = outer.seal(roots.claim, SIGNED, ANYONE)
    call = view(world).seal_root(roots.tree.root, roots.operator, TRUST, seal)
    await refused(world.send(call), "BatchOfBatches", innerRoute=BATCHED)
