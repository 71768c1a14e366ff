# lock, release, slash, slashFree
# └── not called by the hub ............ NotHub
# lock
# ├── more than is bonded and free ..... UncoveredExposure
# └── otherwise ........................ exposed, still bonded
# release ............................... free again; more than is exposed → Panic
# slash ................................. neither exposed nor bonded any more; more than is exposed → Panic
# slashFree ............................. up to the amount, free stake before unbonding stake; says how much
# unbond
# ├── more than is free ................ InsufficientStake
# └── otherwise ........................ what is locked stays
# freeStakeOf ........................... bonded less exposed
# Who locks what and when is in test_inference_hub_*; here the hub is played, to see single steps.

from typing import Any

import pytest

from tests.contracts.gaps import BOND, EXPOSURE, currency, delivered
from tests.contracts.test_node_registry import emitted
from tests.support.contract import Contract
from tests.support.world import World, refused
from vouch.chain.contracts import Stake
from vouch.chain.deploy import UNBOND_DELAY
from vouch.chain.transaction import MAX_TX_GAS, Receipt
from vouch.protocol.request import NATIVE

PANIC = 0x11


def registry(world: World) -> Contract:
    return Contract(world.rpc, "NodeRegistry", world.nodes.address)


async def as_hub(world: World, function: str, *args: Any) -> Receipt:
    """Mined as if the hub had called the registry; raises Reverted before anything is sent."""
    call = registry(world).call(function, *args)
    await returned(world, function, *args)
    await world.rpc.call("anvil_setBalance", world.hub.address, hex(10**18))
    await world.rpc.call("anvil_impersonateAccount", world.hub.address)
    sent = await world.rpc.call("eth_sendTransactionSync", call.to_rpc(world.hub.address, MAX_TX_GAS))
    await world.rpc.call("anvil_stopImpersonatingAccount", world.hub.address)
    receipt = Receipt.from_rpc(sent)
    assert receipt.succeeded
    return receipt


async def returned(world: World, function: str, *args: Any) -> Any:
    """What the hub would get back; raises Reverted."""
    return await registry(world).read(function, *args, sender=world.hub.address)


@pytest.mark.parametrize("function", ["lock", "release", "slash", "slashFree"])
async def test_only_the_hub(world: World, function: str) -> None:
    """Not the operator itself, nor the owner of the deployment."""
    await world.send(world.nodes.stake(10), world.operator)
    await as_hub(world, "lock", world.operator.address, NATIVE, 5)
    for by in (world.operator, world.owner, world.stranger):
        call = registry(world).call(function, world.operator.address, NATIVE, 1)
        await refused(world.send(call, by), "NotHub", caller=by.address, hub=world.hub.address)
    assert await world.nodes.stake_of(world.operator.address) == Stake(10, 5, 0, 0)


async def test_lock_and_release(world: World) -> None:
    operator = world.operator.address
    await world.send(world.nodes.stake(10), world.operator)
    assert (await as_hub(world, "lock", operator, NATIVE, 4)).logs == ()
    await as_hub(world, "lock", operator, NATIVE, 6)
    assert await world.nodes.stake_of(operator) == Stake(10, 10, 0, 0)
    assert await world.nodes.free_stake_of(operator) == 0
    assert (await as_hub(world, "release", operator, NATIVE, 7)).logs == ()
    assert await world.nodes.stake_of(operator) == Stake(10, 3, 0, 0)
    assert await world.nodes.free_stake_of(operator) == (await world.nodes.stake_of(operator)).free == 7
    await as_hub(world, "release", operator, NATIVE, 0)
    await as_hub(world, "lock", operator, NATIVE, 0)
    assert await world.nodes.stake_of(operator) == Stake(10, 3, 0, 0)
    assert await world.credit(world.nodes.address) == 10


@pytest.mark.parametrize("native", [True, False])
async def test_lock_what_is_not_free(world: World, native: bool) -> None:
    operator, token = world.operator.address, await currency(world, native=native)
    await world.send(world.nodes.stake(10, token), world.operator)
    await as_hub(world, "lock", operator, token, 4)
    for wanted in (7, 2**128, 2**256 - 1):
        attempt = as_hub(world, "lock", operator, token, wanted)
        await refused(attempt, "UncoveredExposure", operator=operator, token=token, free=6, wanted=wanted)
    await as_hub(world, "lock", operator, token, 6)


async def test_stake_is_one_operators_and_one_tokens(world: World) -> None:
    operator, token = world.operator.address, await currency(world, native=False)
    await world.send(world.nodes.stake(10), world.operator)
    nobody = {"operator": world.rival.address, "token": NATIVE, "free": 0, "wanted": 1}
    await refused(as_hub(world, "lock", world.rival.address, NATIVE, 1), "UncoveredExposure", **nobody)
    nothing = {"operator": operator, "token": token, "free": 0, "wanted": 1}
    await refused(as_hub(world, "lock", operator, token, 1), "UncoveredExposure", **nothing)
    assert await world.nodes.free_stake_of(world.rival.address) == 0
    assert await world.nodes.free_stake_of(operator, token) == 0
    assert await world.nodes.free_stake_of(operator) == 10


