"""Which operations are put in, and random graphs against onnxruntime."""

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from onnx import TensorProto

from tests.python.prover.lowering.graphs import chains
from tests.python.prover.lowering.onnxes import FINE, close, f32, make, node, rows_of
from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine, Lookup, Relu, Round
from vouch.circuit.parts import Port
from vouch.prover.lowering.emit import lower
from vouch.prover.lowering.errors import TooWide
from vouch.prover.lowering.read import load
from vouch.prover.lowering.scales import Scales

MLP = [
    node("Scaler", ["x"], ["s"], domain="ai.onnx.ml", offset=[0.5], scale=[2.0]),
    node("Gemm", ["s", "v", "c"], ["h"], name="first"),
    node("Relu", ["h"], ["r"]),
    node("Gemm", ["r", "w", "d"], ["h2"]),
    node("Relu", ["h2"], ["r2"]),
    node("Gemm", ["r2", "u"], ["y"]),
]
WEIGHTS = {"v": f32(4, 12), "c": f32(12), "w": f32(12, 12), "d": f32(12), "u": f32(12, 1)}


def model(
    nodes: list[onnx.NodeProto], shape: Any, weights: Any = None, scales: Scales = FINE
) -> IntegerModel:
    return lower(load(make(nodes, {"x": shape}, weights)), scales)


def test_a_network_takes_words_and_gives_words_with_one_round_at_the_end() -> None:
    made = model(MLP, ["N", 4], WEIGHTS)
    assert [type(made_node.op).__name__ for made_node in made.nodes] == [
        "Affine",
        "Relu",
        "Affine",
        "Relu",
        "Affine",
        "Round",
    ]
    assert made.inputs == (Port("x", "FP32", (1, 4), 6),)
    assert made.outputs == (Port("y", "FP32", (1, 1), 6),)
    shifts = [made_node.op.shift for made_node in made.nodes if isinstance(made_node.op, Relu)]
    # the second is read by one sum only: rounding twelve numbers would cost more than it saves
    assert shifts[0] > 0
    assert shifts[1] == 0
    assert made.parameters == 4 * 12 + 12 + 12 * 12 + 12 + 12 + 1
    close(make(MLP, {"x": ["N", 4]}, WEIGHTS), rows_of(1, x=(1, 4)))


def test_decimals_are_the_ports() -> None:
    scales = replace(FINE, input_decimals=3, output_decimals=9, input_bits=20)
    made = model(MLP, ["N", 4], WEIGHTS, scales)
    assert (made.inputs[0].decimals, made.outputs[0].decimals, made.input_bits) == (3, 9, 20)
    close(make(MLP, {"x": ["N", 4]}, WEIGHTS), rows_of(1, x=(1, 4)), scales)


def test_factors_of_one_size_cost_nothing() -> None:
    nodes = [
        node("Relu", ["x"], ["r"]),
        node("Mul", ["r", "c"], ["m"]),
        node("AveragePool", ["m"], ["p"], kernel_shape=[3]),
        node("Relu", ["p"], ["q"]),
        node("Flatten", ["q"], ["f"]),
        node("Gemm", ["f", "w"], ["y"]),
    ]
    data = make(nodes, {"x": ["N", 1, 9]}, {"c": np.array(0.7, np.float32), "w": f32(7, 3)})
    made = lower(load(data), FINE)
    pools = [made_node.op for made_node in made.nodes if isinstance(made_node.op, Affine)]
    assert set(pools[0].weights.reshape(-1).tolist()) == {1}
    # what is positive already needs no second Relu
    assert sum(isinstance(made_node.op, Relu) for made_node in made.nodes) == 1
    close(data, rows_of(2, x=(1, 1, 9)))


def test_a_fraction_is_not_lost_beside_whole_weights() -> None:
    """Integers times 50, plus 0.123: in units of 50 the fraction would be nothing."""
    nodes = [
        node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        node("Mul", ["f", "c"], ["m"]),
        node("Add", ["m", "d"], ["a"]),
        node("Abs", ["a"], ["p"]),
        node("Gemm", ["p", "w"], ["y"]),
    ]
    constants = {
        "c": np.array(50, np.float32),
        "d": np.array(0.123, np.float32),
        "w": np.ones((3, 1), np.float32),
    }
    data = make(nodes, {"x": ["N", 3]}, constants, dtypes={"x": TensorProto.INT64})
    rows = [{"x": np.array([[1, 0, sign]])} for sign in (-1, 0, 1)]
    compared = close(data, rows)
    assert compared.bound.max() < 0.2


def test_a_probability_is_looked_up_in_output_words() -> None:
    nodes = [
        node("Gemm", ["x", "w"], ["g"]),
        node("Sigmoid", ["g"], ["p"]),
        node("Sub", ["one", "p"], ["q"]),
        node("Concat", ["q", "p"], ["y"], axis=1),
    ]
    data = make(nodes, {"x": ["N", 3]}, {"w": f32(3, 1), "one": np.array(1, np.float32)})
    made = lower(load(data), FINE)
    operations = [made_node.op for made_node in made.nodes]
    place = next(i for i, it in enumerate(operations) if isinstance(it, Lookup))
    table = operations[place]
    assert isinstance(table, Lookup)
    assert table.knots[0] > 990_000
    assert not any(isinstance(it, Round) for it in operations[place:])
    received = close(data, rows_of(2, x=(1, 3))).received
    assert np.allclose(received.sum(1), 1, atol=1e-12)


