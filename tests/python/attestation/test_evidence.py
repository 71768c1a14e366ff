"""Hints for a whole document, by the mirror of the contract that checks them."""

from hashlib import sha384

import pytest

from tests.contracts.attestation.documents import real
from tests.python.attestation.chains import AT, GOOD, changed, signed
from vouch.attestation import certificate, document
from vouch.attestation.dev import DevAuthority
from vouch.attestation.document import Document
from vouch.attestation.errors import NotACertificate, NotTrusted
from vouch.attestation.evidence import hints
from vouch.attestation.p384 import Signed, verify


def check(parsed: Document, found: list[bytes]) -> None:
    """Every signature of the chain, with its hints; those that are empty were skipped."""
    chain = [certificate.parse(der) for der in parsed.certificates]
    messages = [*(child.tbs for child in chain[1:]), parsed.to_be_signed]
    signatures = [*(child.signature for child in chain[1:]), parsed.signature]
    assert len(found) == len(chain)
    for parent, message, signature, hint in zip(chain, messages, signatures, found, strict=True):
        if hint:
            verify(Signed.from_bytes(sha384(message).digest(), parent.key, signature), hint)


def test_hints_of_real_documents() -> None:
    for path in real("documents")[::6]:
        parsed = document.parse(path.read_bytes())
        found = hints(parsed)
        assert all(found)
        check(parsed, found)


def test_hints_of_documents_for_development() -> None:
    parsed = document.parse(DevAuthority.create(seed=b"hints").document({0: b"\1" * 48}, at=AT))
    steps: list[tuple[int, int]] = []
    found = hints(parsed, progress=lambda done, of: steps.append((done, of)))
    assert all(found)
    check(parsed, found)
    assert steps == [(i, 5) for i in range(1, 6)]
    assert hints(parsed) == found

    steps.clear()
    assert hints(parsed, skip=3, progress=lambda done, of: steps.append((done, of))) == [
        b"",
        b"",
        b"",
        *found[3:],
    ]
    assert steps == [(1, 2), (2, 2)]
    assert hints(parsed, skip=4) == [b"", b"", b"", b"", found[4]]


@pytest.mark.parametrize("skip", [-1, 4])
def test_more_is_skipped_than_there_is(skip: int) -> None:
    with pytest.raises(ValueError, match="after its root"):
        hints(signed(GOOD), skip=skip)


def test_signatures_that_do_not_hold() -> None:
    with pytest.raises(NotTrusted) as caught:
        hints(signed(changed(2, forged=True)))
    assert (caught.value.name, caught.value.values) == ("WrongSignature", (2,))
    parsed = signed(GOOD)
    spoilt = document.parse(parsed.raw[:-1] + bytes([parsed.raw[-1] ^ 1]))
    with pytest.raises(NotTrusted) as caught:
        hints(spoilt, skip=3)
    assert (caught.value.name, caught.value.values) == ("WrongSignature", (4,))
    with pytest.raises(NotACertificate) as refused:
        hints(signed(changed(3, extra=((bytes.fromhex("2a03"), True, b""),))))
    assert refused.value.index == 3
