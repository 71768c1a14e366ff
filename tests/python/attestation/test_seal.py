"""Whose seal it is, on either curve."""

from dataclasses import replace

import pytest

from tests.python.relayer.making import CHAIN_ID, HUB, OPERATOR
from vouch.attestation.seal import NotItsSignature, sealer
from vouch.node.enclave_key import make_key
from vouch.protocol.claim import Claim
from vouch.protocol.enclave import ENCLAVE, Curve, NotAKey, NotAnEnclaveSeal, NotCanonical, WrongSealLength
from vouch.protocol.errors import VouchError
from vouch.protocol.seal import SIGNED, BadSeal

CLAIM = Claim(b"\1" * 32, b"\2" * 32, b"\3" * 32, b"\4" * 32, OPERATOR)


@pytest.mark.parametrize("curve", Curve)
def test_the_key_that_signed(curve: Curve) -> None:
    key = make_key(curve)
    assert sealer(key.seal(CLAIM, CHAIN_ID, HUB), CLAIM, CHAIN_ID, HUB) == key.identity.id


def test_another_claim_or_chain_is_somebody_elses() -> None:
    key = make_key(Curve.SECP256K1)
    seal = key.seal(CLAIM, CHAIN_ID, HUB)
    other = replace(CLAIM, output_hash=b"\5" * 32)
    for claim, chain_id, hub in ((other, CHAIN_ID, HUB), (CLAIM, 1, HUB), (CLAIM, CHAIN_ID, OPERATOR)):
        assert sealer(seal, claim, chain_id, hub) != key.identity.id


def test_a_p256_seal_of_another_claim() -> None:
    key = make_key(Curve.P256)
    seal = key.seal(CLAIM, CHAIN_ID, HUB)
    with pytest.raises(NotItsSignature, match=key.identity.id):
        sealer(seal, replace(CLAIM, output_hash=b"\5" * 32), CHAIN_ID, HUB)


@pytest.mark.parametrize(
    ("seal", "error"),
    [
        (b"EN", BadSeal),
        (SIGNED + bytes(65), NotAnEnclaveSeal),
        (ENCLAVE + bytes(64), WrongSealLength),
        (ENCLAVE + bytes(65), NotCanonical),
        (ENCLAVE + bytes(64) + (1).to_bytes(32, "big") * 2, NotAKey),
        # r is the x of no point
        (ENCLAVE + (5).to_bytes(32, "big") + (1).to_bytes(32, "big") + b"\x1b", NotItsSignature),
    ],
)
def test_no_seals(seal: bytes, error: type[VouchError]) -> None:
    with pytest.raises(error):
        sealer(seal, CLAIM, CHAIN_ID, HUB)
