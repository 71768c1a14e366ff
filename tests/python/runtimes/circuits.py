"""Small integer models with their manifests, and circuit folders of them that a node takes."""

import hashlib
from pathlib import Path

from tests.support import circuits
from vouch.circuit.artefact import to_file
from vouch.circuit.model import IntegerModel
from vouch.protocol.manifest import Artefact, Limits, Manifest, TensorSpec

CIRCUITS = (b"\5" * 32, b"\6" * 32)
"""Ids that the manifests name."""


def small_model(seed: int = 1) -> IntegerModel:
    """The model that circuits are built of, too."""
    return circuits.model(seed)


def manifest_of(model: IntegerModel, zk: tuple[bytes, ...] = CIRCUITS, salt: bytes | None = None) -> Manifest:
    """As it is published; salt: of secret weights."""
    data = to_file(model, salt)
    inputs, outputs = (
        tuple(TensorSpec(port.name, port.dtype, port.shape, port.decimals) for port in ports)
        for ports in (model.inputs, model.outputs)
    )
    artefact = Artefact("circuit", hashlib.sha256(data).hexdigest(), len(data))
    return Manifest("small", "tensor", artefact, Limits(1_024), inputs, outputs, zk=zk)


def write(folder: Path, model: IntegerModel, salt: bytes | None = None) -> Path:
    """A circuit folder as far as a node looks at it; gives the model's file."""
    (folder / "manifest.json").write_bytes(bytes(manifest_of(model, salt=salt)) + b"\n")
    (path := folder / "model.circuit").write_bytes(to_file(model, salt))
    return path
