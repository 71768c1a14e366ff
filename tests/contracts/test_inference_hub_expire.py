# expire
# ├── terms that were never asked ...................... UnknownRequest
# ├── request has ended ................................ WrongStatus
# ├── up to deliverBy, with a live route and a model ... DeliverByNotPassed
# └── after deliverBy; or at once if the route is unknown or withdrawn, or the model unpublished;
#     sent by anybody
#     ├── fee is credited to refundTo, else to the consumer, in its token
#     └── Expired is logged and recorded, the route stays readable

from dataclasses import replace

import pytest

from tests.support.world import FEE, MANIFEST, World, refused
from vouch.chain.events import ExpiredLog
from vouch.protocol.request import Request
from vouch.protocol.status import Assurance, Status


async def asked(world: World, **changes: object) -> Request:
    """A request that an operator can answer, so that only time can end it."""
    await world.send(world.models.publish("m", MANIFEST))
    terms = await world.terms(**changes)
    await world.ask(terms)
    return terms


async def test_too_early(world: World) -> None:
    terms = await asked(world)
    last = terms.deliver_by
    call = world.hub.expire(terms)
    await refused(world.try_at(last, call), "DeliverByNotPassed", deliverBy=last, now_=last)
    early = await world.now() + 1
    await refused(world.try_at(early, call), "DeliverByNotPassed", deliverBy=last, now_=early)


async def test_anybody_after_the_deadline(world: World) -> None:
    terms = await asked(world)
    receipt = await world.send_at(terms.deliver_by + 1, world.hub.expire(terms), world.stranger)
    (log,) = world.logs(receipt)
    assert isinstance(log, ExpiredLog)
    assert log.id == world.id(terms)
    assert await world.hub.assurance_of(world.id(terms)) == Assurance(
        Status.EXPIRED, False, False, b"SIGN", 0, 0, bytes(18)
    )
    assert await world.credit(world.owner) == FEE
    assert await world.credit(world.stranger) == await world.credit(world.operator) == 0
    assert await world.balance(world.hub.address) == FEE


async def test_refund_to(world: World) -> None:
    terms = await asked(world, refund_to=world.rival.address)
    await world.send_at(terms.deliver_by + 1, world.hub.expire(terms), world.stranger)
    assert (await world.credit(world.rival), await world.credit(world.owner)) == (FEE, 0)


async def test_refund_keeps_an_operators_mark(world: World) -> None:
    terms = await asked(world, refund_to=world.operator.address)
    await world.send_at(terms.deliver_by + 1, world.hub.expire(terms), world.stranger)
    assert await world.credit(world.operator) == FEE
    again = await world.terms(salt=2)
    await world.ask(again)
    await world.fulfil(again)
    assert await world.credit(world.operator) == 2 * FEE


async def test_erc20(world: World) -> None:
    token = (await world.token()).address
    await world.send(world.hub.deposit(FEE, world.owner.address, token))
    terms = await asked(world, token=token)
    assert await world.credit(world.owner, token) == 0
    await world.send_at(terms.deliver_by + 1, world.hub.expire(terms), world.stranger)
    assert (await world.credit(world.owner, token), await world.credit(world.owner)) == (FEE, 0)


async def test_twice(world: World) -> None:
    terms = await asked(world)
    await world.send_at(terms.deliver_by + 1, world.hub.expire(terms))
    await refused(
        world.send(world.hub.expire(terms)), "WrongStatus", id=world.id(terms), status=Status.EXPIRED
    )
    assert await world.credit(world.owner) == FEE


async def test_settled(world: World) -> None:
    terms = await asked(world)
    await world.fulfil(terms)
    await refused(
        world.try_at(terms.deliver_by + 1, world.hub.expire(terms)),
        "WrongStatus",
        id=world.id(terms),
        status=Status.SETTLED,
    )


@pytest.mark.parametrize("change", [{"fee": FEE + 1}, {"refund_to": "0x" + "11" * 20}, {"salt": 2}])
async def test_other_terms(world: World, change: dict[str, object]) -> None:
    terms = await asked(world)
    other = replace(terms, **change)  # type: ignore[arg-type]  # each value fits its field
    await refused(
        world.try_at(terms.deliver_by + 1, world.hub.expire(other)), "UnknownRequest", id=world.id(other)
    )


async def test_unknown_route_at_once(world: World) -> None:
    terms = await asked(world, route=b"NONE")
    await world.send(world.hub.expire(terms), world.stranger)
    assert await world.credit(world.owner) == FEE


async def test_tombstoned_route_at_once(world: World) -> None:
    """A withdrawn route costs the operator nothing and the consumer only time."""
    terms = await asked(world)
    await world.send(world.nodes.stake(5), world.operator)
    await world.send(world.router.tombstone(b"SIGN"))
    await world.send(world.hub.expire(terms), world.stranger)
    assert await world.hub.status_of(world.id(terms)) == Status.EXPIRED
    assert await world.credit(world.owner) == FEE
    assert (await world.nodes.stake_of(world.operator.address)).bonded == 5


async def test_unpublished_model_at_once(world: World) -> None:
    terms = await world.terms()
    await world.ask(terms)
    await world.send(world.hub.expire(terms), world.stranger)
    assert await world.credit(world.owner) == FEE


async def test_a_contract_gets_its_refund_as_credit(world: World) -> None:
    """Nothing is called, so a consumer that refuses money cannot stop the end of its request."""
    consumer = await world.create("HostileConsumer", world.hub.address)
    terms = await world.terms(consumer=consumer.address)
    await world.ask(terms, consumer)
    await world.send(world.hub.expire(terms), world.stranger)
    assert await world.credit(consumer) == FEE
