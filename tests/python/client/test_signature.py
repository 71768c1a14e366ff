"""Signatures that the hub would take, and those that it would not."""

from dataclasses import replace

import pytest

from vouch.chain.account import LocalKey
from vouch.client.errors import BadAnswer
from vouch.client.signature import check_seal, check_signature
from vouch.node.enclave_key import make_key
from vouch.protocol.claim import Claim
from vouch.protocol.enclave import ENCLAVE, Curve
from vouch.protocol.quorum import QUORUM
from vouch.protocol.seal import SIGNED, Seal

HUB = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEY = LocalKey(b"\1" * 32)
CLAIM = Claim(b"\2" * 32, b"\3" * 32, b"\4" * 32, b"\5" * 32, KEY.address)
GOOD = KEY.sign_claim(CLAIM, 31337, HUB).proof


def test_the_operators() -> None:
    check_signature(GOOD, CLAIM, 31337, HUB)
    check_seal(Seal(SIGNED, GOOD), CLAIM, 31337, HUB)


@pytest.mark.parametrize(("chain_id", "hub"), [(1, HUB), (31337, KEY.address)])
def test_of_another_chain_or_hub(chain_id: int, hub: str) -> None:
    with pytest.raises(BadAnswer, match="signer of the claim"):
        check_signature(GOOD, CLAIM, chain_id, hub)


def test_somebody_elses() -> None:
    with pytest.raises(BadAnswer, match="signer of the claim"):
        check_signature(LocalKey(b"\6" * 32).sign_claim(CLAIM, 31337, HUB).proof, CLAIM, 31337, HUB)


def negated(signature: bytes) -> bytes:
    s = ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        GOOD[:64],
        GOOD + b"\0",
        bytes(65),
        b"\xff" * 65,
        GOOD[:64] + bytes([GOOD[64] - 27]),
        GOOD[:64] + bytes([GOOD[64] + 2]),
        bytes(31) + b"\5" + GOOD[32:],
        negated(GOOD),
    ],
    ids=["none", "short", "long", "zeros", "ones", "v 0 or 1", "v 29 or 30", "no point", "high s"],
)
def test_what_the_hub_would_not_take(signature: bytes) -> None:
    with pytest.raises(BadAnswer, match="low s, v 27 or 28"):
        check_signature(signature, CLAIM, 31337, HUB)
    with pytest.raises(BadAnswer, match="low s, v 27 or 28"):
        check_seal(Seal(SIGNED, signature), CLAIM, 31337, HUB)


def test_other_routes_seals_are_for_their_verifiers() -> None:
    check_seal(Seal(QUORUM, b"anything"), CLAIM, 31337, HUB)


@pytest.mark.parametrize("curve", Curve)
def test_an_enclaves_seal(curve: Curve) -> None:
    """Whose key it is says the chain; that it is a signature at all is said here."""
    seal = Seal.parse(make_key(curve).seal(CLAIM, 31337, HUB))
    check_seal(seal, CLAIM, 31337, HUB)
    with pytest.raises(BadAnswer, match="an enclave's signature of the claim"):
        check_seal(Seal(ENCLAVE, seal.proof[:-1]), CLAIM, 31337, HUB)


def test_an_enclaves_seal_of_another_claim() -> None:
    """P-256: the seal names its key."""
    seal = Seal.parse(make_key(Curve.P256).seal(CLAIM, 31337, HUB))
    with pytest.raises(BadAnswer, match="no signature of this claim"):
        check_seal(seal, replace(CLAIM, output_hash=bytes(32)), 31337, HUB)
