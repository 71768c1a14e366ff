"""Makes the hints for a valid signature: the slopes of one run of P384.sol.

Instead of R = u1·G + u2·Q, which takes 384 doublings, the run shows A·Q + B·R + g·G = O with A = -B·r/s and
g = -B·digest/s mod n, where A and B have half of n's bits: a short vector of the lattice of all such (A, B)
(Antipa, Brown, Gallant, Lambert, Struik, Vanstone: "Accelerated Verification of ECDSA Signatures", SAC
2005). G has tables for both halves of g. Digits are wNAF: 5 bits for points of the caller, 9 for G.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from vouch.attestation.p384 import curve
from vouch.attestation.p384.constants import FIXED_ROWS, HIGH, MAX_POSITION, MAX_STEPS, ROWS
from vouch.attestation.p384.errors import NoSuchPoint
from vouch.attestation.p384.hints import MAX_DOUBLINGS, Hints, Step
from vouch.attestation.p384.ring import Pair, montgomery
from vouch.attestation.p384.signature import Signed

WIDTH: Final = ROWS.bit_length() + 1
"""Bits of a digit that stands for 1, 3, ..., 15 times a point, or the opposite."""
FIXED_WIDTH: Final = FIXED_ROWS.bit_length() + 1
_DOUBLING_COST: Final = 23
_ADDITION_COST: Final = 25
"""Of gas, roughly, in hundreds: only their ratio matters."""

R_TABLE, KEY_TABLE, LOW_TABLE, HIGH_TABLE = range(4)


@dataclass(frozen=True, slots=True)
class Scalars:
    """b·R + a·key + (low + 2**192·high)·G = O."""

    b: int
    a: int
    low: int
    high: int

    def digits(self) -> tuple[dict[int, int], ...]:
        """Position -> odd digit, per table."""
        return (
            wnaf(self.b, WIDTH),
            wnaf(self.a, WIDTH),
            wnaf(self.low, FIXED_WIDTH),
            wnaf(self.high, FIXED_WIDTH),
        )

    def cost(self) -> int:
        digits = self.digits()
        return _DOUBLING_COST * max(map(max, filter(None, digits))) + _ADDITION_COST * sum(map(len, digits))


def prove(signed: Signed) -> bytes:
    """The hints with which P384.sol accepts a valid signature.

    Raises:
        NoSuchPoint: the signature is not valid.
    """
    point = signed.point()
    for scalars in sorted(candidates(signed), key=Scalars.cost):
        found = attempt(signed, point, scalars)
        if found is not None:
            return found.to_bytes()
    # Every candidate's run would have to meet a point of its table with the same x.
    raise NoSuchPoint("no run of additions shows it; this has never been seen")


def candidates(signed: Signed) -> Iterator[Scalars]:
    """Scalars that fit r, s and the digest, of small vectors."""
    w = pow(signed.s, -1, curve.N)
    u1, u2 = signed.digest * w % curve.N, signed.r * w % curve.N
    first, second = short_basis((curve.N, 0), (-u2 % curve.N, 1))
    for i in range(9):
        for j in range(-8, 9):
            a, b = i * first[0] + j * second[0], i * first[1] + j * second[1]
            if b == 0 or a == 0 or (i == 0 and j < 0) or max(abs(a), abs(b)) >> (MAX_POSITION - 6):
                continue
            g = -b * u1 % curve.N
            for total in (g, g - curve.N):
                high, low = divmod(total, 1 << HIGH)
                yield Scalars(b, a, low, high)


def short_basis(u: Pair, v: Pair) -> tuple[Pair, Pair]:
    """Gauss's reduction: the two shortest vectors of a plane lattice, the shortest first."""
    while True:
        if _dot(u, u) > _dot(v, v):
            u, v = v, u
        m = (2 * _dot(u, v) + _dot(u, u)) // (2 * _dot(u, u))
        if m == 0:
            return u, v
        v = v[0] - m * u[0], v[1] - m * u[1]


