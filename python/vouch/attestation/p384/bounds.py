"""The range of every intermediate value of P384.sol, for any hints whatever: python -m
vouch.attestation.p384.bounds

Raises `Unbounded` where a value could leave what the contract's arithmetic is right for; so the table that
it prints (and P384.sol quotes) is a proof by interval arithmetic, as good as these lines and those of
`steps`.
"""

from dataclasses import dataclass
from typing import Final

from vouch.attestation.p384 import constants, steps
from vouch.attestation.p384.constants import CENTRE, MAX_POSITION, MAX_STEPS, ROWS, SLOPE_BITS
from vouch.attestation.p384.curve import P
from vouch.attestation.p384.ring import MODULUS, SHIFT, WORD, U, V
from vouch.attestation.p384.steps import Limb, Pair
from vouch.protocol.errors import VouchError

RADIX_MODULUS: Final = (MODULUS << SHIFT) - WORD * (U + 2 * V)
"""A product below this has a reduction below MODULUS."""


class Unbounded(VouchError):
    """A value may leave its range."""

    def __init__(self, what: str, low: int, high: int, limit: str) -> None:
        self.what = what
        super().__init__(
            f"{what} may be from {low:#x} to {high:#x}, which is outside of {limit}: choose other constants"
        )


@dataclass(frozen=True, slots=True)
class Range:
    """The integers from low to high."""

    low: int
    high: int

    def __post_init__(self) -> None:
        assert self.low <= self.high, "a range is not empty"

    def __add__(self, other: "Range | int") -> "Range":
        o = _range(other)
        return Range(self.low + o.low, self.high + o.high)

    __radd__ = __add__

    def __neg__(self) -> "Range":
        return Range(-self.high, -self.low)

    def __sub__(self, other: "Range | int") -> "Range":
        return self + -_range(other)

    def __rsub__(self, other: int) -> "Range":
        return _range(other) - self

    def __mul__(self, other: "Range | int") -> "Range":
        o = _range(other)
        ends = [a * b for a in (self.low, self.high) for b in (o.low, o.high)]
        return Range(min(ends), max(ends))

    __rmul__ = __mul__

    def __rshift__(self, bits: int) -> "Range":
        return Range(self.low >> bits, self.high >> bits)

    def __and__(self, mask: int) -> "Range":
        assert self.low >= 0, "the low bits of a negative number are not looked at"
        return Range(0, min(mask, self.high))

    def __or__(self, other: "Range") -> "Range":
        """The smallest range that holds both."""
        return Range(min(self.low, other.low), max(self.high, other.high))


def _range(value: "Range | int") -> Range:
    return value if isinstance(value, Range) else Range(value, value)


class Ranges(steps.Arithmetic):
    """Passes every check and keeps the widest range seen of everything that has a name."""

    def __init__(self) -> None:
        self.seen: dict[str, Range] = {}

    def word(self, what: str, /, *limbs: Limb) -> None:
        for limb in limbs:
            self._within(what, limb, 0, MODULUS - 1, "[0, MODULUS)")

    def reduced(self, what: str, c: Pair, /) -> Pair:
        for limb in c:
            self._within(f"{what} (product)", limb, 0, RADIX_MODULUS, "[0, 2**252 · MODULUS - 2**256 · π)")
        # q is anything below 2**256.
        return (
            Range(0, (c[0].high + (WORD - 1) * (U + 2 * V)) >> SHIFT),
            Range(0, (c[1].high + (WORD - 1) * (U + V)) >> SHIFT),
        )

    def is_zero(self, what: str, c: Pair, /) -> bool:
        for limb in c:
            self._within(f"{what} (product)", limb, 0, RADIX_MODULUS, "[0, 2**252 · MODULUS - 2**256 · π)")
        for limb in _factor(c):
            self._within(f"{what} (factor)", limb, 1, WORD - 1, "(0, 2**256)")
        return True

    def is_near_zero(self, what: str, e: Pair, near: int, /) -> bool:
        for limb in e:
            # Two words that are congruent mod 2**256 and both so small are equal.
            self._within(what, limb, -(2**254), 2**254, "±2**254")
        for limb in _factor(e):
            self._within(f"{what} (factor)", limb, -near, near - 1, "what is taken for zero")
        return True

    def is_apart(self, what: str, d: Pair, near: int, /) -> bool:
        self._within(f"{what} (factor)", _factor(d)[0], -near, near - 1, "what is taken for zero")
        return True

    def _within(self, what: str, limb: Range | int, low: int, high: int, limit: str) -> None:
        found = _range(limb)
        if found.low < low or found.high > high:
            raise Unbounded(what, found.low, found.high, limit)
        self.seen[what] = self.seen[what] | found if what in self.seen else found


