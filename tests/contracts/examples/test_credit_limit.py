# constructor
# ├── trust is zero .................... NoTrust
# ├── no time to prove ................. NoTimeToProve
# ├── model was never published ........ UnknownModel
# └── route is not live ................ UnknownRoute
# ask .................................. no exposure, a window; refunds are the borrower's
# answer
# ├── delivered, challenged ............ changes nothing
# ├── rejected, route withdrawn ........ changes nothing; fee back to the borrower
# ├── unchallenged, at most MAX_RISK ... UNCHALLENGED_LIMIT
# ├── proven, at most MAX_RISK ......... PROVEN_LIMIT: challenged, not challenged, or at once
# └── above, or no probability ......... none, whatever was before

from dataclasses import replace

import pytest

from tests.contracts.examples import lending
from tests.contracts.examples.lending import ETHER, HIGH, LOW, MAX_RISK, NO_PROBABILITY, PROVE_WITHIN
from tests.support.contract import Contract, member
from tests.support.world import FEE, MANIFEST, MODEL, World, refused
from vouch.chain.codec import Event
from vouch.chain.transaction import Receipt
from vouch.protocol.quorum import QUORUM
from vouch.protocol.request import Request
from vouch.protocol.status import Gate, Status

WINDOW = 600
BOND = ETHER // 20
UNCHALLENGED, PROVEN = ETHER, 20 * ETHER


async def deployed(world: World) -> Contract:
    return await lending.deployed(world, "CreditLimit", WINDOW, PROVE_WITHIN)


async def limit(world: World, limits: Contract) -> int:
    return int(await limits.read("limitOf", world.rival.address))


async def challenge(world: World, terms: Request, output: bytes = LOW) -> None:
    """By the borrower, who wants the large limit."""
    await world.send(world.hub.challenge(*world.result(terms, output)), world.rival)


async def settle_unchallenged(world: World, terms: Request, output: bytes = LOW) -> Receipt:
    gap = await world.hub.gap_of(terms)
    receipt = await world.send_at(
        gap.challenge_by + 1, world.settlement(terms, output, seal=b""), world.stranger
    )
    lending.accepted(world, receipt, "SettledLog", "UnchallengedLog")
    return receipt


async def test_what_is_believed_in_must_exist(world: World) -> None:
    trust = lending.policy(world).trust
    args = (world.hub.address, MODEL, QUORUM, trust, MAX_RISK, WINDOW, PROVE_WITHIN)
    await refused(world.create("CreditLimit", *args), "UnknownModel", modelId=MODEL)
    await world.send(world.models.publish("risk", MANIFEST))
    await refused(world.create("CreditLimit", *args[:2], b"NONE", *args[3:]), "UnknownRoute", route=b"NONE")
    await refused(world.create("CreditLimit", *args[:3], bytes(32), *args[4:]), "NoTrust")
    await refused(world.create("CreditLimit", *args[:6], 0), "NoTimeToProve")
    limits = await world.create("CreditLimit", *args)
    names = ("HUB", "MODEL", "ROUTE", "TRUST", "MAX_RISK", "WINDOW", "PROVE_WITHIN")
    assert [await limits.read(name) for name in names] == list(args)


async def test_terms(world: World) -> None:
    limits = await deployed(world)
    terms = await lending.ask(world, limits)
    assert 0 < terms.deliver_by - await world.now() <= 600
    assert replace(terms, deliver_by=0) == replace(
        await world.terms(),
        consumer=limits.address,
        refund_to=world.rival.address,
        bond=BOND,
        window=WINDOW,
        prove_within=PROVE_WITHIN,
        callback_gas=35_000,
        gate=Gate.ON_SETTLEMENT,
        route=QUORUM,
        trust=lending.policy(world).trust,
        input_hash=terms.input_hash,
        salt=int(world.rival.address, 16),
        deliver_by=0,
    )


async def test_silence_is_good_for_a_small_limit(world: World) -> None:
    limits = await deployed(world)
    terms = await lending.ask(world, limits)
    await lending.deliver(world, terms)
    assert await limit(world, limits) == 0
    receipt = await settle_unchallenged(world, terms)
    assert await limit(world, limits) == UNCHALLENGED
    logged = Event("CreditLimit", member("CreditLimit", "event", "LimitSet")).decode(receipt.logs[-1])
    assert logged == {
        "borrower": world.rival.address,
        "id": world.id(terms),
        "limit": UNCHALLENGED,
        "proven": False,
    }
    assert not (await world.hub.assurance_of(world.id(terms))).proven


async def test_a_challenge_buys_the_proof(world: World) -> None:
    """The operator was right, so it earns the bond beside the fee."""
    limits = await deployed(world)
    terms = await lending.ask(world, limits)
    await lending.deliver(world, terms)
    await challenge(world, terms)
    assert await limit(world, limits) == 0
    receipt = await lending.settle(world, terms)
    assert await limit(world, limits) == PROVEN
    logged = Event("CreditLimit", member("CreditLimit", "event", "LimitSet")).decode(receipt.logs[-1])
    assert (logged["limit"], logged["proven"]) == (PROVEN, True)
    assert await world.credit(world.operator) == FEE + BOND


@pytest.mark.parametrize("provisional", [True, False])
async def test_a_proof_that_nobody_asked_for(world: World, provisional: bool) -> None:
    limits = await deployed(world)
    terms = await lending.ask(world, limits)
    if provisional:
        await lending.deliver(world, terms)
        await lending.settle(world, terms)
    else:
        await lending.fulfil(world, terms)
    assert await limit(world, limits) == PROVEN


@pytest.mark.parametrize("output", [HIGH, *NO_PROBABILITY, LOW + bytes(20_000)])
@pytest.mark.parametrize("proven", [True, False])
async def test_no_limit(world: World, output: bytes, proven: bool) -> None:
    limits = await deployed(world)
    await lending.fulfil(world, await lending.ask(world, limits))
    terms = await lending.ask(world, limits)
    if proven:
        await lending.fulfil(world, terms, output)
    else:
        await lending.deliver(world, terms, output)
        await settle_unchallenged(world, terms, output)
    assert await limit(world, limits) == 0


async def test_a_bad_result_is_never_heard_of(world: World) -> None:
    limits = await deployed(world)
    terms = await lending.ask(world, limits)
    await lending.deliver(world, terms)
    await challenge(world, terms)
    receipt = await lending.reject(world, terms)
    assert limits.address not in [log.address for log in receipt.logs]
    assert await limit(world, limits) == 0
    assert await world.credit(world.rival) == FEE + 2 * BOND


async def test_a_withdrawn_route_changes_nothing(world: World) -> None:
    limits = await deployed(world)
    terms = await lending.ask(world, limits)
    await lending.deliver(world, terms)
    await world.send(world.router.tombstone(QUORUM))
    await lending.expire_delivered(world, terms)
    assert await limit(world, limits) == 0
    assert await world.credit(world.rival) == FEE


async def test_nobody_answers(world: World) -> None:
    limits = await deployed(world)
    terms = await lending.ask(world, limits)
    await world.send_at(terms.deliver_by + 1, world.hub.expire(terms), world.stranger)
    assert await world.hub.status_of(world.id(terms)) == Status.EXPIRED
    assert await world.credit(world.rival) == FEE


async def test_everybody_has_an_own_limit(world: World) -> None:
    limits = await deployed(world)
    await lending.fulfil(world, await lending.ask(world, limits))
    for other in (world.owner, world.stranger):
        assert await limits.read("limitOf", other.address) == 0
