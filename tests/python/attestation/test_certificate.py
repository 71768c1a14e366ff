"""Certificates are read as `cryptography` reads them, and refused by the contract's names."""

from datetime import UTC, datetime
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.contracts.attestation.documents import real
from tests.python.attestation.chains import AT, GOOD, certificates
from vouch.attestation import document
from vouch.attestation.certificate import common_name, parse
from vouch.attestation.der import Cursor, Tag
from vouch.attestation.dev import DevAuthority
from vouch.attestation.errors import NotACertificate
from vouch.attestation.issuing import basic_constraints, encoded_name, integer, key_usage, tlv

USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)


def check(der: bytes) -> None:
    """Against the reading of `cryptography`."""
    found, other = parse(der), x509.load_der_x509_certificate(der)
    assert found.tbs == other.tbs_certificate_bytes
    assert found.issuer == other.issuer.public_bytes()
    assert found.subject == other.subject.public_bytes()
    assert (
        common_name(found.subject) == other.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    )
    assert found.not_before == int(other.not_valid_before_utc.timestamp())
    assert found.not_after == int(other.not_valid_after_utc.timestamp())
    public = other.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    numbers = public.public_numbers()
    assert found.key == numbers.x.to_bytes(48, "big") + numbers.y.to_bytes(48, "big")
    r, s = decode_dss_signature(other.signature)
    assert found.signature == r.to_bytes(48, "big") + s.to_bytes(48, "big")
    constraints = other.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (found.ca, found.path_len) == (constraints.ca, constraints.path_length)
    usage = other.extensions.get_extension_for_class(x509.KeyUsage).value
    assert [bool(found.key_usage >> i & 1) for i in range(7)] == [getattr(usage, name) for name in USAGES]


def test_real_certificates() -> None:
    for path in real("documents"):
        for der in document.parse(path.read_bytes()).certificates:
            check(der)


def test_certificates_for_development() -> None:
    authority = DevAuthority.create(seed=b"certificate")
    for der in document.parse(authority.document({}, at=AT)).certificates:
        check(der)
    for der in certificates(GOOD)[0]:
        check(der)


KEY = ec.derive_private_key(7, ec.SECP384R1()).public_key().public_numbers()
POINT = b"\4" + KEY.x.to_bytes(48, "big") + KEY.y.to_bytes(48, "big")
ALGORITHM = tlv(Tag.SEQUENCE, bytes.fromhex("06082a8648ce3d040303"))
KEY_ALGORITHM = tlv(Tag.SEQUENCE, bytes.fromhex("06072a8648ce3d020106052b81040022"))
NAME = encoded_name((("CN", "n"),))
USAGE, CA = key_usage(1 << 5, critical=True), basic_constraints(True, 3)


def extension(oid: bytes, critical: bool | bytes, content: bytes) -> bytes:
    flag = critical if isinstance(critical, bytes) else bytes.fromhex("0101ff") if critical else b""
    return tlv(Tag.SEQUENCE, tlv(Tag.OBJECT_IDENTIFIER, oid), flag, tlv(Tag.OCTET_STRING, content))


def made(**parts: bytes) -> bytes:
    """A certificate with some parts replaced."""
    part = {
        "version": tlv(0xA0, integer(2)),
        "serial": integer(1),
        "algorithm": ALGORITHM,
        "issuer": NAME,
        "begin": tlv(Tag.UTC_TIME, b"260101000000Z"),
        "end": tlv(Tag.UTC_TIME, b"270101000000Z"),
        "subject": NAME,
        "key_algorithm": KEY_ALGORITHM,
        "key": tlv(Tag.BIT_STRING, b"\0", POINT),
        "ids": b"",
        "usage": extension(*USAGE),
        "constraints": extension(*CA),
        "more": b"",
        "outer_algorithm": ALGORITHM,
        "signature": tlv(Tag.BIT_STRING, b"\0", tlv(Tag.SEQUENCE, integer(5), integer(6))),
        "after": b"",
    } | parts
    tbs = tlv(
        Tag.SEQUENCE,
        *(part[name] for name in ("version", "serial", "algorithm", "issuer")),
        tlv(Tag.SEQUENCE, part["begin"], part["end"]),
        part["subject"],
        tlv(Tag.SEQUENCE, part["key_algorithm"], part["key"]),
        part["ids"],
        tlv(0xA3, tlv(Tag.SEQUENCE, part["constraints"], part["usage"], part["more"])),
    )
    return tlv(Tag.SEQUENCE, tbs, part["outer_algorithm"], part["signature"], part["after"])


def test_the_one_that_is_spoilt_below() -> None:
    check(made())
    found = parse(made())
    assert (found.ca, found.path_len, found.authority, found.signer) == (True, 3, True, False)


def utc(text: bytes) -> bytes:
    return tlv(Tag.UTC_TIME, text)


def later(text: bytes) -> bytes:
    return tlv(Tag.GENERALIZED_TIME, text)


def usage_of(raw: bytes) -> bytes:
    return extension(USAGE[0], True, raw)


def constraints_of(raw: bytes) -> bytes:
    return extension(CA[0], True, raw)


