# estimate
# ├── what request refuses ...................... MalformedTerms, DeadlineInPast, DeadlineTooFar,
# │                                               GapTooLong, CallbackGasTooHigh
# ├── route was never added ..................... UnknownRoute
# ├── route was withdrawn ....................... RouteIsTombstoned
# ├── model was never published ................. UnknownModel
# ├── no operator is named ...................... zero
# ├── the named operator is not registered ...... UnregisteredOperator
# ├── it does not offer the model in this token . PriceNotOffered
# └── it does ................................... base + perCallbackGas * callbackGas for each callback:
#                                                 two, if the consumer hears of the delivery, too

from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.test_inference_hub_request import (
    MAX_CALLBACK_GAS,
    MAX_PATIENCE,
    NARROW,
    with_bit,
)
from tests.support.contract import Contract
from tests.support.world import MANIFEST, MODEL, World, refused
from vouch.chain.hexes import to_bytes
from vouch.protocol.request import NATIVE
from vouch.protocol.status import Gate


def view(world: World) -> Contract:
    return Contract(world.rpc, "InferenceHub", world.hub.address)


async def test_refuses_what_request_refuses(world: World) -> None:
    await world.send(world.models.publish("m", MANIFEST))
    now = await world.now() + 10
    terms = await world.terms(deliver_by=now + MAX_PATIENCE)
    call = view(world).call("estimate", terms.to_abi())
    assert await world.try_at(now, call) == bytes(32)
    for word, bits in NARROW.values():
        await refused(world.try_at(now, with_bit(call, word, bits[0])), "MalformedTerms")
    await refused(
        world.try_at(now - 1, call),
        "DeadlineTooFar",
        deliverBy=now + MAX_PATIENCE,
        max=now - 1 + MAX_PATIENCE,
    )
    past = view(world).call("estimate", replace(terms, deliver_by=now).to_abi())
    await refused(world.try_at(now, past), "DeadlineInPast", deliverBy=now, now_=now)
    for long in (replace(terms, window=MAX_PATIENCE + 1), replace(terms, prove_within=MAX_PATIENCE + 1)):
        endless = view(world).call("estimate", long.to_abi())
        attempt = world.try_at(now, endless)
        await refused(attempt, "GapTooLong", received=MAX_PATIENCE + 1, max=MAX_PATIENCE)
    greedy = replace(terms, callback_gas=MAX_CALLBACK_GAS + 1, deliver_by=now + 1)
    await refused(
        world.hub.estimate(greedy), "CallbackGasTooHigh", received=MAX_CALLBACK_GAS + 1, max=MAX_CALLBACK_GAS
    )


async def test_route(world: World) -> None:
    await world.send(world.models.publish("m", MANIFEST))
    await refused(world.hub.estimate(await world.terms(route=b"NONE")), "UnknownRoute", route=b"NONE")
    assert await world.hub.estimate(await world.terms()) == 0
    await world.send(world.router.tombstone(b"SIGN"))
    await refused(world.hub.estimate(await world.terms()), "RouteIsTombstoned", route=b"SIGN")


async def test_model(world: World) -> None:
    await refused(world.hub.estimate(await world.terms()), "UnknownModel", modelId=MODEL)
    await world.send(world.models.publish("m", MANIFEST))
    assert await world.hub.estimate(await world.terms()) == 0


async def test_named_operator(world: World) -> None:
    await world.send(world.models.publish("m", MANIFEST))
    operator = world.operator.address
    terms = await world.terms(operator=operator, callback_gas=1000)
    await refused(
        world.hub.estimate(terms), "PriceNotOffered", operator=operator, modelId=MODEL, token=NATIVE
    )
    await world.send(world.nodes.set_price(MODEL, 500, 3), world.operator)
    assert await world.hub.estimate(terms) == 500 + 3 * 1000
    token = await world.token()
    await refused(
        world.hub.estimate(replace(terms, token=token.address)),
        "PriceNotOffered",
        operator=operator,
        modelId=MODEL,
        token=token.address,
    )
    await refused(
        world.hub.estimate(replace(terms, operator=world.rival.address)),
        "UnregisteredOperator",
        operator=world.rival.address,
    )
    await world.send(world.nodes.retire(), world.operator)
    await refused(world.hub.estimate(terms), "UnregisteredOperator", operator=operator)


@pytest.mark.parametrize(
    ("gate", "gap", "callbacks"),
    [
        (Gate.ON_SETTLEMENT, {}, 1),
        (Gate.ON_SETTLEMENT, {"window": 1, "prove_within": 1}, 1),
        (Gate.ON_DELIVERY, {}, 1),
        (Gate.ON_DELIVERY, {"window": 1}, 2),
        (Gate.ON_DELIVERY, {"prove_within": 1}, 2),
    ],
)
async def test_every_callback_is_paid_for(
    world: World, gate: Gate, gap: dict[str, Any], callbacks: int
) -> None:
    await world.send(world.models.publish("m", MANIFEST))
    await world.send(world.nodes.set_price(MODEL, 500, 3), world.operator)
    terms = await world.terms(operator=world.operator.address, callback_gas=1000, gate=gate, **gap)
    assert await world.hub.estimate(terms) == 500 + 3 * 1000 * callbacks
    assert terms.callbacks == callbacks


async def test_largest_price_does_not_overflow(world: World) -> None:
    await world.send(world.models.publish("m", MANIFEST))
    await world.send(world.nodes.set_price(MODEL, 2**96 - 1, 2**64 - 1), world.operator)
    terms = await world.terms(operator=world.operator.address, callback_gas=MAX_CALLBACK_GAS)
    assert await world.hub.estimate(terms) == 2**96 - 1 + (2**64 - 1) * MAX_CALLBACK_GAS


async def test_needs_no_money(world: World) -> None:
    """Asked by somebody else than the consumer, and without the fee: it is a question, not an order."""
    await world.send(world.models.publish("m", MANIFEST))
    terms = await world.terms(fee=2**255)
    call = view(world).call("estimate", terms.to_abi())
    asked = await world.rpc.call("eth_call", call.to_rpc(world.stranger.address), "latest")
    assert to_bytes(asked) == bytes(32)
