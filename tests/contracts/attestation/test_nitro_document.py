"""NitroDocument on the chain: its rules one by one, real documents, and gas."""

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio
from cbor2 import dumps

from tests.contracts.attestation.document_harness import Harness, span
from tests.contracts.attestation.document_rules import MANDATORY, OPTIONAL, strict
from tests.contracts.attestation.documents import Value, document, fields, pairs, payload, real
from tests.support.batched import Answer, Refusal, refusal
from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc

GAS = 75_000
"""Of both parsers, for a real document of 4.5 kB. (Calldata, some 180,000, is another matter.)"""
SMALL = fields(pcrs=3, certificate=40)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def harness(anvil: Anvil) -> AsyncIterator[Harness]:
    async with Rpc(anvil.http_url) as rpc:
        yield Harness(rpc)


async def parse(harness: Harness, raw: bytes) -> Answer:
    """The payload alone."""
    return await harness.one("parsePayload", raw, span(0, len(raw)))


def offset(raw: bytes, key: str) -> int:
    """Where the value of a key is."""
    return raw.index(dumps(key)) + len(dumps(key))


async def expect(harness: Harness, key: str, values: Mapping[bytes, Refusal | None]) -> None:
    """Encoded values of one key: what each is refused with, relative to the value's place; None: accepted."""
    others = {name: value for name, value in SMALL.items() if name != key}
    for value, expected in values.items():
        # Before all others and behind them.
        for before, behind in (({}, others), (others, {})):
            items = [*pairs(before), dumps(key), value, *pairs(behind)]
            for first, last in ((b"\xa9", b""), (b"\xbf", b"\xff")):
                raw = first + b"".join(items) + last
                answer = await parse(harness, raw)
                if expected is None:
                    assert not isinstance(answer, Refusal), answer
                else:
                    name, (place, *rest) = expected
                    start = len(first) + sum(map(len, pairs(before))) + len(dumps(key))
                    assert answer == refusal(name, start + place, *rest)


@pytest.mark.parametrize("indefinite", [True, False])
@pytest.mark.parametrize("names", [(), ("nonce",), ("public_key", "user_data", "nonce")])
async def test_fields(harness: Harness, indefinite: bool, names: tuple[str, ...]) -> None:
    full = fields() | {"nonce": b"number"}
    values = {name: value for name, value in full.items() if name not in names}
    nulls: dict[str, Value] = {name: None if name in names else value for name, value in full.items()}
    documents = [document(values, indefinite), document(nulls, indefinite)]
    documents.append(document(dict(reversed(values.items())), indefinite))
    for raw, answer in zip(documents, await harness.parse(documents), strict=True):
        assert answer == strict(raw)
        assert not isinstance(answer, Refusal)
        assert answer.public_key == values.get("public_key")


async def test_empty_is_not_absent(harness: Harness) -> None:
    raw = document(fields() | {"user_data": b"", "nonce": None})
    answer = await harness.one("parse", raw)
    assert not isinstance(answer, Refusal)
    *_, user_data, nonce = answer[1]
    assert (user_data, nonce) == (span(raw.index(dumps("user_data")) + 11, 0), 0)


async def test_pcrs_by_number(harness: Harness) -> None:
    sizes = {5: 32, 0: 48, 31: 64, 2: 48}
    pcrs: dict[Value, Value] = {number: bytes([number]) * size for number, size in sizes.items()}
    (answer,) = await harness.parse([document(fields() | {"pcrs": pcrs})])
    assert not isinstance(answer, Refusal)
    assert answer.pcrs == tuple(pcrs.get(number, b"") for number in range(32))
    (answer,) = await harness.parse([document(fields() | {"pcrs": {7: bytes(48)}})])
    assert not isinstance(answer, Refusal)
    assert answer.pcrs == (b"",) * 7 + (bytes(48),)


