# verify
# ├── seal is shorter than its header, or not as long as it says ... WrongSealLength
# ├── threshold is zero or above n, or n is above 64 ............... BadPolicy
# ├── a bit at n or above .......................................... NoSuchSigner
# ├── fewer bits than the threshold ................................ TooFewSignatures
# ├── signers unsorted, twice, or zero ............................. SignersNotAscending
# ├── trust is not the hash of threshold and signers ............... WrongPolicy
# └── otherwise .................................................... returns nothing

import pytest

from tests.contracts.quorums import addresses_of, check, claim_of, hash_of, pack, signatures
from tests.support.world import FEE, OUTPUT, World, refused
from vouch.chain.account import LocalKey
from vouch.chain.events import SettledLog
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import QUORUM, Policy, QuorumSeal
from vouch.protocol.request import NATIVE
from vouch.protocol.status import Status

HEADER = 14


async def test_every_quorum_of_three(world: World, signers: list[LocalKey]) -> None:
    claim, addresses = claim_of(world), addresses_of(signers)
    trust = hash_of(3, addresses)
    for bitmap in range(32):
        keys = [key for i, key in enumerate(signers) if bitmap >> i & 1]
        attempt = check(world, pack(3, addresses, bitmap, signatures(world, claim, keys)), trust, claim)
        if len(keys) >= 3:
            await attempt
        else:
            await refused(attempt, "TooFewSignatures", received=len(keys), threshold=3)


async def test_one_of_one_and_sixty_four(world: World, signers: list[LocalKey]) -> None:
    claim, only = claim_of(world), signers[2]
    signed = signatures(world, claim, [only])
    await check(world, pack(1, [only.address], 1, signed), hash_of(1, [only.address]), claim)
    # The last of 64 is the highest bit.
    others = [f"0x{i:040x}" for i in range(1, 64)]
    full = [*others, only.address]
    await check(world, pack(1, full, 1 << 63, signed), hash_of(1, full), claim)
    more = [f"0x{64:040x}", *full]
    more.sort()
    await refused(
        check(world, pack(1, more, 1 << 63, signed), hash_of(1, more), claim),
        "BadPolicy",
        threshold=1,
        signers=65,
    )


async def test_the_layout_is_pythons(world: World, signers: list[LocalKey]) -> None:
    claim, addresses = claim_of(world), addresses_of(signers)
    policy = Policy.of(2, addresses)
    signed = signatures(world, claim, signers)
    seals = [signers[i].sign_claim(claim, world.deployment.chain_id, world.hub.address) for i in (4, 1)]
    made = QuorumSeal.collect(policy, claim, world.deployment.chain_id, world.hub.address, seals)
    assert bytes(made.seal) == pack(2, addresses, 0b10010, [signed[1], signed[4]])
    assert policy.trust == hash_of(2, addresses)
    await check(world, bytes(made.seal), policy.trust, claim)


@pytest.mark.parametrize("size", [0, 4, 13])
async def test_without_a_header(world: World, signers: list[LocalKey], size: int) -> None:
    claim, addresses = claim_of(world), addresses_of(signers)
    seal = pack(1, addresses, 1, signatures(world, claim, signers[:1]))[:size]
    await refused(
        check(world, seal, hash_of(1, addresses), claim), "WrongSealLength", received=size, expected=HEADER
    )


@pytest.mark.parametrize("change", [-65, -1, 1, 65])
async def test_length(world: World, signers: list[LocalKey], change: int) -> None:
    claim, addresses = claim_of(world), addresses_of(signers)
    seal = pack(2, addresses, 0b11, signatures(world, claim, signers[:2]))
    assert len(seal) == HEADER + 20 * 5 + 65 * 2
    # What follows is a valid signature, too: trailing bytes are refused whatever they are.
    wrong = (seal + signatures(world, claim, signers[2:3])[0])[: len(seal) + change]
    await refused(
        check(world, wrong, hash_of(2, addresses), claim),
        "WrongSealLength",
        received=len(seal) + change,
        expected=len(seal),
    )


