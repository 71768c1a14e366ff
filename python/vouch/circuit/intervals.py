"""Bounds of every element of a value, by interval arithmetic: the proof that int64 never wraps.

The bounds hold for every input of the model's width, so also for every witness that a circuit accepts, as a
witness's values follow from its inputs (`vouch.circuit.bounds`).
"""

from collections.abc import Sequence
from typing import NamedTuple, assert_never

import numpy as np

from vouch.circuit.errors import IntervalTooWide, LookupOutOfTable
from vouch.circuit.ops import (
    LIMIT,
    Affine,
    ArgMax,
    Combine,
    Concat,
    Gather,
    Lookup,
    Op,
    Relu,
    Round,
    Scale,
)


class Interval(NamedTuple):
    """Inclusive bounds of a vector, int64 [n] each."""

    lo: np.ndarray
    hi: np.ndarray

    @property
    def low(self) -> int:
        """The least that any element can be."""
        return int(self.lo.min())

    @property
    def high(self) -> int:
        """The most that any element can be."""
        return int(self.hi.max())

    @property
    def reach(self) -> np.ndarray:
        """The largest size of each element, int64 [n]."""
        return np.asarray(np.maximum(np.abs(self.lo), np.abs(self.hi)))


def input_interval(size: int, bits: int) -> Interval:
    """Of inputs of `bits` bits, two's complement."""
    half = 1 << (bits - 1)
    return Interval(np.full(size, -half, np.int64), np.full(size, half - 1, np.int64))


def interval_of(op: Op, sources: Sequence[Interval], node: int) -> Interval:
    """Of a node's result; `node` is its index, for errors. Sizes are checked before (`op.size`).

    Raises IntervalTooWide, LookupOutOfTable.
    """
    x = sources[0]
    match op:
        case Affine():
            return _affine(op, x, node)
        case Combine(a, b, constant):
            v = sources[1]
            _below(abs(a) * _wide(x.reach) + abs(b) * _wide(v.reach) + abs(constant), op, node)
            ends = (_scaled(a, x), _scaled(b, v))
            return Interval(
                ends[0].lo + ends[1].lo + constant,
                ends[0].hi + ends[1].hi + constant,
            )
        case Scale(a, constant):
            _below(abs(a) * _wide(x.reach) + abs(constant), op, node)
            end = _scaled(a, x)
            return Interval(end.lo + constant, end.hi + constant)
        case Gather(index):
            return Interval(x.lo[index], x.hi[index])
        case Concat():
            return Interval(
                np.concatenate([it.lo for it in sources]), np.concatenate([it.hi for it in sources])
            )
        case Round(shift):
            return Interval(*(_rounded(end, shift, op, node) for end in x))
        case Relu(shift):
            return Interval(*(np.maximum(_rounded(end, shift, op, node), 0) for end in x))
        case Lookup():
            return _lookup(op, x, node)
        case ArgMax(groups):
            each = len(x.lo) // groups
            _below(x.hi.reshape(groups, each).max(1) - _wide(x.lo.reshape(groups, each).min(1)) + 1, op, node)
            return Interval(np.zeros(groups, np.int64), np.full(groups, each - 1, np.int64))
        case _:
            assert_never(op)


def _affine(op: Affine, x: Interval, node: int) -> Interval:
    reach, lo, hi = ((part if op.index is None else part[op.index]) for part in (x.reach, *x))
    size = np.abs(op.weights)
    # float64 is off by far less than a factor of two: only rows near the limit are added up exactly
    near = (size * reach.astype(np.float64)).sum(1) + np.abs(op.bias) >= LIMIT // 2
    if near.any():
        rows = size[near] * _wide(np.broadcast_to(reach, size.shape)[near])
        _below(rows.sum(1) + np.abs(op.bias[near]), op, node)
    up, down = np.maximum(op.weights, 0), np.minimum(op.weights, 0)
    return Interval((up * lo + down * hi).sum(1) + op.bias, (up * hi + down * lo).sum(1) + op.bias)


def _lookup(op: Lookup, x: Interval, node: int) -> Interval:
    if x.low < 0 or x.high >= op.domain:
        raise LookupOutOfTable(node, x.low, x.high, op.domain)
    steps = np.abs(np.diff(op.knots))
    half = 1 << (op.step_bits - 1)
    _below(_wide(steps) * ((1 << op.step_bits) - 1) + half, op, node)
    # between two knots the rounded line stays between them
    pieces = np.stack([x.lo >> op.step_bits, x.hi >> op.step_bits])
    kinds, which = np.unique(pieces, axis=1, return_inverse=True)
    reached = [op.knots[first : last + 2] for first, last in kinds.T.tolist()]
    which = which.reshape(-1)
    lo = np.array([knots.min() for knots in reached], np.int64)
    hi = np.array([knots.max() for knots in reached], np.int64)
    return Interval(lo[which], hi[which])


def _scaled(a: int, x: Interval) -> Interval:
    return Interval(a * x.lo, a * x.hi) if a >= 0 else Interval(a * x.hi, a * x.lo)


def _rounded(end: np.ndarray, shift: int, op: Op, node: int) -> np.ndarray:
    if shift == 0:
        return end
    half = 1 << (shift - 1)
    _below(np.abs(_wide(end)) + half, op, node)
    return (end + half) >> shift


def _wide(values: np.ndarray) -> np.ndarray:
    """As Python integers, which do not wrap."""
    return values.astype(object)


def _below(reach: np.ndarray, op: Op, node: int) -> None:
    bound = int(reach.max())
    if bound >= LIMIT:
        raise IntervalTooWide(node, type(op).__name__, bound)
