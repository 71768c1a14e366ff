# Der
# ├── an element
# │   ├── of another type, cut off, with more behind it .... WrongTag, Truncated, TrailingBytes
# │   ├── of a tag of several octets ....................... LongTag
# │   ├── of a length that is not DER's .................... IndefiniteLength, NonMinimalLength, LengthTooLong
# │   └── otherwise ........................................ its content
# ├── BOOLEAN, INTEGER, BIT STRING, OBJECT IDENTIFIER ...... what X.690 says it means, or their own errors
# └── times ................................................ as `datetime` has them, or NoSuchTime, ...

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
import pytest_asyncio

from tests.contracts.attestation.certificates import bits, general, integer, oid, tlv, utc
from tests.contracts.attestation.x509_harness import X509Harness
from tests.support.batched import Refusal, refusal
from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc

OCTETS = 0x04
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def harness(anvil: Anvil) -> AsyncIterator[X509Harness]:
    async with Rpc(anvil.http_url) as rpc:
        yield X509Harness(rpc)


SIZES = [*range(260), 1000, 4095, 4096, 20_000, 65_535]


async def test_every_length(harness: X509Harness) -> None:
    # The word behind a short element is the next argument's, or nothing.
    contents = [bytes([0xA5]) * size for size in SIZES]
    assert await harness.many("next", [(tlv(OCTETS, content),) for content in contents]) == contents


async def test_every_length_one_octet_short_or_long(harness: X509Harness) -> None:
    short = [tlv(OCTETS, bytes(size))[:-1] for size in SIZES]
    long = [tlv(OCTETS, bytes(size)) + b"\x00" for size in SIZES]
    assert set(await harness.many("next", [(data,) for data in short])) == {refusal("Truncated", 0)}
    expected = [refusal("TrailingBytes", len(data) - 1) for data in long]
    assert await harness.many("next", [(data,) for data in long]) == expected


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "Truncated"),
        (b"\x04", "Truncated"),
        (b"\x04\x81", "Truncated"),
        (b"\x04\x82\x01", "Truncated"),
        (b"\x04\x80\x00\x00", "IndefiniteLength"),
        (b"\x04\x81\x00", "NonMinimalLength"),
        (b"\x04\x81\x7f" + bytes(127), "NonMinimalLength"),
        (b"\x04\x82\x00\x80" + bytes(128), "NonMinimalLength"),
        (b"\x04\x82\x00\xff" + bytes(255), "NonMinimalLength"),
        (b"\x04\x83\x01\x00\x00" + bytes(65_536), "LengthTooLong"),
        (b"\x04\x84\x00\x00\x00\x01\x00", "LengthTooLong"),
        (b"\x04\xa0" + b"\xff" * 32, "LengthTooLong"),
        (b"\x04\xff" + b"\xff" * 40, "LengthTooLong"),
        (b"\x1f\x01\x00", "LongTag"),
        (b"\x3f\x81\x01\x00", "LongTag"),
        (b"\xbf\x03\x00", "LongTag"),
    ],
)
async def test_headers(harness: X509Harness, data: bytes, error: str) -> None:
    assert await harness.one("next", data) == refusal(error, 0)


async def test_tags(harness: X509Harness) -> None:
    assert await harness.one("take", tlv(0x30, b"abc"), 0, 5, 0x30) == b"abc"
    assert await harness.one("take", tlv(0x30, b"abc"), 0, 5, 0x31) == refusal("WrongTag", 0, 0x30, 0x31)
    assert await harness.one("take", b"", 0, 0, 0x30) == refusal("Truncated", 0)


async def test_an_element_ends_in_its_parent(harness: X509Harness) -> None:
    # What it lacks is there, behind the parent's end.
    data = b"\x55" + tlv(OCTETS, b"abc") + b"\x66"
    assert await harness.one("take", data, 1, 6, OCTETS) == b"abc"
    for end in range(1, 6):
        assert await harness.one("take", data, 1, end, OCTETS) == refusal("Truncated", 1)
    long = tlv(OCTETS, bytes(300))
    for end in range(304):
        assert await harness.one("take", long, 0, end, OCTETS) == refusal("Truncated", 0)


async def check(harness: X509Harness, function: str, cases: dict[bytes, Any], *more: object) -> None:
    received = await harness.many(function, [(data, *more) for data in cases])
    assert dict(zip(cases, received, strict=True)) == cases


