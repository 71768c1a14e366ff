"""One step of EZKL, by the Python of its own environment, in the folder with its files: ezkl_child.py STEP

Needs nothing but the package ezkl. As with us, inputs and outputs are public, weights part of the circuit.
"""

import asyncio
import inspect
import json
import sys
from pathlib import Path

import ezkl  # type: ignore[import-not-found]


def settings() -> object:
    about = ezkl.PyRunArgs()
    about.input_visibility, about.output_visibility, about.param_visibility = "public", "public", "fixed"
    return ezkl.gen_settings("model.onnx", "settings.json", py_run_args=about)


def calibrate() -> object:
    return ezkl.calibrate_settings("input.json", "model.onnx", "settings.json", "resources")


def circuit() -> object:
    return ezkl.compile_circuit("model.onnx", "model.ezkl", "settings.json")


def string() -> None:
    rows = json.loads(Path("settings.json").read_bytes())["run_args"]["logrows"]
    ezkl.gen_srs("kzg.srs", rows)


def setup() -> object:
    return ezkl.setup("model.ezkl", "vk.key", "pk.key", "kzg.srs")


def witness() -> object:
    return ezkl.gen_witness("input.json", "model.ezkl", "witness.json")


def prove() -> object:
    return ezkl.prove("witness.json", "model.ezkl", "pk.key", "proof.json", "kzg.srs")


def verify() -> object:
    return ezkl.verify("proof.json", "settings.json", "vk.key", "kzg.srs")


STEPS = {f.__name__: f for f in (settings, calibrate, circuit, string, setup, witness, prove, verify)}


async def finished(result: object) -> object:
    """Some versions answer with an awaitable."""
    return await result if inspect.isawaitable(result) else result


if __name__ == "__main__":
    if asyncio.run(finished(STEPS[sys.argv[1]]())) is False:
        sys.exit(f"ezkl: {sys.argv[1]} failed")
