"""The integer model: a checked graph of exact operations, its bounds, its runs."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np

from vouch.circuit import serial
from vouch.circuit.bounds import Bounds, Column, InputBounds, bounds, columns
from vouch.circuit.errors import BadIntegerModel, InputOutOfRange, WrongVector, check
from vouch.circuit.evaluate import apply
from vouch.circuit.intervals import Interval, input_interval, interval_of
from vouch.circuit.ops import Affine
from vouch.circuit.parts import Node, Parts, Port
from vouch.circuit.trace import Trace, advice_of

MAX_INPUT_BITS: Final = 62
MAX_ELEMENTS: Final = 1 << 22
"""Of all values of a model together; a circuit has a gate and more for each."""
_BLOCK: Final = 1 << 21
"""Numbers that one step of `run_many` holds at once."""


@dataclass(frozen=True)
class IntegerModel:
    """Exact from input words to output words; NumPy, the reference and the circuit give the same integers.

    inputs: the tensors of value 0, one after the other, each value of `input_bits` bits (2 to 62).
    output: the id of the value that holds the tensors of `outputs`, one after the other.
    Raises BadIntegerModel, IntervalTooWide, LookupOutOfTable: a model that was made cannot overflow.
    """

    inputs: tuple[Port, ...]
    input_bits: int
    nodes: tuple[Node, ...]
    output: int
    outputs: tuple[Port, ...]

    def __post_init__(self) -> None:
        bits = self.input_bits
        fits = type(bits) is int and 2 <= bits <= MAX_INPUT_BITS
        check(fits, "input_bits", bits, f"2 to {MAX_INPUT_BITS} bits")
        for path, ports in (("inputs", self.inputs), ("outputs", self.outputs)):
            names = [port.name for port in ports]
            check(names and len(set(names)) == len(names), path, names, "tensors of distinct names")
        sizes = self._sizes()
        check(_is_id(self.output, len(sizes)), "output", self.output, f"a value id below {len(sizes)}")
        size = sum(port.size for port in self.outputs)
        check(size == sizes[self.output], "outputs", size, f"the {sizes[self.output]} elements of the output")
        _ = self.intervals

    @property
    def input_size(self) -> int:
        """Elements of all inputs."""
        return sum(port.size for port in self.inputs)

    @property
    def output_size(self) -> int:
        """Elements of all outputs."""
        return len(self.intervals[self.output].lo)

    @property
    def parameters(self) -> int:
        """Weights and biases; a convolution's count as often as they are used."""
        layers = [node.op for node in self.nodes if isinstance(node.op, Affine)]
        return sum(layer.weights.size + layer.bias.size for layer in layers)

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """Of each value: no input takes an element out of its bounds."""
        made = [input_interval(self.input_size, self.input_bits)]
        for i, node in enumerate(self.nodes):
            made.append(interval_of(node.op, [made[source] for source in node.sources], i))
        return tuple(made)

    @property
    def output_bits(self) -> int:
        """The least b with every output in [-2**(b-1), 2**(b-1))."""
        made = self.intervals[self.output]
        return max((-made.low - 1 if made.low < 0 else 0).bit_length(), max(made.high, 0).bit_length()) + 1

    @cached_property
    def bounds(self) -> tuple[Bounds | None, ...]:
        """Of each node, as `vouch.circuit.bounds.bounds` gives them."""
        return tuple(bounds(node.op, self._intervals_of(node)) for node in self.nodes)

    @cached_property
    def columns(self) -> tuple[tuple[Column, ...], ...]:
        """Advice of each value, the inputs' first."""
        own = InputBounds(self.input_bits).columns(self.input_size)
        return own, *(columns(node.op, self._intervals_of(node)) for node in self.nodes)

    def run(self, x: Any) -> np.ndarray:
        """Output of one input, int64 [n_in] → int64 [n_out]. Raises WrongVector, InputOutOfRange."""
        return np.asarray(self._values(self._rows(x, 1)[np.newaxis])[self.output][0])

    def run_many(self, x: Any) -> np.ndarray:
        """Outputs of many inputs, int64 [rows, n_in] → int64 [rows, n_out].

        Raises WrongVector, InputOutOfRange.
        """
        rows = self._rows(x, 2)
        step = max(1, _BLOCK // self._work)
        made = [self._values(rows[i : i + step])[self.output] for i in range(0, len(rows), step)]
        return np.concatenate(made) if made else np.empty((0, self.output_size), np.int64)

    def trace(self, x: Any) -> Trace:
        """A run with everything that a circuit is given of it. Raises WrongVector, InputOutOfRange."""
        values = tuple(value[0] for value in self._values(self._rows(x, 1)[np.newaxis]))
        advice = [{"value": values[0]}]
        for node, made, result in zip(self.nodes, self.bounds, values[1:], strict=True):
            advice.append(advice_of(node.op, made, [values[source] for source in node.sources], result))
        return Trace(values, tuple(advice))

    def to_bytes(self) -> bytes:
        """Canonical: equal models give equal bytes."""
        return serial.dump(Parts(self.inputs, self.input_bits, self.nodes, self.output, self.outputs))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Strict: what `to_bytes` gives, and nothing else.

        Raises BadIntegerModel, IntervalTooWide, LookupOutOfTable.
        """
        return cls(*serial.load(data))

    @cached_property
    def _work(self) -> int:
        """Numbers that the largest operation holds of one row."""
        gathered = [node.op.weights.size for node in self.nodes if isinstance(node.op, Affine)]
        return max([*gathered, *(len(interval.lo) for interval in self.intervals)])

    def out_of_range(self, index: int, value: int) -> InputOutOfRange:
        """The error for a value of an element of value 0."""
        for port in self.inputs:
            if index < port.size:
                return InputOutOfRange(index, port.name, value, self.input_bits)
            index -= port.size
        raise IndexError(index)

    def _sizes(self) -> list[int]:
        sizes = [self.input_size]
        for i, node in enumerate(self.nodes):
            known = len(sizes)
            good = type(node.sources) is tuple and all(_is_id(source, known) for source in node.sources)
            check(good, f"nodes[{i}].sources", node.sources, f"value ids below {known}")
            try:
                sizes.append(node.op.size([sizes[source] for source in node.sources]))
            except BadIntegerModel as error:
                raise error.inside(f"nodes[{i}]") from None
            total = sum(sizes)
            check(total <= MAX_ELEMENTS, f"nodes[{i}]", total, f"at most {MAX_ELEMENTS} elements so far")
        return sizes

    def _intervals_of(self, node: Node) -> list[Interval]:
        return [self.intervals[source] for source in node.sources]

    def _values(self, rows: np.ndarray) -> list[np.ndarray]:
        values = [rows]
        for node in self.nodes:
            values.append(apply(node.op, [values[source] for source in node.sources]))
        return values

    def _rows(self, x: Any, ndim: int) -> np.ndarray:
        array = np.asarray(x)
        size = self.input_size
        if array.dtype.kind not in "iu" or array.ndim != ndim or array.shape[-1] != size:
            wanted = f"integers of the shape {'(rows, ' if ndim == 2 else '('}{size})"
            raise WrongVector(f"{array.dtype} of the shape {array.shape}", wanted)
        limit = 1 << (self.input_bits - 1)
        outside = (array < -limit) | (array >= limit)
        if outside.any():
            place = np.unravel_index(int(outside.argmax()), array.shape)
            raise self.out_of_range(int(place[-1]), int(array[place]))
        return array.astype(np.int64)


def _is_id(value: Any, known: int) -> bool:
    return type(value) is int and 0 <= value < known
