"""What a devnet with circuits has more."""

from dataclasses import replace
from pathlib import Path

from vouch.cli.devnet import MAX_RISK, RISK, max_risk, risk_model
from vouch.cli.devnet_zk import PROVER, prover, terms_of
from vouch.cli.sources import onnx_manifest

MANIFEST = onnx_manifest(risk_model(), RISK)


def test_a_proven_model_is_asked_by_its_circuit() -> None:
    assert terms_of(replace(MANIFEST, zk=(b"\1" * 32, b"\2" * 32))) == (b"ZKUH", b"\1" * 32)


def test_the_largest_risk_has_the_decimals_of_the_models_output() -> None:
    assert max_risk(MANIFEST) == MAX_RISK == 2 * 10**17
    (output,) = MANIFEST.outputs
    assert max_risk(replace(MANIFEST, outputs=(replace(output, scale=6),))) == 200_000


def test_the_prover_serves_all_circuits_on_its_port(tmp_path: Path) -> None:
    folders = (Path("/circuits/a"), Path("/circuits/b"))
    child = prover(folders, tmp_path, "http://127.0.0.1:8720")
    assert child.name == PROVER
    said = " ".join(child._command)
    assert "prover start --port 8720 " in said
    assert "--circuit /circuits/a --circuit /circuits/b" in said
    assert str(tmp_path / "prover.sqlite") in said
