# gas of the callback
# ├── accepted .......... exactly what the terms name, whatever the transaction carries
# ├── retried ........... exactly the larger of the terms' and the caller's
# └── for every gas limit of the transaction: all of it fails, or the consumer got exactly its gas
#     ├── also when the consumer burns everything: the failure is still recorded
#     └── InsufficientGas says how much was there and how much it takes

from dataclasses import dataclass

import pytest

from tests.support.contract import Contract
from tests.support.world import OUTPUT, World, refused
from vouch.chain.errors import RpcError
from vouch.chain.reverts import Reverted, reverted
from vouch.chain.transaction import MAX_TX_GAS, Call
from vouch.protocol.request import Request
from vouch.protocol.status import Status

RESERVE = 12_000


async def recorder(world: World, gas: int, salt: int = 1) -> tuple[Request, Contract]:
    consumer = await world.create("GasRecorder", world.hub.address)
    terms = await world.terms(consumer=consumer.address, callback_gas=gas, salt=salt)
    await world.ask(terms, consumer)
    return terms, consumer


async def overhead(world: World) -> int:
    """Gas the recorder uses up before it looks, found by calling it with a known amount."""
    consumer = await world.create("GasRecorder", world.owner.address)
    call = Call(consumer.address, b"\x01\x02\x03\x04" + bytes(28))
    limit = 100_000
    await world.send(call, gas=limit)
    intrinsic = 21_000 + 4 * 16 + 28 * 4
    return limit - intrinsic - int(await consumer.read("seen"))


@pytest.mark.parametrize("gas", [30_000, 100_000, 5_000_000, 12_000_000])
async def test_exactly_what_the_terms_name(world: World, gas: int) -> None:
    terms, consumer = await recorder(world, gas)
    await world.fulfil(terms, gas=MAX_TX_GAS)
    assert await consumer.read("seen") == gas - await overhead(world)


@pytest.mark.parametrize(("asked", "retried", "given"), [(500, 60_000, 60_000), (500, 400_000, 400_000)])
async def test_retry_with_more(world: World, asked: int, retried: int, given: int) -> None:
    terms, consumer = await recorder(world, asked)
    await world.fulfil(terms)
    assert (await world.hub.assurance_of(world.id(terms))).callback_failed
    await world.send(world.hub.retry_callback(terms, world.operator.address, OUTPUT, retried))
    assert await consumer.read("seen") == given - await overhead(world)


