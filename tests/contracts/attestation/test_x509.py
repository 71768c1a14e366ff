# parse
# ├── real certificates, or of `cryptography` .. as `cryptography` reads them
# ├── a certificate changed anywhere ........... as `cryptography` reads it, or a difference with a reason
# ├── not DER .................................. Der's errors, at every level
# ├── another version, serial, name, key ....... WrongVersion, WrongSerial, WrongKeyAlgorithm, ...
# ├── extensions
# │   ├── unknown, critical .................... UnknownCriticalExtension
# │   ├── unknown .............................. skipped
# │   ├── one that narrows ..................... RestrictingExtension, critical or not
# │   ├── twice, too many, no key usage ........ DuplicateExtension, MissingKeyUsage, ...
# │   └── basic constraints, key usage ......... as they say, or PathLenWithoutCa, WrongKeyUsage, ...
# └── otherwise ................................ what the certificate says

from collections import Counter
from collections.abc import AsyncIterator
from random import Random

import pytest
import pytest_asyncio

from tests.contracts.attestation.certificate_mutations import forgiving, mutated
from tests.contracts.attestation.certificate_reference import NO_PATH_LEN, Objection, read
from tests.contracts.attestation.certificates import (
    CA,
    CERT_SIGN,
    CRITICAL,
    KEY_USAGE,
    OTHER,
    SEQUENCE,
    Parts,
    bits,
    changed,
    constraints,
    extension,
    general,
    integer,
    issued,
    numbered,
    real_certificates,
    spki,
    tlv,
    usage,
    utc,
    with_extensions,
)
from tests.contracts.attestation.x509_harness import Fields, X509Harness
from tests.support.batched import Refusal, refusal
from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc

PARTS = Parts()
CERTIFICATE_GAS = 60_000
"""What reading a real certificate costs at most."""

STRICTER = {
    "NeedsUtcTime": "the library takes GeneralizedTime also before 2050 (RFC 5280, 4.1.2.5)",
    "NonCanonicalNamedBits": "the library takes named bits with zeros behind the last one (X.690, 11.2.2)",
    "TooManyNamedBits": "the library takes key usages that RFC 5280 does not define",
    "WrongKeyUsage": "the same, where there is one octet more",
    "WrongSignatureAlgorithm": "the library does not compare the outer algorithm with the signed one",
}
"""Errors of the contract's where `cryptography` has no objection, and why that is right."""
LOOSER = {"form", "names", "extensions", "key"}
"""What `cryptography` may object to where the contract does not look: see `forgiving`."""

UNDEFINED = "encipher_only and decipher_only can only be true when key_agreement is true"
"""`cryptography` objects to bits 7 and 8 without 4, which RFC 5280, 4.2.1.3 leaves undefined."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def harness(anvil: Anvil) -> AsyncIterator[X509Harness]:
    async with Rpc(anvil.http_url) as rpc:
        yield X509Harness(rpc)


async def test_real_certificates(harness: X509Harness) -> None:
    certificates = real_certificates()
    assert len(certificates) > 50
    assert await harness.parse(certificates) == [read(certificate) for certificate in certificates]


async def test_gas_of_real_certificates(harness: X509Harness) -> None:
    certificates = real_certificates()
    used = await harness.many("gasOf", [(certificate,) for certificate in certificates])
    assert max(used) <= CERTIFICATE_GAS


async def test_issued_certificates(harness: X509Harness) -> None:
    certificates = [*issued(), PARTS.der]
    received = await harness.parse(certificates)
    assert received == [read(certificate) for certificate in certificates]
    assert [(said.ca, said.path_len) for said in received if isinstance(said, Fields)] == [
        (True, NO_PATH_LEN),
        (True, 2),
        (True, 0),
        (False, NO_PATH_LEN),
        (True, 2),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
async def test_changed_certificates(harness: X509Harness, seed: int) -> None:
    random = Random(seed)
    bases = [*issued(), PARTS.der]
    certificates = [mutated(random, random.choice(bases)) for _ in range(3000)]
    counted: Counter[str] = Counter()
    for der, received in zip(certificates, await harness.parse(certificates), strict=True):
        expected = read(der)
        if isinstance(received, Refusal):
            counted["refused"] += 1
            assert isinstance(expected, Objection) or received.name in STRICTER, (received, der.hex())
        elif isinstance(expected, Objection):
            counted["looser"] += 1
            assert expected.about in LOOSER, (expected, der.hex())
            forgiven = read(forgiving(der))
            if isinstance(forgiven, Objection):
                assert (forgiven.why, received.key_usage & 0x10) == (UNDEFINED, 0), (forgiven, der.hex())
                assert received.key_usage & 0x180, der.hex()
            else:
                assert blind(received) == blind(forgiven), (expected, der.hex())
        else:
            counted["accepted"] += 1
            assert received == expected, der.hex()
    assert counted["refused"] > 1500
    assert counted["accepted"] > 150
    assert counted["looser"] > 50


def blind(said: Fields) -> Fields:
    """Without what `forgiving` changes."""
    return said._replace(tbs=b"", issuer=b"", subject=b"", key=b"")


async def test_every_prefix_is_refused(harness: X509Harness) -> None:
    der = PARTS.der
    received = await harness.parse(der[:size] for size in range(len(der)))
    # The outer length tells from the first octets on.
    assert set(received) == {refusal("Truncated", 0)}


async def test_spans_of_a_part_of_calldata(harness: X509Harness) -> None:
    # `batch` puts certificates one behind the other: what follows one is not zero.
    received = await harness.parse([PARTS.der] * 3)
    assert received == [read(PARTS.der)] * 3


async def test_boundaries_that_are_accepted(harness: X509Harness) -> None:
    certificates = [
        changed(serial=integer(1)),
        # AWS's own: 21 octets with the sign's.
        changed(serial=integer(2**160 - 1)),
        constraints(),
        constraints(CRITICAL),
        constraints(CRITICAL, integer(0)),
        constraints(CRITICAL, integer(254)),
        with_extensions(CERT_SIGN),
        with_extensions(CERT_SIGN, *numbered(15)),
        # KeyUsage is found wherever it is.
        with_extensions(*numbered(3), CA, CERT_SIGN),
        with_extensions(extension(KEY_USAGE, bits(b"\x80", 7)), extension(OTHER, b"anything")),
        changed(signature=bits(tlv(SEQUENCE, integer(0), integer(2**384 - 1)))),
        changed(validity=tlv(SEQUENCE, utc("491231235959Z"), general("20500101000000Z"))),
        # No moment is in it.
        changed(validity=tlv(SEQUENCE, utc("240101000001Z"), utc("240101000000Z"))),
    ]
    received = await harness.parse(certificates)
    expected = [read(certificate) for certificate in certificates]
    assert all(isinstance(said, Fields) for said in expected), expected
    assert received == expected


async def test_every_key_usage(harness: X509Harness) -> None:
    values = [bits((1 << 7 - bit).to_bytes(1, "big"), 7 - bit) for bit in range(8)]
    values += [bits(b"\x00\x80", 7), bits(b"\xff\x80", 7), bits(b"\xff")]
    received = await harness.parse(usage(value) for value in values)
    usages = [said.key_usage for said in received if isinstance(said, Fields)]
    assert usages == [*(1 << bit for bit in range(9)), 0x1FF, 0xFF]


async def test_key_off_the_curve_is_left_to_p384(harness: X509Harness) -> None:
    (said,) = await harness.parse([spki(octets=b"\x04" + b"\xff" * 96)])
    assert isinstance(said, Fields)
    assert said.key == b"\xff" * 96
