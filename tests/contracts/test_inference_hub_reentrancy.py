# a consumer that calls the hub from inside of its callback
# ├── about the request it is called for
# │   ├── fulfil, expire ............... WrongStatus
# │   ├── fulfilMany ................... skips it
# │   └── retryCallback ................ NothingToRetry
# ├── money ............................ moves its own credit only
# ├── new questions .................... work as from outside
# └── and who is paid stays the same, on fulfil, fulfilMany and retryCallback

from tests.support.contract import Contract, codec
from tests.support.world import FEE, OUTPUT, World
from vouch.chain.abi import ContractError, decode_error
from vouch.chain.contracts import Call
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.status import Status

GAS = 3_000_000


async def asked(world: World, *, gas: int = GAS, salt: int = 1) -> tuple[Request, Contract]:
    consumer = await world.create("ReentrantConsumer", world.hub.address)
    terms = await world.terms(consumer=consumer.address, callback_gas=gas, salt=salt)
    await world.ask(terms, consumer)
    return terms, consumer


async def plan(world: World, consumer: Contract, *calls: Call) -> None:
    assert all(call.to == world.hub.address for call in calls)
    await world.send(consumer.call("setPlan", [call.data for call in calls]))


async def outcomes(consumer: Contract) -> list[bytes | ContractError]:
    """Of each planned call: what it returned, or its error."""
    succeeded, returned = await consumer.read("outcomes")
    return [data if ok else decode_error(data) for ok, data in zip(succeeded, returned, strict=True)]


def names(results: list[bytes | ContractError]) -> list[str]:
    return [result.name if isinstance(result, ContractError) else "ok" for result in results]


async def test_about_its_own_request(world: World) -> None:
    terms, consumer = await asked(world)
    forged = world.answer(terms, b"second")
    await plan(
        world,
        consumer,
        world.fulfilment(terms, b"second"),
        world.hub.fulfil_many([forged]),
        world.hub.expire(terms),
        world.hub.retry_callback(terms, world.operator.address, OUTPUT),
        world.hub.request(terms, b"input", value=0),
    )
    await world.fulfil(terms)
    results = await outcomes(consumer)
    assert names(results) == ["WrongStatus", "ok", "WrongStatus", "NothingToRetry", "RequestExists"]
    assert results[1] == bytes(32)
    assert [r.args.get("status") for r in results if isinstance(r, ContractError)][:2] == [Status.SETTLED] * 2
    assert await world.credit(world.operator) == FEE
    assert await world.credit(consumer) == 0
    assert await world.balance(world.hub.address) == FEE
    assert not (await world.hub.assurance_of(world.id(terms))).callback_failed


async def test_after_the_deadline_it_cannot_expire_what_just_settled(world: World) -> None:
    """The record is written before the callback: no second pays the operator and refunds the fee."""
    terms, consumer = await asked(world)
    await plan(world, consumer, world.hub.expire(terms))
    await world.send_at(terms.deliver_by, world.fulfilment(terms), world.stranger)
    assert names(await outcomes(consumer)) == ["WrongStatus"]
    assert (await world.credit(world.operator), await world.credit(consumer)) == (FEE, 0)


async def test_money(world: World) -> None:
    terms, consumer = await asked(world)
    await world.send(world.hub.deposit(7, consumer.address))
    await plan(
        world,
        consumer,
        world.hub.withdraw(FEE, consumer.address),
        world.hub.withdraw(4, consumer.address),
        world.hub.transfer_credit(4, world.rival.address),
        world.hub.transfer_credit(3, world.rival.address),
        Call(world.hub.address, codec("InferenceHub", "deposit").encode([NATIVE, 0, consumer.address])),
        Call(world.hub.address, codec("InferenceHub", "setOperator").encode([consumer.address, True])),
    )
    await world.fulfil(terms)
    assert names(await outcomes(consumer)) == [
        "InsufficientCredit",
        "ok",
        "InsufficientCredit",
        "ok",
        "ok",
        "NotRegistry",
    ]
    owned = [await world.credit(who) for who in (world.operator, consumer, world.rival)]
    assert owned == [FEE, 0, 3]
    assert await world.balance(world.hub.address) == FEE + 3
    assert await world.balance(consumer.address) == 4


async def test_withdrawing_while_money_arrives(world: World) -> None:
    """Debited before paid: who withdraws again from inside of the payment gets no more than it owns."""
    terms, consumer = await asked(world)
    await world.send(world.hub.deposit(1000, world.rival.address))
    await world.send(world.hub.deposit(10, consumer.address))
    withdraw = world.hub.withdraw(4, consumer.address)
    await plan(world, consumer, withdraw)
    await world.send(consumer.call("setGreeting", withdraw.data))
    await world.fulfil(terms)
    assert names(await outcomes(consumer)) == ["ok"]
    assert await consumer.read("greeted") == 1
    assert (await world.credit(consumer), await world.balance(consumer.address)) == (2, 8)
    assert await world.balance(world.hub.address) == 1000 + FEE + 2


async def test_a_new_question(world: World) -> None:
    terms, consumer = await asked(world)
    await world.send(world.hub.deposit(FEE, consumer.address))
    again = await world.terms(consumer=consumer.address, salt=2)
    await plan(world, consumer, world.hub.request(again, b"input", value=0), world.fulfilment(again))
    await world.fulfil(terms)
    assert names(await outcomes(consumer)) == ["ok", "ok"]
    assert await world.hub.status_of(world.id(again)) == Status.SETTLED
    assert await world.credit(world.operator) == 2 * FEE


async def test_in_a_retry(world: World) -> None:
    terms, consumer = await asked(world, gas=2_000)
    retry = world.hub.retry_callback(terms, world.operator.address, OUTPUT, GAS)
    await plan(world, consumer, retry, world.fulfilment(terms), world.hub.expire(terms))
    await world.fulfil(terms)
    assert (await world.hub.assurance_of(world.id(terms))).callback_failed
    await world.send(retry)
    assert names(await outcomes(consumer)) == ["NothingToRetry", "WrongStatus", "WrongStatus"]
    assert await world.credit(world.operator) == FEE
    assert not (await world.hub.assurance_of(world.id(terms))).callback_failed


async def test_retrying_anothers_callback_that_fails_leaves_it_retryable(world: World) -> None:
    """A retry inside of a callback reverts by itself and takes nothing else with it."""
    unwilling = await world.create("HostileConsumer", world.hub.address)
    await world.send(unwilling.call("setMode", 1))
    first = await world.terms(consumer=unwilling.address, callback_gas=60_000)
    await world.ask(first, unwilling)
    await world.fulfil(first)
    terms, consumer = await asked(world, salt=2)
    await plan(world, consumer, world.hub.retry_callback(first, world.operator.address, OUTPUT))
    await world.fulfil(terms)
    assert names(await outcomes(consumer)) == ["CallbackReverted"]
    assert (await world.hub.assurance_of(world.id(first))).callback_failed
    assert await world.hub.status_of(world.id(terms)) == Status.SETTLED


async def test_in_a_batch(world: World) -> None:
    """Settling a later item of the batch from inside: it is paid once."""
    (one, attacker), (two, _) = await asked(world), await asked(world, gas=200_000, salt=2)
    items = [world.answer(one), world.answer(two)]
    await plan(world, attacker, world.hub.fulfil_many(items), world.fulfilment(two))
    await world.send(world.hub.fulfil_many(items), world.stranger, 16_000_000)
    assert names(await outcomes(attacker)) == ["ok", "WrongStatus"]
    assert await world.credit(world.operator) == 2 * FEE
