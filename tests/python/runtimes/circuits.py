"""Small integer models with their manifests, and circuit folders of them that a node takes."""

import hashlib
from pathlib import Path

import numpy as np

from vouch.circuit.model import IntegerModel
from vouch.circuit.ops import Affine, Relu
from vouch.circuit.parts import Node, Port
from vouch.protocol.manifest import Artefact, Limits, Manifest, TensorSpec

CIRCUITS = (b"\5" * 32, b"\6" * 32)
"""Ids that the manifests name."""


def small_model(seed: int = 1) -> IntegerModel:
    """Three inputs of 16 bits, one layer with a rounding ReLU, two outputs."""
    random = np.random.default_rng(seed)
    layer = Affine(random.integers(-99, 99, (2, 3)), random.integers(-999, 999, 2), None)
    return IntegerModel(
        (Port("x", "FP32", (1, 3), 3),),
        16,
        (Node(layer, (0,)), Node(Relu(4), (1,))),
        2,
        (Port("y", "FP32", (1, 2), 4),),
    )


def manifest_of(model: IntegerModel, zk: tuple[bytes, ...] = CIRCUITS) -> Manifest:
    """As it is published."""
    data = model.to_bytes()
    inputs, outputs = (
        tuple(TensorSpec(port.name, port.dtype, port.shape, port.decimals) for port in ports)
        for ports in (model.inputs, model.outputs)
    )
    artefact = Artefact("circuit", hashlib.sha256(data).hexdigest(), len(data))
    return Manifest("small", "tensor", artefact, Limits(1_024), inputs, outputs, zk=zk)


def write(folder: Path, model: IntegerModel) -> Path:
    """A circuit folder as far as a node looks at it; gives the model's file."""
    (folder / "manifest.json").write_bytes(bytes(manifest_of(model)) + b"\n")
    (path := folder / "model.circuit").write_bytes(model.to_bytes())
    return path
