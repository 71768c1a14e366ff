"""What people are told about a document."""

from hashlib import sha256

import pytest

from tests.contracts.attestation.documents import real
from tests.python.attestation.chains import AT, GOOD, changed, signed
from vouch.attestation import document
from vouch.attestation.dev import DevAuthority
from vouch.attestation.errors import NotADocument, Refused
from vouch.attestation.explain import explain
from vouch.attestation.reasons import REASONS
from vouch.attestation.verify import AWS_ROOT, verify
from vouch.protocol.enclave import Curve, EnclaveIdentity, image_id, nonce, user_data

IDENTITY = EnclaveIdentity(
    Curve.P256,
    bytes.fromhex("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
    bytes.fromhex("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"),
)
"""The generator."""
KEYS = "0x00000000000000000000000000000000000000AA"
OPERATOR = "0x00000000000000000000000000000000000000bb"
PCRS = {number: bytes([number + 1]) * 48 for number in range(3)}
AUTHORITY = DevAuthority.create(seed=b"explain")


def told(
    pcrs: dict[int, bytes] = PCRS,
    *,
    at: int = AT,
    root: bytes = AUTHORITY.fingerprint,
    key: bytes | None = None,
    data: bytes | None = None,
    fresh: bytes | None = None,
) -> str:
    """About a document made at AT, looked at later."""
    parsed = document.parse(AUTHORITY.document(pcrs, public_key=key, user_data=data, nonce=fresh, at=AT))
    try:
        return "\n".join(explain(parsed, verify(parsed, root_fingerprint=root, at=at)))
    except Refused as refusal:
        return "\n".join(explain(parsed, refusal))


def test_a_good_document() -> None:
    text = told(
        key=IDENTITY.spki,
        data=user_data(31337, KEYS, OPERATOR, b"more"),
        fresh=nonce(7, b"\xab" * 32),
    )
    for part in (
        "made 2026-02-12 17:56:02 UTC",
        f"Image 0x{image_id(*PCRS.values()).hex()}",
        f"PCR 2 {PCRS[2].hex()}",
        f"Key {IDENTITY.id}, on P256",
        f"operator {OPERATOR}, EnclaveKeys {KEYS}, chain 31337, and 4 bytes more",
        "Made after block 7, 0x" + "ab" * 32,
        "0 dev.nitro-enclaves: from 2019-10-28 13:28:05 UTC to 2049-10-28 14:28:05 UTC",
        ".dev-loc-1.dev: from 2026-02-12 17:55:59 UTC to 2026-02-12 20:56:02 UTC",
        "Verified: signed under this root, and valid up to 2026-02-12 20:56:02 UTC",
    ):
        assert part in text
    assert "DEBUG" not in text
    assert "Refused" not in text


def test_a_document_that_binds_nothing() -> None:
    text = told()
    for part in ("names no key", "bound to no operator", "not tied to a block"):
        assert part in text
    text = told(key=b"k", data=b"u", fresh=b"n")
    assert "public key (1 bytes) is none that EnclaveKeys takes" in text
    assert text.count("(1 bytes) is of another application") == 2
    assert "measures no image" in told({0: b"\1" * 32})


def test_debug_mode() -> None:
    text = told({})
    assert "DEBUG MODE" in text
    assert "EnclaveKeys refuses it" in text


def test_refusals_say_what_to_do() -> None:
    assert told(at=AT + 86_400).splitlines()[-2:] == [
        f"Refused: CertificateExpired: certificate 3 has expired; {AT + 82_800} was its last second",
        "What to do: let the enclave make a new document: one lasts for about three hours",
    ]
    assert "compare the clock" in told(at=AT - 4)
    assert "WrongRoot: the chain starts with the root 0x" + AUTHORITY.fingerprint.hex() in told(root=AWS_ROOT)
    assert "trust AWS's root (0x641a" in told(root=AWS_ROOT)


def test_a_certificate_that_cannot_be_read() -> None:
    parsed = signed(changed(1, extra=((bytes.fromhex("2a03"), True, b""),)))
    with pytest.raises(Refused) as caught:
        verify(parsed, root_fingerprint=sha256(parsed.certificates[0]).digest(), at=AT)
    text = "\n".join(explain(parsed, caught.value))
    assert "1 cannot be read: " in text
    assert "Refused: certificate 1, " in text


def test_no_document() -> None:
    with pytest.raises(NotADocument) as caught:
        document.parse(b"hEShATgi")
    assert explain(None, caught.value) == [
        "Refused: UnexpectedType: at byte 0 is CBOR of major type 3 where 4 belongs",
        "What to do: give the document as the module made it: binary, not base64 or hex, nothing cut off",
    ]


def test_every_reason_can_be_said() -> None:
    for name in REASONS:
        assert Refused(name, 1, 2, 3, 4).args[0].startswith(f"{name}: ")


def test_real_documents_are_explained() -> None:
    for path in real("documents"):
        parsed = document.parse(path.read_bytes())
        at = parsed.timestamp_ms // 1000
        text = "\n".join(explain(parsed, verify(parsed, root_fingerprint=AWS_ROOT, at=at)))
        assert parsed.module_id in text
        assert ("DEBUG" in text) == path.stem.endswith("_debug")
    assert len(explain(signed(GOOD), NotADocument("NonMinimal", 3))) > 5
