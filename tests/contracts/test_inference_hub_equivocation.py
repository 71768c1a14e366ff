# reportEquivocation (which call is for which state: test_inference_hub_states)
# ├── terms that were never asked .............................. UnknownRequest
# ├── terms name another operator .............................. WrongOperator
# ├── no two signatures that contradict each other ............. test_inference_hub_equivocation_signatures
# ├── one output is the delivered one, by this operator
# │   ├── rejected, whatever deadline runs, even on a withdrawn route
# │   └── bond from the stake to the challenger (and its own back), else to the caller
# └── neither is (nothing is delivered, or another output, or by another operator)
#     ├── paid for it in full before ........................... AlreadyReported
#     └── otherwise the request goes on
#         ├── up to exposure + bond is taken: test_inference_hub_equivocation_stake
#         └── the consumer gets up to the exposure, the caller the rest

from dataclasses import replace

import pytest

from tests.contracts.gaps import (
    BOND,
    EXPOSURE,
    REFUND,
    asked,
    books,
    challenge_slots,
    challenged,
    currency,
    delivered,
    tombstoned,
)
from tests.contracts.test_inference_hub_reject import SLASHED
from tests.contracts.test_node_registry import emitted
from tests.support.world import FEE, OUTPUT, World, refused
from vouch.chain.account import LocalKey
from vouch.chain.contracts import Stake
from vouch.chain.events import EquivocatedLog, RejectedLog
from vouch.chain.transaction import Call, Receipt
from vouch.protocol.request import Request
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Assurance, Status

ONE, TWO = b"one", b"two"


def report(
    world: World, terms: Request, first: bytes = ONE, second: bytes = TWO, *, key: LocalKey | None = None
) -> Call:
    pair = world.signed(terms, first, key=key), world.signed(terms, second, key=key)
    return world.hub.report_equivocation(terms, (key or world.operator).address, *pair)


def said_equivocated(
    world: World, terms: Request, receipt: Receipt, rewarded: LocalKey, slashed: int
) -> None:
    """The last log of the hub, and what the registry logged first."""
    log = world.logs(receipt)[-1]
    assert isinstance(log, EquivocatedLog)
    assert (log.id, log.operator) == (world.id(terms), world.operator.address)
    assert (log.rewarded, log.slashed) == (rewarded.address, slashed)
    assert receipt.logs[0].address == world.nodes.address
    assert emitted(receipt, "Slashed") == {
        "operator": world.operator.address,
        "token": terms.token,
        "amount": slashed,
    }


@pytest.mark.parametrize("native", [True, False])
async def test_before_anything_is_delivered(world: World, native: bool) -> None:
    """The operator pays, and the request goes on."""
    terms = await asked(world, token=await currency(world, native=native))
    before, was = await books(world, terms.token), await world.hub.assurance_of(world.id(terms))
    receipt = await world.send(report(world, terms), world.stranger)
    said_equivocated(world, terms, receipt, world.stranger, EXPOSURE + BOND)
    assert len(receipt.logs) == 2
    assert await before.moved() == {
        "owner": EXPOSURE,
        "stranger": BOND,
        "registry": -(EXPOSURE + BOND),
        "operator's bonded": -(EXPOSURE + BOND),
    }
    assert await world.hub.assurance_of(world.id(terms)) == was
    before = await books(world, terms.token)
    await world.fulfil(terms)
    assert await before.moved() == {"operator": FEE}


