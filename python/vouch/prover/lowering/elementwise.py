"""Nodes that treat each element by itself: sums, factors, and the usual activations."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from vouch.prover.lowering.context import Context, Handler
from vouch.prover.lowering.errors import UnsupportedNode
from vouch.prover.lowering.network import Add, Curve, Rectify
from vouch.prover.lowering.read import FloatNode


def _sum(context: Context, node: FloatNode, sign: float = 1.0) -> None:
    """u + sign * v, one of them may be a constant."""
    target = context.shape(node)
    left, right = context.constant(node, 0), context.constant(node, 1)
    if left is None and right is None:
        u, v = (context.spread(node, *context.value(node, i), target) for i in (0, 1))
        context.made(node, context.add(node, Add(1.0, sign), u, v))
    elif right is not None:
        u = context.spread(node, *context.value(node, 0), target)
        context.made(node, context.each(node, u, 1.0, sign * np.broadcast_to(right, target)))
    elif left is not None:
        v = context.spread(node, *context.value(node, 1), target)
        context.made(node, context.each(node, v, sign, np.broadcast_to(left, target)))


def _difference(context: Context, node: FloatNode) -> None:
    _sum(context, node, -1.0)


def _product(context: Context, node: FloatNode) -> None:
    target = context.shape(node)
    left, right = context.constant(node, 0), context.constant(node, 1)
    factor, position = (right, 0) if right is not None else (left, 1)
    if factor is None:
        raise UnsupportedNode(
            node.name, node.operator, "it multiplies two computed tensors; only constants can be factors"
        )
    value = context.spread(node, *context.value(node, position), target)
    context.made(node, context.each(node, value, np.broadcast_to(factor, target), 0.0))


def _quotient(context: Context, node: FloatNode) -> None:
    divisor = context.constant(node, 1)
    if divisor is None:
        raise UnsupportedNode(node.name, node.operator, "it divides by a computed tensor; only constants can")
    if not divisor.all():
        raise UnsupportedNode(node.name, node.operator, "it divides by zero")
    context.uncut(node, np.abs(divisor).max())
    target = context.shape(node)
    value = context.spread(node, *context.value(node, 0), target)
    context.made(node, context.each(node, value, np.broadcast_to(1 / divisor, target), 0.0))


def _negative(context: Context, node: FloatNode) -> None:
    context.made(node, context.each(node, context.value(node, 0)[0], -1.0, 0.0))


def _relu(context: Context, node: FloatNode) -> None:
    context.made(node, context.add(node, Rectify(), context.value(node, 0)[0]))


def _leaky_relu(context: Context, node: FloatNode) -> None:
    """alpha * x + (1 - alpha) * max(0, x)."""
    alpha = float(node.attributes.get("alpha", 0.01))
    if alpha in {0.0, 1.0}:
        value, _ = context.value(node, 0)
        context.made(node, value if alpha else context.add(node, Rectify(), value))
        return
    value, _ = context.value(node, 0)
    positive = context.add(node, Rectify(exact=True), value)
    context.made(node, context.add(node, Add(alpha, 1.0 - alpha), value, positive))


def _absolute(context: Context, node: FloatNode) -> None:
    """2 * max(0, x) - x."""
    value, _ = context.value(node, 0)
    positive = context.add(node, Rectify(exact=True), value)
    context.made(node, context.add(node, Add(-1.0, 2.0), value, positive))


def _curve(context: Context, node: FloatNode) -> None:
    curve = Curve("sigmoid" if node.operator == "Sigmoid" else "tanh")
    context.made(node, context.add(node, curve, context.value(node, 0)[0]))


def _clip(context: Context, node: FloatNode) -> None:
    """Bounds are inputs since opset 11, attributes before; either may be missing."""
    bounds: list[float | None] = []
    for position, key in ((1, "min"), (2, "max")):
        if context.given(node, position):
            name = node.inputs[position]
            known = context.graph.constants.get(name)
            if known is None or np.asarray(known).size != 1:
                raise UnsupportedNode(node.name, node.operator, f"its bound {name!r} must be one constant")
            bounds.append(float(np.asarray(known).reshape(-1)[0]))
        else:
            bounds.append(node.attributes.get(key))
    context.made(node, clamp(context, node, context.value(node, 0)[0], *bounds))


def clamp(context: Context, node: FloatNode, value: int, low: float | None, high: float | None) -> int:
    """min(max(x, low), high); None and numbers beyond FP32's size are no bound."""
    low, high = (None if bound is None or abs(bound) > 3e38 else bound for bound in (low, high))
    if low is not None:
        shifted = value if low == 0 else context.each(node, value, 1.0, -low)
        value = context.add(node, Rectify(), shifted)
    if high is not None:
        # with a lower bound, the numbers are already counted from it
        rest = context.each(node, value, -1.0, high - (low or 0.0))
        value = context.add(node, Rectify(exact=low is not None), rest)
        return context.each(node, value, -1.0, high)
    return value if not low else context.each(node, value, 1.0, low)


def _hard_sigmoid(context: Context, node: FloatNode) -> None:
    """alpha * x + beta in [0, 1]."""
    alpha, beta = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    inner = context.each(node, context.value(node, 0)[0], alpha, beta)
    context.made(node, clamp(context, node, inner, 0.0, 1.0))


def _extreme(context: Context, node: FloatNode, sign: float) -> None:
    """The largest (sign 1) or smallest (sign -1) of two or more tensors."""
    target = context.shape(node)
    found: int | None = None
    for position in range(len(node.inputs)):
        known = context.constant(node, position)
        if known is not None:
            raise UnsupportedNode(node.name, node.operator, "one input is a constant: use Clip for that")
        value = context.spread(node, *context.value(node, position), target)
        part = value if sign > 0 else context.each(node, value, -1.0, 0.0)
        found = part if found is None else context.larger(node, found, part)
    if found is None or math.prod(target) == 0:
        raise UnsupportedNode(node.name, node.operator, "it has no inputs")
    context.made(node, found if sign > 0 else context.each(node, found, -1.0, 0.0))


def _maximum(context: Context, node: FloatNode) -> None:
    _extreme(context, node, 1.0)


def _minimum(context: Context, node: FloatNode) -> None:
    _extreme(context, node, -1.0)


HANDLERS: Final[Mapping[str, Handler]] = {
    "Add": _sum,
    "Sub": _difference,
    "Mul": _product,
    "Div": _quotient,
    "Neg": _negative,
    "Relu": _relu,
    "LeakyRelu": _leaky_relu,
    "Abs": _absolute,
    "Sigmoid": _curve,
    "Tanh": _curve,
    "Clip": _clip,
    "HardSigmoid": _hard_sigmoid,
    "Max": _maximum,
    "Min": _minimum,
}
"""By operator."""
