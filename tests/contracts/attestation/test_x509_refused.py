"""Everything that X509 refuses, by the name and the values of its error."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contracts.attestation.certificates import (
    BASIC_CONSTRAINTS,
    CA,
    CERT_SIGN,
    CRITICAL,
    ECDSA_WITH_SHA384,
    KEY_USAGE,
    OTHER,
    SEQUENCE,
    SET,
    SUBJECT_KEY,
    Parts,
    attribute,
    bits,
    changed,
    constraints,
    extension,
    integer,
    length,
    name,
    numbered,
    oid,
    point,
    spki,
    tlv,
    usage,
    utc,
    with_extensions,
)
from tests.contracts.attestation.x509_harness import X509Harness
from tests.support.batched import refusal
from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc

PARTS = Parts()
FALSE = tlv(0x01, b"\x00")
NULL = tlv(0x05)
P256_KEY = bytes.fromhex("06072a8648ce3d020106082a8648ce3d030107")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def harness(anvil: Anvil) -> AsyncIterator[X509Harness]:
    async with Rpc(anvil.http_url) as rpc:
        yield X509Harness(rpc)


def offset_in(der: bytes, part: bytes, more: int = 0) -> int:
    assert der.count(part) == 1
    return der.index(part) + more


RSA_SHA256 = bytes.fromhex("06092a864886f70d01010b0500")

REFUSED = {
    "version 1": (changed(version=b""), "WrongTag", (offset_in(PARTS.tbs, PARTS.serial) + 4 - 5, 0x02, 0xA0)),
    "version 2": (changed(version=tlv(0xA0, integer(1))), "WrongVersion", (1,)),
    "version 4": (changed(version=tlv(0xA0, integer(3))), "WrongVersion", (3,)),
    "two versions": (changed(version=tlv(0xA0, integer(2), integer(2))), "TrailingBytes", (13,)),
    "serial 0": (changed(serial=integer(0)), "WrongSerial", (0,)),
    "serial 2**160": (changed(serial=integer(2**160)), "WrongSerial", (2**160,)),
    "negative serial": (changed(serial=integer(-1)), "NegativeInteger", (15,)),
    "huge serial": (changed(serial=integer(2**256)), "IntegerTooLong", (15, 33, 32)),
    "other algorithm": (
        changed(algorithm=tlv(SEQUENCE, RSA_SHA256)),
        "WrongSignatureAlgorithm",
        (RSA_SHA256,),
    ),
    "other outer algorithm": (
        changed(outer_algorithm=tlv(SEQUENCE, RSA_SHA256)),
        "WrongSignatureAlgorithm",
        (RSA_SHA256,),
    ),
    "algorithm with parameters": (
        changed(algorithm=tlv(SEQUENCE, ECDSA_WITH_SHA384, NULL)),
        "WrongSignatureAlgorithm",
        (ECDSA_WITH_SHA384 + NULL,),
    ),
    "no issuer": (changed(issuer=tlv(SEQUENCE)), "EmptyName", (48,)),
    "no subject": (
        changed(subject=tlv(SEQUENCE)),
        "EmptyName",
        (offset_in(changed(subject=tlv(SEQUENCE)), PARTS.key) - 2,),
    ),
    "empty set": (changed(issuer=tlv(SEQUENCE, tlv(SET))), "Truncated", (52,)),
    "two attributes in a set": (
        changed(issuer=tlv(SEQUENCE, tlv(SET, attribute(b"a"), attribute(b"b")))),
        "TrailingBytes",
        (62,),
    ),
    "attribute of three": (
        changed(issuer=name(tlv(SEQUENCE, oid(OTHER), NULL, NULL))),
        "TrailingBytes",
        (61,),
    ),
    "three times": (
        changed(validity=tlv(SEQUENCE, utc("240101000000Z"), utc("240101000000Z"), utc("240101000000Z"))),
        "TrailingBytes",
        (offset_in(PARTS.der, PARTS.validity) + 2 + 30,),
    ),
    "other curve": (spki(P256_KEY, point(2)[:65]), "WrongKeyAlgorithm", (P256_KEY,)),
    "compressed key": (spki(octets=b"\x02" + point(2)[1:49]), "CompressedKey", (2,)),
    "hybrid key": (spki(octets=b"\x06" + point(2)[1:]), "CompressedKey", (6,)),
    "short key": (spki(octets=point(2)[:-1]), "WrongKeySize", (96,)),
    "long key": (spki(octets=point(2) + b"\x00"), "WrongKeySize", (98,)),
    "unused bits of the key": (
        spki(unused=1),
        "UnusedBits",
        (offset_in(PARTS.der, point(2)) - 1, 1),
    ),
    "more in the key": (spki(after=NULL), "TrailingBytes", (offset_in(PARTS.der, point(2)) + 97,)),
    "issuerUniqueID": (
        changed(unique_ids=tlv(0x81, b"\x00\x01")),
        "WrongTag",
        (offset_in(PARTS.der, point(2)) + 97, 0x81, 0xA3),
    ),
    "subjectUniqueID": (
        changed(unique_ids=tlv(0x82, b"\x00\x01")),
        "WrongTag",
        (offset_in(PARTS.der, point(2)) + 97, 0x82, 0xA3),
    ),
    "no extensions": (with_extensions(), "MissingKeyUsage", ()),
    "no key usage": (with_extensions(CA), "MissingKeyUsage", ()),
    "key usage twice": (with_extensions(CERT_SIGN, CERT_SIGN), "DuplicateExtension", (KEY_USAGE,)),
    "skipped extension twice": (
        with_extensions(*[extension(OTHER, b"")] * 2, CERT_SIGN),
        "DuplicateExtension",
        (OTHER,),
    ),
    "17 extensions": (with_extensions(CERT_SIGN, *numbered(16)), "TooManyExtensions", (16,)),
    "unknown critical": (
        with_extensions(CERT_SIGN, extension(OTHER, b"", CRITICAL)),
        "UnknownCriticalExtension",
        (OTHER,),
    ),
    "critical key identifier": (
        with_extensions(CERT_SIGN, extension(SUBJECT_KEY, b"", CRITICAL)),
        "UnknownCriticalExtension",
        (SUBJECT_KEY,),
    ),
    "critical left out aloud": (
        with_extensions(extension(KEY_USAGE, bits(b"\x80", 7), FALSE)),
        "NotTrue",
        (offset_in(with_extensions(extension(KEY_USAGE, bits(b"\x80", 7), FALSE)), FALSE, 2), 0),
    ),
    "extension of four": (
        with_extensions(tlv(SEQUENCE, oid(KEY_USAGE), tlv(0x04, bits(b"\x80", 7)), NULL)),
        "TrailingBytes",
        (offset_in(PARTS.der, point(2)) + 97 + 4 + 2 + 5 + 6,),
    ),
    "key usage and more": (
        usage(bits(b"\x80", 7) + NULL),
        "TrailingBytes",
        (offset_in(usage(bits(b"\x80", 7) + NULL), bits(b"\x80", 7) + NULL, 4),),
    ),
    "no usage": (usage(bits(b"")), "WrongKeyUsage", (0,)),
    "usage 9": (usage(bits(b"\x80\x40", 6)), "WrongKeyUsage", (0x201,)),
    "zeros behind the last usage": (
        usage(bits(b"\x80", 0)),
        "NonCanonicalNamedBits",
        (offset_in(usage(bits(b"\x80", 0)), bits(b"\x80", 0), 2),),
    ),
    "cA said to be FALSE": (
        constraints(FALSE),
        "NotTrue",
        (offset_in(constraints(FALSE), FALSE, 2), 0),
    ),
    "pathLen without cA": (
        constraints(integer(0)),
        "PathLenWithoutCa",
        (offset_in(constraints(integer(0)), tlv(SEQUENCE, integer(0)), 2),),
    ),
    "pathLen 255": (constraints(CRITICAL, integer(255)), "PathLenTooLong", (255, 254)),
    "pathLen 256": (constraints(CRITICAL, integer(256)), "PathLenTooLong", (256, 254)),
    "constraints and more": (
        constraints(CRITICAL, integer(7), NULL),
        "TrailingBytes",
        (offset_in(constraints(CRITICAL, integer(7), NULL), integer(7) + NULL, 3),),
    ),
    "behind the constraints": (
        with_extensions(CERT_SIGN, extension(BASIC_CONSTRAINTS, tlv(SEQUENCE) + NULL)),
        "TrailingBytes",
        (
            offset_in(
                with_extensions(CERT_SIGN, extension(BASIC_CONSTRAINTS, tlv(SEQUENCE) + NULL)),
                tlv(SEQUENCE) + NULL,
                2,
            ),
        ),
    ),
    "behind the list of extensions": (
        changed(in_wrapper=NULL),
        "TrailingBytes",
        (offset_in(changed(in_wrapper=NULL), CERT_SIGN, len(CERT_SIGN)),),
    ),
    "behind the extensions": (
        changed(after_extensions=NULL),
        "TrailingBytes",
        (offset_in(PARTS.der, CERT_SIGN, len(CERT_SIGN)),),
    ),
    "behind the signature": (changed(after_signature=NULL), "TrailingBytes", (len(PARTS.der),)),
    "behind the certificate": (changed(after=NULL), "TrailingBytes", (len(PARTS.der),)),
    "another certificate": (PARTS.der * 2, "TrailingBytes", (len(PARTS.der),)),
    "nothing": (b"", "Truncated", (0,)),
    "r too long": (
        changed(signature=bits(tlv(SEQUENCE, integer(2**384), integer(1)))),
        "IntegerTooLong",
        (len(PARTS.tbs) + 4 + 14 - 2 + 7, 49, 48),
    ),
    "s too long": (
        changed(signature=bits(tlv(SEQUENCE, integer(1), integer(2**384)))),
        "IntegerTooLong",
        (len(PARTS.tbs) + 4 + 14 - 2 + 10, 49, 48),
    ),
    "r, s and more": (
        changed(signature=bits(tlv(SEQUENCE, integer(1), integer(1), NULL))),
        "TrailingBytes",
        (len(PARTS.tbs) + 4 + 12 + 11,),
    ),
    "behind r and s": (
        changed(signature=bits(tlv(SEQUENCE, integer(1), integer(1)) + NULL)),
        "TrailingBytes",
        (len(PARTS.tbs) + 4 + 12 + 11,),
    ),
    "unused bits of the signature": (
        changed(signature=bits(tlv(SEQUENCE, integer(1), integer(1)), 3)),
        "UnusedBits",
        (len(PARTS.tbs) + 4 + 12 + 2, 3),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_refused(harness: X509Harness, case: str) -> None:
    der, error, values = REFUSED[case]
    assert (await harness.parse([der]))[0] == refusal(error, *values)


@pytest.mark.parametrize("number", [30, 36, 37, 54])
@pytest.mark.parametrize("critical", [b"", CRITICAL])
async def test_extensions_that_narrow(harness: X509Harness, number: int, critical: bytes) -> None:
    kind = bytes([0x55, 0x1D, number])
    der = with_extensions(CERT_SIGN, extension(kind, b"", critical))
    assert (await harness.parse([der]))[0] == refusal("RestrictingExtension", kind)


async def test_every_length_of_the_outermost(harness: X509Harness) -> None:
    der = PARTS.der
    content = der[4:]
    assert der == b"\x30" + length(len(content)) + content
    size = len(content)
    heads = {
        b"\x80": "IndefiniteLength",
        b"\x83" + size.to_bytes(3, "big"): "LengthTooLong",
        b"\x88" + size.to_bytes(8, "big"): "LengthTooLong",
        b"\xff": "LengthTooLong",
        b"\x82" + (size + 1).to_bytes(2, "big"): "Truncated",
        b"\x82\xff\xff": "Truncated",
    }
    received = await harness.parse(b"\x30" + head + content for head in heads)
    assert received == [refusal(error, 0) for error in heads.values()]
