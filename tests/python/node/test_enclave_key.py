import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.python.node.asking import CHAIN_ID, HUB, OPERATOR, OTHER
from vouch.node.enclave_key import make_key
from vouch.protocol.claim import Claim
from vouch.protocol.enclave import Curve, EnclaveIdentity, P256Seal, Secp256k1Seal, parse_seal
from vouch.protocol.seal import SIGNED, Seal, recover_signer

CURVES = pytest.mark.parametrize("curve", list(Curve))


def claims(count: int) -> list[Claim]:
    return [Claim(bytes([i]) * 32, b"m" * 32, b"i" * 32, b"o" * 32, OPERATOR) for i in range(count)]


@CURVES
def test_the_identity_is_a_key_that_others_can_read(curve: Curve) -> None:
    identity = make_key(curve).identity
    assert identity.curve == curve
    assert EnclaveIdentity.from_spki(identity.spki) == identity
    read = load_der_public_key(identity.spki)
    assert isinstance(read, ec.EllipticCurvePublicKey)
    assert read.curve.name == {Curve.SECP256K1: "secp256k1", Curve.P256: "secp256r1"}[curve]


@CURVES
def test_each_key_is_another(curve: Curve) -> None:
    assert len({make_key(curve).identity.id for _ in range(3)}) == 3


# A signer that leaves half of its s high gets through 40 claims once in 2^40.
def test_secp256k1_seals_recover_to_the_key() -> None:
    key = make_key(Curve.SECP256K1)
    for claim in claims(40):
        seal = key.seal(claim, CHAIN_ID, HUB)
        parsed = parse_seal(Seal.parse(seal))
        assert isinstance(parsed, Secp256k1Seal)
        assert len(seal) == 69
        assert recover_signer(Seal(SIGNED, parsed.signature), claim, CHAIN_ID, HUB) == key.identity.id


def test_p256_seals_are_signatures_of_the_digest_itself() -> None:
    key = make_key(Curve.P256)
    public = load_der_public_key(key.identity.spki)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    for claim in claims(40):
        seal = key.seal(claim, CHAIN_ID, HUB)
        # Refuses a high s.
        parsed = parse_seal(Seal.parse(seal))
        assert isinstance(parsed, P256Seal)
        assert (len(seal), parsed.identity) == (132, key.identity)
        numbers = (int.from_bytes(parsed.r, "big"), int.from_bytes(parsed.s, "big"))
        # Raises InvalidSignature.
        public.verify(
            utils.encode_dss_signature(*numbers),
            claim.digest(CHAIN_ID, HUB),
            ec.ECDSA(utils.Prehashed(SHA256())),
        )


@CURVES
def test_a_claim_has_one_seal_and_each_claim_chain_and_hub_another(curve: Curve) -> None:
    key, (claim, other) = make_key(curve), claims(2)
    assert key.seal(claim, CHAIN_ID, HUB) == key.seal(claim, CHAIN_ID, HUB)
    seals = {
        key.seal(*about) for about in ((claim, 1, HUB), (other, 1, HUB), (claim, 2, HUB), (claim, 1, OTHER))
    }
    assert len(seals) == 4
