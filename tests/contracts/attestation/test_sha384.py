"""Sha384 on the chain against hashlib: every size, words at their extremes, dirty memory, gas."""

import hashlib
import random
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from tests.contracts.attestation.sha384_words import (
    MASK,
    START,
    K,
    State,
    block_with_state,
    block_with_words,
    compress,
    pair_with_litter,
    right,
    schedule,
    step,
)
from tests.support.artefacts import compiled
from tests.support.contract import codec
from vouch.chain.anvil import Anvil
from vouch.chain.hexes import to_bytes, to_hex
from vouch.chain.rpc import Rpc

ADDRESS = "0x" + "0384" * 10
GAS = 50_000_000
BLOCKS = 1500
"""What one call hashes at most: three fifths of its gas."""
BLOCK_GAS = 22_000
"""A message's own gas is 1,400 more, and memory."""
TWICE = 2**64 + 1
EDGES = (0, 1, 110, 111, 112, 113, 127, 128, 129, 238, 239, 240, 241, 255, 256, 257, 367, 368, 495, 496)
EXTREMES = (0, 1, MASK, MASK - 1, 1 << 63, MASK >> 1, 0x5555555555555555, 0xAAAAAAAAAAAAAAAA, 0xFFFFFFFF)

VECTORS = {
    b"": "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
    b"abc": (
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
    ),
    b"".join(b"abcdefghijklmnopqrstu"[i : i + 8] for i in range(14)): (
        "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039"
    ),
}
"""The empty message, and NIST's examples for SHA-384 of one and of two blocks."""


