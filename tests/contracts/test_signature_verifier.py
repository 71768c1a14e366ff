# verify
# ├── seal is not 69 bytes ................................ WrongSealLength
# ├── trust is neither zero nor the operator .............. UntrustedOperator
# ├── s in the upper half of the order .................... MalleableSignature
# ├── v is neither 27 nor 28, or no such point ............ WrongSigner(0, operator)
# ├── another key, claim, chain or hub .................... WrongSigner
# └── otherwise ........................................... returns nothing

from dataclasses import replace
from typing import Any

import pytest
from eth_hash.auto import keccak

from tests.support.contract import Contract
from tests.support.world import World, refused
from vouch.chain.contracts import Call
from vouch.protocol.claim import Claim
from vouch.protocol.request import NATIVE
from vouch.protocol.seal import SIGNED, Seal, recover_signer

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FIELDS = ("request_id", "model_id", "input_hash", "output_hash", "operator")


def claim_of(world: World) -> Claim:
    request_id, model_id, input_hash, output_hash = (keccak(name.encode()) for name in FIELDS[:4])
    return Claim(request_id, model_id, input_hash, output_hash, world.operator.address)


def sign(world: World, claim: Claim) -> bytes:
    return bytes(world.operator.sign_claim(claim, world.deployment.chain_id, world.hub.address))


def verify(world: World, seal: bytes, claim: Claim, trust: bytes = bytes(32)) -> Call:
    contract = Contract(world.rpc, "SignatureVerifier", world.deployment.verifiers["SIGN"])
    return contract.call("verify", seal, trust, tuple(getattr(claim, name) for name in FIELDS))


async def check(world: World, seal: bytes, claim: Claim, trust: bytes = bytes(32)) -> None:
    assert await world.try_at(await world.now() + 1, verify(world, seal, claim, trust)) == b""


async def test_the_operators_signature(world: World) -> None:
    claim = claim_of(world)
    assert await world.hub.digest_of(claim) == claim.digest(world.deployment.chain_id, world.hub.address)
    await check(world, sign(world, claim), claim)
    contract = Contract(world.rpc, "SignatureVerifier", world.deployment.verifiers["SIGN"])
    assert await contract.read("HUB") == world.hub.address


@pytest.mark.parametrize("size", [0, 4, 68, 70, 100])
async def test_length(world: World, size: int) -> None:
    claim = claim_of(world)
    seal = (sign(world, claim) + bytes(100))[:size]
    await refused(check(world, seal, claim), "WrongSealLength", received=size, expected=69)


@pytest.mark.parametrize("field", FIELDS)
async def test_another_claim(world: World, field: str) -> None:
    claim = claim_of(world)
    value: Any = world.rival.address if field == "operator" else keccak(b"other")
    other = replace(claim, **{field: value})
    seal = sign(world, claim)
    recovered = recover_signer(Seal.parse(seal), other, world.deployment.chain_id, world.hub.address)
    await refused(check(world, seal, other), "WrongSigner", recovered=recovered, operator=other.operator)


async def test_another_key(world: World) -> None:
    claim = claim_of(world)
    seal = bytes(world.rival.sign_claim(claim, world.deployment.chain_id, world.hub.address))
    await refused(
        check(world, seal, claim),
        "WrongSigner",
        recovered=world.rival.address,
        operator=world.operator.address,
    )


@pytest.mark.parametrize(("chain_id", "other_hub"), [(1, False), (31337, True)])
async def test_another_domain(world: World, chain_id: int, other_hub: bool) -> None:
    claim = claim_of(world)
    hub = world.rival.address if other_hub else world.hub.address
    seal = bytes(world.operator.sign_claim(claim, chain_id, hub))
    recovered = recover_signer(Seal.parse(seal), claim, world.deployment.chain_id, world.hub.address)
    await refused(
        check(world, seal, claim), "WrongSigner", recovered=recovered, operator=world.operator.address
    )


async def test_trust(world: World) -> None:
    claim = claim_of(world)
    seal = sign(world, claim)
    named = bytes(12) + bytes.fromhex(world.operator.address[2:])
    await check(world, seal, claim, named)
    for trust in (
        bytes(12) + bytes.fromhex(world.rival.address[2:]),
        b"\x01" + named[1:],
        named[12:] + bytes(12),
        keccak(b"an image id"),
    ):
        await refused(
            check(world, seal, claim, trust),
            "UntrustedOperator",
            operator=world.operator.address,
            trust=trust,
        )


async def test_the_other_form_of_a_signature(world: World) -> None:
    claim = claim_of(world)
    seal = sign(world, claim)
    s = int.from_bytes(seal[36:68], "big")
    assert s <= ORDER // 2
    high = (ORDER - s).to_bytes(32, "big")
    flipped = seal[:36] + high + bytes([55 - seal[68]])
    assert recover_signer(Seal.parse(flipped), claim, world.deployment.chain_id, world.hub.address) == (
        world.operator.address
    )
    await refused(check(world, flipped, claim), "MalleableSignature", s=high)


async def test_half_the_order_is_low(world: World) -> None:
    """The bound itself passes the check for s, and is then just not the operator's signature."""
    claim = claim_of(world)
    half = ORDER // 2
    seal = sign(world, claim)
    await refused(
        check(world, seal[:36] + (half + 1).to_bytes(32, "big") + seal[68:], claim),
        "MalleableSignature",
        s=(half + 1).to_bytes(32, "big"),
    )
    low = seal[:36] + half.to_bytes(32, "big") + seal[68:]
    recovered = recover_signer(Seal.parse(low), claim, world.deployment.chain_id, world.hub.address)
    await refused(
        check(world, low, claim), "WrongSigner", recovered=recovered, operator=world.operator.address
    )


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
async def test_v(world: World, v: int) -> None:
    claim = claim_of(world)
    seal = sign(world, claim)[:68] + bytes([v])
    await refused(check(world, seal, claim), "WrongSigner", recovered=NATIVE, operator=world.operator.address)


async def test_nobodys_signature_does_not_speak_for_the_zero_account(world: World) -> None:
    claim = replace(claim_of(world), operator=NATIVE)
    seal = SIGNED + bytes(64) + b"\x1b"
    await refused(check(world, seal, claim), "WrongSigner", recovered=NATIVE, operator=NATIVE)


async def test_a_fork_of_the_chain(world: World) -> None:
    """After a fork with a new chain id, claims of the old chain are refused and those of the new one pass."""
    claim = claim_of(world)
    old = sign(world, claim)
    new = bytes(world.operator.sign_claim(claim, 999, world.hub.address))
    await check(world, old, claim)
    await world.rpc.call("anvil_setChainId", 999)
    try:
        await check(world, new, claim)
        recovered = recover_signer(Seal.parse(old), claim, 999, world.hub.address)
        await refused(
            check(world, old, claim), "WrongSigner", recovered=recovered, operator=world.operator.address
        )
        assert await world.hub.digest_of(claim) == claim.digest(999, world.hub.address)
    finally:
        await world.rpc.call("anvil_setChainId", world.deployment.chain_id)


async def test_dirty_bits_above_the_operator(world: World) -> None:
    claim = claim_of(world)
    call = verify(world, sign(world, claim), claim)
    word = 4 + 32 * 6
    assert call.data[word + 12 : word + 32] == bytes.fromhex(claim.operator[2:])
    dirty = replace(call, data=call.data[:word] + b"\x01" + call.data[word + 1 :])
    await refused(world.try_at(await world.now() + 1, dirty), "")
