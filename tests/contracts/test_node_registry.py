# register ......... endpoint empty or over 256 bytes → BadEndpointSize; else registered, or moved
# retire ........... not registered → UnregisteredOperator; else no longer paid, stake stays
# setPrice ......... not registered → UnregisteredOperator; else offered, or changed
# removePrice ...... not offered → PriceNotOffered
# quote ............ not offered → PriceNotOffered; else base + perCallbackGas * callbackGas

from typing import Any

import pytest
from eth_hash.auto import keccak

from tests.support.world import MODEL, World, refused
from vouch.chain.abi import event
from vouch.chain.contracts import Node, Price
from vouch.chain.transaction import Receipt
from vouch.protocol.request import NATIVE


def emitted(receipt: Receipt, name: str) -> dict[str, Any]:
    """Arguments of the registry's event; raises StopIteration if it was not logged."""
    topic = event("NodeRegistry", name).topic0
    return event("NodeRegistry", name).decode(next(log for log in receipt.logs if log.topics[0] == topic))


async def test_register(world: World) -> None:
    rival = world.rival.address
    assert not await world.nodes.is_registered(rival)
    assert await world.nodes.node_of(rival) == Node(0, "")
    time = await world.now() + 5
    receipt = await world.send_at(time, world.nodes.register("http://one"), world.rival)
    assert await world.nodes.is_registered(rival)
    assert await world.nodes.node_of(rival) == Node(time, "http://one")
    assert emitted(receipt, "Registered") == {"operator": rival, "endpoint": "http://one"}

    await world.send_at(time + 9, world.nodes.register("http://two"), world.rival)
    assert await world.nodes.node_of(rival) == Node(time + 9, "http://two")


@pytest.mark.parametrize("size", [0, 257])
async def test_endpoint_size(world: World, size: int) -> None:
    await refused(
        world.send(world.nodes.register("e" * size), world.rival), "BadEndpointSize", size=size, max=256
    )
    await world.send(world.nodes.register("e" * 256), world.rival)
    await world.send(world.nodes.register("e"), world.rival)


async def test_retire(world: World) -> None:
    await refused(
        world.send(world.nodes.retire(), world.rival), "UnregisteredOperator", operator=world.rival.address
    )
    await world.send(world.nodes.stake(9), world.operator)
    receipt = await world.send(world.nodes.retire(), world.operator)
    assert emitted(receipt, "Retired") == {"operator": world.operator.address}
    assert not await world.nodes.is_registered(world.operator.address)
    assert await world.nodes.node_of(world.operator.address) == Node(0, "")
    assert (await world.nodes.stake_of(world.operator.address)).bonded == 9
    await refused(
        world.send(world.nodes.retire(), world.operator),
        "UnregisteredOperator",
        operator=world.operator.address,
    )
    await world.send(world.nodes.unbond(9), world.operator)


async def test_prices(world: World) -> None:
    operator = world.operator.address
    assert await world.nodes.price_of(operator, MODEL) == Price(False, 0, 0)
    receipt = await world.send(world.nodes.set_price(MODEL, 100, 2), world.operator)
    assert emitted(receipt, "PriceSet") == {
        "operator": operator,
        "modelId": MODEL,
        "token": NATIVE,
        "base": 100,
        "perCallbackGas": 2,
    }
    assert await world.nodes.price_of(operator, MODEL) == Price(True, 100, 2)
    assert await world.nodes.quote(operator, MODEL, 50) == 200
    await world.send(world.nodes.set_price(MODEL, 0, 0), world.operator)
    assert await world.nodes.quote(operator, MODEL, 50) == 0

    receipt = await world.send(world.nodes.remove_price(MODEL), world.operator)
    assert emitted(receipt, "PriceRemoved") == {"operator": operator, "modelId": MODEL, "token": NATIVE}
    assert await world.nodes.price_of(operator, MODEL) == Price(False, 0, 0)


async def test_price_not_offered(world: World) -> None:
    await world.send(world.nodes.set_price(MODEL, 1), world.operator)
    token = (await world.token()).address
    other = keccak(b"other")
    for operator, model, currency in (
        (world.rival.address, MODEL, NATIVE),
        (world.operator.address, other, NATIVE),
        (world.operator.address, MODEL, token),
    ):
        await refused(
            world.nodes.quote(operator, model, 0, currency),
            "PriceNotOffered",
            operator=operator,
            modelId=model,
            token=currency,
        )
    await refused(
        world.send(world.nodes.remove_price(MODEL, token), world.operator),
        "PriceNotOffered",
        operator=world.operator.address,
        modelId=MODEL,
        token=token,
    )


async def test_only_operators_set_prices(world: World) -> None:
    await refused(
        world.send(world.nodes.set_price(MODEL, 1), world.rival),
        "UnregisteredOperator",
        operator=world.rival.address,
    )


async def test_register_again_after_retiring(world: World) -> None:
    await world.send(world.nodes.retire(), world.operator)
    await world.send(world.nodes.register("http://back"), world.operator)
    terms = await world.terms()
    await world.ask(terms)
    await world.fulfil(terms)
    assert await world.credit(world.operator) == terms.fee
