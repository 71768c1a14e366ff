"""The constants of `contracts/attestation/P384.sol`, derived: a test holds the literals there to these.

Coordinates of running points are kept around a centre instead of being reduced: x within CENTRE ± 2**216,
y within HALF ± 2**207 (`vouch.attestation.p384.bounds` proves it), so that a sum needs no carry and no
reduction.
"""

from typing import Final

from vouch.attestation.p384 import curve
from vouch.attestation.p384.ring import (
    INVERSE,
    KAPPA,
    MODULUS,
    RADIX,
    ROOT,
    WORD,
    Pair,
    U,
    V,
    multiple,
    short,
    times,
)

FOLD: Final = 204
"""x is folded after a doubling: what is above this bit is replaced by so many short pairs for 2**FOLD."""
FOLD_ONE: Final = short(2**FOLD)
FOLD_ROOT: Final = short(2**FOLD * ROOT)

_PARTS: Final = 2**25
CENTRE: Final[Pair] = (
    _PARTS * (FOLD_ONE[0] + FOLD_ROOT[0]),
    _PARTS * (FOLD_ONE[1] + FOLD_ROOT[1]),
)
"""Where folding _PARTS·2**FOLD leads to, about 2**218: a folded x is near it, whatever it was."""
LIFT: Final = multiple(CENTRE)
"""Added to a short x. This and the next are multiples of π, so they change no value."""
DOUBLE: Final = multiple((_PARTS * 2**FOLD + 2 * CENTRE[0], _PARTS * 2**FOLD + 2 * CENTRE[1]))
"""x' = λ² + DOUBLE - 2x, then folded."""
SUM: Final = multiple((3 * CENTRE[0], 3 * CENTRE[1]))
"""x' = λ² + SUM - x1 - x2."""
APART: Final = multiple((2**218, 2**218))
"""Makes the difference of two x positive."""
HALF: Final = multiple((2**209, 2**209))
"""Added to a short y."""
MIRROR: Final[Pair] = (2 * HALF[0], 2 * HALF[1])
"""-y is MIRROR - y."""
CUBE: Final = multiple((2**200, 2**200))
"""Makes 3 - x² positive where the curve's equation is checked."""

_FACTOR: Final = 2**253
_POSITIVE: Final = times((_FACTOR, _FACTOR), (U, V))
EXPECTED: Final[Pair] = (WORD * (U + 2 * V) >> 252, WORD * (U + V) >> 252)
"""A pair c with factor between 0 and WORD in both limbs is a multiple of π exactly if its reduction is this.

c = kπ gives q = WORD - k, so c + qπ = (WORD + WORD√2)·π; and from that equation c is a multiple of π.
"""
_THREE: Final = short(3 * RADIX * RADIX)
TANGENT: Final[Pair] = (_THREE[0] + _POSITIVE[0], _THREE[1] + _POSITIVE[1])
"""3 in the radix of a product, and _FACTOR·(1 + √2)·π for the factor to be positive."""
_B: Final = short(-curve.B * RADIX * RADIX)
EQUATION: Final[Pair] = (_B[0] + _POSITIVE[0], _B[1] + _POSITIVE[1])
"""The same for -B."""
TANGENT_REST: Final[Pair] = ((TANGENT[0] - EXPECTED[0]) % MODULUS, (TANGENT[1] - EXPECTED[1]) % MODULUS)
EQUATION_REST: Final[Pair] = ((EQUATION[0] - EXPECTED[0]) % MODULUS, (EQUATION[1] - EXPECTED[1]) % MODULUS)
_LINEAR: Final = short(3 * RADIX)
LINEAR: Final[Pair] = (_LINEAR[0] + CUBE[0], _LINEAR[1] + CUBE[1])
"""3 in Montgomery form, with CUBE."""

IMPORT_LOW: Final = short(RADIX * RADIX)
IMPORT_HIGH: Final = short(WORD * RADIX * RADIX)
"""An integer high·2**256 + low becomes reduce(low·IMPORT_LOW + high·IMPORT_HIGH), in Montgomery form."""

NEAR_Y: Final = 2**24
"""Differences of y that are multiples of π have factors below this."""
NEAR_X: Final = 2**34
"""The same for differences of x."""

SLOPE_BITS: Final = 200
"""Of a limb of a slope: 25 bytes of the hints, the first of them mostly zero, which costs less than to leave
it out.
"""
MAX_POSITION: Final = 200
"""Doublings of one proof."""
MAX_STEPS: Final = 255
"""Additions of one proof, tables apart."""
ROWS: Final = 8
"""Rows of the table of a caller's point: 1, 3, ..., 15 times it."""
FIXED_ROWS: Final = 128
"""Rows of a table of the generator: 1, 3, ..., 255 times it."""
HIGH: Final = 192
"""The second fixed table is of 2**HIGH times the generator."""
PRIMES: Final = (189, 357, 435, 587)
"""2**256 less each of these is a prime; together they have 1,024 bits, so that an equation of integers below
2**1023 holds if it does mod each.
"""


def solidity() -> dict[str, int]:
    """Name in P384.sol -> value; pairs have 0 and 1 appended."""
    pairs: dict[str, Pair] = {
        "PI": (U, V),
        "KAPPA": KAPPA,
        "INVERSE": INVERSE,
        "FOLD_ONE": ((FOLD_ONE[0] - 2**FOLD) % WORD, FOLD_ONE[1]),
        "FOLD_ROOT": (FOLD_ROOT[0], (FOLD_ROOT[1] - 2**FOLD) % WORD),
        "LIFT": LIFT,
        "DOUBLE": DOUBLE,
        "SUM": SUM,
        "APART": APART,
        "HALF": HALF,
        "MIRROR": MIRROR,
        "TANGENT": (TANGENT[0] % WORD, TANGENT[1] % WORD),
        "TANGENT_REST": TANGENT_REST,
        "EQUATION": (EQUATION[0] % WORD, EQUATION[1] % WORD),
        "EQUATION_REST": EQUATION_REST,
        "LINEAR": LINEAR,
        "IMPORT_LOW": IMPORT_LOW,
        "IMPORT_HIGH": IMPORT_HIGH,
    }
    named = {f"{name}_{limb}": pair[limb] for name, pair in pairs.items() for limb in (0, 1)}
    named |= {
        "PI_1_TWICE": 2 * V,
        "KAPPA_1_TWICE": 2 * KAPPA[1] % WORD,
        "INVERSE_1_TWICE": 2 * INVERSE[1] % WORD,
        "MODULUS": MODULUS,
        "FOLD": FOLD,
        "NEAR_X": NEAR_X,
        "NEAR_Y": NEAR_Y,
        "MAX_POSITION": MAX_POSITION,
        "HIGH_WEIGHT": 1 << HIGH,
        "P_HIGH": curve.P >> 256,
        "P_LOW": curve.P % WORD,
        "N_HIGH": curve.N >> 256,
        "N_LOW": curve.N % WORD,
    }
    return named
