# register
# ├── the document is refused ................................... NitroAttestation's error
# ├── older than MAX_AGE, or more than SKEW ahead ............... NotFresh
# ├── nonce is no number and hash ............................... WrongNonce
# ├── no such block, or forgotten ............................... UnknownBlock
# ├── user data: short, another chain, another contract ......... WrongUserData, WrongChain, WrongContract
# ├── PCR 0 to 2 not of 48 bytes ................................ PcrMissing
# ├── PCR 0 is zero ............................................. DebugImage
# ├── public key in another form, or not on its curve ........... NotAKey
# ├── the key was revoked ....................................... KeyIsRevoked
# ├── the key is another operator's or image's .................. KeyTaken
# ├── it expires no later than what is known .................... nothing changes
# └── otherwise ................................................. KeyRegistered

import pytest

from tests.contracts.enclaves import IMAGE, PCRS, Enclave, Enclaves, hints
from tests.support.world import World, refused
from vouch.attestation.deploy import MAX_AGE, SKEW
from vouch.chain.abi import event
from vouch.protocol.enclave import Curve, user_data
from vouch.protocol.keccak import keccak

CURVES = pytest.mark.parametrize("curve", list(Curve), ids=lambda curve: curve.name)
PREFIX = {
    Curve.SECP256K1: bytes.fromhex("3056301006072a8648ce3d020106052b8104000a03420004"),
    Curve.P256: bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"),
}


@CURVES
async def test_a_key_is_let_in(world: World, enclaves: Enclaves, curve: Curve) -> None:
    enclave = Enclave(curve)
    document = await enclaves.document(enclave, extra=b"a TLS key's hash")
    assert not (await enclaves.key(enclave)).known
    assert await enclaves.attempt(document) == enclave.id.lower()
    receipt = await world.send(enclaves.keys.register(document.raw, hints(document)), world.stranger)
    key = await enclaves.key(enclave)
    leaf_end = document.timestamp_ms // 1000 + 3 * 3600
    assert (key.image_id, key.operator, key.expiry) == (IMAGE, world.operator.address, leaf_end)
    assert (key.curve, key.revoked, key.known) == (curve, False, True)

    logged = [log for log in receipt.logs if log.topics[0] == event("EnclaveKeys", "KeyRegistered").topic0]
    (found,) = logged
    args = event("EnclaveKeys", "KeyRegistered").decode(found)
    assert args["key"] == enclave.id
    assert args["extra"] == b"a TLS key's hash"
    assert list(args["certificates"]) == [keccak(der) for der in document.certificates]
    assert args["expiry"] == leaf_end


async def test_how_old_and_how_new_it_may_be(world: World, enclaves: Enclaves) -> None:
    enclave, now = Enclave(), await world.now() + 100
    for at, fine in ((now - MAX_AGE, True), (now - MAX_AGE - 1, False)):
        document = await enclaves.document(enclave, at=at)
        attempt = enclaves.attempt(document, at=now)
        if fine:
            await attempt
        else:
            await refused(attempt, "NotFresh", timestamp=at, **{"from": now - MAX_AGE, "to": now + SKEW})
    # A leaf begins three seconds before its document, so only one that is there already can be ahead.
    await enclaves.document(enclave, at=now)
    for at, fine in ((now + SKEW, True), (now + SKEW + 1, False)):
        document = await enclaves.document(enclave, at=at)
        attempt = enclaves.attempt(document, at=now)
        if fine:
            await attempt
        else:
            await refused(attempt, "NotFresh", timestamp=at, **{"from": now - MAX_AGE, "to": now + SKEW})


@pytest.mark.parametrize("length", [0, 39, 41])
async def test_nonces_of_another_length(enclaves: Enclaves, length: int) -> None:
    document = await enclaves.document(Enclave(), nonce=bytes(length))
    await refused(enclaves.attempt(document), "WrongNonce", length=length)


async def test_blocks_that_are_unknown(world: World, enclaves: Enclaves) -> None:
    good = await enclaves.nonce(1)
    number = int.from_bytes(good[:8], "big")
    for asked, received, expected in (
        (number, bytes(31) + b"\1", good[8:]),
        (number, bytes(32), good[8:]),
        (number - 1, good[8:], (await enclaves.nonce(2))[8:]),
        (number + 1, bytes(32), bytes(32)),
        (2**64 - 1, bytes(32), bytes(32)),
    ):
        document = await enclaves.document(Enclave(), nonce=asked.to_bytes(8, "big") + received)
        attempt = enclaves.attempt(document)
        await refused(attempt, "UnknownBlock", number=asked, received=received, expected=expected)


async def test_how_far_back_blocks_are_known(world: World, enclaves: Enclaves) -> None:
    await world.rpc.call("anvil_mine", hex(300), "0x0")
    await enclaves.attempt(await enclaves.document(Enclave(), behind=256))
    history = await world.rpc.call("eth_getCode", "0x0000F90827F1C53a10cb7A02335B175320002935", "latest")
    document = await enclaves.document(Enclave(), behind=290)
    if history != "0x":
        await enclaves.attempt(document)
    else:
        asked, received = document.nonce[:8] if document.nonce else b"", (document.nonce or b"")[8:]
        number = int.from_bytes(asked, "big")
        attempt = enclaves.attempt(document)
        await refused(attempt, "UnknownBlock", number=number, received=received, expected=bytes(32))