@pytest.mark.parametrize(("threshold", "n"), [(0, 5), (6, 5), (0, 0), (1, 0)])
async def test_policies_that_are_none(world: World, signers: list[LocalKey], threshold: int, n: int) -> None:
    """Even if the consumer trusts their hash: a threshold of zero would let everybody through."""
    claim, addresses = claim_of(world), addresses_of(signers)[:n]
    seal = pack(threshold, addresses, (1 << n) - 1, signatures(world, claim, signers[:n]))
    await refused(
        check(world, seal, hash_of(threshold, addresses), claim), "BadPolicy", threshold=threshold, signers=n
    )


@pytest.mark.parametrize("bit", [5, 6, 63])
async def test_a_bit_for_nobody(world: World, signers: list[LocalKey], bit: int) -> None:
    claim, addresses = claim_of(world), addresses_of(signers)
    bitmap = 0b11 | 1 << bit
    seal = pack(3, addresses, bitmap, signatures(world, claim, signers[:3]))
    await refused(check(world, seal, hash_of(3, addresses), claim), "NoSuchSigner", bitmap=bitmap, signers=5)


async def test_the_list_is_sorted_and_names_nobody_twice(world: World, signers: list[LocalKey]) -> None:
    claim = claim_of(world)
    a, b, c = signers[:3]
    for keys, index in (([b, a, c], 1), ([a, c, b], 2), ([a, a, b], 1), ([a, b, b], 2)):
        addresses = addresses_of(keys)
        seal = pack(2, addresses, 0b111, signatures(world, claim, keys))
        await refused(
            check(world, seal, hash_of(2, addresses), claim),
            "SignersNotAscending",
            index=index,
            previous=addresses[index - 1],
            signer=addresses[index],
        )


async def test_nobodys_signature_does_not_speak_for_the_zero_account(
    world: World, signers: list[LocalKey]
) -> None:
    claim, addresses = claim_of(world), [NATIVE, *addresses_of(signers)]
    seal = pack(1, addresses, 1, [bytes(64) + b"\x1b"])
    await refused(
        check(world, seal, hash_of(1, addresses), claim),
        "SignersNotAscending",
        index=0,
        previous=NATIVE,
        signer=NATIVE,
    )


async def test_another_policy(world: World, signers: list[LocalKey]) -> None:
    """A seal under a policy of the sealer's own is refused, however many signed."""
    claim, addresses = claim_of(world), addresses_of(signers)
    seal = pack(3, addresses, 0b111, signatures(world, claim, signers[:3]))
    received = hash_of(3, addresses)
    for trust in (
        bytes(32),
        hash_of(4, addresses),
        hash_of(3, addresses[:4]),
        hash_of(3, [world.rival.address, *addresses]),
        keccak(b"".join(bytes.fromhex(address[2:]) for address in addresses)),
    ):
        await refused(check(world, seal, trust, claim), "WrongPolicy", received=received, expected=trust)


async def test_a_question_and_its_answer(world: World, signers: list[LocalKey]) -> None:
    """Through the hub: three of five strangers to the registry vouch for what the operator is paid for."""
    consumer = await world.create("WordKeeper", world.hub.address)
    policy = Policy.of(3, addresses_of(signers))
    terms = await world.terms(
        consumer=consumer.address, route=QUORUM, trust=policy.trust, callback_gas=60_000
    )
    await world.ask(terms, consumer)
    claim = world.claim(terms)
    chain_id, hub = world.deployment.chain_id, world.hub.address
    seals = [key.sign_claim(claim, chain_id, hub) for key in signers[1:4]]

    few = bytearray(bytes(QuorumSeal.collect(policy, claim, chain_id, hub, seals).seal)[:-65])
    few[13] = 0b00110
    short = world.hub.fulfil(terms, world.operator.address, OUTPUT, bytes(few))
    await refused(world.send(short), "TooFewSignatures", received=2, threshold=3)

    seal = bytes(QuorumSeal.collect(policy, claim, chain_id, hub, seals).seal)
    receipt = await world.send(world.hub.fulfil(terms, world.operator.address, OUTPUT, seal), world.stranger)
    assert [type(log) for log in world.logs(receipt)] == [SettledLog]
    assert await consumer.read("words", terms.salt) == OUTPUT.ljust(32, b"\0")
    assert await world.credit(world.operator) == FEE
    assurance = await world.hub.assurance_of(world.id(terms))
    assert (assurance.status, assurance.route) == (Status.SETTLED, QUORUM)
    assert await world.router.name_of(QUORUM) == "Quorum"
