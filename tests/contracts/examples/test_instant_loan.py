# constructor
# ├── trust is zero .................... NoTrust
# ├── model was never published ........ UnknownModel
# └── route is not live ................ UnknownRoute
# ask .................................. exposure is the loan, the pool gets it and the fee, which it holds
# answer
# ├── provisional, at most MAX_RISK .... Insured
# ├── proven, at most MAX_RISK ......... Final, with or without a provisional step; the fee is the operator's
# ├── above, or no probability ......... Refused
# ├── proof is late .................... Called: insurance to the pool, fee to the borrower
# └── route withdrawn .................. Uncovered: fee to the borrower, no insurance
# draw
# ├── not by the borrower .............. NotBorrower
# ├── not granted, called, again ....... NothingToDraw
# ├── insured by a withdrawn route ..... RouteIsTombstoned, but not once it is final
# ├── more than the pool has ........... InsufficientBalance, later if there is more
# └── otherwise ........................ paid out and owed; the borrower's code gains nothing by calling back

from dataclasses import replace

import pytest

from tests.contracts.examples import lending
from tests.contracts.examples.lending import (
    FEATURES,
    HIGH,
    LOW,
    MAX_RISK,
    NO_PROBABILITY,
    PROVE_WITHIN,
)
from tests.contracts.examples.loans import (
    BOND,
    FUNDS,
    LOAN,
    Stage,
    ask,
    cannot_draw,
    debt,
    deployed,
    draw,
    funds_of,
    refund,
    stage,
)
from tests.support.contract import member
from tests.support.world import FEE, MANIFEST, MODEL, OUTPUT, World, refused
from vouch.chain.codec import Event
from vouch.chain.contracts import Stake
from vouch.chain.events import RequestedLog
from vouch.chain.transaction import Call
from vouch.protocol.quorum import QUORUM
from vouch.protocol.request import NATIVE
from vouch.protocol.status import Gate, Status


async def test_what_the_pool_believes_in_must_exist(world: World) -> None:
    trust = lending.policy(world).trust
    args = (world.hub.address, MODEL, QUORUM, trust, MAX_RISK, PROVE_WITHIN)
    await refused(world.create("InstantLoan", *args), "UnknownModel", modelId=MODEL)
    await world.send(world.models.publish("risk", MANIFEST))
    await refused(world.create("InstantLoan", *args[:2], b"NONE", *args[3:]), "UnknownRoute", route=b"NONE")
    await refused(world.create("InstantLoan", *args[:3], bytes(32), *args[4:]), "NoTrust")
    pool = await world.create("InstantLoan", *args)
    names = ("HUB", "MODEL", "ROUTE", "TRUST", "MAX_RISK", "PROVE_WITHIN", "owner")
    assert [await pool.read(name) for name in names] == [*args, world.owner.address]


async def test_terms(world: World) -> None:
    pool = await deployed(world)
    terms = await ask(world, pool)
    assert 0 < terms.deliver_by - await world.now() <= 600
    assert replace(terms, deliver_by=0) == replace(
        await world.terms(),
        consumer=pool.address,
        exposure=LOAN,
        bond=BOND,
        prove_within=PROVE_WITHIN,
        callback_gas=20_000,
        gate=Gate.ON_DELIVERY,
        route=QUORUM,
        trust=lending.policy(world).trust,
        input_hash=terms.input_hash,
        salt=int(world.rival.address, 16),
        deliver_by=0,
    )
    borrower = world.rival.address
    assert await pool.read("loans", world.id(terms)) == (borrower, Stage.ASKED, False, FEE, LOAN)
    assert await pool.read("feesHeld") == FEE
    assert await funds_of(world, pool) == FUNDS


async def test_the_money_is_there_before_the_proof(world: World) -> None:
    pool = await deployed(world)
    terms = await ask(world, pool)
    await lending.deliver(world, terms)
    assert await world.hub.status_of(world.id(terms)) == Status.DELIVERED
    assert await stage(world, pool, terms) == Stage.INSURED
    before = await world.balance(world.rival.address)
    receipt = await draw(world, pool, terms)
    spent = receipt.gas_used * receipt.gas_price
    assert await world.balance(world.rival.address) == before - spent + LOAN
    assert (await debt(world, pool), await funds_of(world, pool)) == (LOAN, FUNDS - LOAN)
    await cannot_draw(world, pool, terms, Stage.INSURED)

    receipt = await lending.settle(world, terms)
    moved = Event("InstantLoan", member("InstantLoan", "event", "Moved")).decode(receipt.logs[-1])
    assert moved == {"id": world.id(terms), "borrower": world.rival.address, "stage": Stage.FINAL}
    await cannot_draw(world, pool, terms, Stage.FINAL)
    assert await pool.read("loans", world.id(terms)) == (world.rival.address, Stage.FINAL, True, 0, LOAN)
    assert (await debt(world, pool), await pool.read("feesHeld")) == (LOAN, 0)
    assert await world.credit(world.operator) == FEE


@pytest.mark.parametrize("provisional", [True, False])
async def test_the_money_can_wait_for_the_proof(world: World, provisional: bool) -> None:
    pool = await deployed(world)
    terms = await ask(world, pool)
    await cannot_draw(world, pool, terms, Stage.ASKED)
    if provisional:
        await lending.deliver(world, terms)
        await lending.settle(world, terms)
    else:
        await lending.fulfil(world, terms)
    assert await stage(world, pool, terms) == Stage.FINAL
    assert await pool.read("feesHeld") == 0
    await draw(world, pool, terms)
    assert await debt(world, pool) == LOAN


