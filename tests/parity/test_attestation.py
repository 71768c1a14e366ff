"""Documents and certificates are read and refused alike in Python and in Solidity, by name and values."""

from collections.abc import AsyncIterator
from random import Random

import pytest_asyncio

from tests.contracts.attestation import certificate_mutations, document_mutations, documents
from tests.contracts.attestation.certificates import issued
from tests.contracts.attestation.document_harness import Harness
from tests.contracts.attestation.document_rules import Said
from tests.contracts.attestation.x509_harness import Fields, X509Harness
from tests.python.attestation.chains import AT
from tests.support.artefacts import compiled
from tests.support.batched import Refusal
from vouch.attestation import certificate, document
from vouch.attestation.dev import DevAuthority
from vouch.attestation.dev_machine import Variant
from vouch.attestation.errors import Refused
from vouch.attestation.reasons import REASONS
from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc

NO_PATH_LEN = 255


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rpc(anvil: Anvil) -> AsyncIterator[Rpc]:
    async with Rpc(anvil.http_url) as rpc:
        yield rpc


def read_document(raw: bytes) -> Said | Refusal:
    """What Python reads, as the contract's harness says it."""
    try:
        found = document.parse(raw)
    except Refused as refused:
        return Refusal(refused.name, refused.values)
    return Said(
        payload=found.payload,
        signature=found.signature,
        module_id=found.module_id.encode(),
        timestamp=found.timestamp_ms,
        pcrs=tuple(found.pcrs.get(number, b"") for number in range(max(found.pcrs) + 1)),
        certificate=found.certificates[-1],
        cabundle=found.certificates[:-1],
        public_key=found.public_key,
        user_data=found.user_data,
        nonce=found.nonce,
    )


def read_certificate(der: bytes) -> Fields | Refusal:
    try:
        found = certificate.parse(der)
    except Refused as refused:
        return Refusal(refused.name, refused.values)
    return Fields(
        tbs=found.tbs,
        issuer=found.issuer,
        subject=found.subject,
        key=found.key,
        not_before=found.not_before,
        not_after=found.not_after,
        ca=found.ca,
        path_len=NO_PATH_LEN if found.path_len is None else found.path_len,
        key_usage=found.key_usage,
        signature=found.signature,
    )


def made_documents() -> list[bytes]:
    authority = DevAuthority.create(seed=b"parity")
    return [authority.document({0: b"\1" * 48}, nonce=b"n", at=AT, variant=variant) for variant in Variant]


async def test_documents(rpc: Rpc) -> None:
    random = Random(1)
    raws = made_documents() + [document_mutations.mutated(random) for _ in range(3000)]
    answers = await Harness(rpc).parse(raws)
    names = set()
    for raw, answer in zip(raws, answers, strict=True):
        assert read_document(raw) == answer, raw.hex()
        names.add(answer.name if isinstance(answer, Refusal) else "")
    assert len(names) > 20


async def test_certificates(rpc: Rpc) -> None:
    random = Random(2)
    bases = issued() + [der for raw in made_documents() for der in document.parse(raw).certificates]
    ders = bases + [certificate_mutations.mutated(random, random.choice(bases)) for _ in range(4000)]
    answers = await X509Harness(rpc).parse(ders)
    names = set()
    for der, answer in zip(ders, answers, strict=True):
        assert read_certificate(der) == answer, der.hex()
        names.add(answer.name if isinstance(answer, Refusal) else "")
    assert len(names) > 20


async def test_real_ones(rpc: Rpc) -> None:
    raws = [path.read_bytes() for folder in ("documents", "negative") for path in documents.real(folder)]
    answers = await Harness(rpc).parse(raws)
    assert [*map(read_document, raws)] == answers
    bundles = [
        der
        for answer in answers
        if isinstance(answer, Said)
        for der in (*answer.cabundle, answer.certificate)
    ]
    assert [*map(read_certificate, bundles)] == await X509Harness(rpc).parse(bundles)


def test_every_error_has_its_words() -> None:
    beyond = {"OutOfBounds", "BatchFailed"}  # of spans and of the harness
    for name in ("NitroDocumentHarness", "X509Harness"):
        errors = {member["name"] for member in compiled(name).abi if member["type"] == "error"}
        assert len(errors) > 10
        assert errors - beyond <= REASONS.keys()
