"""Tensors as bytes: what a consumer contract passes as `int256[]` (`contracts/libraries/TensorCodec.sol`).

Each element is a 32-byte big-endian two's-complement word, the number times 10**scale; elements in row-major
order, tensors one after the other in the manifest's order. Shapes are in the manifest, not in the bytes.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from vouch.protocol.errors import VouchError
from vouch.protocol.fixed import (
    INT256_MAX,
    INT256_MIN,
    Inexact,
    NotFinite,
    OutOfRange,
    div_half_even,
    is_tie,
    narrowable,
    unit,
)
from vouch.protocol.manifest import TensorSpec

WORD = 32

Tensors = dict[str, np.ndarray]


class WrongShape(VouchError):
    """A tensor has not the manifest's shape; None is the batch axis, or rows of unequal length."""

    def __init__(
        self, tensor: str, received: tuple[int, ...] | None, expected: tuple[int | None, ...], why: str = ""
    ) -> None:
        self.tensor, self.received, self.expected = tensor, received, expected
        got = "rows of different lengths" if received is None else _shape(received)
        super().__init__(f"tensor {tensor!r} must have the shape {_shape(expected)}, not {got}{why}")


class MissingTensor(VouchError):
    """The model needs a tensor that was not given."""

    def __init__(self, tensor: str, received: Sequence[str]) -> None:
        self.tensor, self.received = tensor, list(received)
        super().__init__(f"tensor {tensor!r} is missing; given: {', '.join(received) or 'none'}")


class UnknownTensor(VouchError):
    """The model has no such tensor."""

    def __init__(self, tensor: str, expected: Sequence[str]) -> None:
        self.tensor, self.expected = tensor, list(expected)
        super().__init__(f"the model has no tensor {tensor!r}; it has: {', '.join(expected)}")


class NotNumeric(VouchError):
    """A tensor holds something other than numbers."""

    def __init__(self, tensor: str, received: str, expected: str) -> None:
        self.tensor, self.received, self.expected = tensor, received, expected
        super().__init__(f"tensor {tensor!r} holds {received}; give numbers for {expected}")


