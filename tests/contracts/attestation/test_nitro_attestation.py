# verify
# ├── the document or a certificate has another form ...... NitroReader's and X509's errors
# ├── hints are not one for each signature ................ WrongHintsCount
# ├── the root is not the pinned one ...................... WrongRoot
# ├── the guard revoked a certificate ..................... CertificateIsRevoked
# ├── a certificate that is unknown comes without hints ... HintsMissing
# ├── it is not of its time ............................... CertificateNotYetValid, CertificateExpired
# ├── it may not issue, or not so far down ................ NotAnAuthority, PathTooLong
# ├── its issuer has another name ......................... WrongIssuer
# ├── a signature or its hints are wrong .................. WrongSignature
# ├── the last one may not sign ........................... NotASigner
# └── otherwise ........................................... CertificateVerified, and what the document says

from dataclasses import dataclass

import pytest

from tests.contracts.enclaves import PCRS, Enclave, Enclaves, fingerprint, hints
from tests.python.attestation.chains import AT, BROKEN, FINE, GOOD, Link, changed, signed
from tests.support.contract import Contract, codec
from tests.support.world import World, refused
from vouch.attestation.document import Document
from vouch.chain.abi import event
from vouch.chain.reverts import Reverted
from vouch.protocol.keccak import keccak


@dataclass(frozen=True, slots=True)
class Pinned:
    """A NitroAttestation that trusts one document's root."""

    world: World
    contract: Contract

    async def verify(self, document: Document, at: int = AT) -> None:
        """Raises Reverted unless it is accepted at this time."""
        await self.world.try_at(at, self.contract.call("verify", document.raw, hints(document)))


async def pinned(world: World, enclaves: Enclaves, document: Document) -> Pinned:
    there = enclaves.deployment.enclaves
    parts = [there[name] for name in ("NitroReader", "Sha384Hash", "P384")]
    root = fingerprint(document.certificates)
    return Pinned(world, await world.create("NitroAttestation", *parts, root, world.owner.address))


async def test_what_a_document_says(world: World, enclaves: Enclaves) -> None:
    document = await enclaves.document(Enclave(), extra=b"x" * 300)
    call = enclaves.attestation.verify(document.raw, hints(document))
    answer = await world.try_at(await world.now() + 1, call)
    (found,) = codec("NitroAttestation", "verify").decode(answer)
    module, timestamp, pcrs, public_key, data, nonce, expiry, certificates = found
    assert (module, timestamp) == (document.module_id, document.timestamp_ms)
    assert dict(enumerate(pcrs)) == dict(document.pcrs)
    assert (public_key, data, nonce) == (document.public_key, document.user_data, document.nonce)
    assert expiry == document.timestamp_ms // 1000 + 3 * 3600
    assert list(certificates) == [keccak(der) for der in document.certificates]
    assert pcrs[0] == PCRS[0]


@pytest.mark.parametrize(("links", "name", "values"), BROKEN)
async def test_chains_that_break_a_rule(
    world: World, enclaves: Enclaves, links: list[Link], name: str, values: tuple[int, ...]
) -> None:
    """With the same names and arguments as vouch.attestation.verify."""
    document = signed(links)
    with pytest.raises(Reverted) as caught:
        await (await pinned(world, enclaves, document)).verify(document)
    assert caught.value.error.name == name, str(caught.value)
    found = tuple(caught.value.error.args.values())
    assert found[: len(values)] == values


@pytest.mark.parametrize("links", FINE)
async def test_chains_that_just_do(world: World, enclaves: Enclaves, links: list[Link]) -> None:
    document = signed(links)
    await (await pinned(world, enclaves, document)).verify(document)


async def test_to_the_second(world: World, enclaves: Enclaves) -> None:
    document = signed(GOOD)
    there = await pinned(world, enclaves, document)
    for at in (AT - 100, AT + 100):
        await there.verify(document, at=at)
    early, late = there.verify(document, at=AT - 101), there.verify(document, at=AT + 101)
    await refused(early, "CertificateNotYetValid", index=0, notBefore=AT - 100)
    await refused(late, "CertificateExpired", index=0, notAfter=AT + 100)


