# stake
# ├── nothing ...................... ZeroAmount
# ├── value is not the amount ...... WrongValue
# ├── more than uint128 ............ SafeCastOverflowedUintDowncast
# └── otherwise .................... what arrived is bonded, and is the registry's credit in the hub
# unbond
# ├── nothing ...................... ZeroAmount
# ├── more than is free ............ InsufficientStake (what is locked: test_node_registry_exposure)
# └── otherwise .................... waits for UNBOND_DELAY, from the latest call on
# withdrawStake
# ├── nothing is unbonding ......... ZeroAmount
# ├── before the delay is over ..... StillUnbonding
# └── otherwise .................... paid out once


from dataclasses import replace

import pytest

from tests.contracts.test_node_registry import emitted
from tests.support.contract import Contract
from tests.support.world import World, refused
from vouch.chain.contracts import Stake
from vouch.chain.deploy import UNBOND_DELAY
from vouch.protocol.request import NATIVE


async def token_for_registry(world: World, mode: int = 0, claimed: int = 0) -> Contract:
    token = await world.create("HostileToken")
    await world.send(token.call("mint", world.operator.address, 10**18))
    await world.send(token.call("approve", world.nodes.address, 10**18), world.operator)
    await world.send(token.call("setMode", mode, claimed, NATIVE))
    return token


async def test_stake_is_credit_of_the_registry(world: World) -> None:
    receipt = await world.send(world.nodes.stake(10), world.operator)
    assert emitted(receipt, "Staked") == {"operator": world.operator.address, "token": NATIVE, "amount": 10}
    await world.send(world.nodes.stake(5), world.operator)
    await world.send(world.nodes.stake(3), world.rival)
    assert await world.nodes.stake_of(world.operator.address) == Stake(15, 0, 0, 0)
    assert await world.nodes.stake_of(world.rival.address) == Stake(3, 0, 0, 0)
    assert await world.credit(world.nodes.address) == 18
    assert await world.credit(world.operator) == 0
    assert (await world.balance(world.nodes.address), await world.balance(world.hub.address)) == (0, 18)


async def test_stake_of_nothing(world: World) -> None:
    await refused(world.send(world.nodes.stake(0), world.operator), "ZeroAmount")


async def test_stake_of_another_value(world: World) -> None:
    for value in (0, 9, 11):
        call = replace(world.nodes.stake(10), value=value)
        await refused(world.send(call, world.operator), "WrongValue", received=value, expected=10)
    token = await token_for_registry(world)
    call = replace(world.nodes.stake(10, token.address), value=10)
    await refused(world.send(call, world.operator), "WrongValue", received=10, expected=0)


@pytest.mark.parametrize(("mode", "bonded"), [(0, 1000), (1, 810), (3, 1000)])
async def test_erc20_stake(world: World, mode: int, bonded: int) -> None:
    """Honest, taxed on both its ways, and without a return value: what arrives at the hub counts."""
    token = await token_for_registry(world, mode)
    await world.send(world.nodes.stake(1000, token.address), world.operator)
    assert await world.nodes.stake_of(world.operator.address, token.address) == Stake(bonded, 0, 0, 0)
    assert await world.credit(world.nodes.address, token.address) == bonded
    assert await token.read("balanceOf", world.nodes.address) == 0
    assert await token.read("balanceOf", world.hub.address) == bonded
    assert await token.read("allowance", world.nodes.address, world.hub.address) == 0


async def test_erc20_that_returns_false(world: World) -> None:
    token = await token_for_registry(world, 2)
    await refused(
        world.send(world.nodes.stake(10, token.address), world.operator),
        "SafeERC20FailedOperation",
        token=token.address,
    )


async def test_stake_beyond_any_supply(world: World) -> None:
    """Nothing of a token with an absurd supply is cut off."""
    token = await world.create("HostileToken")
    await world.send(token.call("mint", world.operator.address, 2**128))
    await world.send(token.call("approve", world.nodes.address, 2**128), world.operator)
    await refused(
        world.send(world.nodes.stake(2**128, token.address), world.operator),
        "SafeCastOverflowedUintDowncast",
        bits=128,
        value=2**128,
    )
    await world.send(world.nodes.stake(2**128 - 1, token.address), world.operator)
    assert (await world.nodes.stake_of(world.operator.address, token.address)).bonded == 2**128 - 1
    await refused(world.send(world.nodes.stake(1, token.address), world.operator), "Panic", code=0x11)


