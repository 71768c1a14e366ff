# constructor
# ├── trust is zero .................... NoTrust
# ├── model was never published ........ UnknownModel
# └── route is not live ................ UnknownRoute
# setFile
# ├── not by the owner ................. OwnableUnauthorizedAccount
# └── otherwise ........................ hash of the model's input
# limitOf
# ├── another model .................... WrongModel
# ├── another input, or no file ........ WrongInput
# ├── asked for somebody else .......... WrongBorrower
# ├── another route or trust ........... WrongProof
# ├── not the answer, none, retracted .. NotTheAnswer
# ├── older than MAX_AGE ............... TooOld
# ├── above MAX_RISK, no probability ... nothing
# ├── proven ........................... FULL_LIMIT
# └── not proven ....................... what is insured (test_risk_reader_insurance)
# draw
# ├── the caller would owe too much .... OverLimit
# └── otherwise ........................ paid out and owed

from typing import Any

import pytest

from tests.contracts.examples import lending
from tests.contracts.examples.lending import (
    ETHER,
    FEATURES,
    HIGH,
    INPUT,
    LOW,
    MAX_RISK,
    NO_PROBABILITY,
    PROVE_WITHIN,
)
from tests.contracts.examples.readers import FULL, FUNDS, INSURED, asked, deployed, draw, limit
from tests.support.world import MANIFEST, MODEL, World, refused
from vouch.chain.account import LocalKey
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM
from vouch.protocol.seal import SIGNED

MAX_AGE = 86_400


async def test_what_is_believed_in_must_exist(world: World) -> None:
    args = (world.hub.address, MODEL, QUORUM, lending.policy(world).trust, MAX_RISK)
    await refused(world.create("RiskReader", *args), "UnknownModel", modelId=MODEL)
    await world.send(world.models.publish("risk", MANIFEST))
    await refused(world.create("RiskReader", *args[:2], b"NONE", *args[3:]), "UnknownRoute", route=b"NONE")
    await refused(world.create("RiskReader", *args[:3], bytes(32), *args[4:]), "NoTrust")
    reader = await world.create("RiskReader", *args)
    names = ("HUB", "MODEL", "ROUTE", "TRUST", "MAX_RISK", "owner")
    assert [await reader.read(name) for name in names] == [*args, world.owner.address]


async def test_the_file_is_the_lenders(world: World) -> None:
    reader = await deployed(world)
    call = reader.call("setFile", world.rival.address, FEATURES)
    await refused(world.send(call, world.rival), "OwnableUnauthorizedAccount", account=world.rival.address)
    assert await reader.read("fileOf", world.rival.address) == keccak(INPUT)


async def test_another_question(world: World) -> None:
    """Each of these is a true and proven answer, to something that the lender did not want to know."""
    reader = await deployed(world)
    trust = lending.policy(world).trust

    async def wrong(error: str, args: dict[str, Any], input_: bytes = INPUT, **changes: Any) -> None:
        terms = await asked(world, reader, input_, **changes)
        if terms.route == QUORUM and terms.trust == trust:
            await lending.fulfil(world, terms)
        else:
            await world.fulfil(terms, LOW)
        await refused(limit(world, reader, terms), error, **args)

    other = keccak(b"other")
    await wrong("WrongModel", {"received": other, "expected": MODEL}, model_id=other)
    better = INPUT[:-1] + bytes([INPUT[-1] ^ 1])
    await wrong("WrongInput", {"received": keccak(better), "expected": keccak(INPUT)}, better)
    await wrong("WrongBorrower", {"salt": 1, "borrower": world.rival.address}, salt=1)
    anybody, own = bytes(32), bytes(12) + bytes.fromhex(world.operator.address[2:])
    for believed in (anybody, own):
        args = {"route": SIGNED, "trust": believed}
        await wrong("WrongProof", args, route=SIGNED, trust=believed)


@pytest.mark.parametrize("change", [{"trust": keccak(b"my friends")}, {"route": SIGNED}])
async def test_half_of_a_proof(world: World, change: dict[str, bytes]) -> None:
    """The right route with a list of signers that the borrower made up, and the other way round."""
    reader = await deployed(world)
    terms = await asked(world, reader, **change)
    await lending.deliver(world, terms)
    await refused(limit(world, reader, terms), "WrongProof", route=terms.route, trust=terms.trust)


