# retryCallback in a gap (what holds in every state: test_inference_hub_callback)
# ├── delivered, or challenged since ...... with Delivered and the output
# │   └── another output or operator ...... WrongAnswer
# ├── settled ............................. with Settled and the output
# ├── rejected, or expired ................ with that and nothing, whatever operator and output are named
# └── what comes next forgets what failed before
#     ├── a challenge ..................... does not
#     ├── another callback ................ counts instead, failed or not
#     └── an end without a callback ....... leaves nothing to retry

import pytest

from tests.contracts.gaps import books
from tests.contracts.test_inference_hub_callback import ACCEPT, REASONS, REVERT_NAMED
from tests.contracts.test_inference_hub_callback_gap import (
    GAS,
    PROVISIONAL,
    STEPS,
    Prepare,
    Step,
    challenging,
    convicting,
    delivering,
    hostile,
    made,
    proving,
    rejecting,
    rejecting_challenged,
    settling_unchallenged,
    withdrawing_the_route,
)
from tests.support.contract import Contract
from tests.support.world import OUTPUT, World, refused
from vouch.chain.events import CallbackRetriedLog
from vouch.chain.transaction import Call
from vouch.protocol.keccak import keccak
from vouch.protocol.status import Gate, Status

NOBODY = "0x00000000000000000000000000000000000000b0"


async def failing(world: World, prepare: Prepare, gate: Gate = Gate.ON_DELIVERY) -> tuple[Step, Contract]:
    """The consumer fails in the step's callback and in all before it, and accepts from then on."""
    consumer = await hostile(world, REVERT_NAMED)
    step = await prepare(world, consumer, gate=gate, callback_gas=GAS)
    await made(world, step)
    await world.send(consumer.call("setMode", ACCEPT))
    return step, consumer


def retry(world: World, step: Step, operator: str = "", output: bytes = OUTPUT) -> Call:
    return world.hub.retry_callback(step.terms, operator or world.operator.address, output)


async def failed(world: World, step: Step) -> bool:
    return (await world.hub.assurance_of(world.id(step.terms))).callback_failed


@pytest.mark.parametrize("prepare", STEPS)
async def test_every_transition(world: World, prepare: Prepare) -> None:
    """By anybody, for the status it has, and nobody is paid again."""
    step, consumer = await failing(world, prepare)
    before = await books(world, consumer=consumer.address)
    receipt = await world.send(retry(world, step), world.stranger)
    (log,) = world.logs(receipt)
    assert isinstance(log, CallbackRetriedLog)
    assert log.id == world.id(step.terms)
    status = STEPS[prepare][1]
    output = OUTPUT if status in (Status.DELIVERED, Status.SETTLED) else b""
    seen = [await consumer.read(name) for name in ("calls", "lastId", "lastSalt", "lastStatus", "lastOutput")]
    assert seen == [1, world.id(step.terms), step.terms.salt, status, output]
    assert not await failed(world, step)
    assert await before.moved() == {}
    assert await world.hub.status_of(world.id(step.terms)) == status
    await refused(world.send(retry(world, step)), "NothingToRetry", id=world.id(step.terms))


@pytest.mark.parametrize("prepare", STEPS)
async def test_that_fails_again(world: World, prepare: Prepare) -> None:
    step, consumer = await failing(world, prepare)
    await world.send(consumer.call("setMode", REVERT_NAMED))
    await refused(world.send(retry(world, step)), "CallbackReverted", reason=REASONS[REVERT_NAMED])
    assert await failed(world, step)


@pytest.mark.parametrize("prepare", [delivering, challenging, proving, settling_unchallenged])
async def test_with_another_answer(world: World, prepare: Prepare) -> None:
    step, consumer = await failing(world, prepare)
    expected = (await world.hub.assurance_of(world.id(step.terms))).answer
    for operator, output in ((world.operator, b"forged"), (world.operator, b""), (world.rival, OUTPUT)):
        words = world.id(step.terms) + bytes(12) + bytes.fromhex(operator.address[2:]) + keccak(output)
        attempt = world.send(retry(world, step, operator.address, output))
        await refused(attempt, "WrongAnswer", received=keccak(words)[:18], expected=expected)
    assert await consumer.read("calls") == 0


@pytest.mark.parametrize("prepare", [rejecting, rejecting_challenged, convicting, withdrawing_the_route])
async def test_what_was_retracted_is_not_told_again(world: World, prepare: Prepare) -> None:
    """No answer is left to compare with; the consumer is told nothing that anybody could make up."""
    step, consumer = await failing(world, prepare)
    await world.send(retry(world, step, NOBODY, b"made up"), world.stranger)
    assert await consumer.read("calls") == 1
    assert await consumer.read("lastStatus") == STEPS[prepare][1]
    assert await consumer.read("lastOutput") == b""


async def test_a_challenge_says_nothing_to_the_consumer(world: World) -> None:
    """What failed before it is still to be repeated, as it was."""
    step, consumer = await failing(world, challenging)
    assert await world.hub.status_of(world.id(step.terms)) == Status.CHALLENGED
    assert await failed(world, step)
    await world.send(retry(world, step), world.stranger)
    assert await consumer.read("lastStatus") == Status.DELIVERED
    assert await consumer.read("lastOutput") == OUTPUT
    assert await world.hub.status_of(world.id(step.terms)) == Status.CHALLENGED
    assert (await world.hub.gap_of(step.terms)).challenger == world.stranger.address
    assert not await failed(world, step)


LATER: list[Prepare] = [step for step in PROVISIONAL if step is not delivering]


@pytest.mark.parametrize("prepare", [proving, settling_unchallenged, *LATER])
async def test_the_next_callback_counts_instead(world: World, prepare: Prepare) -> None:
    """A consumer that failed provisionally and accepts the end has nothing to catch up on."""
    consumer = await hostile(world, REVERT_NAMED)
    step = await prepare(world, consumer, gate=Gate.ON_DELIVERY, callback_gas=GAS)
    assert await failed(world, step)
    await world.send(consumer.call("setMode", ACCEPT))
    await made(world, step)
    assert await consumer.read("calls") == 1
    assert await consumer.read("lastStatus") == STEPS[prepare][1]
    assert not await failed(world, step)
    await refused(world.send(retry(world, step)), "NothingToRetry", id=world.id(step.terms))


@pytest.mark.parametrize("prepare", [*PROVISIONAL, challenging])
async def test_what_was_never_called_cannot_be_retried(world: World, prepare: Prepare) -> None:
    step, consumer = await failing(world, prepare, Gate.ON_SETTLEMENT)
    assert not await failed(world, step)
    await refused(world.send(retry(world, step)), "NothingToRetry", id=world.id(step.terms))
    assert await consumer.read("calls") == 0
