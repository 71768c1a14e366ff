"""The operations in NumPy, on many rows at once. Exact: the model's intervals say that int64 never wraps."""

from collections.abc import Sequence
from typing import assert_never

import numpy as np

from vouch.circuit.ops import Affine, ArgMax, Combine, Concat, Gather, Lookup, Op, Relu, Round, Scale


def apply(op: Op, sources: Sequence[np.ndarray]) -> np.ndarray:
    """Result of one operation; every array is int64 [rows, n]."""
    x = sources[0]
    match op:
        case Affine(weights, bias, None):
            return np.asarray(x @ weights.T + bias)
        case Affine(weights, bias, index):
            return np.asarray(np.einsum("rnk,nk->rn", x[:, index], weights) + bias)
        case Combine(a, b, constant):
            return np.asarray(a * x + b * sources[1] + constant)
        case Scale(a, constant):
            return np.asarray(a * x + constant)
        case Gather(index):
            return np.asarray(x[:, index])
        case Concat():
            return np.concatenate(sources, axis=1)
        case Round(shift):
            return np.asarray((x + half(shift)) >> shift)
        case Relu(shift):
            return np.asarray(np.maximum((x + half(shift)) >> shift, 0))
        case Lookup(step_bits, knots):
            i = x >> step_bits
            start = knots[i]
            line = (knots[i + 1] - start) * (x & ((1 << step_bits) - 1)) + half(step_bits)
            return np.asarray(start + (line >> step_bits))
        case ArgMax(groups):
            return np.asarray(x.reshape(len(x), groups, -1).argmax(2))
        case _:
            assert_never(op)


def half(shift: int) -> int:
    """What rounding adds before `shift` bits go: 2**(shift-1), or 0 if none goes."""
    return 1 << (shift - 1) if shift else 0
