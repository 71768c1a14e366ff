"""The whole check of a document off chain: what `contracts/attestation/NitroAttestation.sol` would say.

The order and the names of refusals are the contract's, revocations and hints apart. The root's own signature
is not checked: it is pinned. Source: RFC 5280 section 6.1.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from vouch.attestation import certificate
from vouch.attestation.certificate import COORDINATE, Certificate
from vouch.attestation.document import Document
from vouch.attestation.errors import NotACertificate, NotTrusted
from vouch.protocol.keccak import keccak

AWS_ROOT: Final = bytes.fromhex("641A0321A3E244EFE456463195D606317ED7CDCC3C1756E09893F3C68F79BB5B")
"""SHA-256 of the DER of AWS's root, aws.nitro-enclaves, as AWS publishes it."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """A document that was verified, with its chain, root first.

    `certificates` are keccak256 of each DER, as the contract names them; `expiry` is the last second at which
    the whole chain is valid.
    """

    document: Document
    chain: tuple[Certificate, ...]
    certificates: tuple[bytes, ...]
    expiry: int

    @property
    def debug(self) -> bool:
        """Whether the enclave runs in debug mode: verified, and still worth nothing."""
        return self.document.debug


def verify(document: Document, *, root_fingerprint: bytes, at: int) -> Attestation:
    """Checks the chain (dates, rights, signatures) at a time in unix seconds, then the document's signature.

    A document of an enclave in debug mode passes: see `Attestation.debug`.

    Raises:
        NotTrusted: the contract would revert with this name.
        NotACertificate: a certificate is not of the form that the contract takes; `index` says which.
    """
    raw = document.certificates
    fingerprint = sha256(raw[0]).digest()
    if fingerprint != root_fingerprint:
        raise NotTrusted("WrongRoot", fingerprint, root_fingerprint)
    parent = parse(raw[0], 0)
    _check_dates(0, parent, at)
    chain, path_left = [parent], parent.path_len
    for index in range(1, len(raw)):
        if not parent.authority:
            raise NotTrusted("NotAnAuthority", index - 1)
        child = parse(raw[index], index)
        if child.issuer != parent.subject:
            raise NotTrusted("WrongIssuer", index)
        if child.ca:
            if path_left == 0:
                raise NotTrusted("PathTooLong", index)
            limits = [path_left - 1] if path_left is not None else []
            limits += [child.path_len] if child.path_len is not None else []
            path_left = min(limits, default=None)
        _check_dates(index, child, at)
        check_signature(index, child.tbs, parent.key, child.signature)
        chain.append(child)
        parent = child
    if not parent.signer:
        raise NotTrusted("NotASigner", len(raw) - 1)
    check_signature(len(raw), document.to_be_signed, parent.key, document.signature)
    return Attestation(
        document, tuple(chain), tuple(map(keccak, raw)), min(found.not_after for found in chain)
    )


def parse(der: bytes, index: int) -> Certificate:
    """A certificate of a chain; what it raises says which one it is."""
    try:
        return certificate.parse(der)
    except NotACertificate as refusal:
        refusal.index = index
        raise


def check_signature(index: int, message: bytes, key: bytes, signature: bytes) -> None:
    """ECDSA over P-384 with SHA-384. Raises NotTrusted (WrongSignature, with this index)."""
    x, y, r, s = (
        int.from_bytes(half, "big")
        for pair in (key, signature)
        for half in (pair[:COORDINATE], pair[COORDINATE:])
    )
    try:
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP384R1()).public_key()
        public.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA384()))
    except (InvalidSignature, ValueError):  # ValueError: the key is no point of the curve
        raise NotTrusted("WrongSignature", index) from None


def _check_dates(index: int, found: Certificate, at: int) -> None:
    if at < found.not_before:
        raise NotTrusted("CertificateNotYetValid", index, found.not_before)
    if at > found.not_after:
        raise NotTrusted("CertificateExpired", index, found.not_after)
