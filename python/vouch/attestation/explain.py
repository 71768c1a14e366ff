"""Documents and refusals in plain words."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from vouch.attestation import certificate
from vouch.attestation.certificate import common_name
from vouch.attestation.document import Document
from vouch.attestation.errors import NotACertificate, NotADocument, Refused
from vouch.attestation.verify import AWS_ROOT, Attestation
from vouch.protocol.enclave import (
    EnclaveIdentity,
    NotAKey,
    WrongNonce,
    WrongUserData,
    parse_nonce,
    parse_user_data,
)

_ADVICE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CertificateExpired": "let the enclave make a new document: one lasts for about three hours",
        "CertificateNotYetValid": "compare the clock with the time of the document; wait, or set it right",
        "WrongRoot": (
            f"trust AWS's root (0x{AWS_ROOT.hex()}) for real enclaves, and a development authority's own "
            "fingerprint for its documents; nothing else"
        ),
        "WrongSignature": "get the document from the enclave again: these bytes are not what was signed",
    }
)
_BAD_FORM: Final = "give the document as the module made it: binary, not base64 or hex, nothing cut off"
_BAD_CHAIN: Final = "do not use it: AWS makes no such certificates. Let the enclave make a new document"


def explain(document: Document | None, outcome: Attestation | Refused) -> list[str]:
    """What a document says, and whether it is true; `document` is None where there is none to be read."""
    lines = [] if document is None else [*_contents(document), *_certificates(document)]
    return [*lines, *(_refusal(outcome) if isinstance(outcome, Refused) else _verdict(outcome))]


def _contents(document: Document) -> Iterator[str]:
    yield f"Document of {document.module_id}, made {_moment(document.timestamp_ms // 1000)}"
    if document.debug:
        yield "DEBUG MODE: whoever owns the machine can read the enclave's memory. It proves nothing"
    elif document.image_id is None:
        yield "It measures no image: PCRs 0, 1 and 2 of 48 bytes are not all there"
    else:
        yield f"Image 0x{document.image_id.hex()}, of"
        for number in range(3):
            yield f"  PCR {number} {document.pcrs[number].hex()}"
    yield _key(document.public_key)
    yield _binding(document.user_data)
    yield _freshness(document.nonce)


def _certificates(document: Document) -> Iterator[str]:
    yield "Certificates, from the root to the one that signed:"
    for index, der in enumerate(document.certificates):
        try:
            found = certificate.parse(der)
        except NotACertificate as refusal:
            yield f"  {index} cannot be read: {refusal}"
        else:
            name = common_name(found.subject)
            yield f"  {index} {name}: from {_moment(found.not_before)} to {_moment(found.not_after)}"


def _verdict(attestation: Attestation) -> Iterator[str]:
    yield f"Verified: signed under this root, and valid up to {_moment(attestation.expiry)}"
    if attestation.debug:
        yield "But in debug mode, so EnclaveKeys refuses it. Start the enclave without it"


def _refusal(refusal: Refused) -> Iterator[str]:
    where = ""
    if isinstance(refusal, NotACertificate) and refusal.index is not None:
        where = f"certificate {refusal.index}, "
    yield f"Refused: {where}{refusal}"
    general = _BAD_FORM if isinstance(refusal, NotADocument) else _BAD_CHAIN
    yield f"What to do: {_ADVICE.get(refusal.name, general)}"


def _key(spki: bytes | None) -> str:
    if spki is None:
        return "It names no key"
    try:
        identity = EnclaveIdentity.from_spki(spki)
    except NotAKey:
        return f"Its public key ({len(spki)} bytes) is none that EnclaveKeys takes"
    return f"Key {identity.id}, on {identity.curve.name}"


def _binding(raw: bytes | None) -> str:
    if raw is None:
        return "It is bound to no operator (no user data)"
    try:
        binding = parse_user_data(raw)
    except WrongUserData:
        return f"Its user data ({len(raw)} bytes) is of another application"
    more = f", and {len(binding.extra)} bytes more" if binding.extra else ""
    return f"Bound to operator {binding.operator}, EnclaveKeys {binding.keys}, chain {binding.chain_id}{more}"


def _freshness(raw: bytes | None) -> str:
    if raw is None:
        return "It is not tied to a block (no nonce)"
    try:
        fresh = parse_nonce(raw)
    except WrongNonce:
        return f"Its nonce ({len(raw)} bytes) is of another application"
    return f"Made after block {fresh.block_number}, 0x{fresh.block_hash.hex()}"


def _moment(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):  # later than any calendar
        return f"{seconds} s after 1970"
