# reject (which call is for which state: test_inference_hub_states)
# ├── terms that were never asked ........................ UnknownRequest
# ├── another operator or output than delivered .......... WrongAnswer
# ├── there is a window, and nobody challenged ........... NotChallenged
# ├── up to proveBy ...................................... ProveByNotPassed
# ├── the route was withdrawn ............................ RouteIsTombstoned
# └── otherwise, sent by anybody
#     ├── fee and exposure to refundTo, else to the consumer
#     ├── bond from the stake, and its own back, to the challenger; without one, bond to the caller
#     ├── the stake is gone, other results' stake is not
#     ├── the result is retracted
#     └── Slashed and Rejected are logged

from dataclasses import replace

import pytest

from tests.contracts.gaps import (
    BOND,
    EXPOSURE,
    PROVE_WITHIN,
    REFUND,
    Open,
    books,
    challenge_slots,
    challenged,
    currency,
    delivered,
    tombstoned,
)
from tests.contracts.test_node_registry import emitted
from tests.support.world import FEE, OUTPUT, World, refused
from vouch.chain.account import LocalKey
from vouch.chain.contracts import Stake
from vouch.chain.events import RejectedLog
from vouch.chain.transaction import Receipt
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Assurance, Status

SLASHED = {
    "registry": -(EXPOSURE + BOND),
    "operator's bonded": -(EXPOSURE + BOND),
    "operator's exposed": -(EXPOSURE + BOND),
}


def said_rejected(world: World, gap: Open, receipt: Receipt, rewarded: LocalKey) -> None:
    """The logs are these and no others."""
    (log,) = world.logs(receipt)
    assert isinstance(log, RejectedLog)
    given = (world.id(gap.terms), world.operator.address, rewarded.address)
    assert (log.id, log.operator, log.rewarded) == given
    assert [log.address for log in receipt.logs] == [world.nodes.address, world.hub.address]
    assert emitted(receipt, "Slashed") == {
        "operator": world.operator.address,
        "token": gap.terms.token,
        "amount": EXPOSURE + BOND,
    }


async def retracted(world: World, gap: Open) -> None:
    assert await world.hub.assurance_of(world.id(gap.terms)) == Assurance(
        Status.REJECTED, False, False, SIGNED, gap.delivered_at, 0, bytes(18)
    )
    assert not await world.hub.is_answer(world.id(gap.terms), world.operator.address, keccak(OUTPUT))
    assert await challenge_slots(world, gap.terms) == 0


@pytest.mark.parametrize("native", [True, False])
async def test_late_where_it_must_be_proven(world: World, native: bool) -> None:
    gap = await delivered(world, window=0, token=await currency(world, native=native))
    before = await books(world, gap.terms.token)
    call = world.hub.reject(*world.result(gap.terms))
    receipt = await world.send_at(gap.prove_by + 1, call, world.stranger)
    said_rejected(world, gap, receipt, world.stranger)
    assert await before.moved() == {"owner": FEE + EXPOSURE, "stranger": BOND, **SLASHED}
    await retracted(world, gap)


@pytest.mark.parametrize("native", [True, False])
async def test_late_after_a_challenge(world: World, native: bool) -> None:
    """The challenger is rewarded, whoever sends the transaction."""
    gap = await challenged(world, token=await currency(world, native=native))
    before = await books(world, gap.terms.token)
    call = world.hub.reject(*world.result(gap.terms))
    receipt = await world.send_at(gap.prove_by + 1, call, world.stranger)
    said_rejected(world, gap, receipt, world.rival)
    assert await before.moved() == {"owner": FEE + EXPOSURE, "rival": 2 * BOND, **SLASHED}
    await retracted(world, gap)


@pytest.mark.parametrize("window", [0, 600])
async def test_refund_to(world: World, window: int) -> None:
    if window:
        gap = await challenged(world, refund_to=REFUND)
        rewarded = {"rival": 2 * BOND}
    else:
        gap = await delivered(world, refund_to=REFUND, window=0)
        rewarded = {"stranger": BOND}
    before = await books(world, refund=REFUND)
    call = world.hub.reject(*world.result(gap.terms))
    await world.send_at(gap.prove_by + 1, call, world.stranger)
    assert await before.moved() == {"refund": FEE + EXPOSURE, **rewarded, **SLASHED}


async def test_too_early_where_it_must_be_proven(world: World) -> None:
    gap = await delivered(world, window=0)
    call, last = world.hub.reject(*world.result(gap.terms)), gap.prove_by
    for time in (gap.delivered_at, last):
        await refused(world.try_at(time, call), "ProveByNotPassed", proveBy=last, now_=time)
    await world.try_at(last + 1, call)


async def test_too_early_after_a_challenge(world: World) -> None:
    gap = await challenged(world)
    call, last = world.hub.reject(*world.result(gap.terms)), gap.prove_by
    assert last == gap.challenged_at + PROVE_WITHIN
    for time in (gap.challenged_at, last):
        await refused(world.try_at(time, call), "ProveByNotPassed", proveBy=last, now_=time)
    await world.try_at(last + 1, call)


async def test_unchallenged(world: World) -> None:
    """Nobody asked for a proof, so none is late; after the window it settles instead."""
    gap = await delivered(world)
    call = world.hub.reject(*world.result(gap.terms))
    for time in (gap.delivered_at + PROVE_WITHIN + 1, gap.challenge_by, gap.challenge_by + 1, 2**31):
        await refused(world.try_at(time, call), "NotChallenged", id=world.id(gap.terms))


