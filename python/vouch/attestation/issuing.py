"""Makes certificates with exactly the parts that those of AWS's Nitro chains have, byte structure alike.

Only for development: see `vouch.attestation.dev`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384

from vouch.attestation.certificate import BASIC_CONSTRAINTS, EC_P384, ECDSA_WITH_SHA384, KEY_USAGE
from vouch.attestation.der import Tag

SUBJECT_KEY_ID: Final = bytes.fromhex("551d0e")
AUTHORITY_KEY_ID: Final = bytes.fromhex("551d23")
CRL_POINTS: Final = bytes.fromhex("551d1f")

_ATTRIBUTES: Final = {"C": 6, "ST": 8, "L": 7, "O": 10, "OU": 11, "CN": 3}
"""Last number of the object identifier 2.5.4.n (RFC 5280 appendix A.1)."""
_PRINTABLE, _UTF8 = 0x13, 0x0C
_TRUE: Final = bytes.fromhex("0101ff")

Name = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Template:
    """Of what a certificate says, all but key, issuer and signature.

    Times are in seconds since 1970. `extensions` are (object identifier, critical, content).
    """

    serial: int
    subject: Name
    not_before: int
    not_after: int
    extensions: Sequence[tuple[bytes, bool, bytes]]


def issue(
    template: Template, key: ec.EllipticCurvePublicKey, issuer: Name, signer: ec.EllipticCurvePrivateKey
) -> bytes:
    """DER of a certificate. Signing is deterministic (RFC 6979), so the same input gives the same bytes."""
    algorithm = tlv(Tag.SEQUENCE, ECDSA_WITH_SHA384)
    tbs = tlv(
        Tag.SEQUENCE,
        tlv(0xA0, integer(2)),
        integer(template.serial),
        algorithm,
        encoded_name(issuer),
        tlv(Tag.SEQUENCE, _time(template.not_before), _time(template.not_after)),
        encoded_name(template.subject),
        tlv(Tag.SEQUENCE, tlv(Tag.SEQUENCE, EC_P384), tlv(Tag.BIT_STRING, b"\0\4", point(key))),
        tlv(0xA3, tlv(Tag.SEQUENCE, *(_extension(*extension) for extension in template.extensions))),
    )
    signature = signer.sign(tbs, ec.ECDSA(SHA384(), deterministic_signing=True))
    return tlv(Tag.SEQUENCE, tbs, algorithm, tlv(Tag.BIT_STRING, b"\0", signature))


def tlv(tag: int, *parts: bytes) -> bytes:
    """An element with these contents, one after the other."""
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value: int) -> bytes:
    return tlv(Tag.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def encoded_name(name: Name) -> bytes:
    """One attribute a set, in the order given: the country printable, all others UTF-8."""
    sets = []
    for kind, value in name:
        text = tlv(_PRINTABLE if kind == "C" else _UTF8, value.encode())
        oid = tlv(Tag.OBJECT_IDENTIFIER, bytes([0x55, 4, _ATTRIBUTES[kind]]))
        sets.append(tlv(Tag.SET, tlv(Tag.SEQUENCE, oid, text)))
    return tlv(Tag.SEQUENCE, *sets)


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """x ‖ y, 96 bytes."""
    numbers = key.public_numbers()
    return numbers.x.to_bytes(48, "big") + numbers.y.to_bytes(48, "big")


def basic_constraints(ca: bool, path_len: int | None = None) -> tuple[bytes, bool, bytes]:
    parts = [_TRUE] if ca else []
    if path_len is not None:
        parts.append(integer(path_len))
    return BASIC_CONSTRAINTS, True, tlv(Tag.SEQUENCE, *parts)


def key_usage(bits: int, *, critical: bool) -> tuple[bytes, bool, bytes]:
    """At most 8 bits; bit i is the one that RFC 5280 numbers i."""
    octet = sum(0x80 >> i for i in range(8) if bits >> i & 1)
    unused = (octet & -octet).bit_length() - 1
    return KEY_USAGE, critical, tlv(Tag.BIT_STRING, bytes([unused, octet]))


def subject_key_id(key: ec.EllipticCurvePublicKey) -> tuple[bytes, bool, bytes]:
    return SUBJECT_KEY_ID, False, tlv(Tag.OCTET_STRING, _key_id(key))


def authority_key_id(key: ec.EllipticCurvePublicKey) -> tuple[bytes, bool, bytes]:
    return AUTHORITY_KEY_ID, False, tlv(Tag.SEQUENCE, tlv(0x80, _key_id(key)))


def crl_points(address: str) -> tuple[bytes, bool, bytes]:
    full_name = tlv(0xA0, tlv(0xA0, tlv(0x86, address.encode())))
    return CRL_POINTS, False, tlv(Tag.SEQUENCE, tlv(Tag.SEQUENCE, full_name))


def _key_id(key: ec.EllipticCurvePublicKey) -> bytes:
    """Method 1 of RFC 5280 section 4.2.1.2."""
    return sha1(b"\4" + point(key), usedforsecurity=False).digest()


def _time(seconds: int) -> bytes:
    moment = datetime.fromtimestamp(seconds, UTC)
    if moment.year < 2050:
        return tlv(Tag.UTC_TIME, f"{moment:%y%m%d%H%M%S}Z".encode())
    return tlv(Tag.GENERALIZED_TIME, f"{moment:%Y%m%d%H%M%S}Z".encode())


def _extension(oid: bytes, critical: bool, content: bytes) -> bytes:
    parts = [tlv(Tag.OBJECT_IDENTIFIER, oid), *([_TRUE] if critical else []), tlv(Tag.OCTET_STRING, content)]
    return tlv(Tag.SEQUENCE, *parts)
