# what an equivocation costs that is not of the delivered result: up to exposure + bond
# ├── of free stake first, then of what is on its way out
# ├── nothing of what is locked for other results
# ├── what was not there the first time, when it is there
# └── the consumer gets up to the exposure, the caller the rest

import pytest

from tests.contracts.gaps import BOND, EXPOSURE, asked, books, delivered
from tests.contracts.test_inference_hub_deliver_stake import LARGEST
from tests.contracts.test_inference_hub_equivocation import report, said_equivocated
from tests.support.world import World, refused
from vouch.chain.deploy import UNBOND_DELAY


@pytest.mark.parametrize(
    ("free", "unbonding", "to_consumer", "to_caller"),
    [
        pytest.param(0, 0, 0, 0, id="nothing there"),
        pytest.param(0, EXPOSURE - 1, EXPOSURE - 1, 0, id="less than the exposure, all on its way out"),
        pytest.param(EXPOSURE - 1, 0, EXPOSURE - 1, 0, id="less than the exposure"),
        pytest.param(EXPOSURE, 0, EXPOSURE, 0, id="the exposure"),
        pytest.param(EXPOSURE, 1, EXPOSURE, 1, id="the exposure, and a wei on its way out"),
        pytest.param(EXPOSURE + BOND - 1, 0, EXPOSURE, BOND - 1, id="a wei too little"),
        pytest.param(EXPOSURE + BOND, 9, EXPOSURE, BOND, id="enough: what is on its way out stays"),
        pytest.param(EXPOSURE + BOND - 1, 9, EXPOSURE, BOND, id="of what is on its way out, only the rest"),
        pytest.param(EXPOSURE + BOND + 5, 0, EXPOSURE, BOND, id="more than enough"),
    ],
)
async def test_up_to_what_is_there(
    world: World, free: int, unbonding: int, to_consumer: int, to_caller: int
) -> None:
    terms = await world.terms(exposure=EXPOSURE, bond=BOND, window=600)
    await world.ask(terms)
    if free + unbonding:
        await world.send(world.nodes.stake(free + unbonding), world.operator)
    if unbonding:
        await world.send(world.nodes.unbond(unbonding), world.operator)
    before = await books(world)
    receipt = await world.send(report(world, terms), world.stranger)
    taken = to_consumer + to_caller
    said_equivocated(world, terms, receipt, world.stranger, taken)
    from_free = min(taken, free)
    moved = {"owner": to_consumer, "stranger": to_caller, "registry": -taken}
    moved |= {"operator's bonded": -from_free, "operator's unbonding": from_free - taken}
    assert await before.moved() == {name: amount for name, amount in moved.items() if amount}


async def test_what_was_locked_is_taken_when_it_is_free_again(world: World) -> None:
    """So an operator gains nothing by reporting itself while it has no free stake."""
    locked = await delivered(world)
    terms = await world.terms(exposure=EXPOSURE, bond=BOND, window=600, salt=2)
    await world.ask(terms)
    for free in (0, 11):
        if free:
            await world.send(world.nodes.stake(free), world.operator)
        receipt = await world.send(report(world, terms), world.rival)
        said_equivocated(world, terms, receipt, world.rival, free)
    await world.send(world.settlement(locked.terms), world.stranger)
    before = await books(world)
    receipt = await world.send(report(world, terms), world.stranger)
    said_equivocated(world, terms, receipt, world.stranger, EXPOSURE + BOND - 11)
    assert await before.moved() == {
        "owner": EXPOSURE - 11,
        "stranger": BOND,
        "registry": 11 - (EXPOSURE + BOND),
        "operator's bonded": 11 - (EXPOSURE + BOND),
    }
    attempt = world.send(report(world, terms), world.rival)
    await refused(attempt, "AlreadyReported", id=world.id(terms), operator=world.operator.address)


async def test_the_consumer_is_insured_before_any_caller_is_paid(world: World) -> None:
    terms = await world.terms(exposure=EXPOSURE, bond=BOND, window=600)
    await world.ask(terms)
    for amount, to_consumer in ((EXPOSURE - 3, EXPOSURE - 3), (5, 3), (BOND - 2, 0)):
        await world.send(world.nodes.stake(amount), world.operator)
        before = await books(world)
        await world.send(report(world, terms), world.stranger)
        moved = {"owner": to_consumer, "stranger": amount - to_consumer}
        moved |= {"registry": -amount, "operator's bonded": -amount}
        assert await before.moved() == {name: moved_ for name, moved_ in moved.items() if moved_}


async def test_what_is_on_its_way_out_can_be_taken_until_it_is_gone(world: World) -> None:
    terms = await asked(world)
    time = await world.now() + 5
    await world.send_at(time, world.nodes.unbond(EXPOSURE + BOND), world.operator)
    release = time + UNBOND_DELAY
    await world.send_at(release, report(world, terms), world.stranger)
    assert (await world.nodes.stake_of(world.operator.address)).unbonding == 0
    attempt = world.send(world.nodes.withdraw_stake(world.operator.address), world.operator)
    await refused(attempt, "ZeroAmount")


async def test_absurd_terms_take_everything_free_and_no_more(world: World) -> None:
    locked = await delivered(world)
    terms = await world.terms(exposure=LARGEST, bond=LARGEST, salt=2)
    await world.ask(terms)
    await world.send(world.nodes.stake(10), world.operator)
    await world.send(world.nodes.unbond(4), world.operator)
    before = await books(world)
    await world.send(report(world, terms), world.stranger)
    assert await before.moved() == {
        "owner": 10,
        "registry": -10,
        "operator's bonded": -6,
        "operator's unbonding": -4,
    }
    await world.send(world.settlement(locked.terms), world.stranger)
