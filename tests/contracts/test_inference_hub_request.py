# request
# ├── terms
# │   ├── bits above a field's type ............................ MalformedTerms
# │   ├── deliverBy not in the future .......................... DeadlineInPast
# │   ├── deliverBy more than MAX_PATIENCE away ................ DeadlineTooFar
# │   ├── window or proveWithin over MAX_PATIENCE .............. GapTooLong
# │   ├── callbackGas over MAX_CALLBACK_GAS .................... CallbackGasTooHigh
# │   ├── consumer is not the caller ........................... NotConsumer
# │   ├── inputHash is not the input's hash .................... WrongInputHash
# │   └── asked before, whatever became of it .................. RequestExists
# ├── money
# │   ├── ERC-20 fee with native value ......................... UnexpectedValue
# │   ├── value and credit do not cover the fee ................ InsufficientCredit
# │   ├── value is the fee ..................................... credit untouched
# │   ├── value below the fee .................................. the rest from credit
# │   └── value above the fee .................................. surplus becomes credit
# └── record packed, Requested logged as solc would encode it

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import decode, encode

from tests.support.world import FEE, INPUT, World, refused
from vouch.chain.abi import event
from vouch.chain.contracts import Call
from vouch.chain.events import RequestedLog
from vouch.chain.hexes import checksum
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE, REQUEST_TYPE, Request
from vouch.protocol.status import Assurance, Gate, Status

MAX_PATIENCE = 366 * 24 * 3600
MAX_CALLBACK_GAS = 12_000_000
ALL_ONES = checksum(b"\xff" * 20)

NARROW = {
    "consumer": (0, range(160, 256)),
    "operator": (1, range(160, 256)),
    "refundTo": (2, range(160, 256)),
    "token": (3, range(160, 256)),
    "proveWithin": (8, range(32, 256)),
    "window": (9, range(32, 256)),
    "gate": (11, range(1, 256)),
    "route": (12, range(224)),
}
"""Word of each field that does not fill it, and the bits that must be zero."""


def with_bit(call: Call, word: int, bit: int) -> Call:
    """The call with one bit of one word of the terms turned over."""
    start = 4 + 32 * word
    value = int.from_bytes(call.data[start : start + 32], "big") ^ 1 << bit
    return replace(call, data=call.data[:start] + value.to_bytes(32, "big") + call.data[start + 32 :])


def record_of(status: Status, route: bytes) -> int:
    return status | int.from_bytes(route, "big") << 16


async def slot(world: World, terms: Request) -> int:
    """The hub's whole record of a request: slot 0 is the ledger, slot 1 the mapping of records."""
    key = keccak(world.id(terms) + (1).to_bytes(32, "big"))
    return int(await world.rpc.call("eth_getStorageAt", world.hub.address, key, "latest"), 16)


@pytest.mark.parametrize("field", NARROW)
async def test_bits_above_a_fields_type(world: World, field: str) -> None:
    word, bits = NARROW[field]
    terms = await world.terms()
    call = world.hub.request(terms, INPUT)
    for bit in (bits[0], bits[-1]):
        await refused(world.send(with_bit(call, word, bit)), "MalformedTerms")


async def test_largest_values_of_every_field_are_wellformed(world: World) -> None:
    largest = 2**256 - 1
    terms = await world.terms(
        operator=ALL_ONES,
        refund_to=ALL_ONES,
        exposure=largest,
        bond=largest,
        prove_within=MAX_PATIENCE,
        window=MAX_PATIENCE,
        gate=Gate.ON_DELIVERY,
        route=b"\xff" * 4,
        trust=b"\xff" * 32,
        model_id=b"\xff" * 32,
        salt=largest,
    )
    receipt = await world.ask(terms)
    (log,) = world.logs(receipt)
    assert isinstance(log, RequestedLog)
    assert log.request == terms
    assert await slot(world, terms) == record_of(Status.REQUESTED, b"\xff" * 4)


async def test_deadline_in_the_past(world: World) -> None:
    terms = await world.terms()
    call, last = world.hub.request(terms, INPUT), terms.deliver_by
    await refused(world.try_at(last, call), "DeadlineInPast", deliverBy=last, now_=last)
    await world.try_at(last - 1, call)


