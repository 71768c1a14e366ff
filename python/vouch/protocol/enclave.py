"""Keys of enclaves: their identities, what a document binds them to, and the seals they make
(`contracts/attestation/EnclaveKeys.sol`, `contracts/verifiers/EnclaveVerifier.sol`).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from eth_utils.address import to_canonical_address, to_checksum_address

from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak
from vouch.protocol.seal import Seal

ENCLAVE: Final = b"ENCL"
"""Route of `EnclaveVerifier`; assurance "Attested"."""
PCR_SIZE: Final = 48
"""Bytes of a PCR of a Nitro enclave, a SHA-384 value."""

COORDINATE: Final = 32
_WORD: Final = 32
_ADDRESS: Final = 20
_BLOCK_NUMBER: Final = 8
_SECP256K1_SIGNATURE: Final = 65
_P256_PROOF: Final = 128
_USER_DATA: Final = _WORD + _ADDRESS + _ADDRESS
_NONCE: Final = _BLOCK_NUMBER + _WORD


class Curve(IntEnum):
    """The curve of an enclave's key, numbered as in the contract."""

    SECP256K1 = 0
    P256 = 1


_PREFIXES: Final = {
    Curve.SECP256K1: bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200") + b"\x04",
    Curve.P256: bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + b"\x04",
}
"""DER of a SubjectPublicKeyInfo up to the point's coordinates (RFC 5480 section 2)."""

_ORDERS: Final = {
    Curve.SECP256K1: 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    Curve.P256: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
}
"""Of the groups of points (SEC 2 v2 sections 2.4.1 and 2.4.2)."""

_EQUATIONS: Final = {
    Curve.SECP256K1: (2**256 - 2**32 - 977, 0, 7),
    Curve.P256: (
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        -3,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    ),
}
"""p, a and b of y² = x³ + ax + b mod p (the same sections)."""


class WrongSize(VouchError):
    """A value has too many bytes or too few."""

    def __init__(self, what: str, received: int, expected: int, *, at_least: bool = False) -> None:
        self.what, self.received, self.expected = what, received, expected
        least = "at least " if at_least else ""
        super().__init__(f"{what} has {least}{expected} bytes, not {received}")


class WrongUserData(WrongSize):
    """A document's user_data is too short to bind a key."""

    def __init__(self, received: int) -> None:
        super().__init__("user_data of an enclave's document", received, _USER_DATA, at_least=True)


class WrongNonce(WrongSize):
    """A document's nonce is no block."""

    def __init__(self, received: int) -> None:
        super().__init__("nonce of an enclave's document", received, _NONCE)


class NotAKey(VouchError):
    """The bytes are no key that EnclaveKeys takes."""

    def __init__(self, received: bytes, why: str) -> None:
        self.received, self.why = received, why
        super().__init__(
            f"these {len(received)} bytes are no enclave's key: {why}. Give the DER SubjectPublicKeyInfo of "
            "an uncompressed point of secp256k1 (88 bytes) or of P-256 (91 bytes)"
        )


class NotAnEnclaveSeal(VouchError):
    """The seal belongs to another route."""

    def __init__(self, received: bytes) -> None:
        self.received, self.expected = received, ENCLAVE
        super().__init__(f"a seal of route {received!r} is no enclave seal ({ENCLAVE!r})")


class WrongSealLength(VouchError):
    """An enclave seal has 69 bytes (secp256k1) or 132 (P-256)."""

    def __init__(self, received: int) -> None:
        self.received = received
        super().__init__(
            f"an enclave seal has 69 bytes (route, r, s, v) or 132 (route, x, y, r, s), not {received}"
        )


class NotCanonical(VouchError):
    """A signature that the contract would refuse as malleable or malformed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the signature is not in the one form that is accepted: {why}")


@dataclass(frozen=True, slots=True)
class EnclaveIdentity:
    """A public key made inside an enclave: its curve and coordinates, 32 bytes each, big-endian.

    Raises:
        WrongSize: a coordinate has another size.
        NotAKey: no such point is on the curve.
    """

    curve: Curve
    x: bytes
    y: bytes

    def __post_init__(self) -> None:
        for what, coordinate in (("x", self.x), ("y", self.y)):
            if len(coordinate) != COORDINATE:
                raise WrongSize(f"coordinate {what} of an enclave's key", len(coordinate), COORDINATE)
        p, a, b = _EQUATIONS[self.curve]
        x, y = int.from_bytes(self.x, "big"), int.from_bytes(self.y, "big")
        if x >= p or y >= p or (y * y - x * x * x - a * x - b) % p:
            raise NotAKey(self.spki, f"(x, y) is not on {self.curve.name}")

    @property
    def id(self) -> str:
        """Checksummed address: the last 20 bytes of keccak256(x ‖ y), for both curves."""
        return to_checksum_address(keccak(self.x + self.y)[12:])

    @property
    def spki(self) -> bytes:
        """DER SubjectPublicKeyInfo, 88 or 91 bytes: the `public_key` of a document."""
        return _PREFIXES[self.curve] + self.x + self.y

    @classmethod
    def from_spki(cls, raw: bytes) -> Self:
        """Raises NotAKey for anything but these two forms."""
        for curve, prefix in _PREFIXES.items():
            if raw.startswith(prefix) and len(raw) == len(prefix) + 2 * COORDINATE:
                return cls(curve, raw[-2 * COORDINATE : -COORDINATE], raw[-COORDINATE:])
        raise NotAKey(raw, f"they begin {raw[:26].hex() or 'with nothing'}")


@dataclass(frozen=True, slots=True)
class Binding:
    """What `user_data` says: the key is for this chain, this EnclaveKeys and this operator (checksummed)."""

    chain_id: int
    keys: str
    operator: str
    extra: bytes = b""


@dataclass(frozen=True, slots=True)
class Freshness:
    """What `nonce` says: the document was made after this block."""

    block_number: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class Secp256k1Seal:
    """Signature of the claim's digest, low s, v 27 or 28; the key is recovered from it."""

    r: bytes
    s: bytes
    v: int

    @property
    def signature(self) -> bytes:
        """r ‖ s ‖ v, 65 bytes."""
        return self.r + self.s + bytes([self.v])


