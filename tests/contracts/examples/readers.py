"""RiskReader with money and one borrower's file in it, and answers to show it."""

from typing import Any, Final

from tests.contracts.examples import lending
from tests.contracts.examples.lending import ETHER, FEATURES, INPUT, LOW, PROVE_WITHIN
from tests.support.contract import Contract
from tests.support.world import World
from vouch.chain.account import LocalKey
from vouch.chain.transaction import Call, Receipt
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM
from vouch.protocol.request import Request

FULL: Final = 20 * ETHER
INSURED: Final = 3 * ETHER
FUNDS: Final = 30 * ETHER


async def deployed(world: World) -> Contract:
    """With the borrower's file."""
    reader = await lending.deployed(world, "RiskReader")
    await world.send(Call(reader.address, b"", FUNDS))
    await world.send(reader.call("setFile", world.rival.address, FEATURES))
    return reader


async def asked(world: World, reader: Contract, input_: bytes = INPUT, **changes: Any) -> Request:
    """By the borrower itself, on terms that the reader takes unless they are changed."""
    common = {
        "consumer": world.rival.address,
        "refund_to": reader.address,
        "exposure": INSURED,
        "prove_within": PROVE_WITHIN,
        "route": QUORUM,
        "trust": lending.policy(world).trust,
        "input_hash": keccak(input_),
        "salt": int(world.rival.address, 16),
    }
    terms = await world.terms(**common | changes)
    await world.send(world.hub.request(terms, input_), world.rival)
    return terms


async def limit(
    world: World,
    reader: Contract,
    terms: Request,
    output: bytes = LOW,
    *,
    borrower: LocalKey | None = None,
    operator: LocalKey | None = None,
) -> int:
    who, by = (borrower or world.rival).address, (operator or world.operator).address
    return int(await reader.read("limitOf", who, terms.to_abi(), by, output))


async def draw(
    world: World, reader: Contract, terms: Request, amount: int, by: LocalKey | None = None
) -> Receipt:
    call = reader.call("draw", amount, terms.to_abi(), world.operator.address, LOW)
    return await world.send(call, by or world.rival)
