import pytest
from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.strategies import addresses, hashes, uints
from vouch.protocol.enclave import (
    ENCLAVE,
    Binding,
    Curve,
    EnclaveIdentity,
    Freshness,
    NotAKey,
    NotAnEnclaveSeal,
    NotCanonical,
    P256Seal,
    Secp256k1Seal,
    WrongNonce,
    WrongSealLength,
    WrongSize,
    WrongUserData,
    image_id,
    nonce,
    p256_seal,
    parse_nonce,
    parse_seal,
    parse_user_data,
    secp256k1_seal,
    user_data,
)
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import SIGNED, Seal, address_of

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
DIGEST = b"\x2a" * 32


def spki(curve: ec.EllipticCurve, secret: int) -> bytes:
    """As another library writes it."""
    public = ec.derive_private_key(secret, curve).public_key()
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@settings(deadline=None)  # the first call loads OpenSSL
@given(secret=st.integers(1, P256_ORDER - 1))
def test_keys_are_read_and_written(secret: int) -> None:
    for curve, other, size in ((Curve.SECP256K1, ec.SECP256K1(), 88), (Curve.P256, ec.SECP256R1(), 91)):
        raw = spki(other, secret % SECP256K1_ORDER or 1)
        identity = EnclaveIdentity.from_spki(raw)
        assert identity.curve == curve
        assert identity.spki == raw
        assert len(raw) == size
        assert identity.id.lower() == "0x" + keccak(raw[-64:])[12:].hex()


def test_a_secp256k1_keys_id_is_its_account() -> None:
    key = PrivateKey(b"\x07" * 32)
    assert EnclaveIdentity.from_spki(
        spki(ec.SECP256K1(), int.from_bytes(key.secret, "big"))
    ).id == address_of(key.public_key)


