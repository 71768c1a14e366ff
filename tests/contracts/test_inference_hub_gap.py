# gapOf
# ├── delivered
# │   ├── without a window ....... proveBy, what is insured
# │   └── with a window .......... challengeBy, what is insured; also when it has passed
# ├── challenged ................. proveBy from the challenge on, what is insured, the challenger
# └── anything else .............. nothing but the status

from dataclasses import replace

import pytest

from tests.contracts.gaps import (
    BOND,
    EXPOSURE,
    PROVE_WITHIN,
    REFUND,
    WINDOW,
    asked,
    challenged,
    delivered,
    tombstoned,
)
from tests.contracts.test_inference_hub_request import MAX_PATIENCE
from tests.support.world import OUTPUT, World, refused
from vouch.protocol.request import NATIVE
from vouch.protocol.status import Gap, Status


def empty(status: Status) -> Gap:
    return Gap(status, 0, 0, 0, NATIVE)


async def test_before_a_result(world: World) -> None:
    terms = await world.terms(exposure=EXPOSURE, window=WINDOW, prove_within=PROVE_WITHIN)
    assert await world.hub.gap_of(terms) == empty(Status.NONE)
    await world.ask(terms)
    assert await world.hub.gap_of(terms) == empty(Status.REQUESTED)


async def test_without_a_window(world: World) -> None:
    gap = await delivered(world, window=0)
    expected = Gap(Status.DELIVERED, 0, gap.delivered_at + PROVE_WITHIN, EXPOSURE, NATIVE)
    assert await world.hub.gap_of(gap.terms) == expected


async def test_with_a_window(world: World) -> None:
    gap = await delivered(world)
    expected = Gap(Status.DELIVERED, gap.delivered_at + WINDOW, 0, EXPOSURE, NATIVE)
    assert await world.hub.gap_of(gap.terms) == expected
    await world.send_at(gap.challenge_by + 1, world.nodes.stake(1), world.rival)
    assert await world.hub.gap_of(gap.terms) == expected


async def test_challenged(world: World) -> None:
    gap = await challenged(world)
    expected = Gap(Status.CHALLENGED, 0, gap.challenged_at + PROVE_WITHIN, EXPOSURE, world.rival.address)
    assert await world.hub.gap_of(gap.terms) == expected


async def test_the_other_time_is_of_no_interest(world: World) -> None:
    """proveWithin before a challenge, and the window after one."""
    unasked = await delivered(world, window=MAX_PATIENCE, prove_within=0)
    found = await world.hub.gap_of(unasked.terms)
    assert (found.challenge_by, found.prove_by) == (unasked.delivered_at + MAX_PATIENCE, 0)
    disputed = await challenged(world, window=MAX_PATIENCE, prove_within=0, salt=2)
    found = await world.hub.gap_of(disputed.terms)
    assert (found.challenge_by, found.prove_by) == (0, disputed.challenged_at)
    longest = await delivered(world, window=0, prove_within=MAX_PATIENCE, salt=3)
    found = await world.hub.gap_of(longest.terms)
    assert (found.challenge_by, found.prove_by) == (0, longest.delivered_at + MAX_PATIENCE)


async def test_it_insures_what_the_terms_say(world: World) -> None:
    """The exposure of one request, whatever else is staked, locked or named."""
    gap = await delivered(world, exposure=0, refund_to=REFUND)
    await delivered(world, salt=2)
    assert (await world.hub.gap_of(gap.terms)).insured == 0
    assert (await world.nodes.stake_of(world.operator.address)).exposed == EXPOSURE + 2 * BOND


async def test_what_it_says_is_what_holds(world: World) -> None:
    gap = await delivered(world)
    found = await world.hub.gap_of(gap.terms)
    challenge = world.hub.challenge(*world.result(gap.terms))
    late = world.try_at(found.challenge_by + 1, challenge, world.rival)
    await refused(late, "WindowPassed", challengeBy=found.challenge_by, now_=found.challenge_by + 1)
    await world.send_at(found.challenge_by, challenge, world.rival)
    found = await world.hub.gap_of(gap.terms)
    reject = world.hub.reject(*world.result(gap.terms))
    early = world.try_at(found.prove_by, reject)
    await refused(early, "ProveByNotPassed", proveBy=found.prove_by, now_=found.prove_by)
    before = await world.credit(world.owner)
    await world.send_at(found.prove_by + 1, reject, world.stranger)
    assert await world.credit(world.owner) - before == gap.terms.fee + found.insured


async def test_other_terms(world: World) -> None:
    gap = await challenged(world)
    for other in (replace(gap.terms, exposure=0), replace(gap.terms, window=0), replace(gap.terms, salt=2)):
        assert await world.hub.gap_of(other) == empty(Status.NONE)


@pytest.mark.parametrize("disputed", [True, False])
async def test_after_the_end(world: World, disputed: bool) -> None:
    """Also of who challenged nothing is left."""
    proven, rejected, expired = [
        await challenged(world, salt=salt) if disputed else await delivered(world, window=0, salt=salt)
        for salt in range(3)
    ]
    await world.send(world.settlement(proven.terms))
    assert await world.hub.gap_of(proven.terms) == empty(Status.SETTLED)
    await world.send_at(rejected.prove_by + 1, world.hub.reject(*world.result(rejected.terms)))
    assert await world.hub.gap_of(rejected.terms) == empty(Status.REJECTED)
    await tombstoned(world, expired)
    await world.send(world.hub.expire_delivered(*world.result(expired.terms)))
    assert await world.hub.gap_of(expired.terms) == empty(Status.EXPIRED)


async def test_without_a_gap(world: World) -> None:
    fulfilled, unanswered = await asked(world), await asked(world, salt=2)
    await world.fulfil(fulfilled, OUTPUT)
    assert await world.hub.gap_of(fulfilled) == empty(Status.SETTLED)
    await world.send(world.hub.expire(unanswered))  # its model was never published
    assert await world.hub.gap_of(unanswered) == empty(Status.EXPIRED)