async def test_what_is_unbonding_covers_nothing(world: World) -> None:
    await world.send(world.nodes.stake(10), world.operator)
    await world.send(world.nodes.unbond(4), world.operator)
    operator = world.operator.address
    attempt = as_hub(world, "lock", operator, NATIVE, 7)
    await refused(attempt, "UncoveredExposure", operator=operator, token=NATIVE, free=6, wanted=7)


async def test_slash(world: World) -> None:
    operator = world.operator.address
    await world.send(world.nodes.stake(10), world.operator)
    await as_hub(world, "lock", operator, NATIVE, 6)
    receipt = await as_hub(world, "slash", operator, NATIVE, 4)
    assert emitted(receipt, "Slashed") == {"operator": operator, "token": NATIVE, "amount": 4}
    assert len(receipt.logs) == 1
    assert await world.nodes.stake_of(operator) == Stake(6, 2, 0, 0)
    assert await world.nodes.free_stake_of(operator) == 4


@pytest.mark.parametrize("function", ["release", "slash"])
async def test_no_more_than_was_locked(world: World, function: str) -> None:
    await world.send(world.nodes.stake(10), world.operator)
    await as_hub(world, "lock", world.operator.address, NATIVE, 6)
    await refused(as_hub(world, function, world.operator.address, NATIVE, 7), "Panic", code=PANIC)
    await as_hub(world, function, world.operator.address, NATIVE, 6)


@pytest.mark.parametrize(
    ("amount", "taken", "left"),
    [
        (0, 0, (10, 3)),
        (1, 1, (9, 3)),
        (6, 6, (4, 3)),
        (7, 7, (4, 2)),
        (9, 9, (4, 0)),
        (10, 9, (4, 0)),
        (2**128 + 1, 9, (4, 0)),
        (2**256 - 1, 9, (4, 0)),
    ],
)
async def test_slash_free(world: World, amount: int, taken: int, left: tuple[int, int]) -> None:
    """Ten bonded, four of them locked, and three on their way out."""
    operator = world.operator.address
    await world.send(world.nodes.stake(13), world.operator)
    await world.send(world.nodes.unbond(3), world.operator)
    await as_hub(world, "lock", operator, NATIVE, 4)
    release = (await world.nodes.stake_of(operator)).release_at
    assert await returned(world, "slashFree", operator, NATIVE, amount) == taken
    receipt = await as_hub(world, "slashFree", operator, NATIVE, amount)
    assert emitted(receipt, "Slashed") == {"operator": operator, "token": NATIVE, "amount": taken}
    bonded, unbonding = left
    assert await world.nodes.stake_of(operator) == Stake(bonded, 4, unbonding, release)


async def test_locked_stake_cannot_be_unbonded(world: World) -> None:
    gap = await delivered(world)
    await world.send(world.nodes.stake(10), world.operator)
    locked = EXPOSURE + BOND
    for wanted in (11, locked, locked + 10):
        attempt = world.send(world.nodes.unbond(wanted), world.operator)
        await refused(attempt, "InsufficientStake", available=10, wanted=wanted)
    time = await world.now() + 5
    await world.send_at(time, world.nodes.unbond(10), world.operator)
    release = time + UNBOND_DELAY
    assert await world.nodes.stake_of(world.operator.address) == Stake(locked, locked, 10, release)
    attempt = world.send(world.nodes.unbond(1), world.operator)
    await refused(attempt, "InsufficientStake", available=0, wanted=1)
    await world.send(world.settlement(gap.terms), world.stranger)
    await world.send(world.nodes.unbond(locked), world.operator)


async def test_withdrawing_leaves_what_is_locked(world: World) -> None:
    await delivered(world, window=0)
    await world.send(world.nodes.stake(10), world.operator)
    await world.send(world.nodes.unbond(10), world.operator)
    later = await world.now() + 10 + UNBOND_DELAY
    await world.send_at(later, world.nodes.withdraw_stake(world.operator.address), world.operator)
    locked = EXPOSURE + BOND
    assert await world.nodes.stake_of(world.operator.address) == Stake(locked, locked, 0, 0)
    assert await world.credit(world.nodes.address) == locked


async def test_staking_more_leaves_what_is_locked(world: World) -> None:
    await delivered(world)
    await world.send(world.nodes.stake(10), world.operator)
    locked = EXPOSURE + BOND
    assert await world.nodes.stake_of(world.operator.address) == Stake(locked + 10, locked, 0, 0)
