"""Typed views of the contracts that let enclaves' keys in, and builders of the transactions that change them.

Conventions as in `vouch.chain.contracts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vouch.chain.transaction import Call
from vouch.chain.view import Block, View
from vouch.protocol.claim import Claim
from vouch.protocol.enclave import Curve


@dataclass(frozen=True, slots=True)
class EnclaveKey:
    """A key as EnclaveKeys knows it; `expiry` is the last second at which it counts."""

    image_id: bytes
    operator: str
    expiry: int
    curve: Curve
    revoked: bool

    @property
    def known(self) -> bool:
        """False for an id that was never let in."""
        return any(self.image_id)


class NitroAttestation(View):
    """`INitroAttestation`."""

    ABI = "NitroAttestation"

    async def root_fingerprint(self) -> bytes:
        """SHA-256 of the pinned root's DER."""
        return bytes(await self._read("ROOT_FINGERPRINT"))

    async def is_verified(self, certificates: Sequence[bytes]) -> bool:
        """Whether a chain, given as hashes, root first, was verified before; its dates may have passed."""
        return bool(await self._read("isVerified", list(certificates)))

    async def revoked_at(self, certificate: bytes) -> int:
        """When the certificate of this hash was revoked; 0 if it was not."""
        return int(await self._read("revokedAt", certificate))

    async def guard(self) -> str:
        """Who may revoke certificates."""
        return str(await self._read("owner"))

    def verify(self, document: bytes, hints: Sequence[bytes]) -> Call:
        return self._call("verify", document, list(hints))

    def verify_certificates(self, chain: Sequence[bytes], hints: Sequence[bytes]) -> Call:
        """Checks and remembers the first certificates of a chain (DER, root first)."""
        return self._call("verifyCertificates", list(chain), list(hints))

    def revoke_certificate(self, certificate: bytes) -> Call:
        """The guard only; `certificate` is keccak256 of its DER."""
        return self._call("revokeCertificate", certificate)


class EnclaveKeys(View):
    """`IEnclaveKeys`."""

    ABI = "EnclaveKeys"

    async def attestation(self) -> str:
        """Address of the NitroAttestation contract."""
        return str(await self._read("ATTESTATION"))

    async def max_age(self) -> int:
        """Seconds that a document may be old."""
        return int(await self._read("MAX_AGE"))

    async def key_of(self, key: str, *, block: Block = "latest") -> EnclaveKey:
        image, operator, expiry, curve, revoked = await self._read("keyOf", key, block=block)
        return EnclaveKey(bytes(image), operator, int(expiry), Curve(curve), revoked)

    def register(self, document: bytes, hints: Sequence[bytes]) -> Call:
        return self._call("register", document, list(hints))

    def revoke(self, key: str) -> Call:
        """The key's operator only."""
        return self._call("revoke", key)

    def revoke_equivocation(self, first: tuple[bytes, Claim], second: tuple[bytes, Claim]) -> Call:
        """Two seals of the enclave route with the claims they prove: one request, two outputs."""
        return self._call("revokeEquivocation", first[0], _claim(first[1]), second[0], _claim(second[1]))

    def revoke_by_certificate(self, key: str, certificates: Sequence[bytes], index: int) -> Call:
        return self._call("revokeByCertificate", key, list(certificates), index)


def _claim(claim: Claim) -> tuple[bytes, bytes, bytes, bytes, str]:
    return (claim.request_id, claim.model_id, claim.input_hash, claim.output_hash, claim.operator)