class NotWholeWords(VouchError):
    """Tensor bytes are whole 32-byte words."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"{size} bytes are not whole {WORD}-byte words")


class WrongSize(VouchError):
    """The number of words does not fit: it must be `fixed`, and `row` more per batch item (at least one)."""

    def __init__(self, received: int, fixed: int, row: int) -> None:
        self.received, self.fixed, self.row = received, fixed, row
        needed = (
            f"{fixed}" if not row else f"{fixed} + n·{row} with n ≥ 1" if fixed else f"a multiple of {row}"
        )
        super().__init__(f"received {received} words; these tensors take {needed}")


def encode_tensors(specs: Sequence[TensorSpec], tensors: Mapping[str, Any]) -> bytes:
    """Bytes of named tensors.

    Values are anything numpy makes an array of: numbers, nested lists, arrays, also Decimal and Fraction. A
    missing leading batch axis means one item. Numbers for a floating-point tensor become the nearest word
    (ties to even); numbers for an integer tensor must be whole.

    Raises MissingTensor, UnknownTensor, WrongShape, NotNumeric, NotFinite, OutOfRange, Inexact.
    """
    names = [spec.name for spec in specs]
    for name in tensors:
        if name not in names:
            raise UnknownTensor(name, names)
    batch: int | None = None
    parts: list[bytes] = []
    for spec in specs:
        if spec.name not in tensors:
            raise MissingTensor(spec.name, list(tensors))
        array, batch = _shaped(spec, tensors[spec.name], batch)
        parts.append(_encode(spec, array.reshape(-1)))
    return b"".join(parts)


def decode_tensors(specs: Sequence[TensorSpec], data: bytes) -> Tensors:
    """Named arrays of the manifest's dtypes and shapes from bytes.

    A word for a floating-point tensor becomes the nearest number of that type (ties to even); a word for an
    integer tensor must be whole and in range.

    Raises NotWholeWords, WrongSize, OutOfRange, Inexact.
    """
    batch = batch_of(specs, len(data))
    made: Tensors = {}
    start = 0
    for spec in specs:
        shape = tuple(batch if size is None else size for size in spec.shape)
        end = start + math.prod(shape) * WORD
        made[spec.name] = _decode(spec, data[start:end]).reshape(shape)
        start = end
    return made


def batch_of(specs: Sequence[TensorSpec], size: int) -> int:
    """Batch items in `size` bytes of tensors; 1 without a batch axis. Raises NotWholeWords, WrongSize."""
    words, rest = divmod(size, WORD)
    if rest:
        raise NotWholeWords(size)
    row = sum(spec.row for spec in specs if spec.batched)
    fixed = sum(spec.row for spec in specs if not spec.batched)
    if row == 0:
        if words != fixed:
            raise WrongSize(words, fixed, row)
        return 1
    batch, rest = divmod(words - fixed, row)
    if rest or batch < 1:
        raise WrongSize(words, fixed, row)
    return batch


def _shaped(spec: TensorSpec, value: Any, batch: int | None) -> tuple[np.ndarray, int | None]:
    try:
        array = np.asarray(value)
    except OverflowError:
        array = np.asarray(value, dtype=object)
    except ValueError:
        raise WrongShape(spec.name, None, spec.shape) from None
    if array.dtype.kind == "f" and spec.numpy.kind != "f" and not isinstance(value, np.ndarray | np.generic):
        # a list of integers and floats: as one float array the integers would be rounded
        array = np.asarray(value, dtype=object)
    if spec.shape[:1] == (None,) and array.shape == spec.shape[1:]:
        array = array[np.newaxis]
    fits = array.ndim == len(spec.shape) and all(
        want == got if want is not None else got > 0
        for want, got in zip(spec.shape, array.shape, strict=True)
    )
    if not fits:
        raise WrongShape(spec.name, array.shape, spec.shape)
    if spec.batched:
        items = array.shape[spec.shape.index(None)]
        if batch is not None and items != batch:
            raise WrongShape(spec.name, array.shape, spec.shape, f" (other tensors have {batch} batch items)")
        batch = items
    return array, batch


def _encode(spec: TensorSpec, flat: np.ndarray) -> bytes:
    if flat.dtype.kind == "f" and flat.dtype.itemsize <= 8 and spec.numpy.kind == "f":
        words = _from_floats(spec, flat.astype(np.float64))
    elif flat.dtype.kind in "biu" and spec.numpy.kind in "biu" and spec.scale == 0:
        _check_bounds(spec, flat)
        words = [int(value) for value in flat.tolist()]
    else:
        words = [_from_number(spec, i, value) for i, value in enumerate(flat.tolist())]
    try:
        return b"".join([word.to_bytes(WORD, "big", signed=True) for word in words])
    except OverflowError:
        one = unit(spec.scale)
        index = next(i for i, word in enumerate(words) if not INT256_MIN <= word <= INT256_MAX)
        low, high = -(-INT256_MIN // one), INT256_MAX // one
        raise OutOfRange(flat.tolist()[index], low, high, tensor=spec.name, index=index) from None


def _from_floats(spec: TensorSpec, flat: np.ndarray) -> list[int]:
    """Nearest words of finite float64 numbers, ties to even; not yet checked to be int256."""
    finite = np.isfinite(flat)
    if not finite.all():
        index = int(finite.argmin())
        raise NotFinite(float(flat[index]), tensor=spec.name, index=index)
    _check_bounds(spec, flat)
    one = unit(spec.scale)
    mantissas, exponents = np.frexp(flat)
    words: list[int] = []
    shifts = (53 - exponents).tolist()
    for mantissa, shift in zip(np.ldexp(mantissas, 53).astype(np.int64).tolist(), shifts, strict=True):
        scaled = mantissa * one
        if shift <= 0:
            words.append(scaled << -shift)
        else:
            # half to even: just under a half is added to an even quotient, exactly a half to an odd one
            words.append((scaled + (1 << (shift - 1)) - 1 + (scaled >> shift & 1)) >> shift)
    return words


def _from_number(spec: TensorSpec, index: int, value: Any) -> int:
    """Nearest word of any real number, or the exact one if the tensor holds integers."""
    if isinstance(value, str | bytes) or value is None:
        raise NotNumeric(spec.name, type(value).__name__, spec.dtype)
    try:
        ratio = Fraction(*value.as_integer_ratio())
    except (ValueError, OverflowError):  # NaN, infinity
        raise NotFinite(float(value), tensor=spec.name, index=index) from None
    except (AttributeError, TypeError):
        raise NotNumeric(spec.name, type(value).__name__, spec.dtype) from None
    low, high = _bounds(spec)
    if not low <= ratio <= high:
        raise OutOfRange(value, low, high, tensor=spec.name, index=index)
    if spec.numpy.kind != "f" and ratio.denominator != 1:
        raise Inexact(value, 0, 0, tensor=spec.name, index=index)
    return div_half_even(ratio.numerator * unit(spec.scale), ratio.denominator)


def _decode(spec: TensorSpec, data: bytes) -> np.ndarray:
    words = list(_words(data))
    one = unit(spec.scale)
    if spec.numpy.kind == "f":
        return _to_floats(spec, words, one)
    low, high = _bounds(spec)
    values: list[int] = []
    for index, word in enumerate(words):
        value, rest = divmod(word, one)
        if rest:
            raise Inexact(word, spec.scale, 0, tensor=spec.name, index=index)
        if not low <= value <= high:
            raise OutOfRange(value, low, high, tensor=spec.name, index=index)
        values.append(value)
    return np.array(values, spec.numpy)


def _to_floats(spec: TensorSpec, words: list[int], one: int) -> np.ndarray:
    # int / int is correctly rounded in Python
    wide = np.array([word / one for word in words], np.float64)
    if spec.numpy == np.float64:
        return wide
    for index in np.flatnonzero(is_tie(wide, spec.numpy)).tolist():
        wide[index] = narrowable(words[index], one, float(wide[index]), spec.numpy)
    with np.errstate(over="ignore"):
        narrow = wide.astype(spec.numpy)
    finite = np.isfinite(narrow)
    if not finite.all():
        index = int(finite.argmin())
        raise OutOfRange(float(wide[index]), *_bounds(spec), tensor=spec.name, index=index)
    return narrow


def _words(data: bytes) -> Iterator[int]:
    for start in range(0, len(data), WORD):
        yield int.from_bytes(data[start : start + WORD], "big", signed=True)


def _bounds(spec: TensorSpec) -> tuple[int, int] | tuple[float, float]:
    dtype = spec.numpy
    if dtype.kind == "f":
        return float(np.finfo(dtype).min), float(np.finfo(dtype).max)
    if dtype.kind == "b":
        return 0, 1
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _check_bounds(spec: TensorSpec, flat: np.ndarray) -> None:
    low, high = _bounds(spec)
    # as Python numbers: the bounds of UINT64 are no int64
    for index in {int(flat.argmin()), int(flat.argmax())}:
        value = flat[index].item()
        if not low <= value <= high:
            raise OutOfRange(value, low, high, tensor=spec.name, index=index)


def _shape(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("batch" if size is None else str(size) for size in shape) + "]"
