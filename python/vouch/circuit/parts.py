"""What an integer model consists of."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from vouch.circuit.errors import check
from vouch.circuit.ops import Op
from vouch.protocol.fixed import MAX_DECIMALS
from vouch.protocol.manifest import DTYPES


@dataclass(frozen=True, slots=True)
class Port:
    """One tensor as the manifest has it, with 1 for the batch axis; `decimals` is the manifest's `scale`.

    Raises BadIntegerModel.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    decimals: int

    def __post_init__(self) -> None:
        check(type(self.name) is str and self.name, "name", self.name, "a non-empty string")
        check(self.dtype in DTYPES, "dtype", self.dtype, f"one of {', '.join(DTYPES)}")
        sizes = type(self.shape) is tuple and all(type(size) is int and size > 0 for size in self.shape)
        check(sizes, "shape", self.shape, "positive sizes")
        fits = type(self.decimals) is int and 0 <= self.decimals <= MAX_DECIMALS
        check(fits, "decimals", self.decimals, f"0 to {MAX_DECIMALS}")

    @property
    def size(self) -> int:
        """Elements."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Node:
    """One operation. Sources are value ids: 0 is the model's inputs, i is the result of nodes[i - 1]."""

    op: Op
    sources: tuple[int, ...]


class Parts(NamedTuple):
    """The fields of `IntegerModel`, not checked against each other yet."""

    inputs: tuple[Port, ...]
    input_bits: int
    nodes: tuple[Node, ...]
    output: int
    outputs: tuple[Port, ...]
