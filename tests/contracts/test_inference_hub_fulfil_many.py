# fulfilMany
# ├── empty .............................................. nothing, zero
# ├── terms that were never asked ........................ UnknownRequest, nothing settles
# ├── ended, or after deliverBy .......................... skipped, even on a dead route
# ├── twice in one batch ................................. the second is skipped
# ├── settled by an earlier item's callback .............. skipped
# ├── routes in any order ................................ checked by its own verifier, found once in a row
# ├── a dead route, a bad seal, a wrong operator ......... its error, nothing settles
# ├── a callback that fails .............................. recorded, the others go on
# └── returns how many settled now

from dataclasses import replace

from tests.support.contract import codec
from tests.support.world import FEE, OUTPUT, World, refused
from vouch.chain.contracts import Fulfilment
from vouch.chain.events import CallbackFailedLog, SettledLog
from vouch.chain.transaction import MAX_TX_GAS
from vouch.protocol.keccak import keccak
from vouch.protocol.request import Request
from vouch.protocol.status import Status

OTHER_ROUTE = b"SIG2"


async def asked(world: World, count: int, **changes: object) -> list[Request]:
    made = [await world.terms(salt=salt, **changes) for salt in range(count)]
    for terms in made:
        await world.ask(terms)
    return made


async def returned(world: World, items: list[Fulfilment]) -> int:
    call = world.hub.fulfil_many(items)
    return int.from_bytes(await world.try_at(await world.now() + 1, call), "big")


async def statuses(world: World, all_terms: list[Request]) -> list[Status]:
    return [await world.hub.status_of(world.id(terms)) for terms in all_terms]


async def test_nothing(world: World) -> None:
    assert await returned(world, []) == 0


async def test_all(world: World) -> None:
    terms = await asked(world, 3)
    items = [world.answer(t, b"%d" % t.salt) for t in terms]
    assert await returned(world, items) == 3
    receipt = await world.send(world.hub.fulfil_many(items), world.stranger)
    logs = world.logs(receipt)
    assert [(type(log), log.id, log.output) for log in logs if isinstance(log, SettledLog)] == [
        (SettledLog, world.id(t), b"%d" % t.salt) for t in terms
    ]
    assert await world.credit(world.operator) == 3 * FEE
    for t in terms:
        assert await world.hub.is_answer(world.id(t), world.operator.address, keccak(b"%d" % t.salt))


async def test_ended_ones_are_skipped(world: World) -> None:
    settled, expired, overdue, fine = await asked(world, 3) + [await world.terms(salt=9, deliver_by=2**32)]
    deliver_by = await world.now() + 7200
    fine = replace(fine, deliver_by=deliver_by)
    await world.ask(fine)
    await world.fulfil(settled)
    await world.send(world.hub.expire(expired))  # its model was never published
    items = [world.answer(t, b"new") for t in (settled, expired, overdue, fine)]
    receipt = await world.send_at(overdue.deliver_by + 1, world.hub.fulfil_many(items), world.stranger)
    (log,) = world.logs(receipt)
    assert isinstance(log, SettledLog)
    assert log.id == world.id(fine)
    assert await statuses(world, [settled, expired, overdue, fine]) == [
        Status.SETTLED,
        Status.EXPIRED,
        Status.REQUESTED,
        Status.SETTLED,
    ]
    assert await world.hub.is_answer(world.id(settled), world.operator.address, keccak(OUTPUT))
    assert await world.credit(world.operator) == 2 * FEE


async def test_deliver_by_is_the_last_second(world: World) -> None:
    (terms,) = await asked(world, 1)
    call = world.hub.fulfil_many([world.answer(terms)])
    assert int.from_bytes(await world.try_at(terms.deliver_by, call), "big") == 1
    assert int.from_bytes(await world.try_at(terms.deliver_by + 1, call), "big") == 0


