"""vouch watch refuses what it cannot work with, before anything is connected."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.python.watcher.making import HUB, OPERATOR, RIVAL
from vouch.cli.beliefs import Quorum, Trust
from vouch.cli.main import cli
from vouch.cli.watch import command
from vouch.protocol.quorum import Policy


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        cli, ["watch", *arguments], env={"VOUCH_KEY": "", "VOUCH_RPC": "http://127.0.0.1:9"}
    )
    return result.exit_code, result.output


def test_the_quorum_of_the_terms_is_what_the_option_names() -> None:
    expected = Policy.of(2, [OPERATOR, RIVAL, HUB]).trust
    assert Quorum().convert(f"2:{HUB},{OPERATOR},{RIVAL}", None, None) == expected
    assert Trust().convert(f"0x{expected.hex()}", None, None) == expected
    assert Trust().convert("any", None, None) == b""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no model to judge with: give --onnx FILE, --models DIR, or --text MANIFEST URL"),
        (("--onnx", "x.onnx", "--quorum", "2"), "'2' is not M:ADDRESS,ADDRESS,..."),
        (("--onnx", "x.onnx", "--quorum", f"3:{HUB},{RIVAL}"), "3 of 2 is no quorum"),
        (("--onnx", "x.onnx", "--quorum", f"1:{HUB},{HUB}"), "is no quorum"),
        (("--onnx", "x.onnx", "--quorum", "1:nobody"), "is no quorum"),
        (("--onnx", "x.onnx", "--believe", "0x1234"), "a trust has 32 bytes (64 hex digits), not 2"),
        (("--onnx", "x.onnx", "--believe", "anybody"), "is no hex"),
        (("--onnx", "x.onnx", "--max-bond", "much"), "is no amount"),
        (("--onnx", "x.onnx"), "VOUCH_KEY"),
    ],
)
def test_wrong_options(arguments: tuple[str, ...], said: str) -> None:
    code, output = run(*arguments)
    assert code != 0
    assert said in " ".join(output.split())


def test_an_empty_folder_of_models(tmp_path: Path) -> None:
    code, output = run("--models", str(tmp_path), "--dry-run")
    assert code == 2
    assert "has no .onnx file" in " ".join(output.split())


def test_a_manifest_decides_alone_unless_the_operator_says_otherwise() -> None:
    (default,) = (option.default for option in command.params if option.name == "slack")
    assert default == 0.0
