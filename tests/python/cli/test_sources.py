"""Models from files and servers."""

from importlib.resources import files
from pathlib import Path

import pytest

from vouch.cli.devnet import risk_model
from vouch.cli.sources import (
    UnreadableManifest,
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