async def test_retry_with_less_gets_what_the_terms_name(world: World) -> None:
    """Else anybody could make a retry of somebody else's callback fail in its middle."""
    consumer = await world.create("HostileConsumer", world.hub.address)
    await world.send(consumer.call("setMode", 1))
    terms = await world.terms(consumer=consumer.address, callback_gas=400_000)
    await world.ask(terms, consumer)
    await world.fulfil(terms)
    await world.send(consumer.call("setMode", 0))
    await world.send(world.hub.retry_callback(terms, world.operator.address, OUTPUT, 1))
    assert await consumer.read("calls") == 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transaction with one gas limit did; `seen` is zero unless the consumer was called."""

    status: Status
    callback_failed: bool
    seen: int


async def outcome(world: World, call: Call, terms: Request, consumer: Contract, gas: int) -> Outcome:
    """Sends the call with this gas limit and takes it back again."""
    snapshot = await world.rpc.call("evm_snapshot")
    receipt = await world.rpc.call("eth_sendTransactionSync", call.to_rpc(world.stranger.address, gas))
    assert int(receipt["gasUsed"], 16) <= gas
    assurance = await world.hub.assurance_of(world.id(terms))
    seen = int(await consumer.read("seen")) if consumer.name == "GasRecorder" else 0
    assert await world.rpc.call("evm_revert", snapshot)
    return Outcome(assurance.status, assurance.callback_failed, seen)


async def least(world: World, call: Call, low: int, high: int) -> int:
    """The least gas limit with which the call succeeds, by bisection."""
    while low + 1 < high:
        middle = (low + high) // 2
        tx = call.to_rpc(world.stranger.address, middle)
        try:
            await world.rpc.call("eth_call", tx, "latest")
        except RpcError as refused:
            # Anything else than "too little gas" would send the bisection astray.
            if reverted(refused) is None and "gas" not in refused.message.lower():
                raise
            low = middle
        else:
            high = middle
    return high


@pytest.mark.parametrize("gas", [30_000, 1_000_000, 8_000_000])
async def test_never_starved(world: World, gas: int) -> None:
    terms, consumer = await recorder(world, gas)
    call = world.fulfilment(terms)
    limit = await least(world, call, 30_000, MAX_TX_GAS)
    exact = gas - await overhead(world)
    step = max(gas // 40, 331)
    around = [
        limit + offset for offset in (-13_000, -5_000, -1_000, -100, -2, -1, 0, 1, 2, 100, 1_000, 20_000)
    ]
    below, above = range(limit - 8 * step, limit, step), range(limit, min(limit + 8 * step, MAX_TX_GAS), step)
    for tried in sorted({*around, *below, *above}):
        if tried < 60_000:
            continue  # less than the transaction's own calldata costs: no node accepts it
        result = await outcome(world, call, terms, consumer, tried)
        if tried < limit:
            assert result == Outcome(Status.REQUESTED, False, 0), tried
        else:
            assert result == Outcome(Status.SETTLED, False, exact), tried


@pytest.mark.parametrize("mode", [4, 2])  # burns all its gas; reverts with more than is copied
@pytest.mark.parametrize("gas", [30_000, 5_000_000])
async def test_a_failure_is_always_recorded(world: World, mode: int, gas: int) -> None:
    """The reserve pays for the bookkeeping even when the consumer leaves nothing."""
    consumer = await world.create("HostileConsumer", world.hub.address)
    await world.send(consumer.call("setMode", mode))
    terms = await world.terms(consumer=consumer.address, callback_gas=gas)
    await world.ask(terms, consumer)
    call = world.fulfilment(terms)
    limit = await least(world, call, 30_000, MAX_TX_GAS)
    for tried in (limit, limit + 1, limit + 500, limit + 5_000):
        assert await outcome(world, call, terms, consumer, tried) == Outcome(Status.SETTLED, True, 0), tried
    for tried in (limit - 1, limit - 500, limit - 5_000):
        assert await outcome(world, call, terms, consumer, tried) == Outcome(Status.REQUESTED, False, 0), (
            tried
        )


async def test_insufficient_gas_says_how_much(world: World) -> None:
    gas = 1_000_000
    terms, _ = await recorder(world, gas)
    call = world.fulfilment(terms)
    limit = await least(world, call, 30_000, MAX_TX_GAS)
    required = gas + gas // 63 + RESERVE
    with pytest.raises(Reverted) as caught:
        await world.send(call, world.stranger, limit - 1)
    assert caught.value.error.name == "InsufficientGas"
    assert caught.value.error.args == {"available": required - 1, "required": required}


async def test_insufficient_gas_in_a_retry(world: World) -> None:
    terms, consumer = await recorder(world, 500)
    await world.fulfil(terms)
    call = world.hub.retry_callback(terms, world.operator.address, OUTPUT, 1_000_000)
    limit = await least(world, call, 30_000, MAX_TX_GAS)
    required = 1_000_000 + 1_000_000 // 63 + RESERVE
    await refused(
        world.send(call, world.stranger, limit - 1),
        "InsufficientGas",
        available=required - 1,
        required=required,
    )
    assert await consumer.read("seen") == 0
    await world.send(call, world.stranger, limit)
    assert await consumer.read("seen") == 1_000_000 - await overhead(world)


async def test_in_a_batch_nobody_is_starved(world: World) -> None:
    """Gas for the first callback but not for the second: the whole batch waits for a better transaction."""
    pairs = [await recorder(world, 300_000, salt) for salt in (1, 2)]
    call = world.hub.fulfil_many([world.answer(terms) for terms, _ in pairs])
    limit = await least(world, call, 30_000, MAX_TX_GAS)
    for tried in (limit - 250_000, limit - 1):
        for terms, consumer in pairs:
            assert await outcome(world, call, terms, consumer, tried) == Outcome(Status.REQUESTED, False, 0)
    exact = 300_000 - await overhead(world)
    for terms, consumer in pairs:
        assert await outcome(world, call, terms, consumer, limit) == Outcome(Status.SETTLED, False, exact)
