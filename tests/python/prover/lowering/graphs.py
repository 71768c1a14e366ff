"""Random ONNX graphs of the supported nodes."""

from typing import Any

import numpy as np
import onnx
from hypothesis import strategies as st

from tests.python.prover.lowering.onnxes import make, node

ELEMENTWISE = ("Relu", "Tanh", "Sigmoid", "Abs", "Neg", "leaky", "residual", "shared", "scale", "shift")


@st.composite
def chains(draw: st.DrawFn) -> tuple[bytes, tuple[int, ...]]:
    """A random chain of supported nodes, on rows or on small images; what it passes may be outputs, too."""
    seed = draw(st.integers(0, 2**16))
    random = np.random.default_rng(seed)
    shape: tuple[int, ...] = draw(st.sampled_from([(1, 4), (1, 2, 4, 4)]))
    first = shape
    nodes: list[onnx.NodeProto] = []
    weights: dict[str, np.ndarray] = {}
    names, outputs = ["x"], ["y"]

    def put(operator: str, inputs: list[str], **attributes: Any) -> None:
        nodes.append(node(operator, [names[-1], *inputs], [f"t{len(nodes)}"], **attributes))
        names.append(nodes[-1].output[0])

    def weight(*sizes: int) -> str:
        name = f"w{len(weights)}"
        fan = max(1, int(np.prod(sizes[1:])))
        weights[name] = (random.normal(size=sizes) / np.sqrt(fan)).astype(np.float32)
        return name

    for _ in range(draw(st.integers(1, 5))):
        if len(shape) == 4:
            kind = draw(
                st.sampled_from(["conv", "max", "average", "norm", "flatten", "global", *ELEMENTWISE])
            )
        else:
            kind = draw(st.sampled_from(["gemm", "matmul", "concat", "split", *ELEMENTWISE]))
        match kind:
            case "gemm":
                size = draw(st.integers(1, 6))
                put("Gemm", [weight(shape[1], size), weight(size)])
                shape = (1, size)
            case "matmul":
                size = draw(st.integers(1, 6))
                put("MatMul", [weight(shape[1], size)])
                shape = (1, size)
            case "concat":
                put("Concat", [draw(st.sampled_from([weight(1, 2), names[-1]]))], axis=1)
                shape = (1, shape[1] + (2 if nodes[-1].input[1] in weights else shape[1]))
            case "split":
                put("Gather", [_index(weights, random, shape[1])], axis=1)
                shape = (1, 3)
            case "conv" if min(shape[2:]) >= 2:
                filters, stride = draw(st.integers(1, 3)), draw(st.integers(1, 2))
                put(
                    "Conv",
                    [weight(filters, shape[1], 2, 2), weight(filters)],
                    strides=[stride, 1],
                    pads=[1, 0, 0, 1],
                )
                shape = (1, filters, (shape[2] - 1) // stride + 1, shape[3])
            case "max" | "average" if min(shape[2:]) >= 2:
                put("MaxPool" if kind == "max" else "AveragePool", [], kernel_shape=[2, 2])
                shape = (*shape[:2], shape[2] - 1, shape[3] - 1)
            case "norm":
                name = weight(shape[1])
                spread = f"v{len(weights)}"
                weights[spread] = (random.random(shape[1]) + 0.5).astype(np.float32)
                put("BatchNormalization", [name, name, name, spread])
            case "flatten":
                put("Flatten", [])
                shape = (1, int(np.prod(shape)))
            case "global":
                put("GlobalAveragePool", [])
                shape = (*shape[:2], 1, 1)
            case "leaky":
                put("LeakyRelu", [], alpha=draw(st.sampled_from([0.01, 0.2, 0.5])))
            case "residual":
                before = names[-1]
                for activation in draw(st.sampled_from([["Relu"], ["Tanh"], ["Relu", "Sigmoid"]])):
                    put(activation, [])
                put("Add", [before])
            case "shared":
                # a sum, and a curve of the same integers: in another unit, or past a Relu that does nothing
                same = draw(st.sampled_from(["Mul", "Div", "Relu"]))
                if len(shape) == 4:
                    put("Flatten", [])
                    shape = (1, int(np.prod(shape)))
                put("Relu" if same == "Relu" else "Neg", [])
                mixed = weight(shape[1], 3)
                weights[mixed] = np.abs(weights[mixed]) if same == "Relu" else weights[mixed]
                put("MatMul", [mixed])
                shape, before = (1, 3), names[-1]
                put(same, [] if same == "Relu" else [_size(weights, random)])
                put(draw(st.sampled_from(["Sigmoid", "Tanh"])), [])
                if draw(st.booleans()):
                    outputs.append(before)
                else:
                    put("Add", [before])
            case "scale":
                put("Mul", [weight(1)])
            case "shift":
                put("Sub", [weight(*shape[1:])])
            case "Relu" | "Tanh" | "Sigmoid" | "Abs" | "Neg":
                put(kind, [])
            case _:
                put("Identity", [])
    nodes[-1].output[0] = "y"
    return make(nodes, {"x": ["N", *first[1:]]}, weights, outputs=outputs), first


def _size(weights: dict[str, np.ndarray], random: np.random.Generator) -> str:
    """One factor, not near 0."""
    name = f"u{len(weights)}"
    weights[name] = (random.random(1) + 0.25).astype(np.float32)
    return name


def _index(weights: dict[str, np.ndarray], random: np.random.Generator, size: int) -> str:
    name = f"i{len(weights)}"
    weights[name] = random.integers(0, size, 3)
    return name
