"""The parsers on the chain against cbor2, on documents that somebody has changed; the seeds are fixed.

For every document:
  1. the contract accepts it if and only if cbor2 would write the same bytes for what it reads in them, and
     what it reads obeys the rules (`document_rules.strict`); the fields are the same then;
  2. what the contract refuses although a reader like cbor2 would take it is refused for its form, by an error
     of STRICTER;
  3. `vouch.attestation.document` says the same, in a refusal by the same name and values.
"""

from collections import Counter
from collections.abc import AsyncIterator
from random import Random

import pytest
import pytest_asyncio

from tests.contracts.attestation.document_harness import Harness
from tests.contracts.attestation.document_mutations import HEADS, entries, mutated, scratched, written
from tests.contracts.attestation.document_rules import Said, lenient, strict
from tests.contracts.attestation.documents import real
from tests.support.batched import Refusal
from vouch.attestation import document
from vouch.attestation.errors import NotADocument
from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc

CASES = 4000
REAL_CASES = 15
"""For each real document."""

STRICTER = {
    "NonMinimal": "a number, a length or a count of more bytes than it needs",
    "IndefiniteLength": "a string in pieces; an array, or a map other than the payload, that a break ends",
    "UnexpectedType": "a number written as a bignum, a value behind a tag that cbor2 leaves out",
    "DuplicateField": "cbor2 keeps the last of two values, other readers the first",
    "DuplicatePcr": "the same inside of pcrs",
    "TrailingBytes": "cbor2.loads stops behind the first item, here and in the payload",
    "WrongPcrCount": "more entries than 32, because a number comes twice",
}
"""Why a document is refused that cbor2 can read, with fields as they should be."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def harness(anvil: Anvil) -> AsyncIterator[Harness]:
    async with Rpc(anvil.http_url) as rpc:
        yield Harness(rpc)


def mirrored(raw: bytes) -> Refusal | None:
    """Python's own refusal."""
    try:
        document.parse(raw)
    except NotADocument as refused:
        return Refusal(refused.name, refused.values)
    return None


async def check(harness: Harness, documents: list[bytes]) -> Counter[str]:
    """How often each error came, "accepted" among them, and "stricter ..." for those of STRICTER."""
    counts: Counter[str] = Counter()
    for raw, answer in zip(documents, await harness.parse(documents), strict=True):
        assert mirrored(raw) == (answer if isinstance(answer, Refusal) else None), raw.hex()
        if not isinstance(answer, Refusal):
            assert answer == strict(raw), raw.hex()
            counts["accepted"] += 1
            continue
        assert strict(raw) is None, (answer, raw.hex())
        counts[answer.name] += 1
        if lenient(raw) is not None:
            assert answer.name in STRICTER, (answer, raw.hex())
            counts[f"stricter {answer.name}"] += 1
    return counts


async def test_changed_documents(harness: Harness) -> None:
    random = Random(20)
    counts = await check(harness, [mutated(random) for _ in range(CASES)])
    print(dict(counts.most_common()))  # noqa: T201
    assert counts["accepted"] > CASES / 20
    # No difference is listed that does not come, and none of the errors is out of reach.
    assert {name for name in counts if name.startswith("stricter ")} == {f"stricter {n}" for n in STRICTER}
    out_of_reach = {"OutOfBounds"}
    assert harness.errors - counts.keys() == out_of_reach


@pytest.mark.parametrize("indefinite", [True, False])
async def test_every_byte_where_a_head_is(harness: Harness, indefinite: bool) -> None:
    writer = written(entries(Random(3)), Random(3), indefinite=indefinite)
    raw, heads = bytes(writer.out), sorted(writer.heads)
    assert isinstance(strict(raw), Said)
    documents = [raw[:at] + bytes([b]) + raw[at + 1 :] for at in heads for b in range(256)]
    counts = await check(harness, documents)
    assert counts["accepted"] >= len(heads)


async def test_every_byte_gone_doubled_or_last(harness: Harness) -> None:
    raw = bytes(written(entries(Random(4)), Random(4)).out)
    assert isinstance(strict(raw), Said)
    places = range(len(raw))
    counts = await check(harness, [raw[:at] + raw[at + 1 :] for at in places])
    counts += await check(harness, [raw[:at] + raw[at : at + 1] + raw[at:] for at in places])
    counts += await check(harness, [raw[:at] for at in places])
    assert not counts["accepted"]


async def test_changed_real_documents(harness: Harness) -> None:
    random = Random(21)
    documents = []
    for path in real("documents"):
        raw = path.read_bytes()
        said = strict(raw)
        assert said is not None
        # Where HEADS stand is as good as where heads are.
        start = raw.index(said.payload)
        heads = [at for at in range(start + 1100) if raw[at] in HEADS]
        documents += [scratched(random, raw, heads) for _ in range(REAL_CASES)]
    counts = await check(harness, documents)
    assert counts["accepted"]
