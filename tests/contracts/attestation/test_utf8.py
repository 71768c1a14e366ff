"""Utf8 on the chain against Python's decoder."""

from collections.abc import AsyncIterator
from itertools import product
from random import Random

import pytest_asyncio

from tests.contracts.attestation.document_harness import Harness
from vouch.chain.anvil import Anvil
from vouch.chain.rpc import Rpc


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def harness(anvil: Anvil) -> AsyncIterator[Harness]:
    async with Rpc(anvil.http_url) as rpc:
        yield Harness(rpc)


def is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


async def check(harness: Harness, texts: list[bytes]) -> int:
    """How many of them are UTF-8; fails where the contract and Python differ."""
    expected = [is_utf8(text) for text in texts]
    assert await harness.many("isUtf8", [(text,) for text in texts]) == [(known,) for known in expected]
    return sum(expected)


async def test_one_and_two_bytes(harness: Harness) -> None:
    edges = sorted({edge + d for edge in (0, 0x80, 0x90, 0xA0, 0xC0, 0xFF) for d in (-1, 0, 1)})
    second = [byte for byte in edges if 0 <= byte < 256]
    texts = [b"", *(bytes([first]) for first in range(256))]
    texts += [bytes(pair) for pair in product(range(0xC0, 256), second)]
    assert await check(harness, texts) > 128


async def test_three_and_four_bytes(harness: Harness) -> None:
    firsts = (0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8)
    seconds, rest = (0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0), (0x7F, 0x80, 0xBF, 0xC0)
    texts = [bytes(text) for text in product(firsts, seconds, rest)]
    texts += [bytes(text) for text in product(firsts[6:], seconds, rest, rest)]
    # One more, so that the character's end is not the text's.
    assert await check(harness, texts + [text + b"a" for text in texts]) > 100


async def test_texts_of_many_characters(harness: Harness) -> None:
    random = Random(8)
    texts = ["".join(random.choices("aé漢😀\0", k=random.randrange(40))).encode() for _ in range(200)]
    assert await check(harness, texts) == 200
    cut = [text[random.randrange(len(text)) :][: random.randrange(len(text))] for text in texts if text]
    assert await check(harness, cut) < len(cut)
