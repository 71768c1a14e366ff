"""Cbor and Span on the chain: every first byte, every width, every end, and the lengths that could wrap."""

from collections.abc import AsyncIterator
from itertools import product
from random import Random

import pytest
import pytest_asyncio
from cbor2 import dumps

from tests.contracts.attestation.document_harness import Harness, span
from tests.support.batched import Answer, refusal
from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc

UNSIGNED, BYTES, TEXT, ARRAY, MAP = 0, 2, 3, 4, 5
MAJORS = (UNSIGNED, BYTES, TEXT, ARRAY, MAP)
WIDTHS = {24: 1, 25: 2, 26: 4, 27: 8}
LEAST = {0: 0, 1: 24, 2: 2**8, 4: 2**16, 8: 2**32}
"""The smallest argument that needs so many bytes."""
INDEFINITE = 2**256 - 1


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def harness(anvil: Anvil) -> AsyncIterator[Harness]:
    async with Rpc(anvil.http_url) as rpc:
        yield Harness(rpc)


async def read(harness: Harness, function: str, inputs: list[bytes], *more: object) -> list[Answer]:
    """Each input as a whole."""
    return await harness.many(function, [(data, span(0, len(data)), *more) for data in inputs])


def head(first: int, expected: int, argument: bytes) -> Answer:
    """What the contract makes of a head, said once more: a first byte, and an argument behind it."""
    major, info = first >> 5, first & 31
    if major != expected:
        return refusal("UnexpectedType", 0, major, expected)
    if info < 24:
        return info, 1
    if info == 31:
        return refusal("IndefiniteLength", 0)
    if info not in WIDTHS:
        return refusal("ReservedInfo", 0, info)
    width = WIDTHS[info]
    if len(argument) < width:
        return refusal("Truncated", 1)
    value = int.from_bytes(argument[:width], "big")
    return (value, 1 + width) if value >= LEAST[width] else refusal("NonMinimal", 0)


@pytest.mark.parametrize("expected", MAJORS)
async def test_every_first_byte(harness: Harness, expected: int) -> None:
    arguments = (b"", bytes(8), b"\xff" * 8, b"\x18" + bytes(7), b"\x17" + b"\xff" * 7, b"\xff" * 7)
    cases = list(product(range(256), arguments))
    answers = await read(harness, "head", [bytes([first]) + rest for first, rest in cases], expected)
    assert answers == [head(first, expected, rest) for first, rest in cases]


async def test_shortest_form_only(harness: Harness) -> None:
    numbers = sorted({edge + d for edge in (0, 24, 2**8, 2**16, 2**32, 2**64) for d in (-1, 0, 1)})
    numbers = [number for number in numbers if 0 <= number < 2**64]
    cases = [(n, w) for n in numbers for w in LEAST if n < (1 << 8 * w if w else 24)]
    forms = [bytes([23 + w.bit_length()]) + n.to_bytes(w, "big") if w else bytes([n]) for n, w in cases]
    answers = await read(harness, "unsigned", forms)
    for (number, width), form, answer in zip(cases, forms, answers, strict=True):
        if form == dumps(number):
            assert answer == (number, len(form)), form
        else:
            assert answer == refusal("NonMinimal", 0), (number, width)


@pytest.mark.parametrize("value", [5, 24, 2**8, 2**32, b"\x01" * 24, "x" * 300])
async def test_every_end_is_too_early(harness: Harness, value: int | bytes | str) -> None:
    function = {int: "unsigned", bytes: "byteString", str: "text"}[type(value)]
    whole = dumps(value)
    prefixes = [whole[:end] for end in range(len(whole))]
    # What lies behind the part is there and must not be read.
    cases = [(whole, span(0, len(prefix))) for prefix in prefixes]
    for answers in (await read(harness, function, prefixes), await harness.many(function, cases)):
        for end, answer in enumerate(answers):
            header = len(whole) - (0 if isinstance(value, int) else len(value))
            assert answer == refusal("Truncated", 0 if end == 0 else 1 if end < header else header)


