# revoke
# ├── nobody let the key in ..................................... UnknownKey
# ├── the sender is not its operator ............................ NotTheOperator
# └── otherwise ................................................. KeyRevoked
# revokeEquivocation
# ├── other requests, or the same output ........................ NoEquivocation
# ├── signed by two keys ........................................ TwoKeys
# ├── nobody let the key in, or it is of the other curve ........ UnknownKey
# └── otherwise, by anybody ..................................... KeyRevoked
# revokeByCertificate
# ├── nobody let the key in ..................................... UnknownKey
# ├── not the certificates that it came with .................... WrongCertificates
# ├── the guard did not revoke it, or not long enough ago ....... NotYetRevocable
# └── otherwise, by anybody ..................................... KeyRevoked
# all of them: the key was revoked before ........................ KeyIsRevoked

from dataclasses import replace

import pytest

from tests.contracts.enclaves import Enclave, Enclaves, hints
from tests.contracts.quorums import claim_of
from tests.support.world import World, refused
from vouch.attestation.deploy import REVOCATION_DELAY
from vouch.chain.abi import event
from vouch.chain.transaction import Receipt
from vouch.protocol.enclave import Curve
from vouch.protocol.keccak import keccak

CURVES = pytest.mark.parametrize("curve", list(Curve), ids=lambda curve: curve.name)
NOBODY = "0x000000000000000000000000000000000000dEaD"


def revoked_by(receipt: Receipt) -> tuple[str, str]:
    (found,) = receipt.logs
    args = event("EnclaveKeys", "KeyRevoked").decode(found)
    return args["key"], args["by"]


async def test_its_operator_ends_a_key(world: World, enclaves: Enclaves) -> None:
    enclave, operator = Enclave(), world.operator
    call = enclaves.keys.revoke(enclave.id)
    await refused(world.send(call, operator), "UnknownKey", key=enclave.id)
    await enclaves.register(enclave)
    for other in (world.owner, world.stranger):
        await refused(
            world.send(call, other), "NotTheOperator", caller=other.address, operator=operator.address
        )
    receipt = await world.send(call, operator)
    assert revoked_by(receipt) == (enclave.id, operator.address)
    assert (await enclaves.key(enclave)).revoked
    await refused(world.send(call, operator), "KeyIsRevoked", key=enclave.id)


async def test_an_end_cannot_be_undone(world: World, enclaves: Enclaves) -> None:
    enclave = Enclave()
    await enclaves.register(enclave)
    await world.send(enclaves.keys.revoke(enclave.id), world.operator)
    now = await world.now() + 3 * 3600 - 100
    await world.rpc.call("evm_setNextBlockTimestamp", now)
    await world.rpc.call("evm_mine")
    await refused(enclaves.attempt(await enclaves.document(enclave)), "KeyIsRevoked", key=enclave.id)
    # Another key of the same enclave is another key.
    await enclaves.attempt(await enclaves.document(Enclave(secret=77)))


@CURVES
async def test_anybody_ends_a_key_that_equivocates(world: World, enclaves: Enclaves, curve: Curve) -> None:
    enclave, claim = Enclave(curve), claim_of(world)
    other = replace(claim, output_hash=keccak(b"another"))
    first, second = (enclave.seal(world, claim), claim), (enclave.seal(world, other), other)
    call = enclaves.keys.revoke_equivocation(first, second)
    await refused(world.send(call), "UnknownKey", key=enclave.id)
    await enclaves.register(enclave)
    receipt = await world.send(call, world.stranger)
    assert revoked_by(receipt) == (enclave.id, world.stranger.address)
    assert (await enclaves.key(enclave)).revoked
    await refused(world.send(call), "KeyIsRevoked", key=enclave.id)


