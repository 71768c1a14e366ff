# fulfil
# ├── terms that were never asked, in any of the 17 fields ...... UnknownRequest
# ├── request has ended ......................................... WrongStatus
# ├── after deliverBy ........................................... DeliverByPassed
# ├── route was never added ..................................... UnknownRoute
# ├── route was withdrawn ....................................... RouteIsTombstoned
# ├── terms name another operator ............................... WrongOperator
# ├── output over MAX_OUTPUT .................................... OutputTooLarge
# ├── seal of another route, or too short to have one ........... WrongRoute
# ├── the verifier refuses ...................................... its own error
# ├── operator is not registered ................................ UnregisteredOperator
# └── otherwise, sent by anybody
#     ├── operator is credited with the fee in its token
#     ├── record says Settled, when, on which route, with which answer
#     └── Settled is logged

from dataclasses import fields, replace
from typing import Any

import pytest

from tests.contracts.test_inference_hub_request import slot, with_bit
from tests.support.world import FEE, MANIFEST, OUTPUT, World, refused
from vouch.chain.events import SettledLog
from vouch.protocol.claim import Claim
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import SIGNED, Seal, recover_signer
from vouch.protocol.status import Gate, Status

MAX_OUTPUT = 65_536
PROVEN = 1 << 9
OTHER = "0x00000000000000000000000000000000000000A1"

CHANGED: dict[str, Any] = {
    "consumer": OTHER,
    "operator": OTHER,
    "refund_to": OTHER,
    "token": OTHER,
    "fee": FEE + 1,
    "exposure": 1,
    "bond": 1,
    "deliver_by": 2**40,
    "prove_within": 1,
    "window": 1,
    "callback_gas": 1,
    "gate": Gate.ON_DELIVERY,
    "route": b"SIGM",
    "trust": b"\x01" + bytes(31),
    "model_id": bytes(32),
    "input_hash": bytes(32),
    "salt": 2,
}


async def test_settles(world: World) -> None:
    terms = await world.terms()
    await world.ask(terms)
    time = await world.now() + 5
    receipt = await world.send_at(time, world.fulfilment(terms), world.stranger)

    (log,) = world.logs(receipt)
    assert isinstance(log, SettledLog)
    assert (log.id, log.operator, log.output) == (world.id(terms), world.operator.address, OUTPUT)
    assert await world.credit(world.operator) == FEE
    assert await world.credit(world.stranger) == await world.credit(world.owner) == 0
    assert await world.balance(world.hub.address) == FEE

    answer = keccak(world.id(terms) + bytes(12) + bytes.fromhex(world.operator.address[2:]) + keccak(OUTPUT))[
        :18
    ]
    head = Status.SETTLED | PROVEN | int.from_bytes(SIGNED, "big") << 16
    packed = head | time << 48 | time << 80
    assert await slot(world, terms) == packed | int.from_bytes(answer, "big") << 112
    assurance = await world.hub.assurance_of(world.id(terms))
    assert (assurance.status, assurance.callback_failed, assurance.proven) == (Status.SETTLED, False, True)
    assert (assurance.route, assurance.delivered_at, assurance.settled_at) == (SIGNED, time, time)
    assert assurance.answer == answer


async def test_is_answer(world: World) -> None:
    terms = await world.terms()
    await world.ask(terms)
    given = (world.id(terms), world.operator.address, keccak(OUTPUT))
    assert not await world.hub.is_answer(*given)
    await world.fulfil(terms)
    assert await world.hub.is_answer(*given)
    assert not await world.hub.is_answer(keccak(b"another id"), *given[1:])
    assert not await world.hub.is_answer(given[0], world.rival.address, given[2])
    assert not await world.hub.is_answer(*given[:2], keccak(b"another output"))


def test_every_field_is_changed_once() -> None:
    assert list(CHANGED) == [field.name for field in fields(Request)]


@pytest.mark.parametrize("field", CHANGED)
async def test_other_terms(world: World, field: str) -> None:
    terms = await world.terms()
    await world.ask(terms)
    other = replace(terms, **{field: CHANGED[field]})
    await refused(world.fulfil(other), "UnknownRequest", id=world.id(other))