@dataclass(frozen=True, slots=True)
class P256Seal:
    """Key and signature of the claim's digest, low s."""

    x: bytes
    y: bytes
    r: bytes
    s: bytes

    @property
    def identity(self) -> EnclaveIdentity:
        return EnclaveIdentity(Curve.P256, self.x, self.y)


def image_id(pcr0: bytes, pcr1: bytes, pcr2: bytes) -> bytes:
    """What a consumer trusts, 32 bytes: keccak256(pcr0 ‖ pcr1 ‖ pcr2), 48 bytes each."""
    for number, pcr in enumerate((pcr0, pcr1, pcr2)):
        if len(pcr) != PCR_SIZE:
            raise WrongSize(f"PCR {number}", len(pcr), PCR_SIZE)
    return keccak(pcr0 + pcr1 + pcr2)


def user_data(chain_id: int, keys: str, operator: str, extra: bytes = b"") -> bytes:
    """Chain id (32 bytes) ‖ EnclaveKeys' address (20) ‖ operator (20) ‖ anything else."""
    bound = to_canonical_address(keys) + to_canonical_address(operator)
    return chain_id.to_bytes(_WORD, "big") + bound + extra


def parse_user_data(raw: bytes) -> Binding:
    """Raises WrongUserData if it is too short."""
    if len(raw) < _USER_DATA:
        raise WrongUserData(len(raw))
    keys, operator = raw[_WORD : _WORD + _ADDRESS], raw[_WORD + _ADDRESS : _USER_DATA]
    return Binding(
        int.from_bytes(raw[:_WORD], "big"),
        to_checksum_address(keys),
        to_checksum_address(operator),
        raw[_USER_DATA:],
    )


def nonce(block_number: int, block_hash: bytes) -> bytes:
    """Block number (8 bytes) ‖ its hash (32)."""
    if len(block_hash) != _WORD:
        raise WrongSize("a block's hash", len(block_hash), _WORD)
    return block_number.to_bytes(_BLOCK_NUMBER, "big") + block_hash


def parse_nonce(raw: bytes) -> Freshness:
    """Raises WrongNonce if it is not 40 bytes."""
    if len(raw) != _NONCE:
        raise WrongNonce(len(raw))
    return Freshness(int.from_bytes(raw[:_BLOCK_NUMBER], "big"), raw[_BLOCK_NUMBER:])


def secp256k1_seal(signature: bytes) -> Seal:
    """From r ‖ s ‖ v of the claim's digest; v may be 0, 1, 27 or 28.

    Raises:
        WrongSize: not 65 bytes.
        NotCanonical: the contract would refuse it.
    """
    if len(signature) != _SECP256K1_SIGNATURE:
        raise WrongSize("a secp256k1 signature (r ‖ s ‖ v)", len(signature), _SECP256K1_SIGNATURE)
    v = signature[64] + 27 if signature[64] < 2 else signature[64]
    seal = Seal(ENCLAVE, signature[:64] + bytes([v]))
    parse_seal(seal)
    return seal


def p256_seal(x: bytes, y: bytes, r: bytes, s: bytes) -> Seal:
    """From the key and a signature of the claim's digest, 32 bytes each; a high s becomes n - s.

    Raises:
        WrongSize: a part has another size.
        NotCanonical: r or s is out of range.
    """
    for what, part in (("x", x), ("y", y), ("r", r), ("s", s)):
        if len(part) != COORDINATE:
            raise WrongSize(f"{what} of a P-256 seal", len(part), COORDINATE)
    number = int.from_bytes(s, "big")
    if _ORDERS[Curve.P256] // 2 < number < _ORDERS[Curve.P256]:
        s = (_ORDERS[Curve.P256] - number).to_bytes(COORDINATE, "big")
    seal = Seal(ENCLAVE, x + y + r + s)
    parse_seal(seal)
    return seal


def parse_seal(seal: Seal) -> Secp256k1Seal | P256Seal:
    """Raises NotAnEnclaveSeal, WrongSealLength, NotCanonical."""
    if seal.route != ENCLAVE:
        raise NotAnEnclaveSeal(seal.route)
    proof = seal.proof
    words = [proof[i : i + COORDINATE] for i in range(0, len(proof) - 1, COORDINATE)]
    if len(proof) == _SECP256K1_SIGNATURE:
        r, s = words
        _check_scalars(Curve.SECP256K1, r, s)
        if proof[64] not in (27, 28):
            raise NotCanonical(f"v is {proof[64]}, not 27 or 28")
        return Secp256k1Seal(r, s, proof[64])
    if len(proof) == _P256_PROOF:
        x, y, r, s = words
        _check_scalars(Curve.P256, r, s)
        return P256Seal(x, y, r, s)
    raise WrongSealLength(len(seal.route) + len(proof))


def _check_scalars(curve: Curve, r: bytes, s: bytes) -> None:
    order = _ORDERS[curve]
    if not 0 < int.from_bytes(r, "big") < order:
        raise NotCanonical("r is not from 1 to n - 1")
    if not 0 < int.from_bytes(s, "big") <= order // 2:
        raise NotCanonical("s is not from 1 to n / 2: replace a higher s by n - s (and swap v 27 and 28)")