WRONG_ALGORITHM = tlv(Tag.SEQUENCE, bytes.fromhex("06082a8648ce3d040302"))
MANY = b"".join(extension(bytes([0x2A, i]), False, b"") for i in range(15))


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        ({"after": b"\5\0"}, "TrailingBytes"),
        ({"version": tlv(0xA0, integer(1))}, "WrongVersion"),
        ({"version": b""}, "WrongTag"),
        ({"version": tlv(0xA0, integer(2), integer(2))}, "TrailingBytes"),
        ({"serial": b"\2\1\0"}, "WrongSerial"),
        ({"serial": integer(2**160)}, "WrongSerial"),
        ({"serial": integer(2**256)}, "IntegerTooLong"),
        ({"serial": b"\2\0"}, "EmptyInteger"),
        ({"serial": b"\2\1\x80"}, "NegativeInteger"),
        ({"serial": b"\2\2\0\1"}, "NonMinimalInteger"),
        ({"algorithm": WRONG_ALGORITHM}, "WrongSignatureAlgorithm"),
        ({"outer_algorithm": WRONG_ALGORITHM}, "WrongSignatureAlgorithm"),
        ({"algorithm": tlv(Tag.SEQUENCE, ALGORITHM[2:], b"\5\0")}, "WrongSignatureAlgorithm"),
        ({"issuer": tlv(Tag.SEQUENCE)}, "EmptyName"),
        ({"subject": tlv(Tag.SEQUENCE, tlv(Tag.SET))}, "Truncated"),
        ({"subject": tlv(Tag.SEQUENCE, tlv(Tag.SET, NAME[4:], NAME[4:]))}, "TrailingBytes"),
        ({"subject": tlv(Tag.SEQUENCE, tlv(Tag.SET, tlv(Tag.SEQUENCE, b"\6\1\x2a\x1f\x81")))}, "LongTag"),
        ({"subject": tlv(Tag.SEQUENCE, tlv(Tag.SET, tlv(Tag.SEQUENCE, b"\6\0\5\0")))}, "BadOid"),
        ({"subject": tlv(Tag.SEQUENCE, tlv(Tag.SET, tlv(Tag.SEQUENCE, b"\6\2\x80\1\5\0")))}, "BadOid"),
        ({"subject": tlv(Tag.SEQUENCE, tlv(Tag.SET, tlv(Tag.SEQUENCE, b"\6\1\x81\5\0")))}, "BadOid"),
        ({"begin": utc(b"2601010000Z")}, "WrongSize"),
        ({"begin": utc(b"260101000000+")}, "NotUtc"),
        ({"begin": utc(b"26010100000 Z")}, "NotDigits"),
        ({"begin": utc(b"260229000000Z")}, "NoSuchTime"),
        ({"begin": utc(b"260100000000Z")}, "NoSuchTime"),
        ({"begin": utc(b"261301000000Z")}, "NoSuchTime"),
        ({"begin": utc(b"260101240000Z")}, "NoSuchTime"),
        ({"begin": utc(b"260101006000Z")}, "NoSuchTime"),
        ({"begin": utc(b"260101000060Z")}, "NoSuchTime"),
        ({"begin": utc(b"691231235959Z")}, "Before1970"),
        ({"end": later(b"20491231235959Z")}, "NeedsUtcTime"),
        ({"end": later(b"21000229000000Z")}, "NoSuchTime"),
        ({"end": b""}, "Truncated"),
        ({"key_algorithm": ALGORITHM}, "WrongKeyAlgorithm"),
        ({"key": tlv(Tag.BIT_STRING, b"\1", POINT)}, "UnusedBits"),
        ({"key": tlv(Tag.BIT_STRING, b"\0")}, "EmptyBitString"),
        ({"key": tlv(Tag.BIT_STRING, b"\0\2", POINT[1:49])}, "CompressedKey"),
        ({"key": tlv(Tag.BIT_STRING, b"\0", POINT[:-1])}, "WrongKeySize"),
        ({"ids": tlv(0x81, b"\0\1")}, "WrongTag"),
        ({"usage": b""}, "MissingKeyUsage"),
        ({"usage": usage_of(b"\3\1\0")}, "WrongKeyUsage"),
        ({"usage": usage_of(b"\3\3\6\0\x40")}, "WrongKeyUsage"),
        ({"usage": usage_of(b"\3\2\1\x86")[:-1] + b"\x84"}, "NonCanonicalNamedBits"),
        ({"usage": usage_of(b"\3\2\2\x86")}, "NonCanonicalNamedBits"),
        ({"usage": usage_of(b"\3\2\x08\x80")}, "UnusedBits"),
        ({"usage": usage_of(b"\3\1\1")}, "UnusedBits"),
        ({"usage": usage_of(b"\3\0")}, "EmptyBitString"),
        ({"usage": usage_of(b"\3\4\0\0\0\1")}, "TooManyNamedBits"),
        ({"usage": usage_of(b"\3\2\2\4\0")}, "TrailingBytes"),
        ({"more": extension(*USAGE)}, "DuplicateExtension"),
        ({"more": MANY}, "TooManyExtensions"),
        ({"more": extension(b"\x2a\3", True, b"")}, "UnknownCriticalExtension"),
        ({"more": extension(bytes.fromhex("551d25"), False, b"")}, "RestrictingExtension"),
        ({"more": extension(bytes.fromhex("551d1e"), True, b"")}, "RestrictingExtension"),
        ({"more": extension(b"\x2a\3", b"\1\1\0", b"")}, "NotTrue"),
        ({"more": extension(b"\x2a\3", b"\1\2\xff\xff", b"")}, "WrongSize"),
        ({"constraints": constraints_of(b"\x30\3\2\1\0")}, "PathLenWithoutCa"),
        ({"constraints": constraints_of(b"\x30\3\1\1\0")}, "NotTrue"),
        ({"constraints": extension(*basic_constraints(True, 255))}, "PathLenTooLong"),
        ({"constraints": constraints_of(b"\x30\x80\0\0")}, "IndefiniteLength"),
        ({"constraints": constraints_of(b"\x30\x81\0")}, "NonMinimalLength"),
        ({"constraints": constraints_of(b"\x30\x82\0\x80" + bytes(128))}, "NonMinimalLength"),
        ({"constraints": constraints_of(b"\x30\x83\1\0\0")}, "LengthTooLong"),
        ({"constraints": constraints_of(b"\x30\x82\0")}, "Truncated"),
        ({"constraints": constraints_of(b"\x30\1")}, "Truncated"),
        ({"signature": tlv(Tag.BIT_STRING, b"\0", tlv(Tag.SEQUENCE, integer(5)))}, "Truncated"),
        (
            {"signature": tlv(Tag.BIT_STRING, b"\0", tlv(Tag.SEQUENCE, integer(2**384), integer(6)))},
            "IntegerTooLong",
        ),
        (
            {"signature": tlv(Tag.BIT_STRING, b"\0", tlv(Tag.SEQUENCE, *map(integer, (5, 6, 7))))},
            "TrailingBytes",
        ),
    ],
)
def test_certificates_that_are_refused(parts: dict[str, bytes], name: str) -> None:
    with pytest.raises(NotACertificate) as caught:
        parse(made(**parts))
    assert caught.value.name == name


