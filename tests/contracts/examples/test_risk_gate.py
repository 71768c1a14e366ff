# constructor
# ├── model was never published ........ UnknownModel
# └── route is not live ................ UnknownRoute, RouteIsTombstoned
# ask
# ├── decided, or another's loan ....... LoanTaken
# ├── not five features ................ WrongFeatureCount
# └── otherwise ........................ asks; undecided, the borrower may ask again
# answer
# ├── at most MAX_RISK ................. approved
# ├── above ............................ refused
# ├── outside of [0, 1] ................ NotAProbability, callback fails
# ├── no whole word, or none ........... NotWholeWords, IndexOutOfRange, callback fails
# └── a second one ..................... changes nothing
# nobody answers ....................... fee back to the borrower

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from tests.support.contract import Contract, member
from tests.support.world import FEE, MANIFEST, MODEL, World, refused
from vouch.chain.abi import decode_error
from vouch.chain.codec import Event
from vouch.chain.events import CallbackFailedLog, RequestedLog, SettledLog
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Status

ONE = 10**18
MAX_RISK = ONE // 10
FEATURES = [i * ONE // 7 - ONE // 2 for i in range(5)]


async def deployed(world: World) -> Contract:
    await world.send(world.models.publish("risk", MANIFEST))
    return await world.create("RiskGate", world.hub.address, MODEL, SIGNED, bytes(32), MAX_RISK)


async def ask(
    world: World, gate: Contract, loan: int = 1, operator: str = NATIVE, time: int | None = None
) -> Request:
    call = gate.call("ask", loan, FEATURES, operator, value=FEE)
    receipt = await (world.send(call) if time is None else world.send_at(time, call))
    (log,) = world.logs(receipt)
    assert isinstance(log, RequestedLog)
    assert log.input == b"".join(encode(["int256"], [f]) for f in FEATURES)
    return log.request


def word(value: int) -> bytes:
    return value.to_bytes(32, "big", signed=True)


async def test_model_and_route_must_exist(world: World) -> None:
    args = (world.hub.address, MODEL, SIGNED, bytes(32), MAX_RISK)
    await refused(world.create("RiskGate", *args), "UnknownModel", modelId=MODEL)
    await world.send(world.models.publish("risk", MANIFEST))
    await refused(world.create("RiskGate", *args[:2], b"NONE", *args[3:]), "UnknownRoute", route=b"NONE")
    gate = await world.create("RiskGate", *args)
    assert [await gate.read(name) for name in ("MODEL", "ROUTE", "TRUST", "MAX_RISK")] == list(args[1:])
    await world.send(world.router.tombstone(SIGNED))
    await refused(world.create("RiskGate", *args), "RouteIsTombstoned", route=SIGNED)


async def test_terms(world: World) -> None:
    gate = await deployed(world)
    terms = await ask(world, gate, loan=7, operator=world.operator.address)
    assert terms.deliver_by - await world.now() <= 600
    assert replace(terms, deliver_by=0) == replace(
        await world.terms(salt=7),
        consumer=gate.address,
        operator=world.operator.address,
        refund_to=world.owner.address,
        callback_gas=60_000,
        input_hash=terms.input_hash,
        deliver_by=0,
    )


@pytest.mark.parametrize(
    ("risk", "approved"), [(0, True), (MAX_RISK, True), (MAX_RISK + 1, False), (ONE, False)]
)
async def test_decision(world: World, risk: int, approved: bool) -> None:
    gate = await deployed(world)
    terms = await ask(world, gate)
    assert await gate.read("isApproved", 1) is False
    receipt = await world.fulfil(terms, word(risk))
    assert await gate.read("decisions", 1) == (world.owner.address, True, approved, risk)
    assert await gate.read("isApproved", 1) is approved
    assert await gate.read("isApproved", 2) is False
    decided = Event("RiskGate", member("RiskGate", "event", "Decided")).decode(receipt.logs[-1])
    assert decided == {"loanId": 1, "borrower": world.owner.address, "approved": approved, "risk": risk}


async def test_loan_taken(world: World) -> None:
    gate = await deployed(world)
    terms = await ask(world, gate)
    again = gate.call("ask", 1, FEATURES, NATIVE, value=FEE)
    owner = world.owner.address
    await refused(world.send(again, world.stranger), "LoanTaken", loanId=1, borrower=owner)
    await world.fulfil(terms, word(0))
    await refused(world.send(again), "LoanTaken", loanId=1, borrower=owner)
    await ask(world, gate, loan=2)


@pytest.mark.parametrize("count", [0, 4, 6])
async def test_wrong_feature_count(world: World, count: int) -> None:
    gate = await deployed(world)
    await refused(
        world.send(gate.call("ask", 1, [ONE] * count, NATIVE)),
        "WrongFeatureCount",
        received=count,
        expected=5,
    )


@pytest.mark.parametrize(
    ("output", "error", "args"),
    [
        (word(-1), "NotAProbability", {"value": -1}),
        (word(ONE + 1), "NotAProbability", {"value": ONE + 1}),
        (b"", "IndexOutOfRange", {"index": 0, "length": 0}),
        (word(0)[:31], "NotWholeWords", {"size": 31}),
    ],
)
async def test_an_answer_that_is_no_probability(
    world: World, output: bytes, error: str, args: dict[str, int]
) -> None:
    gate = await deployed(world)
    terms = await ask(world, gate)
    settled, failed = world.logs(await world.fulfil(terms, output))
    assert isinstance(settled, SettledLog)
    assert isinstance(failed, CallbackFailedLog)
    reason = decode_error(failed.reason)
    assert (reason.name, reason.args) == (error, args)
    assert await gate.read("decisions", 1) == (world.owner.address, False, False, 0)
    assert await world.credit(world.operator) == FEE


async def test_the_first_answer_decides(world: World) -> None:
    gate = await deployed(world)
    first = await ask(world, gate)
    second = await ask(world, gate, time=await world.now() + 10)
    assert second != first
    await world.fulfil(second, word(0))
    receipt = await world.fulfil(first, word(ONE))
    assert [type(log) for log in world.logs(receipt)] == [SettledLog]
    assert await gate.read("decisions", 1) == (world.owner.address, True, True, 0)


async def test_nobody_answers(world: World) -> None:
    gate = await deployed(world)
    terms = await ask(world, gate)
    await world.send_at(terms.deliver_by + 1, world.hub.expire(terms), world.stranger)
    assert await world.hub.status_of(world.id(terms)) == Status.EXPIRED
    assert await world.credit(world.owner) == FEE
    await ask(world, gate)