async def test_user_data_for_somebody_else(world: World, enclaves: Enclaves) -> None:
    enclave, here = Enclave(), enclaves.deployment.chain_id
    document = await enclaves.document(enclave, chain_id=here + 1)
    await refused(enclaves.attempt(document), "WrongChain", received=here + 1, expected=here)
    document = await enclaves.document(enclave, keys=world.hub.address)
    await refused(
        enclaves.attempt(document),
        "WrongContract",
        received=world.hub.address,
        expected=enclaves.keys.address,
    )
    full = user_data(here, enclaves.keys.address, world.operator.address)
    for length in (0, 71):
        document = await enclaves.document(enclave, user_data=full[:length])
        await refused(enclaves.attempt(document), "WrongUserData", length=length)


async def test_images_in_debug_mode(enclaves: Enclaves) -> None:
    enclave = Enclave()
    document = await enclaves.document(enclave, pcrs={})
    await refused(enclaves.attempt(document), "DebugImage")
    document = await enclaves.document(enclave, pcrs={**PCRS, 0: bytes(48)})
    await refused(enclaves.attempt(document), "DebugImage")
    # One bit at either end tells an image from none.
    for pcr in (bytes(47) + b"\1", b"\x80" + bytes(47)):
        await enclaves.attempt(await enclaves.document(enclave, pcrs={**PCRS, 0: pcr}))


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("length", [32, 64])
async def test_pcrs_of_another_hash(enclaves: Enclaves, index: int, length: int) -> None:
    document = await enclaves.document(Enclave(), pcrs={**PCRS, index: bytes([7]) * length})
    await refused(enclaves.attempt(document), "PcrMissing", index=index, length=length)


@CURVES
async def test_public_keys_that_are_none(enclaves: Enclaves, curve: Curve) -> None:
    enclave = Enclave(curve)
    good = enclave.identity.spki
    assert good[: len(PREFIX[curve])] == PREFIX[curve]
    x, y = enclave.identity.x, enclave.identity.y
    prime = 2**256 - 2**32 - 977 if curve == Curve.SECP256K1 else 2**256 - 2**224 + 2**192 + 2**96 - 1
    other = PREFIX[Curve.P256 if curve == Curve.SECP256K1 else Curve.SECP256K1]
    for bad in (
        good[1:],
        good[:-1],
        good + b"\0",
        good[-65:],
        bytes([good[0] ^ 1]) + good[1:],
        PREFIX[curve][:-1] + b"\x02" + x + y,
        other + x + y,
        PREFIX[curve] + x + bytes(31) + b"\1",
        PREFIX[curve] + y + x,
        PREFIX[curve] + bytes(64),
        PREFIX[curve] + x + prime.to_bytes(32, "big"),
        b"\4" * 64,
        b"\1",
    ):
        document = await enclaves.document(enclave, public_key=bad)
        await refused(enclaves.attempt(document), "NotAKey", publicKey=bad)


async def test_coordinates_beyond_the_prime(enclaves: Enclaves) -> None:
    """x + p, which is the same point, for the one x small enough that it fits: y² = 1 + 7 on secp256k1."""
    p = 2**256 - 2**32 - 977
    y = pow(8, (p + 1) // 4, p)
    assert y * y % p == 8
    for x, fine in ((1, True), (1 + p, False)):
        spki = PREFIX[Curve.SECP256K1] + x.to_bytes(32, "big") + y.to_bytes(32, "big")
        document = await enclaves.document(Enclave(), public_key=spki)
        if fine:
            await enclaves.attempt(document)
        else:
            await refused(enclaves.attempt(document), "NotAKey", publicKey=spki)


async def test_a_document_without_a_key(enclaves: Enclaves) -> None:
    document = await enclaves.document(Enclave(), public_key=None)
    await refused(enclaves.attempt(document), "NotAKey", publicKey=b"")


async def test_a_key_is_prolonged_and_never_shortened(world: World, enclaves: Enclaves) -> None:
    enclave, start = Enclave(), await world.now()
    first = await enclaves.document(enclave, at=start)
    await world.send(enclaves.keys.register(first.raw, hints(first)))
    expiry = (await enclaves.key(enclave)).expiry
    # Of the same leaf: as good, and nothing changes.
    same = await enclaves.document(enclave, at=start + 10)
    receipt = await world.send_at(start + 10, enclaves.keys.register(same.raw, hints(same)))
    assert not [log for log in receipt.logs if log.address == enclaves.keys.address]
    later = start + 3 * 3600 - 600
    await world.rpc.call("evm_setNextBlockTimestamp", later)
    await world.rpc.call("evm_mine")
    renewed = await enclaves.document(enclave, at=later)
    await world.send_at(later + 1, enclaves.keys.register(renewed.raw, hints(renewed)))
    assert (await enclaves.key(enclave)).expiry == later + 3 * 3600 > expiry


async def test_a_key_is_its_own(world: World, enclaves: Enclaves) -> None:
    enclave = Enclave()
    await enclaves.register(enclave)
    taken = {"key": enclave.id, "operator": world.operator.address, "imageId": IMAGE}
    document = await enclaves.document(enclave, operator=world.rival.address)
    await refused(enclaves.attempt(document), "KeyTaken", **taken)
    for index in range(3):
        document = await enclaves.document(enclave, pcrs={**PCRS, index: bytes([9]) * 48})
        await refused(enclaves.attempt(document), "KeyTaken", **taken)


async def test_the_image_is_of_the_first_three_pcrs(world: World, enclaves: Enclaves) -> None:
    await enclaves.register(Enclave(), pcrs={**PCRS, 3: b"\7" * 48, 8: b"\7" * 48})
    assert (await enclaves.key(Enclave())).image_id == keccak(b"".join(PCRS[i] for i in range(3)))
