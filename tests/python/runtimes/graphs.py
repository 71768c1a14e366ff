"""Small ONNX files for the tests, made on the spot."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Axis = int | str


def save(path: Path, nodes: list[onnx.NodeProto], output: list[Axis], weights: dict[str, np.ndarray]) -> Path:
    """A model from FP32 "x" [batch, 3] to FP32 "y"."""
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def layers(path: Path, seed: int = 1, width: int = 64) -> Path:
    """Two dense layers with a tanh between them; another seed is another model."""
    random = np.random.default_rng(seed)
    weights = {
        "w1": random.normal(size=(3, width)).astype(np.float32),
        "w2": random.normal(size=(width, 2)).astype(np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["h"]),
        helper.make_node("Tanh", ["h"], ["t"]),
        helper.make_node("MatMul", ["t", "w2"], ["y"]),
    ]
    return save(path, nodes, ["batch", 2], weights)


def exponential(path: Path) -> Path:
    """exp(x): leaves FP32 for x > 88."""
    return save(path, [helper.make_node("Exp", ["x"], ["y"])], ["batch", 3], {})


def logarithm(path: Path) -> Path:
    """log(x): NaN for x < 0."""
    return save(path, [helper.make_node("Log", ["x"], ["y"])], ["batch", 3], {})


def only_two_rows(path: Path) -> Path:
    """A reshape that fails inside of onnxruntime for any batch but two."""
    nodes = [helper.make_node("Reshape", ["x", "to"], ["y"])]
    return save(path, nodes, ["batch", 3], {"to": np.array([2, 3], np.int64)})


def read(path: Path) -> bytes:
    return path.read_bytes()


def write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def swap(path: Path, data: bytes) -> None:
    """Puts another file in the place of this one, as `mv` does."""
    (path.parent / "new").write_bytes(data)
    (path.parent / "new").replace(path)


def remove(path: Path) -> None:
    path.unlink()
