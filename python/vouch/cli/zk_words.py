"""Rows out of NumPy files, and a compilation's report in words."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from vouch.cli.console import Failed

if TYPE_CHECKING:
    from vouch.prover.lowering.quantise import Quantised


def read_rows(file: Path) -> Any:
    """One array of a .npy file, or the arrays of a .npz file by name. Raises Failed."""
    try:
        with file.open("rb") as opened:
            loaded = np.load(opened, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return loaded
            return {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise Failed(f"{file} is no NumPy file (.npy, .npz): {error}") from error


def report_lines(made: "Quantised") -> Iterator[str]:
    """How far the integer model is from the ONNX file, and what it costs."""
    report, scales = made.report, made.report.scales
    yield (
        f"scales: activations 2^-{scales.activation}, weights 2^-{scales.weight}, "
        f"inputs of {made.model.input_bits} bits"
    )
    for label, seen in (("calibration", report.calibration), ("other rows", report.evaluation)):
        yield f"error on {label}: at most {seen.maximum:.2e}, mean {seen.mean:.2e}"
    if (seen_alike := report.agreement) is not None:
        yield f"same decision on {seen_alike.same:.2%} of the other rows"
        if seen_alike.integer_accuracy is not None and seen_alike.onnx_accuracy is not None:
            was, is_ = seen_alike.onnx_accuracy, seen_alike.integer_accuracy
            yield f"right decisions: {was:.2%} by the ONNX file, {is_:.2%} by the circuit"
    for table in report.tables:
        yield f"table for {table.kind} at node {table.node!r}: off by at most {table.error:.2e}"
    yield f"a proof of one inference: {report.weights:,} weights, {report.advice:,} private values"
