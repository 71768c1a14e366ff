"""Data that a model is measured on, and the measures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from vouch.circuit.model import IntegerModel
from vouch.prover.lowering.errors import BadCalibration, BadOnnxFile
from vouch.prover.lowering.read import DTYPES, Graph, Tensor, run, session

_SEED = 20_260_115
_MAX_WORD = 1 << 58


@dataclass(frozen=True, slots=True)
class Errors:
    """Distances from the ONNX file on `rows` rows: of real outputs; `same` is the share of equal classes."""

    rows: int
    maximum: float
    mean: float
    same: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Share of rows with the ONNX file's decision; with labels, the share of right decisions of both."""

    same: float
    onnx_accuracy: float | None
    integer_accuracy: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Inputs as words int64 [rows, n_in], what the ONNX file makes of the real ones float64 [rows, n_out]."""

    words: np.ndarray
    expected: np.ndarray
    labels: np.ndarray | None

    @classmethod
    def read(
        cls,
        graph: Graph,
        data: np.ndarray | Mapping[str, np.ndarray],
        labels: Sequence[int] | np.ndarray | None,
        decimals: int,
    ) -> Self:
        """Checks the data and runs the ONNX file on it. Raises BadCalibration, BadOnnxFile."""
        named = data if isinstance(data, Mapping) else {graph.inputs[0].name: data}
        if set(named) != {tensor.name for tensor in graph.inputs}:
            expected = ", ".join(tensor.name for tensor in graph.inputs)
            raise BadCalibration(f"the tensors {', '.join(sorted(named))}", f"{expected}, by name")
        real = {tensor.name: _shaped(tensor, named[tensor.name]) for tensor in graph.inputs}
        count = len(next(iter(real.values())))
        if any(len(array) != count for array in real.values()) or count < 2:
            raise BadCalibration(
                f"{[len(array) for array in real.values()]} rows", "as many of each tensor, and two or more"
            )
        words = [_words(tensor, real[tensor.name], decimals) for tensor in graph.inputs]
        known = None if labels is None else np.asarray(labels).reshape(-1)
        if known is not None and len(known) != count:
            raise BadCalibration(f"{len(known)} labels", f"{count}, one a row")
        return cls(np.concatenate(words, axis=1), _reference(graph, real), known)

    @property
    def input_bits(self) -> int:
        """Room for twice the largest word, and a sign."""
        return max(8, int(2 * np.abs(self.words).max()).bit_length() + 1)

    def split(self, most: int) -> tuple[Self, Self]:
        """At random, but always the same: at most `most` rows, or half of all, and the rest."""
        order = np.random.default_rng(_SEED).permutation(len(self.words))
        size = min(most, len(order) // 2)
        return self._chosen(order[:size]), self._chosen(order[size:])

    def _chosen(self, order: np.ndarray) -> Self:
        labels = None if self.labels is None else self.labels[order]
        return type(self)(self.words[order], self.expected[order], labels)


def errors(model: IntegerModel, rows: Rows, made: np.ndarray) -> Errors:
    """Of the outputs int64 [rows, n_out] of a model."""
    whole = _whole(model)
    distance = np.abs(_real(model, made) - rows.expected)
    real, classes = distance[:, ~whole], distance[:, whole]
    maximum, mean = (float(real.max()), float(real.mean())) if real.size else (0.0, 0.0)
    same = float((classes < 0.5).all(1).mean()) if classes.size else 1.0
    return Errors(len(made), maximum, mean, same)


def agreement(model: IntegerModel, rows: Rows, made: np.ndarray) -> Agreement | None:
    """Of the first output: a class, a probability (all numbers in [0, 1]), or scores if labels are given."""
    size = model.outputs[0].size
    got, expected = _real(model, made)[:, :size], rows.expected[:, :size]
    whole = bool(_whole(model)[0])
    likely = not whole and expected.min() >= 0 and expected.max() <= 1
    if not (whole or likely or rows.labels is not None):
        return None
    if whole:
        decided = (got[:, 0], expected[:, 0])
    elif size == 1:
        threshold = 0.5 if likely else 0.0
        decided = (got[:, 0] > threshold, expected[:, 0] > threshold)
    else:
        decided = (got.argmax(1), expected.argmax(1))
    rates: list[float | None] = [None, None]
    if rows.labels is not None:
        rates = [float((decision == rows.labels).mean()) for decision in decided]
    return Agreement(float((decided[0] == decided[1]).mean()), rates[1], rates[0])


def _whole(model: IntegerModel) -> np.ndarray:
    """Which output elements are integers."""
    return np.repeat(
        [not port.dtype.startswith("FP") for port in model.outputs], [port.size for port in model.outputs]
    )


def _real(model: IntegerModel, made: np.ndarray) -> np.ndarray:
    units = [10.0**port.decimals for port in model.outputs]
    return np.asarray(made / np.repeat(units, [port.size for port in model.outputs]))


def _shaped(tensor: Tensor, data: Any) -> np.ndarray:
    """Rows of one item each, in the tensor's dtype."""
    try:
        array = np.asarray(data, np.float64)
    except (TypeError, ValueError) as error:
        raise BadCalibration(f"{tensor.name!r}: {error}", "numbers, as many in each row") from None
    if array.ndim == 0 or len(array) == 0 or array.size != len(array) * tensor.size:
        raise BadCalibration(
            f"{tensor.name!r} of the shape {list(array.shape)}", f"rows of {tensor.size} numbers each"
        )
    if not np.isfinite(array).all():
        raise BadCalibration(f"NaN or infinity in {tensor.name!r}", "finite numbers")
    dtype = next(found for name, found in DTYPES.values() if name == tensor.dtype)
    inner = tensor.shape[1:] if tensor.batched else tensor.shape
    return np.asarray(array.reshape(len(array), *inner).astype(dtype))


def _words(tensor: Tensor, real: np.ndarray, decimals: int) -> np.ndarray:
    words = np.rint(real.reshape(len(real), -1).astype(np.float64) * (1 if tensor.whole else 10.0**decimals))
    if np.abs(words).max() >= _MAX_WORD:
        raise BadCalibration(
            f"{float(np.abs(real).max()):g} in {tensor.name!r}, with {decimals} decimals",
            "smaller numbers, or fewer input decimals",
        )
    return words.astype(np.int64)


def _reference(graph: Graph, real: Mapping[str, np.ndarray]) -> np.ndarray:
    """Outputs of the ONNX file, float64 [rows, n_out]; at once if it takes a batch."""
    loaded = session(graph.model)
    names = [tensor.name for tensor in graph.outputs]
    count = len(next(iter(real.values())))
    if all(tensor.batched for tensor in graph.inputs):
        try:
            made = run(loaded, names, real)
        except BadOnnxFile:
            made = []  # made for one item
        if made and all(len(array) == count for array in made):
            return np.concatenate([array.reshape(count, -1).astype(np.float64) for array in made], axis=1)
    rows = []
    for i in range(count):
        feeds = {
            tensor.name: real[tensor.name][i : i + 1] if tensor.batched else real[tensor.name][i]
            for tensor in graph.inputs
        }
        rows.append(
            np.concatenate([np.asarray(a, np.float64).reshape(-1) for a in run(loaded, names, feeds)])
        )
    return np.stack(rows)
