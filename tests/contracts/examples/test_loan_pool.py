# repay
# ├── more than is owed ................ RepaidTooMuch
# └── otherwise ........................ by anybody, in parts
# withdraw
# ├── not by the owner ................. OwnableUnauthorizedAccount
# ├── more than is there ............... InsufficientBalance
# └── otherwise ........................ paid out

from tests.contracts.examples import lending
from tests.contracts.examples.lending import ETHER, PROVE_WITHIN
from tests.support.contract import Contract, member
from tests.support.world import World, refused
from vouch.chain.codec import Event
from vouch.chain.transaction import Call

LOAN = 3 * ETHER
FUNDS = 10 * ETHER
TO = "0x" + "00" * 18 + "4321"


async def lent(world: World) -> Contract:
    """A pool with FUNDS, of which the rival has LOAN."""
    pool = await lending.deployed(world, "InstantLoan", PROVE_WITHIN)
    await world.send(Call(pool.address, b"", FUNDS))
    terms = await lending.ask(world, pool, LOAN)
    await lending.fulfil(world, terms)
    receipt = await world.send(pool.call("draw", world.id(terms)), world.rival)
    logged = Event("InstantLoan", member("InstantLoan", "event", "Lent")).decode(receipt.logs[0])
    assert logged == {"borrower": world.rival.address, "amount": LOAN}
    return pool


async def test_repay(world: World) -> None:
    pool, borrower = await lent(world), world.rival.address
    await refused(
        world.send(pool.call("repay", borrower, value=LOAN + 1)),
        "RepaidTooMuch",
        received=LOAN + 1,
        debt=LOAN,
    )
    for by, amount, rest in ((world.rival, ETHER, LOAN - ETHER), (world.stranger, LOAN - ETHER, 0)):
        receipt = await world.send(pool.call("repay", borrower, value=amount), by)
        logged = Event("InstantLoan", member("InstantLoan", "event", "Repaid")).decode(receipt.logs[0])
        assert logged == {"borrower": borrower, "amount": amount}
        assert await pool.read("debtOf", borrower) == rest
    assert await world.balance(pool.address) == FUNDS
    await refused(world.send(pool.call("repay", borrower, value=1)), "RepaidTooMuch", received=1, debt=0)


async def test_debts_add_up(world: World) -> None:
    pool = await lent(world)
    terms = await lending.ask(world, pool, LOAN)
    await lending.fulfil(world, terms)
    await world.send(pool.call("draw", world.id(terms)), world.rival)
    assert await pool.read("debtOf", world.rival.address) == 2 * LOAN


async def test_withdraw(world: World) -> None:
    pool, left = await lent(world), FUNDS - LOAN
    for by in (world.rival, world.stranger):
        await refused(
            world.send(pool.call("withdraw", 1, TO), by), "OwnableUnauthorizedAccount", account=by.address
        )
    await refused(
        world.send(pool.call("withdraw", left + 1, TO)), "InsufficientBalance", balance=left, needed=left + 1
    )
    await world.send(pool.call("withdraw", left, TO))
    assert (await world.balance(pool.address), await world.balance(TO)) == (0, left)
