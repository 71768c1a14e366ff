"""Every operator on rows: the integer model against onnxruntime."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from tests.python.prover.lowering.onnxes import close, f32, ints, make, node, rows_of
from tests.python.prover.lowering.test_spatial import IMAGE
from vouch.prover.lowering.translate import supported

ML = "ai.onnx.ml"


ROW: dict[str, tuple[list[Any], dict[str, np.ndarray]]] = {
    "gemm": ([node("Gemm", ["x", "w", "b"], ["y"])], {"w": f32(6, 4), "b": f32(4, seed=2)}),
    "gemm scaled and transposed": (
        [node("Gemm", ["x", "w", "b"], ["y"], alpha=0.5, beta=-2.0, transB=1)],
        {"w": f32(4, 6), "b": f32(1, 4, seed=2)},
    ),
    "gemm without bias": ([node("Gemm", ["x", "w"], ["y"])], {"w": f32(6, 4)}),
    "gemm with a computed bias": (
        [node("Relu", ["x"], ["r"]), node("Gemm", ["x", "w", "r"], ["y"], beta=0.5)],
        {"w": f32(6, 6)},
    ),
    "gemm that ignores a computed bias": (
        [node("Relu", ["x"], ["r"]), node("Gemm", ["x", "w", "r"], ["y"], beta=0.0)],
        {"w": f32(6, 6)},
    ),
    "matmul": ([node("MatMul", ["x", "w"], ["y"])], {"w": f32(6, 4)}),
    "matmul with a vector": ([node("MatMul", ["x", "w"], ["y"])], {"w": f32(6)}),
    "matmul of several rows": (
        [node("Reshape", ["x", "to"], ["r"]), node("MatMul", ["r", "w"], ["y"])],
        {"w": f32(3, 4), "to": ints(1, 2, 3)},
    ),
    "matmul from the left": (
        [node("Reshape", ["x", "to"], ["r"]), node("MatMul", ["w", "r"], ["y"])],
        {"w": f32(4, 3), "to": ints(1, 3, 2)},
    ),
    "add": ([node("Add", ["x", "c"], ["y"])], {"c": f32(6)}),
    "add to one number": ([node("Add", ["c", "x"], ["y"])], {"c": f32(1)}),
    "add two": ([node("Relu", ["x"], ["r"]), node("Add", ["x", "r"], ["y"])], {}),
    "add two of different shapes": (
        [
            node("MatMul", ["x", "w"], ["m"]),
            node("Relu", ["x"], ["r"]),
            node("Add", ["m", "r"], ["y"]),
        ],
        {"w": f32(6, 1)},
    ),
    "sub": ([node("Sub", ["x", "c"], ["y"])], {"c": f32(6)}),
    "sub from a constant": ([node("Sub", ["c", "x"], ["y"])], {"c": f32(6)}),
    "sub two": ([node("Relu", ["x"], ["r"]), node("Sub", ["r", "x"], ["y"])], {}),
    "mul": ([node("Mul", ["x", "c"], ["y"])], {"c": f32(6)}),
    "mul by one number": ([node("Mul", ["c", "x"], ["y"])], {"c": np.array(0.3, np.float32)}),
    "mul to a larger shape": ([node("Mul", ["x", "c"], ["y"])], {"c": f32(3, 1)}),
    "div": ([node("Div", ["x", "c"], ["y"])], {"c": np.array([3, -7, 0.5, 2, 1, 9], np.float32)}),
    "neg": ([node("Neg", ["x"], ["y"])], {}),
    "abs": ([node("Abs", ["x"], ["y"])], {}),
    "relu": ([node("Relu", ["x"], ["y"])], {}),
    "leaky relu": ([node("LeakyRelu", ["x"], ["y"])], {}),
    "leaky relu before a dense layer": (
        [
            node("MatMul", ["x", "w"], ["m"]),
            node("LeakyRelu", ["m"], ["l"], alpha=0.3),
            node("MatMul", ["l", "w"], ["y"]),
        ],
        {"w": f32(6, 6)},
    ),
    "leaky relu of 0": ([node("LeakyRelu", ["x"], ["y"], alpha=0.0)], {}),
    "sigmoid": ([node("Sigmoid", ["x"], ["y"])], {}),
    "tanh": ([node("Tanh", ["x"], ["y"])], {}),
    "tanh far out": (
        [node("Mul", ["x", "c"], ["m"]), node("Tanh", ["m"], ["y"])],
        {"c": np.array(50, np.float32)},
    ),
    "clip": (
        [node("Clip", ["x", "a", "b"], ["y"])],
        {"a": np.array(-0.5, np.float32), "b": np.array(0.75, np.float32)},
    ),
    "clip from 0": ([node("Clip", ["x", "a"], ["y"])], {"a": np.array(0, np.float32)}),
    "clip above": ([node("Clip", ["x", "", "b"], ["y"])], {"b": np.array(0.25, np.float32)}),
    "hard sigmoid": ([node("HardSigmoid", ["x"], ["y"])], {}),
    "max": ([node("Neg", ["x"], ["n"]), node("Max", ["x", "n", "x"], ["y"])], {}),
    "min": ([node("Neg", ["x"], ["n"]), node("Min", ["x", "n"], ["y"])], {}),
    "identity": ([node("Identity", ["x"], ["y"])], {}),
    "dropout": ([node("Dropout", ["x"], ["y"])], {}),
    "cast to double": ([node("Cast", ["x"], ["y"], to=TensorProto.DOUBLE)], {}),
    "flatten": ([node("Flatten", ["x"], ["y"])], {}),
    "transpose": (
        [
            node("Reshape", ["x", "to"], ["r"]),
            node("Transpose", ["r"], ["t"], perm=[0, 2, 1]),
            node("Add", ["t", "c"], ["y"]),
        ],
        {"to": ints(1, 2, 3), "c": f32(3, 2)},
    ),
    "squeeze and unsqueeze": (
        [
            node("Unsqueeze", ["x", "a"], ["u"]),
            node("Relu", ["u"], ["r"]),
            node("Squeeze", ["r", "a"], ["y"]),
        ],
        {"a": ints(1)},
    ),
    "slice": (
        [node("Slice", ["x", "a", "b", "c", "d"], ["y"])],
        {"a": ints(1), "b": ints(6), "c": ints(1), "d": ints(2)},
    ),
    "gather": ([node("Gather", ["x", "i"], ["y"], axis=1)], {"i": ints(5, 0, 0)}),
    "split": (
        [node("Split", ["x", "s"], ["a", "b"], axis=1), node("Add", ["a", "b"], ["y"])],
        {"s": ints(3, 3)},
    ),
    "expand": ([node("Expand", ["x", "to"], ["y"])], {"to": ints(2, 6)}),
    "concat": (
        [node("Relu", ["x"], ["r"]), node("Concat", ["r", "x", "c"], ["y"], axis=1)],
        {"c": f32(1, 2)},
    ),
    "concat along the first axis": (
        [node("Relu", ["x"], ["r"]), node("Concat", ["r", "x"], ["y"], axis=0)],
        {},
    ),
    "reduce mean": ([node("ReduceMean", ["x"], ["y"], axes=[1])], {}),
    "reduce sum": ([node("ReduceSum", ["x", "a"], ["y"], keepdims=0)], {"a": ints(1)}),
    "reduce all": ([node("ReduceMean", ["x"], ["y"])], {}),
    "argmax": ([node("ArgMax", ["x"], ["y"], axis=1)], {}),
    "argmax of columns": (
        [node("Reshape", ["x", "to"], ["r"]), node("ArgMax", ["r"], ["y"], axis=1, keepdims=0)],
        {"to": ints(1, 3, 2)},
    ),
    "softmax before argmax": (
        [node("Softmax", ["x"], ["s"]), node("Flatten", ["s"], ["f"]), node("ArgMax", ["f"], ["y"], axis=1)],
        {},
    ),
    "argmax as a real number": (
        [node("ArgMax", ["x"], ["a"], axis=1), node("Cast", ["a"], ["y"], to=TensorProto.FLOAT)],
        {},
    ),
    "scaler": (
        [
            node(
                "Scaler",
                ["x"],
                ["y"],
                domain=ML,
                offset=[1.0, 2.0, 3.0, -1.0, -2.0, -3.0],
                scale=[1.0, 0.5, 2.0, 3.0, 0.1, 0.01],
            )
        ],
        {},
    ),
    "linear regressor": (
        [
            node(
                "LinearRegressor",
                ["x"],
                ["y"],
                domain=ML,
                coefficients=f32(12).tolist(),
                intercepts=[0.5, -1.0],
                targets=2,
            )
        ],
        {},
    ),
    "batch normalization": (
        [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"])],
        {"s": f32(6), "b": f32(6, seed=2), "m": f32(6, seed=3), "v": f32(6, seed=4) ** 2 + np.float32(0.1)},
    ),
    "constants that are computed": (
        [
            node("Shape", ["x"], ["s"]),
            node("Constant", [], ["k"], value_int=-1),
            node("Unsqueeze", ["k", "zero"], ["k1"]),
            node("Slice", ["s", "zero", "one"], ["n"]),
            node("Concat", ["n", "k1"], ["to"], axis=0),
            node("Reshape", ["x", "to"], ["y"]),
        ],
        {"zero": ints(0), "one": ints(1)},
    ),
}


@pytest.mark.parametrize("case", ROW)
def test_operator(case: str) -> None:
    nodes, weights = ROW[case]
    data = make(nodes, {"x": ["N", 6]}, weights, dtypes=_dtypes(nodes))
    close(data, rows_of(3, x=(1, 6)))


def _dtypes(nodes: list[Any]) -> Mapping[str, int]:
    last = nodes[-1]
    if last.op_type == "ArgMax":
        return {"y": TensorProto.INT64}
    return (
        {"y": TensorProto.DOUBLE}
        if last.op_type == "Cast" and last.attribute[0].i == TensorProto.DOUBLE
        else {}
    )


def test_inputs_of_different_decimals() -> None:
    """A real and an integer tensor: words of 6 decimals beside words of none."""
    data = make(
        [
            node("Cast", ["k"], ["f"], to=TensorProto.FLOAT),
            node("Concat", ["x", "f"], ["c"], axis=1),
            node("Gemm", ["c", "w"], ["g"]),
            node("Add", ["g", "f"], ["y"]),
        ],
        {"x": ["N", 3], "k": ["N", 2]},
        {"w": f32(5, 2)},
        dtypes={"k": TensorProto.INT64},
    )
    rows = [
        {"x": f32(1, 3, seed=seed), "k": np.random.default_rng(seed).integers(-9, 9, (1, 2))}
        for seed in range(8)
    ]
    close(data, rows)


def test_inputs_of_different_decimals_as_they_are() -> None:
    data = make(
        [node("Cast", ["k"], ["f"], to=TensorProto.FLOAT), node("Concat", ["x", "f"], ["y"], axis=1)],
        {"x": ["N", 2], "k": ["N", 2]},
        dtypes={"k": TensorProto.INT64},
    )
    compared = close(data, [{"x": np.array([[0.5, -2.25]], np.float32), "k": ints(-7, 1_000)[None]}])
    assert compared.received.tolist() == [[0.5, -2.25, -7.0, 1_000.0]]


def test_integers_divided_by_one_leave_no_rest() -> None:
    data = make(
        [node("Div", ["x", "c"], ["d"]), node("Cast", ["d"], ["y"], to=TensorProto.FLOAT)],
        {"x": ["N", 3]},
        {"c": ints(1, -1, 1)},
        dtypes={"x": TensorProto.INT64},
    )
    assert close(data, [{"x": ints(5, 6, -7)[None]}]).received.tolist() == [[5.0, -6.0, -7.0]]


def test_several_outputs() -> None:
    data = make(
        [node("Gemm", ["x", "w"], ["g"]), node("Relu", ["g"], ["r"]), node("ArgMax", ["g"], ["c"], axis=1)],
        {"x": ["N", 4]},
        {"w": f32(4, 3)},
        outputs=["r", "c", "g"],
        dtypes={"c": TensorProto.INT64},
    )
    close(data, rows_of(6, x=(1, 4)))


def test_integer_outputs_are_whole() -> None:
    data = make(
        [
            node("ArgMax", ["x"], ["a"], axis=1),
            node("Mul", ["a", "c"], ["m"]),
            node("Add", ["m", "c"], ["y"]),
        ],
        {"x": ["N", 3]},
        {"c": ints(5)},
        dtypes={"y": TensorProto.INT64},
    )
    compared = close(data, rows_of(7, x=(1, 3)))
    assert set(compared.received.reshape(-1)) <= {5.0, 10.0, 15.0}
    assert "Round" not in compared.nodes


def test_supported_lists_what_is_tested() -> None:
    tested = {made.op_type for nodes, _ in (*ROW.values(), *IMAGE.values()) for made in nodes}
    untested = {name.removeprefix(f"{ML}.") for name in supported()} - tested
    assert untested == {"LinearClassifier", "Normalizer", "ArrayFeatureExtractor", "LogSoftmax", "Tile"}
