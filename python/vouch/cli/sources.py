"""Where models come from: files and servers named on the command line, and their manifests."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vouch.protocol.errors import VouchError
from vouch.protocol.manifest import Artefact, Limits, Manifest
from vouch.protocol.text import Json

if TYPE_CHECKING:
    from vouch.runtimes.base import Runtime

TEXT_LIMIT = 16_384


class UnreadableManifest(VouchError):
    """A manifest file cannot be read."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = str(path), reason
        super().__init__(f"manifest file {path} cannot be read: {reason}")


def onnx_manifest(path: Path, name: str | None) -> Manifest:
    """The manifest of an ONNX file, by default named after it; raises as `manifest_from_onnx`."""
    # onnx takes a second to import, and most commands need no model
    from vouch.runtimes.derive import manifest_from_onnx

    return manifest_from_onnx(path, name or path.stem)


def text_manifest(name: str, model: str, parameters: Mapping[str, Json], prompt: str = "text") -> Manifest:
    """The manifest of a text model that an OpenAI-compatible server knows as `model`."""
    return Manifest(
        name=name,
        kind="text",
        artefact=Artefact("openai", model=model),
        limits=Limits(TEXT_LIMIT),
        parameters=parameters,
        prompt="messages" if prompt == "messages" else "text",
        deterministic=False,
    )


def read_manifest(path: Path) -> Manifest:
    """A manifest file (canonical JSON, as `vouch model describe` writes it).

    Raises UnreadableManifest, BadManifest.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableManifest(path, error.strerror or str(error)) from error
    return Manifest.parse(data.rstrip(b"\n"))


def onnx_runtime(path: Path, name: str | None) -> "tuple[str, Runtime]":
    """Served name and runtime of an ONNX file."""
    from vouch.runtimes.onnx import OnnxRuntime

    manifest = onnx_manifest(path, name)
    return manifest.name, OnnxRuntime(path, manifest)


def circuit_runtime(folder: Path) -> "tuple[str, Runtime]":
    """Served name and runtime of a circuit folder, as `vouch zk compile` writes it."""
    from vouch.runtimes.integer import IntegerRuntime

    manifest = read_manifest(folder / "manifest.json")
    return manifest.name, IntegerRuntime(folder / "model.circuit", manifest)


def text_runtime(manifest_file: Path, url: str, api_key: str | None) -> "tuple[str, Runtime]":
    """Served name and runtime of a text model behind an OpenAI-compatible server."""
    from vouch.runtimes.openai import OpenAiRuntime

    manifest = read_manifest(manifest_file)
    return manifest.name, OpenAiRuntime(url, manifest, api_key)


def echo_runtime(name: str) -> "tuple[str, Runtime]":
    """A model that gives its input back, for measuring and testing everything around a model."""
    from vouch.runtimes.echo import EchoRuntime, echo_manifest

    return name, EchoRuntime(echo_manifest(name))