async def test_another_root(world: World, enclaves: Enclaves) -> None:
    document = signed(GOOD)
    there = await pinned(world, enclaves, document)
    other = signed(changed(0, path_len=5))
    await refused(
        there.verify(other),
        "WrongRoot",
        received=fingerprint(other.certificates),
        expected=fingerprint(document.certificates),
    )


async def test_hints_are_one_for_each_signature(world: World, enclaves: Enclaves) -> None:
    document = await enclaves.document(Enclave())
    given, at = hints(document), await world.now() + 1
    for wrong in (given[1:], [*given, b""], []):
        call = enclaves.attestation.verify(document.raw, wrong)
        await refused(world.try_at(at, call), "WrongHintsCount", received=len(wrong), expected=5)
    for index in range(1, 5):
        missing = [b"" if i == index - 1 else each for i, each in enumerate(given)]
        hashed = keccak(document.certificates[index])
        call = enclaves.attestation.verify(document.raw, missing)
        await refused(world.try_at(at, call), "HintsMissing", index=index, certificate=hashed)
    # The document's own signature is always checked: what P384 says of no hints is the reason.
    call = enclaves.attestation.verify(document.raw, [*given[:4], b""])
    with pytest.raises(Reverted) as caught:
        await world.try_at(at, call)
    assert (caught.value.error.name, caught.value.error.args["index"]) == ("WrongSignature", 5)
    assert caught.value.error.args["reason"][:4] == keccak(b"WrongHintsLength(uint256,uint256)")[:4]


async def test_hints_of_another_signature(world: World, enclaves: Enclaves) -> None:
    document = await enclaves.document(Enclave())
    given, at = hints(document), await world.now() + 1
    for index in range(5):
        swapped = list(given)
        swapped[index] = given[(index + 1) % 5]
        call = enclaves.attestation.verify(document.raw, swapped)
        with pytest.raises(Reverted) as caught:
            await world.try_at(at, call)
        assert (caught.value.error.name, caught.value.error.args["index"]) == ("WrongSignature", index + 1)


async def test_what_was_verified_needs_no_hints(world: World, enclaves: Enclaves) -> None:
    first = await enclaves.document(Enclave())
    hashes = [keccak(der) for der in first.certificates]
    assert not await enclaves.attestation.is_verified(hashes)
    receipt = await world.send(enclaves.attestation.verify(first.raw, hints(first)), world.stranger)
    verified = event("NitroAttestation", "CertificateVerified")
    logged = [verified.decode(log) for log in receipt.logs]
    assert [(log["certificate"], log["issuer"]) for log in logged] == list(
        zip(hashes[1:], hashes[:-1], strict=True)
    )
    for length in range(2, 6):
        assert await enclaves.attestation.is_verified(hashes[:length])
    # By itself a certificate is not verified: only under its issuers.
    for wrong in ([], hashes[:1], hashes[1:], [hashes[0], hashes[4]], [*hashes, hashes[4]]):
        assert not await enclaves.attestation.is_verified(wrong)

    second = await enclaves.document(Enclave(), extra=b"another")
    call = enclaves.attestation.verify(second.raw, [b"", b"", b"", b"", hints(second)[4]])
    await world.try_at(await world.now() + 1, call)
    # Hints that are not needed are not looked at.
    call = enclaves.attestation.verify(second.raw, [b"nonsense"] * 4 + hints(second)[4:])
    await world.try_at(await world.now() + 1, call)
    # A leaf of another machine is new.
    enclaves.machine = None
    third = await enclaves.document(Enclave())
    call = enclaves.attestation.verify(third.raw, [b"", *hints(third)[1:]])
    hashed = keccak(third.certificates[1])
    await refused(world.try_at(await world.now() + 1, call), "HintsMissing", index=1, certificate=hashed)


