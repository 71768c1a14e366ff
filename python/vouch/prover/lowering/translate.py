"""Every node of a graph in the operations of a network."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from vouch.prover.lowering import classic, elementwise, matrix, moves, spatial
from vouch.prover.lowering.context import Context, Handler
from vouch.prover.lowering.errors import UnsupportedNode, UnsupportedTensor
from vouch.prover.lowering.network import Network, Pick
from vouch.prover.lowering.read import Graph

_HANDLERS: Final[Mapping[str, Handler]] = {
    **moves.HANDLERS,
    **elementwise.HANDLERS,
    **matrix.HANDLERS,
    **spatial.HANDLERS,
    **classic.HANDLERS,
}

_HINTS: Final[Mapping[str, str]] = {
    "Exp": "give out what it is computed from and take the exponential in the consumer",
    "Erf": "train with Relu, LeakyRelu, Tanh or Sigmoid instead of GELU",
    "LSTM": "unroll the recurrence into Gemm, Sigmoid and Tanh nodes when exporting",
    "GRU": "unroll the recurrence into Gemm, Sigmoid and Tanh nodes when exporting",
    "ai.onnx.ml.ZipMap": "convert the classifier with options={'zipmap': False}",
    "ai.onnx.ml.TreeEnsembleClassifier": "trees are not supported: train a linear model or a small network",
    "ai.onnx.ml.TreeEnsembleRegressor": "trees are not supported: train a linear model or a small network",
}


def supported() -> tuple[str, ...]:
    """Operators that can be lowered, in alphabetical order."""
    return tuple(sorted(_HANDLERS))


def translate(graph: Graph) -> Network:
    """Raises UnsupportedNode, UnsupportedTensor."""
    for node in graph.nodes:
        if node.operator not in _HANDLERS:
            hint = _HINTS.get(node.operator, "rewrite the model without it")
            reason = f"this operator is not supported: {hint} (supported: {', '.join(supported())})"
            raise UnsupportedNode(node.name, node.operator, reason)
    network = Network([sum(tensor.size for tensor in graph.inputs)])
    context = Context(graph, network)
    start = 0
    for tensor in graph.inputs:
        index = np.arange(start, start + tensor.size)
        value = 0 if len(graph.inputs) == 1 else network.add(Pick(index), [0], f"input {tensor.name}")
        context.define(tensor.name, value, tensor.shape)
        start += tensor.size
    for node in graph.nodes:
        _HANDLERS[node.operator](context, node)
    for tensor in graph.outputs:
        if tensor.name in graph.constants:
            raise UnsupportedTensor(tensor.name, "the same for every input", "leave this output out")
        value = context.real(tensor.name)
        if tensor.whole and not context.whole(value):
            raise UnsupportedTensor(
                tensor.name, "an integer that is cut off from a real number", "give the number itself"
            )
        network.outputs.append(value)
    return network
