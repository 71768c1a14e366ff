"""What `vouch prover start` takes on its command line."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from vouch.cli.prover import Bytes, command
from vouch.prover.errors import BadCircuitFiles


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("8GB", 8 * 10**9),
        ("512 mb", 512 * 10**6),
        ("1.5GiB", 3 << 29),
        ("2g", 2 * 10**9),
        ("1048576", 1 << 20),
        ("2000000b", 2_000_000),
    ],
)
def test_amounts_of_memory(text: str, amount: int) -> None:
    assert Bytes().convert(text, None, None) == amount


@pytest.mark.parametrize("text", ["", "8", "-8GB", "8XB", "a lot", "1.2.3GB", "8GB 1MB"])
def test_no_amount_of_memory(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write 8GB"):
        Bytes().convert(text, None, None)


def test_a_circuit_is_needed() -> None:
    result = CliRunner().invoke(command, ["start"])
    assert result.exit_code == 2
    assert "Missing option '--circuit'" in result.output


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["start", "--circuit", str(tmp_path / "no")])
    assert result.exit_code == 2
    assert "does not exist" in result.output


def test_a_folder_without_a_circuit(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["start", "--circuit", str(tmp_path)])
    assert isinstance(result.exception, BadCircuitFiles)
    assert "circuit.json" in str(result.exception)


def test_the_help_tells_the_defaults() -> None:
    text = CliRunner().invoke(command, ["start", "--help"]).output
    for part in (
        "VOUCH_PROVER_TOKEN",
        "8720",
        ".vouch/prover.sqlite",
        "three quarters",
        "vouch relayer --prover",
    ):
        assert part in text
