"""A network in whole numbers: the integer model for given scales.

Every value counts in its own unit (`Wire.factor`), so a constant factor costs nothing. Sums are exact;
numbers are rounded only with an activation, before a sum that would leave its limits, and at an output.
"""

from dataclasses import dataclass
from typing import assert_never

import numpy as np

from vouch.circuit.errors import IntervalTooWide
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine, ArgMax, Combine, Concat, Gather, Lookup, Relu, Round
from vouch.circuit.parts import Port
from vouch.prover.lowering.errors import TooWide
from vouch.prover.lowering.linear import weigh
from vouch.prover.lowering.network import Add, Curve, Join, Largest, Linear, Network, Operation, Pick, Rectify
from vouch.prover.lowering.read import Graph, Tensor
from vouch.prover.lowering.scales import Scales
from vouch.prover.lowering.simplify import simplify
from vouch.prover.lowering.table import MAX_DOMAIN_BITS, best_table
from vouch.prover.lowering.translate import translate
from vouch.prover.lowering.wire import ROOM, Circuit, Wire, excess, steps, whole


@dataclass(frozen=True, slots=True)
class TableError:
    """`error`: the largest distance between the table of a node and its curve ("sigmoid" or "tanh")."""

    node: str
    kind: str
    error: float


@dataclass(frozen=True, slots=True)
class Lowered:
    """An integer model and the stated errors of its tables."""

    model: IntegerModel
    tables: tuple[TableError, ...]


def lower(graph: Graph, scales: Scales) -> IntegerModel:
    """Raises UnsupportedNode, UnsupportedTensor, TooWide."""
    return emit(graph, simplify(translate(graph)), scales).model


def emit(graph: Graph, network: Network, scales: Scales, *, secret: bool = False) -> Lowered:
    """The integer model of a graph's simplified network; secret: see `Circuit`. Raises TooWide."""
    emitter = _Emitter(graph, network, scales)
    emitter.circuit.secret = secret
    wires = emitter.wires
    name = "input"
    try:
        for value, layer in enumerate(network.layers, start=1):
            name = layer.name
            wires.append(emitter.layer(value, layer.operation, [wires[it] for it in layer.sources], name))
        ids = []
        for tensor, value, unit in zip(graph.outputs, network.outputs, emitter.units, strict=True):
            name = f"output {tensor.name}"
            ids.append(emitter.output(wires[value], unit).value)
    except IntervalTooWide as error:
        raise TooWide(name, error.bound) from error
    output = ids[0] if len(ids) == 1 else emitter.circuit.put(Concat(), *ids)
    model = IntegerModel(
        tuple(_port(tensor, scales.input_decimals) for tensor in graph.inputs),
        scales.input_bits,
        tuple(emitter.circuit.nodes),
        output,
        tuple(_port(tensor, scales.output_decimals) for tensor in graph.outputs),
    )
    return Lowered(model, tuple(emitter.tables))


def _port(tensor: Tensor, decimals: int) -> Port:
    return Port(tensor.name, tensor.dtype, tensor.shape, 0 if tensor.whole else decimals)


def _unit(tensor: Tensor, decimals: int) -> float:
    return 1.0 if tensor.whole else 10.0**decimals


