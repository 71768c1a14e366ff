"""What the lending examples are tested with: a quorum's proof, which no operator has at once, and a stake.

The roles of `World`: `owner` lends, `rival` borrows, `operator` answers, and `stranger` is the second of the
quorum and sends what anybody may send.
"""

from typing import Any, Final

from eth_abi.abi import encode

from tests.support.contract import Contract
from tests.support.world import FEE, MANIFEST, MODEL, World
from vouch.chain.events import RequestedLog
from vouch.chain.transaction import Call, Receipt
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.request import NATIVE, Request

ETHER: Final = 10**18
MAX_RISK: Final = ETHER // 10
FEATURES: Final = tuple(i * ETHER // 7 - ETHER // 2 for i in range(5))
INPUT: Final = b"".join(encode(["int256"], [f]) for f in FEATURES)
PROVE_WITHIN: Final = 300
STAKE: Final = 30 * ETHER


def word(value: int) -> bytes:
    return value.to_bytes(32, "big", signed=True)


LOW, HIGH = word(MAX_RISK), word(MAX_RISK + 1)
NO_PROBABILITY = (b"", word(0)[:31], word(0) + b"\0", word(-1), word(-(2**255)))


def policy(world: World) -> Policy:
    return Policy.of(2, (world.operator.address, world.stranger.address))


async def deployed(world: World, name: str, *args: Any) -> Contract:
    """The example on the quorum's route, with `args` after the largest risk; the operator has a stake."""
    await world.send(world.models.publish("risk", MANIFEST))
    await world.send(world.nodes.stake(STAKE), world.operator)
    return await world.create(name, world.hub.address, MODEL, QUORUM, policy(world).trust, MAX_RISK, *args)


async def ask(world: World, consumer: Contract, *args: Any, fee: int = FEE) -> Request:
    """The borrower's question; `args` come before features and operator."""
    call = consumer.call("ask", *args, FEATURES, NATIVE, value=fee)
    # In a second of its own: equal questions are told apart by their deadlines.
    (log,) = world.logs(await world.send_at(await world.now() + 1, call, world.rival))
    assert isinstance(log, RequestedLog)
    assert log.input == INPUT
    return log.request


def sealed(world: World, terms: Request, output: bytes) -> bytes:
    """The proof: signed by the operator and by the stranger."""
    claim, (chain, hub) = world.claim(terms, output), (world.deployment.chain_id, world.hub.address)
    seals = [key.sign_claim(claim, chain, hub) for key in (world.operator, world.stranger)]
    return bytes(QuorumSeal.collect(policy(world), claim, chain, hub, seals).seal)


async def deliver(world: World, terms: Request, output: bytes = LOW) -> int:
    """Time of the delivery, unix seconds. The callback must not fail."""
    time = await world.now() + 5
    receipt = await world.send_at(time, world.delivery(terms, output), world.stranger)
    accepted(world, receipt, "DeliveredLog")
    return time


async def settle(world: World, terms: Request, output: bytes = LOW) -> Receipt:
    """Of what was delivered, with the proof. The callback must not fail."""
    return await ended(
        world, world.settlement(terms, output, seal=sealed(world, terms, output)), "SettledLog"
    )


async def fulfil(world: World, terms: Request, output: bytes = LOW) -> Receipt:
    """The proof comes with the answer. The callback must not fail."""
    seal = sealed(world, terms, output)
    return await ended(world, world.hub.fulfil(terms, world.operator.address, output, seal), "SettledLog")


async def reject(world: World, terms: Request, output: bytes = LOW) -> Receipt:
    """One second after the proof was due. The callback must not fail."""
    gap = await world.hub.gap_of(terms)
    receipt = await world.send_at(
        gap.prove_by + 1, world.hub.reject(*world.result(terms, output)), world.stranger
    )
    accepted(world, receipt, "RejectedLog")
    return receipt


async def expire_delivered(world: World, terms: Request, output: bytes = LOW) -> Receipt:
    """On a route that was withdrawn. The callback must not fail."""
    return await ended(world, world.hub.expire_delivered(*world.result(terms, output)), "ExpiredLog")


async def ended(world: World, call: Call, *kinds: str) -> Receipt:
    receipt = await world.send(call, world.stranger)
    accepted(world, receipt, *kinds)
    return receipt


def accepted(world: World, receipt: Receipt, *kinds: str) -> None:
    """The hub logged this and nothing else, so no CallbackFailed."""
    assert [type(log).__name__ for log in world.logs(receipt)] == list(kinds)
