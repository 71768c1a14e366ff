"""EZKL (halo2, KZG) on the same network: PyPI's wheel, in an environment of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import numpy as np
import onnx

from scripts.zk_bench.baseline import FOLDER, Absent, Baseline, step, together
from vouch.prover.errors import ProgramFailed, ProgramKilled

VERSION: Final = "23.0.5"
NAME: Final = "EZKL"
CHILD: Final = Path(__file__).with_name("ezkl_child.py")
SETUP: Final = ("settings", "calibrate", "circuit", "setup")
STEPS: Final = ("settings", "calibrate", "circuit", "string", "setup", "witness", "prove", "verify")
NOTE: Final = "own reference string (insecure), as ours; no binding to a claim"


async def measure(model: onnx.ModelProto, row: np.ndarray) -> Baseline | Absent:
    """Sets up, proves one row [n] of the network and verifies the proof."""
    environment = FOLDER / f"ezkl-{VERSION}"
    try:
        await _install(environment)
    except (ProgramFailed, ProgramKilled) as failure:
        return Absent(NAME, f"it cannot be installed: {_last_line(failure)}")
    folder = FOLDER / "ezkl-files"
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(_alone(model).SerializeToString())
    (folder / "input.json").write_text(json.dumps({"input_data": [[float(value) for value in row]]}))
    try:
        usage = {name: await step([environment / "bin" / "python", CHILD, name], folder) for name in STEPS}
    except (ProgramFailed, ProgramKilled) as failure:
        return Absent(NAME, _last_line(failure))
    settings = json.loads((folder / "settings.json").read_bytes())
    proof = json.loads((folder / "proof.json").read_bytes())
    return Baseline(
        NAME,
        VERSION,
        f"2^{settings['run_args']['logrows']} rows",
        together([usage[name] for name in SETUP]),
        together([usage["witness"], usage["prove"]]),
        len(bytes(proof["proof"])),
        NOTE,
    )


async def _install(environment: Path) -> None:
    done = environment / "installed"
    if done.exists():
        return
    await step([sys.executable, "-m", "venv", "--clear", environment], Path.cwd())
    pip: list[str | Path] = [
        environment / "bin" / "python",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
    ]
    await step([*pip, "install", "--quiet", f"ezkl=={VERSION}"], Path.cwd())
    done.touch()


def _alone(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model for one row: EZKL wants a batch axis of known size."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for tensor in (*copy.graph.input, *copy.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_value = 1
    return copy


def _last_line(failure: ProgramFailed | ProgramKilled) -> str:
    return str(failure).strip().splitlines()[-1]
