# onInference
# ├── not called by the hub ............ NotHub
# ├── Settled .......................... _onSettled
# ├── Delivered ........................ _onProvisional, UnexpectedStatus unless overridden
# ├── Rejected ......................... _onRejected, UnexpectedStatus unless overridden
# ├── Expired .......................... _onExpired, which is _onRejected unless overridden
# └── any other status ................. UnexpectedStatus
# supportsInterface .................... IInferenceConsumer and ERC-165
# _ask ................................. fills in consumer and inputHash, pays a native fee from the balance
# _withdrawCredit ...................... pays out the consumer's credit

from dataclasses import replace
from typing import Any

import pytest
from eth_hash.auto import keccak

from tests.support.contract import Contract, member
from tests.support.world import FEE, INPUT, MODEL, OUTPUT, World, refused
from vouch.chain.codec import Event
from vouch.chain.transaction import Receipt
from vouch.protocol.request import NATIVE
from vouch.protocol.status import Status

ID = keccak(b"id")
SELECTOR = keccak(b"onInference(bytes32,uint256,uint8,bytes)")[:4]


async def called_by_owner(world: World, name: str) -> Contract:
    """A consumer whose hub is an account, which can then call it with any status."""
    args = (MODEL, b"SIGN", 1) if name == "BenchConsumer" else ()
    return await world.create(name, world.owner.address, *args)


def hooks(receipt: Receipt) -> list[dict[str, Any]]:
    """What a HookConsumer says about itself."""
    event = Event("HookConsumer", member("HookConsumer", "event", "Hook"))
    return [event.decode(log) for log in receipt.logs if log.topics[0] == event.topic0]


async def test_only_the_hub(world: World) -> None:
    consumer = await world.create("HookConsumer", world.hub.address)
    call = consumer.call("onInference", ID, 1, Status.SETTLED, OUTPUT)
    for by in (world.owner, world.operator):
        await refused(world.send(call, by), "NotHub", caller=by.address, hub=world.hub.address)
    assert await consumer.read("HUB") == world.hub.address


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.SETTLED, Status.REJECTED, Status.EXPIRED])
async def test_one_hook_per_transition(world: World, status: Status) -> None:
    consumer = await called_by_owner(world, "ExpiryConsumer")
    call = consumer.call("onInference", ID, 7, status, OUTPUT)
    assert await world.try_at(await world.now() + 1, call) == SELECTOR + bytes(28)
    receipt = await world.send(call)
    output = OUTPUT if status in (Status.DELIVERED, Status.SETTLED) else b""
    assert hooks(receipt) == [{"status": status, "id": ID, "salt": 7, "output": output}]


async def test_an_expired_result_is_a_bad_one_unless_told_otherwise(world: World) -> None:
    """There is the same to undo."""
    consumer = await called_by_owner(world, "HookConsumer")
    receipt = await world.send(consumer.call("onInference", ID, 7, Status.EXPIRED, b""))
    assert hooks(receipt) == [{"status": Status.REJECTED, "id": ID, "salt": 7, "output": b""}]


@pytest.mark.parametrize("status", [Status.NONE, Status.REQUESTED, Status.CHALLENGED])
async def test_other_transitions(world: World, status: Status) -> None:
    consumer = await called_by_owner(world, "HookConsumer")
    call = consumer.call("onInference", ID, 7, status, OUTPUT)
    await refused(world.send(call), "UnexpectedStatus", id=ID, status=status)


@pytest.mark.parametrize(
    ("status", "hook"),
    [
        (Status.DELIVERED, Status.DELIVERED),
        (Status.REJECTED, Status.REJECTED),
        (Status.EXPIRED, Status.REJECTED),
    ],
)
async def test_without_a_hook(world: World, status: Status, hook: Status) -> None:
    """A provisional result must never be taken for a final one by a consumer that did not think of it."""
    consumer = await called_by_owner(world, "BenchConsumer")
    word = keccak(b"word")
    await refused(
        world.send(consumer.call("onInference", ID, 7, status, word)),
        "UnexpectedStatus",
        id=ID,
        status=hook,
    )
    assert await consumer.read("results", 7) == bytes(32)
    await world.send(consumer.call("onInference", ID, 7, Status.SETTLED, word))
    assert await consumer.read("results", 7) == word


async def test_supports_interface(world: World) -> None:
    consumer = await world.create("HookConsumer", world.hub.address)
    answers = [
        await consumer.read("supportsInterface", interface)
        for interface in (SELECTOR, bytes.fromhex("01ffc9a7"), b"\xff\xff\xff\xff", bytes(4))
    ]
    assert answers == [True, True, False, False]


async def test_ask_fills_in_the_terms(world: World) -> None:
    consumer = await world.create("HookConsumer", world.hub.address)
    sent = await world.terms(consumer=world.rival.address, input_hash=bytes(32), callback_gas=50_000)
    await world.send(consumer.call("ask", sent.to_abi(), INPUT, value=FEE))
    terms = replace(sent, consumer=consumer.address, input_hash=keccak(INPUT))
    assert await world.hub.status_of(world.id(terms)) == Status.REQUESTED
    receipt = await world.fulfil(terms)
    assert [log.address for log in receipt.logs] == [world.hub.address, consumer.address]


async def test_ask_pays_a_native_fee_from_the_balance(world: World) -> None:
    """Whatever value came along, exactly the fee goes to the hub."""
    consumer = await world.create("HookConsumer", world.hub.address)
    terms = await world.terms()
    await world.send(consumer.call("ask", terms.to_abi(), INPUT, value=FEE + 5))
    assert await world.balance(consumer.address) == 5
    assert await world.balance(world.hub.address) == FEE
    assert await world.credit(consumer) == 0


async def test_ask_pays_an_erc20_fee_from_credit(world: World) -> None:
    consumer = await world.create("HookConsumer", world.hub.address)
    token = (await world.token()).address
    await world.send(world.hub.deposit(FEE + 2, consumer.address, token))
    terms = await world.terms(token=token)
    await world.send(consumer.call("ask", terms.to_abi(), INPUT))
    assert await world.credit(consumer, token) == 2


async def test_withdraw_credit(world: World) -> None:
    consumer = await world.create("HookConsumer", world.hub.address)
    await world.send(world.hub.deposit(10, consumer.address))
    to = "0x" + "00" * 18 + "4321"
    await world.send(consumer.call("withdrawCredit", NATIVE, 4, to))
    assert await world.balance(to) == 4
    await world.send(consumer.call("withdrawCredit", NATIVE, 6, consumer.address))
    assert await world.balance(consumer.address) == 6
    await refused(
        world.send(consumer.call("withdrawCredit", NATIVE, 1, to)),
        "InsufficientCredit",
        token=NATIVE,
        available=0,
        wanted=1,
    )