SHARED: dict[str, tuple[list[onnx.NodeProto], list[str]]] = {
    "an output": (
        [
            node("Gemm", ["x", "w", "b"], ["z"]),
            node("Mul", ["z", "half"], ["m"]),
            node("Sigmoid", ["m"], ["p"]),
        ],
        ["z", "p"],
    ),
    "a sum": (
        [
            node("Gemm", ["x", "w", "b"], ["z"]),
            node("Mul", ["z", "half"], ["m"]),
            node("Tanh", ["m"], ["t"]),
            node("Add", ["z", "t"], ["y"]),
        ],
        ["y"],
    ),
    "a sum, past a relu that does nothing": (
        [
            node("Relu", ["x"], ["r"]),
            node("ReduceMean", ["r"], ["m"], axes=[1]),
            node("Relu", ["m"], ["same"]),
            node("Sigmoid", ["same"], ["s"]),
            node("Add", ["m", "s"], ["y"]),
        ],
        ["y"],
    ),
}
"""What else reads the numbers that a curve is taken of, in other units or under another name."""


@pytest.mark.parametrize("case", SHARED)
def test_numbers_that_something_else_reads_are_not_moved_for_a_curve(case: str) -> None:
    nodes, outputs = SHARED[case]
    weights = {"w": f32(4, 3), "b": f32(3), "half": np.array(0.5, np.float32)}
    data = make(nodes, {"x": ["N", 4]}, weights, outputs=outputs)
    compared = close(data, rows_of(5, x=(1, 4)))
    # moved, they would be off by half a table
    assert compared.bound.max() < 0.02


def test_inputs_in_one_unit_that_something_else_reads_are_not_moved_for_a_curve() -> None:
    data = make(
        [
            node("Cast", ["k"], ["f"], to=TensorProto.FLOAT),
            node("Concat", ["x", "f"], ["c"], axis=1),
            node("Tanh", ["c"], ["t"]),
            node("Add", ["c", "t"], ["y"]),
        ],
        {"x": ["N", 2], "k": ["N", 2]},
        dtypes={"k": TensorProto.INT64},
    )
    compared = close(data, [{"x": f32(1, 2), "k": np.array([[-3, 1]])}])
    # once moved to the table's middle, once counted down from its end
    assert compared.nodes.count("Scale") == 2


def test_numbers_that_only_a_curve_reads_are_moved_in_their_sum() -> None:
    """Also under another name: the second Relu does nothing."""
    nodes = [
        node("Relu", ["x"], ["r"]),
        node("ReduceMean", ["r"], ["m"], axes=[1]),
        node("Relu", ["m"], ["same"]),
        node("Sigmoid", ["same"], ["y"]),
    ]
    compared = close(make(nodes, {"x": ["N", 4]}), rows_of(5, x=(1, 4)))
    assert compared.nodes.count("Scale") == 1


def test_a_pool_after_relu_compares_before_it() -> None:
    nodes = [node("Relu", ["x"], ["r"]), node("MaxPool", ["r"], ["y"], kernel_shape=[2], strides=[2])]
    made = model(nodes, ["N", 1, 8])
    sizes = [len(made.intervals[i + 1].lo) for i, it in enumerate(made.nodes) if isinstance(it.op, Relu)]
    assert sizes == [4, 4]


def test_a_sum_before_many_sums_is_one_number_for_each_element() -> None:
    leaky = node("LeakyRelu", ["h"], ["l"])
    nodes = [node("MatMul", ["x", "w"], ["h"]), leaky, node("MatMul", ["l", "w"], ["y"])]
    made = model(nodes, ["N", 8], {"w": f32(8, 8)})
    shapes = [it.op.weights.shape for it in made.nodes if isinstance(it.op, Affine)]
    assert shapes == [(8, 8), (8, 2), (8, 8)]
    alone = model([node("LeakyRelu", ["x"], ["y"])], ["N", 8])
    assert not any(isinstance(it.op, Affine) for it in alone.nodes)


def test_long_sums_of_sums_are_rounded_before_they_leave_their_limits() -> None:
    """Without an activation between, nothing is rounded until the numbers would become too large."""
    weights = {f"w{i}": f32(6, 6, seed=i) for i in range(6)}
    nodes, last = [], "x"
    for i in range(6):
        nodes.append(node("MatMul", [last, f"w{i}"], [f"h{i}"]))
        nodes.append(node("Abs", [f"h{i}"], [f"a{i}"]))
        last = f"a{i}"
    nodes[-1].output[0] = "y"
    data = make(nodes, {"x": ["N", 6]}, weights)
    made = close(data, rows_of(2, size=0.2, x=(1, 6)))
    assert 1 <= made.nodes.count("Round") <= 4


def test_what_is_too_wide_says_so() -> None:
    with pytest.raises(TooWide, match="node 'first' could reach"):
        model(MLP, ["N", 4], {**WEIGHTS, "v": f32(4, 12) * np.float32(1e12)}, replace(FINE, input_bits=60))


@given(
    chain=chains(),
    seed=st.integers(0, 2**16),
    activation=st.integers(4, 16),
    weight=st.integers(4, 16),
    table=st.integers(2, 9),
)
@settings(max_examples=60, deadline=None)
def test_random_graphs(
    chain: tuple[bytes, tuple[int, ...]], seed: int, activation: int, weight: int, table: int
) -> None:
    """The integer model is as close to onnxruntime as its bits allow, and NumPy's run is the reference's."""
    data, shape = chain
    scales = Scales(activation, weight, 24, table)
    try:
        close(data, rows_of(seed, 3, x=shape), scales)
    except TooWide:
        reject()  # said so, and rare: hypothesis complains if most of them are


def test_the_bound_of_the_random_graphs_is_not_empty() -> None:
    """With many bits the bound is small, so it says something."""
    made = close(make(MLP, {"x": ["N", 4]}, WEIGHTS), rows_of(1, x=(1, 4)))
    assert made.bound.max() < 0.2
