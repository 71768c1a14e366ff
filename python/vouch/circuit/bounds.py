"""How a circuit checks each operation: the numbers it is given (advice), their widths, their equations.

All values of a circuit follow from its inputs. Sums (Combine, Scale, Gather, Concat) need no advice; the
sum of an Affine is one number of its own, fixed by its equation. Every other operation divides, and its
advice is fixed because a number has one quotient and one remainder: both sides of each equation below are
integers from 0 to below 2**127, so they are equal modulo the field's order only if they are equal.
`columns` is what the trace and the emitted program both follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from vouch.circuit.intervals import Interval, interval_of
from vouch.circuit.ops import Affine, ArgMax, Combine, Concat, Gather, Lookup, Op, Relu, Round, Scale

_LIMB: Final = 14
"""Bits that bb checks by one table, which every circuit has; an odd rest takes a table of its own."""
_MOST: Final = 62


@dataclass(frozen=True, slots=True)
class Column:
    """`count` numbers of advice called `name`. The circuit checks that each, plus `offset`, has `bits` bits.

    bits None: no check, an equation fixes the number; it may be negative and is smaller in size than 2**62.
    """

    name: str
    count: int
    bits: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class InputBounds:
    """value + offset has `bits` bits, hence unique: a field's values are its digits in base 2**bits.

    Field f holds the sum over j of (value[j] + offset) * 2**(bits * j), below 2**253. Outputs are packed the
    same way; they need no range check, as they follow from the inputs and lie in their interval.
    """

    bits: int

    @property
    def offset(self) -> int:
        return 1 << (self.bits - 1)

    def columns(self, size: int) -> tuple[Column, ...]:
        return (Column("value", size, self.bits, self.offset),)


@dataclass(frozen=True, slots=True)
class RoundBounds:
    """x + 2**(shift-1) + offset * 2**shift = y * 2**shift + r; the result is y - offset.

    y has `width` bits, r has `shift` bits, hence unique: quotient and remainder by 2**shift.
    """

    shift: int
    width: int
    offset: int

    def columns(self, size: int) -> tuple[Column, ...]:
        return Column("y", size, self.width), Column("r", size, self.shift)


@dataclass(frozen=True, slots=True)
class ReluBounds:
    """x + half + 2**width = b * 2**width + m * 2**shift + r and y = b * m, the result.

    b is 0 or 1, m has width - shift bits, r has `shift` bits (shift 0: no r), hence unique: b is the
    quotient by 2**width, m and r are quotient and remainder of the rest by 2**shift. b says x + half >= 0.
    """

    shift: int
    width: int

    @property
    def half(self) -> int:
        """2**(shift-1), or 0 with shift 0."""
        return 1 << (self.shift - 1) if self.shift else 0

    @property
    def m_width(self) -> int:
        return self.width - self.shift

    def columns(self, size: int) -> tuple[Column, ...]:
        rest = (Column("r", size, self.shift),) if self.shift else ()
        return Column("b", size, 1), Column("m", size, self.m_width), *rest, Column("y", size)


@dataclass(frozen=True, slots=True)
class LookupBounds:
    """x = i * 2**h + r, and with d = knots[i+1] - knots[i] and h = `step_bits`

    (knots[i] + offset) * 2**h + d * r + 2**(h-1) = y * 2**h + q; the result is y - offset.

    i has `index_width` bits (all of them indices of a piece), r and q have h bits, y has `width` bits, hence
    unique: twice quotient and remainder by 2**h.
    """

    step_bits: int
    index_width: int
    width: int
    offset: int

    def columns(self, size: int) -> tuple[Column, ...]:
        return (
            Column("i", size, self.index_width),
            Column("r", size, self.step_bits),
            Column("y", size, self.width),
            Column("q", size, self.step_bits),
        )


@dataclass(frozen=True, slots=True)
class ArgMaxBounds:
    """In each group of k, from best = x[0] and arg = 0, for j = 1 … k-1:

    x[j] - best - 1 + 2**width = b * 2**width + m; best += b * (x[j] - best); arg += b * (j - arg).

    b is 0 or 1, m has `width` bits, hence unique: quotient and remainder by 2**width. b = 1 says
    x[j] > best; best and arg follow. The result is the last arg. Step j of group g is advice g * (k-1) + j-1.
    """

    groups: int
    width: int

    def columns(self, size: int) -> tuple[Column, ...]:
        steps = size - self.groups
        return (
            Column("b", steps, 1),
            Column("m", steps, self.width),
            Column("best", steps),
            Column("arg", steps),
        )


Bounds = RoundBounds | ReluBounds | LookupBounds | ArgMaxBounds


def bounds(op: Op, sources: Sequence[Interval]) -> Bounds | None:
    """Widths and offsets, one set for all elements; None for an operation that does not divide.

    Raises what `interval_of` does.
    """
    x = sources[0]
    match op:
        case Affine() | Combine() | Scale() | Gather() | Concat():
            return None
        case Round(shift):
            y = interval_of(op, sources, 0)
            return RoundBounds(shift, _limbs(_bits(y.high - y.low)), -y.low)
        case Relu(shift):
            half = 1 << (shift - 1) if shift else 0
            # at least one bit is left for m
            width = max(_sign_bits(x.low + half, x.high + half), shift + 1)
            return ReluBounds(shift, shift + _limbs(width - shift, shift))
        case Lookup():
            y = interval_of(op, sources, 0)
            index_width = op.pieces.bit_length() - 1
            return LookupBounds(op.step_bits, index_width, _limbs(_bits(y.high - y.low)), -y.low)
        case ArgMax(groups):
            lo, hi = x.lo.reshape(groups, -1).min(1), x.hi.reshape(groups, -1).max(1)
            widest = int((hi - lo).max())
            return ArgMaxBounds(groups, _limbs(_sign_bits(-widest - 1, widest - 1)))
        case _:
            assert_never(op)


def columns(op: Op, sources: Sequence[Interval]) -> tuple[Column, ...]:
    """Advice of a node, in the circuit's order. Raises what `interval_of` does."""
    made = bounds(op, sources)
    if made is not None:
        return made.columns(len(sources[0].lo))
    return (Column("y", len(op.weights)),) if isinstance(op, Affine) else ()


def _limbs(bits: int, below: int = 0) -> int:
    """Rounded up to whole limbs, unless int64 has no room for that and the `below` bits under them."""
    whole = -(-bits // _LIMB) * _LIMB
    return whole if bits > _LIMB and whole + below <= _MOST else bits


def _bits(span: int) -> int:
    """Of the integers 0 … span, at least 1."""
    return max(span.bit_length(), 1)


def _sign_bits(low: int, high: int) -> int:
    """The least K >= 1 with -2**K <= low and high < 2**K."""
    return max((-low - 1).bit_length() if low < 0 else 0, max(high, 0).bit_length(), 1)
