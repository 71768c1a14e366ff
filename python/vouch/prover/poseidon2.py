"""Poseidon2 over BN254's scalar field, 4 elements wide, as Noir and bb compute it.

Grassi, Khovratovich, Schofnegger: Poseidon2 (2023), with x**5, 8 full and 56 partial rounds. The round
constants come from Grain, the generator that the Poseidon paper names (appendix E).
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from vouch.protocol.zk import FIELD

WIDTH: Final = 4
RATE: Final = 3
FULL_ROUNDS: Final = 8
PARTIAL_ROUNDS: Final = 56
DIAGONAL: Final = (
    0x10DC6E9C006EA38B04B1E03B4BD9490C0D03F98929CA1D7FB56821FD19D3B6E7,
    0x0C28145B6A44DF3E0149B3D0A30B3BB599DF9756D4DD9B84A86B38CFB45A740B,
    0x00544B8338791518B2C7645A50392798B21F75BB60E3596170067D00141CAC15,
    0x222C01175718386F2E2E82EB122789E352E105A3B8FA852613BC534433EE428B,
)
"""Of the partial rounds' matrix, less 1 (from the authors' reference code)."""

_BITS = 254


def permute(state: Sequence[int]) -> list[int]:
    """4 field elements to 4 field elements."""
    constants = _constants()
    half = FULL_ROUNDS // 2
    a, b, c, d = _mixed(*state)
    for start in range(0, half * WIDTH, WIDTH):
        a, b, c, d = _full(a, b, c, d, constants[start : start + WIDTH])
    partial = half * WIDTH + PARTIAL_ROUNDS
    for constant in constants[half * WIDTH : partial]:
        a = pow(a + constant, 5, FIELD)
        total = a + b + c + d
        a = (a * DIAGONAL[0] + total) % FIELD
        b = (b * DIAGONAL[1] + total) % FIELD
        c = (c * DIAGONAL[2] + total) % FIELD
        d = (d * DIAGONAL[3] + total) % FIELD
    for start in range(partial, partial + half * WIDTH, WIDTH):
        a, b, c, d = _full(a, b, c, d, constants[start : start + WIDTH])
    return [a, b, c, d]


def digest(elements: Sequence[int]) -> int:
    """The sponge of that permutation, one field element; the number of elements is hashed with them."""
    state = [0, 0, 0, len(elements) << 64]
    for start in range(0, len(elements), RATE):
        for place, element in enumerate(elements[start : start + RATE]):
            state[place] = (state[place] + element) % FIELD
        state = permute(state)
    return state[0]


def _full(a: int, b: int, c: int, d: int, constants: Sequence[int]) -> tuple[int, int, int, int]:
    w, x, y, z = constants
    return _mixed(pow(a + w, 5, FIELD), pow(b + x, 5, FIELD), pow(c + y, 5, FIELD), pow(d + z, 5, FIELD))


def _mixed(a: int, b: int, c: int, d: int) -> tuple[int, int, int, int]:
    """The full rounds' matrix."""
    return (
        (5 * a + 7 * b + c + 3 * d) % FIELD,
        (4 * a + 6 * b + c + d) % FIELD,
        (a + 3 * b + 5 * c + 7 * d) % FIELD,
        (a + b + 4 * c + 6 * d) % FIELD,
    )


@cache
def _constants() -> tuple[int, ...]:
    """4 for each full round, 1 for each partial round."""
    bits = _grain()
    return tuple(_element(bits) for _ in range(FULL_ROUNDS * WIDTH + PARTIAL_ROUNDS))


def _element(bits: Iterator[int]) -> int:
    while True:
        value = 0
        for _ in range(_BITS):
            value = value << 1 | next(bits)
        if value < FIELD:
            return value


def _grain() -> Iterator[int]:
    """80 bits that shift, at first the parameters; every second bit says whether the next counts."""
    state = 0
    for value, width in (
        (1, 2),  # a prime field
        (0, 4),  # a power as S-box
        (_BITS, 12),
        (WIDTH, 12),
        (FULL_ROUNDS, 10),
        (PARTIAL_ROUNDS, 10),
        ((1 << 30) - 1, 30),
    ):
        state = state << width | value

    def step() -> int:
        nonlocal state
        bit = 0
        for tap in (62, 51, 38, 23, 13, 0):
            bit ^= state >> (79 - tap)
        bit &= 1
        state = (state << 1 | bit) & ((1 << 80) - 1)
        return bit

    for _ in range(160):
        step()
    while True:
        counts = step()
        bit = step()
        if counts:
            yield bit
