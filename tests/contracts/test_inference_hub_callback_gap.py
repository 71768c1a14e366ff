# callbacks in a gap
# ├── gate OnSettlement .... one with Settled and the output, however it settles; none for anything else
# ├── gate OnDelivery
# │   ├── deliver .......... Delivered, the output
# │   ├── challenge ........ none
# │   ├── settle ........... Settled, the output
# │   ├── reject ........... Rejected, empty; also by an equivocation of the delivered result
# │   ├── expireDelivered .. Expired, empty
# │   └── expire, or an equivocation of anything else: none
# ├── accepted ............. after everything is paid, with exactly callbackGas
# └── failed ............... paid and logged all the same, recorded for a retry: test_inference_hub_retry_gap

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from eth_abi.abi import encode

from tests.contracts.gaps import BOND, EXPOSURE, asked, books, challenged, delivered, tombstoned
from tests.contracts.test_inference_consumer import hooks
from tests.contracts.test_inference_hub_callback import (
    ACCEPT,
    BURN,
    REASONS,
    REVERT_LONG,
    REVERT_NAMED,
    SELECTOR,
)
from tests.contracts.test_inference_hub_callback_gas import overhead
from tests.contracts.test_inference_hub_equivocation import TWO, report
from tests.support.contract import Contract
from tests.support.world import FEE, OUTPUT, World
from vouch.chain.events import (
    CallbackFailedLog,
    DeliveredLog,
    EquivocatedLog,
    ExpiredLog,
    RejectedLog,
    SettledLog,
    TypedLog,
    UnchallengedLog,
)
from vouch.chain.transaction import Call, Receipt
from vouch.protocol.keccak import keccak
from vouch.protocol.request import Request
from vouch.protocol.status import Gate, Status

GAS = 400_000
"""Of every callback here."""


@dataclass(frozen=True, slots=True)
class Step:
    """A transition that is about to be made."""

    terms: Request
    call: Call
    time: int


Prepare = Callable[..., Awaitable[Step]]


async def fulfilling(world: World, consumer: Contract, **changes: Any) -> Step:
    terms = await asked(world, consumer, **changes)
    return Step(terms, world.fulfilment(terms), await world.now() + 5)


async def delivering(world: World, consumer: Contract, **changes: Any) -> Step:
    terms = await asked(world, consumer, **changes)
    return Step(terms, world.delivery(terms), await world.now() + 5)


async def challenging(world: World, consumer: Contract, **changes: Any) -> Step:
    gap = await delivered(world, consumer, **changes)
    return Step(gap.terms, world.hub.challenge(*world.result(gap.terms)), gap.challenge_by)


async def proving(world: World, consumer: Contract, **changes: Any) -> Step:
    gap = await delivered(world, consumer, window=0, **changes)
    return Step(gap.terms, world.settlement(gap.terms), gap.prove_by)


async def proving_challenged(world: World, consumer: Contract, **changes: Any) -> Step:
    gap = await challenged(world, consumer, **changes)
    return Step(gap.terms, world.settlement(gap.terms), gap.prove_by)


async def settling_unchallenged(world: World, consumer: Contract, **changes: Any) -> Step:
    gap = await delivered(world, consumer, **changes)
    return Step(gap.terms, world.settlement(gap.terms, seal=b""), gap.challenge_by + 1)


async def rejecting(world: World, consumer: Contract, **changes: Any) -> Step:
    gap = await delivered(world, consumer, window=0, **changes)
    return Step(gap.terms, world.hub.reject(*world.result(gap.terms)), gap.prove_by + 1)


async def rejecting_challenged(world: World, consumer: Contract, **changes: Any) -> Step:
    gap = await challenged(world, consumer, **changes)
    return Step(gap.terms, world.hub.reject(*world.result(gap.terms)), gap.prove_by + 1)


async def convicting(world: World, consumer: Contract, **changes: Any) -> Step:
    gap = await delivered(world, consumer, **changes)
    return Step(gap.terms, report(world, gap.terms, OUTPUT, TWO), gap.challenge_by)


async def convicting_of_something_else(world: World, consumer: Contract, **changes: Any) -> Step:
    gap = await delivered(world, consumer, **changes)
    return Step(gap.terms, report(world, gap.terms), gap.challenge_by)