def test_what_is_accepted_at_the_limits() -> None:
    check(made(serial=integer(2**160 - 1)))
    check(made(end=later(b"20500101000000Z")))
    check(made(begin=utc(b"240229235959Z"), end=later(b"99991231235959Z")))
    check(made(begin=utc(b"700101000000Z")))
    check(made(more=MANY[: -len(extension(b"\x2a\0", False, b""))]))
    check(made(constraints=extension(*basic_constraints(True, 254))))
    r = tlv(Tag.SEQUENCE, integer(2**384 - 1), integer(1))
    check(made(signature=tlv(Tag.BIT_STRING, b"\0", r)))
    assert not parse(made(constraints=constraints_of(b"\x30\0"))).ca
    assert not parse(made(constraints=b"")).ca
    assert parse(made(usage=usage_of(b"\3\3\7\0\x80"))).key_usage == 1 << 8


def test_offsets() -> None:
    der = made(more=extension(b"\x2a\3", b"\1\1\0", b""))
    with pytest.raises(NotACertificate) as caught:
        parse(der)
    assert caught.value.values == (der.index(b"\6\2\x2a\3\1\1\0") + 6, 0)
    with pytest.raises(NotACertificate) as caught:
        parse(der[:1])
    assert (caught.value.name, caught.value.values) == ("Truncated", (0,))


def test_an_oid_is_refused_by_its_32_octets() -> None:
    """As the contract looks at it."""
    raw = tlv(Tag.OBJECT_IDENTIFIER, b"\1" * 40 + b"\x80\1")
    with pytest.raises(NotACertificate) as caught:
        Cursor(raw).oid()
    assert caught.value.values == (34,)


def test_times_of_every_kind() -> None:
    random = Random(1)
    for _ in range(2000):
        seconds = random.randrange(int(datetime(2150, 1, 1, tzinfo=UTC).timestamp()))
        moment = datetime.fromtimestamp(seconds, UTC)
        early = moment.year < 2050
        raw = utc(f"{moment:%y%m%d%H%M%S}Z".encode()) if early else later(f"{moment:%Y%m%d%H%M%S}Z".encode())
        assert Cursor(raw).time() == seconds


def test_nothing_is_accepted_that_another_reader_refuses() -> None:
    """Bytes changed at random: what passes here passes there, with the same fields."""
    random = Random(2)
    sources = [made(), *certificates(GOOD)[0]]
    passed = 0
    for _ in range(6000):
        der = bytearray(random.choice(sources))
        for _ in range(random.randint(1, 2)):
            der[random.randrange(len(der))] = random.choice(
                (random.getrandbits(8), 0, 1, 2, 3, 0x30, 0x80, 0xFF)
            )
        try:
            found = parse(bytes(der))
        except NotACertificate:
            continue
        passed += 1
        other = x509.load_der_x509_certificate(bytes(der))
        assert found.not_after == int(other.not_valid_after_utc.timestamp())
        assert found.tbs == other.tbs_certificate_bytes
    assert passed > 1000
