"""CoseSign1 on the chain: the one form of a message, and each way to leave it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from cbor2 import dumps

from tests.contracts.attestation.document_harness import Harness, cut, span
from tests.contracts.attestation.document_rules import strict, to_be_signed
from tests.contracts.attestation.documents import PROTECTED, TAG, Parts, document, fields, real
from tests.support.batched import Answer, Refusal, refusal
from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc

SMALL = Parts(b"payload")
"""84 44a1013822 a0 47.. 5860..: their heads are at 0, 1, 6, 7 and 15."""
SIZE = len(SMALL.message())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def harness(anvil: Anvil) -> AsyncIterator[Harness]:
    async with Rpc(anvil.http_url) as rpc:
        yield Harness(rpc)


async def parse(harness: Harness, parts: Parts, behind: bytes = b"") -> Answer:
    return await harness.one("parseMessage", parts.message() + behind)


@pytest.mark.parametrize("tag", [b"", TAG])
@pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 4500, 65535, 65536])
async def test_parts_and_what_is_signed(harness: Harness, tag: bytes, size: int) -> None:
    payload = bytes(i % 251 for i in range(size))
    raw = Parts(payload, tag=tag).message()
    answer = await harness.one("parseMessage", raw)
    assert not isinstance(answer, Refusal), answer
    assert tuple(cut(raw, part) for part in answer[0]) == (PROTECTED, payload, bytes(range(96)))
    signed = dumps(["Signature1", PROTECTED, b"", payload])
    assert await harness.one("toBeSigned", raw) == (signed,)


REFUSED: dict[str, tuple[Parts, Refusal]] = {
    "another tag": (replace(SMALL, tag=b"\xd1"), refusal("UnexpectedType", 0, 6, 4)),
    "the tag in two bytes": (replace(SMALL, tag=b"\xd8\x12"), refusal("UnexpectedType", 0, 6, 4)),
    "the tag twice": (replace(SMALL, tag=TAG * 2), refusal("UnexpectedType", 1, 6, 4)),
    "self-described CBOR": (replace(SMALL, tag=b"\xd9\xd9\xf7"), refusal("UnexpectedType", 0, 6, 4)),
    "three items": (replace(SMALL, array=b"\x83"), refusal("WrongArrayLength", 0, 3)),
    "five items": (replace(SMALL, array=b"\x85"), refusal("WrongArrayLength", 0, 5)),
    "very many items": (
        replace(SMALL, tag=TAG, array=b"\x9b" + b"\xff" * 8),
        refusal("WrongArrayLength", 1, 2**64 - 1),
    ),
    "an array that a break ends": (replace(SMALL, array=b"\x9f"), refusal("IndefiniteLength", 0)),
    "four in two bytes": (replace(SMALL, array=b"\x98\x04"), refusal("NonMinimal", 0)),
    "a map": (replace(SMALL, array=b"\xa4"), refusal("UnexpectedType", 0, 5, 4)),
    "ES256": (
        replace(SMALL, protected=b"\x43\xa1\x01\x26"),
        refusal("WrongProtectedHeader", b"\xa1\x01\x26"),
    ),
    "ES512": (
        replace(SMALL, protected=b"\x44\xa1\x01\x38\x23"),
        refusal("WrongProtectedHeader", b"\xa1\x01\x38\x23"),
    ),
    "ES384 in three bytes": (
        replace(SMALL, protected=b"\x45\xa1\x01\x39\x00\x22"),
        refusal("WrongProtectedHeader", b"\xa1\x01\x39\x00\x22"),
    ),
    "ES384 and a key id": (
        replace(SMALL, protected=b"\x47\xa2\x01\x38\x22\x04\x41\x00"),
        refusal("WrongProtectedHeader", b"\xa2\x01\x38\x22\x04\x41\x00"),
    ),
    "ES384 and more": (
        replace(SMALL, protected=b"\x45" + PROTECTED + b"\x00"),
        refusal("WrongProtectedHeader", PROTECTED + b"\x00"),
    ),
    "no protected header": (replace(SMALL, protected=b"\x40"), refusal("WrongProtectedHeader", b"")),
    "a bare map": (replace(SMALL, protected=PROTECTED), refusal("UnexpectedType", 1, 5, 2)),
    "a protected header in two pieces": (
        replace(SMALL, protected=b"\x5f\x42\xa1\x01\x42\x38\x22\xff"),
        refusal("IndefiniteLength", 1),
    ),
    "the protected header's length in two bytes": (
        replace(SMALL, protected=b"\x58\x04" + PROTECTED),
        refusal("NonMinimal", 1),
    ),
    "a key id that nobody signed": (
        replace(SMALL, unprotected=b"\xa1\x04\x41\x00"),
        refusal("UnprotectedHeaderNotEmpty", 6, 1),
    ),
    "an empty map that a break ends": (
        replace(SMALL, unprotected=b"\xbf\xff"),
        refusal("IndefiniteLength", 6),
    ),
    "an empty map in two bytes": (replace(SMALL, unprotected=b"\xb8\x00"), refusal("NonMinimal", 6)),
    "null for the unprotected header": (
        replace(SMALL, unprotected=b"\xf6"),
        refusal("UnexpectedType", 6, 7, 5),
    ),
    "an empty array": (replace(SMALL, unprotected=b"\x80"), refusal("UnexpectedType", 6, 4, 5)),
    "a signature of 95 bytes": (
        replace(SMALL, signature=dumps(bytes(95))),
        refusal("WrongSignatureLength", 95),
    ),
    "a signature of 97 bytes": (
        replace(SMALL, signature=dumps(bytes(97))),
        refusal("WrongSignatureLength", 97),
    ),
    "a signature of text": (
        replace(SMALL, signature=dumps("x" * 96)),
        refusal("UnexpectedType", 15, 3, 2),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refused(harness: Harness, name: str) -> None:
    parts, expected = REFUSED[name]
    assert await parse(harness, parts) == expected


async def test_refused_payloads(harness: Harness) -> None:
    before, after = SMALL.message()[:7], SMALL.message()[15:]
    cases = {
        b"\xf6": refusal("UnexpectedType", 7, 7, 2),
        b"\x67payload": refusal("UnexpectedType", 7, 3, 2),
        b"\xa0": refusal("UnexpectedType", 7, 5, 2),
        b"\xd8\x18\x47payload": refusal("UnexpectedType", 7, 6, 2),
        b"\x58\x07payload": refusal("NonMinimal", 7),
        b"\x5f\x47payload\xff": refusal("IndefiniteLength", 7),
        b"\x5b" + b"\xff" * 8 + b"payload": refusal("Truncated", 16),
    }
    answers = await harness.many("parseMessage", [(before + payload + after,) for payload in cases])
    assert dict(zip(cases, answers, strict=True)) == cases


@pytest.mark.parametrize("tag", [b"", TAG])
async def test_nothing_behind(harness: Harness, tag: bytes) -> None:
    size = SIZE + len(tag)
    for behind in (b"\x00", b"\xff", b"\xf6", SMALL.message()):
        answer = await parse(harness, replace(SMALL, tag=tag), behind)
        assert answer == refusal("TrailingBytes", size, size + len(behind))


async def test_every_end_is_too_early(harness: Harness) -> None:
    whole = replace(SMALL, tag=TAG).message()
    answers = await harness.many("parseMessage", [(whole[:end],) for end in range(len(whole))])
    assert {answer.name for answer in answers if isinstance(answer, Refusal)} == {"Truncated"}
    assert all(isinstance(answer, Refusal) for answer in answers)


async def test_positions_count_from_the_document(harness: Harness) -> None:
    raw = document(fields())
    answer = await harness.one("parseMessage", raw)
    assert answer == ((span(2, 4), span(10, len(raw) - 108), span(len(raw) - 96, 96)),)


async def test_real_documents_are_signed_over(harness: Harness) -> None:
    documents = [path.read_bytes() for path in real("documents")]
    answers = await harness.many("toBeSigned", [(raw,) for raw in documents])
    for raw, answer in zip(documents, answers, strict=True):
        said = strict(raw)
        assert said is not None
        assert answer == (to_be_signed(said),)