async def withdrawing_the_route(world: World, consumer: Contract, **changes: Any) -> Step:
    gap = await tombstoned(world, await delivered(world, consumer, **changes))
    return Step(gap.terms, world.hub.expire_delivered(*world.result(gap.terms)), gap.challenge_by)


async def withdrawing_the_route_challenged(world: World, consumer: Contract, **changes: Any) -> Step:
    gap = await tombstoned(world, await challenged(world, consumer, **changes))
    return Step(gap.terms, world.hub.expire_delivered(*world.result(gap.terms)), gap.prove_by + 1)


async def expiring(world: World, consumer: Contract, **changes: Any) -> Step:
    terms = await asked(world, consumer, **changes)
    return Step(terms, world.hub.expire(terms), terms.deliver_by + 1)


# What the consumer is called with under each gate, and what the hub logs before its outcome and after it.
STEPS: dict[Prepare, tuple[Status | None, Status | None, list[type[TypedLog]], list[type[TypedLog]]]] = {
    fulfilling: (Status.SETTLED, Status.SETTLED, [SettledLog], []),
    delivering: (None, Status.DELIVERED, [DeliveredLog], []),
    proving: (Status.SETTLED, Status.SETTLED, [SettledLog], []),
    proving_challenged: (Status.SETTLED, Status.SETTLED, [SettledLog], []),
    settling_unchallenged: (Status.SETTLED, Status.SETTLED, [SettledLog, UnchallengedLog], []),
    rejecting: (None, Status.REJECTED, [RejectedLog], []),
    rejecting_challenged: (None, Status.REJECTED, [RejectedLog], []),
    convicting: (None, Status.REJECTED, [RejectedLog], [EquivocatedLog]),
    withdrawing_the_route: (None, Status.EXPIRED, [ExpiredLog], []),
    withdrawing_the_route_challenged: (None, Status.EXPIRED, [ExpiredLog], []),
}
SILENT: list[Prepare] = [challenging, convicting_of_something_else, expiring]
PROVISIONAL = [step for step, (_, status, *_) in STEPS.items() if status != Status.SETTLED]


async def made(world: World, step: Step) -> Receipt:
    return await world.send_at(step.time, step.call, world.stranger)


async def hostile(world: World, mode: int = ACCEPT) -> Contract:
    consumer = await world.create("HostileConsumer", world.hub.address)
    await world.send(consumer.call("setMode", mode))
    return consumer


@pytest.mark.parametrize("prepare", STEPS)
@pytest.mark.parametrize("gate", Gate)
async def test_each_transition_at_its_gate(world: World, prepare: Prepare, gate: Gate) -> None:
    """One hook or none; its log comes after the hub's own, and it sees everything paid already."""
    consumer = await world.create("ExpiryConsumer", world.hub.address)
    step = await prepare(world, consumer, gate=gate, callback_gas=GAS, salt=77)
    receipt = await made(world, step)
    on_settlement, on_delivery, before, after = STEPS[prepare]
    status = on_delivery if gate == Gate.ON_DELIVERY else on_settlement
    output = OUTPUT if status in (Status.DELIVERED, Status.SETTLED) else b""
    hook = {"status": status, "id": world.id(step.terms), "salt": 77, "output": output}
    assert hooks(receipt) == ([] if status is None else [hook])
    assert [type(log) for log in world.logs(receipt)] == before + after
    assert not (await world.hub.assurance_of(world.id(step.terms))).callback_failed


@pytest.mark.parametrize("prepare", SILENT)
@pytest.mark.parametrize("gate", Gate)
async def test_the_consumer_is_not_called(world: World, prepare: Prepare, gate: Gate) -> None:
    consumer = await world.create("ExpiryConsumer", world.hub.address)
    receipt = await made(world, await prepare(world, consumer, gate=gate, callback_gas=GAS))
    assert hooks(receipt) == []
    assert consumer.address not in [log.address for log in receipt.logs]


@pytest.mark.parametrize("prepare", STEPS)
async def test_no_gas_no_callback(world: World, prepare: Prepare) -> None:
    consumer = await hostile(world, BURN)
    step = await prepare(world, consumer, gate=Gate.ON_DELIVERY, callback_gas=0)
    receipt = await made(world, step)
    _, _, before, after = STEPS[prepare]
    assert [type(log) for log in world.logs(receipt)] == before + after
    assert not (await world.hub.assurance_of(world.id(step.terms))).callback_failed
    assert await consumer.read("calls") == 0