async def test_unbond_and_withdraw(world: World) -> None:
    assert await world.nodes.unbond_delay() == UNBOND_DELAY
    operator, to = world.operator.address, "0x" + "00" * 18 + "5678"
    await world.send(world.nodes.stake(10), world.operator)
    time = await world.now() + 5
    receipt = await world.send_at(time, world.nodes.unbond(4), world.operator)
    release = time + UNBOND_DELAY
    assert emitted(receipt, "Unbonding") == {
        "operator": operator,
        "token": NATIVE,
        "amount": 4,
        "releaseAt": release,
    }
    assert await world.nodes.stake_of(operator) == Stake(6, 0, 4, release)

    call = world.nodes.withdraw_stake(to)
    await refused(
        world.try_at(release - 1, call, world.operator), "StillUnbonding", releaseAt=release, now_=release - 1
    )
    receipt = await world.send_at(release, call, world.operator)
    assert emitted(receipt, "StakeWithdrawn") == {
        "operator": operator,
        "token": NATIVE,
        "amount": 4,
        "to": to,
    }
    assert await world.balance(to) == 4
    assert await world.nodes.stake_of(operator) == Stake(6, 0, 0, 0)
    assert await world.credit(world.nodes.address) == 6
    await refused(world.send(call, world.operator), "ZeroAmount")


async def test_a_second_unbond_restarts_the_delay(world: World) -> None:
    await world.send(world.nodes.stake(10), world.operator)
    time = await world.now() + 5
    await world.send_at(time, world.nodes.unbond(4), world.operator)
    await world.send_at(time + 100, world.nodes.unbond(6), world.operator)
    release = time + 100 + UNBOND_DELAY
    assert await world.nodes.stake_of(world.operator.address) == Stake(0, 0, 10, release)
    call = world.nodes.withdraw_stake(world.operator.address)
    await refused(
        world.try_at(release - 1, call, world.operator), "StillUnbonding", releaseAt=release, now_=release - 1
    )
    await world.try_at(release, call, world.operator)


async def test_unbond_what_is_not_there(world: World) -> None:
    await refused(world.send(world.nodes.unbond(0), world.operator), "ZeroAmount")
    await world.send(world.nodes.stake(10), world.operator)
    await refused(world.send(world.nodes.unbond(0), world.operator), "ZeroAmount")
    await refused(
        world.send(world.nodes.unbond(11), world.operator), "InsufficientStake", available=10, wanted=11
    )
    await world.send(world.nodes.unbond(4), world.operator)
    await refused(
        world.send(world.nodes.unbond(7), world.operator), "InsufficientStake", available=6, wanted=7
    )
    await refused(
        world.send(world.nodes.unbond(1), world.stranger), "InsufficientStake", available=0, wanted=1
    )


async def test_bonded_stake_cannot_be_withdrawn(world: World) -> None:
    await world.send(world.nodes.stake(10), world.operator)
    call = world.nodes.withdraw_stake(world.operator.address)
    await refused(world.send(call, world.operator), "ZeroAmount")
    later = await world.now() + 10 * UNBOND_DELAY
    await refused(world.try_at(later, call, world.operator), "ZeroAmount")


async def test_withdraw_to_nowhere(world: World) -> None:
    await world.send(world.nodes.stake(10), world.operator)
    await world.send(world.nodes.unbond(10), world.operator)
    later = await world.now() + 10 + UNBOND_DELAY
    call = world.nodes.withdraw_stake(world.hub.address)
    await refused(world.try_at(later, call, world.operator), "BadReceiver", to=world.hub.address)
    call = world.nodes.withdraw_stake(world.router.address)
    await refused(
        world.try_at(later, call, world.operator), "TransferFailed", to=world.router.address, amount=10
    )


async def test_erc20_withdraw(world: World) -> None:
    token = await token_for_registry(world)
    await world.send(world.nodes.stake(10, token.address), world.operator)
    await world.send(world.nodes.stake(7), world.operator)
    await world.send(world.nodes.unbond(10, token.address), world.operator)
    later = await world.now() + 10 + UNBOND_DELAY
    await world.send_at(later, world.nodes.withdraw_stake(world.rival.address, token.address), world.operator)
    assert await token.read("balanceOf", world.rival.address) == 10
    assert (await world.nodes.stake_of(world.operator.address)).bonded == 7
    assert await world.credit(world.nodes.address, token.address) == 0
