"""InstantLoan with money in it, and what one does with its loans."""

from enum import IntEnum
from typing import Final

from tests.contracts.examples import lending
from tests.contracts.examples.lending import ETHER, PROVE_WITHIN
from tests.support.contract import Contract
from tests.support.world import FEE, World, refused
from vouch.chain.account import LocalKey
from vouch.chain.transaction import Call, Receipt
from vouch.protocol.request import Request

LOAN: Final = 3 * ETHER
BOND: Final = LOAN // 50
FUNDS: Final = 10 * ETHER


class Stage(IntEnum):
    NONE = 0
    ASKED = 1
    REFUSED = 2
    INSURED = 3
    FINAL = 4
    CALLED = 5
    UNCOVERED = 6


async def deployed(world: World) -> Contract:
    pool = await lending.deployed(world, "InstantLoan", PROVE_WITHIN)
    await world.send(Call(pool.address, b"", FUNDS))
    return pool


async def ask(world: World, pool: Contract, amount: int = LOAN, fee: int = FEE) -> Request:
    return await lending.ask(world, pool, amount, fee=fee)


async def stage(world: World, pool: Contract, terms: Request) -> Stage:
    return Stage((await pool.read("loans", world.id(terms)))[1])


async def draw(world: World, pool: Contract, terms: Request, by: LocalKey | None = None) -> Receipt:
    return await world.send(pool.call("draw", world.id(terms)), by or world.rival)


async def refund(world: World, pool: Contract, terms: Request) -> Receipt:
    return await world.send(pool.call("refund", world.id(terms)), world.stranger)


async def cannot_draw(world: World, pool: Contract, terms: Request, now: Stage) -> None:
    await refused(draw(world, pool, terms), "NothingToDraw", id=world.id(terms), stage=now)


async def funds_of(world: World, pool: Contract) -> int:
    return await world.balance(pool.address)


async def debt(world: World, pool: Contract) -> int:
    return int(await pool.read("debtOf", world.rival.address))