@pytest.mark.parametrize("indefinite", [True, False])
async def test_keys(harness: Harness, indefinite: bool) -> None:
    for key in ("module_i", "module_id\0", "Nonce", "", "pcrs ", "\0", "x" * 300):
        raw = payload(SMALL | {key: None}, indefinite)
        start = len(raw) - len(dumps(key)) - 1 - indefinite
        assert await parse(harness, raw) == refusal("UnknownField", start, key.encode())
    for name, value in SMALL.items():
        first, *rest = pairs({name: value})
        raw = payload(SMALL, indefinite)
        raw = (raw[:-1] if indefinite else b"\xaa" + raw[1:]) + first + rest[0] + b"\xff" * indefinite
        start = raw.rindex(first)
        assert await parse(harness, raw) == refusal("DuplicateField", start, name.encode())
    for name in (*MANDATORY, *OPTIONAL):
        raw = payload({key: value for key, value in SMALL.items() if key != name}, indefinite)
        answer = await parse(harness, raw)
        if name in MANDATORY:
            assert answer == refusal("MissingField", name.encode())
        else:
            assert not isinstance(answer, Refusal)


async def test_first_missing_field_of_the_table(harness: Harness) -> None:
    gone = dict(SMALL)
    for name in ("cabundle", "certificate", "pcrs", "timestamp", "digest", "module_id"):
        del gone[name]
        assert await parse(harness, payload(gone)) == refusal("MissingField", name.encode())
    assert await parse(harness, b"\xa0") == refusal("MissingField", b"module_id")
    assert await parse(harness, b"\xbf\xff") == refusal("MissingField", b"module_id")


async def test_payload_is_one_map(harness: Harness) -> None:
    whole = payload(SMALL)
    for behind in (b"\x00", b"\xff", whole):
        expected = refusal("TrailingBytes", len(whole), len(whole) + len(behind))
        assert await parse(harness, whole + behind) == expected
    assert await parse(harness, b"") == refusal("Truncated", 0)
    assert await parse(harness, b"\x80") == refusal("UnexpectedType", 0, 4, 5)
    assert await parse(harness, dumps(whole)) == refusal("UnexpectedType", 0, 2, 5)
    assert await parse(harness, b"\xd8\x18" + whole) == refusal("UnexpectedType", 0, 6, 5)
    assert await parse(harness, b"\xa1\x01\x02") == refusal("UnexpectedType", 1, 0, 3)
    assert await parse(harness, b"\xbb" + b"\xff" * 8) == refusal("Truncated", 9)
    short = b"\xa8" + payload(SMALL, indefinite=False)[1:]
    size = len(pairs({"nonce": None})[0]) + 1
    assert await parse(harness, short) == refusal("TrailingBytes", len(short) - size, len(short))


async def test_every_end_is_too_early(harness: Harness) -> None:
    for indefinite in (True, False):
        whole = payload(SMALL, indefinite)
        # Also where the rest of it lies behind the part.
        inputs = [(whole[:end], span(0, end)) for end in range(len(whole))]
        inputs += [(whole, span(0, end)) for end in range(len(whole))]
        answers = await harness.many("parsePayload", inputs)
        assert [a.name if isinstance(a, Refusal) else "" for a in answers] == ["Truncated"] * len(inputs)


async def test_module_id(harness: Harness) -> None:
    cases: dict[bytes, Refusal | None] = {
        dumps("i"): None,
        dumps("é漢😀"): None,
        dumps("x" * 1024): None,
        dumps(""): refusal("WrongLength", 0, 0, 1, 1024),
        dumps("x" * 1025): refusal("WrongLength", 0, 1025, 1, 1024),
        b"\x62\xc0\x80": refusal("NotUtf8", 0),
        b"\x61\xff": refusal("NotUtf8", 0),
        dumps(b"i"): refusal("UnexpectedType", 0, 2, 3),
        dumps(None): refusal("UnexpectedType", 0, 7, 3),
        b"\x7f\x61i\xff": refusal("IndefiniteLength", 0),
    }
    await expect(harness, "module_id", cases)