def _factor(c: Pair) -> Pair:
    """Range of c/π = c·(U - V√2)/(-P) where that is integral, rounded outwards."""
    c0, c1 = _range(c[0]), _range(c[1])
    k = (2 * V * c1 - U * c0, V * c0 - U * c1)
    return tuple(Range(limb.low // P, -(-limb.high // P)) for limb in k)  # type: ignore[return-value]


def _around(centre: int, radius: int) -> Range:
    return Range(centre - radius, centre + radius)


def _radius(x: Pair, centre: tuple[int, int] = CENTRE) -> int:
    return int(max(max(limb.high - c, c - limb.low) for limb, c in zip(x, centre, strict=True)))


def proven() -> dict[str, Range]:
    """Name -> range of everything that any call can compute.

    Raises:
        Unbounded: the contract's arithmetic would be wrong.
    """
    run = Ranges()
    slope = (Range(0, 2**SLOPE_BITS - 1), Range(0, 2**SLOPE_BITS - 1))
    number = (Range(0, P >> 256), Range(0, WORD - 1))
    point = steps.imported(run, number, number)
    assert point is not None

    # A caller's table: P, 2P, then 2P added again and again. Rows of the fixed tables are no wider than P.
    twice = steps.doubled(run, slope, *point)
    assert twice is not None
    row = rows = point
    for _ in range(ROWS - 1):
        row = _added(run, slope, row, twice)
        rows = _joined(rows, row)
    rows = _joined(rows, (rows[0], steps.negated(run, rows[1])))

    # The running point. x: all additions may come in a row, after a doubling of the worst that can be.
    # y: every operation moves it by at most λ(x1 - x').
    step = max(limb.high for limb in run.reduced("λ(x1 - x')", _worst_step(slope)))
    drift = _radius(rows[1], constants.HALF) + (MAX_POSITION + MAX_STEPS) * step
    y = (_around(constants.HALF[0], drift), _around(constants.HALF[1], drift))
    x = rows[0]
    for _ in range(4):  # grows to its fixed point: folding more than halves what is above it
        for _ in range(MAX_STEPS):
            x = _joined((x, y), _added(run, slope, (x, y), rows))[0]
        double = steps.doubled(run, slope, x, y)
        assert double is not None
        x = _joined((rows[0], y), (double[0], y))[0]
    before = x
    for _ in range(MAX_STEPS):
        x = _joined((x, y), _added(run, slope, (x, y), rows))[0]
    double = steps.doubled(run, slope, x, y)
    assert double is not None
    if _radius(double[0]) > _radius(before):
        raise Unbounded("x after doublings", double[0][0].low, double[0][0].high, "its fixed point")
    assert steps.opposite(run, x, y, rows)
    return run.seen


def _worst_step(slope: Pair) -> Pair:
    d = Range(0, 2**220)
    return slope[0] * d + 2 * slope[1] * d, slope[0] * d + slope[1] * d


def _added(
    run: Ranges, slope: Pair, first: tuple[Pair, Pair], second: tuple[Pair, Pair]
) -> tuple[Pair, Pair]:
    made = steps.added(run, slope, *first, second)
    assert not isinstance(made, str)
    return made


def _joined(a: tuple[Pair, Pair], b: tuple[Pair, Pair]) -> tuple[Pair, Pair]:
    return (a[0][0] | b[0][0], a[0][1] | b[0][1]), (a[1][0] | b[1][0], a[1][1] | b[1][1])


def table() -> list[str]:
    """One line per value: its name and bits, signed if it can be negative."""
    lines = []
    for name, found in proven().items():
        bits = max(found.low.bit_length(), found.high.bit_length())
        lines.append(f"| {name} | {'±' if found.low < 0 else ''}2**{bits} |")
    return lines


if __name__ == "__main__":
    print("\n".join(table()))  # noqa: T201
