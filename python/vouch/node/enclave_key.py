"""The key that an enclave makes for itself: it ends with the process, and is never written anywhere."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from coincurve import PrivateKey

from vouch.protocol.claim import Claim
from vouch.protocol.enclave import Curve, EnclaveIdentity, p256_seal, secp256k1_seal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


class EnclaveKind(StrEnum):
    """DEV is none: it says so wherever it is named."""

    DEV = "dev"
    NITRO = "nitro"


@dataclass(frozen=True, slots=True)
class EnclaveSeal:
    """A seal of the enclave route, the id of the key that made it, and the kind of that key's enclave."""

    key: str
    kind: EnclaveKind
    seal: bytes


class SealingKey(Protocol):
    """A private key that shows nothing but its identity, and signs nothing but claims."""

    @property
    def identity(self) -> EnclaveIdentity: ...

    def seal(self, claim: Claim, chain_id: int, hub: str) -> bytes:
        """Seal of the route ENCL: always the same for the same claim (RFC 6979)."""
        ...


def make_key(curve: Curve) -> SealingKey:
    """A new key from the operating system's randomness."""
    return _Secp256k1Key() if curve == Curve.SECP256K1 else _P256Key()


class _Secp256k1Key:
    def __init__(self) -> None:
        self._key = PrivateKey()
        point = self._key.public_key.format(compressed=False)
        self.identity = EnclaveIdentity(Curve.SECP256K1, point[1:33], point[33:])

    def seal(self, claim: Claim, chain_id: int, hub: str) -> bytes:
        return bytes(secp256k1_seal(self._key.sign_recoverable(claim.digest(chain_id, hub), hasher=None)))


class _P256Key:
    def __init__(self) -> None:
        # few nodes need it, and it takes a while to import
        from cryptography.hazmat.primitives.asymmetric import ec

        self._key: EllipticCurvePrivateKey = ec.generate_private_key(ec.SECP256R1())
        point = self._key.public_key().public_numbers()
        self.identity = EnclaveIdentity(Curve.P256, _word(point.x), _word(point.y))

    def seal(self, claim: Claim, chain_id: int, hub: str) -> bytes:
        from cryptography.hazmat.primitives.asymmetric import ec, utils
        from cryptography.hazmat.primitives.hashes import SHA256

        # The digest is what P256VERIFY gets: nothing is hashed on the way.
        algorithm = ec.ECDSA(utils.Prehashed(SHA256()), deterministic_signing=True)
        signature = self._key.sign(claim.digest(chain_id, hub), algorithm)
        r, s = utils.decode_dss_signature(signature)
        return bytes(p256_seal(self.identity.x, self.identity.y, _word(r), _word(s)))


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")
