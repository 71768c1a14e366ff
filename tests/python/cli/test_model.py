"""vouch model describe: the manifest that is written is the one that was asked for."""

from pathlib import Path

from click.testing import CliRunner, Result

from vouch.cli.devnet import risk_model
from vouch.cli.main import cli
from vouch.cli.sources import onnx_manifest, read_manifest


def describe(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["model", "describe", *arguments])


def test_onnx_file_is_described_as_it_is_published() -> None:
    result = describe("--onnx", str(risk_model()))
    assert result.output.encode().rstrip(b"\n") == bytes(onnx_manifest(risk_model(), None))


def test_tolerance_goes_into_the_manifest(tmp_path: Path) -> None:
    file = tmp_path / "risk.json"
    assert describe("--onnx", str(risk_model()), "--tolerance", "1e-5", "-o", str(file)).exit_code == 0
    manifest = read_manifest(file)
    assert (manifest.deterministic, manifest.tolerance) == (False, 1e-5)
    assert manifest.model_id != onnx_manifest(risk_model(), None).model_id


def test_tolerance_must_be_positive() -> None:
    assert describe("--onnx", str(risk_model()), "--tolerance", "0").exit_code == 2


def test_texts_have_no_tolerance() -> None:
    result = describe("--openai", "some-model", "--name", "chat", "--tolerance", "0.1")
    assert result.exit_code == 2
    assert "byte for byte" in result.output
