"""The manifest of an ONNX file, read from the file itself."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from vouch.protocol.codec import WORD
from vouch.protocol.errors import VouchError
from vouch.protocol.fixed import DECIMALS
from vouch.protocol.manifest import DTYPES, Artefact, Limits, Manifest, TensorSpec

MAX_BATCH: Final = 64
"""Batch items that the default output limit has room for."""

_DTYPES: Final[Mapping[int, str]] = {
    onnx.TensorProto.BOOL: "BOOL",
    onnx.TensorProto.UINT8: "UINT8",
    onnx.TensorProto.UINT16: "UINT16",
    onnx.TensorProto.UINT32: "UINT32",
    onnx.TensorProto.UINT64: "UINT64",
    onnx.TensorProto.INT8: "INT8",
    onnx.TensorProto.INT16: "INT16",
    onnx.TensorProto.INT32: "INT32",
    onnx.TensorProto.INT64: "INT64",
    onnx.TensorProto.FLOAT16: "FP16",
    onnx.TensorProto.FLOAT: "FP32",
    onnx.TensorProto.DOUBLE: "FP64",
}

# Default domain of ONNX graphs, and operators whose result differs between two runs.
_RANDOM: Final = frozenset(
    {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
)


class NotOnnx(VouchError):
    """The file is no valid ONNX model."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path} is no valid ONNX model: {reason}")


class UnsupportedTensor(VouchError):
    """An input or output of the graph has no fixed-point form; `node` is what makes it ("" for an input)."""

    def __init__(self, tensor: str, node: str, received: str, advice: str) -> None:
        self.tensor, self.node, self.received, self.advice = tensor, node, received, advice
        made = f" (made by {node})" if node else ""
        super().__init__(f"tensor {tensor!r}{made} is {received}; {advice}")


class ExternalData(VouchError):
    """Weights lie in another file, which the artefact's hash would not cover."""

    def __init__(self, path: Path, tensor: str, location: str) -> None:
        self.path, self.tensor, self.location = path, tensor, location
        super().__init__(
            f"{path} keeps the tensor {tensor!r} in {location!r}, outside of the hashed file; save one file: "
            "onnx.save(onnx.load(path), path, save_as_external_data=False)"
        )


def manifest_from_onnx(
    path: Path, name: str, *, max_output: int | None = None, scales: Mapping[str, int] | None = None
) -> Manifest:
    """Manifest of kind "tensor" for an ONNX file.

    One dynamic axis per tensor is allowed, the batch. `scales` gives decimals by tensor name (default: 18 for
    floating-point, 0 for whole numbers and booleans); `max_output` is in bytes (default: room for MAX_BATCH
    items). A graph with a random operator is marked as not deterministic.

    Raises NotOnnx, UnsupportedTensor, ExternalData, BadManifest, OSError.
    """
    data = path.read_bytes()
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise NotOnnx(path, str(error)) from None
    _refuse_external(path, model)
    graph = model.graph
    scales = scales or {}
    weights = {tensor.name for tensor in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    inputs = tuple(_spec(value, None, scales) for value in graph.input if value.name not in weights)
    outputs = tuple(_spec(value, makers.get(value.name), scales) for value in graph.output)
    # Last, because what it says about the tensors above has no advice.
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise NotOnnx(path, str(error).strip().split("\n")[0]) from None
    names = {spec.name for spec in inputs + outputs}
    for tensor_name in scales:
        if tensor_name not in names:
            raise UnsupportedTensor(
                tensor_name, "", "not in the graph", f"its tensors are {', '.join(sorted(names))}"
            )
    words = sum(spec.row * (MAX_BATCH if spec.batched else 1) for spec in outputs)
    return Manifest(
        name=name,
        kind="tensor",
        artefact=Artefact("onnx", hashlib.sha256(data).hexdigest(), len(data)),
        limits=Limits(words * WORD if max_output is None else max_output),
        inputs=inputs,
        outputs=outputs,
        deterministic=not any(node.op_type in _RANDOM for node in _nodes(model)),
    )


def _refuse_external(path: Path, model: onnx.ModelProto) -> None:
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            location = next((e.value for e in tensor.external_data if e.key == "location"), "?")
            raise ExternalData(path, tensor.name, location)


def _spec(value: onnx.ValueInfoProto, maker: onnx.NodeProto | None, scales: Mapping[str, int]) -> TensorSpec:
    node = f"{maker.op_type} {maker.name}".rstrip() if maker is not None else ""
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        zipmap = maker is not None and maker.op_type == "ZipMap"
        advice = (
            "convert the classifier with options={'zipmap': False}, so that it gives a plain array"
            if zipmap
            else "make the graph give a plain tensor"
        )
        raise UnsupportedTensor(value.name, node, f"a {str(kind).removesuffix('_type')}", advice)
    tensor = value.type.tensor_type
    if tensor.elem_type not in _DTYPES:
        received = f"a tensor of {onnx.TensorProto.DataType.Name(tensor.elem_type)}"
        string = tensor.elem_type == onnx.TensorProto.STRING
        advice = (
            "map the strings to whole numbers (class indices) in the graph or drop this tensor"
            if string
            else f"cast it to one of {', '.join(DTYPES)} in the graph"
        )
        raise UnsupportedTensor(value.name, node, received, advice)
    if not tensor.HasField("shape"):
        raise UnsupportedTensor(value.name, node, "of unknown rank", "export the model with static shapes")
    shape = tuple(d.dim_value if d.HasField("dim_value") else None for d in tensor.shape.dim)
    if shape.count(None) > 1:
        raise UnsupportedTensor(
            value.name,
            node,
            f"of the shape {list(shape)} with {shape.count(None)} dynamic axes",
            "fix all axes but the batch when exporting",
        )
    dtype = _DTYPES[tensor.elem_type]
    default = DECIMALS if DTYPES[dtype].kind == "f" else 0
    return TensorSpec(value.name, dtype, shape, scales.get(value.name, default))


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        yield from _subgraphs(node)


def _subgraphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            yield from _graphs(graph)


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    for graph in _graphs(model.graph):
        yield from graph.node
    for function in model.functions:
        for node in function.node:
            yield node
            for graph in _subgraphs(node):
                yield from graph.node


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every constant of the model: initializers of all graphs, and attributes of all nodes."""
    for graph in _graphs(model.graph):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for node in _nodes(model):
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for graph in attribute.graphs:
                yield from graph.initializer