async def test_booleans(harness: X509Harness) -> None:
    cases: dict[bytes, Any] = {
        tlv(0x01, bytes([value])): refusal("NotTrue", 2, value) for value in range(255)
    }
    cases |= {
        b"": False,
        tlv(0x01, b"\xff"): True,
        tlv(0x01): refusal("WrongSize", 2, 0, 1),
        tlv(0x01, b"\xff\xff"): refusal("WrongSize", 2, 2, 1),
        # Another type: it is left out, and somebody else's.
        tlv(0x02, b"\xff"): refusal("TrailingBytes", 0),
    }
    await check(harness, "flag", cases)


async def test_integers(harness: X509Harness) -> None:
    random = Random(690)
    values = [0, 1, 127, 128, 255, 256, 2**383 - 1, 2**383, 2**384 - 1]
    values += [random.getrandbits(random.randrange(1, 385)) for _ in range(200)]
    cases: dict[bytes, Any] = {
        integer(value): value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big") for value in values
    }
    cases |= {
        tlv(0x02): refusal("EmptyInteger", 2),
        integer(-1): refusal("NegativeInteger", 2),
        integer(-128): refusal("NegativeInteger", 2),
        integer(-(2**383)): refusal("NegativeInteger", 2),
        tlv(0x02, b"\xff\x80"): refusal("NegativeInteger", 2),
        tlv(0x02, b"\x00\x00"): refusal("NonMinimalInteger", 2),
        tlv(0x02, b"\x00\x7f"): refusal("NonMinimalInteger", 2),
        tlv(0x02, bytes(49)): refusal("NonMinimalInteger", 2),
        integer(2**384): refusal("IntegerTooLong", 2, 49, 48),
        integer(2**391): refusal("IntegerTooLong", 3, 49, 48),
        tlv(0x03, b"\x01"): refusal("WrongTag", 0, 3, 2),
    }
    await check(harness, "integer", cases, 48)


async def test_numbers(harness: X509Harness) -> None:
    cases: dict[bytes, Any] = {integer(value): value for value in (0, 1, 127, 128, 2**255, 2**256 - 1)}
    await check(harness, "number", cases | {integer(2**256): refusal("IntegerTooLong", 2, 33, 32)}, 32)
    await check(harness, "number", {integer(255): 255, integer(256): refusal("IntegerTooLong", 2, 2, 1)}, 1)


async def test_bit_strings_of_octets(harness: X509Harness) -> None:
    cases: dict[bytes, Any] = {
        bits(bytes([0x80]), unused): refusal("UnusedBits", 2, unused) for unused in range(1, 256)
    }
    cases |= {
        bits(b"\x00"): b"\x00",
        bits(b"abc"): b"abc",
        bits(b""): refusal("EmptyBitString", 2),
        tlv(0x03): refusal("EmptyBitString", 2),
    }
    await check(harness, "octetString", cases)


def named(octets: bytes, unused: int) -> int | Refusal:
    """Bits by their numbers, as X.690 11.2 wants them."""
    if unused > 7 or (unused and not octets):
        return refusal("UnusedBits", 2, unused)
    if not octets:
        return 0
    text = "".join(f"{octet:08b}" for octet in octets)
    used = text[: len(text) - unused]
    if "1" in text[len(used) :] or not used.endswith("1"):
        return refusal("NonCanonicalNamedBits", 2)
    return sum(1 << i for i, bit in enumerate(used) if bit == "1")


async def test_every_bit_string_of_named_bits(harness: X509Harness) -> None:
    octets = [
        b"",
        *(bytes([i]) for i in range(256)),
        *(bytes([i, j]) for i in (0, 1, 255) for j in range(256)),
    ]
    cases: dict[bytes, Any] = {
        bits(some, unused): named(some, unused) for some in octets for unused in range(9)
    }
    cases |= {bits(b"\x80", 255): refusal("UnusedBits", 2, 255)}
    cases |= {tlv(0x03): refusal("EmptyBitString", 2), bits(b"abc"): refusal("TooManyNamedBits", 2, 3)}
    await check(harness, "namedBits", cases)


def good_oid(content: bytes) -> bool:
    """Whether it is one or more subidentifiers, by X.690 8.19.2."""
    begins = True
    for octet in content:
        if begins and octet == 0x80:
            return False
        begins = octet < 0x80
    return begins and content != b""