@pytest.mark.parametrize("outputs", [(OUTPUT, TWO), (TWO, OUTPUT)])
@pytest.mark.parametrize("window", [0, 600])
async def test_of_what_was_delivered(world: World, window: int, outputs: tuple[bytes, bytes]) -> None:
    """Whichever of the two it is, and although no deadline has passed."""
    gap = await delivered(world, window=window)
    before = await books(world)
    receipt = await world.send(report(world, gap.terms, *outputs), world.stranger)
    said_equivocated(world, gap.terms, receipt, world.stranger, EXPOSURE + BOND)
    rejected = world.logs(receipt)[0]
    assert isinstance(rejected, RejectedLog)
    given = (world.id(gap.terms), world.operator.address, world.stranger.address)
    assert (rejected.id, rejected.operator, rejected.rewarded) == given
    assert len(receipt.logs) == 3
    assert await before.moved() == {"owner": FEE + EXPOSURE, "stranger": BOND, **SLASHED}
    assert await world.hub.assurance_of(world.id(gap.terms)) == Assurance(
        Status.REJECTED, False, False, SIGNED, gap.delivered_at, 0, bytes(18)
    )


@pytest.mark.parametrize("native", [True, False])
async def test_of_what_was_challenged(world: World, native: bool) -> None:
    """The challenger was right: it is rewarded, and not who brought the proof."""
    gap = await challenged(world, token=await currency(world, native=native), refund_to=REFUND)
    before = await books(world, gap.terms.token, refund=REFUND)
    receipt = await world.send(report(world, gap.terms, OUTPUT), world.stranger)
    said_equivocated(world, gap.terms, receipt, world.rival, EXPOSURE + BOND)
    assert await before.moved() == {"refund": FEE + EXPOSURE, "rival": 2 * BOND, **SLASHED}
    assert await world.hub.status_of(world.id(gap.terms)) == Status.REJECTED
    assert await challenge_slots(world, gap.terms) == 0


async def test_of_what_was_delivered_takes_only_what_is_locked_for_it(world: World) -> None:
    gap = await delivered(world)
    await world.send(world.nodes.stake(1000), world.operator)
    await world.send(world.nodes.unbond(400), world.operator)
    stake = await world.nodes.stake_of(world.operator.address)
    await world.send(report(world, gap.terms, OUTPUT), world.stranger)
    left = replace(stake, bonded=600, exposed=0)
    assert await world.nodes.stake_of(world.operator.address) == left


async def test_of_what_was_delivered_on_a_withdrawn_route(world: World) -> None:
    """A withdrawn route excuses a missing proof. This is a proof of fraud, and needs none."""
    gap = await tombstoned(world, await challenged(world))
    before = await books(world)
    await world.send(report(world, gap.terms, OUTPUT), world.stranger)
    assert await before.moved() == {"owner": FEE + EXPOSURE, "rival": 2 * BOND, **SLASHED}


async def test_of_two_other_outputs_than_the_delivered_one(world: World) -> None:
    """The delivered result stands, and what is locked for it stays locked."""
    gap = await delivered(world)
    await world.send(world.nodes.stake(EXPOSURE + 1), world.operator)
    before, was = await books(world), await world.hub.assurance_of(world.id(gap.terms))
    receipt = await world.send(report(world, gap.terms), world.stranger)
    said_equivocated(world, gap.terms, receipt, world.stranger, EXPOSURE + 1)
    assert await before.moved() == {
        "owner": EXPOSURE,
        "stranger": 1,
        "registry": -(EXPOSURE + 1),
        "operator's bonded": -(EXPOSURE + 1),
    }
    assert await world.hub.assurance_of(world.id(gap.terms)) == was
    # Its own output in the pair is another matter: it is not the second report of the same.
    before = await books(world)
    await world.send(report(world, gap.terms, ONE, OUTPUT), world.stranger)
    assert await before.moved() == {"owner": FEE + EXPOSURE, "stranger": BOND, **SLASHED}


async def test_by_another_operator_than_the_delivering_one(world: World) -> None:
    """Even of the very output that the other one delivered."""
    gap = await challenged(world)
    await world.send(world.nodes.stake(10 * EXPOSURE), world.rival)
    before = await books(world)
    await world.send(report(world, gap.terms, OUTPUT, key=world.rival), world.stranger)
    assert await before.moved() == {
        "owner": EXPOSURE,
        "stranger": BOND,
        "registry": -(EXPOSURE + BOND),
        "rival's bonded": -(EXPOSURE + BOND),
    }
    assert await world.hub.status_of(world.id(gap.terms)) == Status.CHALLENGED
    await world.send(world.settlement(gap.terms), world.stranger)