async def test_terms_with_dirty_bits(world: World) -> None:
    terms = await world.terms()
    await world.ask(terms)
    for word in range(17):
        data = with_bit(world.fulfilment(terms), word, 0 if word == 12 else 255)
        other = keccak(
            world.deployment.chain_id.to_bytes(32, "big")
            + bytes(12)
            + bytes.fromhex(world.hub.address[2:])
            + data.data[4 : 4 + 17 * 32]
        )
        await refused(world.send(data, world.stranger), "UnknownRequest", id=other)


async def test_twice(world: World) -> None:
    terms = await world.terms()
    await world.ask(terms)
    await world.fulfil(terms)
    await refused(world.fulfil(terms), "WrongStatus", id=world.id(terms), status=Status.SETTLED)
    await refused(world.fulfil(terms, b"other"), "WrongStatus", id=world.id(terms), status=Status.SETTLED)
    assert await world.credit(world.operator) == FEE


async def test_after_expire(world: World) -> None:
    terms = await world.terms()
    await world.ask(terms)
    await world.send(world.hub.expire(terms), world.stranger)  # its model was never published
    await refused(world.fulfil(terms), "WrongStatus", id=world.id(terms), status=Status.EXPIRED)


async def test_deadline(world: World) -> None:
    terms = await world.terms()
    await world.ask(terms)
    call, last = world.fulfilment(terms), terms.deliver_by
    await refused(world.try_at(last + 1, call), "DeliverByPassed", deliverBy=last, now_=last + 1)
    await world.send_at(last, call, world.stranger)
    assert await world.hub.status_of(world.id(terms)) == Status.SETTLED


async def test_unknown_route(world: World) -> None:
    terms = await world.terms(route=b"NONE")
    await world.ask(terms)
    await refused(world.fulfil(terms), "UnknownRoute", route=b"NONE")


async def test_tombstoned_route(world: World) -> None:
    terms = await world.terms()
    await world.ask(terms)
    await world.send(world.router.tombstone(SIGNED))
    await refused(world.fulfil(terms), "RouteIsTombstoned", route=SIGNED)


async def test_named_operator(world: World) -> None:
    await world.send(world.nodes.register("http://rival"), world.rival)
    terms = await world.terms(operator=world.operator.address)
    await world.ask(terms)
    await refused(
        world.fulfil(terms, key=world.rival),
        "WrongOperator",
        received=world.rival.address,
        expected=world.operator.address,
    )
    await world.fulfil(terms)
    assert await world.credit(world.operator) == FEE


async def test_any_operator(world: World) -> None:
    await world.send(world.nodes.register("http://rival"), world.rival)
    terms = await world.terms()
    await world.ask(terms)
    await world.fulfil(terms, key=world.rival)
    assert (await world.credit(world.rival), await world.credit(world.operator)) == (FEE, 0)


@pytest.mark.parametrize("native", [True, False])
async def test_unregistered_operator(world: World, native: bool) -> None:
    token = NATIVE
    if not native:
        token = (await world.token()).address
        await world.send(world.hub.deposit(FEE, world.owner.address, token))
    terms = await world.terms(token=token)
    await world.ask(terms)
    await refused(world.fulfil(terms, key=world.rival), "UnregisteredOperator", operator=world.rival.address)
    await world.send(world.nodes.retire(), world.operator)
    await refused(world.fulfil(terms), "UnregisteredOperator", operator=world.operator.address)
    await world.send(world.nodes.register("http://again"), world.operator)
    await world.fulfil(terms)
    assert await world.credit(world.operator, token) == FEE


async def test_output_size(world: World) -> None:
    assert await world.hub.max_output() == MAX_OUTPUT
    terms = await world.terms()
    await world.ask(terms)
    await refused(
        world.fulfil(terms, b"\x01" * (MAX_OUTPUT + 1)), "OutputTooLarge", size=MAX_OUTPUT + 1, max=MAX_OUTPUT
    )
    await world.fulfil(terms, b"\x01" * MAX_OUTPUT)
    assert await world.hub.status_of(world.id(terms)) == Status.SETTLED