@pytest.mark.parametrize("prepare", PROVISIONAL)
async def test_calldata_is_encoded_as_solc_would(world: World, prepare: Prepare) -> None:
    consumer = await hostile(world)
    step = await prepare(world, consumer, gate=Gate.ON_DELIVERY, callback_gas=GAS, salt=77)
    await made(world, step)
    status = STEPS[prepare][1]
    output = OUTPUT if status == Status.DELIVERED else b""
    words = encode(["bytes32", "uint256", "uint8", "bytes"], [world.id(step.terms), 77, status, output])
    assert await consumer.read("lastCall") == keccak(SELECTOR + words)


@pytest.mark.parametrize("prepare", STEPS)
async def test_exactly_what_the_terms_name(world: World, prepare: Prepare) -> None:
    consumer = await world.create("GasRecorder", world.hub.address)
    step = await prepare(world, consumer, gate=Gate.ON_DELIVERY, callback_gas=GAS)
    await made(world, step)  # with the most gas that a transaction can carry
    assert await consumer.read("seen") == GAS - await overhead(world)


@pytest.mark.parametrize("prepare", STEPS)
@pytest.mark.parametrize("mode", [REVERT_NAMED, REVERT_LONG])
async def test_failed(world: World, prepare: Prepare, mode: int) -> None:
    """Logged after what happened, and recorded."""
    consumer = await hostile(world)
    step = await prepare(world, consumer, gate=Gate.ON_DELIVERY, callback_gas=GAS)
    await world.send(consumer.call("setMode", mode))
    receipt = await made(world, step)
    _, status, before, after = STEPS[prepare]
    logs = world.logs(receipt)
    assert [type(log) for log in logs] == [*before, CallbackFailedLog, *after]
    failed = logs[len(before)]
    assert isinstance(failed, CallbackFailedLog)
    assert (failed.id, failed.reason) == (world.id(step.terms), REASONS[mode])
    assurance = await world.hub.assurance_of(world.id(step.terms))
    assert (assurance.status, assurance.callback_failed) == (status, True)


LOCKED = EXPOSURE + BOND
FREED = {"operator's exposed": -LOCKED}
TAKEN = FREED | {"operator's bonded": -LOCKED, "registry": -LOCKED}
REFUNDED = {"consumer": FEE + EXPOSURE}
MOVES: dict[Prepare, dict[str, int]] = {
    fulfilling: {"operator": FEE},
    delivering: {"operator's exposed": LOCKED},
    proving: {"operator": FEE, **FREED},
    proving_challenged: {"operator": FEE + BOND, **FREED},
    settling_unchallenged: {"operator": FEE, **FREED},
    rejecting: {**REFUNDED, "stranger": BOND, **TAKEN},
    rejecting_challenged: {**REFUNDED, "rival": 2 * BOND, **TAKEN},
    convicting: {**REFUNDED, "stranger": BOND, **TAKEN},
    withdrawing_the_route: {"consumer": FEE, **FREED},
    withdrawing_the_route_challenged: {"consumer": FEE, "rival": BOND, **FREED},
}


@pytest.mark.parametrize("prepare", MOVES)
@pytest.mark.parametrize("mode", [ACCEPT, REVERT_NAMED, BURN])
async def test_a_failure_changes_no_payment(world: World, prepare: Prepare, mode: int) -> None:
    consumer = await hostile(world)
    step = await prepare(world, consumer, gate=Gate.ON_DELIVERY, callback_gas=GAS)
    await world.send(consumer.call("setMode", mode))
    before = await books(world, consumer=consumer.address)
    await made(world, step)
    assert await before.moved() == MOVES[prepare]


@pytest.mark.parametrize("gate", Gate)
async def test_a_result_that_was_taken_provisionally_is_told_again(world: World, gate: Gate) -> None:
    """Delivered, challenged, proven: twice to who asked for it, once to who did not."""
    consumer = await hostile(world)
    gap = await challenged(world, consumer, gate=gate, callback_gas=GAS)
    provisional = 1 if gate == Gate.ON_DELIVERY else 0
    assert await consumer.read("calls") == provisional
    await world.send(world.settlement(gap.terms), world.stranger)
    assert await consumer.read("calls") == provisional + 1
    assert await consumer.read("lastStatus") == Status.SETTLED
    assert await consumer.read("lastOutput") == OUTPUT