async def test_digest(harness: Harness) -> None:
    cases: dict[bytes, Refusal | None] = {
        dumps(b"SHA384"): refusal("UnexpectedType", 0, 2, 3),
        dumps(None): refusal("UnexpectedType", 0, 7, 3),
    }
    for wrong in ("SHA256", "SHA512", "sha384", "SHA384\0", "SHA38", ""):
        cases[dumps(wrong)] = refusal("WrongDigest", 0, wrong.encode())
    await expect(harness, "digest", cases)


async def test_timestamp(harness: Harness) -> None:
    cases: dict[bytes, Refusal | None] = {
        dumps(1): None,
        dumps(2**64 - 1): None,
        dumps(0): refusal("ZeroTimestamp", 0),
        dumps(2**64): refusal("UnexpectedType", 0, 6, 0),
        dumps(-1): refusal("UnexpectedType", 0, 1, 0),
        dumps(1.5): refusal("UnexpectedType", 0, 7, 0),
        dumps(True): refusal("UnexpectedType", 0, 7, 0),
        dumps(None): refusal("UnexpectedType", 0, 7, 0),
        b"\xc1\x01": refusal("UnexpectedType", 0, 6, 0),
        b"\x18\x01": refusal("NonMinimal", 0),
    }
    await expect(harness, "timestamp", cases)


async def test_pcrs(harness: Harness) -> None:
    pcr = dumps(bytes(48))
    cases: dict[bytes, Refusal | None] = {
        dumps({number: bytes(48) for number in range(32)}): None,
        dumps({}): refusal("WrongPcrCount", 0, 0),
        dumps({number: bytes(48) for number in range(33)}): refusal("WrongPcrCount", 0, 33),
        b"\xbb" + b"\xff" * 8: refusal("WrongPcrCount", 0, 2**64 - 1),
        b"\xbf\x00" + pcr + b"\xff": refusal("IndefiniteLength", 0),
        dumps([bytes(48)]): refusal("UnexpectedType", 0, 4, 5),
        dumps(None): refusal("UnexpectedType", 0, 7, 5),
        dumps({32: bytes(48)}): refusal("WrongPcrIndex", 1, 32),
        dumps({2**64 - 1: bytes(48)}): refusal("WrongPcrIndex", 1, 2**64 - 1),
        dumps({-1: bytes(48)}): refusal("UnexpectedType", 1, 1, 0),
        dumps({"0": bytes(48)}): refusal("UnexpectedType", 1, 3, 0),
        b"\xa1\x18\x07" + pcr: refusal("NonMinimal", 1),
        b"\xa2\x07" + pcr + b"\x07" + pcr: refusal("DuplicatePcr", 2 + len(pcr), 7),
        b"\xa2\x00" + pcr + b"\x00" + pcr: refusal("DuplicatePcr", 2 + len(pcr), 0),
        dumps({0: "x" * 48}): refusal("UnexpectedType", 2, 3, 2),
        dumps({0: None}): refusal("UnexpectedType", 2, 7, 2),
    }
    for size in (32, 48, 64):
        cases[dumps({0: bytes(size)})] = None
        for wrong in (size - 1, size + 1):
            cases[dumps({0: bytes(wrong)})] = refusal("WrongPcrLength", 2, wrong)
    cases[dumps({0: b""})] = refusal("WrongPcrLength", 2, 0)
    await expect(harness, "pcrs", cases)


