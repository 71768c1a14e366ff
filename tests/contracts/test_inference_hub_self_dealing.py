# who plays several parts in one request, and what it gets by it
# ├── an operator that challenges itself
# │   ├── and proves ............... gets its bond back
# │   └── and does not ............. loses the exposure, as with anybody else
# ├── an operator that rejects itself, or reports itself: loses the exposure
# ├── a consumer that challenges ... gets what consumer and challenger get
# ├── an operator that asks itself . moves its own money, and nobody else's
# │   └── also by two answers ...... what is free, or on its way out, is no insurance
# └── refundTo is the challenger, or the operator: each payment is made

from tests.contracts.gaps import BOND, EXPOSURE, asked, books, challenged, delivered
from tests.contracts.test_inference_hub_equivocation import TWO, report
from tests.support.world import FEE, INPUT, OUTPUT, World
from vouch.protocol.status import Status

LOCKED = EXPOSURE + BOND
TAKEN = {"registry": -LOCKED, "operator's bonded": -LOCKED, "operator's exposed": -LOCKED}


async def test_an_operator_challenges_itself_and_proves(world: World) -> None:
    gap = await delivered(world)
    before = await books(world)
    await world.send(world.hub.challenge(*world.result(gap.terms)), world.operator)
    assert await before.moved() == {"hub": BOND}
    await world.send(world.settlement(gap.terms), world.operator)
    assert await before.moved() == {
        "operator": FEE + BOND,
        "operator's exposed": -LOCKED,
        "hub": BOND,
    }


async def test_an_operator_challenges_itself_and_does_not_prove(world: World) -> None:
    """It keeps the bonds, so nobody else is rewarded; the consumer is insured all the same."""
    gap = await delivered(world)
    before = await books(world)
    time = gap.delivered_at + 9
    await world.send_at(time, world.hub.challenge(*world.result(gap.terms)), world.operator)
    call = world.hub.reject(*world.result(gap.terms))
    await world.send_at(time + gap.terms.prove_within + 1, call, world.stranger)
    assert await before.moved() == {
        "owner": FEE + EXPOSURE,
        "operator": 2 * BOND,
        "hub": BOND,
        **TAKEN,
    }


async def test_an_operator_rejects_itself(world: World) -> None:
    """Before anybody else gets the reward; the consumer is insured all the same."""
    gap = await delivered(world, window=0)
    before = await books(world)
    call = world.hub.reject(*world.result(gap.terms))
    await world.send_at(gap.prove_by + 1, call, world.operator)
    assert await before.moved() == {"owner": FEE + EXPOSURE, "operator": BOND, **TAKEN}


async def test_an_operator_reports_itself(world: World) -> None:
    gap = await delivered(world)
    before = await books(world)
    await world.send(report(world, gap.terms, OUTPUT, TWO), world.operator)
    assert await before.moved() == {"owner": FEE + EXPOSURE, "operator": BOND, **TAKEN}


async def test_an_operator_reports_itself_before_it_delivers(world: World) -> None:
    terms = await asked(world)
    before = await books(world)
    await world.send(report(world, terms), world.operator)
    assert await before.moved() == {
        "owner": EXPOSURE,
        "operator": BOND,
        "registry": -LOCKED,
        "operator's bonded": -LOCKED,
    }


async def test_a_consumer_challenges(world: World) -> None:
    gap = await delivered(world)
    before = await books(world)
    time = gap.delivered_at + 9
    await world.send_at(time, world.hub.challenge(*world.result(gap.terms)), world.owner)
    call = world.hub.reject(*world.result(gap.terms))
    await world.send_at(time + gap.terms.prove_within + 1, call, world.owner)
    assert await before.moved() == {"owner": FEE + EXPOSURE + 2 * BOND, "hub": BOND, **TAKEN}


async def test_a_consumer_that_challenges_a_good_result_pays_for_it(world: World) -> None:
    gap = await delivered(world)
    await world.send(world.hub.challenge(*world.result(gap.terms)), world.owner)
    before = await books(world)
    await world.send(world.settlement(gap.terms), world.owner)
    assert await before.moved() == {"operator": FEE + BOND, "operator's exposed": -LOCKED}


async def test_the_challenger_is_refunded_too(world: World) -> None:
    gap = await challenged(world, refund_to=world.rival.address)
    before = await books(world)
    call = world.hub.reject(*world.result(gap.terms))
    await world.send_at(gap.prove_by + 1, call, world.stranger)
    assert await before.moved() == {"rival": FEE + EXPOSURE + 2 * BOND, **TAKEN}


async def test_the_operator_is_refunded(world: World) -> None:
    """If the terms say so: then its own stake comes back to it, and it is still an operator."""
    gap = await delivered(world, window=0, refund_to=world.operator.address)
    before = await books(world)
    call = world.hub.reject(*world.result(gap.terms))
    await world.send_at(gap.prove_by + 1, call, world.stranger)
    assert await before.moved() == {"operator": FEE + EXPOSURE, "stranger": BOND, **TAKEN}
    later = await world.terms(salt=2)
    await world.ask(later)
    await world.fulfil(later)


async def test_an_operator_asks_itself(world: World) -> None:
    """Every part is its own: what it staked and paid is its credit in the end, and nobody lost anything.

    So stake that is free can leave without the unbonding delay. What is locked for others cannot.
    """
    held = await delivered(world)
    await world.send(world.nodes.stake(LOCKED), world.operator)
    before = await books(world)
    terms = await world.terms(
        consumer=world.operator.address,
        operator=world.operator.address,
        exposure=EXPOSURE,
        bond=BOND,
        prove_within=1,
        salt=2,
    )
    await world.send(world.hub.request(terms, INPUT), world.operator)
    time = await world.now() + 5
    await world.send_at(time, world.delivery(terms), world.operator)
    await world.send_at(time + 2, world.hub.reject(*world.result(terms)), world.operator)
    assert await world.hub.status_of(world.id(terms)) == Status.REJECTED
    assert await before.moved() == {
        "operator": FEE + LOCKED,
        "registry": -LOCKED,
        "operator's bonded": -LOCKED,
        "hub": FEE,
    }
    await world.send(world.settlement(held.terms), world.stranger)


async def test_an_operator_contradicts_itself_to_itself(world: World) -> None:
    """All that is not locked leaves at once, also what is on its way out: such a claim is no insurance."""
    held = await delivered(world)
    await world.send(world.nodes.stake(20), world.operator)
    await world.send(world.nodes.unbond(8), world.operator)
    terms = await world.terms(
        consumer=world.operator.address, operator=world.operator.address, exposure=2**255, fee=0, salt=2
    )
    await world.send(world.hub.request(terms, INPUT), world.operator)
    before = await books(world)
    await world.send(report(world, terms), world.operator)
    assert await before.moved() == {
        "operator": 20,
        "registry": -20,
        "operator's bonded": -12,
        "operator's unbonding": -8,
    }
    await world.send(world.settlement(held.terms), world.stranger)
