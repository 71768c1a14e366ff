"""F_P as Z[√2]/(π): numbers of two limbs without carries, the same as `contracts/attestation/P384.sol`
computes with.

2 is a square mod P, so there is π = U + V√2 of norm U² - 2V² = -P, and Z[√2]/(π) is F_P with √2 ↦ ROOT. A
pair (a, b) of integers stands for a + b·ROOT mod P; pairs that stand for the same number differ by a
multiple of π. A product of two pairs has limbs beyond 256 bits: each is known by its residues mod WORD =
2**256 and mod MODULUS. Montgomery's reduction adds the multiple of π that makes a pair divisible by WORD,
and divides by RADIX = 2**252, which is 1 mod MODULUS: so that residue is the quotient, which is smaller than
MODULUS, itself.
"""

from fractions import Fraction
from typing import Final

from vouch.attestation.p384.curve import P

Pair = tuple[int, int]

WORD: Final = 2**256
SHIFT: Final = 252
RADIX: Final = 2**SHIFT
MODULUS: Final = RADIX - 1

U: Final = 0x5E3A5506F7EA5E5491FDF1F3280E1CFC127D9BB881EB66DD
V: Final = 0xC0E46EB059D4AB1990BCB3E2595E1094626B588E61B91E4A
"""π, of all its associates (the units of the ring times it) the one with the smallest positive limbs."""
ROOT: Final = -U * pow(V, -1, P) % P
"""The square root of 2 that belongs to π."""


def times(a: Pair, b: Pair) -> Pair:
    """Product in Z[√2]."""
    return a[0] * b[0] + 2 * a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def value(a: Pair) -> int:
    """The number mod P that a pair stands for."""
    return (a[0] + a[1] * ROOT) % P


_INVERSE: Final = pow(U * U - 2 * V * V, -1, WORD)
INVERSE: Final = (U * _INVERSE % WORD, -V * _INVERSE % WORD)
"""1/π mod WORD: times a multiple of π it gives the factor, if that is small."""
KAPPA: Final = (-INVERSE[0] % WORD, -INVERSE[1] % WORD)
"""-1/π mod WORD: Montgomery's constant."""


def reduce(c: Pair) -> Pair:
    """c/RADIX mod π, limbs at most c/RADIX + 16·(U + 2V); takes limbs from 0 to RADIX·MODULUS less π·WORD."""
    q = times((c[0] % WORD, c[1] % WORD), KAPPA)
    x = times((q[0] % WORD, q[1] % WORD), (U, V))
    return (c[0] + x[0]) >> SHIFT, (c[1] + x[1]) >> SHIFT


def short(x: int, low: int = 0) -> Pair:
    """The pair for a number mod P with the smallest limbs from `low` on (below low + 2**194)."""
    x = (x - low - low * ROOT) % P
    # (x, 0)/π = x·(U - V√2)/(-P): the nearest multiples of π around it are tried.
    near = Fraction(-x * U, P).__floor__(), Fraction(x * V, P).__floor__()
    best: Pair | None = None
    for i in range(-2, 4):
        for j in range(-2, 4):
            m = times((near[0] + i, near[1] + j), (U, V))
            a, b = x - m[0], -m[1]
            if a >= 0 and b >= 0 and (best is None or max(a, b) < max(best)):
                best = a, b
    assert best is not None, "a box of the lattice's diameter holds a point"
    return best[0] + low, best[1] + low


def multiple(low: Pair) -> Pair:
    """A multiple of π with limbs from `low` to low + 2**195."""
    factor = low[0] + low[1] * ROOT
    rest = short(-factor % P)
    return low[0] + rest[0], low[1] + rest[1]


def montgomery(x: int) -> Pair:
    """The short pair for x·RADIX."""
    return short(x * RADIX % P)


def plain(a: Pair) -> int:
    """The number whose Montgomery form a pair is."""
    return value(a) * pow(RADIX, -1, P) % P
