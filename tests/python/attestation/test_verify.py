"""Real documents, documents that somebody spoilt, and chains that no honest authority makes."""

from hashlib import sha256

import pytest

from tests.contracts.attestation.documents import real
from tests.python.attestation.chains import AT, BROKEN, FINE, GOOD, Link, changed, signed
from vouch.attestation import document
from vouch.attestation.dev import DevAuthority
from vouch.attestation.dev_machine import Variant
from vouch.attestation.document import Document
from vouch.attestation.errors import NotACertificate, NotADocument, NotTrusted, Refused
from vouch.attestation.verify import AWS_ROOT, Attestation, verify
from vouch.protocol.keccak import keccak

WRONG_SIGNATURE = ("WrongSignature", (5,))
SPOILT: dict[str, tuple[str, tuple[int | str | bytes, ...]]] = {
    "2022-11-09_225200_veracruz-project-go-nitro-enclave-attest_prod": WRONG_SIGNATURE,
    "2024-12-13_090545_marlinprotocol-oyster-monorepo_prod": (
        "WrongRoot",
        (bytes.fromhex("024a7c97261ad34de885537fa08b8bd35121a28d9dc2017e688e4813fda28c96"), AWS_ROOT),
    ),
    "base_fixture_3bytes_missing": ("UnexpectedType", (4384, 4, 2)),
    "blocky_selfsigned_attestation": ("UnexpectedType", (6, 7, 5)),
    "derived_alg_es256_-7": ("WrongProtectedHeader", (bytes.fromhex("a10126"),)),
    "derived_definite_reencoded": WRONG_SIGNATURE,
    "derived_noncanon_payload_len32": ("NonMinimal", (7,)),
    "derived_pcr0_bitflip": WRONG_SIGNATURE,
    "derived_public_key_bitflip": WRONG_SIGNATURE,
    "derived_sig_r_eq_n": WRONG_SIGNATURE,
    "derived_sig_zero": WRONG_SIGNATURE,
    "derived_trailing_byte": ("TrailingBytes", (4556, 4557)),
    "derived_truncated": ("Truncated", (4460,)),
}
HARMLESS = {"derived_ok_malleable_n_minus_s_valid", "derived_ok_tagged_d2_valid"}
"""Another form of a valid document: the tag is not signed, and ECDSA takes (r, n - s) as well as (r, s)."""


def check(raw: bytes) -> Attestation:
    """At its own time, under AWS's root."""
    parsed = document.parse(raw)
    return verify(parsed, root_fingerprint=AWS_ROOT, at=parsed.timestamp_ms // 1000)


def refusal(parsed: Document, at: int = AT, root: bytes | None = None) -> Refused:
    fingerprint = sha256(parsed.certificates[0]).digest() if root is None else root
    with pytest.raises(Refused) as caught:
        verify(parsed, root_fingerprint=fingerprint, at=at)
    return caught.value


def test_real_documents() -> None:
    found = real("documents")
    for path in found:
        attestation = check(path.read_bytes())
        assert attestation.debug == path.stem.endswith("_debug"), path.name
        assert attestation.certificates == tuple(map(keccak, attestation.document.certificates))
        # The leaf's end: three hours after it was made.
        assert 0 < attestation.expiry - attestation.document.timestamp_ms // 1000 <= 10_800


def test_real_documents_at_another_time() -> None:
    for path in real("documents"):
        parsed = document.parse(path.read_bytes())
        last = check(parsed.raw).expiry
        verify(parsed, root_fingerprint=AWS_ROOT, at=last)
        assert refusal(parsed, last + 1, AWS_ROOT).values == (4, last)
        assert refusal(parsed, last + 86_400, AWS_ROOT).name == "CertificateExpired"
        assert refusal(parsed, last - 10_804, AWS_ROOT).name == "CertificateNotYetValid"


def test_spoilt_documents() -> None:
    found = real("negative")
    assert {path.stem for path in found} == SPOILT.keys() | HARMLESS
    for path in found:
        if path.stem in HARMLESS:
            assert not check(path.read_bytes()).debug
        else:
            with pytest.raises(Refused) as caught:
                check(path.read_bytes())
            assert (caught.value.name, caught.value.values) == SPOILT[path.stem], path.name


def test_a_good_chain() -> None:
    parsed = signed(GOOD)
    attestation = verify(parsed, root_fingerprint=sha256(parsed.certificates[0]).digest(), at=AT)
    assert [link.path_len for link in attestation.chain] == [None, 1, 0, None]
    assert attestation.expiry == AT + 100
    for at in (AT - 100, AT + 100):
        verify(parsed, root_fingerprint=sha256(parsed.certificates[0]).digest(), at=at)


@pytest.mark.parametrize(("links", "name", "values"), BROKEN)
def test_chains_that_break_a_rule(links: list[Link], name: str, values: tuple[int, ...]) -> None:
    found = refusal(signed(links))
    assert isinstance(found, NotTrusted)
    assert (found.name, found.values) == (name, values)


def test_path_lengths_that_just_do() -> None:
    for links in FINE:
        parsed = signed(links)
        verify(parsed, root_fingerprint=sha256(parsed.certificates[0]).digest(), at=AT)


def test_another_root() -> None:
    parsed = signed(GOOD)
    found = refusal(parsed, root=AWS_ROOT)
    assert (found.name, found.values) == ("WrongRoot", (sha256(parsed.certificates[0]).digest(), AWS_ROOT))


def test_a_certificate_of_the_wrong_form() -> None:
    found = refusal(signed(changed(2, extra=((bytes.fromhex("2a03"), True, b""),))))
    assert isinstance(found, NotACertificate)
    assert (found.name, found.index) == ("UnknownCriticalExtension", 2)


def test_every_bit_counts() -> None:
    """One bit of every seventh byte. Of the root nothing is looked at first but its fingerprint."""
    authority = DevAuthority.create(seed=b"bits")
    raw = authority.document(
        {0: b"\1" * 48}, public_key=b"key", user_data=b"data", at=AT, variant=Variant.Y2022
    )
    verify(document.parse(raw), root_fingerprint=authority.fingerprint, at=AT)
    kinds = set()
    for at in range(0, len(raw), 7):
        flipped = raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1 :]
        with pytest.raises(Refused) as caught:
            verify(document.parse(flipped), root_fingerprint=authority.fingerprint, at=AT)
        kinds.add(type(caught.value))
    assert kinds == {NotADocument, NotACertificate, NotTrusted}