async def test_skipped_ones_are_not_looked_at(world: World) -> None:
    """Neither the seal nor the route of an ended request can stop a batch."""
    done, live = await asked(world, 2)
    await world.fulfil(done)
    junk = Fulfilment(done, world.rival.address, b"x" * 70_000, b"")
    dead = await world.terms(route=b"NONE", salt=7)
    await world.ask(dead)
    await world.send(world.hub.expire(dead))
    items = [junk, Fulfilment(dead, world.operator.address, OUTPUT, b"NONE"), world.answer(live)]
    assert await returned(world, items) == 1


async def test_twice_in_one_batch(world: World) -> None:
    (terms,) = await asked(world, 1)
    items = [world.answer(terms, b"first"), world.answer(terms, b"second")]
    assert await returned(world, items) == 1
    await world.send(world.hub.fulfil_many(items))
    assert await world.hub.is_answer(world.id(terms), world.operator.address, keccak(b"first"))
    assert await world.credit(world.operator) == FEE


async def test_settled_by_the_callback_before(world: World) -> None:
    consumer = await world.create("ReentrantConsumer", world.hub.address)
    second = await world.terms(salt=2)
    await world.ask(second)
    first = await world.terms(consumer=consumer.address, callback_gas=400_000)
    await world.ask(first, consumer)
    await world.send(consumer.call("setPlan", [world.fulfilment(second, b"inside").data]))
    items = [world.answer(first), world.answer(second, b"outside")]
    assert await returned(world, items) == 1
    await world.send(world.hub.fulfil_many(items))
    assert await world.hub.is_answer(world.id(second), world.operator.address, keccak(b"inside"))
    assert await world.credit(world.operator) == 2 * FEE


async def test_unknown_request(world: World) -> None:
    (terms,) = await asked(world, 1)
    never = await world.terms(salt=99)
    items = [world.answer(terms), world.answer(never)]
    await refused(world.send(world.hub.fulfil_many(items)), "UnknownRequest", id=world.id(never))
    late = world.hub.fulfil_many(items[1:])
    await refused(world.try_at(never.deliver_by + 1, late), "UnknownRequest", id=world.id(never))
    assert await statuses(world, [terms]) == [Status.REQUESTED]


async def test_mixed_routes(world: World) -> None:
    verifier = await world.create("SignatureVerifier", world.hub.address)
    await world.send(world.router.add(OTHER_ROUTE, verifier.address, "Signed"))
    routes = [b"SIGN", OTHER_ROUTE, OTHER_ROUTE, b"SIGN"]
    terms = [await world.terms(salt=i, route=route) for i, route in enumerate(routes)]
    for t in terms:
        await world.ask(t)
    items = [world.answer(t) for t in terms]
    assert await returned(world, items) == 4

    swapped = replace(items[1], seal=world.seal(terms[1], route=b"SIGN"))
    await refused(
        world.send(world.hub.fulfil_many([items[0], swapped])),
        "WrongRoute",
        received=b"SIGN",
        expected=OTHER_ROUTE,
    )
    await world.send(world.router.tombstone(OTHER_ROUTE))
    await refused(world.send(world.hub.fulfil_many(items)), "RouteIsTombstoned", route=OTHER_ROUTE)
    assert await statuses(world, terms) == [Status.REQUESTED] * 4
    await world.send(world.hub.fulfil_many([items[0], items[3]]))
    assert await world.credit(world.operator) == 2 * FEE


async def test_verifiers_are_not_mixed_up(world: World) -> None:
    """A verifier of another hub behind the second route: only items of that route are checked by it."""
    foreign = await world.create("SignatureVerifier", world.rival.address)
    await world.send(world.router.add(OTHER_ROUTE, foreign.address, "Foreign"))
    terms = [await world.terms(salt=i, route=r) for i, r in enumerate([b"SIGN", OTHER_ROUTE, b"SIGN"])]
    for t in terms:
        await world.ask(t)
    claim = world.claim(terms[1])
    proof = world.operator.sign_claim(claim, world.deployment.chain_id, world.rival.address).proof
    items = [world.answer(t) for t in terms]
    items[1] = replace(items[1], seal=OTHER_ROUTE + proof)
    assert await returned(world, items) == 3