async def test_what_was_verified_still_expires(world: World, enclaves: Enclaves) -> None:
    document = await enclaves.document(Enclave())
    await world.send(enclaves.attestation.verify(document.raw, hints(document)))
    last = document.timestamp_ms // 1000 + 3 * 3600
    call = enclaves.attestation.verify(document.raw, [b"", b"", b"", b"", hints(document)[4]])
    await world.try_at(last, call)
    await refused(world.try_at(last + 1, call), "CertificateExpired", index=4, notAfter=last)
    begin = document.timestamp_ms // 1000 - 3
    await world.try_at(begin, call)
    await refused(world.try_at(begin - 1, call), "CertificateNotYetValid", index=4, notBefore=begin)


async def test_certificate_by_certificate(world: World, enclaves: Enclaves) -> None:
    document = await enclaves.document(Enclave())
    given, chain = hints(document), list(document.certificates)
    hashes = [keccak(der) for der in chain]
    for length in range(2, 6):
        new = [b""] * (length - 2) + given[length - 2 : length - 1]
        await world.send(enclaves.attestation.verify_certificates(chain[:length], new))
        assert await enclaves.attestation.is_verified(hashes[:length])
        assert length == 5 or not await enclaves.attestation.is_verified(hashes[: length + 1])
    call = enclaves.attestation.verify(document.raw, [b"", b"", b"", b"", given[4]])
    await world.try_at(await world.now() + 1, call)


async def test_chains_that_are_none(world: World, enclaves: Enclaves) -> None:
    document = await enclaves.document(Enclave())
    given, chain, at = hints(document), list(document.certificates), await world.now() + 1
    verify = enclaves.attestation.verify_certificates
    for length in (0, 1):
        await refused(world.try_at(at, verify(chain[:length], [])), "ChainTooShort", length=length)
    await refused(world.try_at(at, verify(chain[:3], given[:1])), "WrongHintsCount", received=1, expected=2)
    with pytest.raises(Reverted, match="WrongRoot"):
        await world.try_at(at, verify(chain[1:], given[1:4]))
    await refused(world.try_at(at, verify([chain[0], chain[2]], given[1:2])), "WrongIssuer", index=1)
    leaf_issues = verify([*chain, chain[4]], [*given[:4], given[3]])
    await refused(world.try_at(at, leaf_issues), "NotAnAuthority", index=4)


async def test_only_the_guard_revokes(world: World, enclaves: Enclaves) -> None:
    document = await enclaves.document(Enclave())
    hashes = [keccak(der) for der in document.certificates]
    guard = enclaves.attestation
    assert await guard.guard() == world.owner.address
    for index in range(5):
        call = guard.revoke_certificate(hashes[index])
        await refused(
            world.send(call, world.stranger), "OwnableUnauthorizedAccount", account=world.stranger.address
        )
    at = await world.now() + 5
    for index in (4, 3, 2, 1, 0):
        assert await guard.revoked_at(hashes[index]) == 0
        await world.send_at(at, guard.revoke_certificate(hashes[index]))
        assert await guard.revoked_at(hashes[index]) == at
        await refused(
            enclaves.attempt(document), "CertificateIsRevoked", index=index, certificate=hashes[index]
        )
        at += 1
    await refused(world.send(guard.revoke_certificate(hashes[2])), "AlreadyRevoked", certificate=hashes[2])


async def test_a_revocation_also_hits_what_is_remembered(world: World, enclaves: Enclaves) -> None:
    document = await enclaves.document(Enclave())
    await world.send(enclaves.attestation.verify(document.raw, hints(document)))
    hashed = keccak(document.certificates[2])
    await world.send(enclaves.attestation.revoke_certificate(hashed))
    await refused(enclaves.attempt(document), "CertificateIsRevoked", index=2, certificate=hashed)