async def test_refund_to(world: World) -> None:
    terms = await asked(world, refund_to=REFUND)
    before = await books(world, refund=REFUND)
    await world.send(report(world, terms), world.stranger)
    assert await before.moved() == {
        "refund": EXPOSURE,
        "stranger": BOND,
        "registry": -(EXPOSURE + BOND),
        "operator's bonded": -(EXPOSURE + BOND),
    }


async def test_once_for_each_request_and_operator(world: World) -> None:
    one, two = await asked(world), await asked(world, salt=2)
    await world.send(world.nodes.stake(10 * EXPOSURE), world.rival)
    await world.send(report(world, one), world.stranger)
    for outputs in ((ONE, TWO), (TWO, ONE), (ONE, b"three")):
        attempt = world.send(report(world, one, *outputs), world.rival)
        await refused(attempt, "AlreadyReported", id=world.id(one), operator=world.operator.address)
    before = await books(world)
    await world.send(report(world, one, key=world.rival), world.stranger)
    await world.send(report(world, two), world.stranger)
    assert await before.moved() == {
        "owner": 2 * EXPOSURE,
        "stranger": 2 * BOND,
        "registry": -2 * (EXPOSURE + BOND),
        "operator's bonded": -(EXPOSURE + BOND),
        "rival's bonded": -(EXPOSURE + BOND),
    }


async def test_delivered_after_it_was_reported(world: World) -> None:
    """A delivery is a new claim to be believed, with a stake of its own."""
    terms = await asked(world)
    await world.send(report(world, terms), world.stranger)
    await world.send(world.nodes.stake(EXPOSURE + BOND), world.operator)
    await world.deliver(terms, ONE)
    before = await books(world)
    await world.send(report(world, terms), world.stranger)
    assert await before.moved() == {"owner": FEE + EXPOSURE, "stranger": BOND, **SLASHED}
    assert await world.hub.status_of(world.id(terms)) == Status.REJECTED


async def test_after_deliver_by(world: World) -> None:
    """Until somebody expires it, the request is open."""
    terms = await asked(world)
    await world.try_at(terms.deliver_by + 1, report(world, terms))


@pytest.mark.parametrize("retired", [True, False])
async def test_who_is_not_registered_is_liable_all_the_same(world: World, retired: bool) -> None:
    terms = await asked(world)
    key = world.operator if retired else world.rival
    if retired:
        await world.send(world.nodes.retire(), world.operator)
    else:
        await world.send(world.nodes.stake(EXPOSURE), world.rival)
    await world.send(report(world, terms, key=key), world.stranger)
    assert (await world.nodes.stake_of(key.address)).bonded == 0


async def test_unknown(world: World) -> None:
    terms = await asked(world)
    other = replace(terms, exposure=terms.exposure + 1)
    await refused(world.send(report(world, other)), "UnknownRequest", id=world.id(other))


async def test_named_operator(world: World) -> None:
    terms = await asked(world, operator=world.operator.address)
    attempt = world.send(report(world, terms, key=world.rival))
    expected = {"received": world.rival.address, "expected": world.operator.address}
    await refused(attempt, "WrongOperator", **expected)
    await world.send(report(world, terms))


async def test_nothing_insured(world: World) -> None:
    """There is nothing to take, but the result is retracted."""
    gap = await delivered(world, exposure=0, bond=0)
    await world.send(world.nodes.stake(100), world.operator)
    before = await books(world)
    await world.send(report(world, gap.terms, OUTPUT), world.stranger)
    assert await before.moved() == {"owner": FEE}
    assert await world.nodes.stake_of(world.operator.address) == Stake(100, 0, 0, 0)
