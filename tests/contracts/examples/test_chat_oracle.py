# constructor
# ├── model was never published ........ UnknownModel
# └── route is not live ................ UnknownRoute
# ask
# ├── nothing .......................... EmptyQuestion
# └── otherwise ........................ numbered, asked, logged
# answer
# ├── up to MAX_ANSWER bytes ........... stored and logged
# └── longer ........................... cut between characters, so that it always fits the callback's gas
# nobody answers ....................... fee back to the one who asked

import pytest

from tests.support.contract import Contract, member
from tests.support.world import FEE, MANIFEST, MODEL, World, refused
from vouch.chain.codec import Event
from vouch.chain.events import RequestedLog, SettledLog
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import SIGNED

MAX_ANSWER = 512


async def deployed(world: World) -> Contract:
    await world.send(world.models.publish("chat", MANIFEST))
    return await world.create("ChatOracle", world.hub.address, MODEL, SIGNED, bytes(32))


async def ask(world: World, oracle: Contract, question: str = "Why?") -> Request:
    receipt = await world.send(oracle.call("ask", question, NATIVE, value=FEE))
    (log,) = world.logs(receipt)
    assert isinstance(log, RequestedLog)
    assert log.input == question.encode()
    asked = Event("ChatOracle", member("ChatOracle", "event", "Asked")).decode(receipt.logs[-1])
    assert asked == {
        "number": log.request.salt,
        "who": world.owner.address,
        "id": log.id,
        "question": question,
    }
    return log.request


async def test_model_and_route_must_exist(world: World) -> None:
    hub = world.hub.address
    await refused(world.create("ChatOracle", hub, MODEL, SIGNED, bytes(32)), "UnknownModel", modelId=MODEL)
    await world.send(world.models.publish("chat", MANIFEST))
    await refused(world.create("ChatOracle", hub, MODEL, b"NONE", bytes(32)), "UnknownRoute", route=b"NONE")


async def test_question_and_answer(world: World) -> None:
    oracle = await deployed(world)
    terms = await ask(world, oracle, "Wie hoch ist der Zins – 5 %?")
    assert (terms.salt, terms.refund_to, terms.callback_gas) == (1, world.owner.address, 400_000)
    receipt = await world.fulfil(terms, "fünf %".encode())
    assert await oracle.read("answers", 1) == "fünf %"
    answered = Event("ChatOracle", member("ChatOracle", "event", "Answered")).decode(receipt.logs[-1])
    assert answered == {"number": 1, "answer": "fünf %"}


async def test_questions_are_numbered(world: World) -> None:
    oracle = await deployed(world)
    first, second = await ask(world, oracle), await ask(world, oracle)
    assert (first.salt, second.salt, await oracle.read("questions")) == (1, 2, 2)
    await world.fulfil(second, b"two")
    await world.fulfil(first, b"one")
    assert [await oracle.read("answers", n) for n in (1, 2, 3)] == ["one", "two", ""]


async def test_empty_question(world: World) -> None:
    oracle = await deployed(world)
    await refused(world.send(oracle.call("ask", "", NATIVE)), "EmptyQuestion")


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, MAX_ANSWER - 1, MAX_ANSWER, MAX_ANSWER + 1, 20_000])
async def test_answers_of_every_length_fit_the_callback(world: World, size: int) -> None:
    oracle = await deployed(world)
    terms = await ask(world, oracle)
    answer = "".join(chr(ord("a") + i % 26) for i in range(size))
    receipt = await world.fulfil(terms, answer.encode())
    assert [type(log) for log in world.logs(receipt)] == [SettledLog]
    assert await oracle.read("answers", 1) == answer[:MAX_ANSWER]


@pytest.mark.parametrize("character", ["é", "語", "😀"])
@pytest.mark.parametrize("before", [0, 1, 2, 3])
async def test_an_answer_is_cut_between_characters(world: World, character: str, before: int) -> None:
    oracle = await deployed(world)
    terms = await ask(world, oracle)
    answer = "a" * before + character * 300
    await world.fulfil(terms, answer.encode())
    fits = (MAX_ANSWER - before) // len(character.encode())
    assert await oracle.read("answers", 1) == "a" * before + character * fits


async def test_bytes_that_are_no_text_cannot_eat_the_answer(world: World) -> None:
    oracle = await deployed(world)
    terms = await ask(world, oracle)
    receipt = await world.fulfil(terms, b"a" * 400 + b"\x80" * 400)
    assert [type(log) for log in world.logs(receipt)] == [SettledLog]
    call = oracle.call("answers", 1)
    stored = await world.try_at(await world.now() + 1, call)
    assert int.from_bytes(stored[32:64], "big") == MAX_ANSWER - 3


async def test_nobody_answers(world: World) -> None:
    oracle = await deployed(world)
    terms = await ask(world, oracle)
    await world.send_at(terms.deliver_by + 1, world.hub.expire(terms), world.stranger)
    assert await world.credit(world.owner) == FEE