def wnaf(k: int, width: int) -> dict[int, int]:
    """Position -> odd digit below 2**(width-1) in size, digits at least `width` positions apart."""
    digits, position = {}, 0
    while k:
        if k & 1:
            digit = k & ((1 << width) - 1)
            if digit >> (width - 1):
                digit -= 1 << width
            digits[position] = digit
            k -= digit
        k >>= 1
        position += 1
    return digits


def attempt(signed: Signed, point: curve.Affine, scalars: Scalars, *, must_end: bool = True) -> Hints | None:
    """The hints of a run with these scalars, or None if it would add two points with the same x.

    With `must_end` also None if the sum is not infinity, so that P384 would refuse them.
    """
    found = steps_of(scalars)
    if found is None:
        return None
    position, steps = found
    try:
        slopes = Slopes(point, signed.key).of(steps, must_end=must_end)
    except ValueError:  # a chord between points with the same x
        return None
    return Hints(int(point[0] >= curve.N), position, point[1], factors(signed, scalars), steps, tuple(slopes))


def steps_of(scalars: Scalars) -> tuple[int, tuple[Step, ...]] | None:
    """First position and steps of a run, or None if it would be too long for the hints."""
    digits = scalars.digits()
    order = sorted((-position, table) for table, found in enumerate(digits) for position in found)
    first = at = -order[0][0]
    steps = []
    for negated, table in order:
        digit = digits[table][-negated]
        steps.append(Step(at + negated, table, digit < 0, abs(digit) >> 1))
        at = -negated
    if first > MAX_POSITION or len(steps) > MAX_STEPS or any(s.doublings > MAX_DOUBLINGS for s in steps):
        return None
    return first, tuple(steps)


def factors(signed: Signed, scalars: Scalars) -> tuple[int, int, int]:
    """How often n is in the two equations mod n that the contract checks as integers."""
    key = scalars.a * signed.s + scalars.b * signed.r
    generator = (scalars.low + (scalars.high << HIGH)) * signed.s + scalars.b * signed.digest
    high, low = divmod(generator // curve.N, 1 << HIGH)
    return key // curve.N, low, high


class Slopes:
    """Runs the steps on points and notes every slope."""

    def __init__(self, point: curve.Affine, key: curve.Affine) -> None:
        self.found: list[Pair] = []
        g_high = curve.multiply(1 << HIGH, curve.G)
        assert g_high is not None, "2**192 is no multiple of n"
        self._tables = [self._table(point), self._table(key)]
        self._fixed = [curve.G, g_high]

    def of(self, steps: Sequence[Step], *, must_end: bool) -> list[Pair]:
        """Slopes of the tables and of these steps. Raises ValueError where two points have the same x."""
        total = self._row(steps[0])
        for step in steps[1:-1]:
            for _ in range(step.doublings):
                total = self._double(total)
            total = self._add(total, self._row(step))
        for _ in range(steps[-1].doublings):
            total = self._double(total)
        if must_end and total != curve.negate(self._row(steps[-1])):
            raise ValueError("the sum is not infinity")
        return self.found

    def _table(self, point: curve.Affine) -> list[curve.Affine]:
        made, twice = [point], self._double(point)
        for _ in range(ROWS - 1):
            made.append(self._add(made[-1], twice))
        return made

    def _row(self, step: Step) -> curve.Affine:
        if step.table in (R_TABLE, KEY_TABLE):
            x, y = self._tables[step.table][step.row]
            return x, -y % curve.P if step.negative else y
        row = curve.multiply(step.digit, self._fixed[step.table - LOW_TABLE])
        assert row is not None, "a small multiple of a point of prime order"
        return row

    def _double(self, point: curve.Affine) -> curve.Affine:
        slope = curve.tangent(point)
        self.found.append(montgomery(slope))
        return curve.along(slope, point, point)

    def _add(self, first: curve.Affine, second: curve.Affine) -> curve.Affine:
        slope = curve.chord(first, second)
        self.found.append(montgomery(slope))
        return curve.along(slope, first, second)


def _dot(u: Pair, v: Pair) -> int:
    return u[0] * v[0] + u[1] * v[1]
