# what comes back to the pool
# ├── the operator contradicts itself
# │   ├── about what it delivered ...... as if the proof were late, at once
# │   └── before it delivers ........... a part of its stake, beside the loan
# ├── nobody answers ................... the fee, which is the borrower's
# └── collect .......................... all of the pool's credit but the fees held
# ask with more than 2**80 wei ......... SafeCastOverflowedUintDowncast
# refund
# ├── the operator earned the fee, or can NothingToRefund
# ├── no fee, a second time, no loan ... NothingToRefund
# └── otherwise ........................ borrower's credit
from tests.contracts.examples import lending
from tests.contracts.examples.lending import FEATURES, HIGH, LOW
from tests.contracts.examples.loans import (
    FUNDS,
    LOAN,
    Stage,
    ask,
    cannot_draw,
    deployed,
    draw,
    funds_of,
    refund,
    stage,
)
from tests.support.world import FEE, World, refused
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.status import Status


async def test_the_operator_contradicts_itself(world: World) -> None:
    pool = await deployed(world)
    terms = await ask(world, pool)
    await lending.deliver(world, terms)
    await draw(world, pool, terms)
    pair = world.signed(terms, LOW), world.signed(terms, HIGH)
    report = world.hub.report_equivocation(terms, world.operator.address, *pair)
    await lending.ended(world, report, "RejectedLog", "EquivocatedLog")
    assert await stage(world, pool, terms) == Stage.CALLED
    await world.send(pool.call("collect"))
    assert await funds_of(world, pool) == FUNDS


async def test_the_operator_contradicts_itself_before_it_delivers(world: World) -> None:
    """The question goes on; what the operator loses to the pool does not stay in the hub."""
    pool = await deployed(world)
    terms = await ask(world, pool)
    pair = world.signed(terms, LOW), world.signed(terms, HIGH)
    await lending.ended(
        world, world.hub.report_equivocation(terms, world.operator.address, *pair), "EquivocatedLog"
    )
    assert await stage(world, pool, terms) == Stage.ASKED
    await lending.fulfil(world, terms)
    await world.send(pool.call("collect"))
    assert await funds_of(world, pool) == FUNDS + LOAN


async def test_nobody_answers(world: World) -> None:
    pool = await deployed(world)
    terms = await ask(world, pool)
    await world.send_at(terms.deliver_by + 1, world.hub.expire(terms), world.stranger)
    await cannot_draw(world, pool, terms, Stage.ASKED)
    await world.send(pool.call("collect"))
    assert await funds_of(world, pool) == FUNDS  # the fee is not the lender's
    await refund(world, pool, terms)
    assert (await world.credit(world.rival), await world.credit(pool)) == (FEE, 0)


async def test_nothing_to_refund(world: World) -> None:
    pool = await deployed(world)

    async def nothing(terms: Request, status: Status) -> None:
        await refused(refund(world, pool, terms), "NothingToRefund", id=world.id(terms), status=status)

    await nothing(await world.terms(), Status.NONE)
    terms = await ask(world, pool)
    await nothing(terms, Status.REQUESTED)
    await lending.deliver(world, terms)
    await nothing(terms, Status.DELIVERED)
    await lending.settle(world, terms)
    await nothing(terms, Status.SETTLED)
    for fee in (FEE, 0):
        terms = await ask(world, pool, fee=fee)
        await lending.deliver(world, terms)
        await lending.reject(world, terms)
        if fee:
            await refund(world, pool, terms)
        await nothing(terms, Status.REJECTED)


async def test_fees_of_others_stay_in_the_hub(world: World) -> None:
    pool = await deployed(world)
    lost, unanswered, still_open = [await ask(world, pool, fee=fee) for fee in (FEE, 2 * FEE, 4 * FEE)]
    await world.send(pool.call("collect"))  # nothing yet, and no error
    await lending.deliver(world, lost)
    await lending.reject(world, lost)
    await world.send_at(unanswered.deliver_by + 1, world.hub.expire(unanswered), world.stranger)
    await world.send(pool.call("collect"))
    assert await funds_of(world, pool) == FUNDS + LOAN - 4 * FEE  # until the open question ends
    for terms in (lost, unanswered):
        await refund(world, pool, terms)
    assert await world.credit(world.rival) == 3 * FEE
    await world.send_at(still_open.deliver_by + 1, world.hub.expire(still_open), world.stranger)
    await refund(world, pool, still_open)
    await world.send(pool.call("collect"))
    assert (await funds_of(world, pool), await world.credit(pool)) == (FUNDS + LOAN, 0)
    assert await world.credit(world.rival) == 7 * FEE


async def test_a_fee_beyond_all_reason(world: World) -> None:
    """It would be kept with its upper bits cut off."""
    pool = await deployed(world)
    await world.rpc.call("anvil_setBalance", world.rival.address, hex(2**81))
    call = pool.call("ask", LOAN, FEATURES, NATIVE, value=2**80)
    await refused(world.send(call, world.rival), "SafeCastOverflowedUintDowncast", bits=80, value=2**80)
