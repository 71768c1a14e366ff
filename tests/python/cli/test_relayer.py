"""What `vouch relayer` takes on its command line."""

import click
import pytest
from click.testing import CliRunner
from eth_utils.address import to_checksum_address

from vouch.cli.relayer import Cosigner, command

ADDRESS = str(to_checksum_address(f"0x{0xAB:040x}"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("http://127.0.0.1:8700", (None, "http://127.0.0.1:8700")),
        ("https://b.example/?key=1", (None, "https://b.example/?key=1")),
        (f"{ADDRESS.lower()}=https://b.example", (ADDRESS, "https://b.example")),
    ],
)
def test_a_cosigner(text: str, value: tuple[str | None, str]) -> None:
    assert Cosigner().convert(text, None, None) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("127.0.0.1:8700", "is no address of a node"),
        (ADDRESS, "is no address of a node"),
        ("0x12=http://b.example", "is no address: write URL, or ADDRESS=URL"),
        (f"{ADDRESS}=b.example", "is no address of a node"),
    ],
)
def test_no_cosigner(text: str, why: str) -> None:
    with pytest.raises(click.BadParameter, match=why):
        Cosigner().convert(text, None, None)


@pytest.mark.parametrize("options", [["--threshold", "2"], ["--cosigner", "http://b.example"]])
def test_a_quorum_needs_members_and_a_threshold(options: list[str]) -> None:
    result = CliRunner().invoke(command, options)
    assert result.exit_code == 2
    assert "a quorum needs both: --cosigner for each member, and --threshold" in result.output


def test_a_prover_has_an_address() -> None:
    result = CliRunner().invoke(command, ["--prover", "127.0.0.1:8720"])
    assert result.exit_code == 2
    assert "--prover '127.0.0.1:8720' is no address" in result.output


def test_a_threshold_above_the_members_is_refused() -> None:
    result = CliRunner().invoke(command, ["--cosigner", "http://b.example", "--threshold", "2"])
    assert "2 of 1 is no quorum" in str(result.exception)
