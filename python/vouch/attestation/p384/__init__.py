"""P-384 signatures for `contracts/attestation/P384.sol`: made checkable by supplying every slope."""

from vouch.attestation.p384.proof import prove
from vouch.attestation.p384.signature import Signed
from vouch.attestation.p384.verifier import verify

__all__ = ["Signed", "prove", "verify"]
