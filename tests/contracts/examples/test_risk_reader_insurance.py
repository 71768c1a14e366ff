# what a result that is not proven is good for
# ├── somebody else is insured ......... nothing
# ├── another currency is insured ...... nothing
# ├── window open, nobody challenged ... nothing
# ├── settled, nobody challenged ....... nothing
# ├── the route was withdrawn .......... nothing
# └── otherwise, a proof is due ........ the exposure, at most FULL_LIMIT
# collect .............................. insurance to the pool

import pytest

from tests.contracts.examples import lending
from tests.contracts.examples.lending import ETHER, LOW, PROVE_WITHIN
from tests.contracts.examples.readers import FULL, FUNDS, INSURED, asked, deployed, draw, limit
from tests.support.world import World, refused
from vouch.protocol.quorum import QUORUM
from vouch.protocol.request import NATIVE


async def test_insurance_above_the_full_limit(world: World) -> None:
    reader = await deployed(world)
    terms = await asked(world, reader, exposure=FULL + 1)
    await lending.deliver(world, terms)
    assert await limit(world, reader, terms) == FULL


@pytest.mark.parametrize("beneficiary", ["consumer", "other"])
async def test_insurance_of_others(world: World, beneficiary: str) -> None:
    reader = await deployed(world)
    to = NATIVE if beneficiary == "consumer" else world.owner.address
    terms = await asked(world, reader, refund_to=to)
    await lending.deliver(world, terms)
    assert await limit(world, reader, terms) == 0


async def test_insurance_in_another_currency(world: World) -> None:
    """A token of the borrower's own making insures nothing."""
    reader, token = await deployed(world), await world.token(100 * ETHER)
    await world.send(token.call("mint", world.operator.address, INSURED))
    await world.send(token.call("approve", world.nodes.address, INSURED), world.operator)
    await world.send(world.nodes.stake(INSURED, token.address), world.operator)
    terms = await asked(world, reader, token=token.address, fee=0)
    await lending.deliver(world, terms)
    assert (await world.hub.gap_of(terms)).insured == INSURED
    assert await limit(world, reader, terms) == 0
    await lending.settle(world, terms)
    assert await limit(world, reader, terms) == FULL


async def test_insurance_needs_a_proof_that_is_due(world: World) -> None:
    reader = await deployed(world)
    terms = await asked(world, reader, window=600)
    await lending.deliver(world, terms)
    assert (await world.hub.gap_of(terms)).insured == INSURED
    assert await limit(world, reader, terms) == 0
    await world.send(world.hub.challenge(*world.result(terms, LOW)), world.stranger)
    assert await limit(world, reader, terms) == INSURED


async def test_unchallenged_is_not_proven(world: World) -> None:
    reader = await deployed(world)
    terms = await asked(world, reader, window=600)
    delivered = await lending.deliver(world, terms)
    await world.send_at(delivered + 601, world.settlement(terms, LOW, seal=b""), world.stranger)
    assert await limit(world, reader, terms) == 0


async def test_a_withdrawn_route(world: World) -> None:
    """It voids the insurance, and nothing that was proven before."""
    reader = await deployed(world)
    insured = await asked(world, reader)
    proven = await asked(world, reader, prove_within=PROVE_WITHIN + 1)
    await lending.deliver(world, insured)
    await lending.fulfil(world, proven)
    await world.send(world.router.tombstone(QUORUM))
    assert [await limit(world, reader, terms) for terms in (insured, proven)] == [0, FULL]


async def test_the_insurance_is_collected(world: World) -> None:
    """Lent on a result that turned out bad: the money is back, with the fee that the borrower risked."""
    reader = await deployed(world)
    terms = await asked(world, reader)
    await lending.deliver(world, terms)
    await draw(world, reader, terms, INSURED)
    await lending.reject(world, terms)
    await refused(
        draw(world, reader, terms, 1), "NotTheAnswer", id=world.id(terms), operator=world.operator.address
    )
    await world.send(reader.call("collect"), world.stranger)
    assert await world.balance(reader.address) == FUNDS + terms.fee
    assert await world.credit(reader) == 0
    assert await reader.read("debtOf", world.rival.address) == INSURED