async def test_deadline_too_far(world: World) -> None:
    now = await world.now() + 10
    terms = await world.terms(deliver_by=now + MAX_PATIENCE)
    await world.try_at(now, world.hub.request(terms, INPUT))
    late = replace(terms, deliver_by=terms.deliver_by + 1)
    await refused(
        world.try_at(now, world.hub.request(late, INPUT)),
        "DeadlineTooFar",
        deliverBy=late.deliver_by,
        max=now + MAX_PATIENCE,
    )
    never = replace(terms, deliver_by=2**256 - 1)
    await refused(
        world.try_at(now, world.hub.request(never, INPUT)),
        "DeadlineTooFar",
        deliverBy=2**256 - 1,
        max=now + MAX_PATIENCE,
    )


@pytest.mark.parametrize(
    ("window", "prove_within", "received"),
    [
        (MAX_PATIENCE + 1, 0, MAX_PATIENCE + 1),
        (0, MAX_PATIENCE + 1, MAX_PATIENCE + 1),
        (MAX_PATIENCE + 1, MAX_PATIENCE, MAX_PATIENCE + 1),
        (MAX_PATIENCE + 1, MAX_PATIENCE + 2, MAX_PATIENCE + 2),
        (2**32 - 1, 0, 2**32 - 1),
    ],
)
async def test_gap_too_long(world: World, window: int, prove_within: int, received: int) -> None:
    long = await world.terms(window=window, prove_within=prove_within)
    await refused(world.ask(long), "GapTooLong", received=received, max=MAX_PATIENCE)
    fine = min(window, MAX_PATIENCE), min(prove_within, MAX_PATIENCE)
    await world.ask(replace(long, window=fine[0], prove_within=fine[1]))


async def test_callback_gas(world: World) -> None:
    assert await world.hub.max_callback_gas() == MAX_CALLBACK_GAS
    await world.ask(await world.terms(callback_gas=MAX_CALLBACK_GAS))
    await refused(
        world.ask(await world.terms(callback_gas=MAX_CALLBACK_GAS + 1)),
        "CallbackGasTooHigh",
        received=MAX_CALLBACK_GAS + 1,
        max=MAX_CALLBACK_GAS,
    )


async def test_only_the_consumer_asks(world: World) -> None:
    terms = await world.terms()
    await refused(
        world.send(world.hub.request(terms, INPUT), world.stranger),
        "NotConsumer",
        caller=world.stranger.address,
        consumer=world.owner.address,
    )


async def test_another_input(world: World) -> None:
    terms = await world.terms()
    await refused(
        world.send(world.hub.request(terms, INPUT + b"!")),
        "WrongInputHash",
        received=keccak(INPUT),
        expected=keccak(INPUT + b"!"),
    )


async def test_asked_before(world: World) -> None:
    settled = await world.terms()
    await world.ask(settled)
    await refused(world.ask(settled), "RequestExists", id=world.id(settled))
    await world.fulfil(settled)
    await refused(world.ask(settled), "RequestExists", id=world.id(settled))

    expired = await world.terms(salt=2, route=b"NONE")
    await world.ask(expired)
    await world.send(world.hub.expire(expired))
    await refused(world.ask(expired), "RequestExists", id=world.id(expired))
    await world.ask(replace(expired, salt=3))


@pytest.mark.parametrize(
    ("credit", "value", "left"),
    [
        pytest.param(0, FEE, 0, id="value is the fee"),
        pytest.param(7, FEE, 7, id="credit stays if the value is the fee"),
        pytest.param(0, FEE + 5, 5, id="surplus becomes credit"),
        pytest.param(7, FEE + 5, 12, id="surplus is added to credit"),
        pytest.param(FEE, 0, 0, id="all from credit"),
        pytest.param(FEE + 9, 0, 9, id="from credit with a rest"),
        pytest.param(FEE - 1, 1, 0, id="from both, exactly"),
        pytest.param(FEE, 1, 1, id="from both, with a rest"),
    ],
)
async def test_native_fee(world: World, credit: int, value: int, left: int) -> None:
    if credit:
        await world.send(world.hub.deposit(credit, world.owner.address))
    terms = await world.terms()
    await world.ask(terms, value=value)
    assert await world.credit(world.owner) == left
    assert await world.balance(world.hub.address) == FEE + left


