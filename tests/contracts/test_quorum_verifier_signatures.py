# verify
# ├── s in the upper half of the order ............................. MalleableSignature
# ├── another key, claim, place, chain or hub, or no signature ..... WrongSignerAt
# └── otherwise .................................................... returns nothing

from dataclasses import replace
from typing import Any

import pytest

from tests.contracts.quorums import FIELDS, addresses_of, check, claim_of, hash_of, pack, signatures
from tests.support.world import World, refused
from vouch.chain.account import LocalKey
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM
from vouch.protocol.request import NATIVE
from vouch.protocol.seal import Seal, recover_signer

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


async def test_no_signer_counts_twice(world: World, signers: list[LocalKey]) -> None:
    claim, addresses = claim_of(world), addresses_of(signers)
    (signed,) = signatures(world, claim, signers[:1])
    await refused(
        check(world, pack(2, addresses, 0b11, [signed, signed]), hash_of(2, addresses), claim),
        "WrongSignerAt",
        index=1,
        recovered=addresses[0],
        expected=addresses[1],
    )


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_every_signature_counts(world: World, signers: list[LocalKey], place: int) -> None:
    """A stranger's signature in any place, also beyond the threshold, is one too many."""
    claim, addresses = claim_of(world), addresses_of(signers)
    bitmap, indices = 0b10101, (0, 2, 4)
    keys = [signers[i] for i in indices]
    keys[place] = world.rival
    seal = pack(2, addresses, bitmap, signatures(world, claim, keys))
    await refused(
        check(world, seal, hash_of(2, addresses), claim),
        "WrongSignerAt",
        index=indices[place],
        recovered=world.rival.address,
        expected=addresses[indices[place]],
    )


@pytest.mark.parametrize("field", FIELDS)
async def test_another_claim(world: World, signers: list[LocalKey], field: str) -> None:
    claim, addresses = claim_of(world), addresses_of(signers)
    value: Any = world.rival.address if field == "operator" else keccak(b"other")
    other = replace(claim, **{field: value})
    signed = signatures(world, claim, signers[:2])
    recovered = recover_signer(Seal(QUORUM, signed[0]), other, world.deployment.chain_id, world.hub.address)
    await refused(
        check(world, pack(2, addresses, 0b11, signed), hash_of(2, addresses), other),
        "WrongSignerAt",
        index=0,
        recovered=recovered,
        expected=addresses[0],
    )


@pytest.mark.parametrize(("chain_id", "other_hub"), [(1, False), (31337, True)])
async def test_another_domain(world: World, signers: list[LocalKey], chain_id: int, other_hub: bool) -> None:
    claim, addresses = claim_of(world), addresses_of(signers)
    hub = world.rival.address if other_hub else world.hub.address
    signed = [key.sign_claim(claim, chain_id, hub).proof for key in signers[:2]]
    recovered = recover_signer(Seal(QUORUM, signed[0]), claim, world.deployment.chain_id, world.hub.address)
    await refused(
        check(world, pack(2, addresses, 0b11, signed), hash_of(2, addresses), claim),
        "WrongSignerAt",
        index=0,
        recovered=recovered,
        expected=addresses[0],
    )


async def test_a_fork_of_the_chain(world: World, signers: list[LocalKey]) -> None:
    claim, addresses = claim_of(world), addresses_of(signers)
    trust = hash_of(2, addresses)
    old = pack(2, addresses, 0b11, signatures(world, claim, signers[:2]))
    signed = [key.sign_claim(claim, 999, world.hub.address).proof for key in signers[:2]]
    new = pack(2, addresses, 0b11, signed)
    await check(world, old, trust, claim)
    await world.rpc.call("anvil_setChainId", 999)
    try:
        await check(world, new, trust, claim)
        recovered = recover_signer(Seal(QUORUM, old[114:179]), claim, 999, world.hub.address)
        await refused(
            check(world, old, trust, claim),
            "WrongSignerAt",
            index=0,
            recovered=recovered,
            expected=addresses[0],
        )
    finally:
        await world.rpc.call("anvil_setChainId", world.deployment.chain_id)


async def test_the_other_form_of_a_signature(world: World, signers: list[LocalKey]) -> None:
    claim, addresses = claim_of(world), addresses_of(signers)
    first, second = signatures(world, claim, signers[:2])
    high = (ORDER - int.from_bytes(second[32:64], "big")).to_bytes(32, "big")
    flipped = second[:32] + high + bytes([55 - second[64]])
    await refused(
        check(world, pack(2, addresses, 0b11, [first, flipped]), hash_of(2, addresses), claim),
        "MalleableSignature",
        s=high,
    )


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
async def test_v(world: World, signers: list[LocalKey], v: int) -> None:
    claim, addresses = claim_of(world), addresses_of(signers)
    (signed,) = signatures(world, claim, signers[:1])
    await refused(
        check(world, pack(1, addresses, 1, [signed[:64] + bytes([v])]), hash_of(1, addresses), claim),
        "WrongSignerAt",
        index=0,
        recovered=NATIVE,
        expected=addresses[0],
    )
