"""Models whose weights a circuit can hide: what stays readable is the same for other weights."""

from typing import Any

import numpy as np
import pytest
from onnx import NodeProto

from tests.python.prover.lowering.onnxes import FINE, f32, make, node
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine, Scale
from vouch.prover import noir
from vouch.prover.lowering.emit import emit
from vouch.prover.lowering.quantise import quantise
from vouch.prover.lowering.read import load
from vouch.prover.lowering.simplify import simplify
from vouch.prover.lowering.translate import translate

LOGISTIC = [node("Gemm", ["x", "w", "b"], ["t"]), node("Sigmoid", ["t"], ["y"])]
SCORE = [node("Gemm", ["x", "w", "b"], ["y"])]
UNIFORM = [node("Relu", ["x"], ["r"]), node("Mul", ["r", "f"], ["m"]), node("Add", ["m", "x"], ["y"])]
INSIDE = [node("Relu", ["x"], ["r"]), node("Mul", ["r", "f"], ["m"]), node("Tanh", ["m"], ["y"])]
SHIFTED = [node("Tanh", ["x"], ["t"]), node("Sub", ["t", "f"], ["s"]), node("Sigmoid", ["s"], ["y"])]
NARROW = [
    node("Sigmoid", ["x"], ["s"]),
    node("Gemm", ["s", "w", "b"], ["t"]),
    node("Tanh", ["t"], ["u"]),
    node("Relu", ["u"], ["y"]),
]


def number(value: float) -> np.ndarray:
    return np.array([value], np.float32)


def layer(weight: float, bias: float) -> dict[str, np.ndarray]:
    return {"w": np.array([[weight]], np.float32), "b": number(bias)}


def model(
    nodes: list[NodeProto], weights: dict[str, np.ndarray], size: int = 1, *, secret: bool = True
) -> IntegerModel:
    graph = load(make(nodes, {"x": ["N", size]}, weights))
    return emit(graph, simplify(translate(graph)), FINE, secret=secret).model


@pytest.mark.parametrize(
    ("nodes", "size", "one", "other"),
    [
        pytest.param(LOGISTIC, 1, layer(1.7341, 0.31), layer(1.7009, 0.29), id="one weight, one bias"),
        pytest.param(SCORE, 1, layer(1.7341, 0.31), layer(1.7009, 0.29), id="rounded at the end"),
        pytest.param(UNIFORM, 4, {"f": number(0.3711)}, {"f": number(0.3702)}, id="a factor for all"),
        pytest.param(UNIFORM, 4, {"f": number(5.0)}, {"f": number(5.1)}, id="a whole factor for all"),
        pytest.param(INSIDE, 4, {"f": number(0.3711)}, {"f": number(0.3702)}, id="before a table"),
        pytest.param(INSIDE, 4, {"f": number(0.5)}, {"f": number(0.51)}, id="a half before a table"),
        pytest.param(SHIFTED, 4, {"f": number(0.1234)}, {"f": number(0.1201)}, id="a constant for all"),
        pytest.param(NARROW, 1, layer(0.2341, 0.051), layer(0.2309, 0.049), id="part of a table"),
        pytest.param(SCORE, 3, {"w": f32(3, 2), "b": f32(2)}, {"w": f32(3, 2) * 0.99, "b": f32(2) * 0.99}),
    ],
)
def test_other_weights_of_the_same_width_give_the_same_program(
    nodes: list[NodeProto], size: int, one: dict[str, np.ndarray], other: dict[str, np.ndarray]
) -> None:
    made = [model(nodes, weights, size) for weights in (one, other)]
    assert made[0].to_bytes() != made[1].to_bytes()
    assert noir.source(made[0], secret=True) == noir.source(made[1], secret=True)
    usual = [model(nodes, weights, size, secret=False) for weights in (one, other)]
    assert noir.source(usual[0]) != noir.source(usual[1])


def test_constants_that_are_not_secret_are_those_of_tables_and_slopes() -> None:
    """As docs/zk.md says; a slope is found by who reads the program."""
    leaky = [node("LeakyRelu", ["x"], ["y"], alpha=0.37)]
    assert [type(it.op).__name__ for it in model(leaky, {}).nodes] == ["Relu", "Combine", "Round"]
    steeper = [node("LeakyRelu", ["x"], ["y"], alpha=0.36)]
    assert noir.source(model(leaky, {}), secret=True) != noir.source(model(steeper, {}), secret=True)


MLP: list[Any] = [
    node("Scaler", ["x"], ["s"], domain="ai.onnx.ml", offset=[0.5], scale=[2.0]),
    node("Gemm", ["s", "w", "b"], ["h"]),
    node("Clip", ["h", "low", "high"], ["r"]),
    node("Mul", ["r", "f"], ["m"]),
    node("Gemm", ["m", "v", "c"], ["t"]),
    node("Sigmoid", ["t"], ["y"]),
]
WEIGHTS = {"w": f32(4, 6), "b": f32(6), "v": f32(6, 1), "c": f32(1), "f": number(0.3711)}
BOUNDS = {"low": np.array(-0.7, np.float32), "high": np.array(6, np.float32)}
POOLED: list[Any] = [node("Tanh", ["x"], ["t"]), node("ReduceMean", ["t"], ["y"], axes=[1])]


@pytest.mark.parametrize("nodes", [MLP, POOLED])
def test_it_is_as_accurate(nodes: list[NodeProto]) -> None:
    weights = {**WEIGHTS, **BOUNDS} if nodes is MLP else {}
    rows = np.random.default_rng(3).normal(size=(200, 4)).astype(np.float32)
    made = quantise(make(nodes, {"x": ["N", 4]}, weights), rows, secret=True)
    assert made.secret
    assert made.report.max_error <= 1e-3
    assert not quantise(make(nodes, {"x": ["N", 4]}, weights), rows).secret


def test_models_for_everybody_keep_their_short_forms() -> None:
    usual = model(LOGISTIC, layer(1.7341, 0.31), secret=False)
    assert not any(isinstance(made.op, Affine) for made in usual.nodes)
    assert isinstance(usual.nodes[0].op, Scale)
    assert isinstance(model(LOGISTIC, layer(1.7341, 0.31)).nodes[0].op, Affine)
