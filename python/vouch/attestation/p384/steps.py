"""What P384.sol does to points, once for numbers and once for the ranges they can have.

Limbs are ints (`vouch.attestation.p384.verifier`) or `Range`s (`vouch.attestation.p384.bounds`): both run
these very lines, so the table of bounds is about what is computed. All integers are exact here; the contract
has the residues of products mod 2**256 and mod MODULUS instead, which the bounds show to be as good.
"""

from typing import Any, Protocol

from vouch.attestation.p384.constants import (
    APART,
    DOUBLE,
    EQUATION,
    FOLD,
    FOLD_ONE,
    FOLD_ROOT,
    HALF,
    IMPORT_HIGH,
    IMPORT_LOW,
    LIFT,
    LINEAR,
    MIRROR,
    NEAR_X,
    NEAR_Y,
    SUM,
    TANGENT,
)

_MASK = 2**FOLD - 1  # the contract gets there without: n - (n >> FOLD << FOLD)

Limb = Any
"""int or Range."""
Pair = tuple[Limb, Limb]


class Arithmetic(Protocol):
    """The steps that are more than +, - and *; `what` names the value in the table of bounds."""

    def word(self, what: str, /, *limbs: Limb) -> None:
        """These are operands: they must be between 0 and 2**256."""

    def reduced(self, what: str, c: Pair, /) -> Pair:
        """c/2**252 mod π."""

    def is_zero(self, what: str, c: Pair, /) -> bool:
        """Whether c is a multiple of π, judged by its reduction."""

    def is_near_zero(self, what: str, e: Pair, near: int, /) -> bool:
        """Whether e is π times a pair of limbs from -near to near - 1."""

    def is_apart(self, what: str, d: Pair, near: int, /) -> bool:
        """Whether d is shown to be no multiple of π: the first limb of its factor is not from -near to near
        - 1.
        """


def doubled(run: Arithmetic, slope: Pair, x: Pair, y: Pair) -> tuple[Pair, Pair] | None:
    """2·(x, y), or None if the slope is not the tangent's."""
    twice = 2 * slope[1]
    c = (
        2 * slope[0] * y[0] + 2 * twice * y[1] - 3 * x[0] * x[0] - 6 * x[1] * x[1] + TANGENT[0],
        2 * slope[0] * y[1] + twice * y[0] - 6 * x[1] * x[0] + TANGENT[1],
    )
    run.word("tangent: operands", *slope, *x, *y, 6 * x[0], 6 * x[1], 4 * slope[1])
    if not run.is_zero("tangent: 2λy - 3x² + 3", c):
        return None
    square = run.reduced("double: λ²", _square(slope))
    n = (square[0] + DOUBLE[0] - 2 * x[0], square[1] + DOUBLE[1] - 2 * x[1])
    run.word("double: λ² - 2x before folding", *n)
    high = n[0] >> FOLD, n[1] >> FOLD
    new = (
        (n[0] & _MASK) + high[0] * FOLD_ONE[0] + high[1] * FOLD_ROOT[0],
        (n[1] & _MASK) + high[0] * FOLD_ONE[1] + high[1] * FOLD_ROOT[1],
    )
    run.word("double: x'", *new)
    return new, _next_y(run, slope, x, y, new)


def added(
    run: Arithmetic, slope: Pair, x: Pair, y: Pair, other: tuple[Pair, Pair]
) -> tuple[Pair, Pair] | str:
    """(x, y) + other, or which check fails: "same" if the two x are equal mod p, "slope"."""
    ox, oy = other
    d = (ox[0] + APART[0] - x[0], ox[1] + APART[1] - x[1])
    run.word("chord: x2 - x1", *d)
    if not run.is_apart("chord: x2 - x1", d, NEAR_X):
        return "same"
    z = run.reduced("chord: λ(x2 - x1)", _product(slope, d))
    if not run.is_near_zero(
        "chord: λ(x2 - x1) - (y2 - y1)", (z[0] + y[0] - oy[0], z[1] + y[1] - oy[1]), NEAR_Y
    ):
        return "slope"
    square = run.reduced("add: λ²", _square(slope))
    new = (square[0] + SUM[0] - x[0] - ox[0], square[1] + SUM[1] - x[1] - ox[1])
    run.word("add: x'", *new)
    return new, _next_y(run, slope, x, y, new)


def negated(run: Arithmetic, y: Pair) -> Pair:
    """-y."""
    new = MIRROR[0] - y[0], MIRROR[1] - y[1]
    run.word("-y", *new)
    return new


def opposite(run: Arithmetic, x: Pair, y: Pair, other: tuple[Pair, Pair]) -> bool:
    """Whether (x, y) = -other."""
    ox, oy = other
    return run.is_near_zero("last: x1 - x2", (x[0] - ox[0], x[1] - ox[1]), NEAR_X) and run.is_near_zero(
        "last: y1 + y2", (y[0] + oy[0], y[1] + oy[1]), NEAR_Y
    )


def imported(run: Arithmetic, x: tuple[Limb, Limb], y: tuple[Limb, Limb]) -> tuple[Pair, Pair] | None:
    """A point given by its coordinates as (high, low), high below 2**128; None if it is not on the curve."""
    sx, sy = _import(run, x), _import(run, y)
    square = run.reduced("import: x²", _square(sx))
    rest = (LINEAR[0] - square[0], LINEAR[1] - square[1])
    run.word("import: 3 - x²", *rest)
    linear, ordinate = _product(rest, sx), _square(sy)
    c = (linear[0] + ordinate[0] + EQUATION[0], linear[1] + ordinate[1] + EQUATION[1])
    if not run.is_zero("import: y² - x³ + 3x - b", c):
        return None
    return lifted(sx, sy)


def lifted(x: Pair, y: Pair) -> tuple[Pair, Pair]:
    """A point of short limbs, moved to where P384.sol keeps points."""
    return (x[0] + LIFT[0], x[1] + LIFT[1]), (y[0] + HALF[0], y[1] + HALF[1])


def _import(run: Arithmetic, number: tuple[Limb, Limb]) -> Pair:
    high, low = number
    c = (high * IMPORT_HIGH[0] + low * IMPORT_LOW[0], high * IMPORT_HIGH[1] + low * IMPORT_LOW[1])
    return run.reduced("import: coordinate", c)


def _next_y(run: Arithmetic, slope: Pair, x: Pair, y: Pair, new: Pair) -> Pair:
    d = (x[0] + APART[0] - new[0], x[1] + APART[1] - new[1])
    run.word("x1 - x'", *d)
    z = run.reduced("λ(x1 - x')", _product(slope, d))
    made = (z[0] + MIRROR[0] - y[0], z[1] + MIRROR[1] - y[1])
    run.word("y'", *made)
    return made


def _product(a: Pair, b: Pair) -> Pair:
    return a[0] * b[0] + 2 * a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _square(a: Pair) -> Pair:
    return a[0] * a[0] + 2 * a[1] * a[1], 2 * a[1] * a[0]