@pytest.mark.parametrize("output", [HIGH, *NO_PROBABILITY, LOW + bytes(20_000)])
async def test_no(world: World, output: bytes) -> None:
    pool = await deployed(world)
    asked = [await ask(world, pool), await ask(world, pool)]
    await lending.deliver(world, asked[0], output)
    await cannot_draw(world, pool, asked[0], Stage.REFUSED)
    await lending.settle(world, asked[0], output)
    await lending.fulfil(world, asked[1], output)
    for terms in asked:
        await cannot_draw(world, pool, terms, Stage.REFUSED)
    assert await pool.read("feesHeld") == 0


@pytest.mark.parametrize("drawn", [True, False])
async def test_the_proof_never_comes(world: World, drawn: bool) -> None:
    """The pool is whole although the borrower has the money, and the loan is called."""
    pool = await deployed(world)
    terms = await ask(world, pool)
    await lending.deliver(world, terms)
    if drawn:
        await draw(world, pool, terms)
    await lending.reject(world, terms)
    await cannot_draw(world, pool, terms, Stage.CALLED)
    assert await debt(world, pool) == (LOAN if drawn else 0)

    await world.send(pool.call("collect"), world.stranger)
    assert await funds_of(world, pool) == (FUNDS if drawn else FUNDS + LOAN)
    await refund(world, pool, terms)
    assert await world.credit(world.rival) == FEE
    assert (await world.credit(pool), await pool.read("feesHeld")) == (0, 0)
    assert await world.credit(world.stranger) == BOND  # who called reject
    stake = await world.nodes.stake_of(world.operator.address)
    assert stake == Stake(lending.STAKE - LOAN - BOND, 0, 0, 0)


@pytest.mark.parametrize("drawn", [True, False])
async def test_the_route_is_withdrawn(world: World, drawn: bool) -> None:
    pool = await deployed(world)
    terms = await ask(world, pool)
    await lending.deliver(world, terms)
    if drawn:
        await draw(world, pool, terms)
    await world.send(world.router.tombstone(QUORUM))
    if not drawn:  # although the pool was not told yet
        await refused(draw(world, pool, terms), "RouteIsTombstoned", route=QUORUM)
    await lending.expire_delivered(world, terms)
    await cannot_draw(world, pool, terms, Stage.UNCOVERED)
    await refund(world, pool, terms)
    await world.send(pool.call("collect"))
    assert await funds_of(world, pool) == (FUNDS - LOAN if drawn else FUNDS)
    assert (await world.credit(world.rival), await world.credit(pool)) == (FEE, 0)


async def test_a_proven_loan_needs_no_route(world: World) -> None:
    pool = await deployed(world)
    terms = await ask(world, pool)
    await lending.fulfil(world, terms)
    await world.send(world.router.tombstone(QUORUM))
    await draw(world, pool, terms)
    assert await debt(world, pool) == LOAN


async def test_only_the_borrower_draws(world: World) -> None:
    pool = await deployed(world)
    terms = await ask(world, pool)
    await lending.fulfil(world, terms)
    borrower = world.rival.address
    for by in (world.owner, world.stranger):
        await refused(draw(world, pool, terms, by), "NotBorrower", caller=by.address, borrower=borrower)
    nobodys = pool.call("draw", OUTPUT.ljust(32))
    await refused(world.send(nobodys), "NotBorrower", caller=world.owner.address, borrower=NATIVE)


async def test_more_than_the_pool_has(world: World) -> None:
    pool = await deployed(world)
    terms = await ask(world, pool, FUNDS + 1)
    await lending.fulfil(world, terms)
    await refused(draw(world, pool, terms), "InsufficientBalance", balance=FUNDS, needed=FUNDS + 1)
    await world.send(Call(pool.address, b"", 1))
    await draw(world, pool, terms)
    assert (await debt(world, pool), await funds_of(world, pool)) == (FUNDS + 1, 0)


async def test_the_exposure_must_be_covered(world: World) -> None:
    """A stake too small for the loan insures nothing: only the proof itself settles such an answer."""
    pool = await deployed(world)
    terms = await ask(world, pool, lending.STAKE)
    await refused(
        world.deliver(terms, LOW),
        "UncoveredExposure",
        operator=world.operator.address,
        token=NATIVE,
        free=lending.STAKE,
        wanted=lending.STAKE + lending.STAKE // 50,
    )
    await lending.fulfil(world, terms)
    assert await stage(world, pool, terms) == Stage.FINAL


async def test_borrowers_with_code(world: World) -> None:
    """One that calls back while it is paid is paid once."""
    pool = await deployed(world)
    borrower = await world.create("ReentrantConsumer", pool.address)  # whose hub is the pool
    run = borrower.call("onInference", bytes(32), 0, Status.SETTLED, b"")
    await world.send(borrower.call("setPlan", [pool.call("ask", LOAN, FEATURES, NATIVE).data]))
    (log,) = world.logs(await world.send(run))
    assert isinstance(log, RequestedLog)
    await lending.deliver(world, log.request)
    again = pool.call("draw", log.id).data
    await world.send(borrower.call("setPlan", [again]))
    await world.send(borrower.call("setGreeting", again))
    await world.send(run)
    assert (await borrower.read("outcomes"))[0] == (True,)
    assert await borrower.read("greeted") == 0
    assert (await funds_of(world, pool), await world.balance(borrower.address)) == (FUNDS - LOAN, LOAN)
    assert await pool.read("debtOf", borrower.address) == LOAN
