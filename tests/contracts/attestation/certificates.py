"""Certificates of any shape: hand-made DER, and ones of AWS's shape that `cryptography` makes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from cbor2 import loads
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from tests.contracts.attestation.documents import real

SEQUENCE: Final = 0x30
SET: Final = 0x31
ECDSA_WITH_SHA384: Final = bytes.fromhex("06082a8648ce3d040303")
EC_P384: Final = bytes.fromhex("06072a8648ce3d020106052b81040022")
KEY_USAGE: Final = bytes.fromhex("551d0f")
BASIC_CONSTRAINTS: Final = bytes.fromhex("551d13")
SUBJECT_KEY: Final = bytes.fromhex("551d0e")
OTHER: Final = bytes.fromhex("2a0304")
"""An extension that nobody knows."""
START: Final = datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)


def length(size: int) -> bytes:
    """DER's length octets."""
    if size < 0x80:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def tlv(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return bytes([tag]) + length(len(content)) + content


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(content: bytes) -> bytes:
    return tlv(0x06, content)


def bits(octets: bytes, unused: int = 0) -> bytes:
    return tlv(0x03, bytes([unused]), octets)


def utc(text: str) -> bytes:
    return tlv(0x17, text.encode())


def general(text: str) -> bytes:
    return tlv(0x18, text.encode())


def name(*attributes: bytes) -> bytes:
    return tlv(SEQUENCE, *(tlv(SET, attribute) for attribute in attributes))


def attribute(text: bytes, kind: bytes = bytes.fromhex("550403")) -> bytes:
    return tlv(SEQUENCE, oid(kind), tlv(0x0C, text))


def extension(kind: bytes, value: bytes, critical: bytes = b"") -> bytes:
    """`critical` is the BOOLEAN, if there is one."""
    return tlv(SEQUENCE, oid(kind), critical, tlv(0x04, value))


CRITICAL: Final = tlv(0x01, b"\xff")
CA: Final = extension(BASIC_CONSTRAINTS, tlv(SEQUENCE, CRITICAL, integer(2)), CRITICAL)
CERT_SIGN: Final = extension(KEY_USAGE, bits(b"\x86", 1), CRITICAL)


def private_key(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(number, ec.SECP384R1())


def point(number: int) -> bytes:
    """04 ‖ x ‖ y of a valid key."""
    return private_key(number).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@dataclass(frozen=True, slots=True)
class Parts:
    """The elements of a certificate, encoded, to be changed one by one; its signature is of nobody."""

    version: bytes = tlv(0xA0, integer(2))
    serial: bytes = integer(2**159 + 1)
    algorithm: bytes = tlv(SEQUENCE, ECDSA_WITH_SHA384)
    issuer: bytes = name(attribute(b"issuer"), attribute(b"AWS"))
    validity: bytes = tlv(SEQUENCE, utc("240229235959Z"), general("20500101000000Z"))
    subject: bytes = name(attribute(b"subject"))
    key: bytes = tlv(SEQUENCE, tlv(SEQUENCE, EC_P384), bits(point(2)))
    extensions: Sequence[bytes] = (CA, CERT_SIGN)
    unique_ids: bytes = b""
    after_extensions: bytes = b""
    in_wrapper: bytes = b""
    outer_algorithm: bytes = tlv(SEQUENCE, ECDSA_WITH_SHA384)
    signature: bytes = bits(tlv(SEQUENCE, integer(2**384 - 1), integer(5)))
    after_signature: bytes = b""
    after: bytes = b""

    @property
    def tbs(self) -> bytes:
        return tlv(
            SEQUENCE,
            self.version,
            self.serial,
            self.algorithm,
            self.issuer,
            self.validity,
            self.subject,
            self.key,
            self.unique_ids,
            tlv(0xA3, tlv(SEQUENCE, *self.extensions), self.in_wrapper),
            self.after_extensions,
        )

    @property
    def der(self) -> bytes:
        return (
            tlv(SEQUENCE, self.tbs, self.outer_algorithm, self.signature, self.after_signature) + self.after
        )


def changed(**parts: object) -> bytes:
    """A certificate with other parts."""
    return replace(Parts(), **parts).der  # type: ignore[arg-type]


def with_extensions(*extensions: bytes) -> bytes:
    return changed(extensions=extensions)


def usage(value: bytes) -> bytes:
    return with_extensions(extension(KEY_USAGE, value))


def constraints(*contents: bytes) -> bytes:
    return with_extensions(CERT_SIGN, extension(BASIC_CONSTRAINTS, tlv(SEQUENCE, *contents)))


def spki(algorithm: bytes = EC_P384, octets: bytes = b"", unused: int = 0, after: bytes = b"") -> bytes:
    return changed(key=tlv(SEQUENCE, tlv(SEQUENCE, algorithm), bits(octets or point(2), unused), after))


def numbered(count: int) -> list[bytes]:
    return [extension(SUBJECT_KEY + bytes([i]), b"") for i in range(count)]


def issue(number: int, path_len: int | None, *, ca: bool = True) -> bytes:
    """A certificate that `cryptography` makes, the same each time, with all extensions that AWS's have."""
    key, issuer = private_key(number), private_key(number + 1)
    names = [
        x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, f"{owner:016x}.zonal.us-east-1.aws.nitro-enclaves"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Amazon"),
                x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            ]
        )
        for owner in (number, number + 1)
    ]
    crl = x509.DistributionPoint(
        [x509.UniformResourceIdentifier("http://crl.example/c.crl")], None, None, None
    )
    builder = (
        x509.CertificateBuilder()
        .serial_number(2**158 + number)
        .subject_name(names[0])
        .issuer_name(names[1])
        .not_valid_before(START)
        .not_valid_after(START + timedelta(days=10_000 * number))
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca, path_len), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False
        )
        .add_extension(
            x509.KeyUsage(True, not ca, False, False, False, ca, ca, False, False), critical=number % 2 == 0
        )
    )
    if ca:
        builder = builder.add_extension(x509.CRLDistributionPoints([crl]), critical=False)
    return builder.sign(issuer, SHA384(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


def issued() -> list[bytes]:
    """A chain: any path length, 2, 0, and no CA."""
    return [issue(7, None), issue(2, 2), issue(1, 0), issue(4, None, ca=False)]


def real_certificates() -> list[bytes]:
    """Every certificate in the real documents once; skips the test where there are none."""
    found: dict[bytes, None] = {}
    for path in real("documents"):
        message = loads(path.read_bytes())
        payload = loads((message.value if hasattr(message, "tag") else message)[2])
        for certificate in (*payload["cabundle"], payload["certificate"]):
            found[certificate] = None
    return list(found)
