"""What the contract should say of a certificate, by what `cryptography` reads and the profile's rules."""

import warnings
from datetime import UTC, datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID, SignatureAlgorithmOID

from tests.contracts.attestation.x509_harness import Fields

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
NO_PATH_LEN: Final = 255
RESTRICTING: Final = frozenset(
    {
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.INHIBIT_ANY_POLICY,
    }
)
REFUSALS: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class Objection(NamedTuple):
    """Why a certificate is refused: what was looked at, and what was wrong with it."""

    about: str
    why: str


def read(der: bytes) -> Fields | Objection:
    """What the certificate says, or why it is refused."""
    with warnings.catch_warnings():
        # Of what the library takes but does not like: empty attributes, negative serial numbers.
        warnings.simplefilter("ignore")
        return _read(der)


def _read(der: bytes) -> Fields | Objection:
    try:
        certificate = x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as bad:
        return Objection("form", str(bad))
    for check in (_head, _names, _key, _extensions, _signature):
        try:
            objection = check(certificate)
        except REFUSALS as bad:
            objection = str(bad)
        if objection:
            return Objection(check.__name__.removeprefix("_"), objection)
    return _fields(certificate)


def _head(certificate: x509.Certificate) -> str:
    if certificate.version is not x509.Version.v3:
        return "version"
    if not 0 < certificate.serial_number < 2**160:
        return "serial"
    if certificate.signature_algorithm_oid != SignatureAlgorithmOID.ECDSA_WITH_SHA384:
        return "algorithm"
    if min(certificate.not_valid_before_utc, certificate.not_valid_after_utc) < EPOCH:
        return "time"
    return ""


def _names(certificate: x509.Certificate) -> str:
    for name in (certificate.issuer, certificate.subject):
        if not name.rdns:
            return "empty"
        if any(len(list(relative)) != 1 for relative in name.rdns):
            return "several attributes"
    return ""


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        return "algorithm"
    # The library also takes compressed points, and says of neither what it was.
    return "" if _point(certificate) in certificate.tbs_certificate_bytes else "compressed"


def _extensions(certificate: x509.Certificate) -> str:
    extensions = list(certificate.extensions)
    if len(extensions) > 16:
        return "count"
    for extension in extensions:
        known = isinstance(extension.value, x509.KeyUsage | x509.BasicConstraints)
        if extension.oid in RESTRICTING or (extension.critical and not known):
            return "critical or restricting"
    constraints = _constraints(certificate)
    if constraints.path_length is not None and constraints.path_length >= NO_PATH_LEN:
        return "path length"
    return "" if _usage(certificate) else "key usage"


def _signature(certificate: x509.Certificate) -> str:
    r, s = decode_dss_signature(certificate.signature)
    return "" if 0 <= r < 2**384 and 0 <= s < 2**384 else "size"


def _point(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _constraints(certificate: x509.Certificate) -> x509.BasicConstraints:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return x509.BasicConstraints(ca=False, path_length=None)


def _usage(certificate: x509.Certificate) -> int:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return 0
    # The library's own attributes refuse to say what these two are without key_agreement.
    return sum(1 << bit for bit, of in enumerate(USAGES) if getattr(usage, f"_{of}", False))


def _fields(certificate: x509.Certificate) -> Fields:
    constraints = _constraints(certificate)
    r, s = decode_dss_signature(certificate.signature)
    return Fields(
        tbs=certificate.tbs_certificate_bytes,
        issuer=certificate.issuer.public_bytes(),
        subject=certificate.subject.public_bytes(),
        key=_point(certificate)[1:],
        not_before=int(certificate.not_valid_before_utc.timestamp()),
        not_after=int(certificate.not_valid_after_utc.timestamp()),
        ca=constraints.ca,
        path_len=NO_PATH_LEN if constraints.path_length is None else constraints.path_length,
        key_usage=_usage(certificate),
        signature=r.to_bytes(48, "big") + s.to_bytes(48, "big"),
    )
