"""Seals: proof bytes whose first four name the verifier's route."""

from dataclasses import dataclass
from typing import Self

from coincurve import PrivateKey, PublicKey
from eth_utils.address import to_checksum_address

from vouch.protocol.claim import Claim
from vouch.protocol.errors import VouchError
from vouch.protocol.keccak import keccak

SIGNED = b"SIGN"
"""Route of `SignatureVerifier`; assurance "Signed"."""


class BadSeal(VouchError):
    """A seal has not the form its route asks for."""

    def __init__(self, received: int, expected: int) -> None:
        self.received, self.expected = received, expected
        super().__init__(f"a signature seal has {expected} bytes (route, r, s, v), not {received}")


@dataclass(frozen=True, slots=True)
class Seal:
    """Route (4 bytes) and proof."""

    route: bytes
    proof: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        if len(data) < 4:
            raise BadSeal(len(data), 69)
        return cls(data[:4], data[4:])

    def __bytes__(self) -> bytes:
        return self.route + self.proof


def sign_claim(key: PrivateKey, claim: Claim, chain_id: int, hub: str) -> Seal:
    """Seal of the route SIGNED: r ‖ s ‖ v over the claim's digest, low s, v 27 or 28."""
    signature = key.sign_recoverable(claim.digest(chain_id, hub), hasher=None)
    return Seal(SIGNED, signature[:64] + bytes([signature[64] + 27]))


def recover_signer(seal: Seal, claim: Claim, chain_id: int, hub: str) -> str:
    """Checksummed address of the key that signed the claim; compare it with the claim's operator."""
    if len(seal.proof) != 65:
        raise BadSeal(4 + len(seal.proof), 69)
    signature = seal.proof[:64] + bytes([seal.proof[64] - 27])
    public = PublicKey.from_signature_and_message(signature, claim.digest(chain_id, hub), hasher=None)
    return address_of(public)


def address_of(public: PublicKey) -> str:
    """Checksummed account address of a secp256k1 key."""
    return to_checksum_address(keccak(public.format(compressed=False)[1:])[12:])
