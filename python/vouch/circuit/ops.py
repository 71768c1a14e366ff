"""The operations of an integer model: exact functions of flat int64 vectors.

Each checks its own constants when made and, in `size`, the sizes of its sources. Both raise BadIntegerModel
with a path that starts at the operation (`weights`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from vouch.circuit.errors import check

LIMIT: Final = 1 << 62
"""Every constant, value and accumulator is smaller in size than this, so nothing wraps in int64."""
MAX_SHIFT: Final = 60
"""Bits that Round, Relu and Lookup can drop at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """y[i] = bias[i] + sum over k of weights[i, k] * x[index[i, k]]; without an index x[k] (dense).

    weights: int64 [n, k]. bias: int64 [n]. index: int32 [n, k]; where a window leaves the image (padding),
    any index with weight 0.
    """

    weights: np.ndarray
    bias: np.ndarray
    index: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", _integers(self.weights, "weights", 2))
        object.__setattr__(self, "bias", _integers(self.bias, "bias", 1))
        rows = len(self.weights)
        check(len(self.bias) == rows, "bias", self.bias.shape, f"{rows} elements, one a row of weights")
        if self.index is not None:
            index = _indices(self.index, 2)
            check(index.shape == self.weights.shape, "index", index.shape, f"the shape {self.weights.shape}")
            object.__setattr__(self, "index", index)

    def size(self, sources: Sequence[int]) -> int:
        """Elements of the result."""
        size = _one(sources)
        if self.index is None:
            width = self.weights.shape[1]
            check(size == width, "weights", self.weights.shape, f"{size} columns, as the source has elements")
        else:
            _within(self.index, size)
        return len(self.weights)


@dataclass(frozen=True, slots=True)
class Combine:
    """y = a*u + b*v + constant, of two sources of one size."""

    a: int
    b: int
    constant: int = 0

    def __post_init__(self) -> None:
        for path in ("a", "b", "constant"):
            _constant(getattr(self, path), path)

    def size(self, sources: Sequence[int]) -> int:
        """Elements of the result."""
        fits = len(sources) == 2 and sources[0] == sources[1]
        check(fits, "sources", list(sources), "two sources of one size")
        return sources[0]


@dataclass(frozen=True, slots=True)
class Scale:
    """y = a*x + constant."""

    a: int
    constant: int = 0

    def __post_init__(self) -> None:
        _constant(self.a, "a")
        _constant(self.constant, "constant")

    def size(self, sources: Sequence[int]) -> int:
        """Elements of the result."""
        return _one(sources)


@dataclass(frozen=True, slots=True, eq=False)
class Gather:
    """y[i] = x[index[i]]; index: int32 [n]."""

    index: np.ndarray

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", _indices(self.index, 1))

    def size(self, sources: Sequence[int]) -> int:
        """Elements of the result."""
        _within(self.index, _one(sources))
        return len(self.index)


@dataclass(frozen=True, slots=True)
class Concat:
    """The sources, one after the other."""

    def size(self, sources: Sequence[int]) -> int:
        """Elements of the result."""
        check(len(sources) >= 1, "sources", list(sources), "at least one source")
        return sum(sources)


@dataclass(frozen=True, slots=True)
class Round:
    """y = floor((x + 2**(shift-1)) / 2**shift): x / 2**shift, ties up; shift is 1 to MAX_SHIFT."""

    shift: int

    def __post_init__(self) -> None:
        _bits(self.shift, "shift", 1)

    def size(self, sources: Sequence[int]) -> int:
        """Elements of the result."""
        return _one(sources)


@dataclass(frozen=True, slots=True)
class Relu:
    """y = max(0, Round(shift)(x)), or max(0, x) with shift 0."""

    shift: int = 0

    def __post_init__(self) -> None:
        _bits(self.shift, "shift", 0)

    def size(self, sources: Sequence[int]) -> int:
        """Elements of the result."""
        return _one(sources)


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A table of straight pieces: y = knots[i] + floor(((knots[i+1] - knots[i]) * r + 2**(h-1)) / 2**h).

    h is step_bits, i = x >> h, r = x - i * 2**h. knots: int64 [n + 1], n >= 2 a power of two; x is in
    [0, n * 2**h), which the model proves of the source.
    """

    step_bits: int
    knots: np.ndarray

    def __post_init__(self) -> None:
        _bits(self.step_bits, "step_bits", 1)
        object.__setattr__(self, "knots", _integers(self.knots, "knots", 1))
        pieces = self.pieces
        check(
            pieces >= 2 and pieces & (pieces - 1) == 0, "knots", len(self.knots), "2**b + 1 knots with b >= 1"
        )

    @property
    def pieces(self) -> int:
        """n, a power of two."""
        return len(self.knots) - 1

    @property
    def domain(self) -> int:
        """n * 2**h: the source is smaller."""
        return self.pieces << self.step_bits

    def size(self, sources: Sequence[int]) -> int:
        """Elements of the result."""
        return _one(sources)


@dataclass(frozen=True, slots=True)
class ArgMax:
    """y[g] = the first index of the largest of x[g], with x as [groups, k], k >= 2."""

    groups: int = 1

    def __post_init__(self) -> None:
        check(type(self.groups) is int and self.groups >= 1, "groups", self.groups, "a positive number")

    def size(self, sources: Sequence[int]) -> int:
        """Elements of the result."""
        size = _one(sources)
        fits = size % self.groups == 0 and size >= 2 * self.groups
        check(fits, "groups", self.groups, f"groups of two or more that share the source's {size} elements")
        return self.groups


Op = Affine | Combine | Scale | Gather | Concat | Round | Relu | Lookup | ArgMax


def _one(sources: Sequence[int]) -> int:
    check(len(sources) == 1, "sources", list(sources), "one source")
    return sources[0]


def _constant(value: Any, path: str) -> None:
    check(type(value) is int and abs(value) < LIMIT, path, value, "an integer smaller in size than 2**62")


def _bits(value: Any, path: str, minimum: int) -> None:
    check(type(value) is int and minimum <= value <= MAX_SHIFT, path, value, f"{minimum} to {MAX_SHIFT} bits")


def _integers(value: Any, path: str, ndim: int) -> np.ndarray:
    """A read-only int64 copy, row by row in memory."""
    array = np.asarray(value)
    check(array.ndim == ndim and array.size, path, array.shape, f"a non-empty array of {ndim} dimension(s)")
    check(array.dtype.kind in "iu", path, str(array.dtype), "integers")
    low, high = int(array.min()), int(array.max())
    check(max(-low, high) < LIMIT, path, low if -low > high else high, "sizes below 2**62")
    made = np.array(array, np.int64, order="C")
    made.flags.writeable = False
    return made


def _indices(value: Any, ndim: int) -> np.ndarray:
    array = _integers(value, "index", ndim)
    low, high = int(array.min()), int(array.max())
    fits = low >= 0 and high < 1 << 31
    check(fits, "index", low if low < 0 else high, "indices from 0 to 2**31 - 1")
    made = array.astype(np.int32)
    made.flags.writeable = False
    return made


def _within(index: np.ndarray, size: int) -> None:
    check(int(index.max()) < size, "index", int(index.max()), f"indices below {size}, the size of the source")
