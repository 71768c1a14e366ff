"""Classifiers: nodes of `ai.onnx.ml`, ArgMax, and what comes before and after it."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from vouch.prover.lowering.context import Context, Handler, Softened
from vouch.prover.lowering.errors import UnsupportedNode
from vouch.prover.lowering.matrix import dense
from vouch.prover.lowering.network import Curve, Largest, Linear, Pick
from vouch.prover.lowering.read import FloatNode


def _scaler(context: Context, node: FloatNode) -> None:
    value, shape = context.value(node, 0)
    offset = np.broadcast_to(np.asarray(node.attributes.get("offset", [0.0]), float), shape)
    scale = np.broadcast_to(np.asarray(node.attributes.get("scale", [1.0]), float), shape)
    context.made(node, context.each(node, value, scale, -offset * scale))


def _scores(context: Context, node: FloatNode) -> tuple[int, np.ndarray, np.ndarray]:
    """The linear part of a classifier or regressor; also its weights [classes, features] and intercepts."""
    value, shape = context.value(node, 0)
    if len(shape) != 2 or shape[0] != 1:
        raise UnsupportedNode(
            node.name, node.operator, f"it reads the shape {list(shape)}, not [1, features]"
        )
    weights = np.asarray(node.attributes["coefficients"], float).reshape(-1, shape[1])
    intercepts = np.asarray(node.attributes.get("intercepts") or np.zeros(len(weights)), float)
    made = dense(context, node, value, np.arange(shape[1])[None], weights.T, intercepts)
    return made, weights, intercepts


def _linear_regressor(context: Context, node: FloatNode) -> None:
    if (post := node.attributes.get("post_transform", "NONE")) != "NONE":
        raise UnsupportedNode(
            node.name, node.operator, f"post_transform {post!r} is not supported, only NONE"
        )
    context.made(node, _scores(context, node)[0])


def _linear_classifier(context: Context, node: FloatNode) -> None:
    """Output 0 is the class, output 1 the scores; only what is read is computed."""
    post = node.attributes.get("post_transform", "NONE")
    if post not in {"NONE", "LOGISTIC", "SOFTMAX"}:
        raise UnsupportedNode(
            node.name,
            node.operator,
            f"post_transform {post!r} is not supported, only NONE, LOGISTIC, SOFTMAX",
        )
    labels = node.attributes.get("classlabels_ints") or []
    raw, weights, intercepts = _scores(context, node)
    one = len(weights) == 1
    opposite = (
        len(weights) == 2
        and np.array_equal(weights[0], -weights[1])
        and np.array_equal(intercepts[0], -intercepts[1])
    )
    if context.wanted(node, 0):
        if not labels:
            raise UnsupportedNode(
                node.name, node.operator, "its classes are strings: train it on class indices 0 … k-1"
            )
        # one score says the second class if it is positive
        pair = _pair(context, node, raw, (0.0, 1.0), 0.0) if one else raw
        context.made(node, _labelled(context, node, context.add(node, Largest(1), pair), labels))
    if not context.wanted(node, 1):
        return
    if post == "SOFTMAX" and not one:
        context.made(node, Softened(raw, 1, node), 1)
    elif post == "LOGISTIC" and (one or opposite):
        second = raw if one else context.add(node, Pick(np.array([1])), raw)
        likely = context.add(node, Curve("sigmoid"), second)
        context.made(node, _pair(context, node, likely, (-1.0, 1.0), 1.0), 1)
        context.normal.add(node.outputs[1])
    elif post == "LOGISTIC":
        context.made(node, context.add(node, Curve("sigmoid"), raw), 1)
    else:
        context.made(node, _pair(context, node, raw, (-1.0, 1.0), 1.0) if one else raw, 1)


def _pair(
    context: Context, node: FloatNode, value: int, factors: tuple[float, float], constant: float
) -> int:
    """From one number x: factors[0] * x + constant and factors[1] * x."""
    layer = Linear(np.array(factors)[:, None], np.array([constant, 0.0]), np.zeros((2, 1), np.int64))
    return context.add(node, layer, value)


def _labelled(context: Context, node: FloatNode, index: int, labels: list[int]) -> int:
    """The classes' numbers instead of their places."""
    if list(labels) == list(range(len(labels))):
        return index
    if len(labels) == 2:
        return context.each(node, index, labels[1] - labels[0], labels[0])
    raise UnsupportedNode(
        node.name,
        node.operator,
        f"its classes are {labels[:5]}; train it on the indices 0 … {len(labels) - 1}",
    )


def _feature(context: Context, node: FloatNode) -> None:
    """Looks a class up by its index."""
    labels = np.asarray(context.fixed(node, 0)).reshape(-1)
    if (labels != np.round(labels)).any():
        raise UnsupportedNode(node.name, node.operator, "it looks up fractions; use whole numbers")
    index, _ = context.value(node, 1)
    if not context.whole(index) or context.network.sizes[index] != 1:
        raise UnsupportedNode(node.name, node.operator, "it can only follow ArgMax")
    context.made(node, _labelled(context, node, index, [int(label) for label in labels]))


def _normalizer(context: Context, node: FloatNode) -> None:
    """Probabilities that sum to one already."""
    name = node.inputs[0]
    found = context.values.get(name)
    if node.attributes.get("norm", "MAX") == "L1":
        if isinstance(found, Softened):
            context.made(node, found)
            return
        if name in context.normal:
            context.made(node, context.real(name))
            context.normal.add(node.outputs[0])
            return
    raise UnsupportedNode(
        node.name,
        node.operator,
        "it divides by a computed number: give out the class or the scores before it instead",
    )


def _softmax(context: Context, node: FloatNode) -> None:
    value, shape = context.value(node, 0)
    axis = node.attributes.get("axis", -1 if node.version >= 13 else 1) % len(shape)
    if node.version < 13 and axis != len(shape) - 1:
        raise UnsupportedNode(node.name, node.operator, "over several axes at once; use opset 13 or later")
    context.made(node, Softened(value, axis, node))


def _arg_max(context: Context, node: FloatNode) -> None:
    if node.attributes.get("select_last_index", 0):
        raise UnsupportedNode(node.name, node.operator, "select_last_index is not supported")
    name = node.inputs[0]
    shape = context.shapes[name]
    axis = node.attributes.get("axis", 0) % len(shape)
    found = context.values.get(name)
    if isinstance(found, Softened) and found.axis == axis:
        value = found.value
    else:
        value, _ = context.value(node, 0)
    if shape[axis] < 2:
        raise UnsupportedNode(node.name, node.operator, "it chooses from one element")
    if axis != len(shape) - 1:
        order = np.moveaxis(np.arange(context.network.sizes[value]).reshape(shape), axis, -1)
        value = context.add(node, Pick(order.reshape(-1)), value)
    groups = context.network.sizes[value] // shape[axis]
    context.made(node, context.add(node, Largest(groups), value))


HANDLERS: Final[Mapping[str, Handler]] = {
    "ai.onnx.ml.Scaler": _scaler,
    "ai.onnx.ml.LinearRegressor": _linear_regressor,
    "ai.onnx.ml.LinearClassifier": _linear_classifier,
    "ai.onnx.ml.ArrayFeatureExtractor": _feature,
    "ai.onnx.ml.Normalizer": _normalizer,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "ArgMax": _arg_max,
}
"""By operator."""
