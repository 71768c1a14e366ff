"""Nodes that look at windows of images [n, channels, ...], and at whole axes."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from vouch.prover.lowering.context import Context, Handler
from vouch.prover.lowering.errors import UnsupportedNode
from vouch.prover.lowering.network import Curve, Linear, Pick, Rectify
from vouch.prover.lowering.read import FloatNode


def windows(
    node: FloatNode, image: Sequence[int], kernel: Sequence[int], target: Sequence[int]
) -> np.ndarray:
    """Flat positions that each element of `target` sees, int64 [targets, kernel]; -1 is padding."""
    axes = len(kernel)
    strides = node.attributes.get("strides") or [1] * axes
    dilations = node.attributes.get("dilations") or [1] * axes
    pads = _begins(node, image, kernel, target, strides, dilations)
    flat = np.zeros((1, 1), np.int64)
    for axis in range(axes):
        starts = np.arange(target[axis]) * strides[axis] - pads[axis]
        seen = starts[:, None] + np.arange(kernel[axis]) * dilations[axis]
        inside = (seen >= 0) & (seen < image[axis])
        places, taps = flat.shape
        grown = flat[:, None, :, None] * image[axis] + np.where(inside, seen, 0)[None, :, None, :]
        kept = (flat[:, None, :, None] >= 0) & inside[None, :, None, :]
        flat = np.where(kept, grown, -1).reshape(places * target[axis], taps * kernel[axis])
    return flat


def _begins(
    node: FloatNode,
    image: Sequence[int],
    kernel: Sequence[int],
    target: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
) -> list[int]:
    """Padding before the first element of each axis."""
    mode = node.attributes.get("auto_pad", "NOTSET")
    if mode == "NOTSET":
        return list((node.attributes.get("pads") or [0] * 2 * len(kernel))[: len(kernel)])
    begins = []
    for axis, size in enumerate(image):
        reach = (kernel[axis] - 1) * dilations[axis] + 1
        total = max((target[axis] - 1) * strides[axis] + reach - size, 0) if mode != "VALID" else 0
        begins.append(total // 2 if mode == "SAME_UPPER" else total - total // 2)
    return begins


def _conv(context: Context, node: FloatNode) -> None:
    value, shape = context.value(node, 0)
    weights = context.fixed(node, 1)
    bias = context.fixed(node, 2) if context.given(node, 2) else np.zeros(len(weights))
    target = context.shape(node)
    groups = node.attributes.get("group", 1)
    filters, channels = weights.shape[:2]
    seen = windows(node, shape[2:], weights.shape[2:], target[2:])
    places, pixels = len(seen), math.prod(shape[2:])
    # [filter, place, channel of its group, tap]
    first = np.arange(filters) // (filters // groups) * channels
    plane = (first[:, None] + np.arange(channels)) * pixels
    inside = np.broadcast_to((seen >= 0)[None, :, None, :], (filters, places, channels, seen.shape[1]))
    index = np.where(inside, plane[:, None, :, None] + seen[None, :, None, :], 0)
    taps = np.where(inside, weights.reshape(filters, 1, channels, -1), 0.0)
    sums = filters * places
    # every image's pixels follow those of the one before
    starts = np.repeat(np.arange(shape[0]) * shape[1] * pixels, sums)[:, None]
    layer = Linear(
        np.tile(taps.reshape(sums, -1), (shape[0], 1)),
        np.tile(np.repeat(bias, places), shape[0]),
        np.tile(index.reshape(sums, -1), (shape[0], 1)) + starts,
    )
    context.made(node, context.add(node, layer, value))


def _planes(shape: Sequence[int], seen: np.ndarray) -> np.ndarray:
    """The windows in every channel of every image, int64 [n * channels * targets, kernel]; -1 stays."""
    offsets = np.arange(shape[0] * shape[1])[:, None, None] * math.prod(shape[2:])
    return np.where(seen >= 0, seen + offsets, -1).reshape(-1, seen.shape[1])


def _average_pool(context: Context, node: FloatNode) -> None:
    value, shape = context.value(node, 0)
    kernel = node.attributes["kernel_shape"]
    padded = bool(node.attributes.get("count_include_pad", 0))
    if padded and node.attributes.get("ceil_mode", 0):
        raise UnsupportedNode(
            node.name, node.operator, "ceil_mode and count_include_pad together: leave one of them out"
        )
    index = _planes(shape, windows(node, shape[2:], kernel, context.shape(node)[2:]))
    inside = index >= 0
    counts = np.full(len(index), index.shape[1]) if padded else inside.sum(1)
    layer = Linear(inside / counts[:, None], np.zeros(len(index)), np.where(inside, index, 0))
    context.made(node, context.add(node, layer, value))


def _max_pool(context: Context, node: FloatNode) -> None:
    value, shape = context.value(node, 0)
    if context.wanted(node, 1):
        raise UnsupportedNode(node.name, node.operator, "its second output (indices) is not supported")
    kernel = node.attributes["kernel_shape"]
    index = _planes(shape, windows(node, shape[2:], kernel, context.shape(node)[2:]))
    value, after = _before_growing(context, node, value)
    # padding never is the largest: another element of the window takes its place
    some = index.max(1, keepdims=True)
    index = np.where(index >= 0, index, some)
    found = context.add(node, Pick(index[:, 0]), value)
    for tap in range(1, index.shape[1]):
        found = context.larger(node, found, context.add(node, Pick(index[:, tap]), value))
    context.made(node, found if after is None else context.add(node, after, found))


def _before_growing(context: Context, node: FloatNode, value: int) -> tuple[int, Rectify | Curve | None]:
    """What a growing function is taken of, if only this pool reads it: the function can follow, on less."""
    layer = context.network.layers[value - 1] if value else None
    read = sum(node.inputs[0] in other.inputs for other in context.graph.nodes)
    given_out = any(tensor.name == node.inputs[0] for tensor in context.graph.outputs)
    if layer and isinstance(layer.operation, Rectify | Curve) and read == 1 and not given_out:
        return layer.sources[0], layer.operation
    return value, None


def _over(context: Context, node: FloatNode, axes: Sequence[int], mean: bool) -> None:
    """Sums or means over whole axes."""
    value, shape = context.value(node, 0)
    gone = sorted({axis % len(shape) for axis in axes})
    kept = [axis for axis in range(len(shape)) if axis not in gone]
    each = math.prod(shape[axis] for axis in gone)
    if mean:
        context.uncut(node, each)
    numbers = np.arange(math.prod(shape)).reshape(shape).transpose(*kept, *gone).reshape(-1, each)
    weights = np.full(numbers.shape, 1 / each if mean else 1.0)
    context.made(node, context.add(node, Linear(weights, np.zeros(len(numbers)), numbers), value))


def _global_average_pool(context: Context, node: FloatNode) -> None:
    rank = len(context.value(node, 0)[1])
    _over(context, node, range(2, rank), True)


def _reduce(context: Context, node: FloatNode) -> None:
    rank = len(context.value(node, 0)[1])
    # an input since opset 13 (sum) or 18 (mean), an attribute before
    given = context.fixed(node, 1).astype(int).tolist() if context.given(node, 1) else None
    axes = given if given is not None else node.attributes.get("axes") or []
    if not axes and not node.attributes.get("noop_with_empty_axes", 0):
        axes = list(range(rank))
    _over(context, node, axes, node.operator == "ReduceMean")


def _batch_normalization(context: Context, node: FloatNode) -> None:
    if node.attributes.get("training_mode", 0):
        raise UnsupportedNode(node.name, node.operator, "it is in training mode: export with model.eval()")
    value, shape = context.value(node, 0)
    scale, bias, mean, variance = (context.fixed(node, i) for i in range(1, 5))
    factor = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
    along = (len(scale), *[1] * (len(shape) - 2))
    factors = np.broadcast_to(factor.reshape(along), shape)
    constants = np.broadcast_to((bias - mean * factor).reshape(along), shape)
    context.made(node, context.each(node, value, factors, constants))


def _pad(context: Context, node: FloatNode) -> None:
    """A frame of one constant."""
    value, shape = context.value(node, 0)
    if node.attributes.get("mode", "constant") != "constant" or context.given(node, 3):
        raise UnsupportedNode(node.name, node.operator, "only constant padding of all axes is supported")
    pads = context.fixed(node, 1).astype(int) if context.given(node, 1) else np.array(node.attributes["pads"])
    fill = context.fixed(node, 2).item() if context.given(node, 2) else node.attributes.get("value", 0.0)
    numbers = np.arange(math.prod(shape)).reshape(shape)
    if (pads < 0).any():
        raise UnsupportedNode(node.name, node.operator, "negative padding: use Slice to cut")
    width = list(zip(pads[: len(shape)].tolist(), pads[len(shape) :].tolist(), strict=True))
    framed = np.pad(numbers, width, constant_values=-1).reshape(-1, 1)
    inside = framed >= 0
    layer = Linear(inside.astype(float), np.where(inside, 0.0, fill)[:, 0], np.where(inside, framed, 0))
    context.made(node, context.add(node, layer, value))


HANDLERS: Final[Mapping[str, Handler]] = {
    "Conv": _conv,
    "AveragePool": _average_pool,
    "MaxPool": _max_pool,
    "GlobalAveragePool": _global_average_pool,
    "ReduceMean": _reduce,
    "ReduceSum": _reduce,
    "BatchNormalization": _batch_normalization,
    "Pad": _pad,
}
"""By operator."""
