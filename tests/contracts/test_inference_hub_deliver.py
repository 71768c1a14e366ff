# deliver (which call is for which state: test_inference_hub_states)
# ├── terms that were never asked ................................ UnknownRequest
# ├── delivered, challenged or ended ............................. WrongStatus
# ├── after deliverBy ............................................ DeliverByPassed
# ├── window and proveWithin are zero ............................ NoGap
# ├── terms name another operator ................................ WrongOperator
# ├── output over MAX_OUTPUT ..................................... OutputTooLarge
# ├── operator is not registered ................................. UnregisteredOperator
# ├── route was never added, or was withdrawn .................... UnknownRoute, RouteIsTombstoned
# ├── signature is no signature of the operator's ................ test_inference_hub_deliver_signature
# ├── free stake in the terms' token is below exposure + bond .... test_inference_hub_deliver_stake
# └── otherwise, sent by anybody
#     ├── exposure + bond are locked, and nobody is paid
#     ├── record says Delivered, when, on which route, with which answer
#     └── Delivered is logged

from dataclasses import replace

import pytest

from tests.contracts.gaps import BOND, EXPOSURE, asked, books, currency, delivered
from tests.contracts.test_inference_hub_fulfil import CHANGED, MAX_OUTPUT
from tests.contracts.test_inference_hub_request import slot
from tests.support.world import OUTPUT, World, refused
from vouch.chain.events import DeliveredLog
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import SIGNED
from vouch.protocol.status import Assurance, Status


@pytest.mark.parametrize("native", [True, False])
async def test_delivers(world: World, native: bool) -> None:
    terms = await asked(world, token=await currency(world, native=native))
    before = await books(world, terms.token)
    time = await world.now() + 5
    receipt = await world.send_at(time, world.delivery(terms), world.stranger)

    (log,) = world.logs(receipt)
    assert isinstance(log, DeliveredLog)
    assert (log.id, log.operator, log.output) == (world.id(terms), world.operator.address, OUTPUT)
    assert [log.address for log in receipt.logs] == [world.hub.address]
    assert await before.moved() == {"operator's exposed": EXPOSURE + BOND}

    operator = bytes(12) + bytes.fromhex(world.operator.address[2:])
    answer = keccak(world.id(terms) + operator + keccak(OUTPUT))[:18]
    packed = Status.DELIVERED | int.from_bytes(SIGNED, "big") << 16 | time << 48
    assert await slot(world, terms) == packed | int.from_bytes(answer, "big") << 112
    assert await world.hub.assurance_of(world.id(terms)) == Assurance(
        Status.DELIVERED, False, False, SIGNED, time, 0, answer
    )


async def test_is_answer(world: World) -> None:
    terms = await asked(world)
    _, operator, output_hash = world.result(terms)
    assert not await world.hub.is_answer(world.id(terms), operator, output_hash)
    await world.deliver(terms)
    assert await world.hub.is_answer(world.id(terms), operator, output_hash)
    assert not await world.hub.is_answer(world.id(terms), world.rival.address, output_hash)
    assert not await world.hub.is_answer(world.id(terms), operator, keccak(b"another output"))


@pytest.mark.parametrize("field", CHANGED)
async def test_other_terms(world: World, field: str) -> None:
    terms = await asked(world)
    other = replace(terms, **{field: CHANGED[field]})
    await refused(world.deliver(other), "UnknownRequest", id=world.id(other))


async def test_twice(world: World) -> None:
    """Also by another operator and with another output: the first delivery is the only one."""
    terms = (await delivered(world)).terms
    await world.send(world.nodes.register("http://rival"), world.rival)
    await world.send(world.nodes.stake(EXPOSURE + BOND), world.rival)
    wrong = {"id": world.id(terms), "status": Status.DELIVERED}
    await refused(world.deliver(terms), "WrongStatus", **wrong)
    await refused(world.deliver(terms, b"other"), "WrongStatus", **wrong)
    await refused(world.deliver(terms, key=world.rival), "WrongStatus", **wrong)
    await refused(world.fulfil(terms), "WrongStatus", **wrong)
    await refused(world.fulfil(terms, key=world.rival), "WrongStatus", **wrong)
    assert (await world.nodes.stake_of(world.operator.address)).exposed == EXPOSURE + BOND