async def test_certificates(harness: Harness) -> None:
    sized: dict[bytes, Refusal | None] = {
        dumps(b"1"): None,
        dumps(bytes(1024)): None,
        dumps(b""): refusal("WrongLength", 0, 0, 1, 1024),
        dumps(bytes(1025)): refusal("WrongLength", 0, 1025, 1, 1024),
        dumps("x"): refusal("UnexpectedType", 0, 3, 2),
        dumps(None): refusal("UnexpectedType", 0, 7, 2),
        b"\x5f\x41\x01\xff": refusal("IndefiniteLength", 0),
    }
    await expect(harness, "certificate", sized)
    bundles: dict[bytes, Refusal | None] = {
        dumps([b"1"] * 8): None,
        dumps([]): refusal("WrongBundleLength", 0, 0),
        dumps([b"1"] * 9): refusal("WrongBundleLength", 0, 9),
        b"\x9b" + b"\xff" * 8: refusal("WrongBundleLength", 0, 2**64 - 1),
        b"\x9f\x41\x01\xff": refusal("IndefiniteLength", 0),
        dumps([[b"1"]]): refusal("UnexpectedType", 1, 4, 2),
        dumps({0: b"1"}): refusal("UnexpectedType", 0, 5, 4),
        dumps(None): refusal("UnexpectedType", 0, 7, 4),
    }
    for value, expected in sized.items():
        error = expected and refusal(expected.name, expected.values[0] + 3, *expected.values[1:])
        bundles[b"\x82\x41\x01" + value] = error
    await expect(harness, "cabundle", bundles)


@pytest.mark.parametrize(("name", "least"), [("public_key", 1), ("user_data", 0), ("nonce", 0)])
async def test_optional(harness: Harness, name: str, least: int) -> None:
    cases: dict[bytes, Refusal | None] = {
        dumps(None): None,
        dumps(b""): refusal("WrongLength", 0, 0, 1, 1024) if least else None,
        dumps(bytes(1024)): None,
        dumps(bytes(1025)): refusal("WrongLength", 0, 1025, least, 1024),
        dumps("x"): refusal("UnexpectedType", 0, 3, 2),
        dumps(False): refusal("UnexpectedType", 0, 7, 2),
        b"\xf7": refusal("UnexpectedType", 0, 7, 2),
        b"\xf8\x16": refusal("UnexpectedType", 0, 7, 2),
        b"\x5b" + b"\xff" * 8: refusal("Truncated", 9),
    }
    await expect(harness, name, cases)


async def test_real_documents(harness: Harness) -> None:
    documents = [path.read_bytes() for path in real("documents")]
    answers = await harness.parse(documents)
    assert answers == [strict(raw) for raw in documents]
    assert None not in answers
    # Both forms of the map are among them.
    assert {said.payload[0] for said in answers if not isinstance(said, Refusal)} == {0xA9, 0xBF}


BY_FORM = {
    # So a string ends three bytes late, inside of what follows.
    "base_fixture_3bytes_missing": "UnexpectedType",
    "blocky_selfsigned_attestation": "UnexpectedType",
    "derived_alg_es256_-7": "WrongProtectedHeader",
    "derived_noncanon_payload_len32": "NonMinimal",
    "derived_trailing_byte": "TrailingBytes",
    "derived_truncated": "Truncated",
}
"""Of those that must be refused the ones whose form is wrong. The others fall to signatures and policy."""


async def test_real_documents_that_must_be_refused(harness: Harness) -> None:
    paths = real("negative")
    answers = await harness.parse([path.read_bytes() for path in paths])
    refused = {p.stem: a.name for p, a in zip(paths, answers, strict=True) if isinstance(a, Refusal)}
    assert refused == BY_FORM
    assert "derived_ok_tagged_d2_valid" in {path.stem for path in paths} - set(refused)
    for path, answer in zip(paths, answers, strict=True):
        assert isinstance(answer, Refusal) or answer == strict(path.read_bytes())


async def test_gas(harness: Harness) -> None:
    # Four certificates of 700 bytes and 16 PCRs, as the real ones.
    for indefinite in (True, False):
        raw = document(fields(certificate=700), indefinite)
        answer = await harness.one("gasOf", raw)
        assert not isinstance(answer, Refusal)
        (used,) = answer
        print(f"{used} gas for {len(raw)} bytes")  # noqa: T201
        assert used < GAS
