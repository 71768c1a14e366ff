"""The smallest scales that keep an integer model close to its ONNX file, found by trying them on data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine
from vouch.prover.lowering.emit import Lowered, TableError, emit
from vouch.prover.lowering.errors import NotAccurateEnough, TooWide
from vouch.prover.lowering.network import Curve, Network
from vouch.prover.lowering.read import Graph, load
from vouch.prover.lowering.rows import Agreement, Errors, Rows, agreement, errors
from vouch.prover.lowering.scales import Scales
from vouch.prover.lowering.simplify import simplify
from vouch.prover.lowering.translate import translate

MAX_CALIBRATION: Final = 512
"""Rows that scales are tried on; half of the data if that is less. All others are kept for the report."""
_MARGIN: Final = 0.8
"""Scales must keep this share of the error asked for on the calibration rows, as other rows differ."""
_START, _END, _STEP = 4, 22, 2


@dataclass(frozen=True, slots=True)
class Report:
    """How the integer model compares with the ONNX file, on rows that chose the scales and on all others.

    agreement: of classes (argmax, or above one half), None where the output is neither class nor probability.
    tables: the stated error of each. weights, advice: what a proof of one inference costs grows with both.
    """

    scales: Scales
    calibration: Errors
    evaluation: Errors
    agreement: Agreement | None
    tables: tuple[TableError, ...]
    weights: int
    advice: int

    @property
    def max_error(self) -> float:
        """On all rows."""
        return max(self.calibration.maximum, self.evaluation.maximum)


@dataclass(frozen=True, slots=True)
class Quantised:
    """An integer model and how it was measured. secret: made so that a circuit can hide all its weights."""

    model: IntegerModel
    report: Report
    secret: bool = False


def quantise(
    source: Path | bytes,
    data: np.ndarray | Mapping[str, np.ndarray],
    *,
    max_error: float = 1e-3,
    min_agreement: float = 0.995,
    labels: Sequence[int] | np.ndarray | None = None,
    outputs: Sequence[str] | None = None,
    input_decimals: int = 6,
    output_decimals: int = 6,
    input_bits: int | None = None,
    secret: bool = False,
) -> Quantised:
    """Chooses the fewest bits that keep the error on part of the data small enough; measures on the rest.

    data: rows of real inputs, by tensor name if there are several. labels: the true class of each row.
    outputs: those wanted, by name (default: all). input_bits: of every input word; by default there is room
    for twice the largest number in the data. min_agreement: for outputs that are classes. secret: keep all
    weights where a circuit can hide them, which costs more gates.

    Raises BadOnnxFile, UnsupportedNode, UnsupportedTensor, BadCalibration, NotAccurateEnough.
    """
    graph = load(source, outputs=outputs)
    network = simplify(translate(graph))
    rows = Rows.read(graph, data, labels, input_decimals)
    calibration, evaluation = rows.split(MAX_CALIBRATION)
    search = _Search(graph, network, calibration, max_error, min_agreement, secret)
    start = Scales(
        _START,
        _START,
        rows.input_bits if input_bits is None else input_bits,
        input_decimals=input_decimals,
        output_decimals=output_decimals,
    )
    scales, lowered = search.smallest(start)
    return Quantised(lowered.model, _report(scales, lowered, calibration, evaluation), secret)


def _report(scales: Scales, lowered: Lowered, calibration: Rows, evaluation: Rows) -> Report:
    model = lowered.model
    affine = [node.op.weights for node in model.nodes if isinstance(node.op, Affine)]
    made = model.run_many(evaluation.words)
    return Report(
        scales,
        errors(model, calibration, model.run_many(calibration.words)),
        errors(model, evaluation, made),
        agreement(model, evaluation, made),
        lowered.tables,
        sum(int(np.count_nonzero(weights)) for weights in affine),
        sum(column.count for columns in model.columns for column in columns),
    )


class _Search:
    """Tries scales on the calibration rows."""

    def __init__(
        self,
        graph: Graph,
        network: Network,
        rows: Rows,
        max_error: float,
        min_agreement: float,
        secret: bool,
    ) -> None:
        self._graph, self._network, self._rows, self._secret = graph, network, rows, secret
        self._max_error, self._min_agreement = max_error, min_agreement
        self._curves = any(isinstance(layer.operation, Curve) for layer in network.layers)
        self._best: float | None = None
        self._problem = "the finest scales are not enough: give more input or output decimals"

    def smallest(self, start: Scales) -> tuple[Scales, Lowered]:
        """Grows all scales together until they are enough, then takes each back as far as it goes."""
        for bits in range(_START, _END + 1, _STEP):
            scales = replace(start, activation=bits, weight=bits, table=min(10, bits // 2 + 3))
            found = self._try(scales)
            if found is not None:
                return self._shrunk(scales, found)
        raise NotAccurateEnough(self._max_error, self._best, self._problem)

    def _shrunk(self, scales: Scales, found: Lowered) -> tuple[Scales, Lowered]:
        for name in ("activation", "weight", *(["table"] if self._curves else [])):
            while getattr(scales, name) > 2:
                fewer = replace(scales, **{name: getattr(scales, name) - 1})
                lowered = self._try(fewer)
                if lowered is None:
                    break
                scales, found = fewer, lowered
        return scales, found

    def _try(self, scales: Scales) -> Lowered | None:
        """The model, if it is good enough."""
        try:
            lowered = emit(self._graph, self._network, scales, secret=self._secret)
        except TooWide as error:
            self._problem = str(error)
            return None
        made = lowered.model.run_many(self._rows.words)
        seen = errors(lowered.model, self._rows, made)
        if self._best is None or seen.maximum < self._best:
            self._best = seen.maximum
        enough = seen.maximum <= _MARGIN * self._max_error and seen.same >= self._min_agreement
        return lowered if enough else None
