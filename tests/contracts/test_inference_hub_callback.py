# callback of fulfil
# ├── callbackGas is zero .............. none
# ├── the transaction carries too little InsufficientGas, nothing settles
# ├── accepted ......................... exactly callbackGas, with id, salt, status, output
# └── failed ........................... paid, recorded, at most 256 bytes of reason logged
#     (reverts, burns all gas, returns too much, too little or something else, has no code)
# retryCallback
# ├── nothing has failed ............... NothingToRetry
# ├── another output or operator ....... WrongAnswer
# ├── more than MAX_CALLBACK_GAS ....... CallbackGasTooHigh
# ├── fails again ...................... CallbackReverted, can be retried
# └── accepted ......................... recorded, with the terms' gas at least, sent by anybody

import itertools
from dataclasses import replace

import pytest
from eth_abi.abi import encode

from tests.support.contract import Contract
from tests.support.world import FEE, OUTPUT, World, refused
from vouch.chain.account import LocalKey
from vouch.chain.events import CallbackFailedLog, CallbackRetriedLog, SettledLog
from vouch.chain.sender import TxSender
from vouch.chain.transaction import Receipt
from vouch.protocol.keccak import keccak
from vouch.protocol.request import Request
from vouch.protocol.status import Status

ACCEPT, REVERT_NAMED, REVERT_LONG, REVERT_EMPTY, BURN = 0, 1, 2, 3, 4
RETURN_MEGABYTE, REVERT_MEGABYTE, WRONG_SELECTOR, RETURN_SHORT, RETURN_NOTHING = 5, 6, 7, 8, 9

SELECTOR = keccak(b"onInference(bytes32,uint256,uint8,bytes)")[:4]
UNWILLING = keccak(b"Unwilling(uint256)")[:4] + (1).to_bytes(32, "big")
LONG = b"".join((2**256 - 1 - i).to_bytes(32, "big") for i in range(8))

REASONS = {
    REVERT_NAMED: UNWILLING,
    REVERT_LONG: LONG,
    REVERT_EMPTY: b"",
    BURN: b"",
    REVERT_MEGABYTE: SELECTOR + bytes(252),
    WRONG_SELECTOR: b"\xde\xad\xbe\xef" + bytes(28),
    RETURN_SHORT: SELECTOR + bytes(27),
    RETURN_NOTHING: b"",
}


async def asked(world: World, mode: int = ACCEPT, *, gas: int = 400_000) -> tuple[Request, Contract]:
    consumer = await world.create("HostileConsumer", world.hub.address)
    await world.send(consumer.call("setMode", mode))
    terms = await world.terms(consumer=consumer.address, callback_gas=gas)
    await world.ask(terms, consumer)
    return terms, consumer


def failure(world: World, receipt: Receipt) -> CallbackFailedLog:
    settled, failed = world.logs(receipt)
    assert isinstance(settled, SettledLog)
    assert isinstance(failed, CallbackFailedLog)
    return failed


async def test_accepted(world: World) -> None:
    output = bytes(range(1, 78))
    terms, consumer = await asked(world)
    receipt = await world.fulfil(terms, output)
    assert [type(log) for log in world.logs(receipt)] == [SettledLog]
    assert await consumer.read("calls") == 1
    seen = [await consumer.read(name) for name in ("lastId", "lastSalt", "lastStatus", "lastOutput")]
    assert seen == [world.id(terms), terms.salt, Status.SETTLED, output]
    assert not (await world.hub.assurance_of(world.id(terms))).callback_failed


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 64, 97, 110, 127, 128, 130, 159, 161, 170])
async def test_calldata_is_encoded_as_solc_would(world: World, size: int) -> None:
    """Also where the output's padding lies on memory that held the seal before."""
    output = bytes(i % 255 + 1 for i in range(size))
    terms, consumer = await asked(world)
    await world.fulfil(terms, output)
    assert await consumer.read("lastOutput") == output
    expected = encode(
        ["bytes32", "uint256", "uint8", "bytes"], [world.id(terms), terms.salt, Status.SETTLED, output]
    )
    assert await consumer.read("lastCall") == keccak(SELECTOR + expected)


async def test_no_callback(world: World) -> None:
    terms, consumer = await asked(world, BURN, gas=0)
    receipt = await world.fulfil(terms)
    assert [type(log) for log in world.logs(receipt)] == [SettledLog]
    assert not (await world.hub.assurance_of(world.id(terms))).callback_failed
    assert await consumer.read("calls") == 0


@pytest.mark.parametrize("mode", REASONS)
async def test_failed(world: World, mode: int) -> None:
    terms, consumer = await asked(world, mode, gas=3_000_000)
    failed = failure(world, await world.fulfil(terms))
    assert (failed.id, failed.reason) == (world.id(terms), REASONS[mode])
    assurance = await world.hub.assurance_of(world.id(terms))
    assert (assurance.status, assurance.callback_failed) == (Status.SETTLED, True)
    assert assurance.settled_at > 0
    assert await world.hub.is_answer(world.id(terms), world.operator.address, keccak(OUTPUT))
    assert await world.credit(world.operator) == FEE
    assert await world.credit(consumer) == 0


async def test_short_return_data_is_not_filled_up_from_memory(world: World) -> None:
    """31 bytes of the right word, and an operator ending in 00, whose last byte the hub's memory may hold."""
    keys = (LocalKey(keccak(b"%d" % i)) for i in itertools.count())
    operator = next(key for key in keys if key.address.endswith("00"))
    await world.rpc.call("anvil_setBalance", operator.address, hex(10**18))
    await TxSender(world.rpc, operator).transact(world.nodes.register("http://zero"))
    terms, _ = await asked(world, RETURN_SHORT)
    failed = failure(world, await world.fulfil(terms, key=operator))
    assert failed.reason == SELECTOR + bytes(27)


