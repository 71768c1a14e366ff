"""Documents for development have AWS's structure, and nobody else's root."""

import stat
from pathlib import Path

import pytest

from tests.contracts.attestation.documents import real
from tests.python.attestation.chains import AT
from tests.python.attestation.skeleton import certificate_shape, document_shape
from vouch.attestation import certificate, document
from vouch.attestation.certificate import common_name
from vouch.attestation.dev import FILE, AuthorityExists, BadAuthority, DevAuthority, NoAuthority
from vouch.attestation.dev_attester import DevAttester
from vouch.attestation.dev_machine import LEAF_MARGIN, Variant
from vouch.attestation.errors import NotADocument, NotTrusted
from vouch.attestation.source import Attester
from vouch.attestation.verify import AWS_ROOT, Attestation, verify

PCRS = {0: b"\1" * 48, 1: b"\2" * 48, 2: b"\3" * 48, 4: b"\4" * 48}
LIKE = {
    Variant.Y2022: "2022-10-12_135006",
    Variant.Y2024: "2024-08-16_091149",
    Variant.Y2026: "2026-02-12_175602",
}
"""A real document of each kind, all of regions whose names have nine letters."""


def check(authority: DevAuthority, raw: bytes, at: int) -> Attestation:
    return verify(document.parse(raw), root_fingerprint=authority.fingerprint, at=at)


