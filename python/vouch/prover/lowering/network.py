"""A model in seven real-valued operations of flat vectors, between the ONNX graph and the integer model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, assert_never

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """y[i] = bias[i] + sum over k of weights[i, k] * x[index[i, k]]; without an index x[k] (dense).

    weights: float64 [n, k]. bias: float64 [n]. index: int64 [n, k] or None.
    """

    weights: np.ndarray
    bias: np.ndarray
    index: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Add:
    """y = a*u + b*v, of two sources of one size."""

    a: float
    b: float


@dataclass(frozen=True, slots=True)
class Rectify:
    """y = max(0, x). exact: its source is added again later, so nothing may be rounded off here."""

    exact: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """A function of one number, by a table."""

    kind: Literal["sigmoid", "tanh"]


@dataclass(frozen=True, slots=True)
class Largest:
    """x as [groups, k]: the first index of each group's largest."""

    groups: int


@dataclass(frozen=True, slots=True, eq=False)
class Pick:
    """y[i] = x[index[i]]; index: int64 [n]."""

    index: np.ndarray


@dataclass(frozen=True, slots=True)
class Join:
    """The sources, one after the other."""


Operation = Linear | Add | Rectify | Curve | Largest | Pick | Join


@dataclass(frozen=True, slots=True)
class Layer:
    """An operation on earlier values; `name` is the ONNX node it comes from, for messages."""

    operation: Operation
    sources: tuple[int, ...]
    name: str


@dataclass(slots=True)
class Network:
    """Value 0 is all inputs, one after the other; value i is what layers[i-1] makes.

    sizes: elements of each value. outputs: the value of each output, in the manifest's order.
    """

    sizes: list[int]
    layers: list[Layer] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)

    def add(self, operation: Operation, sources: Sequence[int], name: str) -> int:
        """The new value's number."""
        self.layers.append(Layer(operation, tuple(sources), name))
        self.sizes.append(_size(operation, [self.sizes[source] for source in sources]))
        return len(self.layers)

    def readers(self) -> list[list[int]]:
        """Of each value: the values made from it; an output is read by -1."""
        found: list[list[int]] = [[] for _ in self.sizes]
        for value, layer in enumerate(self.layers, start=1):
            for source in layer.sources:
                found[source].append(value)
        for output in self.outputs:
            found[output].append(-1)
        return found


def _size(operation: Operation, sources: list[int]) -> int:
    match operation:
        case Linear():
            return len(operation.weights)
        case Pick(index):
            return len(index)
        case Largest(groups):
            return groups
        case Join():
            return sum(sources)
        case Add() | Rectify() | Curve():
            return sources[0]
        case _:
            assert_never(operation)