def test_what_is_no_key() -> None:
    good = spki(ec.SECP256R1(), 7)
    compressed = (
        ec.derive_private_key(7, ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    )
    for raw in (b"", good[:-1], good + b"\0", good[1:], compressed, spki(ec.SECP384R1(), 7)):
        with pytest.raises(NotAKey):
            EnclaveIdentity.from_spki(raw)


@pytest.mark.parametrize(("curve", "name"), [(Curve.P256, "P256"), (Curve.SECP256K1, "SECP256K1")])
def test_points_off_the_curve(curve: Curve, name: str) -> None:
    good = EnclaveIdentity.from_spki(spki(ec.SECP256R1() if curve else ec.SECP256K1(), 7))
    y = (int.from_bytes(good.y, "big") ^ 1).to_bytes(32, "big")
    with pytest.raises(NotAKey, match=f"not on {name}"):
        EnclaveIdentity(curve, good.x, y)
    with pytest.raises(NotAKey, match=f"not on {name}"):
        EnclaveIdentity.from_spki(good.spki[:-32] + y)
    with pytest.raises(WrongSize):
        EnclaveIdentity(curve, good.x, good.y[1:])


@pytest.mark.parametrize(
    ("curve", "other", "p"),
    [
        (Curve.SECP256K1, ec.SECP256K1(), 2**256 - 2**32 - 977),
        (Curve.P256, ec.SECP256R1(), 2**256 - 2**224 + 2**192 + 2**96 - 1),
    ],
)
def test_coordinates_beyond_the_field(curve: Curve, other: ec.EllipticCurve, p: int) -> None:
    """The same point in another form would be another key id."""
    small = 1 if curve == Curve.SECP256K1 else 5  # an x that is on the curve, and x + p has 256 bits
    point = ec.EllipticCurvePublicKey.from_encoded_point(other, b"\2" + small.to_bytes(32, "big"))
    y = point.public_numbers().y.to_bytes(32, "big")
    assert EnclaveIdentity(curve, small.to_bytes(32, "big"), y).x[-1] == small
    with pytest.raises(NotAKey):
        EnclaveIdentity(curve, (small + p).to_bytes(32, "big"), y)


def test_image_id() -> None:
    pcrs = [bytes([i]) * 48 for i in range(3)]
    assert image_id(*pcrs) == keccak(b"".join(pcrs))
    with pytest.raises(WrongSize) as caught:
        image_id(pcrs[0], pcrs[1][:32], pcrs[2])
    assert (caught.value.what, caught.value.received, caught.value.expected) == ("PCR 1", 32, 48)


@given(chain_id=uints(256), keys=addresses, operator=addresses, extra=st.binary(max_size=40))
def test_user_data(chain_id: int, keys: str, operator: str, extra: bytes) -> None:
    raw = user_data(chain_id, keys, operator, extra)
    assert raw[:32] == chain_id.to_bytes(32, "big")
    assert raw[32:72].hex() == (keys[2:] + operator[2:]).lower()
    assert parse_user_data(raw) == Binding(chain_id, keys, operator, extra)
    with pytest.raises(WrongUserData, match="at least 72 bytes, not 71"):
        parse_user_data(raw[:71])


@given(number=uints(64), block_hash=hashes)
def test_nonce(number: int, block_hash: bytes) -> None:
    raw = nonce(number, block_hash)
    assert raw == number.to_bytes(8, "big") + block_hash
    assert parse_nonce(raw) == Freshness(number, block_hash)
    for wrong in (raw[:-1], raw + b"\0"):
        with pytest.raises(WrongNonce):
            parse_nonce(wrong)
    with pytest.raises(WrongSize):
        nonce(number, block_hash[1:])


def test_secp256k1_seals() -> None:
    signature = PrivateKey(b"\x07" * 32).sign_recoverable(DIGEST, hasher=None)
    seal = secp256k1_seal(signature)
    assert bytes(seal) == b"ENCL" + signature[:64] + bytes([27 + signature[64]])
    assert len(bytes(seal)) == 69
    assert secp256k1_seal(seal.proof) == seal
    parsed = parse_seal(seal)
    assert isinstance(parsed, Secp256k1Seal)
    assert parsed.signature == seal.proof
    high = (SECP256K1_ORDER - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    for wrong in (
        signature[:32] + high + bytes([signature[64] ^ 1]),
        bytes(32) + signature[32:],
        SECP256K1_ORDER.to_bytes(32, "big") + signature[32:],
        signature[:32] + bytes(32) + signature[64:],
        signature[:64] + b"\2",
        signature[:64] + b"\x1d",
    ):
        with pytest.raises(NotCanonical):
            secp256k1_seal(wrong)
    with pytest.raises(WrongSize):
        secp256k1_seal(signature[:64])


def test_p256_seals() -> None:
    key = ec.derive_private_key(7, ec.SECP256R1())
    identity = EnclaveIdentity.from_spki(spki(ec.SECP256R1(), 7))
    r, s = decode_dss_signature(key.sign(DIGEST, ec.ECDSA(Prehashed(SHA256()))))
    low, high = sorted((s, P256_ORDER - s))
    parts = [r.to_bytes(32, "big"), low.to_bytes(32, "big")]
    seal = p256_seal(identity.x, identity.y, *parts)
    assert bytes(seal) == b"ENCL" + identity.x + identity.y + b"".join(parts)
    assert len(bytes(seal)) == 132
    assert p256_seal(identity.x, identity.y, parts[0], high.to_bytes(32, "big")) == seal
    parsed = parse_seal(seal)
    assert parsed == P256Seal(identity.x, identity.y, *parts)
    assert isinstance(parsed, P256Seal)
    assert parsed.identity == identity
    for wrong_r, wrong_s in ((bytes(32), parts[1]), (b"\xff" * 32, parts[1]), (parts[0], b"\xff" * 32)):
        with pytest.raises(NotCanonical):
            p256_seal(identity.x, identity.y, wrong_r, wrong_s)
    with pytest.raises(NotCanonical):
        parse_seal(Seal(ENCLAVE, seal.proof[:96] + high.to_bytes(32, "big")))
    with pytest.raises(WrongSize):
        p256_seal(identity.x, identity.y, parts[0], parts[1][1:])


@pytest.mark.parametrize("size", [0, 64, 66, 127, 129])
def test_seals_of_other_lengths(size: int) -> None:
    with pytest.raises(WrongSealLength) as caught:
        parse_seal(Seal(ENCLAVE, b"\1" * size))
    assert caught.value.received == size + 4


def test_seals_of_other_routes() -> None:
    with pytest.raises(NotAnEnclaveSeal) as caught:
        parse_seal(Seal(SIGNED, b"\1" * 65))
    assert caught.value.received == SIGNED
