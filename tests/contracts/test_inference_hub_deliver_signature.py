# the signature that deliver takes
# ├── is not 65 bytes ........................................ WrongSignatureLength
# ├── has a high s ........................................... MalleableSignature
# ├── is another key's, of another claim, or none at all ..... NotSignedByOperator
# └── is the operator's, wherever it came from ............... delivers

from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.gaps import BOND, EXPOSURE, asked
from tests.contracts.test_inference_hub_fulfil import OTHER
from tests.support.world import FEE, OUTPUT, World, refused
from vouch.protocol.keccak import keccak
from vouch.protocol.request import NATIVE, Request
from vouch.protocol.seal import SIGNED, Seal, recover_signer
from vouch.protocol.status import Status

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of secp256k1."""


@pytest.mark.parametrize("size", [0, 64, 66, 69])
async def test_signature_length(world: World, size: int) -> None:
    terms = await asked(world)
    signature = (world.sign(terms) + bytes(4))[:size]
    call = world.hub.deliver(terms, world.operator.address, OUTPUT, signature)
    await refused(world.send(call), "WrongSignatureLength", received=size, expected=65)


async def test_only_one_form_of_a_signature(world: World) -> None:
    terms = await asked(world)
    signature = world.sign(terms)
    high = (ORDER - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    other = signature[:32] + high + bytes([27 + 28 - signature[64]])
    call = world.hub.deliver(terms, world.operator.address, OUTPUT, other)
    await refused(world.send(call), "MalleableSignature", s=high)


async def test_signed_by_another(world: World) -> None:
    """Whoever copies a delivery cannot put its own name there, and nobody delivers in an operator's name."""
    await world.send(world.nodes.register("http://rival"), world.rival)
    terms = await asked(world)
    await world.send(world.nodes.stake(EXPOSURE + BOND), world.rival)
    stolen = world.hub.deliver(terms, world.rival.address, OUTPUT, world.sign(terms))
    recovered = recover_signer(
        Seal(SIGNED, world.sign(terms)),
        world.claim(terms, operator=world.rival.address),
        world.deployment.chain_id,
        world.hub.address,
    )
    await refused(
        world.send(stolen), "NotSignedByOperator", recovered=recovered, operator=world.rival.address
    )
    claim = world.claim(terms)
    forged = world.rival.sign_claim(claim, world.deployment.chain_id, world.hub.address).proof
    await refused(
        world.send(world.hub.deliver(terms, world.operator.address, OUTPUT, forged)),
        "NotSignedByOperator",
        recovered=world.rival.address,
        operator=world.operator.address,
    )


@pytest.mark.parametrize("field", ["request_id", "model_id", "input_hash", "output_hash", "operator"])
async def test_signature_of_another_claim(world: World, field: str) -> None:
    """Every part of the claim is the request's and the call's."""
    terms = await asked(world)
    value: Any = world.rival.address if field == "operator" else keccak(b"x")
    wrong = replace(world.claim(terms), **{field: value})
    chain_id, hub = world.deployment.chain_id, world.deployment.hub
    await _not_signed(world, terms, world.operator.sign_claim(wrong, chain_id, hub))


async def test_signature_for_another_chain_or_hub(world: World) -> None:
    terms = await asked(world)
    claim, chain_id, hub = world.claim(terms), world.deployment.chain_id, world.deployment.hub
    await _not_signed(world, terms, world.operator.sign_claim(claim, 1, hub))
    await _not_signed(world, terms, world.operator.sign_claim(claim, chain_id, OTHER))


async def _not_signed(world: World, terms: Request, seal: Seal) -> None:
    recovered = recover_signer(seal, world.claim(terms), world.deployment.chain_id, world.deployment.hub)
    assert recovered != world.operator.address
    call = world.hub.deliver(terms, world.operator.address, OUTPUT, seal.proof)
    await refused(
        world.send(call), "NotSignedByOperator", recovered=recovered, operator=world.operator.address
    )


async def test_no_signature_at_all(world: World) -> None:
    terms = await asked(world)
    call = world.hub.deliver(terms, world.operator.address, OUTPUT, bytes(65))
    await refused(world.send(call), "NotSignedByOperator", recovered=NATIVE, operator=world.operator.address)


async def test_a_seals_signature_delivers(world: World) -> None:
    """On a route of plain signatures whoever sees a fulfilment can deliver it: it settles with that seal."""
    terms = await asked(world)
    seal = world.seal(terms)
    await world.send(world.hub.deliver(terms, world.operator.address, OUTPUT, seal[4:]), world.rival)
    await refused(world.fulfil(terms), "WrongStatus", id=world.id(terms), status=Status.DELIVERED)
    await world.send(world.settlement(terms, seal=seal), world.stranger)
    assert await world.credit(world.operator) == FEE