def alike(variant: Variant) -> tuple[document.Document, document.Document]:
    """A real document, and one that says the same of a machine for development."""
    (path,) = (path for path in real("documents") if path.name.startswith(LIKE[variant]))
    model = document.parse(path.read_bytes())
    instance = DevAuthority.create(seed=b"alike").instance(at=model.timestamp_ms // 1000, variant=variant)
    made = instance.document(
        model.pcrs,
        public_key=model.public_key,
        user_data=model.user_data,
        nonce=model.nonce,
        at_ms=model.timestamp_ms,
    )
    return model, document.parse(made)


@pytest.mark.parametrize("variant", Variant)
def test_the_structure_is_that_of_a_real_document(variant: Variant) -> None:
    model, made = alike(variant)
    for there, here in zip(model.certificates, made.certificates, strict=True):
        assert certificate_shape(here) == certificate_shape(there)
    assert document_shape(made.raw) == document_shape(model.raw)
    assert abs(len(made.raw) - len(model.raw)) <= 12  # zeros in front of r, s and serial numbers
    other = [kind for kind in Variant if kind != variant]
    assert all(document_shape(alike(kind)[1].raw) != document_shape(model.raw) for kind in other)


@pytest.mark.parametrize("variant", Variant)
def test_certificates_last_as_long_as_real_ones(variant: Variant) -> None:
    model, made = (tuple(map(certificate.parse, each.certificates)) for each in alike(variant))
    spans = [[each.not_after - each.not_before for each in chain] for chain in (model, made)]
    assert spans[0][0] == spans[1][0]
    assert abs(spans[0][1] - spans[1][1]) <= 1
    assert spans[0][2] <= spans[1][2] == 6 * 86_400  # a zone's differ
    assert spans[0][3:] == spans[1][3:] == [86_400, 10_803]
    assert (made[0].not_before, made[0].not_after) == (model[0].not_before, model[0].not_after)
    assert made[4].not_before == alike(variant)[1].timestamp_ms // 1000 - 3


def test_names_say_that_it_is_for_development() -> None:
    made = document.parse(DevAuthority.create(seed=b"names").document(PCRS, at=AT))
    for der in made.certificates:
        found = certificate.parse(der)
        for name in (found.issuer, found.subject):
            assert b"Nobody" in name
            assert b"Amazon" not in name
            assert ".aws" not in common_name(name)
    with pytest.raises(NotTrusted, match="WrongRoot"):
        verify(made, root_fingerprint=AWS_ROOT, at=made.timestamp_ms // 1000)


def test_a_seed_makes_the_same_bytes() -> None:
    def made(seed: bytes | None) -> list[bytes]:
        authority = DevAuthority.create(seed=seed)
        return [authority.root_der, *(authority.document(PCRS, nonce=b"n", at=AT) for _ in range(2))]

    assert made(b"seed") == made(b"seed")
    for one, other in ((made(b"seed"), made(b"another")), (made(None), made(None))):
        assert not set(one) & set(other)
    assert len(set(made(b"seed"))) == 3


def test_debug_mode_is_the_default() -> None:
    authority = DevAuthority.create(seed=b"debug")
    assert check(authority, authority.document({}, at=AT), AT).debug
    assert not check(authority, authority.document(PCRS, at=AT), AT).debug


def test_fields_that_no_document_may_have() -> None:
    with pytest.raises(NotADocument, match="WrongLength"):
        DevAuthority.create(seed=b"fields").document(PCRS, nonce=bytes(1025), at=AT)


def test_a_leaf_is_kept_until_it_is_about_to_expire() -> None:
    authority = DevAuthority.create(seed=b"leaf")
    instance = authority.instance(at=AT)

    def leaf(at: int) -> bytes:
        raw = instance.document(PCRS, at_ms=1000 * at)
        check(authority, raw, at)
        return document.parse(raw).certificates[-1]

    first = leaf(AT)
    assert leaf(AT + 1) == first
    assert leaf(AT + 10_800 - LEAF_MARGIN) == first
    second = leaf(AT + 10_801 - LEAF_MARGIN)
    assert second != first
    assert certificate.parse(second).key != certificate.parse(first).key
    assert leaf(AT + 3600) != second  # a clock that was set back


def test_an_authority_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "authority"
    with pytest.raises(NoAuthority, match=r"has no authority\.pem"):
        DevAuthority.open(folder)
    made = DevAuthority.create(folder=folder)
    assert [path.name for path in folder.iterdir()] == [FILE]
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    before = (folder / FILE).read_bytes()
    with pytest.raises(AuthorityExists):
        DevAuthority.create(folder=folder)
    assert (folder / FILE).read_bytes() == before
    assert [path.name for path in folder.iterdir()] == [FILE]

    opened = DevAuthority.open(folder)
    assert (opened.root_der, opened.fingerprint) == (made.root_der, made.fingerprint)
    check(made, opened.document(PCRS, at=AT), AT)


def test_damaged_authorities(tmp_path: Path) -> None:
    for name in ("one", "two"):
        DevAuthority.create(folder=tmp_path / name)
    one, two = ((tmp_path / name / FILE).read_bytes() for name in ("one", "two"))
    mark = one.index(b"-- root")
    for damaged in (b"", one[:mark], one[:-2], one[:-5] + b"zz\n", two[:mark] + one[mark:]):
        (tmp_path / "one" / FILE).write_bytes(damaged)
        with pytest.raises(BadAuthority, match="remove it and make a new one"):
            DevAuthority.open(tmp_path / "one")


async def test_an_attester(tmp_path: Path) -> None:
    authority = DevAuthority.create(folder=tmp_path)
    now = [float(AT)]
    attester: Attester = DevAttester(tmp_path, PCRS, clock=lambda: now[0])

    async def attested() -> document.Document:
        raw = await attester.attest(public_key=b"k", user_data=b"u", nonce=b"n")
        return check(authority, raw, int(now[0])).document

    first = await attested()
    assert (first.public_key, first.user_data, first.nonce) == (b"k", b"u", b"n")
    assert (first.timestamp_ms, dict(first.pcrs)) == (1000 * AT, {i: bytes(48) for i in range(16)} | PCRS)
    now[0] += 0.25
    second = await attested()
    assert second.timestamp_ms == 1000 * AT + 250
    assert second.certificates == first.certificates
    for hours in (3, 20, 40, 24 * 30):
        now[0] = AT + 3600 * hours
        later = await attested()
        assert certificate.parse(later.certificates[-1]).not_after - now[0] >= LEAF_MARGIN
        assert certificate.parse(later.certificates[3]).not_after - now[0] >= 10_800
    with pytest.raises(NoAuthority):
        DevAttester(tmp_path / "none", PCRS)
