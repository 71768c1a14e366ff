"""Every operator on images: the integer model against onnxruntime."""

from typing import Any

import numpy as np
import pytest

from tests.python.prover.lowering.onnxes import close, f32, ints, make, node, rows_of

IMAGE: dict[str, tuple[list[Any], dict[str, np.ndarray]]] = {
    "conv": ([node("Conv", ["x", "w", "b"], ["y"])], {"w": f32(3, 2, 3, 3), "b": f32(3)}),
    "conv with pads and strides": (
        [node("Conv", ["x", "w"], ["y"], pads=[1, 0, 2, 1], strides=[2, 1])],
        {"w": f32(3, 2, 3, 2)},
    ),
    "conv with dilations": ([node("Conv", ["x", "w"], ["y"], dilations=[2, 1])], {"w": f32(3, 2, 2, 2)}),
    "conv in groups": ([node("Conv", ["x", "w"], ["y"], group=2)], {"w": f32(4, 1, 2, 2)}),
    "conv of the same size": (
        [node("Conv", ["x", "w"], ["y"], auto_pad="SAME_UPPER", strides=[2, 2])],
        {"w": f32(3, 2, 2, 3)},
    ),
    "conv of the same size, lower": (
        [node("Conv", ["x", "w"], ["y"], auto_pad="SAME_LOWER")],
        {"w": f32(3, 2, 2, 2)},
    ),
    "conv, normalised": (
        [
            node("Conv", ["x", "w"], ["c"]),
            node("BatchNormalization", ["c", "s", "b", "m", "v"], ["n"]),
            node("Relu", ["n"], ["y"]),
        ],
        {
            "w": f32(3, 2, 2, 2),
            "s": f32(3),
            "b": f32(3, seed=2),
            "m": f32(3, seed=3),
            "v": f32(3, seed=4) ** 2 + np.float32(0.1),
        },
    ),
    "max pool": ([node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])], {}),
    "max pool with pads": (
        [node("MaxPool", ["x"], ["y"], kernel_shape=[3, 2], strides=[2, 1], pads=[1, 1, 1, 0])],
        {},
    ),
    "max pool, rounded up": (
        [node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)],
        {},
    ),
    "max pool after relu": (
        [
            node("Conv", ["x", "w"], ["c"]),
            node("Relu", ["c"], ["r"]),
            node("MaxPool", ["r"], ["y"], kernel_shape=[2, 2]),
        ],
        {"w": f32(3, 2, 2, 2)},
    ),
    "max pool after a relu that is read twice": (
        [
            node("Relu", ["x"], ["r"]),
            node("MaxPool", ["r"], ["m"], kernel_shape=[4, 5]),
            node("Add", ["r", "m"], ["y"]),
        ],
        {},
    ),
    "average pool": ([node("AveragePool", ["x"], ["y"], kernel_shape=[2, 3])], {}),
    "average pool with pads": (
        [node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], pads=[1, 1, 0, 0])],
        {},
    ),
    "average pool that counts pads": (
        [node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], pads=[1, 1, 0, 0], count_include_pad=1)],
        {},
    ),
    "global average pool": ([node("GlobalAveragePool", ["x"], ["y"])], {}),
    "mean over the image": ([node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=0)], {}),
    "pad": (
        [node("Pad", ["x", "p", "c"], ["y"])],
        {"p": ints(0, 0, 1, 2, 0, 0, 0, 1), "c": np.array(0.5, np.float32)},
    ),
    "network": (
        [
            node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
            node("Relu", ["c"], ["r"]),
            node("AveragePool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
            node("Flatten", ["p"], ["f"]),
            node("Gemm", ["f", "g"], ["y"]),
        ],
        {"w": f32(3, 2, 3, 3), "g": f32(12, 2)},
    ),
}


@pytest.mark.parametrize("case", IMAGE)
def test_operator_on_images(case: str) -> None:
    nodes, weights = IMAGE[case]
    close(make(nodes, {"x": ["N", 2, 4, 5]}, weights), rows_of(4, 4, x=(1, 2, 4, 5)))


@pytest.mark.parametrize("case", IMAGE)
def test_operator_on_two_images_at_once(case: str) -> None:
    nodes, weights = IMAGE[case]
    close(make(nodes, {"x": [2, 2, 4, 5]}, weights), rows_of(4, 4, x=(2, 2, 4, 5)))
