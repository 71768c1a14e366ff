# the signatures that reportEquivocation takes
# ├── both outputs are the same ................................ NoContradiction
# └── either signature
#     ├── is not 65 bytes ...................................... WrongSignatureLength
#     ├── has a high s ......................................... MalleableSignature
#     └── is another key's, of another claim, or none at all ... NotSignedByOperator

from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.gaps import REFUND, asked, delivered
from tests.contracts.test_inference_hub_deliver_signature import ORDER
from tests.contracts.test_inference_hub_equivocation import ONE, TWO, report
from tests.support.world import OUTPUT, World, refused
from vouch.chain.contracts import SignedOutput
from vouch.chain.reverts import Reverted
from vouch.chain.transaction import Call
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.status import Status


async def test_the_same_output_is_no_contradiction(world: World) -> None:
    gap = await delivered(world)
    attempt = world.send(report(world, gap.terms, OUTPUT, OUTPUT))
    await refused(attempt, "NoContradiction", outputHash=keccak(OUTPUT))


def in_place(world: World, terms: Request, place: int, wrong: SignedOutput, operator: str = "") -> Call:
    pair = [world.signed(terms, OUTPUT), world.signed(terms, TWO)]
    pair[place] = wrong
    return world.hub.report_equivocation(terms, operator or world.operator.address, *pair)


@pytest.mark.parametrize("place", [0, 1])
async def test_bad_signatures(world: World, place: int) -> None:
    """In either place, and although the other one is good and of what was delivered."""
    terms = (await delivered(world)).terms
    good = world.signed(terms, ONE)
    for size in (0, 64, 66):
        wrong = replace(good, signature=(good.signature + b"\0")[:size])
        attempt = world.send(in_place(world, terms, place, wrong))
        await refused(attempt, "WrongSignatureLength", received=size, expected=65)
    s = (ORDER - int.from_bytes(good.signature[32:64], "big")).to_bytes(32, "big")
    high = good.signature[:32] + s + bytes([27 + 28 - good.signature[64]])
    attempt = world.send(in_place(world, terms, place, replace(good, signature=high)))
    await refused(attempt, "MalleableSignature", s=s)
    nothing: dict[str, Any] = {"recovered": NATIVE, "operator": world.operator.address}
    attempt = world.send(in_place(world, terms, place, replace(good, signature=bytes(65))))
    await refused(attempt, "NotSignedByOperator", **nothing)
    claim = world.claim(terms, ONE)
    forged = world.rival.sign_claim(claim, world.deployment.chain_id, world.hub.address).proof
    attempt = world.send(in_place(world, terms, place, replace(good, signature=forged)))
    stranger = {"recovered": world.rival.address, "operator": world.operator.address}
    await refused(attempt, "NotSignedByOperator", **stranger)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("change", ["request", "model", "input", "chain", "hub"])
async def test_two_answers_to_two_questions_are_no_contradiction(
    world: World, place: int, change: str
) -> None:
    terms = (await delivered(world)).terms
    claim = world.claim(terms, ONE)
    fields = {"request": "request_id", "model": "model_id", "input": "input_hash"}
    if change in fields:
        other: dict[str, Any] = {fields[change]: keccak(b"x")}
        claim = replace(claim, **other)
    chain_id = 1 if change == "chain" else world.deployment.chain_id
    hub = REFUND if change == "hub" else world.hub.address
    signature = world.operator.sign_claim(claim, chain_id, hub).proof
    call = in_place(world, terms, place, SignedOutput(keccak(ONE), signature))
    with pytest.raises(Reverted, match="NotSignedByOperator"):
        await world.send(call)
    assert await world.hub.status_of(world.id(terms)) == Status.DELIVERED


async def test_nobody_has_signed_anything(world: World) -> None:
    """What ecrecover says of nonsense is the zero account: it is nobody's operator."""
    terms = await asked(world)
    pair = (SignedOutput(keccak(ONE), bytes(65)), SignedOutput(keccak(TWO), bytes(65)))
    attempt = world.send(world.hub.report_equivocation(terms, NATIVE, *pair))
    await refused(attempt, "NotSignedByOperator", recovered=NATIVE, operator=NATIVE)