class Harness:
    """Sha384Harness, called without deploying it."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc
        self._code = to_hex(compiled("Sha384Harness").deployed)

    async def call(self, function: str, *args: object) -> tuple[object, ...]:
        called = codec("Sha384Harness", function)
        call = {"to": ADDRESS, "data": to_hex(called.encode(args)), "gas": hex(GAS)}
        answer = await self._rpc.call("eth_call", call, "latest", {ADDRESS: {"code": self._code}})
        return tuple(called.decode(to_bytes(answer)))

    async def check(
        self, data: bytes, sizes: Sequence[int], start: int = 0, function: str = "slices"
    ) -> None:
        """Fails unless every data[start : start + size] has the digest that hashlib gives it."""
        for some in batches(sizes):
            (digests,) = await self.call(function, data, start, some)
            assert isinstance(digests, bytes)
            received = {size: digests[48 * i : 48 * i + 48].hex() for i, size in enumerate(some)}
            assert received == {size: hashlib.sha384(data[start : start + size]).hexdigest() for size in some}


def batches(sizes: Sequence[int]) -> list[list[int]]:
    """The sizes in calls of at most BLOCKS blocks each."""
    made: list[list[int]] = [[]]
    blocks = 0
    for size in sizes:
        blocks += size // 128 + 2
        if blocks > BLOCKS:
            made.append([])
            blocks = size // 128 + 2
        made[-1].append(size)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def harness(anvil: Anvil) -> AsyncIterator[Harness]:
    async with Rpc(anvil.http_url) as rpc:
        yield Harness(rpc)


@pytest.fixture
def rng() -> random.Random:
    return random.Random(384)


@pytest.mark.parametrize("function", ["slices", "slicesInMemory"])
@pytest.mark.parametrize(("message", "digest"), VECTORS.items())
async def test_nist_vectors(harness: Harness, message: bytes, digest: str, function: str) -> None:
    assert await harness.call(function, message, 0, [len(message)]) == (bytes.fromhex(digest),)


async def test_every_size_to_1100(harness: Harness, rng: random.Random) -> None:
    await harness.check(rng.randbytes(1100), range(1101))


@pytest.mark.parametrize("function", ["slices", "slicesInMemory"])
async def test_sizes_of_documents(harness: Harness, rng: random.Random, function: str) -> None:
    await harness.check(rng.randbytes(4600), rng.sample(range(4000, 4601), 60), function=function)


@pytest.mark.parametrize("function", ["slices", "slicesInMemory"])
async def test_slices_start_anywhere(harness: Harness, rng: random.Random, function: str) -> None:
    # What lies before and behind the slice is not zero.
    data = rng.randbytes(600)
    for start in range(1, 34):
        await harness.check(data, EDGES, start, function)


@pytest.mark.parametrize("in_memory", [False, True])
async def test_memory_around(harness: Harness, rng: random.Random, *, in_memory: bool) -> None:
    for size in EDGES:
        for shift in (0, 1, 31, 32, 0x7C0):
            data = rng.randbytes(size)
            expected = hashlib.sha384(data).digest()
            assert await harness.call("dirty", data, shift, in_memory) == (expected, True), (size, shift)


async def check_words(harness: Harness, words: Sequence[int]) -> None:
    data = b"".join(word.to_bytes(8, "big") for word in words)
    await harness.check(data, [len(data)])


async def test_every_schedule_word_at_its_extremes(harness: Harness, rng: random.Random) -> None:
    # Sums of the schedule carry as far as they can: a bit that crossed to the other lane would show.
    for first in range(65):
        same = rng.choice(EXTREMES)
        for wanted in ([same] * 16, rng.choices((0, MASK), k=16), rng.choices(EXTREMES, k=16)):
            block = block_with_words(first, wanted)
            assert schedule(block)[first : first + 16] == wanted
            await check_words(harness, block)


async def test_every_register_at_its_extremes(harness: Harness, rng: random.Random) -> None:
    # The same for the rounds; in the first block, and in the second, which starts from another state.
    states: list[State] = [(0,) * 8, (MASK,) * 8, (MASK,) * 4 + (0,) * 4, (0,) * 4 + (MASK,) * 4]
    states += [tuple(rng.choices(EXTREMES, k=8)) for _ in range(20)]
    for wanted in states:
        for rounds in range(8, 17):
            other = rng.choices(EXTREMES, k=16)
            first = block_with_state(START, rounds, wanted, other)
            second = block_with_state(compress(START, first), rounds, wanted, other)
            assert reached(START, first, rounds) == wanted
            await check_words(harness, [*first, *second])


async def test_schedule_words_that_litter_their_lane(harness: Harness, rng: random.Random) -> None:
    # Without the masks a carry would run through the ones above the low word into the high word.
    def sigma0(v: int) -> int:
        return v * TWICE >> 1 ^ v * TWICE >> 8 ^ v >> 7

    def sigma1(v: int) -> int:
        return v * TWICE >> 19 ^ v * TWICE >> 61 ^ v >> 6

    for first in range(0, 65, 2):
        odd = [word for _ in range(7) for word in pair_with_litter(sigma0, rng)]
        even = [word for _ in range(8) for word in pair_with_litter(sigma1, rng)]
        for wanted in ([rng.getrandbits(64), *odd, rng.getrandbits(64)], even):
            await check_words(harness, block_with_words(first, wanted))


async def test_registers_that_litter_their_lane(harness: Harness, rng: random.Random) -> None:
    # The same for T1 of the round after.
    def sigma1(x: int) -> int:
        return x * TWICE >> 14 ^ x * TWICE >> 18 ^ x * TWICE >> 41

    for rounds in range(8, 17):
        checked = 0
        while checked < 3:
            a, e = pair_with_litter(sigma1, rng)
            other = [0 if t == rounds else rng.choice(EXTREMES) for t in range(16)]
            state = (a, *rng.choices(EXTREMES, k=3), e, MASK, MASK, 0)
            block = block_with_state(START, rounds, state, other)
            # h is 0 and Ch all ones: the sum must carry when Ch is added, and not before.
            if K[rounds] + schedule(block)[rounds] + right(e, 14, 18, 41) <= MASK:
                await check_words(harness, block)
                checked += 1


def reached(state: State, block: Sequence[int], rounds: int) -> State:
    for t in range(rounds):
        state = step(state, t, block[t])
    return state


def test_the_model_is_sha384() -> None:
    # The tests above steer messages with it.
    padded = b"abc\x80" + bytes(123) + b"\x18"
    block = [int.from_bytes(padded[i : i + 8], "big") for i in range(0, 128, 8)]
    digest = b"".join(word.to_bytes(8, "big") for word in compress(START, block)[:6])
    assert digest == hashlib.sha384(b"abc").digest()


async def test_gas_of_a_block(harness: Harness) -> None:
    # Not a figure of any message: the difference between n and n + 1 blocks, memory included.
    used = []
    for blocks in (1, 2, 35, 36):
        (gas,) = await harness.call("gasOf", bytes([0xA5]) * (blocks * 128 - 17))
        assert isinstance(gas, int)
        used.append(gas)
    assert used[1] - used[0] <= BLOCK_GAS
    assert used[3] - used[2] <= BLOCK_GAS
    assert used[0] <= BLOCK_GAS + 1500