async def test_a_megabyte_that_begins_with_the_selector_is_accepted_uncopied(world: World) -> None:
    terms, _ = await asked(world, RETURN_MEGABYTE, gas=3_000_000)
    receipt = await world.fulfil(terms)
    assert [type(log) for log in world.logs(receipt)] == [SettledLog]
    # The consumer paid 2.2 million for its memory; copying it would cost the sender that again.
    assert receipt.gas_used < 2_700_000


async def test_a_megabyte_of_reason_costs_the_sender_nothing(world: World) -> None:
    short, _ = await asked(world, REVERT_NAMED, gas=3_000_000)
    long, _ = await asked(world, REVERT_MEGABYTE, gas=3_000_000)
    cheap, dear = await world.fulfil(short), await world.fulfil(long)
    # 103 million gas would be the price of logging it, 2.2 million that of copying it.
    assert dear.gas_used - cheap.gas_used < 2_400_000


@pytest.mark.parametrize("gas", [1, 50_000])
async def test_an_account_without_code(world: World, gas: int) -> None:
    terms = await world.terms(callback_gas=gas)
    await world.ask(terms)
    assert failure(world, await world.fulfil(terms)).reason == b""
    assert await world.credit(world.operator) == FEE


async def test_a_consumer_that_destroyed_itself(world: World) -> None:
    terms = await world.terms(callback_gas=50_000)
    consumer = await world.create(
        "VanishingConsumer", world.hub.address, terms.to_abi(), b"input", value=terms.fee
    )
    terms = replace(terms, consumer=consumer.address)
    assert await world.rpc.call("eth_getCode", consumer.address, "latest") == "0x"
    assert await world.hub.status_of(world.id(terms)) == Status.REQUESTED
    assert failure(world, await world.fulfil(terms)).reason == b""
    assert await world.credit(world.operator) == FEE
    await refused(
        world.send(world.hub.retry_callback(terms, world.operator.address, OUTPUT)),
        "CallbackReverted",
        reason=b"",
    )


async def test_retry(world: World) -> None:
    terms, consumer = await asked(world, REVERT_NAMED)
    await world.fulfil(terms)
    await world.send(consumer.call("setMode", ACCEPT))
    before = await world.hub.assurance_of(world.id(terms))
    retry = world.hub.retry_callback(terms, world.operator.address, OUTPUT)
    receipt = await world.send(retry, world.stranger)
    (log,) = world.logs(receipt)
    assert isinstance(log, CallbackRetriedLog)
    assert log.id == world.id(terms)
    assert await world.hub.assurance_of(world.id(terms)) == replace(before, callback_failed=False)
    seen = [await consumer.read(name) for name in ("calls", "lastId", "lastStatus", "lastOutput")]
    assert seen == [1, world.id(terms), Status.SETTLED, OUTPUT]
    assert await world.credit(world.operator) == FEE
    await refused(world.send(retry), "NothingToRetry", id=world.id(terms))


async def test_nothing_to_retry(world: World) -> None:
    terms, _ = await asked(world)
    retry = world.hub.retry_callback(terms, world.operator.address, OUTPUT)
    await refused(world.send(retry), "NothingToRetry", id=world.id(terms))
    await world.fulfil(terms)
    await refused(world.send(retry), "NothingToRetry", id=world.id(terms))
    never = await world.terms(salt=99)
    await refused(
        world.send(world.hub.retry_callback(never, world.operator.address, OUTPUT)),
        "NothingToRetry",
        id=world.id(never),
    )


async def test_retry_with_another_answer(world: World) -> None:
    terms, consumer = await asked(world, REVERT_NAMED)
    await world.fulfil(terms)
    await world.send(consumer.call("setMode", ACCEPT))
    expected = (await world.hub.assurance_of(world.id(terms))).answer
    for operator, output in ((world.operator, b"forged"), (world.rival, OUTPUT)):
        words = world.id(terms) + bytes(12) + bytes.fromhex(operator.address[2:]) + keccak(output)
        await refused(
            world.send(world.hub.retry_callback(terms, operator.address, output)),
            "WrongAnswer",
            received=keccak(words)[:18],
            expected=expected,
        )
    assert await consumer.read("calls") == 0


@pytest.mark.parametrize("mode", REASONS)
async def test_retry_that_fails_again(world: World, mode: int) -> None:
    terms, consumer = await asked(world, mode, gas=3_000_000)
    await world.fulfil(terms)
    retry = world.hub.retry_callback(terms, world.operator.address, OUTPUT)
    await refused(world.send(retry), "CallbackReverted", reason=REASONS[mode])
    assert (await world.hub.assurance_of(world.id(terms))).callback_failed
    await world.send(consumer.call("setMode", ACCEPT))
    await world.send(retry)


async def test_retry_gas_limit(world: World) -> None:
    terms, consumer = await asked(world, REVERT_NAMED)
    await world.fulfil(terms)
    await world.send(consumer.call("setMode", ACCEPT))
    await refused(
        world.send(world.hub.retry_callback(terms, world.operator.address, OUTPUT, 12_000_001)),
        "CallbackGasTooHigh",
        received=12_000_001,
        max=12_000_000,
    )
    await world.send(world.hub.retry_callback(terms, world.operator.address, OUTPUT, 12_000_000))


async def test_failed_callback_in_a_request_that_was_not_settled_cannot_be_claimed(world: World) -> None:
    """The flag is set by fulfil alone: an expired request has nothing to retry."""
    terms, _ = await asked(world)
    await world.send(world.hub.expire(terms))
    await refused(
        world.send(world.hub.retry_callback(terms, world.operator.address, OUTPUT)),
        "NothingToRetry",
        id=world.id(terms),
    )