async def test_a_route_is_looked_up_once_in_a_row(world: World) -> None:
    """So whoever sorts a batch by route pays for fewer of them."""
    verifier = await world.create("SignatureVerifier", world.hub.address)
    await world.send(world.router.add(OTHER_ROUTE, verifier.address, "Signed"))
    first, second = await asked(world, 2), await asked(world, 2, route=OTHER_ROUTE)
    a, b, c, d = (world.answer(terms) for terms in (*first, *second))

    async def lookups(items: list[Fulfilment]) -> int:
        tx = world.hub.fulfil_many(items).to_rpc(world.stranger.address, MAX_TX_GAS)
        trace = await world.rpc.call("debug_traceCall", tx, "latest", {"tracer": "callTracer"})
        assert "error" not in trace
        return [call["to"].lower() for call in trace["calls"]].count(world.router.address.lower())

    assert await lookups([a, b, c, d]) == 2
    assert await lookups([a, c, b, d]) == 4


async def test_zero_route_first(world: World) -> None:
    """Zero is where the loop starts; it must not pass for a route that was looked up."""
    terms = await world.terms(route=bytes(4))
    await world.ask(terms)
    item = Fulfilment(terms, world.operator.address, OUTPUT, bytes(69))
    await refused(world.send(world.hub.fulfil_many([item])), "UnknownRoute", route=bytes(4))


async def test_one_bad_seal(world: World) -> None:
    terms = await asked(world, 3)
    items = [world.answer(t) for t in terms]
    items[2] = replace(items[2], seal=items[2].seal[:-1])
    await refused(world.send(world.hub.fulfil_many(items)), "WrongSealLength", received=68, expected=69)
    assert await statuses(world, terms) == [Status.REQUESTED] * 3
    assert await world.credit(world.operator) == 0


async def test_checks_of_fulfil(world: World) -> None:
    (terms,) = await asked(world, 1, operator=world.operator.address)
    await world.send(world.nodes.register("http://rival"), world.rival)
    await refused(
        world.send(world.hub.fulfil_many([world.answer(terms, key=world.rival)])),
        "WrongOperator",
        received=world.rival.address,
        expected=world.operator.address,
    )
    await refused(
        world.send(world.hub.fulfil_many([world.answer(terms, bytes(65_537))])),
        "OutputTooLarge",
        size=65_537,
        max=65_536,
    )
    await world.send(world.nodes.retire(), world.operator)
    await refused(
        world.send(world.hub.fulfil_many([world.answer(terms)])),
        "UnregisteredOperator",
        operator=world.operator.address,
    )


async def test_a_failing_callback_stops_nobody(world: World) -> None:
    consumer = await world.create("HostileConsumer", world.hub.address)
    await world.send(consumer.call("setMode", 1))
    bad = await world.terms(consumer=consumer.address, callback_gas=100_000, salt=5)
    await world.ask(bad, consumer)
    good = await asked(world, 2)
    items = [world.answer(t) for t in (good[0], bad, good[1])]
    receipt = await world.send(world.hub.fulfil_many(items))
    assert [type(log) for log in world.logs(receipt)] == [
        SettledLog,
        SettledLog,
        CallbackFailedLog,
        SettledLog,
    ]
    assert (await world.hub.assurance_of(world.id(bad))).callback_failed
    assert await world.credit(world.operator) == 3 * FEE


async def test_malformed_list(world: World) -> None:
    """An offset out of calldata is refused by the decoder, with nothing settled."""
    (terms,) = await asked(world, 1)
    data = codec("InferenceHub", "fulfilMany").encode([[]])
    broken = data[:-32] + (2**64).to_bytes(32, "big")
    call = replace(world.fulfilment(terms), data=broken)
    await refused(world.send(call), "")
