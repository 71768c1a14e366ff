"""Values of options."""

import click
import pytest
from click.testing import CliRunner

from vouch.cli.options import Bytes32, ModelPath, Wei, together


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1000", 1000),
        ("5wei", 5),
        ("20gwei", 20 * 10**9),
        ("0.01ether", 10**16),
        ("1 eth", 10**18),
        ("1_000", 1000),
    ],
)
def test_wei(text: str, amount: int) -> None:
    assert Wei().convert(text, None, None) == amount


@pytest.mark.parametrize("text", ["", "ether", "-1", "0.5", "1.5wei", "ten", "1e400gwei0", "nan", "infinity"])
def test_no_wei(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Wei().convert(text, None, None)


def test_model_path() -> None:
    assert ModelPath().convert("risk.onnx", None, None) == (None, "risk.onnx")
    assert ModelPath().convert("risk=a/b.onnx", None, None) == ("risk", "a/b.onnx")
    for wrong in ("=file", "name="):
        with pytest.raises(click.BadParameter):
            ModelPath().convert(wrong, None, None)


def test_32_bytes() -> None:
    kind = Bytes32("id", "a request id")
    for text in ("0x" + "ab" * 32, "AB" * 32):
        assert kind.convert(text, None, None) == b"\xab" * 32
    assert kind.convert(b"\xab" * 32, None, None) == b"\xab" * 32
    with pytest.raises(click.BadParameter, match="'0xzz' is no hex"):
        kind.convert("0xzz", None, None)
    with pytest.raises(click.BadParameter, match=r"a request id has 32 bytes \(64 hex digits\), not 2"):
        kind.convert("0x1234", None, None)


def test_several_options_as_one_keep_their_order() -> None:
    @click.command()
    @click.option("--first")
    @together(click.option("--second"), together(click.option("--third")))
    @click.option("--fourth")
    def command(**values: str) -> None:
        click.echo(sorted(values.items()))

    assert [option.name for option in command.params] == ["first", "second", "third", "fourth"]
    words = CliRunner().invoke(command, ["--third", "3", "--first", "1"]).output
    assert words == "[('first', '1'), ('fourth', None), ('second', None), ('third', '3')]\n"