class _Emitter:
    """Turns one layer after the other into nodes of a circuit."""

    def __init__(self, graph: Graph, network: Network, scales: Scales) -> None:
        self._graph, self._network, self._scales = graph, network, scales
        self.circuit = Circuit.of_inputs(network.sizes[0], scales.input_bits)
        self.tables: list[TableError] = []
        self.units = [_unit(tensor, scales.output_decimals) for tensor in graph.outputs]
        self._precision = scales.weight + scales.activation
        self._readers = network.readers()
        self._goals = _goals(network, self.units, self._readers)
        self.wires = [self._inputs()]

    def _inputs(self) -> Wire:
        """Value 0: the words as they are. What is a large number gets weights that are as much finer."""
        tensors = self._graph.inputs
        units = [_unit(tensor, self._scales.input_decimals) for tensor in tensors]
        factor = (
            units[0]
            if len(set(units)) == 1
            else np.repeat(units, [tensor.size for tensor in tensors]).astype(float)
        )
        grain = max(*units, 2.0 ** (self._scales.input_bits - 2))
        return Wire(0, factor, grain, self.circuit.intervals[0])

    def output(self, wire: Wire, unit: float) -> Wire:
        """The numbers in the unit of an output."""
        return self.circuit.counted(self._even(wire), unit, self._precision)

    def layer(
        self,
        value: int,
        operation: Operation,
        sources: list[Wire],
        name: str,
    ) -> Wire:
        """The wire of the network's value `value`."""
        x, goal = sources[0], self._goals.get(value)
        match operation:
            case Linear():
                return self._linear(value, operation, x, goal)
            case Add():
                return self._add(value, operation, *sources)
            case Rectify():
                return self._rectify(value, operation, x, goal)
            case Curve():
                return self._curve(value, operation, x, goal, name)
            case Largest(groups):
                return self.circuit.wire(self.circuit.put(ArgMax(groups), self._even(x).value), 1.0)
            case Pick(index):
                return self._pick(index, x)
            case Join():
                parts = self._aligned([self._even(part) for part in sources])
                made = self.circuit.put(Concat(), *(part.value for part in parts))
                return self.circuit.wire(made, parts[0].factor)
            case _:
                assert_never(operation)

    def _linear(self, value: int, layer: Linear, x: Wire, goal: float | None) -> Wire:
        made = weigh(self.circuit, x, layer, self._scales, goal)
        # an activation rounds by itself
        if goal is None or any(self._is_rectify(reader) for reader in self._readers[value]):
            return made
        return self.circuit.counted(made, goal, self._precision)

    def _pick(self, index: np.ndarray, x: Wire) -> Wire:
        factor = x.factor
        if isinstance(factor, np.ndarray):
            factor = factor[index]
            factor = float(factor[0]) if np.ptp(factor) == 0 else factor
        made = self.circuit.put(Gather(index), x.value)
        return Wire(made, factor, x.grain, self.circuit.intervals[made])

    def _is_rectify(self, value: int) -> bool:
        return value > 0 and isinstance(self._network.layers[value - 1].operation, Rectify)

    def _rectify(self, value: int, layer: Rectify, x: Wire, goal: float | None) -> Wire:
        x = self._even(x)
        if x.interval.low >= 0:
            return x
        shift = excess(x, self._scales.activation)
        if goal is not None and (t := steps(x.one, goal)) is not None:
            shift = t
        elif layer.exact or self._narrows(value):
            shift = 0
        return self.circuit.wire(self.circuit.put(Relu(shift), x.value), x.one / 2**shift)

    def _narrows(self, value: int) -> bool:
        """Do few sums follow? Then rounding many numbers costs more than it saves in the sums."""
        sizes = self._network.sizes
        readers = self._readers[value]
        sums = all(
            reader > 0 and isinstance(self._network.layers[reader - 1].operation, Linear)
            for reader in readers
        )
        return sums and 4 * sum(sizes[reader] for reader in readers) <= sizes[value]

    def _curve(self, value: int, layer: Curve, x: Wire, goal: float | None, name: str) -> Wire:
        """Counted down from the upper end, clamped at both, and looked up."""
        x = self._even(x)
        alone = self._alone(value, x)
        scales, circuit = self._scales, self.circuit
        shift = excess(x, min(scales.activation, MAX_DOMAIN_BITS - 6))
        factor = x.one / 2**shift
        unit = goal or 2.0**scales.activation
        table = best_table(layer.kind, scales.table, factor, unit)
        self.tables.append(TableError(name, layer.kind, table.error))
        half = table.domain // 2
        moved = circuit.shifted(x, half << shift, alone)
        if moved.interval.low < 0:
            low = circuit.wire(circuit.put(Relu(shift), moved.value), factor)
        else:
            low = circuit.wire(circuit.put(Round(shift), moved.value), factor) if shift else moved
        down = circuit.scaled(low, -1, table.domain - 1, factor)
        if down.interval.low < 0:
            down = circuit.wire(circuit.put(Relu(), down.value), factor)
        return circuit.wire(circuit.put(Lookup(table.step_bits, table.knots), down.value), unit)

    def _alone(self, value: int, x: Wire) -> bool:
        """Does only this value, made of x, still read x? Values that differ in their unit share one wire."""
        if self._readers[self._network.layers[value - 1].sources[0]] != [value]:
            return False
        sharing = (it for it, wire in enumerate(self.wires) if wire.value == x.value)
        return all(0 < reader <= value for it in sharing for reader in self._readers[it])

    def _add(self, value: int, layer: Add, u: Wire, v: Wire) -> Wire:
        u, v = self._even(u), self._even(v)
        weight = self._scales.weight
        while True:
            # each number once as it is, or with weights of its own
            parts = np.array([layer.a / u.one, layer.b / v.one])
            factor = 1 / float(np.abs(parts).min())
            if not whole(parts * factor, 2.0 ** -(weight + 4)):
                factor = max(u.one, v.one) * 2.0**weight
            if float(np.abs(parts) @ [u.reach, v.reach]) * factor < ROOM:
                break
            before = u, v
            u, v = (self.circuit.rounded(wire, self._scales.activation) for wire in before)
            if (u, v) == before:
                break
        a, b = (int(number) for number in np.rint(parts * factor))
        size = self._network.sizes[value]
        if self._weights_after(value) > 2 * size:
            # many sums read it: one number each is cheaper than two in every sum
            both = self.circuit.put(Concat(), u.value, v.value)
            index = np.arange(size)[:, None] + np.array([0, size])
            pair = Affine(np.tile([a, b], (size, 1)), np.zeros(size, np.int64), index)
            return self.circuit.wire(self.circuit.put(pair, both), factor)
        return self.circuit.wire(self.circuit.put(Combine(a, b), u.value, v.value), factor)

    def _weights_after(self, value: int) -> int:
        operations = [self._network.layers[it - 1].operation for it in self._readers[value] if it > 0]
        return sum(operation.weights.size for operation in operations if isinstance(operation, Linear))

    def _aligned(self, wires: list[Wire]) -> list[Wire]:
        """The wires, all with the largest factor of them, or a finer one."""
        factor = max(wire.one for wire in wires)
        if not all(whole(factor / wire.one, 0.0) for wire in wires):
            factor *= 2.0**self._scales.weight
        return [self.circuit.counted(wire, factor, self._precision) for wire in wires]

    def _even(self, wire: Wire) -> Wire:
        """All elements in one unit: inputs of different decimals are brought to the finest."""
        if not isinstance(wire.factor, np.ndarray):
            return wire
        factor = wire.one
        weights = np.rint(factor / wire.factor).astype(np.int64)[:, None]
        index = np.arange(len(weights))[:, None]
        made = self.circuit.put(Affine(weights, np.zeros(len(weights), np.int64), index), wire.value)
        return Wire(made, factor, max(wire.grain, factor), self.circuit.intervals[made])


def _goals(network: Network, units: list[float], readers: list[list[int]]) -> dict[int, float]:
    """Values read only by outputs of one unit, perhaps through layers that keep it, and that unit."""
    goals: dict[int, float] = {}
    for value in range(len(network.layers), -1, -1):
        wanted = {unit for output, unit in zip(network.outputs, units, strict=True) if output == value}
        for reader in readers[value]:
            if reader > 0 and not isinstance(operation := network.layers[reader - 1].operation, Largest):
                wanted.add(goals.get(reader, 0.0) if _keeps_unit(operation) else 0.0)
        if len(wanted) == 1 and (unit := wanted.pop()):
            goals[value] = unit
    return goals


def _keeps_unit(operation: Operation) -> bool:
    """Does it make whole words of whole words?"""
    if isinstance(operation, Linear):
        signs = np.isin(operation.weights, (-1.0, 0.0, 1.0)).all()
        return bool(signs and (operation.bias == np.rint(operation.bias)).all())
    return isinstance(operation, Pick | Join | Rectify)
