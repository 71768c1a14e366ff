"""SHA-384 word by word, forwards and backwards: messages with the registers or schedule words a test wants.

Words are integers below 2**64; a state is (a, b, c, d, e, f, g, h); a block is its 16 words.
"""

import random
from collections.abc import Callable, Sequence
from math import isqrt
from typing import Final

MASK: Final = 2**64 - 1
PRIMES: Final = [n for n in range(2, 410) if all(n % k for k in range(2, isqrt(n) + 1))]


def _cube_root(number: int) -> int:
    root = 1 << -(-number.bit_length() // 3)
    while (less := (2 * root + number // root**2) // 3) < root:
        root = less
    return root


K: Final = [_cube_root(prime << 192) & MASK for prime in PRIMES]
START: Final = tuple(isqrt(prime << 128) & MASK for prime in PRIMES[8:16])

State = tuple[int, ...]


def right(word: int, *bits: int) -> int:
    """Exclusive or of the word rotated by each."""
    turned = 0
    for n in bits:
        turned ^= (word >> n | word << (64 - n)) & MASK
    return turned


def sigma0(word: int) -> int:
    return right(word, 1, 8) ^ word >> 7


def sigma1(word: int) -> int:
    return right(word, 19, 61) ^ word >> 6


def second(a: int, b: int, c: int) -> int:
    """FIPS 180-4's T2, not reduced."""
    return right(a, 28, 34, 39) + (a & b ^ a & c ^ b & c)


def step(state: State, t: int, word: int) -> State:
    """The state after round t."""
    a, b, c, d, e, f, g, h = state
    first = h + right(e, 14, 18, 41) + (e & f ^ ~e & g) + K[t] + word
    return (first + second(a, b, c)) & MASK, a, b, c, (d + first) & MASK, e, f, g


def schedule(block: Sequence[int]) -> list[int]:
    words = list(block)
    for t in range(16, 80):
        words.append((sigma1(words[t - 2]) + words[t - 7] + sigma0(words[t - 15]) + words[t - 16]) & MASK)
    return words


def compress(state: State, block: Sequence[int]) -> State:
    """The state after one more block."""
    worked = state
    for t, word in enumerate(schedule(block)):
        worked = step(worked, t, word)
    return tuple((old + new) & MASK for old, new in zip(state, worked, strict=True))


def block_with_words(first: int, words: Sequence[int]) -> list[int]:
    """The block whose schedule has these 16 words from number `first` (0 to 64) on."""
    known = list(words)
    for _ in range(first):
        known.insert(0, (known[15] - sigma1(known[13]) - known[8] - sigma0(known[0])) & MASK)
        known.pop()
    return known


def block_with_state(state: State, rounds: int, wanted: State, other: Sequence[int]) -> list[int]:
    """The block whose first `rounds` (8 to 16) rounds lead to `wanted`; its remaining words are `other`.

    A state is eight values of register a in a row: its own four, and for each e the a of four rounds before.
    """
    values = list(wanted[:4])
    for i, e in enumerate(wanted[4:]):
        values.append((e - values[i] + second(*values[i + 1 : i + 4])) & MASK)
    block = list(other)
    for t in range(rounds):
        if t >= rounds - 8:
            block[t] = (values[rounds - 1 - t] - step(state, t, 0)[0]) & MASK
        state = step(state, t, block[t])
    return block


def pair_with_litter(mix: Callable[[int], int], rng: random.Random) -> tuple[int, int]:
    """Words (high, low) for which bits 64 to 127 of mix(high << 128 | low) are all ones.

    A rotation leaves those bits above the low word; `mix` is linear, so this is Gaussian elimination.
    """
    pivots: dict[int, tuple[int, int]] = {}
    for bit in [*range(64), *range(128, 192)]:
        pair, image = 1 << bit, mix(1 << bit) >> 64 & MASK
        while image and image.bit_length() in pivots:
            less, other = pivots[image.bit_length()]
            pair, image = pair ^ other, image ^ less
        if image:
            pivots[image.bit_length()] = image, pair
    pair = rng.getrandbits(64) << 128 | rng.getrandbits(64)
    missing = mix(pair) >> 64 & MASK ^ MASK
    while missing:
        less, other = pivots[missing.bit_length()]
        pair, missing = pair ^ other, missing ^ less
    return pair >> 128, pair & MASK