async def test_empty_output(world: World) -> None:
    terms = await world.terms()
    await world.ask(terms)
    await world.fulfil(terms, b"")
    assert await world.hub.is_answer(world.id(terms), world.operator.address, keccak(b""))


@pytest.mark.parametrize(
    ("seal", "route"), [(b"", bytes(4)), (b"SIG", bytes(4)), (b"NONE" + bytes(65), b"NONE")]
)
async def test_seal_of_another_route(world: World, seal: bytes, route: bytes) -> None:
    terms = await world.terms()
    await world.ask(terms)
    call = world.hub.fulfil(terms, world.operator.address, OUTPUT, seal)
    await refused(world.send(call), "WrongRoute", received=route, expected=SIGNED)


async def test_bare_route_is_left_to_the_verifier(world: World) -> None:
    terms = await world.terms()
    await world.ask(terms)
    call = world.hub.fulfil(terms, world.operator.address, OUTPUT, SIGNED)
    await refused(world.send(call), "WrongSealLength", received=4, expected=69)


async def test_zero_route_names_nothing(world: World) -> None:
    terms = await world.terms(route=bytes(4))
    await world.ask(terms)
    call = world.hub.fulfil(terms, world.operator.address, OUTPUT, b"")
    await refused(world.send(call), "UnknownRoute", route=bytes(4))


@pytest.mark.parametrize("field", ["request_id", "model_id", "input_hash", "output_hash", "operator"])
async def test_seal_of_another_claim(world: World, field: str) -> None:
    """The hub takes every part of the claim from the request and the call, none from the seal."""
    terms = await world.terms()
    await world.ask(terms)
    value: Any = world.rival.address if field == "operator" else keccak(b"x")
    wrong = replace(world.claim(terms), **{field: value})
    await _refused_signer(world, terms, wrong, world.deployment.chain_id, world.deployment.hub)


async def test_seal_for_another_chain_or_hub(world: World) -> None:
    terms = await world.terms()
    await world.ask(terms)
    await _refused_signer(world, terms, world.claim(terms), 1, world.deployment.hub)
    await _refused_signer(world, terms, world.claim(terms), world.deployment.chain_id, OTHER)


async def _refused_signer(world: World, terms: Request, signed: Claim, chain_id: int, hub: str) -> None:
    seal = bytes(world.operator.sign_claim(signed, chain_id, hub))
    recovered = recover_signer(
        Seal.parse(seal), world.claim(terms), world.deployment.chain_id, world.deployment.hub
    )
    assert recovered != world.operator.address
    call = world.hub.fulfil(terms, world.operator.address, OUTPUT, seal)
    await refused(world.send(call), "WrongSigner", recovered=recovered, operator=world.operator.address)


async def test_trust_names_the_operator(world: World) -> None:
    trust = bytes(12) + bytes.fromhex(world.rival.address[2:])
    terms = await world.terms(trust=trust)
    await world.ask(terms)
    await refused(world.fulfil(terms), "UntrustedOperator", operator=world.operator.address, trust=trust)
    await world.send(world.nodes.register("http://rival"), world.rival)
    await world.fulfil(terms, key=world.rival)


async def test_erc20_fee(world: World) -> None:
    token = (await world.token()).address
    await world.send(world.hub.deposit(FEE, world.owner.address, token))
    terms = await world.terms(token=token)
    await world.ask(terms)
    await world.fulfil(terms)
    assert (await world.credit(world.operator, token), await world.credit(world.operator)) == (FEE, 0)


async def test_the_model_need_not_be_published(world: World) -> None:
    """Publishing tells people what a model id means; the claim binds it either way."""
    published, unpublished = await world.terms(), await world.terms(model_id=keccak(b"private"))
    await world.send(world.models.publish("m", MANIFEST))
    for terms in (published, unpublished):
        await world.ask(terms)
        await world.fulfil(terms)
    assert await world.credit(world.operator) == 2 * FEE
