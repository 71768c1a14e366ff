"""Integer models as bytes: deterministic CBOR (RFC 8949, section 4.2) of one map.

An operation is a map of its name and its constants; an array is [type, shape, bytes], little-endian, row by
row, of the narrowest of the types i1, i2, i4 and i8 that holds its elements. One model has one form.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import cbor2
import numpy as np

from vouch.circuit.errors import BadIntegerModel, check
from vouch.circuit.ops import (
    Affine,
    ArgMax,
    Combine,
    Concat,
    Gather,
    Lookup,
    Op,
    Relu,
    Round,
    Scale,
)
from vouch.circuit.parts import Node, Parts, Port

VERSION: Final = 1

_MAP: Final = {
    "format": str,
    "input_bits": int,
    "inputs": list,
    "nodes": list,
    "output": int,
    "outputs": list,
}
_FORMAT: Final = f"vouch integer model {VERSION}"
_PORT: Final = {"name": str, "dtype": str, "shape": list, "decimals": int}
_CONSTANTS: Final[Mapping[type[Op], Mapping[str, type]]] = {
    Affine: {"weights": list, "bias": list, "index": list},
    Combine: {"a": int, "b": int, "constant": int},
    Scale: {"a": int, "constant": int},
    Gather: {"index": list},
    Concat: {},
    Round: {"shift": int},
    Relu: {"shift": int},
    Lookup: {"step_bits": int, "knots": list},
    ArgMax: {"groups": int},
}
"""Operation → its fields → the CBOR type of each: a number or an array. A dense Affine has no index."""
_OPS: Final[Mapping[str, type[Op]]] = {op.__name__: op for op in _CONSTANTS}
_TYPES: Final = {f"i{size}": np.dtype(f"<i{size}") for size in (1, 2, 4, 8)}


def dump(parts: Parts) -> bytes:
    """Canonical bytes."""
    made = {
        "format": _FORMAT,
        "input_bits": parts.input_bits,
        "inputs": [_dump_port(port) for port in parts.inputs],
        "nodes": [_dump_node(node) for node in parts.nodes],
        "output": parts.output,
        "outputs": [_dump_port(port) for port in parts.outputs],
    }
    return cbor2.dumps(made, canonical=True)


def load(data: bytes) -> Parts:
    """From canonical bytes; each part is checked by itself. Raises BadIntegerModel."""
    try:
        value = cbor2.loads(data)
    except cbor2.CBORDecodeError as error:
        raise BadIntegerModel("(root)", data[:40], f"CBOR ({error})") from None
    given = _map(value, "", _MAP)
    check(given["format"] == _FORMAT, "format", given["format"], _FORMAT)
    parts = Parts(
        tuple(_load_port(port, f"inputs[{i}]") for i, port in enumerate(given["inputs"])),
        given["input_bits"],
        tuple(_load_node(node, f"nodes[{i}]") for i, node in enumerate(given["nodes"])),
        given["output"],
        tuple(_load_port(port, f"outputs[{i}]") for i, port in enumerate(given["outputs"])),
    )
    check(
        dump(parts) == data, "(root)", data[:40], "the canonical bytes: deterministic CBOR, narrowest arrays"
    )
    return parts


def _dump_port(port: Port) -> dict[str, Any]:
    return {"name": port.name, "dtype": port.dtype, "shape": list(port.shape), "decimals": port.decimals}


def _load_port(value: Any, path: str) -> Port:
    given = _map(value, path, _PORT)
    try:
        return Port(given["name"], given["dtype"], tuple(given["shape"]), given["decimals"])
    except BadIntegerModel as error:
        raise error.inside(path) from None


def _dump_node(node: Node) -> dict[str, Any]:
    made: dict[str, Any] = {"op": type(node.op).__name__, "sources": list(node.sources)}
    for name in _CONSTANTS[type(node.op)]:
        constant = getattr(node.op, name)
        if constant is not None:
            made[name] = _dump_array(constant) if isinstance(constant, np.ndarray) else constant
    return made


def _load_node(value: Any, path: str) -> Node:
    check(isinstance(value, dict), path, value, "a map")
    op = value.get("op")
    check(type(op) is str and op in _OPS, f"{path}.op", op, f"one of {', '.join(_OPS)}")
    kind = _OPS[op]
    fields = dict(_CONSTANTS[kind])
    if kind is Affine and "index" not in value:
        del fields["index"]
    given = _map(value, path, {"op": str, "sources": list, **fields})
    constants: dict[str, Any] = {}
    for name, cbor in fields.items():
        constants[name] = _load_array(given[name], f"{path}.{name}") if cbor is list else given[name]
    try:
        return Node(kind(**constants), tuple(given["sources"]))
    except BadIntegerModel as error:
        raise error.inside(path) from None


def _dump_array(array: np.ndarray) -> list[Any]:
    low, high = int(array.min()), int(array.max())
    bits = max((-low - 1 if low < 0 else 0).bit_length(), max(high, 0).bit_length()) + 1
    name = next(name for name, dtype in _TYPES.items() if bits <= 8 * dtype.itemsize)
    return [name, list(array.shape), array.astype(_TYPES[name]).tobytes()]


def _load_array(value: list[Any], path: str) -> np.ndarray:
    fits = len(value) == 3 and type(value[0]) is str and type(value[1]) is list and type(value[2]) is bytes
    check(fits, path, value, "an array: type, shape, bytes")
    name, shape, data = value
    check(name in _TYPES, path, name, f"one of the types {', '.join(_TYPES)}")
    sizes = all(type(size) is int and size > 0 for size in shape)
    check(sizes, path, shape, "a shape of positive sizes")
    dtype = _TYPES[name]
    size = math.prod(shape) * dtype.itemsize
    check(len(data) == size, path, f"{len(data)} bytes", f"{size} bytes, as type and shape say")
    return np.frombuffer(data, dtype).astype(np.int64).reshape(shape)


def _map(value: Any, path: str, expected: Mapping[str, type]) -> Mapping[str, Any]:
    """A map of exactly these keys, with values of exactly these types."""
    check(type(value) is dict, path or "(root)", value, "a map")
    prefix = f"{path}." if path else ""
    for key, kind in expected.items():
        check(key in value, prefix + key, None, "this field")
        # type() and not isinstance: CBOR true is no number
        check(type(value[key]) is kind, prefix + key, value[key], kind.__name__)
    for key in value:
        check(key in expected, f"{prefix}{key}", value[key], "no such field")
    made: Mapping[str, Any] = value
    return made
