"""What the translation of a node can ask and say: the values of its inputs, and what it makes of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vouch.prover.lowering.errors import UnsupportedNode
from vouch.prover.lowering.network import (
    Add,
    Join,
    Largest,
    Linear,
    Network,
    Operation,
    Pick,
    Rectify,
)
from vouch.prover.lowering.read import FloatNode, Graph


@dataclass(frozen=True, slots=True)
class Softened:
    """A softmax that is not computed: it keeps the order of `value` along `axis`, all that ArgMax needs."""

    value: int
    axis: int
    node: FloatNode


@dataclass(slots=True)
class Context:
    """The graph that is read and the network that grows from it."""

    graph: Graph
    network: Network
    values: dict[str, int | Softened] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    normal: set[str] = field(default_factory=set)
    """Tensors whose elements are positive and sum to one."""

    def define(self, name: str, value: int | Softened, shape: tuple[int, ...]) -> None:
        self.values[name], self.shapes[name] = value, shape

    def made(self, node: FloatNode, value: int | Softened, output: int = 0) -> None:
        """Says what an output of a node is."""
        name = node.outputs[output]
        self.define(name, value, self.graph.shapes[name])

    def add(self, node: FloatNode, operation: Operation, *sources: int) -> int:
        return self.network.add(operation, sources, node.name)

    def wanted(self, node: FloatNode, output: int) -> bool:
        """Does the node have this output? Unused ones may be absent or empty."""
        if len(node.outputs) <= output or not node.outputs[output]:
            return False
        name = node.outputs[output]
        read = any(name in other.inputs for other in self.graph.nodes)
        return read or any(name == tensor.name for tensor in self.graph.outputs)

    def given(self, node: FloatNode, position: int) -> bool:
        return len(node.inputs) > position and node.inputs[position] != ""

    def constant(self, node: FloatNode, position: int) -> np.ndarray | None:
        """An input as a constant, float64; None if it is computed. Raises UnsupportedNode if it is absent."""
        if not self.given(node, position):
            raise UnsupportedNode(node.name, node.operator, f"its input {position} is missing")
        found = self.graph.constants.get(node.inputs[position])
        if found is None:
            return None
        array = np.asarray(found, np.float64)
        if not np.isfinite(array).all():
            raise UnsupportedNode(
                node.name, node.operator, f"its constant {node.inputs[position]!r} holds NaN or infinity"
            )
        return array

    def fixed(self, node: FloatNode, position: int) -> np.ndarray:
        """An input that must be a constant. Raises UnsupportedNode."""
        found = self.constant(node, position)
        if found is None:
            raise UnsupportedNode(
                node.name,
                node.operator,
                f"its input {node.inputs[position]!r} must be a constant, not computed",
            )
        return found

    def value(self, node: FloatNode, position: int) -> tuple[int, tuple[int, ...]]:
        """A computed input and its shape. Raises UnsupportedNode."""
        if not self.given(node, position) or node.inputs[position] in self.graph.constants:
            raise UnsupportedNode(node.name, node.operator, f"its input {position} must be computed")
        name = node.inputs[position]
        return self.real(name), self.shapes[name]

    def real(self, name: str) -> int:
        """A tensor's value. Raises UnsupportedNode for a softmax."""
        found = self.values[name]
        if isinstance(found, Softened):
            raise UnsupportedNode(
                found.node.name,
                found.node.operator,
                "its probabilities are not supported, only ArgMax right after it: give out its input "
                f"(the logits) or the class, and leave the output {name!r} out",
            )
        return found

    def uncut(self, node: FloatNode, divisor: float) -> None:
        """Raises UnsupportedNode for a division of integers that leaves a rest, which ONNX cuts off."""
        if node.outputs[0] in self.graph.integers and divisor != 1:
            raise UnsupportedNode(
                node.name,
                node.operator,
                "it divides integers and cuts off the rest: put a Cast to float before it",
            )

    def shape(self, node: FloatNode, output: int = 0) -> tuple[int, ...]:
        """Of what a node makes."""
        return self.graph.shapes[node.outputs[output]]

    def spread(self, node: FloatNode, value: int, shape: tuple[int, ...], target: tuple[int, ...]) -> int:
        """The value repeated to a larger shape, as ONNX broadcasts."""
        if shape == target or math.prod(shape) == math.prod(target):
            return value
        index = np.broadcast_to(np.arange(math.prod(shape)).reshape(shape), target)
        return self.add(node, Pick(index.reshape(-1)), value)

    def each(self, node: FloatNode, value: int, factor: Any, constant: Any) -> int:
        """factor * x + constant, element by element; both are one number or one for each element."""
        size = self.network.sizes[value]
        weights = np.broadcast_to(np.asarray(factor, np.float64).reshape(-1, 1), (size, 1))
        bias = np.broadcast_to(np.asarray(constant, np.float64).reshape(-1), (size,))
        return self.add(node, Linear(weights, bias, np.arange(size)[:, None]), value)

    def larger(self, node: FloatNode, left: int, right: int) -> int:
        """max(left, right) = left + max(0, right - left)."""
        difference = self.add(node, Add(1.0, -1.0), right, left)
        return self.add(node, Add(1.0, 1.0), left, self.add(node, Rectify(exact=True), difference))

    def whole(self, value: int) -> bool:
        """Is this value made of integers only?"""
        tensors = self.graph.inputs
        if value == 0:
            return all(tensor.whole for tensor in tensors)
        layer = self.network.layers[value - 1]
        match layer.operation:
            case Largest():
                return True
            case Pick(index) if layer.sources == (0,):
                starts = np.cumsum([tensor.size for tensor in tensors])
                read = set(np.searchsorted(starts, index, side="right").tolist())
                return all(tensors[i].whole for i in read)
            case Linear(weights, bias, _):
                exact = np.array_equal(weights, np.round(weights)) and np.array_equal(bias, np.round(bias))
                return exact and self.whole(layer.sources[0])
            case Pick() | Join() | Rectify():
                return all(self.whole(source) for source in layer.sources)
            case _:
                return False


Handler = Callable[[Context, FloatNode], None]
