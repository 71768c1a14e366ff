"""Nodes that only move, copy or rename elements."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from vouch.prover.lowering.context import Context, Handler, Softened
from vouch.prover.lowering.errors import UnsupportedNode
from vouch.prover.lowering.network import Join, Linear, Pick
from vouch.prover.lowering.read import FloatNode

_FLOATS: Final = (onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)


def _same(context: Context, node: FloatNode) -> None:
    """The elements stay where they are; the shape may change."""
    found = context.values.get(node.inputs[0])
    if isinstance(found, Softened) and math.prod(context.shape(node)) == max(context.shape(node)):
        # one row of classes is still one, whatever axis it lies on
        axis = int(np.argmax(context.shape(node)))
        context.made(node, Softened(found.value, axis, found.node))
        return
    value, _ = context.value(node, 0)
    context.made(node, value)


def _cast(context: Context, node: FloatNode) -> None:
    value, _ = context.value(node, 0)
    if node.attributes["to"] not in _FLOATS and not context.whole(value):
        raise UnsupportedNode(
            node.name, node.operator, "it cuts off decimals: leave it out, and take decimals in the consumer"
        )
    context.made(node, value)


def _dropout(context: Context, node: FloatNode) -> None:
    """Does nothing at inference."""
    if context.given(node, 2) and context.fixed(node, 2).any():
        raise UnsupportedNode(node.name, node.operator, "it is in training mode: export with model.eval()")
    _same(context, node)


def _moved(context: Context, node: FloatNode) -> None:
    """Whatever the operator does, it does it to the elements' numbers, too."""
    value, shape = context.value(node, 0)
    constants = {
        name: np.asarray(context.graph.constants[name])
        for name in node.inputs[1:]
        if name and context.fixed(node, node.inputs.index(name)) is not None
    }
    spec = onnx.helper.make_node(
        node.operator, [node.inputs[0], *node.inputs[1:]], list(node.outputs), **node.attributes
    )
    made = onnx.helper.make_graph(
        [spec],
        "move",
        [
            onnx.helper.make_tensor_value_info(node.inputs[0], onnx.TensorProto.INT64, shape),
            *(
                onnx.helper.make_tensor_value_info(
                    name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
                )
                for name, array in constants.items()
            ),
        ],
        [onnx.ValueInfoProto(name=name) for name in node.outputs],
    )
    model = onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", node.version)])
    numbers = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
    results = ReferenceEvaluator(model).run(None, {node.inputs[0]: numbers, **constants})
    for output, index in enumerate(results):
        context.made(node, context.add(node, Pick(index.reshape(-1)), value), output)


def _concat(context: Context, node: FloatNode) -> None:
    """Along any axis: one after the other, then in the right order; constants are zeros with a bias."""
    parts, values, start = [], [], 0
    for position in range(len(node.inputs)):
        known = context.constant(node, position)
        if known is None:
            value, shape = context.value(node, position)
        else:
            shape = known.shape
            source = _any_value(context, node)
            zero = np.zeros((known.size, 1))
            index = np.zeros((known.size, 1), np.int64)
            value = context.add(node, Linear(zero, known.reshape(-1), index), source)
        parts.append(np.arange(start, start + math.prod(shape)).reshape(shape))
        start += math.prod(shape)
        values.append(value)
    order = np.concatenate(parts, axis=node.attributes["axis"]).reshape(-1)
    joined = context.add(node, Join(), *values)
    context.made(node, context.add(node, Pick(order), joined))


def _any_value(context: Context, node: FloatNode) -> int:
    position = next(i for i, name in enumerate(node.inputs) if name not in context.graph.constants)
    return context.value(node, position)[0]


HANDLERS: Final[Mapping[str, Handler]] = {
    **dict.fromkeys(("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"), _same),
    **dict.fromkeys(("Transpose", "Slice", "Gather", "Split", "Expand", "Tile"), _moved),
    "Cast": _cast,
    "Dropout": _dropout,
    "Concat": _concat,
}
"""By operator."""
