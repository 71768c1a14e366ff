# setOperator
# └── not by the registry ................ NotRegistry
# the bit that says "operator" shares a word with the native credit
# ├── it is never money
# └── money never touches it

from dataclasses import replace

from tests.support.contract import codec
from tests.support.world import World, refused
from vouch.chain.transaction import Call
from vouch.protocol.request import NATIVE

OPERATOR_BIT = 1 << 255


async def test_an_operators_mark_is_no_money(world: World) -> None:
    await world.send(world.hub.deposit(5, world.operator.address))
    assert await world.credit(world.operator) == 5
    for wanted in (6, OPERATOR_BIT, OPERATOR_BIT + 5):
        for call in (
            world.hub.withdraw(wanted, world.rival.address),
            world.hub.transfer_credit(wanted, world.rival.address),
        ):
            await refused(
                world.send(call, world.operator),
                "InsufficientCredit",
                token=NATIVE,
                available=5,
                wanted=wanted,
            )


async def test_money_does_not_touch_an_operators_mark(world: World) -> None:
    """Down to nothing and up again, it still answers; once retired, no credit makes it an operator."""
    await world.send(world.hub.deposit(5, world.operator.address))
    await world.send(world.hub.transfer_credit(2, world.operator.address), world.operator)
    await world.send(world.hub.withdraw(5, world.rival.address), world.operator)
    terms = await world.terms()
    await world.ask(terms)
    await world.fulfil(terms)
    await world.send(world.nodes.retire(), world.operator)
    assert await world.credit(world.operator) == terms.fee
    await world.send(world.hub.deposit(5, world.operator.address))
    later = replace(terms, salt=2)
    await world.ask(later)
    await refused(world.fulfil(later), "UnregisteredOperator", operator=world.operator.address)


async def test_only_the_registry_names_operators(world: World) -> None:
    data = codec("InferenceHub", "setOperator").encode([world.owner.address, True])
    for by in (world.owner, world.operator):
        await refused(
            world.send(Call(world.hub.address, data), by),
            "NotRegistry",
            caller=by.address,
            registry=world.nodes.address,
        )