async def test_a_batch_skips_what_was_delivered(world: World) -> None:
    terms = (await delivered(world)).terms
    call = world.hub.fulfil_many([world.answer(terms)])
    assert await world.try_at(await world.now() + 1, call) == bytes(32)


async def test_what_was_delivered_does_not_expire(world: World) -> None:
    gap = await delivered(world)
    await refused(
        world.try_at(gap.terms.deliver_by + 1, world.hub.expire(gap.terms)),
        "WrongStatus",
        id=world.id(gap.terms),
        status=Status.DELIVERED,
    )
    challenge = world.hub.challenge(*world.result(gap.terms))
    await world.send(challenge, world.rival)
    await refused(
        world.try_at(gap.terms.deliver_by + 1, world.hub.expire(gap.terms)),
        "WrongStatus",
        id=world.id(gap.terms),
        status=Status.CHALLENGED,
    )


async def test_deadline(world: World) -> None:
    terms = await asked(world)
    call, last = world.delivery(terms), terms.deliver_by
    await refused(world.try_at(last + 1, call), "DeliverByPassed", deliverBy=last, now_=last + 1)
    await world.send_at(last, call, world.stranger)
    assert await world.hub.status_of(world.id(terms)) == Status.DELIVERED


async def test_without_time_for_a_proof(world: World) -> None:
    terms = await asked(world, window=0, prove_within=0)
    await refused(world.deliver(terms), "NoGap")
    await world.fulfil(terms)


@pytest.mark.parametrize(("window", "prove_within"), [(1, 0), (0, 1)])
async def test_either_time_is_enough(world: World, window: int, prove_within: int) -> None:
    terms = await asked(world, window=window, prove_within=prove_within)
    await world.deliver(terms)
    assert await world.hub.status_of(world.id(terms)) == Status.DELIVERED


async def test_named_operator(world: World) -> None:
    await world.send(world.nodes.register("http://rival"), world.rival)
    await world.send(world.nodes.stake(EXPOSURE + BOND), world.rival)
    terms = await asked(world, operator=world.operator.address)
    await refused(
        world.deliver(terms, key=world.rival),
        "WrongOperator",
        received=world.rival.address,
        expected=world.operator.address,
    )
    await world.deliver(terms)


async def test_any_operator(world: World) -> None:
    await world.send(world.nodes.register("http://rival"), world.rival)
    terms = await asked(world)
    await world.send(world.nodes.stake(EXPOSURE + BOND), world.rival)
    before = await books(world)
    await world.deliver(terms, key=world.rival)
    assert await before.moved() == {"rival's exposed": EXPOSURE + BOND}


async def test_unregistered_operator(world: World) -> None:
    terms = await asked(world)
    await world.send(world.nodes.stake(EXPOSURE + BOND), world.rival)
    await refused(world.deliver(terms, key=world.rival), "UnregisteredOperator", operator=world.rival.address)
    await world.send(world.nodes.retire(), world.operator)
    await refused(world.deliver(terms), "UnregisteredOperator", operator=world.operator.address)
    await world.send(world.nodes.register("http://again"), world.operator)
    await world.deliver(terms)


async def test_output_size(world: World) -> None:
    terms = await asked(world)
    large = b"\x01" * (MAX_OUTPUT + 1)
    await refused(world.deliver(terms, large), "OutputTooLarge", size=MAX_OUTPUT + 1, max=MAX_OUTPUT)
    await world.deliver(terms, large[1:])


async def test_empty_output(world: World) -> None:
    terms = await asked(world)
    await world.deliver(terms, b"")
    assert await world.hub.is_answer(world.id(terms), world.operator.address, keccak(b""))


async def test_dead_route(world: World) -> None:
    """No proof could come: the insurance would be void, and the operator could not be blamed."""
    unknown, withdrawn = await asked(world, route=b"NONE"), await asked(world)
    await refused(world.deliver(unknown), "UnknownRoute", route=b"NONE")
    await world.send(world.router.tombstone(SIGNED))
    await refused(world.deliver(withdrawn), "RouteIsTombstoned", route=SIGNED)
    assert (await world.nodes.stake_of(world.operator.address)).exposed == 0
