"""The equations that `vouch.circuit.bounds` states, of one element, in plain integers."""

from collections.abc import Sequence

from vouch.circuit.bounds import ArgMaxBounds, Bounds, LookupBounds, ReluBounds, RoundBounds
from vouch.circuit.ops import Lookup, Op


def sides(op: Op, made: Bounds, x: Sequence[int], advice: Sequence[int]) -> list[tuple[int, int]]:
    """Left and right of each equation that range checks make unique.

    x: the element; of ArgMax the best so far and the next one. advice: b, m and r of Relu, b and m of ArgMax,
    all of the others.
    """
    match made:
        case RoundBounds(shift, _, offset):
            y, r = advice
            return [(x[0] + (1 << shift - 1) + (offset << shift), (y << shift) + r)]
        case ReluBounds(shift, width):
            b, m, *rest = advice
            return [(x[0] + made.half + (1 << width), (b << width) + (m << shift) + sum(rest))]
        case LookupBounds(h, _, _, offset):
            assert isinstance(op, Lookup)
            i, r, y, q = advice
            knots = op.knots.tolist()
            line = ((knots[i] + offset) << h) + (knots[i + 1] - knots[i]) * r + (1 << h - 1)
            return [(x[0], (i << h) + r), (line, (y << h) + q)]
        case ArgMaxBounds(_, width):
            b, m = advice
            return [(x[1] - x[0] - 1 + (1 << width), (b << width) + m)]