async def test_no_time_to_prove_is_late_a_second_after_the_challenge(world: World) -> None:
    gap = await challenged(world, prove_within=0)
    call, at = world.hub.reject(*world.result(gap.terms)), gap.challenged_at
    await refused(world.try_at(at, call), "ProveByNotPassed", proveBy=at, now_=at)
    await world.try_at(at + 1, call)


async def test_another_answer(world: World) -> None:
    """Nobody else's stake is taken."""
    gap = await delivered(world, window=0)
    await world.send(world.nodes.stake(10 * (EXPOSURE + BOND)), world.rival)
    expected = (await world.hub.assurance_of(world.id(gap.terms))).answer
    for key, output in ((world.operator, b"other"), (world.rival, OUTPUT)):
        words = world.id(gap.terms) + bytes(12) + bytes.fromhex(key.address[2:]) + keccak(output)
        call = world.hub.reject(*world.result(gap.terms, output, key=key))
        attempt = world.try_at(gap.prove_by + 1, call)
        await refused(attempt, "WrongAnswer", received=keccak(words)[:18], expected=expected)


@pytest.mark.parametrize(
    "change", [{"exposure": 0}, {"bond": 0}, {"prove_within": 1}, {"fee": 2 * FEE}, {"refund_to": REFUND}]
)
async def test_other_terms(world: World, change: dict[str, object]) -> None:
    gap = await delivered(world, window=0)
    other = replace(gap.terms, **change)  # type: ignore[arg-type]  # each value fits its field
    attempt = world.try_at(gap.prove_by + 1, world.hub.reject(*world.result(other)))
    await refused(attempt, "UnknownRequest", id=world.id(other))


async def test_a_withdrawn_route_never_punishes(world: World) -> None:
    """However late the proof was before."""
    first, second = await delivered(world, window=0), await challenged(world, salt=2)
    later = second.prove_by + 1
    await tombstoned(world, first)
    for gap in (first, second):
        call = world.hub.reject(*world.result(gap.terms))
        await refused(world.try_at(later, call), "RouteIsTombstoned", route=SIGNED)


async def test_other_results_stay_covered(world: World) -> None:
    gap, other = await delivered(world, window=0), await delivered(world, salt=2, exposure=11, bond=5)
    await world.send(world.nodes.stake(1000), world.operator)
    call = world.hub.reject(*world.result(gap.terms))
    await world.send_at(gap.prove_by + 1, call, world.stranger)
    assert await world.nodes.stake_of(world.operator.address) == Stake(1016, 16, 0, 0)
    await world.send(world.settlement(other.terms), world.stranger)
    assert await world.nodes.stake_of(world.operator.address) == Stake(1016, 0, 0, 0)


async def test_only_the_terms_token_is_taken(world: World) -> None:
    token = await currency(world, native=False)
    gap = await delivered(world, window=0, token=token)
    await world.send(world.nodes.stake(10**18), world.operator)
    call = world.hub.reject(*world.result(gap.terms))
    await world.send_at(gap.prove_by + 1, call, world.stranger)
    assert await world.nodes.stake_of(world.operator.address) == Stake(10**18, 0, 0, 0)
    assert await world.nodes.stake_of(world.operator.address, token) == Stake(0, 0, 0, 0)


async def test_the_operator_stays_one(world: World) -> None:
    """What it gets is a slash, no retirement: it can stake again and answer."""
    gap = await delivered(world, window=0)
    call = world.hub.reject(*world.result(gap.terms))
    await world.send_at(gap.prove_by + 1, call, world.stranger)
    later = await world.terms(salt=2)
    await world.ask(later)
    await world.fulfil(later)
    assert await world.credit(world.operator) == FEE


async def test_who_retired_is_still_liable(world: World) -> None:
    gap = await delivered(world, window=0)
    await world.send(world.nodes.retire(), world.operator)
    before = await books(world)
    call = world.hub.reject(*world.result(gap.terms))
    await world.send_at(gap.prove_by + 1, call, world.stranger)
    assert await before.moved() == {"owner": FEE + EXPOSURE, "stranger": BOND, **SLASHED}


async def test_what_was_credited_can_be_withdrawn(world: World) -> None:
    """The insurance is money of the hub's, not a promise."""
    gap = await challenged(world)
    call = world.hub.reject(*world.result(gap.terms))
    await world.send_at(gap.prove_by + 1, call, world.stranger)
    await world.send(world.hub.withdraw(FEE + EXPOSURE, REFUND), world.owner)
    await world.send(world.hub.withdraw(2 * BOND, REFUND), world.rival)
    assert await world.balance(REFUND) == FEE + EXPOSURE + 2 * BOND
    assert await world.balance(world.hub.address) == 0


@pytest.mark.parametrize(("exposure", "bond"), [(0, 0), (EXPOSURE, 0), (0, BOND)])
async def test_without_insurance_or_reward(world: World, exposure: int, bond: int) -> None:
    gap = await delivered(world, window=0, exposure=exposure, bond=bond)
    before = await books(world)
    call = world.hub.reject(*world.result(gap.terms))
    await world.send_at(gap.prove_by + 1, call, world.stranger)
    lost = exposure + bond
    moved = {"owner": FEE + exposure, "stranger": bond, "registry": -lost}
    moved |= {"operator's bonded": -lost, "operator's exposed": -lost}
    assert await before.moved() == {name: amount for name, amount in moved.items() if amount}
    assert await world.hub.status_of(world.id(gap.terms)) == Status.REJECTED
