"""What P384.sol is asked: does this signature of this digest verify under this key?"""

from dataclasses import dataclass
from typing import Self

from vouch.attestation.p384 import curve
from vouch.attestation.p384.errors import NoSuchPoint, WrongSize

SIZE = 48
"""Bytes of a coordinate, a scalar and a SHA-384 digest."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A digest, a public key (x, y) and a signature (r, s), all as integers.

    The digest is what FIPS 186-5 section 6.4.1 calls e: the leftmost 384 bits of the hash.
    """

    digest: int
    key: curve.Affine
    r: int
    s: int

    @classmethod
    def from_bytes(cls, digest: bytes, key: bytes, signature: bytes) -> Self:
        """From 48 bytes, x ‖ y and r ‖ s (IEEE P1363).

        Raises:
            WrongSize: one of them has another size.
        """
        for what, received, size in (
            ("digest", digest, SIZE),
            ("key", key, 2 * SIZE),
            ("signature", signature, 2 * SIZE),
        ):
            if len(received) != size:
                raise WrongSize(what, len(received), size)
        x, y, r, s = (_number(half) for whole in (key, signature) for half in (whole[:SIZE], whole[SIZE:]))
        return cls(_number(digest), (x, y), r, s)

    def to_bytes(self) -> tuple[bytes, bytes, bytes]:
        """Digest, key and signature as the contract takes them."""
        words = [n.to_bytes(SIZE, "big") for n in (self.digest, *self.key, self.r, self.s)]
        return words[0], words[1] + words[2], words[3] + words[4]

    def point(self) -> curve.Affine:
        """R = (digest/s)·G + (r/s)·key, the point whose x is r mod n if the signature is valid.

        Raises:
            NoSuchPoint: r or s is out of range, the key is not a point, or R is infinity or has another x.
        """
        if not (0 < self.r < curve.N and 0 < self.s < curve.N):
            raise NoSuchPoint("r and s must be from 1 to n - 1")
        if not curve.on_curve(self.key):
            raise NoSuchPoint("the key is not on the curve, or its coordinates are not below p")
        w = pow(self.s, -1, curve.N)
        found = curve.add(
            curve.multiply(self.digest * w % curve.N, curve.G), curve.multiply(self.r * w % curve.N, self.key)
        )
        if found is None:
            raise NoSuchPoint("R is the point at infinity")
        if found[0] % curve.N != self.r:
            raise NoSuchPoint("R has another x than r: another digest or another key was signed")
        return found


def _number(raw: bytes) -> int:
    return int.from_bytes(raw, "big")
