"""The circuits of `vouch demo --zk`: shipped ONNX files, compiled here and now."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import onnx
from rich.table import Table

from vouch.cli.console import Failed, duration
from vouch.cli.devnet import RISK, Progress, risk_model
from vouch.prover import srs, toolchain
from vouch.prover.build import build
from vouch.prover.errors import ToolchainMissing
from vouch.prover.files import CircuitFiles
from vouch.prover.lowering.quantise import Quantised, quantise
from vouch.prover.srs import ReferenceString
from vouch.prover.toolchain import Toolchain

LARGE = "risk_mlp"
"""The larger of the two models; the smaller one is RISK, which the example contracts can ask."""
POINTS = 1 << 14
"""Of the development string, one for each gate; twice what the models need."""
ROWS, SEED = 1_024, 20_260_115
MAX_ERROR = 1e-3
"""Allowed between the whole-number model and the ONNX file."""
PAUSE = 5.0
"""Seconds in which a line that only counts on is shown once."""

Loans = np.ndarray[tuple[int, int], np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A circuit folder, how far the whole-number model is from the ONNX file, and the seconds it took."""

    source: Path
    files: CircuitFiles
    made: Quantised
    seconds: float

    @property
    def name(self) -> str:
        return self.files.manifest.name

    @property
    def parameters(self) -> int:
        return parameters(self.source)


def parameters(source: Path) -> int:
    """Weights and biases in an ONNX file."""
    return sum(prod(tensor.dims) for tensor in onnx.load(source).graph.initializer)


def tools() -> Toolchain:
    """The installed programs of the zk route. Raises Failed with the command that installs them."""
    try:
        return toolchain.find()
    except ToolchainMissing as missing:
        raise Failed(
            f"the demo makes real proofs, and the programs for that are not in {missing.home} "
            f"({missing.reason})\n"
            "in a checkout, `scripts/demo --zk` installs them first; otherwise run `vouch zk setup --dev-srs`"
        ) from missing


async def compiled(folder: Path, found: Toolchain, progress: Progress) -> list[Compiled]:
    """RISK and LARGE as circuit folders in `folder`, both at a time. Raises as `quantise` and `build`."""
    string = await asyncio.to_thread(srs.ensure_dev, found.home, POINTS, progress)
    sources = {RISK: risk_model(), LARGE: risk_model().parent / "zk" / f"{LARGE}.onnx"}
    async with asyncio.TaskGroup() as tasks:
        made = [
            tasks.create_task(_compiled(name, source, folder / name, string, found, progress))
            for name, source in sources.items()
        ]
    return [each.result() for each in made]


async def _compiled(
    name: str, source: Path, folder: Path, string: ReferenceString, found: Toolchain, progress: Progress
) -> Compiled:
    began, show = time.monotonic(), sparse(lambda line: progress(f"{name}: {line}"))
    shape = onnx.load(source, load_external_data=False).graph.input[0].type.tensor_type.shape
    rows = loans(ROWS, SEED)[:, : shape.dim[1].dim_value]
    show(f"searching the smallest scales that keep the error below {MAX_ERROR:g}")
    made = await asyncio.to_thread(quantise, source, rows, max_error=MAX_ERROR)
    files = await build(made, folder, name=name, srs=string, toolchain=found, progress=show)
    show(f"compiled: {files.of(1).gates:,} gates, circuit id 0x{files.of(1).circuit.id.hex()[:16]}…")
    return Compiled(source, files, made, time.monotonic() - began)


def loans(rows: int, seed: int) -> Loans:
    """Made-up loans: the ten features of LARGE, of which RISK has the first five, in their own units."""
    rng = np.random.default_rng(seed)
    debt_ratio = np.clip(rng.gamma(3.0, 0.13, rows), 0, 1.5)
    used = rng.beta(1.5 + debt_ratio, 2.5, rows)
    columns = (
        rng.lognormal(3.9, 0.5, rows),  # yearly income, thousands
        debt_ratio,
        np.clip(rng.normal(1.5, 0.45, rows), 0.5, 3),  # collateral / loan
        rng.poisson(0.5 + 1.5 * debt_ratio),  # late payments
        rng.gamma(2.5, 3.0, rows),  # years since the first account
        np.clip(rng.lognormal(0.2, 0.6, rows), 0.05, 8),  # loan / yearly income
        used,  # part of the credit lines
        rng.poisson(0.8 + used),  # enquiries by other lenders
        rng.gamma(1.5, 3.5, rows),  # years in the present employment
        np.clip(rng.gamma(1.2, 4.0, rows), 0, 36),  # savings, months of spending
    )
    return np.stack(columns, axis=1).astype(np.float32)


def sparse(progress: Progress, seconds: float = PAUSE) -> Progress:
    """Leaves out lines that differ from the last one in numbers only, but for one in so many seconds."""
    last, at = "", 0.0

    def show(line: str) -> None:
        nonlocal last, at
        kind, now = re.sub(r"\d+", "", line), time.monotonic()
        if kind != last or now - at >= seconds:
            last, at = kind, now
            progress(line)

    return show


def table(made: Sequence[Compiled]) -> Table:
    """What became of each model."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("model")
    for column in ("parameters", "fixed point", "error, at most", "mean", "same decision", "gates", "took"):
        shown.add_column(column, justify="right")
    for each in made:
        report = each.made.report
        errors = (report.calibration, report.evaluation)
        mean = sum(seen.mean * seen.rows for seen in errors) / sum(seen.rows for seen in errors)
        shown.add_row(
            each.name,
            f"{each.parameters:,}",
            f"2^-{report.scales.activation}, weights 2^-{report.scales.weight}",
            f"{report.max_error:.1e}",
            f"{mean:.1e}",
            "-" if report.agreement is None else f"{report.agreement.same:.2%}",
            f"{each.files.of(1).gates:,}",
            duration(each.seconds),
        )
    return shown
