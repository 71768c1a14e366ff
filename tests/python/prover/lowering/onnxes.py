"""Small ONNX files, and their networks in floating point with a bound on what rounding costs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vouch.circuit.reference import reference_run
from vouch.prover.lowering.emit import emit
from vouch.prover.lowering.network import Add, Curve, Join, Largest, Linear, Network, Operation, Pick, Rectify
from vouch.prover.lowering.read import load, run, session
from vouch.prover.lowering.scales import Scales
from vouch.prover.lowering.simplify import simplify
from vouch.prover.lowering.table import curve
from vouch.prover.lowering.translate import translate

FINE = Scales(activation=12, weight=12, input_bits=24, table=9)

Node = onnx.NodeProto
node = helper.make_node


def make(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str]],
    weights: Mapping[str, np.ndarray] | None = None,
    *,
    outputs: Sequence[str] = ("y",),
    dtypes: Mapping[str, int] | None = None,
    opset: int = 17,
) -> bytes:
    """A file with FP32 tensors, unless `dtypes` says else; outputs have any shape."""
    kinds = dtypes or {}
    made = helper.make_graph(
        nodes,
        "g",
        [
            helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), shape)
            for name, shape in inputs.items()
        ],
        [helper.make_tensor_value_info(name, kinds.get(name, TensorProto.FLOAT), None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()],
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    model: onnx.ModelProto = helper.make_model(made, opset_imports=imports, ir_version=9)
    return bytes(model.SerializeToString())


def f32(*shape: int, seed: int = 1, size: float = 1.0) -> np.ndarray:
    """Normal numbers."""
    return (np.random.default_rng(seed).normal(size=shape) * size).astype(np.float32)


@dataclass(frozen=True)
class Compared:
    """Rows through onnxruntime and through the integer model, all outputs one after the other, in reals.

    bound: what rounding may cost at most. nodes: the integer model's operations.
    """

    expected: np.ndarray
    received: np.ndarray
    bound: np.ndarray
    nodes: list[str]
    weights: int


def compare(data: bytes, rows: Sequence[Mapping[str, np.ndarray]], scales: Scales = FINE) -> Compared:
    """Runs both; the NumPy run and the reference must agree, and so must the network in floating point."""
    graph = load(data)
    network = simplify(translate(graph))
    lowered = emit(graph, network, scales)
    model = lowered.model
    errors = {table.kind: table.error for table in lowered.tables}
    units = np.repeat([10.0**port.decimals for port in model.outputs], [port.size for port in model.outputs])
    ones = np.repeat([10.0**port.decimals for port in model.inputs], [port.size for port in model.inputs])
    expected, received, bounds = [], [], []
    loaded = session(data)
    for row in rows:
        flat = np.concatenate([np.asarray(row[tensor.name], float).reshape(-1) for tensor in graph.inputs])
        words = np.rint(flat * ones).astype(np.int64)
        got = model.run(words)
        assert got.tolist() == reference_run(model, words.tolist())
        made = run(loaded, [tensor.name for tensor in graph.outputs], row)
        wanted = np.concatenate([np.asarray(array, float).reshape(-1) for array in made])
        # whole numbers are exact words
        exact, bound = in_floats(network, flat, np.where(ones == 1, 0, 0.5 / ones), scales, errors)
        assert np.allclose(exact, wanted, rtol=1e-4, atol=1e-4 * max(1.0, np.abs(wanted).max()))
        expected.append(wanted)
        received.append(got / units)
        bounds.append(bound + 1.5 / units + 1e-4 * np.maximum(1.0, np.abs(wanted).max()))
    weights = sum(node.op.weights.size for node in model.nodes if hasattr(node.op, "weights"))
    return Compared(
        np.array(expected),
        np.array(received),
        np.array(bounds),
        [type(node.op).__name__ for node in model.nodes],
        weights,
    )


def close(data: bytes, rows: Sequence[Mapping[str, np.ndarray]], scales: Scales = FINE) -> Compared:
    """Compares, and wants every output within its bound."""
    compared = compare(data, rows, scales)
    distance = np.abs(compared.expected - compared.received)
    assert (distance <= compared.bound).all(), (distance.max(), compared.bound[distance > compared.bound])
    return compared


def in_floats(
    network: Network, x: np.ndarray, error: np.ndarray, scales: Scales, tables: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Outputs of a network in float64, and a bound on the integer model's distance from them."""
    values, errors = [x], [error]
    for layer in network.layers:
        sources = [(values[it], errors[it]) for it in layer.sources]
        value, bound = _apply(layer.operation, sources, scales, tables)
        values.append(value)
        errors.append(bound)
    return (
        np.concatenate([values[output] for output in network.outputs]),
        np.concatenate([errors[output] for output in network.outputs]),
    )


def _apply(
    operation: Operation,
    sources: list[tuple[np.ndarray, np.ndarray]],
    scales: Scales,
    tables: Mapping[str, float],
) -> tuple[np.ndarray, np.ndarray]:
    (x, e), weight, bit = sources[0], 2.0**-scales.weight, 2.0**-scales.activation
    match operation:
        case Linear(weights, bias, index):
            x, e = (
                (np.broadcast_to(x, weights.shape), np.broadcast_to(e, weights.shape))
                if index is None
                else (x[index], e[index])
            )
            size = np.abs(weights)
            # the source may be rounded first; then every weight is off by half a unit, and the bias by one
            spread = size * (e + bit) + (np.abs(x) + e + bit) * weight * (0.5 + size / 8)
            return (weights * x).sum(1) + bias, spread.sum(1) + weight + bit
        case Add(a, b):
            y, f = sources[1]
            spread = sum(
                abs(c) * (d + bit) + (np.abs(v) + d + bit) * weight * (0.5 + abs(c) / 8)
                for c, v, d in ((a, x, e), (b, y, f))
            )
            return a * x + b * y, np.asarray(spread)
        case Rectify():
            return np.maximum(x, 0), e + bit
        case Curve(kind):
            return curve(kind, x), e + 2.0 ** -min(scales.activation, 14) + tables[kind] + bit
        case Pick(index):
            return x[index], e[index]
        case Join():
            return np.concatenate([v for v, _ in sources]), np.concatenate([d for _, d in sources])
        case Largest(groups):
            grouped = x.reshape(groups, -1)
            best = grouped.argmax(1)
            # two that are nearly equal may change places
            close_by = grouped >= grouped.max(1, keepdims=True) - 2 * e.reshape(groups, -1).max() - 1e-4
            return best.astype(float), np.where(close_by.sum(1) > 1, math.inf, 0.0)


def rows_of(seed: int, count: int = 8, size: float = 1.0, **shapes: Sequence[int]) -> list[dict[str, Any]]:
    """Normal inputs by tensor name."""
    random = np.random.default_rng(seed)
    return [
        {name: (random.normal(size=tuple(shape)) * size).astype(np.float32) for name, shape in shapes.items()}
        for _ in range(count)
    ]


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def classifier(
    coefficients: list[float], intercepts: list[float], labels: list[int], post: str
) -> onnx.NodeProto:
    """A LinearClassifier called "classify" from "x" to "label" and "scores"."""
    return node(
        "LinearClassifier",
        ["x"],
        ["label", "scores"],
        name="classify",
        domain="ai.onnx.ml",
        coefficients=[float(number) for number in coefficients],
        intercepts=[float(number) for number in intercepts],
        classlabels_ints=labels,
        post_transform=post,
    )