async def test_somebody_elses_answer(world: World) -> None:
    """Equal features make no equal borrowers."""
    reader = await deployed(world)
    terms = await asked(world, reader)
    await lending.fulfil(world, terms)
    await refused(
        limit(world, reader, terms, borrower=world.stranger),
        "WrongInput",
        received=keccak(INPUT),
        expected=bytes(32),
    )
    await world.send(reader.call("setFile", world.stranger.address, FEATURES))
    await refused(
        limit(world, reader, terms, borrower=world.stranger),
        "WrongBorrower",
        salt=terms.salt,
        borrower=world.stranger.address,
    )


async def test_not_the_answer(world: World) -> None:
    reader = await deployed(world)
    terms = await asked(world, reader)

    async def refuses(output: bytes = LOW, operator: LocalKey | None = None) -> None:
        by = (operator or world.operator).address
        attempt = limit(world, reader, terms, output, operator=operator)
        await refused(attempt, "NotTheAnswer", id=world.id(terms), operator=by)

    await refuses()
    await lending.deliver(world, terms, HIGH)
    await refuses()
    await refuses(HIGH, world.rival)
    assert await limit(world, reader, terms, HIGH) == 0
    await lending.reject(world, terms, HIGH)
    await refuses(HIGH)


@pytest.mark.parametrize("output", [HIGH, *NO_PROBABILITY])
async def test_too_risky(world: World, output: bytes) -> None:
    reader = await deployed(world)
    terms = await asked(world, reader)
    await lending.deliver(world, terms, output)
    assert await limit(world, reader, terms, output) == 0
    await lending.settle(world, terms, output)
    assert await limit(world, reader, terms, output) == 0


async def test_too_old(world: World) -> None:
    reader = await deployed(world)
    terms = await asked(world, reader, prove_within=2 * MAX_AGE)
    delivered = await lending.deliver(world, terms)
    call = reader.call("limitOf", world.rival.address, terms.to_abi(), world.operator.address, LOW)
    last = delivered + MAX_AGE
    assert int.from_bytes(await world.try_at(last, call), "big") == INSURED
    await refused(world.try_at(last + 1, call), "TooOld", deliveredAt=delivered, now_=last + 1)


@pytest.mark.parametrize("provisional", [True, False])
async def test_proven(world: World, provisional: bool) -> None:
    reader = await deployed(world)
    terms = await asked(world, reader)
    if provisional:
        await lending.deliver(world, terms)
        assert await limit(world, reader, terms) == INSURED
        await lending.settle(world, terms)
    else:
        await lending.fulfil(world, terms)
    assert await limit(world, reader, terms) == FULL


async def test_another_contract_asked(world: World) -> None:
    """What CreditLimit was told is good for a loan here once it is proven."""
    reader = await deployed(world)
    policy = lending.policy(world).trust
    limits = await world.create(
        "CreditLimit", world.hub.address, MODEL, QUORUM, policy, MAX_RISK, 600, PROVE_WITHIN
    )
    terms = await lending.ask(world, limits)
    await lending.deliver(world, terms)
    assert await limit(world, reader, terms) == 0
    await world.send(world.hub.challenge(*world.result(terms, LOW)), world.rival)
    assert await limit(world, reader, terms) == 0
    await lending.settle(world, terms)
    assert await limit(world, reader, terms) == FULL


async def test_draw(world: World) -> None:
    reader = await deployed(world)
    terms = await asked(world, reader)
    await lending.deliver(world, terms)
    await refused(draw(world, reader, terms, INSURED + 1), "OverLimit", debt=INSURED + 1, limit=INSURED)
    await draw(world, reader, terms, ETHER)
    await refused(draw(world, reader, terms, INSURED), "OverLimit", debt=INSURED + ETHER, limit=INSURED)
    await draw(world, reader, terms, INSURED - ETHER)
    assert await reader.read("debtOf", world.rival.address) == INSURED
    assert await world.balance(reader.address) == FUNDS - INSURED
    await lending.settle(world, terms)
    await draw(world, reader, terms, FULL - INSURED)
    assert await reader.read("debtOf", world.rival.address) == FULL


async def test_one_answer_for_one_borrower(world: World) -> None:
    reader = await deployed(world)
    terms = await asked(world, reader)
    await lending.fulfil(world, terms)
    await world.send(reader.call("setFile", world.stranger.address, FEATURES))
    await refused(
        draw(world, reader, terms, 1, world.stranger),
        "WrongBorrower",
        salt=terms.salt,
        borrower=world.stranger.address,
    )
