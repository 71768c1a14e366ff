# verify
# ├── the seal has neither 69 nor 132 bytes ..................... WrongSealLength
# ├── s is high ................................................. MalleableSignature, NotItsSignature
# ├── another claim was signed, or by another key ............... UnknownEnclaveKey, NotItsSignature
# ├── the key was never let in .................................. UnknownEnclaveKey
# ├── its image is not the one trusted .......................... WrongImage
# ├── the claim names another operator .......................... WrongOperator
# ├── its certificates have expired ............................. EnclaveKeyExpired
# ├── it was revoked ............................................ EnclaveKeyRevoked
# └── otherwise ................................................. returns nothing

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from tests.contracts.enclaves import IMAGE, N256, Enclave, Enclaves
from tests.contracts.quorums import FIELDS, claim_of
from tests.support.world import OUTPUT, World, refused
from vouch.chain.contracts import Fulfilment
from vouch.chain.hexes import to_bytes
from vouch.chain.reverts import Reverted
from vouch.protocol.enclave import ENCLAVE, Curve
from vouch.protocol.keccak import keccak
from vouch.protocol.status import Status

CURVES = pytest.mark.parametrize("curve", list(Curve), ids=lambda curve: curve.name)
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@CURVES
async def test_a_request_is_settled(world: World, enclaves: Enclaves, curve: Curve) -> None:
    enclave = Enclave(curve)
    await enclaves.register(enclave)
    terms = await world.terms(route=ENCLAVE, trust=IMAGE)
    await world.ask(terms)
    claim = world.claim(terms)
    item = Fulfilment(terms, world.operator.address, OUTPUT, enclave.seal(world, claim))
    await world.send(world.hub.fulfil(item.request, item.operator, item.output, item.seal), world.stranger)
    assurance = await world.hub.assurance_of(world.id(terms))
    assert (assurance.status, assurance.proven) == (Status.SETTLED, True)
    assert await world.router.name_of(ENCLAVE) == "Attested"


@CURVES
async def test_only_while_the_key_lasts(world: World, enclaves: Enclaves, curve: Curve) -> None:
    enclave, claim = Enclave(curve), claim_of(world)
    seal = enclave.seal(world, claim)
    await refused(enclaves.verify(seal, claim), "UnknownEnclaveKey", key=enclave.id)
    await enclaves.register(enclave)
    expiry = (await enclaves.key(enclave)).expiry
    await enclaves.verify(seal, claim, at=expiry)
    await refused(
        enclaves.verify(seal, claim, at=expiry + 1), "EnclaveKeyExpired", key=enclave.id, expiry=expiry
    )
    await world.send(enclaves.keys.revoke(enclave.id), world.operator)
    await refused(enclaves.verify(seal, claim), "EnclaveKeyRevoked", key=enclave.id)


@CURVES
async def test_a_key_of_the_other_curve(world: World, enclaves: Enclaves, curve: Curve) -> None:
    """Nobody knows a point that lies on both curves: what the chain remembers of the key is changed."""
    enclave, claim = Enclave(curve), claim_of(world)
    await enclaves.register(enclave)
    seal = enclave.seal(world, claim)
    await enclaves.verify(seal, claim)
    other = Curve(1 - curve)
    slot = await slot_of(world, enclaves, enclave)
    word = int(await world.rpc.call("eth_getStorageAt", enclaves.keys.address, hex(slot + 1), "latest"), 16)
    changed = word ^ 1 << 200
    await world.rpc.call("anvil_setStorageAt", enclaves.keys.address, hex(slot + 1), f"0x{changed:064x}")
    assert (await enclaves.key(enclave)).curve is other
    await refused(enclaves.verify(seal, claim), "UnknownEnclaveKey", key=enclave.id)


async def slot_of(world: World, enclaves: Enclaves, enclave: Enclave) -> int:
    """Where EnclaveKeys keeps what it knows of a key: of two words, the first is the image."""
    for base in range(8):
        slot = int.from_bytes(keccak(encode(["address", "uint256"], [enclave.id, base])))
        word = await world.rpc.call("eth_getStorageAt", enclaves.keys.address, hex(slot), "latest")
        if to_bytes(word) == IMAGE:
            return slot
    raise AssertionError("the key is nowhere")