@pytest.mark.parametrize(("credit", "value"), [(0, 0), (0, FEE - 1), (FEE - 1, 0), (FEE - 2, 1)])
async def test_native_fee_not_covered(world: World, credit: int, value: int) -> None:
    if credit:
        await world.send(world.hub.deposit(credit, world.owner.address))
    await refused(
        world.ask(await world.terms(), value=value),
        "InsufficientCredit",
        token=NATIVE,
        available=credit + value,
        wanted=FEE,
    )


async def test_an_operators_mark_is_no_money(world: World) -> None:
    """The bit that says "operator" shares a word with the credit."""
    terms = await world.terms(consumer=world.operator.address)
    await refused(
        world.send(world.hub.request(terms, INPUT, value=0), world.operator),
        "InsufficientCredit",
        token=NATIVE,
        available=0,
        wanted=FEE,
    )


async def test_no_fee(world: World) -> None:
    await world.ask(await world.terms(fee=0))
    token = await world.token()
    await world.ask(await world.terms(fee=0, token=token.address))
    assert await world.balance(world.hub.address) == 0


async def test_erc20_fee_from_credit(world: World) -> None:
    token = await world.token()
    await world.send(world.hub.deposit(FEE + 3, world.owner.address, token.address))
    await world.ask(await world.terms(token=token.address))
    assert await world.credit(world.owner, token.address) == 3
    await refused(
        world.ask(await world.terms(token=token.address, salt=2)),
        "InsufficientCredit",
        token=token.address,
        available=3,
        wanted=FEE,
    )


async def test_native_credit_pays_no_erc20_fee(world: World) -> None:
    token = await world.token()
    await world.send(world.hub.deposit(FEE, world.owner.address))
    await refused(
        world.ask(await world.terms(token=token.address)),
        "InsufficientCredit",
        token=token.address,
        available=0,
        wanted=FEE,
    )


async def test_erc20_fee_with_native_value(world: World) -> None:
    token = await world.token()
    await world.send(world.hub.deposit(FEE, world.owner.address, token.address))
    terms = await world.terms(token=token.address)
    await refused(world.ask(terms, value=1), "UnexpectedValue", received=1, expected=0)


async def test_record_and_id(world: World) -> None:
    terms = await world.terms()
    assert await world.hub.status_of(world.id(terms)) == Status.NONE
    returned = await world.try_at(await world.now() + 1, world.hub.request(terms, INPUT))
    assert returned == world.id(terms) == await world.hub.id_of(terms)
    await world.ask(terms)
    assert await slot(world, terms) == record_of(Status.REQUESTED, b"SIGN")
    assert await world.hub.assurance_of(world.id(terms)) == Assurance(
        Status.REQUESTED, False, False, b"SIGN", 0, 0, bytes(18)
    )


def requested(data: bytes) -> tuple[Any, ...]:
    return decode([REQUEST_TYPE, "bytes"], data, strict=True)


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 1000])
async def test_event_is_encoded_as_solc_would(world: World, size: int) -> None:
    input_ = bytes(i % 255 + 1 for i in range(size))
    terms = await world.terms(input_hash=keccak(input_), trust=b"\x11" * 32)
    receipt = await world.send(world.hub.request(terms, input_))
    (log,) = receipt.logs
    assert log.topics == (event("InferenceHub", "Requested").topic0, world.id(terms), terms.model_id)
    assert log.data == encode([REQUEST_TYPE, "bytes"], [terms.to_abi(), input_])
    decoded, logged_input = requested(log.data)
    assert (Request.from_abi(decoded), logged_input) == (terms, input_)


async def test_padding_of_the_input_is_not_copied(world: World) -> None:
    terms = await world.terms()
    call = world.hub.request(terms, INPUT)
    dirty = call.data[: -32 + len(INPUT)] + b"\xff" * (32 - len(INPUT))
    receipt = await world.send(replace(call, data=dirty))
    assert receipt.logs[0].data == encode([REQUEST_TYPE, "bytes"], [terms.to_abi(), INPUT])