async def test_lengths_that_could_wrap(harness: Harness) -> None:
    # Among them those that bring a sum of 64 bits back to the item, or to the beginning.
    for start, left in product((0, 7), (0, 40)):
        end = start + 9 + left
        for length in {2**64 - 1, 2**64 - 9, 2**64 - start - 9, 2**64 - end, 2**63, 2**32 + left, 2**32}:
            for function, first in (("byteString", b"\x5b"), ("text", b"\x7b")):
                data = bytes(start) + first + length.to_bytes(8, "big") + bytes(left)
                answer = await harness.one(function, data, span(start, end - start))
                assert answer == refusal("Truncated", start + 9)


async def test_strings_are_positions(harness: Harness) -> None:
    random = Random(1)
    for function, major in (("byteString", 0x40), ("text", 0x60)):
        for size in (0, 1, 23, 24, 255, 256, 1024):
            string = dumps(random.randbytes(size))
            item = bytes([string[0] & 31 | major]) + string[1:]
            data = b"\x00" * 5 + item + b"\x01\x02"
            answer = await harness.one(function, data, span(5, len(item) + 2))
            end = 5 + len(item)
            assert answer == (span(end - size, size), end)


async def test_null(harness: Harness) -> None:
    answers = await read(harness, "takeNull", [bytes([first]) for first in range(256)])
    assert answers == [(first == 0xF6, int(first == 0xF6)) for first in range(256)]
    assert await harness.one("takeNull", b"\xf6", span(1, 0)) == refusal("Truncated", 1)


async def test_maps_of_both_kinds(harness: Harness) -> None:
    cases: dict[str, Answer] = {
        "a0": (0, 0),
        "a1 01 02": (1, 1),
        "b818 " + "00 01" * 24: (24, 24),
        "bf ff": (INDEFINITE, 0),
        "bf 01 02 03 04 ff": (INDEFINITE, 2),
        # A break elsewhere than behind a value of a map that a break ends.
        "a1 ff": refusal("UnexpectedType", 1, 7, UNSIGNED),
        "a1 01 ff": refusal("UnexpectedType", 2, 7, UNSIGNED),
        "bf 01 ff": refusal("UnexpectedType", 2, 7, UNSIGNED),
        "a0 ff": refusal("TrailingBytes", 1, 2),
        "bf ff ff": refusal("TrailingBytes", 2, 3),
        "a1 01 02 03": refusal("TrailingBytes", 3, 4),
        "a2 01 02": refusal("Truncated", 3),
        "bf 01 02": refusal("Truncated", 3),
        "bf": refusal("Truncated", 1),
        "": refusal("Truncated", 0),
        "9f ff": refusal("UnexpectedType", 0, ARRAY, MAP),
        "b800": refusal("NonMinimal", 0),
        "bb ffffffffffffffff 01 02": refusal("Truncated", 11),
    }
    answers = await read(harness, "countMap", [bytes.fromhex(raw) for raw in cases])
    assert dict(zip(cases, answers, strict=True)) == cases


async def test_parts_outside(harness: Harness) -> None:
    data = bytes(range(10))
    parts = [(0, 0), (0, 10), (3, 4), (10, 0), (9, 1), (11, 0), (10, 1), (0, 11), (5, 6)]
    parts += [(2**128 - 1, 2**128 - 1), (2**128 - 1, 1), (1, 2**128 - 1), (2**64, 0)]
    answers = await harness.many("slice", [(data, span(*part)) for part in parts])
    assert answers == [
        (data[start : start + length],) if start + length <= 10 else refusal("OutOfBounds", start, length, 10)
        for start, length in parts
    ]
    outside = refusal("OutOfBounds", 5, 6, 10)
    assert await harness.one("unsigned", data, span(5, 6)) == outside
    assert await harness.one("parsePayload", data, span(5, 6)) == outside
