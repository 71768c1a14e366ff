"""An ONNX file as nodes of floating-point tensors, with every constant and shape known.

The file is run once, on zeros and with one batch item, and all tensors are looked at: what does not
depend on the input is a constant from then on (so Constant, Shape and what exporters compute from them are
gone), and everything else has the shape it has for one item.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnx.inliner
import onnxruntime as ort
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from vouch.prover.lowering.errors import BadOnnxFile, UnsupportedTensor

_ORT_ERRORS: tuple[type[Exception], ...] = tuple(
    value for value in vars(ort_errors).values() if isinstance(value, type) and issubclass(value, Exception)
)

DTYPES: Final[Mapping[int, tuple[str, np.dtype[Any]]]] = {
    kind: (name, onnx.helper.tensor_dtype_to_np_dtype(kind))
    for kind, name in (
        (onnx.TensorProto.FLOAT, "FP32"),
        (onnx.TensorProto.DOUBLE, "FP64"),
        (onnx.TensorProto.INT8, "INT8"),
        (onnx.TensorProto.INT16, "INT16"),
        (onnx.TensorProto.INT32, "INT32"),
        (onnx.TensorProto.INT64, "INT64"),
        (onnx.TensorProto.UINT8, "UINT8"),
        (onnx.TensorProto.UINT16, "UINT16"),
        (onnx.TensorProto.UINT32, "UINT32"),
    )
}
"""Of inputs and outputs: the manifest's name and NumPy's type."""

# Their result is known before the input is.
_OF_SHAPE: Final = frozenset({"Shape", "Size"})
_RANDOM: Final = frozenset({"RandomNormal", "RandomUniform", "Bernoulli", "Multinomial"})


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output for one batch item; `batched` says whether its first axis is the batch."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    batched: bool

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def whole(self) -> bool:
        """Holds integers."""
        return not self.dtype.startswith("FP")


@dataclass(frozen=True, slots=True)
class FloatNode:
    """A node whose result depends on the input. `operator` starts with its domain if not ONNX's own."""

    name: str
    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class Graph:
    """The nodes needed for the outputs, in an order in which each comes after what it reads.

    shapes: of every computed tensor, for one batch item. integers: the computed tensors that hold integers.
    constants: by tensor name. model: the whole file.
    """

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    nodes: tuple[FloatNode, ...]
    constants: Mapping[str, np.ndarray]
    shapes: Mapping[str, tuple[int, ...]]
    integers: frozenset[str]
    model: bytes


def load(source: Path | bytes, *, outputs: Sequence[str] | None = None) -> Graph:
    """Reads an ONNX file; `outputs` picks some of its outputs (default: all, in the file's order).

    One dynamic axis per input is allowed, the first: the batch.
    Raises BadOnnxFile, UnsupportedTensor, OSError.
    """
    name, data = ("the model", source) if isinstance(source, bytes) else (str(source), source.read_bytes())
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise BadOnnxFile(name, str(error)) from None
    if model.functions:
        model = onnx.inliner.inline_local_functions(model)
    graph = model.graph
    if not (graph.input and graph.output):
        raise BadOnnxFile(name, "it has no inputs or no outputs")
    chosen = _chosen(graph, outputs)
    weights = {tensor.name for tensor in graph.initializer}
    inputs = tuple(_input(value) for value in graph.input if value.name not in weights)
    nodes = _needed(graph, chosen)
    constant = _constant_names(graph, nodes)
    values = _run_once(name, model, inputs, [*chosen, *(o for node in nodes for o in node.output if o)])
    versions = {imported.domain: imported.version for imported in model.opset_import}
    batched = any(tensor.batched for tensor in inputs)
    return Graph(
        inputs,
        tuple(_output(value, values, batched) for value in graph.output if value.name in chosen),
        tuple(_node(node, versions) for node in nodes if not constant.issuperset(filter(None, node.output))),
        {key: value for key, value in values.items() if key in constant},
        {key: value.shape for key, value in values.items() if isinstance(value, np.ndarray)},
        frozenset(
            key for key, value in values.items() if isinstance(value, np.ndarray) and value.dtype.kind in "iu"
        ),
        data,
    )