@CURVES
async def test_what_the_consumer_trusts(world: World, enclaves: Enclaves, curve: Curve) -> None:
    enclave, claim = Enclave(curve), claim_of(world)
    await enclaves.register(enclave)
    seal = enclave.seal(world, claim)
    for trust in (bytes(32), keccak(b"another image"), IMAGE[:-1] + bytes([IMAGE[-1] ^ 1])):
        await refused(enclaves.verify(seal, claim, trust=trust), "WrongImage", imageId=IMAGE, trust=trust)


@CURVES
async def test_the_operator_it_works_for(world: World, enclaves: Enclaves, curve: Curve) -> None:
    enclave = Enclave(curve)
    await enclaves.register(enclave)
    claim = replace(claim_of(world), operator=world.rival.address)
    await refused(
        enclaves.verify(enclave.seal(world, claim), claim),
        "WrongOperator",
        received=world.rival.address,
        expected=world.operator.address,
    )


@CURVES
@pytest.mark.parametrize("field", FIELDS[:4])
async def test_another_claim(world: World, enclaves: Enclaves, curve: Curve, field: str) -> None:
    enclave, claim = Enclave(curve), claim_of(world)
    await enclaves.register(enclave)
    seal = enclave.seal(world, claim)
    await enclaves.verify(seal, claim)
    changed = replace(claim, **{field: keccak(b"something else")})  # type: ignore[arg-type]
    error = "UnknownEnclaveKey" if curve == Curve.SECP256K1 else "NotItsSignature"
    with pytest.raises(Reverted) as caught:
        await enclaves.verify(seal, changed)
    assert caught.value.error.name == error


@pytest.mark.parametrize("length", [4, 68, 70, 131, 133])
async def test_seals_of_another_length(world: World, enclaves: Enclaves, length: int) -> None:
    claim = claim_of(world)
    seal = (Enclave(Curve.P256).seal(world, claim) + b"\0")[:length]
    await refused(enclaves.verify(seal, claim), "WrongSealLength", received=length)


async def test_a_high_s(world: World, enclaves: Enclaves) -> None:
    claim = claim_of(world)
    for enclave in (Enclave(), Enclave(Curve.P256)):
        await enclaves.register(enclave)
    seal = Enclave().seal(world, claim)
    r, s, v = seal[4:36], int.from_bytes(seal[36:68], "big"), seal[68]
    high = (N - s).to_bytes(32, "big")
    await refused(enclaves.verify(ENCLAVE + r + high + bytes([55 - v]), claim), "MalleableSignature", s=high)
    seal = Enclave(Curve.P256).seal(world, claim)
    s = int.from_bytes(seal[100:], "big")
    high = (N256 - s).to_bytes(32, "big")
    await refused(enclaves.verify(seal[:100] + high, claim), "NotItsSignature", key=Enclave(Curve.P256).id)


@pytest.mark.parametrize("at", [4, 36, 68, 100])
async def test_a_p256_seal_with_a_bit_changed(world: World, enclaves: Enclaves, at: int) -> None:
    enclave, claim = Enclave(Curve.P256), claim_of(world)
    await enclaves.register(enclave)
    seal = bytearray(enclave.seal(world, claim))
    seal[at + 31] ^= 1
    with pytest.raises(Reverted, match="NotItsSignature"):
        await enclaves.verify(bytes(seal), claim)


async def test_nonsense_is_nobodys_signature(world: World, enclaves: Enclaves) -> None:
    zero = "0x" + "00" * 20
    await refused(enclaves.verify(ENCLAVE + bytes(65), claim_of(world)), "UnknownEnclaveKey", key=zero)
    await refused(
        enclaves.verify(ENCLAVE + bytes(65), claim_of(world), trust=bytes(32)), "UnknownEnclaveKey", key=zero
    )
