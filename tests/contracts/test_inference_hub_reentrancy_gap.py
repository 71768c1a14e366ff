# a consumer that calls the hub from inside of its callback, in a gap
# ├── called with Delivered ........ may do what anybody may, and nothing twice
# │   └── nothing that it would be called back for: that takes more gas than a callback has
# ├── called with Settled .......... too late for everything
# ├── called with Rejected ......... too late for everything, and its insurance is there already
# ├── called with Expired .......... too late for everything
# └── called again in a retry ...... with more gas it may end its request there, once

from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.gaps import BOND, EXPOSURE, PROVE_WITHIN, asked, books, challenged, delivered, tombstoned
from tests.contracts.test_inference_hub_equivocation import TWO, report
from tests.contracts.test_inference_hub_reentrancy import GAS, names, outcomes, plan
from tests.support.contract import Contract
from tests.support.world import FEE, INPUT, OUTPUT, World, refused
from vouch.chain.events import (
    CallbackFailedLog,
    CallbackRetriedLog,
    ChallengedLog,
    DeliveredLog,
    EquivocatedLog,
    RejectedLog,
    SettledLog,
)
from vouch.chain.transaction import MAX_TX_GAS, Call
from vouch.protocol.request import Request
from vouch.protocol.status import Gate, Status

PROVISIONAL: dict[str, Any] = {"gate": Gate.ON_DELIVERY, "callback_gas": GAS}
LOCKED = EXPOSURE + BOND


def everything(world: World, terms: Request) -> list[Call]:
    """What there is to say about a request; the consumer sends no value, so a bond comes from its credit."""
    result = world.result(terms)
    return [
        world.hub.request(terms, INPUT, value=0),
        world.fulfilment(terms),
        world.delivery(terms),
        world.settlement(terms),
        world.settlement(terms, seal=b""),
        world.hub.challenge(*result, value=0),
        world.hub.reject(*result),
        report(world, terms, OUTPUT, TWO),
        world.hub.expire(terms),
        world.hub.expire_delivered(*result),
        world.hub.retry_callback(terms, world.operator.address, OUTPUT),
    ]


TOO_LATE = ["RequestExists", *["WrongStatus"] * 9, "NothingToRetry"]


async def reentrant(world: World) -> Contract:
    """With credit for a bond and a fee."""
    consumer = await world.create("ReentrantConsumer", world.hub.address)
    await world.send(world.hub.deposit(BOND + FEE, consumer.address))
    return consumer


async def test_after_a_settlement(world: World) -> None:
    consumer = await reentrant(world)
    gap = await challenged(world, consumer, callback_gas=GAS)
    await plan(world, consumer, *everything(world, gap.terms))
    before = await books(world, consumer=consumer.address)
    await world.send_at(gap.prove_by, world.settlement(gap.terms), world.stranger)
    assert names(await outcomes(consumer)) == TOO_LATE
    assert await before.moved() == {"operator": FEE + BOND, "operator's exposed": -LOCKED}
    assert not (await world.hub.assurance_of(world.id(gap.terms))).callback_failed


async def test_after_a_rejection(world: World) -> None:
    """Its fee and its insurance can be taken away at once, but not twice."""
    consumer = await reentrant(world)
    gap = await delivered(world, consumer, window=0, **PROVISIONAL)
    mine = BOND + FEE + FEE + EXPOSURE
    withdraw = world.hub.withdraw(mine, consumer.address)
    await plan(world, consumer, *everything(world, gap.terms), withdraw, withdraw)
    before = await books(world, consumer=consumer.address)
    call = world.hub.reject(*world.result(gap.terms))
    await world.send_at(gap.prove_by + 1, call, world.stranger)
    assert names(await outcomes(consumer)) == [*TOO_LATE, "ok", "InsufficientCredit"]
    assert await before.moved() == {
        "consumer": -BOND - FEE,
        "stranger": BOND,
        "registry": -LOCKED,
        "operator's bonded": -LOCKED,
        "operator's exposed": -LOCKED,
        "hub": -mine,
    }
    assert await world.balance(consumer.address) == mine


async def test_after_an_expiry(world: World) -> None:
    consumer = await reentrant(world)
    gap = await tombstoned(world, await challenged(world, consumer, **PROVISIONAL))
    await plan(world, consumer, *everything(world, gap.terms))
    before = await books(world, consumer=consumer.address)
    await world.send(world.hub.expire_delivered(*world.result(gap.terms)), world.stranger)
    assert names(await outcomes(consumer)) == TOO_LATE
    assert await before.moved() == {"consumer": FEE, "rival": BOND, "operator's exposed": -LOCKED}


