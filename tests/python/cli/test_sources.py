"""Models from files and servers."""

from importlib.resources import files
from pathlib import Path

import pytest

from tests.python.runtimes.circuits import manifest_of, small_model, write
from vouch.circuit.codec import run_bytes
from vouch.cli.devnet import risk_model
from vouch.cli.sources import (
    UnreadableManifest,
    circuit_runtime,
    echo_runtime,
    onnx_manifest,
    onnx_runtime,
    read_manifest,
    text_manifest,
    text_runtime,
)
from vouch.protocol.manifest import BadManifest


def test_the_name_is_the_files_unless_given() -> None:
    assert risk_model() == Path(str(files("vouch").joinpath("models", "risk.onnx")))
    assert onnx_manifest(risk_model(), None).name == "risk"
    assert onnx_manifest(risk_model(), "other").name == "other"


def test_node_and_publisher_derive_the_same_id() -> None:
    name, runtime = onnx_runtime(risk_model(), None)
    assert name == "risk"
    assert runtime.manifest.model_id == onnx_manifest(risk_model(), None).model_id


def test_text_manifests_survive_a_file(tmp_path: Path) -> None:
    made = text_manifest("chat", "some/model", {"temperature": 0, "max_tokens": 32}, "messages")
    assert (made.kind, made.prompt, made.deterministic) == ("text", "messages", False)
    path = tmp_path / "chat.json"
    path.write_bytes(bytes(made) + b"\n")
    assert read_manifest(path) == made
    name, runtime = text_runtime(path, "http://127.0.0.1:9", None)
    assert (name, runtime.manifest) == ("chat", made)


async def test_a_circuit_folder(tmp_path: Path) -> None:
    write(tmp_path, small_model())
    name, runtime = circuit_runtime(tmp_path)
    assert (name, runtime.manifest) == ("small", manifest_of(small_model()))
    assert await runtime.run(bytes(3 * 32)) == run_bytes(small_model(), bytes(3 * 32))


def test_a_folder_without_a_circuit(tmp_path: Path) -> None:
    with pytest.raises(UnreadableManifest, match=r"manifest\.json cannot be read: No such file"):
        circuit_runtime(tmp_path)


def test_echo() -> None:
    name, runtime = echo_runtime("mirror")
    assert (name, runtime.manifest.name) == ("mirror", "mirror")


def test_bad_manifest_files(tmp_path: Path) -> None:
    with pytest.raises(UnreadableManifest):
        read_manifest(tmp_path / "none.json")
    path = tmp_path / "bad.json"
    path.write_text("{}")
    with pytest.raises(BadManifest):
        read_manifest(path)
