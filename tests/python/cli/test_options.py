"""Values of options."""

import click
import pytest

from vouch.cli.options import ModelPath, Wei


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
