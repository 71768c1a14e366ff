# expireDelivered (which call is for which state: test_inference_hub_states)
# ├── terms that were never asked ........................ UnknownRequest
# ├── another operator or output than delivered .......... WrongAnswer
# ├── the route lives .................................... RouteIsLive
# ├── the window has passed and nobody challenged ........ WindowPassed
# └── otherwise, sent by anybody, as late as one likes
#     ├── fee to refundTo, else to the consumer; a challenger's bond back; nobody is slashed
#     ├── the stake is free
#     ├── the result is retracted
#     └── Expired is logged

from dataclasses import replace

import pytest

from tests.contracts.gaps import (
    BOND,
    EXPOSURE,
    REFUND,
    Open,
    books,
    challenge_slots,
    challenged,
    currency,
    delivered,
    tombstoned,
)
from tests.support.world import FEE, OUTPUT, World, refused
from vouch.chain.contracts import Stake
from vouch.chain.events import ExpiredLog
from vouch.chain.transaction import Call, Receipt
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Assurance, Status

FREED = {"operator's exposed": -(EXPOSURE + BOND)}


def expiry(world: World, gap: Open) -> Call:
    return world.hub.expire_delivered(*world.result(gap.terms))


async def ended(world: World, gap: Open, receipt: Receipt) -> None:
    """Logged, recorded, and nothing left behind."""
    (log,) = world.logs(receipt)
    assert isinstance(log, ExpiredLog)
    assert log.id == world.id(gap.terms)
    assert len(receipt.logs) == 1  # the registry has nothing to say: nobody was slashed
    assert await world.hub.assurance_of(world.id(gap.terms)) == Assurance(
        Status.EXPIRED, False, False, SIGNED, gap.delivered_at, 0, bytes(18)
    )
    assert not await world.hub.is_answer(world.id(gap.terms), world.operator.address, keccak(OUTPUT))
    assert await challenge_slots(world, gap.terms) == 0
    assert await world.nodes.stake_of(world.operator.address, gap.terms.token) == Stake(
        EXPOSURE + BOND, 0, 0, 0
    )


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("window", [0, 600])
async def test_delivered(world: World, window: int, native: bool) -> None:
    token = await currency(world, native=native)
    gap = await tombstoned(world, await delivered(world, window=window, token=token))
    before = await books(world, token)
    receipt = await world.send(expiry(world, gap), world.stranger)
    await ended(world, gap, receipt)
    assert await before.moved() == {"owner": FEE, **FREED}


@pytest.mark.parametrize("native", [True, False])
async def test_challenged(world: World, native: bool) -> None:
    token = await currency(world, native=native)
    gap = await tombstoned(world, await challenged(world, token=token))
    before = await books(world, token)
    receipt = await world.send(expiry(world, gap), world.stranger)
    await ended(world, gap, receipt)
    assert await before.moved() == {"owner": FEE, "rival": BOND, **FREED}


async def test_refund_to(world: World) -> None:
    gap = await tombstoned(world, await challenged(world, refund_to=REFUND))
    before = await books(world, refund=REFUND)
    await world.send(expiry(world, gap), world.stranger)
    assert await before.moved() == {"refund": FEE, "rival": BOND, **FREED}


async def test_live_route(world: World) -> None:
    first, second, third = (
        await delivered(world, window=0),
        await delivered(world, salt=2),
        await challenged(world, salt=3),
    )
    for gap in (first, second, third):
        for time in (third.challenged_at + 1, gap.prove_by + 1, gap.delivered_at + 10**6):
            await refused(world.try_at(time, expiry(world, gap)), "RouteIsLive", route=SIGNED)


async def test_window(world: World) -> None:
    """What nobody challenged in time is settled, not expired."""
    gap = await tombstoned(world, await delivered(world))
    call, last = expiry(world, gap), gap.challenge_by
    await world.try_at(last, call)
    attempt = world.try_at(last + 1, call)
    await refused(attempt, "WindowPassed", challengeBy=last, now_=last + 1)
    await world.try_at(last + 1, world.settlement(gap.terms, seal=b""))


@pytest.mark.parametrize("window", [0, 600])
async def test_however_late_the_proof_is(world: World, window: int) -> None:
    if window:
        gap = await tombstoned(world, await challenged(world))
    else:
        gap = await tombstoned(world, await delivered(world, window=0))
    for time in (gap.prove_by, gap.prove_by + 1, gap.challenge_by + 1, gap.delivered_at + 10**6):
        await world.try_at(time, expiry(world, gap))


async def test_another_answer(world: World) -> None:
    gap = await tombstoned(world, await delivered(world))
    expected = (await world.hub.assurance_of(world.id(gap.terms))).answer
    for key, output in ((world.operator, b"other"), (world.rival, OUTPUT)):
        words = world.id(gap.terms) + bytes(12) + bytes.fromhex(key.address[2:]) + keccak(output)
        attempt = world.send(world.hub.expire_delivered(*world.result(gap.terms, output, key=key)))
        await refused(attempt, "WrongAnswer", received=keccak(words)[:18], expected=expected)


@pytest.mark.parametrize("change", [{"fee": 2 * FEE}, {"exposure": 0}, {"route": b"NONE"}])
async def test_other_terms(world: World, change: dict[str, object]) -> None:
    """Above all another route, which would be as good as a withdrawn one."""
    gap = await delivered(world)
    other = replace(gap, terms=replace(gap.terms, **change))  # type: ignore[arg-type]  # each fits its field
    await refused(world.send(expiry(world, other)), "UnknownRequest", id=world.id(other.terms))


async def test_other_results_stay_covered(world: World) -> None:
    gap = await delivered(world)
    other = await delivered(world, salt=2, exposure=11, bond=5)
    await tombstoned(world, gap)
    await world.send(expiry(world, gap), world.stranger)
    assert await world.nodes.stake_of(world.operator.address) == Stake(EXPOSURE + BOND + 16, 16, 0, 0)
    await world.send(expiry(world, other), world.stranger)
    assert await world.nodes.stake_of(world.operator.address) == Stake(EXPOSURE + BOND + 16, 0, 0, 0)


async def test_without_a_bond(world: World) -> None:
    gap = await tombstoned(world, await challenged(world, bond=0))
    before = await books(world)
    await world.send(expiry(world, gap), world.stranger)
    assert await before.moved() == {"owner": FEE, "operator's exposed": -EXPOSURE}
