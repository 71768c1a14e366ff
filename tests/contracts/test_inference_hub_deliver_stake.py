# the stake that deliver locks
# ├── what is free in the terms' token is below exposure + bond ... UncoveredExposure, whatever the terms say
# └── otherwise .................................................. exposure + bond of it, until the end

import pytest

from tests.contracts.gaps import BOND, EXPOSURE, asked, books, currency
from tests.support.world import World, refused
from vouch.chain.contracts import Stake
from vouch.protocol.request import NATIVE
from vouch.protocol.status import Status

LARGEST = 2**256 - 1


@pytest.mark.parametrize("native", [True, False])
async def test_stake_that_does_not_cover(world: World, native: bool) -> None:
    """A wei too little, in the terms' own token."""
    token = await currency(world, native=native)
    terms = await asked(world, token=token)
    if not native:
        await world.send(world.nodes.stake(10**18), world.operator)
    await world.send(world.nodes.unbond(1, token), world.operator)
    await refused(
        world.deliver(terms),
        "UncoveredExposure",
        operator=world.operator.address,
        token=token,
        free=EXPOSURE + BOND - 1,
        wanted=EXPOSURE + BOND,
    )
    await world.send(world.nodes.stake(1, token), world.operator)
    await world.deliver(terms)


async def test_what_is_locked_covers_nothing_else(world: World) -> None:
    one, two = await asked(world), await asked(world, salt=2, exposure=11, bond=5)
    await world.deliver(one)
    await world.deliver(two)
    locked = EXPOSURE + BOND + 16
    assert await world.nodes.stake_of(world.operator.address) == Stake(locked, locked, 0, 0)
    three = await world.terms(salt=3, exposure=1, window=1)
    await world.ask(three)
    covered = {"operator": world.operator.address, "token": NATIVE, "free": 0, "wanted": 1}
    await refused(world.deliver(three), "UncoveredExposure", **covered)
    await world.send(world.settlement(one), world.stranger)
    await world.deliver(three)
    assert (await world.nodes.stake_of(world.operator.address)).exposed == 17


async def test_nothing_insured_needs_no_stake(world: World) -> None:
    terms = await asked(world, exposure=0, bond=0)
    before = await books(world)
    await world.deliver(terms)
    assert await before.moved() == {}
    assert await world.hub.status_of(world.id(terms)) == Status.DELIVERED


@pytest.mark.parametrize(
    ("exposure", "bond", "wanted"),
    [
        (LARGEST, LARGEST, LARGEST),
        (LARGEST, 1, LARGEST),
        (1, LARGEST, LARGEST),
        (LARGEST, 0, LARGEST),
        (2**128, 0, 2**128),
        (2**255, 2**255 - 1, LARGEST),
    ],
)
async def test_no_stake_covers_absurd_terms(world: World, exposure: int, bond: int, wanted: int) -> None:
    await world.send(world.nodes.stake(5), world.operator)
    terms = await world.terms(exposure=exposure, bond=bond, window=1)
    await world.ask(terms)
    await refused(
        world.deliver(terms),
        "UncoveredExposure",
        operator=world.operator.address,
        token=NATIVE,
        free=5,
        wanted=wanted,
    )


async def test_the_largest_stake_covers_the_largest_exposure(world: World) -> None:
    largest = 2**128 - 1
    token = await world.create("HostileToken")
    await world.send(token.call("mint", world.operator.address, largest))
    await world.send(token.call("approve", world.nodes.address, largest), world.operator)
    terms = await asked(world, token=token.address, fee=0, exposure=largest - 1, bond=1)
    await world.deliver(terms)
    locked = Stake(largest, largest, 0, 0)
    assert await world.nodes.stake_of(world.operator.address, token.address) == locked
    await world.send(world.settlement(terms), world.stranger)
    assert await world.nodes.free_stake_of(world.operator.address, token.address) == largest
