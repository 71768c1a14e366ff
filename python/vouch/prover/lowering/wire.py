"""Values of the integer model while it is made: what they count, and the operations that were put in."""

import math
from dataclasses import dataclass, field

import numpy as np

from vouch.circuit.intervals import Interval, input_interval, interval_of
from vouch.circuit.ops import LIMIT, MAX_SHIFT, Affine, Op, Round, Scale
from vouch.circuit.parts import Node

ROOM = LIMIT // 2
"""Sums are planned to stay below this; what rounding adds fits in the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Wire:
    """Integers that stand for real = integer / factor.

    factor: one for all elements, or float64 [n] (only of the inputs, whose tensors differ in decimals).
    grain: the size of a number about 1; larger than the factor for inputs that are large numbers.
    """

    value: int
    factor: float | np.ndarray
    grain: float
    interval: Interval

    @property
    def one(self) -> float:
        """The factor, where it is the same for all elements."""
        return float(np.max(self.factor))

    @property
    def reach(self) -> float:
        """No element is larger in size."""
        return float(self.interval.reach.max())


@dataclass(slots=True)
class Circuit:
    """The nodes so far and the interval of every value.

    secret: constants of the graph stand in Affines only, of which a circuit can hide the numbers.
    """

    intervals: list[Interval]
    nodes: list[Node] = field(default_factory=list)
    secret: bool = False

    @classmethod
    def of_inputs(cls, size: int, bits: int) -> "Circuit":
        return cls([input_interval(size, bits)])

    def put(self, op: Op, *sources: int) -> int:
        """The new value's id. Raises IntervalTooWide, LookupOutOfTable."""
        made = interval_of(op, [self.intervals[source] for source in sources], len(self.nodes))
        self.nodes.append(Node(op, sources))
        self.intervals.append(made)
        return len(self.nodes)

    def wire(self, value: int, factor: float | np.ndarray) -> Wire:
        return Wire(value, factor, float(np.max(factor)), self.intervals[value])

    def scaled(self, wire: Wire, a: int, constant: int, factor: float | np.ndarray) -> Wire:
        """a * x + constant; nothing is put in for 1 * x + 0."""
        value = wire.value if (a, constant) == (1, 0) else self.put(Scale(a, constant), wire.value)
        return self.wire(value, factor)

    def shifted(self, wire: Wire, constant: int, alone: bool) -> Wire:
        """x + constant. alone: nothing else reads x, so if it is a sum the constant goes into its bias."""
        last = self.nodes[-1] if self.nodes else None
        if alone and last and wire.value == len(self.nodes) and isinstance(last.op, Affine):
            del self.nodes[-1], self.intervals[-1]
            op = Affine(last.op.weights, last.op.bias + constant, last.op.index)
            return self.wire(self.put(op, *last.sources), wire.factor)
        return self.scaled(wire, 1, constant, wire.factor)

    def rounded(self, wire: Wire, bits: int) -> Wire:
        """The numbers with about `bits` bits after the point, if they have more."""
        shift = excess(wire, bits)
        if shift == 0:
            return wire
        return self.wire(self.put(Round(shift), wire.value), wire.one / 2**shift)

    def counted(self, wire: Wire, factor: float, precision: int) -> Wire:
        """The numbers with exactly this factor, if need be rounded: to 2**-precision of their size."""
        ratio = factor / wire.one
        if whole(ratio, 0.0):
            return self.scaled(wire, round(ratio), 0, factor)
        if (shift := steps(wire.one, factor)) is not None and shift <= MAX_SHIFT:
            return self.wire(self.put(Round(shift), wire.value), factor)
        # ratio = a / 2**t, and a * x must stay in its limits
        t = max(0, math.ceil(precision - math.log2(ratio)))
        spare = max(0, math.floor(-math.log2(ratio)) - 2)
        if spare and ratio * 2.0**t * wire.reach >= ROOM:
            # a would be coarse: first drop what is far below the unit wanted
            value = self.put(Round(min(spare, MAX_SHIFT)), wire.value)
            dropped = self.wire(value, wire.one / 2 ** min(spare, MAX_SHIFT))
            return self.counted(dropped, factor, precision)
        while t and ratio * 2.0**t * wire.reach >= ROOM:
            t -= 1
        moved = self.scaled(wire, round(ratio * 2.0**t), 0, factor * 2.0**t)
        return self.wire(self.put(Round(t), moved.value), factor) if t else moved


def excess(wire: Wire, bits: int) -> int:
    """Bits that can be dropped so that at least `bits` stay after the point."""
    return max(0, math.floor(math.log2(wire.one) + 1e-9) - bits)


def steps(factor: float, goal: float) -> int | None:
    """t if factor = goal * 2**t with t >= 0, else None."""
    t = round(math.log2(factor / goal))
    return t if t >= 0 and math.isclose(factor, goal * 2.0**t, rel_tol=1e-12) else None


def whole(number: float | np.ndarray, tolerance: float) -> bool:
    """Are these integers, to within the tolerance relative to their size, and not too large?"""
    sizes = np.abs(np.asarray(number, np.float64))
    nearest = np.rint(sizes)
    near = np.abs(sizes - nearest) <= np.maximum(tolerance, 1e-12) * sizes
    return bool(near.all() and (sizes < LIMIT).all())