async def test_in_a_delivery(world: World) -> None:
    """Nothing is due yet, and nothing happens twice; it may challenge as anybody may."""
    consumer = await reentrant(world)
    terms = await asked(world, consumer, **PROVISIONAL)
    provable = {3, 7}  # to settle it and to convict the operator is tried below
    calls = [call for i, call in enumerate(everything(world, terms)) if i not in provable]
    await plan(world, consumer, *calls)
    before = await books(world, consumer=consumer.address)
    time = await world.now() + 5
    receipt = await world.send_at(time, world.delivery(terms), world.stranger)
    assert names(await outcomes(consumer)) == [
        "RequestExists",
        "WrongStatus",
        "WrongStatus",
        "WindowNotPassed",
        "ok",
        "ProveByNotPassed",
        "WrongStatus",
        "RouteIsLive",
        "NothingToRetry",
    ]
    assert [type(log) for log in world.logs(receipt)] == [DeliveredLog, ChallengedLog]
    assert await before.moved() == {"consumer": -BOND, "operator's exposed": LOCKED}
    found = await world.hub.gap_of(terms)
    assert (found.status, found.challenger) == (Status.CHALLENGED, consumer.address)
    assert found.prove_by == time + PROVE_WITHIN


async def test_no_callback_fits_into_its_own(world: World) -> None:
    """What the hub would call the consumer back for takes as much gas as the consumer has at most."""
    consumer = await reentrant(world)
    terms = await asked(world, consumer, window=0, **PROVISIONAL)
    await plan(world, consumer, world.settlement(terms), report(world, terms, OUTPUT, TWO))
    before = await books(world, consumer=consumer.address)
    receipt = await world.deliver(terms, gas=MAX_TX_GAS)
    assert names(await outcomes(consumer)) == ["InsufficientGas"] * 2
    assert [type(log) for log in world.logs(receipt)] == [DeliveredLog]
    assert await before.moved() == {"operator's exposed": LOCKED}


@pytest.mark.parametrize("convicts", [False, True])
@pytest.mark.parametrize("rude", [False, True])
async def test_ended_in_a_retry_of_its_delivery(world: World, convicts: bool, rude: bool) -> None:
    """With the gas for both: called for the end inside of the beginning, and everything is paid once.

    A retry that fails takes the end, and what was paid, back with it.
    """
    consumer = await reentrant(world)
    terms = await asked(world, consumer, window=0, **PROVISIONAL)
    await world.send(consumer.call("setRude", True))
    await world.deliver(terms)
    end = report(world, terms, OUTPUT, TWO) if convicts else world.settlement(terms)
    await plan(world, consumer, end)
    await world.send(consumer.call("setRude", rude))
    before = await books(world, consumer=consumer.address)
    retry = world.hub.retry_callback(terms, world.operator.address, OUTPUT, 3 * GAS)
    if rude:
        await refused(world.send(retry, world.stranger), "CallbackReverted", reason=bytes(32))
        assert await before.moved() == {}
        return
    receipt = await world.send(retry, world.stranger)
    assert names(await outcomes(consumer)) == ["WrongStatus", "ok"]
    logs = [RejectedLog, EquivocatedLog] if convicts else [SettledLog]
    assert [type(log) for log in world.logs(receipt)] == [CallbackRetriedLog, *logs]
    if convicts:
        taken = {"registry": -LOCKED, "operator's bonded": -LOCKED, "operator's exposed": -LOCKED}
        assert await before.moved() == {"consumer": FEE + LOCKED, **taken}
    else:
        assert await before.moved() == {"operator": FEE, "operator's exposed": -LOCKED}
    assurance = await world.hub.assurance_of(world.id(terms))
    assert (assurance.status, assurance.callback_failed) == (
        Status.REJECTED if convicts else Status.SETTLED,
        False,
    )


async def test_challenged_in_a_delivery_whose_callback_fails(world: World) -> None:
    """A challenge says nothing to the consumer: the provisional result is still to be told again."""
    consumer = await reentrant(world)
    terms = await asked(world, consumer, **PROVISIONAL)
    await plan(world, consumer, world.hub.challenge(*world.result(terms), value=0))
    await world.send(consumer.call("setRude", True))
    receipt = await world.deliver(terms)
    assert [type(log) for log in world.logs(receipt)] == [DeliveredLog, ChallengedLog, CallbackFailedLog]
    assurance = await world.hub.assurance_of(world.id(terms))
    assert (assurance.status, assurance.callback_failed) == (Status.CHALLENGED, True)
    await world.send(consumer.call("setRude", False))
    await world.send(world.hub.retry_callback(terms, world.operator.address, OUTPUT))


async def test_another_request_in_a_delivery(world: World) -> None:
    """A new question, answered and settled inside: both requests keep their own stake and money."""
    consumer = await reentrant(world)
    terms = await asked(world, consumer, **PROVISIONAL)
    again = replace(terms, salt=2, callback_gas=0)
    await world.send(world.nodes.stake(LOCKED), world.operator)
    await plan(
        world,
        consumer,
        world.hub.request(again, INPUT, value=0),
        world.delivery(again),
        world.settlement(again),
    )
    before = await books(world, consumer=consumer.address)
    await world.deliver(terms)
    assert names(await outcomes(consumer)) == ["ok", "ok", "ok"]
    assert await before.moved() == {
        "consumer": -FEE,
        "operator": FEE,
        "operator's exposed": LOCKED,
    }
    assert await world.hub.status_of(world.id(again)) == Status.SETTLED
    assert await world.hub.status_of(world.id(terms)) == Status.DELIVERED
