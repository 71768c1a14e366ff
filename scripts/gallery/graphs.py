"""ONNX graphs made by hand, so that a file holds nothing but the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
OPSET_ML = 3
IR_VERSION = 8
"""The oldest that knows opset 17: whatever reads a model should read this one."""

Linear = tuple[np.ndarray, np.ndarray]
"""Weights [out, in] and bias [out]."""


@dataclass(slots=True)
class Graph:
    """A chain of nodes under construction: each takes what the last one gave."""

    input: str
    last: str = ""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def add(self, op: str, *constants: np.ndarray, domain: str = "", **attributes: Any) -> Graph:
        """One more node, with its constant inputs."""
        name = f"{op.lower()}_{len(self.nodes)}"
        names = [f"{name}_{i}" for i in range(len(constants))]
        self.constants += [numpy_helper.from_array(c, n) for c, n in zip(constants, names, strict=True)]
        sources = [self.last or self.input, *names]
        self.nodes.append(helper.make_node(op, sources, [name], name, domain=domain, **attributes))
        self.last = name
        return self

    def model(
        self,
        name: str,
        columns: Sequence[int],
        output: tuple[str, int, Sequence[int]],
        about: Mapping[str, str],
    ) -> onnx.ModelProto:
        """The checked model; output = name, type and shape (both shapes without the batch axis)."""
        label, kind, shape = output
        self.nodes[-1].output[0] = label
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(self.input, TensorProto.FLOAT, ["N", *columns])],
            [helper.make_tensor_value_info(label, kind, ["N", *shape])],
            self.constants,
        )
        opsets = [helper.make_opsetid("", OPSET)]
        if any(node.domain for node in self.nodes):
            opsets.append(helper.make_opsetid("ai.onnx.ml", OPSET_ML))
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="vouch")
        model.doc_string = about["doc"]
        helper.set_model_props(model, {key: value for key, value in about.items() if key != "doc"})
        onnx.checker.check_model(model, full_check=True)
        return model


def perceptron(
    name: str, scaler: Linear | None, layers: Sequence[Linear], output: str, about: Mapping[str, str]
) -> onnx.ModelProto:
    """Scaler (offset, scale), then linear layers with ReLUs between them and a sigmoid at the end."""
    graph = Graph("x")
    if scaler is not None:
        offset, scale = ([float(value) for value in _single(part)] for part in scaler)
        graph.add("Scaler", domain="ai.onnx.ml", offset=offset, scale=scale)
    for i, (weights, bias) in enumerate(layers):
        if i:
            graph.add("Relu")
        graph.add("Gemm", _single(weights), _single(bias), transB=1)
    graph.add("Sigmoid")
    outputs = (output, TensorProto.FLOAT, [len(layers[-1][1])])
    return graph.model(name, [layers[0][0].shape[1]], outputs, about)


def convolutional(
    name: str, layers: tuple[Linear, Linear, Linear], side: int, brightest: float, about: Mapping[str, str]
) -> onnx.ModelProto:
    """The network of scripts/gallery/network.py: pixels in 0..brightest → "logits"."""
    graph = _features(layers, brightest)
    return graph.model(name, [1, side, side], ("logits", TensorProto.FLOAT, [len(layers[-1][1])]), about)


def classifier(
    name: str, layers: tuple[Linear, Linear, Linear], side: int, brightest: float, about: Mapping[str, str]
) -> onnx.ModelProto:
    """The same, and the class with the largest logit: "digit", INT64 [N, 1]."""
    graph = _features(layers, brightest).add("ArgMax", axis=1, keepdims=1)
    return graph.model(name, [1, side, side], ("digit", TensorProto.INT64, [1]), about)


def _features(layers: tuple[Linear, Linear, Linear], brightest: float) -> Graph:
    first, second, last = ((_single(weights), _single(bias)) for weights, bias in layers)
    few, many = len(first[1]), len(second[1])
    return (
        Graph("image")
        .add("Mul", np.array(1 / brightest, np.float32))
        .add("Conv", first[0].reshape(few, 1, 3, 3), first[1], pads=[1, 1, 1, 1], strides=[2, 2])
        .add("Relu")
        .add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        .add("Conv", second[0].reshape(many, few, 3, 3), second[1])
        .add("Relu")
        .add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        .add("Flatten")
        .add("Gemm", *last, transB=1)
    )


def _single(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)
