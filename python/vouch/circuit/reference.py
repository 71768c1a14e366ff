"""The same model in plain Python integers, element by element: slow, and too simple to be wrong.

Tests hold NumPy's run against it. Nothing can wrap here, so it needs no intervals.
"""

from collections.abc import Sequence
from typing import assert_never

from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine, ArgMax, Combine, Concat, Gather, Lookup, Op, Relu, Round, Scale

Vector = list[int]


def reference_run(model: IntegerModel, x: Sequence[int]) -> Vector:
    """The output for one input. Raises InputOutOfRange."""
    return reference_values(model, x)[model.output]


def reference_values(model: IntegerModel, x: Sequence[int]) -> list[Vector]:
    """Every value of a run, value 0 first. Raises InputOutOfRange."""
    limit = 1 << (model.input_bits - 1)
    for index, value in enumerate(x):
        if not -limit <= value < limit:
            raise model.out_of_range(index, value)
    values = [[int(value) for value in x]]
    for node in model.nodes:
        values.append(_result(node.op, [values[source] for source in node.sources]))
    return values


def _result(op: Op, sources: Sequence[Vector]) -> Vector:
    x = sources[0]
    match op:
        case Affine():
            return _affine(op, x)
        case Combine(a, b, constant):
            return [a * u + b * v + constant for u, v in zip(x, sources[1], strict=True)]
        case Scale(a, constant):
            return [a * value + constant for value in x]
        case Gather(index):
            return [x[i] for i in index.tolist()]
        case Concat():
            return [value for source in sources for value in source]
        case Round(shift):
            return [_rounded(value, shift) for value in x]
        case Relu(shift):
            return [max(0, _rounded(value, shift)) for value in x]
        case Lookup(step_bits, knots):
            return [_looked_up(value, step_bits, knots.tolist()) for value in x]
        case ArgMax(groups):
            each = len(x) // groups
            parts = [x[start : start + each] for start in range(0, len(x), each)]
            return [part.index(max(part)) for part in parts]
        case _:
            assert_never(op)


def _affine(op: Affine, x: Vector) -> Vector:
    made: Vector = []
    for i, weights in enumerate(op.weights.tolist()):
        index = range(len(x)) if op.index is None else op.index[i].tolist()
        total: int = op.bias[i].item()
        for weight, k in zip(weights, index, strict=True):
            total += weight * x[k]
        made.append(total)
    return made


def _rounded(value: int, shift: int) -> int:
    return (value + (1 << shift - 1)) // (1 << shift) if shift else value


def _looked_up(value: int, step_bits: int, knots: Vector) -> int:
    i, r = divmod(value, 1 << step_bits)
    return knots[i] + _rounded((knots[i + 1] - knots[i]) * r, step_bits)
