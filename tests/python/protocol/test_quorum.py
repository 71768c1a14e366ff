from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from coincurve import PrivateKey
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategies import addresses, claims
from vouch.protocol.claim import Claim
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak
from vouch.protocol.quorum import (
    MAX_SIGNERS,
    BadPolicy,
    NoSuchSigner,
    NotAQuorumSeal,
    NotASigner,
    Policy,
    QuorumSeal,
    SignersNotAscending,
    TooFewSignatures,
    WrongPolicy,
    WrongSealLength,
    WrongSignature,
)
from vouch.protocol.request import NATIVE
from vouch.protocol.seal import BadSeal, Seal, address_of, sign_claim

HUB = "0x00000000000000000000000000000000000000AA"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEYS = sorted(
    (PrivateKey(bytes([i]) * 32) for i in range(1, 6)),
    key=lambda key: bytes.fromhex(address_of(key.public_key)[2:]),
)
SIGNERS = tuple(address_of(key.public_key) for key in KEYS)
WORD = b"\1" * 32
CLAIM = Claim(WORD, WORD, WORD, WORD, HUB)
POLICY = Policy(3, SIGNERS)


def seals(*places: int, claim: Claim = CLAIM) -> list[Seal]:
    return [sign_claim(KEYS[place], claim, 1, HUB) for place in places]


def collected(*places: int) -> QuorumSeal:
    return QuorumSeal.collect(POLICY, CLAIM, 1, HUB, seals(*places))


@given(listed=st.sets(addresses.filter(lambda a: a != NATIVE), min_size=1, max_size=64), data=st.data())
def test_policies(listed: set[str], data: st.DataObject) -> None:
    threshold = data.draw(st.integers(1, len(listed)))
    shuffled = list(listed)
    Random(0).shuffle(shuffled)
    policy = Policy.of(threshold, (address.lower() for address in shuffled))
    assert policy.signers == tuple(sorted(listed, key=str.lower))
    assert policy.trust == keccak(encode(["uint256", "address[]"], [threshold, list(policy.signers)]))
    assert Policy(threshold, policy.signers) == policy


@pytest.mark.parametrize(("threshold", "n"), [(0, 3), (4, 3), (0, 0), (1, 0), (-1, 3), (1, MAX_SIGNERS + 1)])
def test_policies_that_cannot_be(threshold: int, n: int) -> None:
    with pytest.raises(BadPolicy) as caught:
        Policy.of(threshold, [f"0x{i:040x}" for i in range(1, n + 1)])
    assert (caught.value.threshold, caught.value.signers) == (threshold, n)


@pytest.mark.parametrize(
    ("listed", "index"),
    [((SIGNERS[1], SIGNERS[0]), 1), ((SIGNERS[0], SIGNERS[1], SIGNERS[1]), 2), ((NATIVE, SIGNERS[0]), 0)],
)
def test_lists_that_cannot_be(listed: tuple[str, ...], index: int) -> None:
    with pytest.raises(SignersNotAscending) as caught:
        Policy(1, listed)
    previous = listed[index - 1] if index else NATIVE
    assert (caught.value.index, caught.value.previous, caught.value.signer) == (
        index,
        previous,
        listed[index],
    )


@given(claim=claims, places=st.permutations(range(5)), more=st.integers(0, 2))
def test_a_quorum_is_collected_from_signed_seals(claim: Claim, places: list[int], more: int) -> None:
    made = QuorumSeal.collect(POLICY, claim, 1, HUB, seals(*places[: 3 + more], claim=claim))
    made.check(POLICY.trust, claim, 1, HUB)
    assert set(made.signatures) == {SIGNERS[i] for i in places[:3]}, "no more of them than needed"
    data = bytes(made.seal)
    assert data[:14] == b"QRUM\x03\x05" + sum(1 << i for i in places[:3]).to_bytes(8, "big")
    assert data[14:114] == b"".join(bytes.fromhex(signer[2:]) for signer in SIGNERS)
    assert data[114:] == b"".join(bytes(seals(i, claim=claim)[0])[4:] for i in sorted(places[:3]))
    assert QuorumSeal.parse(Seal.parse(data)) == made


def test_collecting_too_few_or_from_strangers() -> None:
    for places in ((), (0, 1), (2, 2, 2, 2)):
        with pytest.raises(TooFewSignatures) as few:
            collected(*places)
        assert (few.value.received, few.value.threshold) == (len(set(places)), 3)
    stranger = PrivateKey(b"\x09" * 32)
    with pytest.raises(NotASigner) as caught:
        QuorumSeal.collect(POLICY, CLAIM, 1, HUB, [*seals(0, 1, 2), sign_claim(stranger, CLAIM, 1, HUB)])
    assert caught.value.recovered == address_of(stranger.public_key)
    with pytest.raises(NotASigner):
        QuorumSeal.collect(POLICY, CLAIM, 2, HUB, seals(0, 1, 2))
    with pytest.raises(BadSeal):
        QuorumSeal.collect(POLICY, CLAIM, 1, HUB, [Seal(b"SIGN", bytes(64))])


def altered(place: int, value: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:place] + bytes([value]) + data[place + 1 :]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda data: data[:13], WrongSealLength),
        (lambda data: data[:-1], WrongSealLength),
        (lambda data: data + b"\0", WrongSealLength),
        (altered(0, 0), NotAQuorumSeal),
        (altered(4, 0), BadPolicy),
        (altered(4, 6), BadPolicy),
        (altered(5, 65), BadPolicy),
        (altered(13, 0b100111), NoSuchSigner),
        (altered(13, 0b11), TooFewSignatures),
        (altered(14, 0xFF), SignersNotAscending),
    ],
)
def test_what_is_no_quorum_seal(change: Callable[[bytes], bytes], error: type[VouchError]) -> None:
    data = bytes(collected(0, 1, 2).seal)
    with pytest.raises(error):
        QuorumSeal.parse(Seal.parse(change(data)))


def test_another_policy_is_refused() -> None:
    trust = Policy(2, SIGNERS).trust
    with pytest.raises(WrongPolicy) as caught:
        collected(0, 1, 2).check(trust, CLAIM, 1, HUB)
    assert (caught.value.received, caught.value.expected) == (POLICY.trust, trust)


def test_signatures_that_are_not_the_signers() -> None:
    made = collected(0, 2, 4)
    good = made.signatures[SIGNERS[2]]
    high = (ORDER - int.from_bytes(good[32:64], "big")).to_bytes(32, "big")
    wrong = {
        "somebody else's": (made.signatures[SIGNERS[0]], SIGNERS[0]),
        "high s": (good[:32] + high + bytes([55 - good[64]]), NATIVE),
        "v": (good[:64] + b"\x1d", NATIVE),
        "no point": (b"\xff" * 32 + good[32:], NATIVE),
    }
    for what, (signature, recovered) in wrong.items():
        forged = replace(made, signatures={**made.signatures, SIGNERS[2]: signature})
        with pytest.raises(WrongSignature) as caught:
            forged.check(POLICY.trust, CLAIM, 1, HUB)
        assert (caught.value.recovered, caught.value.expected) == (recovered, SIGNERS[2]), what
    with pytest.raises(WrongSignature):
        made.check(POLICY.trust, replace(CLAIM, operator=to_checksum_address("0x" + "11" * 20)), 1, HUB)
    with pytest.raises(WrongSignature):
        made.check(POLICY.trust, CLAIM, 2, HUB)