@CURVES
async def test_what_is_no_equivocation(world: World, enclaves: Enclaves, curve: Curve) -> None:
    enclave, claim = Enclave(curve), claim_of(world)
    await enclaves.register(enclave)
    for other in (
        claim,
        replace(claim, request_id=keccak(b"another"), output_hash=keccak(b"another")),
        replace(claim, operator=world.rival.address),
    ):
        pair = (enclave.seal(world, claim), claim), (enclave.seal(world, other), other)
        await refused(world.send(enclaves.keys.revoke_equivocation(*pair)), "NoEquivocation")


async def test_two_keys_may_disagree(world: World, enclaves: Enclaves) -> None:
    enclave, rival, claim = Enclave(), Enclave(secret=99), claim_of(world)
    await enclaves.register(enclave)
    other = replace(claim, output_hash=keccak(b"another"))
    pair = (enclave.seal(world, claim), claim), (rival.seal(world, other), other)
    await refused(world.send(enclaves.keys.revoke_equivocation(*pair)), "TwoKeys", a=enclave.id, b=rival.id)
    forged = (enclave.seal(world, claim), claim), (enclave.seal(world, claim), other)
    with pytest.raises(Exception, match="TwoKeys"):
        await world.send(enclaves.keys.revoke_equivocation(*forged))


async def test_a_revoked_certificate_ends_keys_after_the_delay(world: World, enclaves: Enclaves) -> None:
    enclave = Enclave()
    document = await enclaves.document(enclave)
    hashes = [keccak(der) for der in document.certificates]
    call = enclaves.keys.revoke_by_certificate(enclave.id, hashes, 3)
    await refused(world.send(call), "UnknownKey", key=enclave.id)
    await world.send(enclaves.keys.register(document.raw, hints(document)))
    await refused(world.send(call), "NotYetRevocable", certificate=hashes[3], **{"from": 0})

    begin = await world.now() + 10
    await world.send_at(begin, enclaves.attestation.revoke_certificate(hashes[3]))
    end = begin + REVOCATION_DELAY
    await refused(world.try_at(end - 1, call), "NotYetRevocable", certificate=hashes[3], **{"from": end})
    elsewhere = enclaves.keys.revoke_by_certificate(enclave.id, hashes, 2)
    await refused(world.try_at(end, elsewhere), "NotYetRevocable", certificate=hashes[2], **{"from": 0})
    for wrong in (hashes[1:], [*hashes, hashes[3]], [hashes[3]] * 5):
        call_wrong = enclaves.keys.revoke_by_certificate(enclave.id, wrong, 0)
        await refused(world.try_at(end, call_wrong), "WrongCertificates")
    # No new key comes in by it meanwhile.
    other = await enclaves.document(Enclave(secret=5))
    await refused(enclaves.attempt(other), "CertificateIsRevoked", index=3, certificate=hashes[3])

    receipt = await world.send_at(end, call, world.stranger)
    assert revoked_by(receipt) == (enclave.id, world.stranger.address)
    await refused(world.try_at(end + 1, call), "KeyIsRevoked", key=enclave.id)


async def test_a_renewed_key_has_its_new_certificates(world: World, enclaves: Enclaves) -> None:
    """Whoever attests anew under other certificates is not hit by the revocation of the old ones."""
    enclave, start = Enclave(), await world.now()
    old = await enclaves.document(enclave, at=start)
    await world.send(enclaves.keys.register(old.raw, hints(old)))
    enclaves.machine = enclaves.authority.instance(at=start + 3600)
    await world.rpc.call("evm_setNextBlockTimestamp", start + 3600)
    await world.rpc.call("evm_mine")
    new = await enclaves.document(enclave, at=start + 3600)
    await world.send_at(start + 3601, enclaves.keys.register(new.raw, hints(new)))
    hashes = [keccak(der) for der in old.certificates]
    await world.send(enclaves.attestation.revoke_certificate(hashes[1]))
    late = start + 3700 + REVOCATION_DELAY
    call = enclaves.keys.revoke_by_certificate(enclave.id, hashes, 1)
    await refused(world.try_at(late, call), "WrongCertificates")
