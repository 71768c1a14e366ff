"""Tensors of the Open Inference Protocol v2 in JSON: flat or nested row-major data to arrays, and back.

Values are taken exactly or refused: no wrapped integers, no infinities, no truth values for numbers.
"""

import math
from typing import Any

import numpy as np

from vouch.node.errors import NodeError
from vouch.protocol.manifest import TensorSpec


class InvalidTensor(NodeError):
    """A tensor of an inference request is not what the model takes."""

    def __init__(self, tensor: str, field: str, received: str, expected: str) -> None:
        self.tensor, self.field, self.received, self.expected = tensor, field, received, expected
        super().__init__(f"tensor {tensor}: {field} is {received}, expected {expected}")


class OutputNotFinite(NodeError):
    """The model's output has a NaN or an infinity, for which JSON has no number."""

    status = 422

    def __init__(self, tensor: str, index: int, value: str) -> None:
        self.tensor, self.index, self.value = tensor, index, value
        super().__init__(
            f"output {tensor}[{index}] is {value}, for which JSON has no number: try another input"
        )


def parse_tensor(spec: TensorSpec, given: dict[str, Any]) -> np.ndarray:
    """One entry of "inputs" as an array of the spec's dtype and the given shape.

    Raises InvalidTensor for another datatype, a shape that does not fit (the batch axis fits any size), a
    wrong number of values, and values that the dtype cannot hold.
    """
    if given.get("datatype") != spec.dtype:
        raise InvalidTensor(spec.name, "datatype", repr(given.get("datatype")), spec.dtype)
    shape = _shape(spec, given.get("shape"))
    flat = flatten(spec.name, given.get("data"))
    if len(flat) != math.prod(shape):
        raise InvalidTensor(spec.name, "data", f"{len(flat)} values", f"{math.prod(shape)} for shape {shape}")
    kind = spec.numpy
    for index, value in enumerate(flat):
        _check_value(spec, index, value, kind)
    with np.errstate(over="ignore"):
        array = np.array(flat, dtype=kind).reshape(shape)
    if kind.kind == "f" and not np.isfinite(array).all():
        index = int(np.flatnonzero(~np.isfinite(array))[0])
        raise InvalidTensor(
            spec.name, f"data[{index}]", repr(flat[index]), f"a number that {spec.dtype} can hold"
        )
    return array


def render_tensor(name: str, dtype: str, array: np.ndarray) -> dict[str, Any]:
    """One entry of "outputs". Raises OutputNotFinite."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        index = int(np.flatnonzero(~np.isfinite(array))[0])
        raise OutputNotFinite(name, index, repr(float(array.flat[index])))
    return {"name": name, "datatype": dtype, "shape": list(array.shape), "data": array.ravel().tolist()}


def flatten(tensor: str, data: object) -> list[Any]:
    """Row-major values of flat or nested lists.

    Raises InvalidTensor for anything else and for ragged nesting.
    """
    if not isinstance(data, list):
        raise InvalidTensor(tensor, "data", type(data).__name__, "a list, flat or nested")
    level: list[Any] = data
    while level and isinstance(level[0], list):
        width = len(level[0])
        if any(not isinstance(row, list) or len(row) != width for row in level):
            raise InvalidTensor(tensor, "data", "ragged", "rows of one length")
        level = [value for row in level for value in row]
    if any(isinstance(value, list) for value in level):
        raise InvalidTensor(tensor, "data", "ragged", "rows of one length")
    return level


def _shape(spec: TensorSpec, given: object) -> tuple[int, ...]:
    expected = [-1 if size is None else size for size in spec.shape]
    if (
        not isinstance(given, list)
        or len(given) != len(expected)
        or any(type(size) is not int or size < 0 for size in given)
        or any(want not in (-1, size) for want, size in zip(expected, given, strict=True))
    ):
        raise InvalidTensor(spec.name, "shape", repr(given), repr(expected))
    return tuple(given)


def _check_value(spec: TensorSpec, index: int, value: object, kind: np.dtype[Any]) -> None:
    expected = None
    match kind.kind:
        case "b":
            if not isinstance(value, bool):
                expected = "true or false"
        case "i" | "u":
            bounds = np.iinfo(kind)
            if type(value) is not int or not bounds.min <= value <= bounds.max:
                expected = f"an integer from {bounds.min} to {bounds.max}"
        case _:
            # An integer beyond the largest double raises in the conversion that follows.
            if not (type(value) is float or (type(value) is int and abs(value) <= 2**1023)):
                expected = "a number"
    if expected is not None:
        raise InvalidTensor(spec.name, f"data[{index}]", repr(value)[:80], expected)
