"""What has no integer form is refused, and the refusal names the node."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from tests.python.prover.lowering.onnxes import close, f32, ints, make, node, rows_of
from vouch.prover.lowering.errors import UnsupportedNode, UnsupportedTensor
from vouch.prover.lowering.read import load
from vouch.prover.lowering.translate import translate

ML = "ai.onnx.ml"


REFUSED: dict[str, tuple[list[Any], dict[str, np.ndarray], str]] = {
    "unknown": ([node("Erf", ["x"], ["y"], name="it")], {}, "not supported: train with Relu"),
    "exponential": ([node("Exp", ["x"], ["y"], name="it")], {}, "exponential in the consumer"),
    "product": ([node("Mul", ["x", "x"], ["y"], name="it")], {}, "multiplies two computed"),
    "matrix product": ([node("MatMul", ["x", "x"], ["y"], name="it")], {}, "multiplies two computed"),
    "division": ([node("Div", ["x", "x"], ["y"], name="it")], {}, "divides by a computed"),
    "division by 0": (
        [node("Div", ["x", "c"], ["y"], name="it")],
        {"c": np.zeros(1, np.float32)},
        "divides by zero",
    ),
    "softmax": ([node("Softmax", ["x"], ["y"], name="it")], {}, "ArgMax right after it"),
    "softmax before a sum": (
        [node("Softmax", ["x"], ["s"], name="it"), node("Add", ["s", "s"], ["y"])],
        {},
        "ArgMax right after it",
    ),
    "softmax along another axis": (
        [node("Softmax", ["x"], ["s"], axis=0, name="it"), node("ArgMax", ["s"], ["y"], axis=1)],
        {},
        "ArgMax right after it",
    ),
    "cut off": ([node("Cast", ["x"], ["y"], to=TensorProto.INT64, name="it")], {}, "cuts off decimals"),
    "computed bound": (
        [node("ReduceMean", ["x"], ["m"], keepdims=0), node("Clip", ["x", "m"], ["y"], name="it")],
        {},
        "one constant",
    ),
    "last index": (
        [node("ArgMax", ["x"], ["y"], axis=1, select_last_index=1, name="it")],
        {},
        "select_last_index",
    ),
    "normalizer": (
        [node("Normalizer", ["x"], ["y"], domain=ML, norm="L1", name="it")],
        {},
        "divides by a computed",
    ),
    "infinite weight": (
        [node("Add", ["x", "c"], ["y"], name="it")],
        {"c": np.array(np.inf, np.float32)},
        "infinity",
    ),
    "dropout in training": (
        [node("Dropout", ["x", "r", "t"], ["y"], name="it")],
        {"r": np.array(0.0, np.float32), "t": np.array(True)},
        "training mode",
    ),
    "max with a constant": ([node("Max", ["x", "c"], ["y"], name="it")], {"c": f32(4)}, "use Clip"),
    "batched weights": ([node("MatMul", ["x", "w"], ["y"], name="it")], {"w": f32(2, 4, 3)}, "not a matrix"),
    "gemm from the left": (
        [node("Gemm", ["w", "x"], ["y"], name="it", transB=1)],
        {"w": f32(3, 4)},
        "its second constant",
    ),
    "negative padding": (
        [node("Pad", ["x", "p"], ["y"], name="it")],
        {"p": ints(0, -1, 0, 0)},
        "use Slice",
    ),
    "reflected padding": (
        [node("Pad", ["x", "p"], ["y"], name="it", mode="reflect")],
        {"p": ints(0, 1, 0, 0)},
        "only constant padding",
    ),
    "argmax of one": (
        [node("Gemm", ["x", "w"], ["g"]), node("ArgMax", ["g"], ["y"], axis=1, name="it")],
        {"w": f32(4, 1)},
        "chooses from one",
    ),
    "computed exponent": (
        [
            node("Relu", ["x"], ["r"]),
            node("Gather", ["x", "i"], ["g"], axis=1),
            node("Pow", ["g", "r"], ["y"], name="it"),
        ],
        {"i": ints(0)},
        "not supported",
    ),
    "regressor": (
        [
            node(
                "LinearRegressor",
                ["x"],
                ["y"],
                name="it",
                domain=ML,
                coefficients=[1.0, 1.0, 1.0, 1.0],
                post_transform="PROBIT",
            )
        ],
        {},
        "PROBIT",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_the_node(case: str) -> None:
    nodes, weights, reason = REFUSED[case]
    dtypes = {"y": TensorProto.INT64} if nodes[-1].op_type in {"ArgMax", "Cast"} else {}
    shape: list[int | str] = ["N", 4] if case != "matrix product" else [1, 4, 4]
    graph = load(make(nodes, {"x": shape}, weights, dtypes=dtypes))
    with pytest.raises(UnsupportedNode, match=reason) as caught:
        translate(graph)
    assert caught.value.name == "it"
    operators = {made.name: made.op_type for made in nodes}
    assert caught.value.op_type.endswith(operators["it"])


@pytest.mark.parametrize(
    ("made", "outputs", "reason"),
    [
        (node("MaxPool", ["x"], ["y", "i"], name="it", kernel_shape=[2, 2]), ["y", "i"], "second output"),
        (
            node(
                "AveragePool",
                ["x"],
                ["y"],
                name="it",
                kernel_shape=[2, 2],
                ceil_mode=1,
                count_include_pad=1,
            ),
            ["y"],
            "leave one of them out",
        ),
    ],
)
def test_refusals_on_images(made: Any, outputs: list[str], reason: str) -> None:
    data = make([made], {"x": ["N", 2, 4, 5]}, outputs=outputs, dtypes={"i": TensorProto.INT64})
    with pytest.raises(UnsupportedNode, match=reason) as caught:
        translate(load(data))
    assert caught.value.name == "it"


@pytest.mark.parametrize(
    ("divides", "kind", "weights"),
    [
        (node("Div", ["x", "c"], ["d"], name="it"), TensorProto.INT64, {"c": ints(1, 2, -1, 1)}),
        (node("ReduceMean", ["x"], ["d"], name="it"), TensorProto.INT32, {}),
    ],
    ids=["quotient", "mean"],
)
def test_integers_are_not_divided(divides: Any, kind: int, weights: dict[str, np.ndarray]) -> None:
    """ONNX cuts off the rest; what follows is real, so nothing else would say so."""
    nodes = [divides, node("Cast", ["d"], ["y"], to=TensorProto.FLOAT)]
    data = make(nodes, {"x": ["N", 4]}, weights, dtypes={"x": kind})
    with pytest.raises(UnsupportedNode, match="put a Cast to float before it") as caught:
        translate(load(data))
    assert caught.value.name == "it"


def test_softmax_before_opset_13_runs_over_all_axes_after_its_own() -> None:
    nodes = [node("Softmax", ["x"], ["s"], name="it"), node("ArgMax", ["s"], ["y"], axis=1)]
    data = make(nodes, {"x": ["N", 3, 2]}, dtypes={"y": TensorProto.INT64}, opset=11)
    with pytest.raises(UnsupportedNode, match="use opset 13"):
        translate(load(data))


def test_bounds_of_clip_were_attributes_before_opset_11() -> None:
    data = make([node("Clip", ["x"], ["y"], min=-0.5, max=0.25)], {"x": ["N", 6]}, opset=10)
    close(data, rows_of(3, x=(1, 6)))


def test_a_refusal_of_a_node_without_a_name_tells_what_it_makes() -> None:
    with pytest.raises(UnsupportedNode, match="that makes y"):
        translate(load(make([node("Erf", ["x"], ["y"])], {"x": ["N", 4]})))


def test_constant_output() -> None:
    data = make(
        [node("Relu", ["x"], ["y"]), node("Identity", ["c"], ["z"])],
        {"x": ["N", 2]},
        {"c": f32(2)},
        outputs=["y", "z"],
    )
    with pytest.raises(UnsupportedTensor, match="leave this output out"):
        translate(load(data))
