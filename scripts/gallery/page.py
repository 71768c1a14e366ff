"""docs/zk-gallery.md: the shipped models, how right their proven answers are, and what the proofs cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx

from scripts.gallery.models import GALLERY, Entry, answers, decisions
from scripts.gallery.proofs import Figures, Workshop, words
from scripts.toolchain import paths
from vouch.circuit.model import IntegerModel
from vouch.prover.lowering.quantise import Report, quantise

PAGE: Final = paths.ROOT / "docs" / "zk-gallery.md"

_HEAD = """# Models that are proven

Written by `scripts/bench zk --gallery`; `scripts/train_gallery.py` makes the models from fixed seeds. All
figures are measured: every proof was checked by the model's verifier contract in a transaction on Anvil.

| model | file | parameters | multiplications |
| --- | --- | ---: | ---: |
"""
_ACCURACY = """
## How right the answers are

*float* is ONNX Runtime, *integer* the whole-number model that the circuit is made of, both on rows that
neither training nor calibration saw. *proven* are rows whose proof the contract accepted: the proven output
is the integer model's, bit for bit; in brackets how often ONNX Runtime is right on the same rows. The error
is the largest distance between float and integer outputs.

| model | float | integer | same decision | proven, right (float) | largest error |
| --- | ---: | ---: | ---: | ---: | ---: |
"""
_COST = """
## What a proof costs

One inference per proof. CPU seconds and memory are those of making the proof ({machine}); gas is
that of a transaction that only verifies.

| model | gates | prove, CPU s | memory, MB | proof, bytes | gas |
| --- | ---: | ---: | ---: | ---: | ---: |
"""
_NOTES = """
* `risk` has curves (tanh): each becomes a table, whose stated error is part of the largest error above.
* `digits_cnn` answers with ten logits (up to {logit:.0f} in size), so its error is one of logits, not of
  probabilities; `digits_class` answers with the digit, so its only error is another digit.
* `scripts/bench zk` measures larger circuits and batches: [`tests/zk.json`](../tests/zk.json).
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of each table.

    parameters: weights and biases in the file. right: proven answers that are the labels'; float_right: ONNX
    Runtime's answers to the same rows that are. largest: size of a proven output.
    """

    name: str
    entry: Entry
    parameters: int
    report: Report
    right: int
    float_right: int
    largest: float
    figures: Figures


async def measure(shop: Workshop, rows: int) -> list[Shown]:
    """Quantises every model, proves so many rows of it and verifies all proofs."""
    return [await _measure(shop, name, entry, rows) for name, entry in GALLERY.items()]


async def _measure(shop: Workshop, name: str, entry: Entry, count: int) -> Shown:
    unseen = entry.unseen()
    quantised = quantise(
        entry.path,
        unseen.inputs,
        labels=unseen.labels,
        max_error=entry.max_error,
        input_decimals=entry.input_decimals,
        min_agreement=entry.min_agreement,
    )
    proven = await shop.measure(name, quantised, words(unseen.inputs[:count], entry.input_decimals))
    outputs = real(quantised.model, proven.outputs)
    labels, onnx_model = unseen.labels[: len(outputs)], onnx.load(entry.path)
    floats = answers(onnx_model, unseen.inputs[: len(outputs)])
    return Shown(
        name,
        entry,
        parameters(onnx_model),
        quantised.report,
        int((decisions(outputs) == labels).sum()),
        int((decisions(floats) == labels).sum()),
        float(np.abs(outputs).max()),
        proven.figures,
    )


def parameters(model: onnx.ModelProto) -> int:
    """Weights and biases: all floating-point constants that are not one number."""
    tensors = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT and t.dims]
    return sum(int(np.prod(tensor.dims)) for tensor in tensors)


def real(model: IntegerModel, outputs: np.ndarray) -> np.ndarray:
    """Output words int64 [rows, n] → the numbers they stand for; classes stay whole."""
    (port,) = model.outputs
    return outputs if port.decimals == 0 else np.asarray(outputs / 10.0**port.decimals)


def text(shown: Sequence[Shown], machine: str) -> str:
    """The whole page."""
    models = "".join(_model(s) for s in shown)
    logit = max((s.largest for s in shown if s.name == "digits_cnn"), default=0)
    return (
        _HEAD
        + models
        + _ACCURACY
        + "".join(_accuracy(s) for s in shown)
        + _COST.format(machine=machine)
        + "".join(_cost(s) for s in shown)
        + _NOTES.format(logit=logit)
    )


def write(shown: Sequence[Shown], machine: str) -> None:
    """Puts the page where it is committed."""
    PAGE.write_text(text(shown, machine))


def _model(s: Shown) -> str:
    return f"| {s.entry.title} | `{s.entry.file}` | {s.parameters:,} | {s.report.weights:,} |\n"


def _accuracy(s: Shown) -> str:
    agreed = s.report.agreement
    shares = ("-", "-", "-")
    if agreed is not None and agreed.onnx_accuracy is not None and agreed.integer_accuracy is not None:
        shares = (f"{agreed.onnx_accuracy:.2%}", f"{agreed.integer_accuracy:.2%}", f"{agreed.same:.2%}")
    error = f"{s.report.max_error:.1e}" if s.report.max_error else "0"
    proven = f"{s.right} of {s.figures.proofs} ({s.float_right})"
    return f"| `{s.name}` | {' | '.join(shares)} | {proven} | {error} |\n"


def _cost(s: Shown) -> str:
    f = s.figures
    return (
        f"| `{s.name}` | {f.gates:,} | {f.prove_cpu_seconds:.2f} | {f.peak_bytes / 2**20:.0f} "
        f"| {f.proof_bytes:,} | {f.gas:,} |\n"
    )