def session(model: bytes, name: str = "the model") -> ort.InferenceSession:
    """An onnxruntime session that computes what the file says, without rewriting it. Raises BadOnnxFile."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except _ORT_ERRORS as error:
        raise BadOnnxFile(name, str(error).strip().split("\n")[0]) from error


def run(loaded: ort.InferenceSession, names: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[Any]:
    """The tensors `names`. Raises BadOnnxFile."""
    try:
        return list(loaded.run(list(names), dict(feeds)))
    except _ORT_ERRORS as error:
        raise BadOnnxFile("the model", str(error).strip().split("\n")[0]) from error


def _chosen(graph: onnx.GraphProto, outputs: Sequence[str] | None) -> list[str]:
    there = [value.name for value in graph.output]
    for name in outputs or ():
        if name not in there:
            raise UnsupportedTensor(name, "no output of the graph", f"its outputs are {', '.join(there)}")
    return [name for name in there if outputs is None or name in outputs]


def _needed(graph: onnx.GraphProto, outputs: Iterable[str]) -> list[onnx.NodeProto]:
    """Nodes that the outputs depend on, in the graph's order (ONNX demands that it is topological)."""
    wanted, kept = set(outputs), []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]


def _constant_names(graph: onnx.GraphProto, nodes: Iterable[onnx.NodeProto]) -> set[str]:
    """Tensors that do not depend on the input."""
    known = {tensor.name for tensor in graph.initializer}
    known.update(tensor.values.name for tensor in graph.sparse_initializer)
    for node in nodes:
        # a node with subgraphs may read tensors it does not list
        plain = not any(a.HasField("g") or a.graphs for a in node.attribute)
        fixed = plain and node.op_type not in _RANDOM and known.issuperset(filter(None, node.input))
        if fixed or node.op_type in _OF_SHAPE:
            known.update(node.output)
    return known


def _run_once(
    name: str, model: onnx.ModelProto, inputs: Sequence[Tensor], names: Sequence[str]
) -> dict[str, Any]:
    """Every named tensor of a run on zeros, and the initializers."""
    seen = onnx.ModelProto()
    seen.CopyFrom(model)
    wanted = list(dict.fromkeys(names))
    del seen.graph.output[:]
    seen.graph.output.extend(onnx.ValueInfoProto(name=wanted_name) for wanted_name in wanted)
    feeds = {tensor.name: np.zeros(tensor.shape, _numpy(tensor.dtype)) for tensor in inputs}
    made = run(session(seen.SerializeToString(), name), wanted, feeds) if wanted else []
    values = dict(zip(wanted, made, strict=True))
    return values | {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def _numpy(dtype: str) -> np.dtype[Any]:
    return next(found for name, found in DTYPES.values() if name == dtype)


def _input(value: onnx.ValueInfoProto) -> Tensor:
    tensor = value.type.tensor_type
    if value.type.WhichOneof("value") != "tensor_type" or tensor.elem_type not in DTYPES:
        raise UnsupportedTensor(
            value.name, "of a type that has no integer form", "take float or integer tensors as inputs"
        )
    if not tensor.HasField("shape"):
        raise UnsupportedTensor(value.name, "of unknown rank", "export the model with static shapes")
    shape = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
    if None in shape[1:]:
        raise UnsupportedTensor(
            value.name, f"of the shape {shape}", "fix all axes but the first (the batch) when exporting"
        )
    if 0 in shape:
        raise UnsupportedTensor(value.name, f"of the shape {shape}", "export it with at least one element")
    batched = shape[:1] == [None]
    return Tensor(value.name, DTYPES[tensor.elem_type][0], tuple(size or 1 for size in shape), batched)


def _output(value: onnx.ValueInfoProto, values: Mapping[str, Any], batched: bool) -> Tensor:
    made = values[value.name]
    if not isinstance(made, np.ndarray):
        raise UnsupportedTensor(
            value.name, "no plain tensor", "convert the classifier with options={'zipmap': False}"
        )
    names = [name for name, dtype in DTYPES.values() if dtype == made.dtype]
    if not names:
        raise UnsupportedTensor(
            value.name,
            f"a tensor of {made.dtype}",
            "give numbers: class indices instead of names, float32 or int64",
        )
    return Tensor(value.name, names[0], made.shape, batched and made.shape[:1] == (1,))


def _node(node: onnx.NodeProto, versions: Mapping[str, int]) -> FloatNode:
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    own = node.domain in {"", "ai.onnx"}
    return FloatNode(
        node.name or "that makes " + ", ".join(filter(None, node.output)),
        node.op_type if own else f"{node.domain}.{node.op_type}",
        tuple(node.input),
        tuple(node.output),
        {key: value.decode() if isinstance(value, bytes) else value for key, value in attributes.items()},
        versions.get("" if own else node.domain, 1),
    )
