"""Hypothesis strategies for integer models, and the shortest ways to write one down."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vouch.circuit.errors import IntervalTooWide
from vouch.circuit.intervals import Interval, input_interval, interval_of
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine, ArgMax, Combine, Concat, Gather, Lookup, Op, Relu, Round, Scale
from vouch.circuit.parts import Node, Port

KINDS = (Affine, Combine, Scale, Gather, Concat, Round, Relu, Lookup, ArgMax)


def port(name: str, size: int, decimals: int = 6) -> Port:
    """A tensor of one row."""
    return Port(name, "FP32", (1, size), decimals)


def model_of(
    nodes: Sequence[tuple[Op, int] | tuple[Op, int | tuple[int, ...]]],
    size: int = 1,
    bits: int = 16,
    outputs: int = 1,
) -> IntegerModel:
    """One input tensor x of `size` elements; the last node's result is the output tensor y of `outputs`."""
    made = tuple(Node(op, (ids,) if isinstance(ids, int) else ids) for op, ids in nodes)
    return IntegerModel((port("x", size),), bits, made, len(made), (port("y", outputs),))


def integers(bits: int) -> st.SearchStrategy[int]:
    """All two's complement integers of `bits` bits, their ends often."""
    half = 1 << (bits - 1)
    return st.one_of(st.integers(-half, half - 1), st.sampled_from([-half, -1, 0, 1, half - 1]))


@st.composite
def models(draw: st.DrawFn, *, max_nodes: int = 8, max_size: int = 5) -> IntegerModel:
    """Any operations in any order, over all sources made so far."""
    return _Builder(draw, max_size).build(max_nodes)


def inputs_of(model: IntegerModel) -> st.SearchStrategy[list[int]]:
    """Inputs that the model takes."""
    return st.lists(integers(model.input_bits), min_size=model.input_size, max_size=model.input_size)


class _Builder:
    """Adds nodes one after the other; keeps every interval small enough for the next one."""

    def __init__(self, draw: st.DrawFn, max_size: int) -> None:
        self.draw, self.max_size = draw, max_size
        self.nodes: list[Node] = []
        self.intervals: list[Interval] = []

    def build(self, max_nodes: int) -> IntegerModel:
        draw = self.draw
        sizes = draw(st.lists(st.integers(1, self.max_size), min_size=1, max_size=2))
        bits = draw(st.sampled_from([2, 3, 8, 20, 40, 62]))
        self.intervals.append(input_interval(sum(sizes), bits))
        for _ in range(draw(st.integers(1, max_nodes))):
            self.add(draw(st.sampled_from(KINDS)))
        output = draw(st.integers(0, len(self.nodes)))
        outputs = (port("y", len(self.intervals[output].lo), draw(st.integers(0, 6))),)
        inputs = tuple(port(f"x{i}", size, draw(st.integers(0, 6))) for i, size in enumerate(sizes))
        return IntegerModel(inputs, bits, tuple(self.nodes), output, outputs)

    def add(self, kind: type[Op]) -> None:
        draw = self.draw
        source = draw(st.integers(0, len(self.nodes)))
        size = len(self.intervals[source].lo)
        if kind is Affine:
            self.put(self.affine(size), source)
        elif kind is Combine:
            others = [i for i, interval in enumerate(self.intervals) if len(interval.lo) == size]
            self.put(
                Combine(*(draw(self.constants()) for _ in range(3))), source, draw(st.sampled_from(others))
            )
        elif kind is Scale:
            self.put(Scale(draw(self.constants()), draw(self.constants())), source)
        elif kind is Gather:
            index = draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=self.max_size))
            self.put(Gather(np.array(index)), source)
        elif kind is Concat:
            self.put(Concat(), *draw(st.lists(st.integers(0, len(self.nodes)), min_size=1, max_size=2)))
        elif kind is Round:
            self.put(Round(draw(st.integers(1, 24))), source)
        elif kind is Relu:
            self.put(Relu(draw(st.integers(0, 24))), source)
        elif kind is Lookup:
            self.lookup(source)
        elif size > 1:
            groups = draw(st.sampled_from([g for g in range(1, size) if size % g == 0]))
            self.put(ArgMax(groups), source)

    def affine(self, size: int) -> Affine:
        draw = self.draw
        shape = (draw(st.integers(1, self.max_size)), size)
        dense = draw(st.booleans())
        if not dense:
            shape = (shape[0], draw(st.integers(1, self.max_size)))
        weights = draw(hnp.arrays(np.int64, shape, elements=self.constants()))
        bias = draw(hnp.arrays(np.int64, shape[0], elements=self.constants()))
        index = None if dense else draw(hnp.arrays(np.int32, shape, elements=st.integers(0, size - 1)))
        return Affine(weights, bias, index)

    def lookup(self, source: int) -> None:
        draw = self.draw
        pieces, step_bits = 1 << draw(st.integers(1, 4)), draw(st.integers(1, 12))
        top = (pieces << step_bits) - 1
        # min(max(x, 0), top), of a source that is small enough to be subtracted
        last = self.put(Relu(0), source)
        if last is not None:
            for op in (Scale(-1, top), Relu(0), Scale(-1, top)):
                last = self.put(op, last) if last is not None else None
        if last is not None:
            knots = draw(hnp.arrays(np.int64, pieces + 1, elements=self.constants()))
            self.put(Lookup(step_bits, knots), last)

    def constants(self) -> st.SearchStrategy[int]:
        return st.sampled_from([2, 4, 12, 40]).flatmap(integers)

    def put(self, op: Op, *sources: int) -> int | None:
        """The new value's id, or None if it could be too large: then a rounded source is added instead."""
        try:
            made = interval_of(op, [self.intervals[source] for source in sources], 0)
        except IntervalTooWide:
            width = max(int(self.intervals[source].reach.max()).bit_length() for source in sources)
            if not isinstance(op, Round | Relu):
                self.put(Round(max(1, width - 16)), sources[0])
            return None
        if len(made.lo) > 4 * self.max_size:
            return None
        self.nodes.append(Node(op, sources))
        self.intervals.append(made)
        return len(self.nodes)
