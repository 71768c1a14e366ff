"""Nodes that multiply by a constant matrix."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from vouch.prover.lowering.context import Context, Handler
from vouch.prover.lowering.errors import UnsupportedNode
from vouch.prover.lowering.network import Add, Linear
from vouch.prover.lowering.read import FloatNode

_TWO_COMPUTED: Final = (
    "it multiplies two computed tensors (as attention does); only constants can be weights: use dense or "
    "convolution layers"
)


def dense(
    context: Context, node: FloatNode, value: int, numbers: np.ndarray, weights: np.ndarray, bias: np.ndarray
) -> int:
    """The value's elements `numbers` [rows, k] times `weights` [k, n] plus `bias` [n]: [rows, n]."""
    rows, each = numbers.shape
    if rows == 1 and each == context.network.sizes[value] and np.array_equal(numbers[0], np.arange(each)):
        return context.add(node, Linear(weights.T, bias), value)
    columns = weights.shape[1]
    return context.add(
        node,
        Linear(np.tile(weights.T, (rows, 1)), np.tile(bias, rows), np.repeat(numbers, columns, axis=0)),
        value,
    )


def _matmul(context: Context, node: FloatNode) -> None:
    left, right = context.constant(node, 0), context.constant(node, 1)
    if left is None and right is None:
        raise UnsupportedNode(node.name, node.operator, _TWO_COMPUTED)
    position = 0 if left is None else 1
    value, shape = context.value(node, position)
    matrix = _matrix(node, left if right is None else right)
    numbers = np.arange(math.prod(shape)).reshape(shape)
    if left is None:
        weights = matrix.reshape(matrix.shape[0], -1)
        made = dense(
            context, node, value, numbers.reshape(-1, shape[-1]), weights, np.zeros(weights.shape[1])
        )
    else:
        made = _from_the_left(context, node, value, numbers, matrix.reshape(-1, matrix.shape[-1]))
    context.made(node, made)


def _from_the_left(
    context: Context, node: FloatNode, value: int, numbers: np.ndarray, weights: np.ndarray
) -> int:
    """weights [m, k] times x [..., k, n] (or [k])."""
    columns = numbers.reshape(-1, 1) if numbers.ndim == 1 else numbers
    columns = columns.reshape(-1, *columns.shape[-2:]).transpose(0, 2, 1)  # [items, n, k]
    items, width, each = columns.shape
    rows = len(weights)
    index = np.broadcast_to(columns[:, None], (items, rows, width, each)).reshape(-1, each)
    spread = np.broadcast_to(weights[None, :, None], (items, rows, width, each)).reshape(-1, each)
    return context.add(node, Linear(spread, np.zeros(len(index)), index), value)


def _matrix(node: FloatNode, constant: np.ndarray | None) -> np.ndarray:
    """Two dimensions, or one; more only if they are one long."""
    if constant is None or constant.ndim == 0 or math.prod(constant.shape[:-2]) != 1:
        shape = None if constant is None else list(constant.shape)
        raise UnsupportedNode(node.name, node.operator, f"its constant has the shape {shape}, not a matrix's")
    return constant.reshape(constant.shape[-2:])


def _gemm(context: Context, node: FloatNode) -> None:
    alpha, beta = node.attributes.get("alpha", 1.0), node.attributes.get("beta", 1.0)
    if context.constant(node, 0) is not None or context.constant(node, 1) is None:
        raise UnsupportedNode(
            node.name, node.operator, "its first input must be computed, its second constant"
        )
    value, shape = context.value(node, 0)
    numbers = np.arange(math.prod(shape)).reshape(shape)
    weights = context.fixed(node, 1)
    if node.attributes.get("transA", 0):
        numbers = numbers.T
    if node.attributes.get("transB", 0):
        weights = weights.T
    target = context.shape(node)
    bias = context.constant(node, 2) if context.given(node, 2) else np.zeros(())
    made = dense(context, node, value, numbers, alpha * weights, np.zeros(weights.shape[1]))
    if bias is None and beta:
        term = context.spread(node, *context.value(node, 2), target)
        made = context.add(node, Add(1.0, beta), made, term)
    elif bias is not None and bias.any():
        made = context.each(node, made, 1.0, beta * np.broadcast_to(bias, target))
    context.made(node, made)


HANDLERS: Final[Mapping[str, Handler]] = {"MatMul": _matmul, "Gemm": _gemm}
"""By operator."""