async def test_object_identifiers(harness: X509Harness) -> None:
    random = Random(6)
    contents = [
        b"",
        b"\x80",
        b"\x81",
        b"\x80\x01",
        b"\x81\x01",
        b"\x01\x80",
        b"\x81\x80\x01",
        b"\x01\x80\x01",
    ]
    # Around the ends of words too.
    contents += [bytes([0x01]) * size + b"\x80\x01" for size in range(100)]
    contents += [bytes([0x01]) * size + b"\x81\x80\x01" for size in range(100)]
    contents += [
        bytes(random.choices((0, 1, 0x7F, 0x80, 0x81, 0xFF), (4, 4, 4, 1, 4, 4), k=size))
        for size in range(70)
    ]
    contents += [random.randbytes(random.randrange(1, 4)) for _ in range(1000)]
    received = await harness.many("oid", [(oid(content),) for content in contents])
    accepted = [isinstance(answer, bytes) for answer in received]
    assert accepted == [good_oid(content) for content in contents]
    assert 200 < sum(accepted) < len(contents) - 200
    assert {answer.name for answer in received if isinstance(answer, Refusal)} == {"BadOid"}
    assert await harness.one("oid", oid(b"\x01\x80\x01")) == refusal("BadOid", 2)
    assert await harness.one("oid", oid(b"\x81")) == refusal("BadOid", 3)


def encoded(moment: datetime) -> bytes:
    if moment.year < 2050:
        return utc(moment.strftime("%y%m%d%H%M%SZ"))
    return general(moment.strftime("%Y%m%d%H%M%SZ"))


async def check_times(harness: X509Harness, moments: Iterable[datetime]) -> None:
    await check(harness, "time", {encoded(moment): int(moment.timestamp()) for moment in moments})


async def test_every_day_of_some_years(harness: X509Harness) -> None:
    random = Random(2050)
    years = (1970, 1971, 1972, 1999, 2000, 2001, 2024, 2048, 2049, 2050, 2051, 2052, 2099, 2100, 2101, 2400)
    days = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day) for year in years for day in range(366)]
    await check_times(harness, [day + timedelta(seconds=random.randrange(86_400)) for day in days])


async def test_leap_days_of_all_years(harness: X509Harness) -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    ends = [datetime(year, 3, 1, tzinfo=UTC) - timedelta(seconds=1) for year in range(1970, 10_000)]
    await check_times(harness, [EPOCH, *ends, last])


async def test_days_that_do_not_exist(harness: X509Harness) -> None:
    texts = {
        f"{year:04}{month:02}{day:02}120000Z"
        for year in (1999, 2000, 2024, 2049, 2050, 2100, 2400, 9999)
        for month in (*range(15), 99)
        for day in (*range(35), 99)
        if not _exists(year, month, day)
    }
    cases = {general(text) if text > "2050" else utc(text[2:]): text for text in texts}
    expected = {data: refusal("NoSuchTime", 6 if data[0] == 0x18 else 4) for data in cases}
    await check(harness, "time", expected)


def _exists(year: int, month: int, day: int) -> bool:
    try:
        datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("data", "error", "values"),
    [
        (utc("240101240000Z"), "NoSuchTime", (4,)),
        (utc("240101006000Z"), "NoSuchTime", (4,)),
        # A leap second: unix time has none.
        (utc("161231235960Z"), "NoSuchTime", (4,)),
        (utc("2401010000Z"), "WrongSize", (2, 11, 13)),
        (utc("240101000000"), "WrongSize", (2, 12, 13)),
        (utc("240101000000+0000"), "WrongSize", (2, 17, 13)),
        (utc("2401010000000"), "NotUtc", (2, 0x30)),
        (utc("240101000000z"), "NotUtc", (2, 0x7A)),
        (utc("20240101000000Z"), "WrongSize", (2, 15, 13)),
        (utc(""), "WrongSize", (2, 0, 13)),
        (utc("2401x1000000Z"), "NotDigits", (6,)),
        (utc("24010/000000Z"), "NotDigits", (6,)),
        (utc("24010:000000Z"), "NotDigits", (6,)),
        (utc("-40101000000Z"), "NotDigits", (2,)),
        (utc("2401010000 0Z"), "NotDigits", (12,)),
        (utc("691231235959Z"), "Before1970", (2, 1969)),
        (utc("500101000000Z"), "Before1970", (2, 1950)),
        (general("20491231235959Z"), "NeedsUtcTime", (2, 2049)),
        (general("19700101000000Z"), "NeedsUtcTime", (2, 1970)),
        (general("00000101000000Z"), "NeedsUtcTime", (2, 0)),
        (general("20500101000000.0Z"), "WrongSize", (2, 17, 15)),
        (general("205001010000Z"), "WrongSize", (2, 13, 15)),
        (general("20500101000000+"), "NotUtc", (2, 0x2B)),
        (general("205x0101000000Z"), "NotDigits", (4,)),
        (tlv(0x16, b"240101000000Z"), "WrongTag", (0, 0x16, 0x17)),
    ],
)
async def test_times_refused(harness: X509Harness, data: bytes, error: str, values: tuple[int, ...]) -> None:
    assert await harness.one("time", data) == refusal(error, *values)
